import pytest

from contracts.errors import ConfigError, LinkError
from fleet_deploy.failures import unwrapping

LINK = LinkError("start", "broker", "gone")


def test_an_expected_error_leaves_its_group_however_deep() -> None:
    with pytest.raises(LinkError, match="broker"), unwrapping():
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [LINK])])


def test_of_several_expected_errors_the_first_is_said() -> None:
    with pytest.raises(LinkError), unwrapping():
        raise ExceptionGroup("outer", [LINK, ConfigError("read", "x", "y")])


def test_a_bug_beside_an_expected_error_is_seen() -> None:
    """Mutation: with only the expected one raised, a bug would hide behind every broken connection."""
    with pytest.raises(ExceptionGroup) as caught, unwrapping():
        raise ExceptionGroup("outer", [LINK, KeyError("bug")])
    assert caught.value.subgroup(KeyError) is not None


def test_what_is_no_group_passes() -> None:
    with pytest.raises(KeyError), unwrapping():
        raise KeyError("bug")
