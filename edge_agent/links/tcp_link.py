"""A TCP server that sends sentences: a receiver, a multiplexer, a terminal server.

Silence is a fault: a half-open connection looks like a quiet sea, so that after ``silence_timeout_s`` without a byte
the connection is given up and made anew. Silence is counted from the last byte, not from the call: an owner may cancel
and repeat ``read`` as often as it likes.
"""

import asyncio
from collections import Counter
from contextlib import suppress

from contracts.errors import LinkError
from firmware_configs.links import TcpLink as TcpLinkConfig

MAX_READ_BYTES = 64 * 1024
"""The port's contract; also the limit of the stream's buffer, above which TCP itself makes the sender wait."""

CLOSE_TIMEOUT_S = 1.0
"""Longest wait for the transport to close: the peer may be gone."""


class TcpLink:
    """``Link`` over a TCP connection."""

    def __init__(self, config: TcpLinkConfig) -> None:
        self._config = config
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._heard_at_s = 0.0
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> dict[str, int]:
        """Totals: ``bytes``, ``opens``, ``silences``."""
        return dict(self._counters)

    @property
    def _peer(self) -> str:
        return f"{self._config.host}:{self._config.port}"

    async def open(self) -> None:
        """Connect within ``connect_timeout_s``.

        Raises:
            LinkError: reason ``open_failed``.
        """
        await self.close()
        config = self._config
        try:
            async with asyncio.timeout(config.connect_timeout_s):
                self._reader, self._writer = await asyncio.open_connection(
                    config.host, config.port, limit=MAX_READ_BYTES
                )
        except TimeoutError as exc:
            cause, hint = f"no answer in {config.connect_timeout_s:g} s", "is the device on and in this network?"
            raise LinkError("connect", self._peer, cause, hint, "open_failed") from exc
        except OSError as exc:
            raise LinkError(
                "connect", self._peer, exc.strerror or str(exc), "check host and port", "open_failed"
            ) from exc
        self._heard_at_s = asyncio.get_running_loop().time()
        self._counters["opens"] += 1

    async def read(self) -> bytes:
        """Wait for bytes.

        Raises:
            LinkError: reason ``closed`` (not open), ``lost`` (the peer closed or reset) or ``silent``.
        """
        if self._reader is None:
            raise LinkError("read", self._peer, "not connected", "", "closed")
        try:
            async with asyncio.timeout_at(self._heard_at_s + self._config.silence_timeout_s):
                data = await self._reader.read(MAX_READ_BYTES)
        except TimeoutError as exc:
            self._counters["silences"] += 1
            cause = f"no byte in {self._config.silence_timeout_s:g} s"
            raise LinkError("read", self._peer, cause, "is the sensor behind it alive?", "silent") from exc
        except OSError as exc:
            raise LinkError("read", self._peer, exc.strerror or str(exc), "", "lost") from exc
        if not data:
            raise LinkError("read", self._peer, "closed by the peer", "", "lost")
        self._heard_at_s = asyncio.get_running_loop().time()
        self._counters["bytes"] += len(data)
        return data

    async def close(self) -> None:
        """Close the connection; does not wait for a peer that is gone."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is None:
            return
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await writer.wait_closed()
