"""Drivers: one folder a hardware kind (driver, channels, README)."""
