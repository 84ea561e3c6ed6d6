"""Turns a validation error of the settings into lines for the person who has to correct them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

PASSWORD = re.compile(r"(://[^/@\s]*:)[^/@\s]+@")
MAX_SHOWN = 200
"""Characters shown of a wrong value: a whole section in the place of a number helps nobody."""


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Return one line a problem: key, what is wrong with it, and what is allowed where that is a closed set."""
    lines = []
    for item in error.errors(include_url=False):
        path, models = _walk(model, item["loc"])
        key, text = _problem(item, models)
        lines.append(f"{'.'.join([*path, key] if key else path) or '(whole file)'}: {text}")
    return "\n  ".join(["", *lines]) if len(lines) > 1 else lines[0]


def _problem(item: Mapping[str, Any], models: list[type[BaseModel]]) -> tuple[str, str]:
    """Return the key below the error's place, if the error names one, and what is wrong."""
    context = item.get("ctx", {})
    key = ""
    match item["type"]:
        case "extra_forbidden":
            allowed = sorted({name for model in models for name in model.model_fields})
            text = f"unknown key; allowed: {', '.join(allowed)}"
        case "missing":
            text = "missing"
        case "string_pattern_mismatch":
            text = f"is {_shown(item['input'])}; allowed: {context['pattern']}"
        case "union_tag_not_found":
            key, text = _discriminator(context), f"missing; allowed: {_choices(models, context)}"
        case "union_tag_invalid":
            key, text = _discriminator(context), f"is {context['tag']!r}; allowed: {context['expected_tags']}"
        case "value_error":
            key, _, text = str(context["error"]).partition(": ")
        case _:
            text = f"{item['msg']}; is {_shown(item['input'])}"
    return key, text


def _shown(value: object) -> str:
    # a password that somebody wrote into a URL must not end in a log
    return PASSWORD.sub(r"\1***@", repr(value))[:MAX_SHOWN]


def _discriminator(context: Mapping[str, Any]) -> str:
    # pydantic quotes the name of a field and shows a function as a call
    name = str(context["discriminator"]).strip("'")
    return "kind" if name.endswith("()") else name


def _choices(models: list[type[BaseModel]], context: Mapping[str, Any]) -> str:
    fields = [model.model_fields.get(_discriminator(context)) for model in models]
    values = [value for field in fields if field is not None for value in get_args(field.annotation)]
    return ", ".join(repr(value) for value in dict.fromkeys(values))


def _walk(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[list[str], list[type[BaseModel]]]:
    """Return the keys of a place, without the names of alternatives, and the models that it is or lies in."""
    path: list[str] = []
    models = [model]
    for part in location:
        fields = [one.model_fields[str(part)] for one in models if str(part) in one.model_fields]
        inner = [found for field in fields for found in _models(field.annotation)]
        inner += [found for field in fields for extra in field.metadata for found in _models(extra)]
        if fields:
            path.append(str(part))
            models = inner or models
            continue
        narrowed = [one for one in models if _has_tag(one, str(part))]
        if narrowed:
            models = narrowed
        else:
            path.append(str(part))
    return path, models


def _has_tag(model: type[BaseModel], tag: str) -> bool:
    fields = [model.model_fields[name] for name in ("kind", "version") if name in model.model_fields]
    return any(tag in get_args(field.annotation) for field in fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
