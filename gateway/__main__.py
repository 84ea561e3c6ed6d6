"""``python -m gateway COMMAND``.

Exit codes: 0 done, 1 a bug, 2 usage or config error, 65 the outbox was written by a newer program, 75 not possible now.
"""

import sys

import typer

from contracts.errors import ConfigError, LinkError
from gateway.cli.check_config import check_config
from gateway.cli.run import run
from gateway.cli.status import status
from gateway.outbox.database import SchemaTooNewError

EXIT_CONFIG = 2
EXIT_NEWER_DATA = 65
"""EX_DATAERR of sysexits.h: trying again does not help; the newer program has to come back."""
EXIT_TEMPORARY = 75
"""EX_TEMPFAIL of sysexits.h: a service manager may try again."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("run")(run)
app.command("status")(status)
app.command("check-config")(check_config)


def main() -> int:
    """Run one command; returns its exit code."""
    try:
        app(standalone_mode=True)
    except SchemaTooNewError as exc:
        sys.stderr.write(f"gateway: {exc}\n")
        return EXIT_NEWER_DATA
    except ConfigError as exc:
        sys.stderr.write(f"gateway: {exc}\n")
        return EXIT_CONFIG
    except LinkError as exc:
        sys.stderr.write(f"gateway: {exc}\n")
        return EXIT_TEMPORARY
    return 0


if __name__ == "__main__":
    sys.exit(main())
