"""The published language of PortTrack: what a gateway and a cloud say to each other.

A leaf of the import graph: standard library, msgspec and zstandard only; no I/O and no clock. Strict about what it
sends, tolerant of what it receives: unknown fields of a known wire version are ignored, so that an older program
reads a newer peer.
"""
