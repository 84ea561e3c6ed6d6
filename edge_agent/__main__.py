"""``python -m edge_agent COMMAND``. Commands are loaded one by one: a driver process carries only what it runs."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import cast

COMMANDS: dict[str, tuple[str, str]] = {
    "decode": ("edge_agent.cli.decode", "read a log of sentences, write one JSON record a line"),
    "probe": ("edge_agent.cli.probe", "find out the rate of a serial port and what arrives there"),
    "record": ("edge_agent.cli.record", "write what a link receives to a file, each line with its arrival time"),
    "replay": ("edge_agent.cli.replay", "play a recording as a pseudo-terminal, TCP server or datagrams"),
    "run": ("edge_agent.cli.run", "run one driver and hand its records to the gateway"),
    "simulate": ("edge_agent.cli.simulate", "run the demonstration hardware of a site as real endpoints"),
}
EXIT_USAGE = 2


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit code (2: usage or config error)."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write("usage: python -m edge_agent COMMAND [--help]\n\n")
        for name, (_, text) in COMMANDS.items():
            sys.stdout.write(f"  {name:10} {text}\n")
        return 0 if arguments else EXIT_USAGE
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"edge_agent: no command {arguments[0]!r}; one of: {', '.join(COMMANDS)}\n")
        return EXIT_USAGE
    command = cast("Callable[[list[str]], int]", import_module(COMMANDS[arguments[0]][0]).main)
    return command(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
