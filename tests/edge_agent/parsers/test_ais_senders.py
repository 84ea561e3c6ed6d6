"""Who sends: the message type and the form of the MMSI. Only a ship's MMSI makes a ship."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.mmsi import MmsiClass, mmsi_class
from contracts.payloads import AisStation
from edge_agent.parsers import ais_values
from tests.support.ais_messages import decode_fields

SHIPS = (AisStation.CLASS_A, AisStation.CLASS_B)

FORMS = [
    (219018000, MmsiClass.SHIP),
    (201000000, MmsiClass.SHIP),
    (775999999, MmsiClass.SHIP),
    (2190068, MmsiClass.COAST),
    (9990000, MmsiClass.COAST),
    (9012345, MmsiClass.ILLEGAL),
    (900123, MmsiClass.ILLEGAL),
    (21901800, MmsiClass.GROUP),
    (11901800, MmsiClass.ILLEGAL),
    (111219501, MmsiClass.SAR_AIRCRAFT),
    (112219501, MmsiClass.ILLEGAL),
    (200999999, MmsiClass.ILLEGAL),
    (776000000, MmsiClass.ILLEGAL),
    (821901800, MmsiClass.HANDHELD),
    (900000000, MmsiClass.ILLEGAL),
    (970123456, MmsiClass.SART),
    (971123456, MmsiClass.ILLEGAL),
    (972123456, MmsiClass.MOB),
    (974123456, MmsiClass.EPIRB),
    (979123456, MmsiClass.AMRD),
    (982190180, MmsiClass.AUXILIARY_CRAFT),
    (992191234, MmsiClass.ATON),
    (0, MmsiClass.ILLEGAL),
    (1234, MmsiClass.ILLEGAL),
    (2**30 - 1, MmsiClass.ILLEGAL),
]


@pytest.mark.parametrize(("mmsi", "form"), FORMS)
def test_form_of_an_mmsi(mmsi: int, form: MmsiClass) -> None:
    assert mmsi_class(mmsi) is form


@pytest.mark.parametrize(
    ("msg_type", "mmsi", "station", "form"),
    [
        (1, 219018000, AisStation.CLASS_A, None),
        (24, 219018000, AisStation.CLASS_B, None),
        (4, 219018000, AisStation.BASE, None),
        (27, 219018000, AisStation.UNKNOWN, None),
        (8, 219018000, AisStation.UNKNOWN, None),
        (1, 970123456, AisStation.SURVIVAL, "sart"),
        (1, 972123456, AisStation.SURVIVAL, "mob"),
        (14, 974123456, AisStation.SURVIVAL, "epirb"),
        (27, 972123456, AisStation.SURVIVAL, "mob"),
        (4, 2190068, AisStation.BASE, "coast"),
        (8, 2190068, AisStation.BASE, "coast"),
        (8, 992191234, AisStation.ATON, "aton"),
        (21, 992191234, AisStation.ATON, "aton"),
        (24, 992191234, AisStation.ATON, "aton"),
        (9, 111219501, AisStation.SAR_AIRCRAFT, "sar_aircraft"),
        (12, 111219501, AisStation.SAR_AIRCRAFT, "sar_aircraft"),
        (1, 111219501, AisStation.SAR_AIRCRAFT, "sar_aircraft"),
        (18, 2190068, AisStation.UNKNOWN, "coast"),
        (18, 900123, AisStation.UNKNOWN, "illegal"),
        (1, 821901800, AisStation.UNKNOWN, "handheld"),
        (18, 982190180, AisStation.UNKNOWN, "auxiliary_craft"),
        (5, 21901800, AisStation.UNKNOWN, "group"),
        (8, 0, AisStation.UNKNOWN, "illegal"),
    ],
)
def test_kind_of_sender(msg_type: int, mmsi: int, station: AisStation, form: str | None) -> None:
    assert ais_values.sender(msg_type, mmsi) == (station, form)


@given(msg_type=st.integers(1, 28), mmsi=st.integers(0, 2**30 - 1) | st.sampled_from([mmsi for mmsi, _ in FORMS]))
def test_only_a_ships_mmsi_makes_a_ship_and_every_other_form_is_labelled(msg_type: int, mmsi: int) -> None:
    station, form = ais_values.sender(msg_type, mmsi)
    is_ship = mmsi_class(mmsi) is MmsiClass.SHIP
    assert (form is None) is is_ship
    assert is_ship or station not in SHIPS


@pytest.mark.parametrize("msg_type", [1, 5, 18, 19, 24])
@pytest.mark.parametrize("mmsi", [821901800, 982190180, 972123456, 992191234, 2190068, 111219501, 900123])
def test_whole_messages_of_other_forms_are_labelled_and_no_ships(msg_type: int, mmsi: int) -> None:
    ais = decode_fields({"type": msg_type, "mmsi": mmsi, "partno": 0})
    assert ais.station not in SHIPS
    assert ais.mmsi_class == mmsi_class(mmsi).value
