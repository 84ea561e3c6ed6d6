"""What all payloads of records share on the wire."""

import msgspec


class PayloadBase(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="type"):
    """Common wire options of all payloads: the kind is told by ``type``, what is not known is left out."""
