"""What commands read and write, without starting anything."""

import json

import pytest

from cloud_api.cli.history import as_json
from cloud_api.cli.serve import parse_roles
from cloud_api.history.models import StoredPoint
from contracts.errors import ConfigError


@pytest.mark.parametrize("raw", ["!AIVDM,1,1,,A,x,0*00", 'quote " and \\ back', "ñ\n", None])
def test_a_json_line_is_the_payload_and_its_raw_sentence(raw: str | None) -> None:
    line = as_json(StoredPoint("s", 1, 2, "ais", None, '{"type":"ais","mmsi":1}', raw))
    assert line.count("\n") == 1
    expected = {"type": "ais", "mmsi": 1} | ({} if raw is None else {"raw": raw})
    assert json.loads(line) == expected


def test_roles_are_read_and_unknown_ones_are_named_with_those_allowed() -> None:
    assert parse_roles("store, api") == {"store", "api"}
    with pytest.raises(ConfigError, match=r"no role 'stor'.*allowed: api, store, track"):
        parse_roles("stor")
    with pytest.raises(ConfigError, match="no role given"):
        parse_roles(" , ")
