"""The demonstration port: every part of PortTrack as a real process on this machine. What `make run` runs."""
