"""Turns a validation error into lines for the person who has to correct the file.

A line is ``path: what is wrong; allowed: …``. The path is the one in the file: the names of union members that pydantic
puts into its locations ("nmea", "serial") are left out, list elements are written ``[2]``.
"""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from contracts.errors import ConfigError

MAX_SHOWN = 40
"""Characters of a wrong value that are repeated: enough to find it; a key pasted into a field stays out of logs."""
MAX_PROBLEMS = 50
"""Lines of one error: a file of another kind is wrong everywhere, and a terminal holds no more."""

Location = tuple[int | str, ...]


def explain(error: ValidationError, annotation: Any, prefix: str = "") -> str:  # noqa: ANN401 - any type form
    """Return one line a problem: path, what is wrong, allowed keys or values where they are a closed set.

    Args:
        error: what pydantic found.
        annotation: model (or other type) that it validated.
        prefix: path of the validated part in the file, if it was not the whole file.
    """
    items = error.errors()
    lines = [_line(item, annotation, prefix) for item in items[:MAX_PROBLEMS]]
    if len(items) > MAX_PROBLEMS:
        lines.append(f"(and {len(items) - MAX_PROBLEMS} more)")
    return "\n".join(lines)


def problems(error: ConfigError) -> list[str]:
    """Return one line a problem of a config error, each naming the file (or other subject) that it is about."""
    lines = error.cause.splitlines() or [""]
    lines = [f"{error.subject}: {line}" for line in lines]
    if error.hint:
        lines[-1] += f" ({error.hint})"
    return lines


def _line(item: ErrorDetails, annotation: Any, prefix: str) -> str:  # noqa: ANN401 - any type form
    location = item["loc"]
    path, found = _walk(annotation, location)
    kind, context = item["type"], item.get("ctx", {})
    message = item["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        _, parents = _walk(annotation, location[:-1])
        keys = _keys(parents)
        message = f"unknown key; allowed: {', '.join(keys)}" if keys else "unknown key"
    elif kind == "missing":
        message = "is missing"
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        key = str(context.get("discriminator", "")).strip("'")
        path = f"{path}.{key}" if path else key
        allowed = ", ".join(_tags(found, key))
        message = f"{context['tag']!r} is not allowed" if "tag" in context else "is missing"
        message += f"; allowed: {allowed}"
    elif kind == "literal_error":
        message = f"{_shown(item['input'])} is not allowed; allowed: {context['expected']}"
    elif kind == "string_pattern_mismatch":
        message = f"{_shown(item['input'])} is not allowed; allowed: {context['pattern']}"
    elif not isinstance(item["input"], dict | list):
        message = f"{message}, got {_shown(item['input'])}"
    where = ".".join(part for part in (prefix, path) if part).replace(".[", "[") or "(whole file)"
    return f"{where}: {message}"


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _walk(annotation: Any, location: Location) -> tuple[str, list[Any]]:  # noqa: ANN401 - any type form
    """Return the path in the file and the types found there, following unions by their tag."""
    current: list[Any] = [annotation]
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            current = [_element(option) for option in _options(current)]
            continue
        models = _models(current)
        fields = [field for option in models if (field := _field(option, part)) is not None]
        tagged = [option for option in models if part in _literals(option)]
        if tagged and not fields:
            current = list(tagged)
            continue
        path = f"{path}.{part}" if path else part
        current = fields or [_element(option) for option in _options(current)]
    return path, current


def _keys(annotations: list[Any]) -> list[str]:
    keys: set[str] = set()
    for option in _models(annotations):
        keys.update(info.alias or name for name, info in option.model_fields.items())
    return sorted(keys)


def _tags(annotations: list[Any], key: str) -> list[str]:
    tags: list[str] = []
    for option in _models(annotations):
        info = option.model_fields.get(key)
        if info is not None:
            tags += [str(value) for value in get_args(info.annotation)]
    return tags


def _options(annotations: list[Any]) -> list[Any]:
    """Return the alternatives behind unions and ``Annotated``."""
    found: list[Any] = []
    for annotation in annotations:
        if get_origin(annotation) in (Union, types.UnionType):
            found.extend(_options([arg for arg in get_args(annotation) if arg is not type(None)]))
        elif get_origin(annotation) is Annotated:
            found.extend(_options([get_args(annotation)[0]]))
        else:
            found.append(annotation)
    return found


def _models(annotations: list[Any]) -> list[type[BaseModel]]:
    return [option for option in _options(annotations) if isinstance(option, type) and issubclass(option, BaseModel)]


def _element(annotation: Any) -> Any:  # noqa: ANN401 - any type form
    """Return the type of a list's, tuple's or dict's values; ``Any`` for everything else."""
    args = get_args(annotation)
    if get_origin(annotation) in (list, tuple) and args:
        return args[0]
    if get_origin(annotation) is dict and args:
        return args[1]
    return Any


def _field(model: type[BaseModel], name: str) -> Any:  # noqa: ANN401 - any type form
    for field_name, info in model.model_fields.items():
        if name in (field_name, info.alias):
            return info.annotation if not info.discriminator else Annotated[info.annotation, info.discriminator]
    return None


def _literals(model: type[BaseModel]) -> set[str]:
    """Return the values of the model's fields that are one fixed word: its tags in unions."""
    found: set[str] = set()
    for info in model.model_fields.values():
        if get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1:
            found.update(str(value) for value in get_args(info.annotation))
    return found
