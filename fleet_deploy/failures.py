"""What leaves a task group: one expected error as itself, everything else as it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from contracts.errors import PortTrackError


@contextmanager
def unwrapping() -> Iterator[None]:
    """Raise the first expected error of an exception group instead of the group, if it holds nothing unexpected.

    Raises:
        PortTrackError: the first of the group.
        BaseExceptionGroup: it holds something unexpected too, which is a bug and must be seen.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        expected, unexpected = group.split(PortTrackError)
        if expected is None or unexpected is not None:
            raise
        raise _first(expected) from group


def _first(group: BaseExceptionGroup[PortTrackError]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
