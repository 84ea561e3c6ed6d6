"""Acquisition: links (I/O shells), parsers (sans-io), drivers (one folder a hardware kind) and the agent process."""
