"""``python -m fleet_deploy COMMAND``. Commands are loaded one by one, so that ``--help`` needs none of their libraries.

Exit codes: 0 done, 1 it did not work (the reason is one line on stderr), 2 usage or settings, 130 interrupted.
An unexpected error is a bug: it shows its traceback.
"""

import sys
from importlib import import_module

import typer

from contracts.errors import ConfigError, PortTrackError

COMMANDS: dict[str, tuple[str, str]] = {
    "ca": ("fleet_deploy.cli.ca", "make a certificate authority, issue and revoke certificates"),
    "broker": ("fleet_deploy.cli.broker", "write the broker's configuration from the certificates, and run it"),
    "demo": ("fleet_deploy.cli.demo", "run a whole demonstration port on this machine"),
}
EXIT_FAILED = 1
EXIT_USAGE = 2


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write("usage: python -m fleet_deploy COMMAND [--help]\n\n")
        for name, (_, text) in COMMANDS.items():
            sys.stdout.write(f"  {name:10} {text}\n")
        return 0 if arguments else EXIT_USAGE
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"fleet_deploy: no command {arguments[0]!r}; one of: {', '.join(COMMANDS)}\n")
        return EXIT_USAGE
    app: typer.Typer = import_module(COMMANDS[arguments[0]][0]).app
    try:
        app(args=arguments[1:], prog_name=f"python -m fleet_deploy {arguments[0]}", standalone_mode=True)
    except PortTrackError as exc:
        sys.stderr.write(f"fleet_deploy {arguments[0]}: {exc}\n")
        return EXIT_USAGE if isinstance(exc, ConfigError) else EXIT_FAILED
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
