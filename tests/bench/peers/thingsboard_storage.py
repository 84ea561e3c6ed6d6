"""ThingsBoard gateway's SQLite storage alone, driven as its service drives it, as fast as it goes.

Run by the peer's Python: ``python thingsboard_storage.py FOLDER FILE ROWS``; FILE has one stored message a line, ROWS
is ``max_read_records_count``. Prints one JSON object.

``put`` and its writer thread on one side; on the other the loop of ``tb_gateway_service.py``
(``__read_data_from_storage``): a pack, JSON decoded and gathered by device, "published" at once, then
``event_pack_processing_done``, which deletes it. The other settings are those of ``storage_settings.py``.
"""

import json
import logging
import sys
import threading
import time
from pathlib import Path

from simplejson import loads  # type: ignore[import-untyped] # the peer's own choice
from thingsboard_gateway.storage.sqlite.sqlite_event_storage import SQLiteEventStorage

EMPTY_WAIT_S = 0.05
"""``minPackSendDelayMS`` of the configuration that it is shipped with."""


def main() -> None:
    folder, messages = Path(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
    settings = {"data_file_path": f"{folder}/", "max_read_records_count": int(sys.argv[3])}
    logging.addLevelName(5, "TRACE")
    logger = logging.getLogger("storage")
    logger.trace = lambda *_arguments, **_more: None  # type: ignore[attr-defined] # its own logger class has it
    logger.setLevel(logging.WARNING)
    storage = SQLiteEventStorage(settings, logger, threading.Event())
    began_at, written_before = time.monotonic(), _written_bytes()
    threading.Thread(target=_fill, args=(storage, messages), name="storage fill", daemon=True).start()
    done = packs = 0
    while done < len(messages):
        events = storage.get_event_pack()
        if not events:
            time.sleep(EMPTY_WAIT_S)
            continue
        gathered: dict[str, list[object]] = {}
        for event in events:
            decoded = loads(event)
            gathered.setdefault(decoded["deviceName"], []).extend(decoded["telemetry"])
        storage.event_pack_processing_done()
        done += len(events)
        packs += 1
    took_s = time.monotonic() - began_at
    written = _written_bytes() - written_before
    sys.stdout.write(json.dumps({"records": done, "packs": packs, "took_s": took_s, "written_bytes": written}) + "\n")
    sys.stdout.flush()


def _fill(storage: SQLiteEventStorage, messages: list[str]) -> None:
    for message in messages:
        storage.put(message)


def _written_bytes() -> int:
    """Return the bytes this process has sent to the disk.

    *Source:* proc(5), /proc/PID/io, write_bytes.
    """
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


if __name__ == "__main__":
    main()
