"""``python -m cloud_api`` without its protection: a receipt goes out before its commit, and the end waits for nothing.

For the proof that the test of the orderly end would see a loss. Takes the arguments of ``cloud_api``.
"""

import sys

from cloud_api.__main__ import main
from cloud_api.ingest.service import IngestService
from tests.support import early_receipts


async def _wait_for_nothing(_service: IngestService) -> None:
    return


if __name__ == "__main__":
    IngestService._commit = early_receipts._answer_first  # type: ignore[method-assign,assignment]
    IngestService.drain = _wait_for_nothing  # type: ignore[method-assign,assignment]
    sys.exit(main(sys.argv[1:]))
