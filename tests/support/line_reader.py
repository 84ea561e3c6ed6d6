"""Reads the InfluxDB line protocol, written from its reference and not from our writer."""

from dataclasses import dataclass

Value = float | int | bool | str


@dataclass(frozen=True)
class ReadLine:
    """What one line says."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    time_ns: int


def read_line(line: str) -> ReadLine:
    """Read one line; raises AssertionError or ValueError where it is none."""
    head, rest = _until(line, " ", has_quotes=False)
    fields_text, time_text = _until(rest, " ", has_quotes=True)
    name, *tags = _split(head, ",", has_quotes=False)
    fields = dict(_pair(item) for item in _split(fields_text, ",", has_quotes=True))
    return ReadLine(
        _plain(name), {key: _plain(value) for key, value in map(_pair, tags)},
        {key: _value(value) for key, value in fields.items()}, int(time_text),
    )  # fmt: skip


def _until(text: str, end: str, *, has_quotes: bool) -> tuple[str, str]:
    is_quoted, position = False, 0
    while position < len(text):
        letter = text[position]
        if letter == "\\":
            position += 1
        elif letter == '"' and has_quotes:
            is_quoted = not is_quoted
        elif letter == end and not is_quoted:
            return text[:position], text[position + 1 :]
        position += 1
    return text, ""


def _split(text: str, by: str, *, has_quotes: bool) -> list[str]:
    parts = []
    while text:
        part, text = _until(text, by, has_quotes=has_quotes)
        parts.append(part)
    return parts


def _pair(item: str) -> tuple[str, str]:
    key, value = _until(item, "=", has_quotes=False)
    return _plain(key), value


def _plain(text: str) -> str:
    return text.replace("\\,", ",").replace("\\=", "=").replace("\\ ", " ")


def _value(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"'):
        assert text.endswith('"'), text
        assert len(text) > 1, text
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return int(text[:-1]) if text.endswith("i") else float(text)
