from cloud_api.operations.vessel_store import MAX_PENDING, VesselIdentities
from contracts.payloads import Ais, AisStation
from tests.support.batches import position

MMSI = 224_000_001


def test_an_identity_is_put_together_from_its_parts() -> None:
    identities = VesselIdentities()
    identities.hear(Ais(msg_type=24, mmsi=MMSI, name="ALBA"), 1)
    identities.hear(Ais(msg_type=24, mmsi=MMSI, callsign="EA123", ship_type=37), 2)
    assert identities.due() == {MMSI: ({"name": "ALBA", "callsign": "EA123", "ship_type": 37}, 2)}


def test_what_is_known_is_not_written_again() -> None:
    identities = VesselIdentities()
    identities.hear(Ais(msg_type=5, mmsi=MMSI, name="ALBA"), 1)
    identities.written(identities.due())
    identities.hear(Ais(msg_type=5, mmsi=MMSI, name="ALBA"), 2)
    assert identities.due() == {}
    identities.hear(Ais(msg_type=5, mmsi=MMSI, name="NEW NAME"), 3)
    assert identities.due() == {MMSI: ({"name": "NEW NAME"}, 3)}


def test_a_position_has_no_identity_and_no_mmsi_is_no_vessel() -> None:
    identities = VesselIdentities()
    identities.hear(position(MMSI), 1)
    identities.hear(Ais(msg_type=5, mmsi=2**40, name="GHOST"), 1)
    assert identities.due() == {}


def test_only_ships_have_an_identity() -> None:
    identities = VesselIdentities()
    identities.hear(Ais(msg_type=21, mmsi=992_240_001, station=AisStation.ATON, name="BUOY 1"), 1)
    identities.hear(Ais(msg_type=24, mmsi=972_123_456, station=AisStation.SURVIVAL, name="MOB"), 1)
    identities.hear(Ais(msg_type=24, mmsi=982_240_001, name="TENDER"), 1)
    assert identities.due() == {}


def test_the_pending_identities_have_a_cap() -> None:
    identities = VesselIdentities()
    for number in range(MAX_PENDING + 5):
        identities.hear(Ais(msg_type=5, mmsi=MMSI + number, name="ALBA"), number)
    assert len(identities.due()) == MAX_PENDING
    assert identities.dropped == 5
