"""Subcommands of ``python -m cloud_api``, one file each; every module has ``main``, whose parameters are its options."""
