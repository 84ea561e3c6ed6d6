import pytest

from contracts.errors import ConfigError
from edge_agent.simulation.hardware import FeedPlan, plan_hardware
from firmware_configs.hardware_profile import HardwareProfile, NmeaSource
from firmware_configs.links import TcpLink
from firmware_configs.loading import PROFILES_DIR, read_profile
from tests.support.demo_port import demo_site

COMBINED = read_profile(PROFILES_DIR / "hardware" / "port-combined.yaml", HardwareProfile)


def test_each_source_becomes_what_stands_at_its_place() -> None:
    plan = plan_hardware(COMBINED, demo_site())
    assert plan.feeds == [
        FeedPlan("ais", "ais", 38400, "ais-receiver"),
        FeedPlan("wind", "wind", None, "weather-mast"),
        FeedPlan("radar", "radar", None, "radar-tower"),
        FeedPlan("gnss", "gnss", 38400, "gnss-antenna"),
        FeedPlan("berth-text", "hooks", 9600, "norte-3"),
        FeedPlan("depth", "depth", 4800, "norte-1"),
    ]
    assert [(plc.source, plc.place, plc.kind) for plc in plan.plcs] == [
        ("sts-1", "sts-1", "crane"),
        ("sts-2", "sts-2", "crane"),
        ("sts-3", "sts-3", "crane"),
        ("sts-4", "sts-4", "crane"),
        ("berth-hooks", "norte-1", "berth"),
    ]
    (bus,) = plan.buses
    assert (bus.source, bus.baud) == ("berth-bus", 19200)
    assert [(plc.unit_id, plc.place, plc.kind) for plc in bus.plcs] == [
        (1, "norte-2", "berth"),
        (2, "tide-gauge", "tide"),
    ]
    assert plan.berths() == ["norte-1", "norte-2", "norte-3"]
    assert plan.place_of("depth") == "norte-1"


def test_what_cannot_be_told_apart_or_shared_is_refused() -> None:
    depth = next(source for source in COMBINED.sources if source.source == "depth")
    twice = [depth, depth.model_copy(update={"source": "depth-2", "place": "norte-2"})]
    with pytest.raises(ConfigError, match="several sources of depth"):
        plan_hardware(COMBINED.model_copy(update={"sources": twice}), demo_site())
    bus = next(source for source in COMBINED.sources if source.source == "berth-bus")
    tcp = bus.model_copy(update={"link": TcpLink(kind="tcp", host="127.0.0.1", port=502)})
    with pytest.raises(ConfigError, match="behind one TCP server"):
        plan_hardware(COMBINED.model_copy(update={"sources": [tcp]}), demo_site())


@pytest.mark.parametrize("place", [None, "sts-1", "tide-gauge", "nowhere"])
def test_a_source_where_nothing_can_be_simulated_is_refused(place: str | None) -> None:
    ais = COMBINED.sources[0]
    assert isinstance(ais, NmeaSource)
    profile = COMBINED.model_copy(update={"sources": [ais.model_copy(update={"place": place})]})
    with pytest.raises(ConfigError, match=r"allowed: .*weather-mast"):
        plan_hardware(profile, demo_site())


def test_a_crane_source_at_a_berth_is_refused() -> None:
    crane = next(source for source in COMBINED.sources if source.source == "sts-1").model_copy(
        update={"place": "norte-1"}
    )
    with pytest.raises(ConfigError, match="allowed: sts-1, sts-2"):
        plan_hardware(COMBINED.model_copy(update={"sources": [crane]}), demo_site())
