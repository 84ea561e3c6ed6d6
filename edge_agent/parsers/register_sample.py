"""From the answers of a PLC to one payload of the contracts, and when that is worth a record. Sans-io.

A tag that is out of range or no number becomes null and is counted as ``{reason}:{field}``: the reading is not
available, the sample still is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

from contracts.payloads import BerthSample, CraneSample, WaterLevel
from edge_agent.parsers.register_map import split_field
from edge_agent.parsers.register_reads import ReadBlock, plan_reads
from edge_agent.parsers.registers import Value, decode_value, width
from firmware_configs.registers import RegisterMap, Tag

Sample = CraneSample | BerthSample | WaterLevel
PAYLOADS: dict[str, type[Sample]] = {
    "crane_sample": CraneSample,
    "berth_sample": BerthSample,
    "water_level": WaterLevel,
}


class SampleDecoder:
    """Makes one payload of the answers to ``reads``.

    Args:
        register_map: a map that ``fit_map`` returned.
    """

    def __init__(self, register_map: RegisterMap) -> None:
        self._map = register_map
        self._payload = PAYLOADS[register_map.payload]
        self.reads = plan_reads(register_map.tags)
        self.rejected: Counter[str] = Counter()
        """Values that became null, by ``{reason}:{field}``; at most two keys a tag."""
        self._places = [(tag, *split_field(tag.field), self._block_of(tag)) for tag in register_map.tags]

    def decode(self, answers: Mapping[ReadBlock, Sequence[int]]) -> Sample:
        """Return the sample.

        Args:
            answers: for each block of ``reads`` its ``quantity`` registers or bits.
        """
        fields: dict[str, Value | list[float | None] | None] = {}
        for tag, name, index, block in self._places:
            start = tag.address - block.address
            words = answers[block][start : start + width(tag)]
            value, reason = decode_value(tag, self._map.word_order, words)
            if reason:
                self.rejected[f"{reason}:{tag.field}"] += 1
            if tag.unit == "count" and value is not None:
                value = int(value)
            if index is None:
                fields[name] = value
            else:
                elements = cast("list[float | None]", fields.setdefault(name, []))
                elements.extend([None] * (index + 1 - len(elements)))
                elements[index] = value
        return self._payload(**fields)  # type: ignore[arg-type]  # fit_map has compared names and units

    def _block_of(self, tag: Tag) -> ReadBlock:
        end = tag.address + width(tag)
        for block in self.reads:
            if block.table == tag.table and block.address <= tag.address and end <= block.address + block.quantity:
                return block
        raise AssertionError(f"no read covers {tag.field}")


class ChangeFilter:
    """Tells which samples are worth a record: a change of a deadband or more, or ``heartbeat_ns`` of silence.

    Args:
        register_map: gives the deadbands.
        heartbeat_ns: longest silence, ns.
    """

    def __init__(self, register_map: RegisterMap, heartbeat_ns: int) -> None:
        self._deadbands = [(*split_field(tag.field), tag.deadband) for tag in register_map.tags]
        self._heartbeat_ns = heartbeat_ns
        self._published: Sample | None = None
        self._published_at_ns = 0

    def is_due(self, sample: Sample, now_ns: int) -> bool:
        """Tell whether a sample is to be published; if so, it is what the next ones are compared with.

        Args:
            sample: the newest.
            now_ns: monotonic, ns.
        """
        last = self._published
        is_due = last is None or now_ns - self._published_at_ns >= self._heartbeat_ns or self._changed(last, sample)
        if is_due:
            self._published, self._published_at_ns = sample, now_ns
        return is_due

    def _changed(self, last: Sample, sample: Sample) -> bool:
        for name, index, deadband in self._deadbands:
            before, after = _value(last, name, index), _value(sample, name, index)
            if before is None or after is None:
                if before is not after:
                    return True
            elif before != after and abs(after - before) >= deadband:
                return True
        return False


def _value(sample: Sample, name: str, index: int | None) -> Value | None:
    value = getattr(sample, name)
    return cast("Value | None", value if index is None else value[index])
