import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_configs.yaml_text import parse_yaml


def test_a_mapping_is_read() -> None:
    assert parse_yaml("a: 1\nb: {c: [x, é]}\n".encode()) == {"a": 1, "b": {"c": ["x", "é"]}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3, column 1: key 'a' is given twice"),
        (b"a: &x {b: 1}\nc: *x\n", "line 2, column 4: aliases"),
        (b"1: a\n", "key '1' is not text"),
        (b"on: a\n", "key 'on' is not text; write it in quotes"),
        (b"[a]: b\n", "is not text"),
        (b"a: [1\n", "line 2"),
        (b"- a\n", "not a mapping"),
        (b"", "not a mapping"),
        (b"a: 1\n---\nb: 2\n", "another document"),
        (b"a: !!python/object:os.system x\n", "could not determine a constructor"),
        (b"\xff\xfe\xfa", ""),
        (b"a: \x00\n", ""),
        (b"a: 2026-99-99\n", "month"),
        (b"{a: " * 3000 + b"b" + b"}" * 3000, "nested too deep"),
    ],
)
def test_what_is_not_a_profile_is_refused_in_one_line(text: bytes, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - what it says is checked below
        parse_yaml(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_mapping_or_one_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_yaml(data), dict)


@given(st.text(alphabet="ab:{}[]&*!-#'\"\n 1,?|>%@", max_size=80))
def test_any_yaml_like_text_gives_a_mapping_or_one_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_yaml(text.encode()), dict)
