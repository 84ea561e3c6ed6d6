"""The HTTP server: route declarations, problems, limits, probes and the control room's files."""
