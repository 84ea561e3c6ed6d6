"""Turns a validation error of the settings into lines for the person who has to correct them."""

from typing import get_args

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Return one line a problem: key, what is wrong with it, and the allowed keys where the key is unknown."""
    lines = []
    for item in error.errors(include_url=False):
        path = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        text = item["msg"]
        if item["type"] == "extra_forbidden":
            text = f"unknown key; allowed: {', '.join(_keys_at(model, item['loc'][:-1]))}"
        elif item["type"] == "missing":
            text = "missing"
        elif item["type"] == "string_pattern_mismatch":
            text = f"is {item['input']!r}; allowed: {item['ctx']['pattern']}"
        lines.append(f"{path}: {text}")
    return "\n  ".join(["", *lines]) if len(lines) > 1 else lines[0]


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            break
        options = [field.annotation, *get_args(field.annotation)]
        inner = [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]
        if not inner:
            break
        model = inner[0]
    return sorted(model.model_fields)
