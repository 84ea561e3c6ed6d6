"""Serves the built control room: its page, its hashed assets and the few files beside the page.

Only files of the build are served, found by their resolved path below its folder. The page is never cached without
asking, assets for ever: their names change with their content.
"""

import asyncio
import hashlib
import re
from pathlib import Path

from aiohttp import ETag, web

from cloud_api.web.problems import ProblemError
from cloud_api.web.routing import Route

MAX_FILE_BYTES = 16 * 1024 * 1024
"""Largest file served: a hundred times the page's scripts; a bigger one is not of the build."""
IMMUTABLE = "public, max-age=31536000, immutable"

CONTENT_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
}
"""Types by suffix; not those of the operating system, which differ from host to host."""
_HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")

CONTROL_ROOM_DIR: web.AppKey[Path] = web.AppKey("control_room_dir", Path)


async def _index(request: web.Request) -> web.Response:
    return await _serve(request, "index.html")


async def _asset(request: web.Request) -> web.Response:
    return await _serve(request, f"assets/{request.match_info['name']}")


async def _beside(request: web.Request) -> web.Response:
    return await _serve(request, request.match_info["name"])


async def _serve(request: web.Request, name: str) -> web.Response:
    folder = request.app.get(CONTROL_ROOM_DIR)
    if folder is None or not (folder / "index.html").is_file():
        detail = "the control room has not been built"
        raise ProblemError(503, "control-room-missing", detail, hint="run make run, or npm run build in its folder")
    body = await asyncio.to_thread(_read, folder, name)
    suffix = Path(name).suffix
    if body is None or suffix not in CONTENT_TYPES:
        raise ProblemError(404, "", "no such file in the control room")
    etag = hashlib.blake2b(body, digest_size=16).hexdigest()
    is_immutable = name.startswith("assets/") and _HASHED.search(name) is not None
    headers = {"Cache-Control": IMMUTABLE if is_immutable else "no-cache", "ETag": f'W/"{etag}"'}
    if is_known(request, etag):
        return web.Response(status=304, headers=headers)
    charset = "utf-8" if CONTENT_TYPES[suffix].startswith("text/") else None
    return web.Response(body=body, content_type=CONTENT_TYPES[suffix], charset=charset, headers=headers)


def is_known(request: web.Request, etag: str) -> bool:
    """Tell whether the client holds the version ``etag`` already (RFC 9110, weak comparison)."""
    known: tuple[ETag, ...] = request.if_none_match or ()
    return any(tag.value in (etag, "*") for tag in known)


def _read(folder: Path, name: str) -> bytes | None:
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        # resolving follows links and "..": what is not below the folder then is not of the build
        if not path.is_relative_to(root) or not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
            return None
        return path.read_bytes()
    except (OSError, ValueError):
        return None


ROUTES = (
    Route("/", _index, "the control room", "control room", content_type="text/html", is_described=False),
    Route("/assets/{name:.+}", _asset, "its files", "control room", is_described=False),
    Route(r"/{name:[A-Za-z0-9_.-]+\.[a-z0-9]+}", _beside, "files beside its page", "control room", is_described=False),
)
