"""``python -m cloud_api COMMAND``.

Exit codes: 0 done, 1 failed or not whole, 2 wrong usage or settings, 3 stored data is damaged. An expected error is
one line and a hint; a traceback is a bug.
"""

import sys

import typer

from cloud_api.cli import accounting, check_config, history, migrate, serve
from contracts.errors import ConfigError, IntegrityError, PortTrackError

EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_DAMAGED = 3

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command("serve")(serve.serve)
app.command("migrate")(migrate.migrate)
app.command("check-config")(check_config.check_config)
app.command("accounting")(accounting.accounting)
app.command("history")(history.history)


def main() -> None:
    """Run one command."""
    try:
        app()
    except* PortTrackError as group:
        error = _first(group)
        sys.stderr.write(f"cloud_api: {error}\n")
        if isinstance(error, ConfigError):
            sys.exit(EXIT_CONFIG)
        sys.exit(EXIT_DAMAGED if isinstance(error, IntegrityError) else EXIT_FAILED)


def _first(group: BaseExceptionGroup[PortTrackError]) -> PortTrackError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, PortTrackError):
        raise error
    return error


if __name__ == "__main__":
    main()
