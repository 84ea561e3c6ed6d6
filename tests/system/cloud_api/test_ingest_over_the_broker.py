"""The store role over a real broker: receipts, duplicates, poison, and the order of commit and receipt."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from contracts.codec import digest, encode_batch
from contracts.limits import MAX_BATCH_BYTES, MAX_DECODED_BYTES
from contracts.receipt import Outcome, Receipt
from tests.support.batches import GATEWAY, SITE, STREAM, batch, gap, of_another_writer, record
from tests.support.broker import RunningBroker, running_broker
from tests.support.cloud import RunningCloud, running_cloud
from tests.support.mqtt_client import wait_for

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def cloud(tmp_path: Path, broker: RunningBroker) -> Iterator[RunningCloud]:
    with running_cloud(tmp_path, broker) as running:
        yield running


def test_a_batch_is_stored_once_and_acknowledged_each_time(cloud: RunningCloud) -> None:
    gateway = cloud.gateway(SITE, GATEWAY)
    gateway.send(batch(1, 200))
    (receipt,) = gateway.wait_receipts(1)
    assert receipt == Receipt(outcome=Outcome.COMMITTED, stream_id=STREAM, first_seq=1, last_seq=200)
    gateway.send(batch(1, 200))
    gateway.send(batch(201, 210, records=[gap(201, 210)]))
    assert [item.last_seq for item in gateway.wait_receipts(3)] == [200, 200, 210]
    (account,) = cloud.accounting()
    assert (account["received"], account["declared_gap"], account["max_seq"]) == (200, 10, 210)
    assert account["is_whole"]


def test_history_gives_back_what_was_sent_in_order(cloud: RunningCloud) -> None:
    gateway = cloud.gateway(SITE, GATEWAY)
    gateway.send(batch(21, 40))
    gateway.send(batch(1, 20))
    gateway.wait_receipts(2)
    done = cloud.command("history", "--kind", "ais", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["raw"] for line in lines] == [record(seq).raw for seq in range(1, 41)]
    assert {line["type"] for line in lines} == {"ais"}
    assert cloud.command("history", "--kind", "wind", "--json").stdout == ""


def poison_suite() -> dict[str, bytes]:
    """One payload for each reason that a gateway may be refused for."""
    compress = zstandard.ZstdCompressor().compress
    sealed = json.loads(zstandard.ZstdDecompressor().stream_reader(encode_batch(batch(1, 3))).read())
    foreign = f"{SITE}.gw-2.abcd1234.track"
    return {
        "unknown_version": compress(json.dumps(sealed | {"version": 99}).encode()),
        "too_large": b"\x00" * (MAX_BATCH_BYTES + 1),
        "bomb": compress(b" " * (MAX_DECODED_BYTES + 1)),
        "not_zstd": b"\xff\xfenot zstd at all",
        "not_a_batch": compress(b"[1, 2"),
        "foreign_stream": encode_batch(batch(1, 3, stream_id=foreign)),
        "range_mismatch": compress(json.dumps(sealed | {"last_seq": 4}).encode()),
        "wrong_class": compress(json.dumps(sealed | {"record_class": "log"}).encode()),
        "bad_range": compress(json.dumps(sealed | {"first_seq": 0}).encode()),
        "bad_id": compress(json.dumps(sealed | {"stream_id": "no such stream"}).encode()),
        "range_conflict": encode_batch(of_another_writer(batch(1002, 1004))),
        "unstorable": encode_batch(batch(5000, 5000, records=[record(5000, observed_at_ns=2**70)])),
        "number_too_large": encode_batch(batch(2**64, 2**64, records=[record(2**64, observed_at_ns=1)])),
    }


def test_poison_is_refused_by_reason_and_holds_up_nobody(cloud: RunningCloud) -> None:
    bad = cloud.gateway(SITE, GATEWAY)
    good = cloud.gateway(SITE, "gw-9")
    bad.send(batch(1001, 1003))
    bad.wait_receipts(1)
    suite = poison_suite()
    good_stream = f"{SITE}.gw-9.abcd1234.track"
    for number, data in enumerate(suite.values()):
        bad.send_bytes(data)
        good.send(batch(number * 10 + 1, number * 10 + 10, stream_id=good_stream))
    assert {receipt.outcome for receipt in good.wait_receipts(len(suite))} == {Outcome.COMMITTED}
    refused = bad.wait_receipts(len(suite) + 1)[1:]
    assert {receipt.digest: receipt.reason for receipt in refused} == {
        digest(data): reason for reason, data in suite.items()
    }
    by_reason = {receipt.reason: receipt for receipt in refused}
    assert by_reason["unknown_version"].stream_id == STREAM
    assert by_reason["foreign_stream"].stream_id == ""
    assert kept_reasons(cloud) == dict.fromkeys(suite, 1)
    assert {event["reason"] for event in cloud.events("ingest_alarm")} == {"foreign_stream", "range_conflict"}
    accounts = {account["stream_id"]: account for account in cloud.accounting()}
    assert accounts[good_stream]["is_whole"]
    assert accounts[good_stream]["received"] == 10 * len(suite)
    assert accounts[STREAM]["received"] == 3


def test_poison_sent_again_is_kept_once_and_answered_again(cloud: RunningCloud) -> None:
    gateway = cloud.gateway(SITE, GATEWAY)
    for _ in range(3):
        gateway.send_bytes(b"rubbish")
    gateway.wait_receipts(3)
    with sqlite3.connect(cloud.folder / "operations.sqlite") as connection:
        rows = connection.execute("SELECT reason, times_seen, payload FROM poison_batches").fetchall()
    connection.close()
    assert rows == [("not_zstd", 3, b"rubbish")]


def test_a_killed_cloud_loses_nothing_that_it_acknowledged(cloud: RunningCloud) -> None:
    gateway = cloud.gateway(SITE, GATEWAY)
    batches = [batch(number * 50 + 1, number * 50 + 50) for number in range(120)]
    for index, item in enumerate(batches):
        gateway.send(item)
        if index == 60:
            gateway.wait_receipts(1)
            cloud.process.kill()
            acknowledged = {receipt.first_seq for receipt in gateway.receipts()}
    cloud.start()
    (account,) = cloud.accounting()
    assert account["unbacked"] == []
    assert account["received"] >= 50 * len(acknowledged)
    for item in batches:
        gateway.send(item)
    wait_for(lambda: len({receipt.first_seq for receipt in gateway.receipts()}) == 120, "a receipt a batch", 20)
    (account,) = cloud.accounting()
    assert account["is_whole"]
    assert (account["received"], account["max_seq"]) == (6000, 6000)


def test_sigterm_answers_what_was_taken_and_ends_in_time(cloud: RunningCloud) -> None:
    gateway = cloud.gateway(SITE, GATEWAY)
    for number in range(20):
        gateway.send(batch(number * 50 + 1, number * 50 + 50))
    gateway.wait_receipts(5)
    assert cloud.process.stop() == 0
    assert cloud.events("cloud_stopped")
    assert cloud.events("cloud_step_unfinished") == []
    (account,) = cloud.accounting()
    assert account["received"] == 50 * len(gateway.receipts())


def kept_reasons(cloud: RunningCloud) -> dict[str, int]:
    connection = sqlite3.connect(cloud.folder / "operations.sqlite")
    rows = connection.execute("SELECT reason, count(*) FROM poison_batches GROUP BY 1").fetchall()
    connection.close()
    return dict(rows)
