"""Benchmarks: ``make bench`` prints one JSON line a figure, with its ratio to the named peer or limit."""
