"""Turns a validation error into lines for the person who has to correct the file."""

import types
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Return one line a problem: path, what is wrong, allowed keys or values where they are a closed set."""
    lines = []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        message = item["msg"]
        if item["type"] == "extra_forbidden":
            keys = _keys_at(model, item["loc"][:-1])
            message = f"unknown key; allowed: {', '.join(keys)}" if keys else "unknown key"
        lines.append(f"{path}: {message}")
    return "\n  ".join(["", *lines]) if len(lines) > 1 else lines[0]


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the keys allowed at a place of a model, following unions by their tag."""
    current: list[Any] = [model]
    for part in location:
        step: list[Any] = []
        for option in _models(current):
            field = _field(option, str(part))
            if field is not None:
                step.append(field)
        current = step or [option for option in _models(current) if isinstance(part, int) or _has_tag(option, str(part))]
    keys: set[str] = set()
    for option in _models(current):
        keys.update(info.alias or name for name, info in option.model_fields.items())
    return sorted(keys)


def _models(annotations: list[Any]) -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
        elif get_origin(annotation) in (Union, types.UnionType, list, dict) or hasattr(annotation, "__metadata__"):
            found.extend(_models([arg for arg in get_args(annotation) if arg is not type(None)]))
    return found


def _field(model: type[BaseModel], name: str) -> Any:  # noqa: ANN401 - an annotation may be any type form
    for field_name, info in model.model_fields.items():
        if name in (field_name, info.alias):
            return info.annotation
    return None


def _has_tag(model: type[BaseModel], tag: str) -> bool:
    for info in model.model_fields.values():
        if get_origin(info.annotation) is Literal and tag in get_args(info.annotation):
            return True
    return False
