"""What every profile model shares: frozen, and no key that is not declared."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.ids import ID_PATTERN


class Profile(BaseModel):
    """Base of all profile models: unknown keys are errors, values do not change after loading."""

    # an infinite timeout or range is a typing error, never a wish
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Text(Profile):
    """A text that people read, in both languages of the interface."""

    es: str
    en: str
