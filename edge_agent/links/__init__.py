"""Links: the I/O shells that bring bytes from hardware; every failure is a ``LinkError``."""
