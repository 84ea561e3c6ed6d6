"""Golden samples of every released wire version: they must decode for ever, to the same values.

``wire_v1/*.json`` is what was sent, ``wire_v1/*.zst`` the bytes as a gateway of that version made them.
"""

import json
from pathlib import Path

import msgspec
import pytest
import zstandard

from contracts.batch import Batch
from contracts.codec import decode_batch, decode_message, encode_message
from contracts.commands import Command, CommandResult
from contracts.health import GatewayStatus
from contracts.payloads import Payload
from contracts.receipt import Receipt

SAMPLES = Path(__file__).parent / "wire_v1"
MESSAGES: dict[str, type[msgspec.Struct]] = {
    "receipt_committed": Receipt,
    "receipt_refused": Receipt,
    "command": Command,
    "result": CommandResult,
    "status": GatewayStatus,
}


def batches() -> list[Path]:
    return sorted(SAMPLES.glob("batch_*.zst"))


@pytest.mark.parametrize("path", batches(), ids=lambda path: path.stem)
def test_a_stored_batch_decodes_to_its_values(path: Path) -> None:
    expected = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Batch)
    assert decode_batch(path.read_bytes()) == expected


def test_the_samples_hold_every_payload() -> None:
    names = {kind.__struct_config__.tag for kind in Payload.__args__}
    held = {record["payload"]["type"] for path in SAMPLES.glob("batch_*.json")
            for record in json.loads(path.read_text())["records"]}  # fmt: skip
    assert held == names


@pytest.mark.parametrize("name", MESSAGES)
def test_a_stored_message_decodes_and_encodes_to_the_same_bytes(name: str) -> None:
    stored = (SAMPLES / f"{name}.json").read_bytes()
    assert encode_message(decode_message(stored, MESSAGES[name])) == stored


def test_a_changed_field_is_noticed() -> None:
    """Mutation proof: a sample read with a renamed field is not what was sent."""
    path = batches()[0]
    text = zstandard.decompress(path.read_bytes()).replace(b'"observed_at_ns"', b'"observed_ns"')
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Batch)
