"""Room on the disk: what comes in leaves some for the database and the logs."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import StorageFullError

__all__ = ["RESERVE", "require_space"]

#: Bytes of the disk that uploads leave free.
RESERVE = 16 * 1024 * 1024


def require_space(place: Path | int, size: int) -> None:
    """See that there is room for `size` bytes more.

    Args:
        place: A path on the disk in question, or the descriptor of a file there.
        size: Bytes.

    Raises:
        StorageFullError: There is not.
    """
    disk = os.statvfs(place)
    free = disk.f_bavail * disk.f_frsize
    if size + RESERVE > free:
        raise StorageFullError(
            f"the cloud's disk is too full: {(size >> 20) + 1} MiB are needed and {RESERVE >> 20} MiB are to "
            f"stay free, {free >> 20} MiB are free",
            hint="bento-jupyter cloud gc deletes what nobody needs",
        )
