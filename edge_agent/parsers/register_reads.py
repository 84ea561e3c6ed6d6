"""Which reads a register map needs: as few requests as possible, none over the protocol's size. Sans-io.

Only addresses that touch are joined. Reading across a hole would save a request, but many PLCs answer a request that
touches an address they do not have with exception 2 for the whole of it.

*Source:* Modbus Application Protocol V1.1b3, clauses 6.1 to 6.4 (quantities of function codes 1 to 4).
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from edge_agent.parsers.registers import BIT_TABLES, width
from firmware_configs.registers import Tag

MAX_REGISTERS = 125
MAX_BITS = 2000

Table = Literal["coil", "discrete_input", "holding_register", "input_register"]


class ReadBlock(NamedTuple):
    """One request: ``quantity`` registers (1 to 125) or bits (1 to 2000) of a table from a zero-based address."""

    table: Table
    address: int
    quantity: int


def plan_reads(tags: Iterable[Tag]) -> list[ReadBlock]:
    """Return the reads that cover all tags, by table and address; a 32-bit value is never split between two.

    Args:
        tags: tags of one map, in any order; they may share registers (bits of a status word).
    """
    blocks: list[ReadBlock] = []
    for tag in sorted(tags, key=lambda tag: (tag.table, tag.address, -width(tag))):
        end = tag.address + width(tag)
        if blocks and _joins(blocks[-1], tag, end):
            last = blocks[-1]
            blocks[-1] = last._replace(quantity=max(last.quantity, end - last.address))
        else:
            blocks.append(ReadBlock(tag.table, tag.address, width(tag)))
    return blocks


def _joins(block: ReadBlock, tag: Tag, end: int) -> bool:
    limit = MAX_BITS if tag.table in BIT_TABLES else MAX_REGISTERS
    is_touching = tag.table == block.table and tag.address <= block.address + block.quantity
    return is_touching and end - block.address <= limit
