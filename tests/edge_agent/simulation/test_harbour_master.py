import pytest

from edge_agent.simulation.harbour_master import DEPARTURE_GAP_M, ENTRY_GAP_M, HarbourMaster, Movement


@pytest.fixture
def master() -> HarbourMaster:
    return HarbourMaster(2)


def test_two_ships_never_get_one_berth(master: HarbourMaster) -> None:
    assert master.take_berth(1, ["a", "b"]) == "a"
    assert master.take_berth(2, ["a", "b"]) == "b"
    assert master.take_berth(3, ["a", "b"]) is None
    master.leave_berth(1)
    assert master.take_berth(3, ["a", "b"]) == "a"


def test_anchor_places_run_out(master: HarbourMaster) -> None:
    assert [master.take_anchor(1), master.take_anchor(2), master.take_anchor(3)] == [0, 1, None]
    master.leave_anchor(1)
    assert master.take_anchor(3) == 0


def test_the_next_ship_waits_until_the_one_before_is_in_the_lane(master: HarbourMaster) -> None:
    assert master.clear_inbound(1, ["a"]) == "a"
    assert master.clear_inbound(2, ["b"]) is None
    master.report_inbound(1, ENTRY_GAP_M + 1)
    assert master.clear_inbound(2, ["b"]) is None
    master.report_inbound(1, ENTRY_GAP_M - 1)
    assert master.clear_inbound(2, ["b"]) == "b"


def test_no_berth_no_entry_and_nobody_is_held_up(master: HarbourMaster) -> None:
    master.take_berth(9, ["a"])
    assert master.clear_inbound(1, ["a"]) is None
    assert master.clear_inbound(2, ["b"]) == "b"


@pytest.mark.parametrize("movement", [Movement.BERTHING, Movement.UNBERTHING])
def test_nobody_lets_go_while_the_basin_is_busy(master: HarbourMaster, movement: Movement) -> None:
    master.report(1, movement)
    assert not master.clear_outbound(2)
    master.report(1, None)
    assert master.clear_outbound(2)
    assert not master.clear_outbound(3)


def test_nobody_lets_go_before_a_ship_that_is_near(master: HarbourMaster) -> None:
    master.report_inbound(1, DEPARTURE_GAP_M - 1)
    assert not master.clear_outbound(2)
    master.report_inbound(1, DEPARTURE_GAP_M + 1)
    assert master.clear_outbound(2)
