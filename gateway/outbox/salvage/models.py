"""What a salvage tells; also lies as JSON beside the files that it set aside."""

import msgspec

from gateway.outbox.salvage.ranges import Range, total


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """A damaged database: what was wrong, what was saved, what is lost.

    Attributes:
        version: of this format.
        file: name of the database file that was set aside, in the outbox's folder.
        cause: what was found wrong.
        lost: by stream id, the ranges that lay on disk and are gone: declared as gaps with reason ``damaged``.
        declared: by stream id, all ranges that were declared: the lost ones, and numbers of which the damaged pages no
            longer tell whether they had their receipt.
        saved_batches: batches carried into the new database.
        saved_records: sequence numbers that they account for.
        left_batches: whole batches for which the disk had no room; they lie in the file that was set aside.
    """

    version: int = 1
    file: str
    cause: str
    lost: dict[str, list[Range]]
    declared: dict[str, list[Range]]
    saved_batches: int
    saved_records: int
    left_batches: int = 0

    @property
    def lost_records(self) -> int:
        """How many numbers are lost."""
        return sum(total(ranges) for ranges in self.lost.values())
