"""Continuous accounting: what a gateway produced is received, on its disk or declared lost; all else is an alarm."""
