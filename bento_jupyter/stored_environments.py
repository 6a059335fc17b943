"""The environments that are on the disk: how large, used when, and how one that nobody needs is deleted.

Who gets an environment (`environments.prepare`) sets the time of its marker. Who deletes one takes the
marker away first, then looks at that time: whoever came before is seen, whoever comes after finds no
environment and builds it again.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .environments import COMPLETE, try_lock
from .home import Home

__all__ = ["JUST_USED", "StoredEnvironment", "discard", "size_of", "stored_environments"]

#: Seconds after which whoever got an environment has started a process in it.
JUST_USED = 600.0


@dataclass(frozen=True)
class StoredEnvironment:
    """An environment on the disk.

    Attributes:
        key: Its content hash.
        path: Its folder.
        used_at: When somebody got it last, in seconds since the epoch; 0 = it is not finished.
    """

    key: str
    path: Path
    used_at: float

    @property
    def finished(self) -> bool:
        """False while it is built, and when its build was killed."""
        return self.used_at > 0


def stored_environments(home: Home) -> Iterator[StoredEnvironment]:
    """All environments of a home."""
    with suppress(FileNotFoundError):
        for path in home.environments.iterdir():
            if path.is_dir():
                try:
                    used_at = (path / COMPLETE).stat().st_mtime
                except FileNotFoundError:
                    used_at = 0.0
                yield StoredEnvironment(path.name, path, used_at)


def discard(environment: StoredEnvironment, *, just_used: float = JUST_USED) -> bool:
    """Delete an environment, unless it is being built or somebody has got it just now.

    That no process runs in it is for the caller to see.

    Args:
        environment: Which.
        just_used: How many seconds ago counts as just now.

    Returns:
        True when it is gone.
    """
    path = environment.path
    lock_file = path.with_name(f"{environment.key}.lock")
    lock = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not try_lock(lock):
            return False
        marker, taken = path / COMPLETE, path / f"{COMPLETE}.taken"
        with suppress(FileNotFoundError):
            os.rename(marker, taken)
            if taken.stat().st_mtime > time.time() - just_used:
                os.rename(taken, marker)
                return False
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()
    finally:
        os.close(lock)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder, or of a file; it may share them with others (uv's cache)."""
    if not folder.is_dir():
        with suppress(FileNotFoundError):
            return os.lstat(folder).st_size
        return 0
    total = 0
    for inside, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(inside, name)).st_size
    return total
