"""Error families, by who must act.

Everything that is not one of these is a bug and may crash the task it happened in. Adapters translate foreign
exceptions at the boundary (``raise LinkError(...) from exc``).
"""


class PortTrackError(Exception):
    """Base of the four families; carries what was attempted, on what, why it failed and what to do.

    Args:
        operation: what was attempted, as a verb phrase ("decode batch").
        subject: what it was attempted on (a path, a topic, an id); never a secret.
        cause: why it failed, in plain words.
        hint: what the reader can do about it.
        reason: short snake_case word for counters (a metric label; bounded set).
    """

    def __init__(self, operation: str, subject: str, cause: str, hint: str = "", reason: str = "other") -> None:
        self.operation = operation
        self.subject = subject
        self.cause = cause
        self.hint = hint
        self.reason = reason
        text = f"{operation}: {subject}: {cause}"
        super().__init__(f"{text} ({hint})" if hint else text)


class PeerError(PortTrackError):
    """A device, gateway or broker sent something that is not what was agreed. Count it, keep a sample, go on."""


class LinkError(PortTrackError):
    """A connection, port or file could not be used now. Try again, with backoff."""


class ConfigError(PortTrackError):
    """A person must change a setting. Say file, key and allowed values; exit code 2."""


class IntegrityError(PortTrackError):
    """Stored data is not what was written. Stop using it, set it aside, alarm."""
