"""What the cloud answers to a batch: the gateway deletes a batch on ``committed`` and sets it aside on ``refused``."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """What became of a batch."""

    COMMITTED = "committed"
    REFUSED = "refused"


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fate of one batch.

    Attributes:
        outcome: committed (on the cloud's disk) or refused (it will never be accepted as it is).
        stream_id: of the batch; empty where it could not be read.
        first_seq: of the batch; 0 where it could not be read.
        last_seq: of the batch; 0 where it could not be read.
        digest: ``contracts.codec.digest`` of the payload as it arrived: names a batch that could not be read.
        reason: why it was refused, a short snake_case word.
    """

    version: int = 1
    outcome: Outcome
    stream_id: str = ""
    first_seq: int = 0
    last_seq: int = 0
    digest: str = ""
    reason: str = ""
