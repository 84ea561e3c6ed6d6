"""Hand-over of observations from a driver process to the gateway over a Unix socket; see docs/handover.md."""
