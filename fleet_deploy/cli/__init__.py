"""Subcommands of ``python -m fleet_deploy``, one file each; every module has a typer ``app``."""
