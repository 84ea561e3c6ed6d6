"""Alarms at the edge: limits of the profile kept on every sample, with or without a cloud."""
