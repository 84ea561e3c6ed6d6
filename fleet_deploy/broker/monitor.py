"""nats-server's monitoring over HTTP on loopback: ``/healthz`` and ``/jsz``."""

import asyncio

import aiohttp

from fleet_deploy.broker.watch import LOOK_TIMEOUT_S, Look


class HttpMonitor:
    """Implements ``Monitor``.

    Args:
        session: shared; closed by its owner.
        port: monitoring port on 127.0.0.1.
    """

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._base = f"http://127.0.0.1:{port}"

    async def look(self) -> Look:
        """See ``Monitor.look``."""
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                async with self._session.get(f"{self._base}/healthz") as answer:
                    is_healthy = answer.status == 200  # noqa: PLR2004 - HTTP OK
                if not is_healthy:
                    return Look(is_healthy=False)
                async with self._session.get(f"{self._base}/jsz") as answer:
                    stored = (await answer.json()).get("storage")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, AttributeError):
            return Look(is_healthy=False)
        return Look(is_healthy=True, store_bytes=stored if isinstance(stored, int) else None)
