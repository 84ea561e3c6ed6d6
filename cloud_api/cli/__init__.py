"""Subcommands of ``python -m cloud_api``, one file each."""
