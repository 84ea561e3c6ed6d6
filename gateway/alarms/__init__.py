"""Alarms that drivers have raised and not cleared, kept across restarts of drivers and gateway."""
