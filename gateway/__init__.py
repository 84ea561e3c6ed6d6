"""Device runtime: supervises the driver processes, keeps what they hand over on disk, and brings it to the cloud.

The one rule: a record leaves the disk of the gateway only when the cloud says that it has committed it. Everything
else (broker, network, sessions) may lose anything at any time.
"""
