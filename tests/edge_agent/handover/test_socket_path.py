"""Sockets below deep folders: reached all the same."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.handover.socket_path import MAX_PATH_BYTES, short_path


def deep_socket(tmp_path: Path) -> Path:
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    folder.mkdir(parents=True)
    return folder / "handover.sock"


async def greet(path: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        return await asyncio.wait_for(reader.read(5), 5)
    finally:
        writer.close()
        await writer.wait_closed()


async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    writer.close()


async def test_a_socket_in_a_deep_folder_is_bound_and_reached(tmp_path: Path) -> None:
    path = deep_socket(tmp_path)
    with short_path(path) as address:
        server = await asyncio.start_unix_server(answer, address)
    async with server:
        assert path.is_socket()
        with short_path(path) as address:
            assert await greet(address) == b"hello"


async def test_without_it_the_kernel_refuses_the_path(tmp_path: Path) -> None:
    """Mutation proof: the same path, given as it is."""
    with pytest.raises(OSError, match="too long"):
        await asyncio.start_unix_server(answer, deep_socket(tmp_path))


def test_a_short_path_is_left_alone() -> None:
    path = Path("/run/porttrack/handover.sock")
    assert len(str(path)) <= MAX_PATH_BYTES
    with short_path(path) as address:
        assert address == path
