"""Files that are either the old or the new content after a crash, never half of one.

Temp file in the same folder → fsync → rename → fsync of the folder. Without the first fsync a power cut leaves an empty
file under the new name, without the second the old name comes back (eclipse-mosquitto#206 measured both).
"""

import os
import secrets
from pathlib import Path

SECRET_MODE = 0o600
"""Private keys: owner only."""
PUBLIC_MODE = 0o644


def replace_file(path: Path, data: bytes, mode: int = PUBLIC_MODE) -> None:
    """Replace ``path`` with ``data``, durably; the file has ``mode`` from its first byte on.

    Raises:
        OSError: the folder cannot be written, or the disk is full; the old content is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)  # the umask may have taken bits away that others need to read trust
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable.

    Raises:
        OSError: it cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
