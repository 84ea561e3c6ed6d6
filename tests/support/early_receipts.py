"""``python -m cloud_api`` without its protection: a receipt goes out before its commit, which is late.

For the proof that the fault matrix would see a loss. Takes the arguments of ``cloud_api``.
"""

import asyncio
import sys
from typing import Any

from cloud_api.__main__ import main
from cloud_api.ingest.judging_policy import Accepted
from cloud_api.ingest.service import IngestService

LATE_S = 0.3

_commit: Any = IngestService._commit


async def _answer_first(service: IngestService, accepted: list[tuple[Accepted, int]]) -> None:
    for item, _ in accepted:
        await service._acknowledge(item)
    await asyncio.sleep(LATE_S)
    await _commit(service, accepted)


if __name__ == "__main__":
    IngestService._commit = _answer_first  # type: ignore[method-assign,assignment]
    sys.exit(main(sys.argv[1:]))
