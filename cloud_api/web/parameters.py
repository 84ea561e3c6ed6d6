"""Parameters of a request, validated by a pydantic model; what cannot be used is a 400 that says what could.

Models declare parameters as the text that they are in a URL. Nothing is guessed: a repeated or unknown parameter is an
error, and numbers and times have one spelling.
"""

import re
from datetime import datetime
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    WithJsonSchema,
)

from cloud_api.timestamps import to_ns
from cloud_api.web.problems import ParameterFault, ProblemError

MAX_TIME_NS = 2**63 - 1
"""End of the 64-bit nanoseconds that stores count in: the year 2262."""
MIN_NS_DIGITS = 16
"""A number of fewer digits is seconds, milliseconds or microseconds since 1970, taken for nanoseconds by mistake."""
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_NANOSECONDS = re.compile(rf"[0-9]{{{MIN_NS_DIGITS},19}}")

Model = TypeVar("Model", bound=BaseModel)


class Parameters(BaseModel):
    """Base of all parameter models: unknown parameters are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _check_integer(value: object) -> object:
    if isinstance(value, str) and _INTEGER.fullmatch(value) is None:
        msg = "is not a whole number"
        raise ValueError(msg)
    return value


def _check_time(value: object) -> object:
    if isinstance(value, str) and _TIME.fullmatch(value) is None:
        msg = "is not an RFC 3339 time; write a + of its offset as %2B" if " " in value else "is not an RFC 3339 time"
        raise ValueError(msg)
    return value


def _check_time_range(value: datetime) -> datetime:
    if not 0 <= to_ns(value) <= MAX_TIME_NS:
        msg = "lies outside 1970 to 2262"
        raise ValueError(msg)
    return value


Whole = Annotated[int, BeforeValidator(_check_integer)]
"""A whole number, digits only."""
UtcTime = Annotated[AwareDatetime, BeforeValidator(_check_time), AfterValidator(_check_time_range)]
"""An RFC 3339 time with its offset, 1970 to 2262."""


def _to_time_ns(value: object) -> object:
    if not isinstance(value, str):
        return value
    if _NANOSECONDS.fullmatch(value):
        at_ns = int(value)
    elif value.isdecimal():
        msg = f"is a number of fewer than {MIN_NS_DIGITS} digits: write nanoseconds since 1970, or an RFC 3339 time"
        raise ValueError(msg)
    else:
        _check_time(value)
        fraction = re.search(r"\.([0-9]+)", value)
        whole = value.upper().replace(fraction.group(), "") if fraction else value.upper()
        try:
            at_ns = to_ns(datetime.fromisoformat(whole)) + (int(fraction.group(1).ljust(9, "0")) if fraction else 0)
        except ValueError as exc:
            msg = "is a day or an hour that there is not"
            raise ValueError(msg) from exc
    if not 0 <= at_ns <= MAX_TIME_NS:
        msg = "lies outside 1970 to 2262"
        raise ValueError(msg)
    return at_ns


_TIME_NS_SCHEMA = {"type": "string", "pattern": f"^({_NANOSECONDS.pattern}|{_TIME.pattern})$"}
TimeNs = Annotated[int, BeforeValidator(_to_time_ns), WithJsonSchema(_TIME_NS_SCHEMA)]
"""A time to the nanosecond, UTC ns since 1970: RFC 3339 with up to nine digits, or the number itself."""


def parameter_problem(parameter: str, detail: str, allowed: str) -> ProblemError:
    """Return the 400 that says why one parameter cannot be used, and what could.

    Args:
        parameter: its name.
        detail: what is wrong with it.
        allowed: what would be allowed.
    """
    return _bad_parameters([ParameterFault(parameter=parameter, detail=detail, allowed=allowed)])


def read_query(request: web.Request, model: type[Model]) -> Model:
    """Return the query of a request.

    Raises:
        ProblemError: 400, naming each parameter that cannot be used and what would be allowed.
    """
    repeated = [name for name in request.query if len(request.query.getall(name)) > 1]
    if repeated:
        faults = [ParameterFault(parameter=name, detail="is given more than once", allowed="once") for name in repeated]
        raise _bad_parameters(faults[:1])
    return _validate(dict(request.query), model)


def read_path(request: web.Request, model: type[Model]) -> Model:
    """Return the parameters in the path of a request.

    Raises:
        ProblemError: as ``read_query``.
    """
    return _validate(dict(request.match_info), model)


def _validate(values: dict[str, str], model: type[Model]) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        schema = model.model_json_schema()["properties"]
        raise _bad_parameters([_fault(dict(error), schema) for error in exc.errors()]) from exc


def _fault(error: dict[str, Any], schema: dict[str, Any]) -> ParameterFault:
    detail = str(error["msg"]).removeprefix("Value error, ")
    # a rule between parameters has no place of its own: it names them in its message
    named = [name for name in schema if name in detail.split()]
    name = str(error["loc"][0]) if error["loc"] else ", ".join(named or schema)
    if error["type"] == "extra_forbidden":
        known = ", ".join(schema) or "none"
        return ParameterFault(parameter=name[:60], detail="is not a parameter of this route", allowed=known)
    return ParameterFault(parameter=name, detail=detail, allowed=_allowed(schema.get(name, {})))


def _allowed(schema: dict[str, Any]) -> str:
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    option = options[0] if options else schema
    if "enum" in option:
        return " or ".join(str(value) for value in option["enum"])
    words = [
        str(schema.get("description") or option.get("format") or option.get("type", "see the route's description"))
    ]
    if "minimum" in option and "maximum" in option:
        words.append(f"{option['minimum']} to {option['maximum']}")
    return ", ".join(words)


def _bad_parameters(faults: list[ParameterFault]) -> ProblemError:
    detail = "; ".join(f"{fault.parameter}: {fault.detail}" for fault in faults)
    hint = "; ".join(f"{fault.parameter}: {fault.allowed}" for fault in faults)
    return ProblemError(400, "invalid-parameter", detail, hint=f"allowed: {hint}", errors=faults)
