"""The cloud's HTTP API (docs/http_api.md) as the demonstration asks it."""

import asyncio
from typing import Any

import aiohttp

ASK_TIMEOUT_S = 3.0
FRESH_S = 15.0
"""One and a half times the longest interval between reports of a ship under way (ITU-R M.1371-5 table 1: 10 s)."""


class HttpCloud:
    """Implements ``Cloud``.

    Args:
        session: shared; closed by its owner.
        base: address without a slash at its end.
    """

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def is_ready(self) -> bool:
        """See ``Cloud``."""
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S), self._session.get(f"{self._base}/readyz") as answer:
                return answer.status == 200  # noqa: PLR2004 - HTTP OK
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def fresh_vessels(self) -> int:
        """See ``Cloud``."""
        items = await self._items("/api/v1/vessels")
        return sum(isinstance(age := item.get("age_s"), int | float) and age < FRESH_S for item in items)

    async def online_gateways(self) -> set[str]:
        """See ``Cloud``."""
        items = await self._items("/api/v1/gateways")
        return {str(item.get("gateway")) for item in items if item.get("is_online") is True}

    async def _items(self, path: str) -> list[dict[str, Any]]:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S), self._session.get(f"{self._base}{path}") as answer:
                content = await answer.json()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return []
        items = content.get("items") if isinstance(content, dict) else None
        return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
