"""What a node keeps for instances to come: environments and Bentos, each fetched once, by content."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

__all__ = [
    "COMPLETE",
    "WHOLE",
    "MissingPythonError",
    "NodeStore",
    "adopt_environment",
    "environment_key",
    "tree_key",
]

#: What follows an archive that was sent whole.
WHOLE = b"\nbento_jupyter: that was all\n"
#: Marker of a finished environment (`bento_jupyter.environments`); the name of its folder is its key.
COMPLETE = ".complete"
#: Bytes up to which the content of a file is read to tell whether it has changed.
SMALL = 2**20
#: Seconds without use after which something is deleted.
KEPT = 14 * 24 * 3600.0


class MissingPythonError(Exception):
    """A node has no Python of the version that an environment was made for."""


class NodeStore:
    """A folder on the node's disk, shared by all instances of this user there.

    What is in use is locked by those who use it, so that nobody deletes it.

    Args:
        folder: Where; made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: list[int] = []
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @classmethod
    def default(cls) -> NodeStore:
        """The one that `BENTO_JUPYTER_NODE_STORE` names, else in the user's cache."""
        named = os.environ.get("BENTO_JUPYTER_NODE_STORE")
        return cls(Path(named) if named else Path.home() / ".cache" / "bento-jupyter-node")

    def get(self, key: str, fetch: Callable[[], IO[bytes]], finish: Callable[[Path], None]) -> Path:
        """Something by its key, fetched when it is not there; it stays while this process lives.

        Args:
            key: Content hash, a name for a folder.
            fetch: Opens a stream with a tar archive.
            finish: Called with the unpacked folder, before others see it.

        Raises:
            OSError: It cannot be fetched or written.
        """
        target = self._folder / key
        lock = os.open(self._folder / f"{key}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._locks.append(lock)
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not target.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists():
                self._fetch(target, fetch, finish)
            fcntl.flock(lock, fcntl.LOCK_SH)
        os.utime(target)
        return target

    def tidy(self) -> None:
        """Delete what nobody has used for long."""
        for target in self._folder.iterdir():
            is_part = target.suffix == ".part"  # of who was killed, unless somebody has the lock
            if target.suffix == ".lock" or not (is_part or time.time() - target.stat().st_mtime > KEPT):
                continue
            lock = os.open(target.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    part = target.with_suffix(".part")
                    shutil.rmtree(part, ignore_errors=True)
                    if not is_part:
                        target.rename(part)  # half of it must not have its name, should this be killed
                        shutil.rmtree(part, ignore_errors=True)
            finally:
                os.close(lock)

    def _fetch(self, target: Path, fetch: Callable[[], IO[bytes]], finish: Callable[[Path], None]) -> None:
        part = target.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        try:
            with fetch() as stream:
                ended = _Ended(stream)
                with tarfile.open(fileobj=ended, mode="r|") as archive:  # type: ignore[call-overload]
                    # It comes from who decides what runs here.
                    trusted = {"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}
                    archive.extractall(part, **trusted)  # noqa: S202
                ended.check()
            finish(part)
            part.rename(target)
        except tarfile.TarError as error:
            raise OSError(f"what the control plane sent is not whole: {error}") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)


class _Ended:
    """A stream that can tell whether it was sent to its end: an archive may be cut between two files.

    Args:
        stream: The archive, and `WHOLE` after it.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._last = b""

    def read(self, size: int) -> bytes:
        """The next bytes."""
        piece = self._stream.read(size)
        self._last = (self._last + piece)[-len(WHOLE) :]
        return piece

    def check(self) -> None:
        """Read what is left. Raises `OSError` when the end did not come."""
        while self.read(SMALL):
            pass
        if self._last != WHOLE:
            raise OSError("what the control plane sent is not whole: it ended too early")


def environment_key(folder: Path) -> str:
    """What an environment is known by on all nodes."""
    return folder.name if (folder / COMPLETE).exists() else tree_key(folder / "lib")


def tree_key(folder: Path) -> str:
    """A digest of all files below a folder: of their content, for large ones of their size and time."""
    digest = hashlib.sha256()
    for path, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            file = Path(path, name)
            status = file.stat()
            small = status.st_size <= SMALL
            content = file.read_bytes() if small else f"{status.st_size} {status.st_mtime_ns}".encode()
            digest.update(f"{file.relative_to(folder)} {len(content)} ".encode() + content)
    return digest.hexdigest()[:24]


def adopt_environment(folder: Path, version: str, origin: str) -> None:
    """Make the files of an environment that was built elsewhere one of this machine's Python.

    Args:
        folder: Its files, without an interpreter.
        version: Of Python, e.g. "3.11".
        origin: Where it was built, as its programs' first lines say.

    Raises:
        MissingPythonError: There is no such Python here.
    """
    base = base_python(version)
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    for name in ("python", "python3", f"python{version}"):
        (binaries / name).unlink(missing_ok=True)
        (binaries / name).symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    final = folder.with_suffix("")
    for script in binaries.iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        with script.open("rb") as file:
            first, rest = file.readline(), file.read()
        if first.startswith(b"#!" + origin.encode()):
            script.write_bytes(first.replace(origin.encode(), str(final).encode(), 1) + rest)


def base_python(version: str) -> Path:
    """The Python of this version on this machine.

    Raises:
        MissingPythonError: There is none.
    """
    mine = f"{sys.version_info.major}.{sys.version_info.minor}"
    if version == mine:
        return Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    found = shutil.which(f"python{version}")
    if found is None:
        raise MissingPythonError(f"it has no Python {version}; Ray runs with {mine} there")
    return Path(found).resolve()
