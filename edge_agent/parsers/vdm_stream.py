"""VDM and VDO sentences of one stream → whole AIS messages: repairs of a dialect, wrappers, assembly."""

from collections import Counter

from edge_agent.parsers.ais_assembly import DEFAULT_WINDOW_S, AisAssembler, AisMessage
from edge_agent.parsers.nmea_frame import Sentence
from edge_agent.parsers.rejects import RejectLedger
from edge_agent.parsers.vdm_repairs import repair_vdm
from edge_agent.parsers.wrapper import WrapperPairing, parse_wrapper


class VdmStream:
    """Assembly of one byte stream.

    Args:
        ledger: where what is discarded is counted.
        window_s: longest time between two parts of one message, s.
        is_lenient: the malformations of the dialect ``gofree`` are repaired instead of rejected.

    Attributes:
        repaired: repairs made, by name.
    """

    def __init__(self, ledger: RejectLedger, *, window_s: float = DEFAULT_WINDOW_S, is_lenient: bool = False) -> None:
        self._assembler = AisAssembler(ledger, window_s=window_s)
        self._pairing = WrapperPairing(ledger)
        self._is_lenient = is_lenient
        self._has_wrappers = False
        self.repaired: Counter[str] = Counter()

    @property
    def wrappers(self) -> int:
        """Wrappers that were found to be of the message behind them."""
        return self._pairing.paired

    @property
    def due_ns(self) -> int | None:
        """Monotonic time from which ``take`` may give something, None if nothing waits."""
        return self._assembler.due_ns

    def add(self, sentence: Sentence, now_ns: int) -> AisMessage | None:
        """Take one VDM or VDO; return the message that it is, if it is one of one sentence."""
        if self._is_lenient:
            sentence = self._repair(sentence)
        if self._has_wrappers:
            sentence = self._pairing.pair(sentence)
        return self._assembler.add(sentence, now_ns)

    def add_wrapper(self, sentence: Sentence) -> None:
        """Take one ``$PGHP``.

        Raises:
            PeerError: reason ``bad_field``.
        """
        self._has_wrappers = True
        self._pairing.take(parse_wrapper(sentence))

    def take(self, now_ns: int) -> list[AisMessage]:
        """Return the messages of several sentences that are certain by now."""
        return self._assembler.take(now_ns)

    def close(self) -> list[AisMessage]:
        """Return what is complete and count everything that is not: the input has ended."""
        self._pairing.close()
        return self._assembler.close()

    def _repair(self, sentence: Sentence) -> Sentence:
        fields, repairs = repair_vdm(sentence.fields)
        if not repairs:
            return sentence
        self.repaired.update(repairs)
        return Sentence(fields, sentence.raw, sentence.tag)
