"""The broker: its configuration from the register of certificates, and the process that runs and reloads it."""
