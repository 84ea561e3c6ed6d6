"""When a batch that brokers refuse as too large is set aside. Sans-io.

One broker's limit is no reason to give a batch up: another broker of the list may take it, and it waits as a straggler
meanwhile. Set aside (on disk, its range declared) is only what every broker of the list has refused; and only while
others get through, because a broker that takes nothing at all is the broker's fault.
"""

from collections import OrderedDict

SURE = 3
"""A refusal that names the batch: a PUBACK, or a limit that the broker has announced."""
SUSPECT = 1
"""A connection that was cut for a packet too large, and this was the largest one on it: three times is no accident."""
MAX_REMEMBERED = 256
"""Batches remembered: twice the stragglers there can be; of one that is forgotten the count begins again."""


class Refusals:
    """See the module.

    Args:
        brokers: length of the list, from 1.
    """

    def __init__(self, brokers: int) -> None:
        self._brokers = brokers
        self._scores: OrderedDict[int, dict[int, int]] = OrderedDict()
        self._has_answer = False

    def note(self, batch_id: int, broker: int, weight: int) -> bool:
        """Note a refusal; True if the batch is to be set aside.

        Args:
            batch_id: which.
            broker: its place in the list.
            weight: ``SURE`` or ``SUSPECT``.
        """
        scores = self._scores.setdefault(batch_id, {})
        self._scores.move_to_end(batch_id)
        scores[broker] = scores.get(broker, 0) + weight
        while len(self._scores) > MAX_REMEMBERED:
            self._scores.popitem(last=False)
        refused_by = sum(score >= SURE for score in scores.values())
        if refused_by < self._brokers or not self._has_answer:
            return False
        self._has_answer = False
        return True

    def answered(self, batch_id: int) -> None:
        """Note that the cloud has settled a batch: others get through."""
        self._scores.pop(batch_id, None)
        self._has_answer = True
