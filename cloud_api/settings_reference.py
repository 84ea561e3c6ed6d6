"""The reference of all settings, made from the models that read them; ``docs/settings.md`` holds it."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

CONDITIONS = ("kind", "version")
"""Keys that choose between the alternatives of a section."""
WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", Path: "path"}
_ENTRY = re.compile(r"^    (\w+): ?(.*)$")
_NAMES: dict[type, str] = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}


def reference(settings: type[BaseModel]) -> str:
    """Return a Markdown table a section, in the order of the model."""
    parts = [
        f"### [{name}]{_condition(model)}\n\n{_summary(model)}\n\n{_table(model)}"
        for name, field in settings.model_fields.items()
        for model in _alternatives(field.annotation, field.metadata)
    ]
    return "\n\n".join(parts) + "\n"


def keys(settings: type[BaseModel]) -> set[str]:
    """Return every key as ``section.key``."""
    return {
        f"{name}.{key}"
        for name, field in settings.model_fields.items()
        for model in _alternatives(field.annotation, field.metadata)
        for key in model.model_fields
    }


def _table(model: type[BaseModel]) -> str:
    told = _attributes(model)
    rows = [
        f"| `{key}` | {_allowed(field)} | {_default(field)} | {told[key]} |"
        for key, field in model.model_fields.items()
    ]
    return "\n".join(["| key | allowed | default | |", "|---|---|---|---|", *rows])


def _alternatives(annotation: Any, metadata: list[Any]) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in (*get_args(annotation), *metadata):
        yield from _alternatives(inner, [])


def _condition(model: type[BaseModel]) -> str:
    chosen = [
        f'{name} = "{get_args(field.annotation)[0]}"'
        for name in CONDITIONS
        if (field := model.model_fields.get(name)) is not None
    ]
    return f" with {', '.join(chosen)}" if chosen else ""


def _summary(model: type[BaseModel]) -> str:
    return (inspect.getdoc(model) or "").partition("\n\n")[0].replace("``", "`")


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """Return what the docstrings of a model and of its bases say of its keys."""
    told: dict[str, str] = {}
    for one in reversed(model.__mro__):
        text = inspect.cleandoc(one.__doc__ or "").partition("Attributes:\n")[2]
        key = ""
        for line in text.splitlines():
            if entry := _ENTRY.match(line):
                key = entry.group(1)
                told[key] = entry.group(2)
            elif key and line.strip():
                told[key] += f" {line.strip()}"
    return {key: text.replace("``", "`").replace("|", "\\|") for key, text in told.items()}


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "**required**"
    if field.default is None:
        return "none"
    return f'`"{field.default}"`' if isinstance(field.default, str) else f"`{field.default}`"


def _allowed(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    bounds = [_bound(one) for one in field.metadata]
    return ", ".join(part for part in (kind, *bounds) if part)


def _kind(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    if get_origin(annotation) is Literal:
        return ", ".join(f'`"{value}"`' for value in get_args(annotation))
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        bounds = [bound for one in metadata if (bound := _bound(one))]
        return ", ".join([_kind(inner), *bounds])
    if get_origin(annotation) is list:
        return f"list of {_kind(get_args(annotation)[0])}"
    options = [one for one in get_args(annotation) if one is not type(None)]
    if options:
        return " or ".join(_kind(one) for one in options)
    return WORDS[annotation]


def _bound(constraint: Any) -> str:  # noqa: ANN401 - any constraint
    if isinstance(constraint, StringConstraints):
        return f"`{constraint.pattern}`".replace("|", "\\|")
    if isinstance(constraint, MinLen):
        return f"at least {constraint.min_length}"
    if isinstance(constraint, MaxLen):
        return f"at most {constraint.max_length}"
    for kind, sign in _NAMES.items():
        if isinstance(constraint, kind):
            return f"{sign} {getattr(constraint, kind.__name__.lower())}"
    return ""
