"""Folders as archives: one folder always gives the same tar archive, byte for byte, and so the same digest.

What was handed over as a folder is kept as one; its digest is that of the archive it would be.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import InvalidRequestError
from .unpacking import CHUNK, copy_range, make_links

__all__ = ["Packed", "archive_of", "copy_folder", "describe"]


@dataclass(frozen=True)
class Packed:
    """A folder as an archive.

    Attributes:
        digest: SHA-256 (hex) of the archive.
        size_bytes: Its size.
    """

    digest: str
    size_bytes: int


@dataclass(frozen=True)
class _Entry:
    name: str
    kind: bytes
    size: int = 0
    mtime: int = 0
    mode: int = 0o700
    link: str = ""
    identity: tuple[int, int] = (0, 0)

    @property
    def header(self) -> bytes:
        info = tarfile.TarInfo(f"./{self.name}")
        info.type, info.size, info.mtime, info.mode = self.kind, self.size, self.mtime, self.mode
        info.linkname = self.link
        return info.tobuf(tarfile.PAX_FORMAT)


def archive_of(folder: Path, *, without: str = "") -> Iterator[bytes]:
    """The archive of a folder, in pieces.

    Args:
        folder: The folder.
        without: Name of a folder right below it that does not belong to the archive.

    Raises:
        InvalidRequestError: Something else than files, folders and links is in it.
    """
    size = 0
    for entry in _scan(folder, without):
        yield entry.header
        if entry.size:
            with (folder / entry.name).open("rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
        size += _blocks(entry)
    yield bytes(_end(size))


def describe(folder: Path, *, without: str = "") -> Packed:
    """Digest and size of the archive of a folder."""
    digest, size = hashlib.sha256(), 0
    for chunk in archive_of(folder, without=without):
        digest.update(chunk)
        size += len(chunk)
    return Packed(digest.hexdigest(), size)


def copy_folder(source: Path, target: Path, *, without: str = "") -> Packed:
    """Copy a folder of this user, and hash the copy meanwhile.

    Blocks are shared with the source where the file system can. Only regular files of this user, folders
    and links that stay inside are taken, and no link is followed on the way.

    Args:
        source: The folder.
        target: An empty folder.
        without: Name of a folder right below it that is left out.

    Raises:
        InvalidRequestError: There is something else in it, with its name; or it changes meanwhile.
        OSError: The disk refuses.
    """
    entries = _scan(source, without, of_user=os.getuid())
    copy = _Copy(source, target, [entry for entry in entries if entry.kind == tarfile.REGTYPE])
    links = []
    for entry in entries:
        if entry.kind == tarfile.DIRTYPE:
            (target / entry.name).mkdir(mode=0o700)
        elif entry.kind == tarfile.SYMTYPE:
            links.append((target / entry.name, entry.link))
    digest, size = hashlib.sha256(), 0
    with copy:
        for entry in entries:
            digest.update(entry.header)
            if entry.kind == tarfile.REGTYPE:
                for chunk in copy.follow(entry):
                    digest.update(chunk)
            digest.update(bytes(-entry.size % tarfile.BLOCKSIZE))
            size += _blocks(entry)
    make_links(links, target)
    digest.update(bytes(_end(size)))
    return Packed(digest.hexdigest(), size + _end(size))


class _Copy:
    """Copies files one after the other in a thread; what is there of them can be read meanwhile."""

    def __init__(self, source: Path, target: Path, files: Sequence[_Entry]) -> None:
        self._source = source
        self._target = target
        self._files = files
        self._copied: dict[str, int] = {}
        self._moved = threading.Condition()
        self._error: BaseException | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="copy", daemon=True)

    def __enter__(self) -> _Copy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._thread.join()
        if self._error is not None:
            raise self._error

    def follow(self, entry: _Entry) -> Iterator[bytes]:
        """The content of a copied file, as it comes; shorter when the copying breaks off."""
        place = 0
        file = None
        try:
            while place < entry.size:
                with self._moved:
                    while self._copied.get(entry.name, 0) <= place and self._error is None:
                        self._moved.wait()
                    there = self._copied.get(entry.name, 0)
                if there <= place:
                    return
                file = file or (self._target / entry.name).open("rb", buffering=0)
                while place < there:
                    chunk = file.read(min(CHUNK, there - place))
                    place += len(chunk)
                    yield chunk
        finally:
            if file is not None:
                file.close()

    def _run(self) -> None:
        try:
            for entry in self._files:
                self._copy(entry)
        except BaseException as error:
            self._error = error
        with self._moved:
            self._moved.notify_all()

    def _copy(self, entry: _Entry) -> None:
        path = self._target / entry.name
        source = os.open(self._source / entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if _identity(os.fstat(source)) != entry.identity:
                raise _changed(entry)
            target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, entry.mode)
            try:
                place = 0
                while place < entry.size and not self._stopped:
                    done = copy_range(source, place, min(CHUNK, entry.size - place), target)
                    if not done:
                        raise _changed(entry)
                    place += done
                    with self._moved:
                        self._copied[entry.name] = place
                        self._moved.notify_all()
                after = os.fstat(source)
                if (after.st_size, int(after.st_mtime)) != (entry.size, entry.mtime):
                    raise _changed(entry)
                os.fsync(target)
                os.utime(target, (entry.mtime, entry.mtime))
            finally:
                os.close(target)
        finally:
            os.close(source)


def _scan(folder: Path, without: str, *, of_user: int | None = None) -> list[_Entry]:
    """What is in a folder, in the order of its archive: parents first, names sorted."""
    entries: list[_Entry] = []

    def descend(below: str) -> None:
        with os.scandir(folder / below) as found:
            present = sorted(found, key=lambda each: each.name)
        for each in present:
            name = f"{below}/{each.name}" if below else each.name
            if name == without:
                continue
            status = each.stat(follow_symlinks=False)
            mtime = int(status.st_mtime)
            if stat.S_ISDIR(status.st_mode):
                entries.append(_Entry(name, tarfile.DIRTYPE))
                descend(name)
            elif stat.S_ISLNK(status.st_mode):
                entries.append(_Entry(name, tarfile.SYMTYPE, link=os.readlink(each.path)))
            elif stat.S_ISREG(status.st_mode) and of_user in (None, status.st_uid):
                mode = 0o600 | status.st_mode & 0o100
                entries.append(
                    _Entry(name, tarfile.REGTYPE, status.st_size, mtime, mode, identity=_identity(status))
                )
            else:
                raise InvalidRequestError(
                    f"the folder is refused: {name!r} is neither a file of yours nor a folder nor a link"
                )

    descend("")
    return entries


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _changed(entry: _Entry) -> InvalidRequestError:
    return InvalidRequestError(f"{entry.name!r} changed while it was copied", hint="push again")


def _blocks(entry: _Entry) -> int:
    return len(entry.header) + entry.size + -entry.size % tarfile.BLOCKSIZE


def _end(size: int) -> int:
    """Length of the end of an archive: two empty blocks, and what fills the last record."""
    end = 2 * tarfile.BLOCKSIZE
    return end + -(size + end) % tarfile.RECORDSIZE
