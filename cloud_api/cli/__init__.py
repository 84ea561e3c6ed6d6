"""Subcommands of ``python -m cloud_api``, one file each.

Every module has ``main``, whose parameters are its options.
"""
