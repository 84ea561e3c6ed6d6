"""``python -m cloud_api COMMAND``. Commands are loaded one by one: a ledger check need not load a web server.

Exit codes: 0 done, 1 failed or not whole, 2 wrong usage or settings, 3 stored data is damaged. An expected error is
one line and a hint; a traceback is a bug.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import typer

from contracts.errors import ConfigError, IntegrityError, PortTrackError

EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_DAMAGED = 3
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("cloud_api.cli.serve", "run roles of the cloud until SIGTERM"),
    "check-config": ("cloud_api.cli.check_config", "say whether serve could start with these settings"),
    "settings": ("cloud_api.cli.settings", "every key that a settings file may hold"),
    "migrate": ("cloud_api.cli.migrate", "bring the operations database to a revision of its schema"),
    "accounting": ("cloud_api.cli.accounting", "check received + declared gaps = 1..max seq for each stream"),
    "write-off": ("cloud_api.cli.write_off", "declare numbers of a stream lost that nobody will ever bring"),
    "history": ("cloud_api.cli.history", "write everything that is stored, in order"),
}


def main(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: command line without the program's name.

    Returns:
        Its exit code.

    Raises:
        SystemExit: with the exit code of a command that ended otherwise than by returning.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write("usage: python -m cloud_api COMMAND [--help]\n\n")
        for name, (_, text) in COMMANDS.items():
            sys.stdout.write(f"  {name:13} {text}\n")
        return 0 if arguments else EXIT_CONFIG
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"cloud_api: no command {arguments[0]!r}; one of: {', '.join(COMMANDS)}\n")
        return EXIT_CONFIG
    try:
        _run(arguments[0], arguments[1:])
    except* PortTrackError as group:
        error = _first(group)
        sys.stderr.write(f"cloud_api: {error}\n")
        code = EXIT_DAMAGED if isinstance(error, IntegrityError) else EXIT_FAILED
        sys.exit(EXIT_CONFIG if isinstance(error, ConfigError) else code)
    return 0


def _run(name: str, arguments: list[str]) -> None:
    command = cast("Callable[..., Any]", import_module(COMMANDS[name][0]).main)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command(name)(command)
    app(args=arguments, prog_name=f"python -m cloud_api {name}")


def _first(group: BaseExceptionGroup[PortTrackError]) -> PortTrackError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, PortTrackError):
        raise error
    return error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
