import pytest

from contracts.errors import ConfigError
from edge_agent.simulation.hardware import FeedPlan, plan_hardware
from firmware_configs.hardware_profile import HardwareProfile, NmeaSource
from firmware_configs.loading import PROFILES_DIR, read_profile
from tests.support.demo_port import demo_site

COMBINED = read_profile(PROFILES_DIR / "hardware" / "port-combined.yaml", HardwareProfile)


def test_each_source_becomes_what_stands_at_its_place() -> None:
    feeds, plcs = plan_hardware(COMBINED, demo_site())
    assert feeds == [
        FeedPlan("ais", "ais", 38400),
        FeedPlan("wind", "wind", None),
        FeedPlan("radar", "radar", None),
        FeedPlan("gnss", "gnss", 38400),
        FeedPlan("depth", "depth", 4800),
    ]
    assert [(plan.source, plan.place, plan.is_crane) for plan in plcs] == [
        ("sts-1", "sts-1", True),
        ("sts-2", "sts-2", True),
        ("sts-3", "sts-3", True),
        ("sts-4", "sts-4", True),
        ("berth-hooks", "norte-1", False),
    ]


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
