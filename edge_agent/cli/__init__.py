"""Subcommands of ``python -m edge_agent``, one file each; every module has ``main(arguments) -> exit code``."""
