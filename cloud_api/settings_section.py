"""What every section of the settings is made of: the strict base, and texts with a form of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from contracts.ids import ID_PATTERN

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
"""A name that some server gives to what is ours: a database, a bucket, an organisation, a user."""


def has_port(address: str) -> bool:
    """Tell whether the port of a URL, where it names one, can be one: no pattern says 1 to 65535."""
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def _demand_port(address: str) -> str:
    if not has_port(address):
        raise PydanticCustomError("port", "Port should be a number from 1 to 65535")
    return address


GoodPort = AfterValidator(_demand_port)
"""Of a URL: its port, where it names one, can be one."""


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def resolved(self, base: Path) -> Self:
        """Return this section with every relative path made absolute from ``base``."""
        changes: dict[str, Any] = {
            name: base / value for name in type(self).model_fields if isinstance(value := getattr(self, name), Path)
        }
        return self.model_copy(update=changes)


def kind_or(default: str) -> Callable[[Any], Any]:
    """Return the discriminator of a union of sections by their key ``kind``.

    Args:
        default: what is meant where the key is left out.
    """

    def kind(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return value.get("kind", default) if isinstance(value, dict) else getattr(value, "kind", None)

    return kind
