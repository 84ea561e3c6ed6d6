from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from contracts.errors import ConfigError
from firmware_configs.base import Id, Profile
from firmware_configs.device import DeviceProfile
from firmware_configs.explain import MAX_SHOWN, explain, problems
from firmware_configs.hardware_profile import HardwareProfile, Source
from firmware_configs.registers import RegisterMap
from firmware_configs.site import SiteProfile


class Cat(Profile):
    kind: Literal["cat"]
    lives: int = Field(default=9, le=9)


class Dog(Profile):
    kind: Literal["dog"]
    name: Id
    toys: list[Literal["ball", "bone"]] = Field(default_factory=list)


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Room(Profile):
    schema_version: Literal[1] = Field(alias="schema")
    pets: list[Pet] = Field(default_factory=list)
    by_name: dict[str, Pet] = Field(default_factory=dict)
    guest: Cat | None = None
    chair: tuple[int, int] = (0, 0)


def said(values: object, prefix: str = "", model: type[BaseModel] = Room) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return explain(caught.value, model, prefix).splitlines()


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"schema": 1, "pet": []}, "pet: unknown key; allowed: by_name, chair, guest, pets, schema"),
        ({}, "schema: is missing"),
        ({"schema": 2}, "schema: 2 is not allowed; allowed: 1"),
        ({"schema": 1, "pets": [{"kind": "cow"}]}, "pets[0].kind: 'cow' is not allowed; allowed: cat, dog"),
        ({"schema": 1, "pets": [{"lives": 1}]}, "pets[0].kind: is missing; allowed: cat, dog"),
        (
            {"schema": 1, "pets": [{"kind": "cat"}, {"kind": "dog", "name": "a", "age": 3}]},
            "pets[1].age: unknown key; allowed: kind, name, toys",
        ),
        (
            {"schema": 1, "pets": [{"kind": "dog", "name": "a", "toys": ["ball", "car"]}]},
            "pets[0].toys[1]: 'car' is not allowed; allowed: 'ball' or 'bone'",
        ),
        (
            {"schema": 1, "by_name": {"tom": {"kind": "cat", "x": 1}}},
            "by_name.tom.x: unknown key; allowed: kind, lives",
        ),
        ({"schema": 1, "guest": {"kind": "cat", "x": 1}}, "guest.x: unknown key; allowed: kind, lives"),
        (
            {"schema": 1, "pets": [{"kind": "dog", "name": "A b"}]},
            "pets[0].name: 'A b' is not allowed; allowed: ^[a-z0-9-]{1,40}$",
        ),
        (
            {"schema": 1, "guest": {"kind": "cat", "lives": 10}},
            "guest.lives: Input should be less than or equal to 9, got 10",
        ),
    ],
)
def test_a_line_gives_path_problem_and_what_is_allowed(values: object, line: str) -> None:
    assert said(values) == [line]


def test_a_key_that_is_also_a_tag_is_a_key() -> None:
    """A dictionary key "cat" is part of the path, though it is the tag of a union member too."""
    (line,) = said({"schema": 1, "by_name": {"cat": {"kind": "cat", "x": 1}}})
    assert line.endswith("x: unknown key; allowed: kind, lives")


def test_a_prefix_places_a_part_in_its_file() -> None:
    adapter: TypeAdapter[object] = TypeAdapter(Pet)
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python({"kind": "dog"})
    assert explain(caught.value, Pet, "sources.rex") == "sources.rex.name: is missing"


def test_a_pasted_secret_is_not_repeated_whole() -> None:
    (line,) = said({"schema": 1, "guest": {"kind": "cat", "lives": "s" * 500}})
    assert len(line) < MAX_SHOWN + 150


def test_the_whole_file_can_be_wrong() -> None:
    assert said([])[0].startswith("(whole file): ")


def test_each_line_names_its_file_and_the_last_one_the_hint() -> None:
    error = ConfigError("check", "a.yaml", "x: bad\ny: worse", "mend it", "invalid")
    assert problems(error) == ["a.yaml: x: bad", "a.yaml: y: worse (mend it)"]


def test_an_error_without_cause_is_still_a_line() -> None:
    assert problems(ConfigError("check", "a.yaml", "")) == ["a.yaml: "]


words = st.sampled_from(["schema", "kind", "driver", "serial", "nmea", "sources", "link", "device", "cat", "", "ñ"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5), max_leaves=20
)


@given(anything)
def test_any_content_of_any_profile_gives_a_value_or_lines(content: object) -> None:
    models: list[type[BaseModel]] = [DeviceProfile, HardwareProfile, SiteProfile, RegisterMap, Room]
    for model in models:
        try:
            model.model_validate(content)
        except ValidationError as error:
            lines = explain(error, model).splitlines()
            assert lines
            assert all(": " in line for line in lines)


@given(anything)
def test_any_change_of_a_source_gives_a_value_or_lines(content: object) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(Source)
    for values in (content, {"driver": "nmea", "link": content}, {"driver": "berth", "registers": content}):
        lines: list[str] = []
        try:
            adapter.validate_python(values)
        except ValidationError as error:
            lines = explain(error, Source, "sources.x").splitlines()
        assert all(line.startswith("sources.x") for line in lines)
