from cloud_api.history.series import MAX_CACHED_REFS, ais_aspect, series_key
from contracts.payloads import Ais, Wind
from tests.support.batches import GATEWAY, SITE, position, record


def test_the_aspect_keeps_identity_apart_from_positions() -> None:
    assert ais_aspect(position(224_000_001)) == "position"
    assert ais_aspect(Ais(msg_type=5, mmsi=224_000_001, name="ALBA", to_bow_m=100)) == "static"
    assert ais_aspect(Ais(msg_type=21, mmsi=992_240_001, name="BUOY 1", lon_deg=1.0, lat_deg=2.0)) == "both"
    assert ais_aspect(Ais(msg_type=1, mmsi=224_000_001)) == "other"
    assert ais_aspect(Ais(msg_type=1, mmsi=224_000_001, lon_deg=1.0)) == "other"


def test_a_sensor_is_its_own_series() -> None:
    key = series_key(SITE, GATEWAY, record(1, Wind(speed_mps=4.0)))
    assert (key.site, key.gateway, key.source, key.kind, key.mmsi) == ("puerto-demo", "gw-1", "ais", "wind", 0)


def test_the_cache_has_a_cap() -> None:
    assert MAX_CACHED_REFS >= 3 * 20_000
