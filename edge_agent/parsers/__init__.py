"""Parsers: bytes and ``now`` in, payloads out. Sans-io: no asyncio, sockets, serial ports, clocks or logging."""
