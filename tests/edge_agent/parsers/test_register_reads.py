from hypothesis import given
from hypothesis import strategies as st

from edge_agent.parsers.register_reads import MAX_BITS, MAX_REGISTERS, ReadBlock, plan_reads
from edge_agent.parsers.registers import BIT_TABLES, width
from firmware_configs.registers import Tag


def tag(table: str, address: int, kind: str) -> Tag:
    kind = "bool" if table in BIT_TABLES else kind
    return Tag.model_validate({"field": "x", "table": table, "address": address, "type": kind, "unit": "m"})


tags = st.builds(
    tag,
    st.sampled_from(["coil", "discrete_input", "holding_register", "input_register"]),
    st.integers(0, 300),
    st.sampled_from(["u16", "s32", "f32", "u32"]),
)


@given(st.lists(tags, min_size=1, max_size=64))
def test_every_tag_lies_whole_in_one_read_and_no_read_is_over_the_protocol(given_tags: list[Tag]) -> None:
    blocks = plan_reads(given_tags)
    for one in given_tags:
        end = one.address + width(one)
        assert any(
            block.table == one.table and block.address <= one.address and end <= block.address + block.quantity
            for block in blocks
        )
    for block in blocks:
        assert 1 <= block.quantity <= (MAX_BITS if block.table in BIT_TABLES else MAX_REGISTERS)


@given(st.lists(tags, min_size=1, max_size=64))
def test_no_address_is_read_that_no_tag_has(given_tags: list[Tag]) -> None:
    """A PLC refuses a whole request for one address that it does not have."""
    wanted = {(one.table, one.address + step) for one in given_tags for step in range(width(one))}
    read = {(block.table, block.address + step) for block in plan_reads(given_tags) for step in range(block.quantity)}
    assert read == wanted


def test_touching_addresses_are_one_read_and_a_hole_makes_two() -> None:
    touching = [tag("input_register", 0, "f32"), tag("input_register", 2, "u16")]
    assert plan_reads(touching) == [ReadBlock("input_register", 0, 3)]
    apart = [tag("input_register", 0, "f32"), tag("input_register", 3, "u16")]
    assert plan_reads(apart) == [ReadBlock("input_register", 0, 2), ReadBlock("input_register", 3, 1)]


def test_tables_are_read_apart() -> None:
    blocks = plan_reads([tag("input_register", 0, "u16"), tag("holding_register", 0, "u16"), tag("coil", 0, "bool")])
    assert len(blocks) == 3


def test_a_long_run_is_cut_at_125_registers_and_never_inside_a_value() -> None:
    blocks = plan_reads([tag("input_register", address, "u32") for address in range(0, 128, 2)])
    assert blocks == [ReadBlock("input_register", 0, 124), ReadBlock("input_register", 124, 4)]
