"""How old a stored record surely is, whatever the clocks have done since. Sans-io.

Within one boot the monotonic clock tells it. A record of an earlier boot has only its UTC: it is compared with the
lowest UTC that this boot has believed in, carried on by the monotonic clock, and only once the clock has been believed
for ``SETTLE_S``. A step forward (a battery clock that says 2099, a receiver gone mad) leaves the lowest as it was; a
step back lowers it. So a step can make a record look younger, never older, and nothing expires by it.
"""

SETTLE_S = 600.0
"""A board starts by its battery clock and asks the network a minute later; by then a wrong battery clock is known."""


class AgePolicy:
    """Ages by what this boot knows.

    Args:
        boot_id: of this boot.
    """

    def __init__(self, boot_id: str) -> None:
        self._boot_id = boot_id
        self._believed_since_s: float | None = None
        self._lowest_offset_ns: int | None = None

    def note(self, mono_s: float, wall_ns: int, *, is_believed: bool) -> None:
        """Take note of both clocks.

        Args:
            mono_s: monotonic clock, s.
            wall_ns: UTC ns.
            is_believed: it is steered by something.
        """
        if not is_believed:
            self._believed_since_s = None
            return
        if self._believed_since_s is None:
            self._believed_since_s = mono_s
        offset_ns = wall_ns - int(mono_s * 1e9)
        if self._lowest_offset_ns is None or offset_ns < self._lowest_offset_ns:
            self._lowest_offset_ns = offset_ns

    def age_s(self, mono_s: float, at_ns: int, mono_ns: int, boot_id: str, *, is_time_known: bool) -> float | None:
        """Return the age of a record, s; None where it is not known for certain.

        Args:
            mono_s: monotonic clock now, s.
            at_ns: UTC ns of the record by the clock of its time.
            mono_ns: monotonic clock of its time, ns.
            boot_id: boot that this counts in.
            is_time_known: the clock of its time could be believed.
        """
        if boot_id == self._boot_id:
            return max(0.0, mono_s - mono_ns / 1e9)
        since, offset_ns = self._believed_since_s, self._lowest_offset_ns
        if not is_time_known or since is None or offset_ns is None or mono_s - since < SETTLE_S:
            return None
        return max(0.0, (int(mono_s * 1e9) + offset_ns - at_ns) / 1e9)
