"""Subcommands of ``python -m gateway``, one file each."""
