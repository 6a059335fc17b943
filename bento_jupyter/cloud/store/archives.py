"""Archives: uploads received whole or not at all, kept under their digest, unpacked without trust.

```
cloud/incoming/          uploads and trees on their way, and trees that were replaced; emptied when opened
cloud/blobs/<sha256>.tar what was uploaded, byte for byte; downloads are served from here
```
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
import tarfile
import tempfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO

from ...errors import InvalidRequestError

__all__ = ["Archives", "IncomingArchive", "unpack"]

CHUNK = 1024 * 1024


class IncomingArchive:
    """An upload on its way: written, hashed meanwhile, and gone unless it is kept.

    Use as a context manager. `write` blocks on the disk: call it in a thread.
    """

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(prefix="upload-", suffix=".tar", dir=folder)
        self.path = Path(name)
        self.size_bytes = 0
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append `data`."""
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    def seal(self) -> str:
        """Put everything on the disk; gives the SHA-256 (hex)."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()

    def __enter__(self) -> IncomingArchive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


class Archives:
    """The folder of blobs and the folder of things on their way.

    Args:
        root: Folder that both are in; trees that are put in place must be on the same file system.
    """

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._incoming = root / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(mode=0o700, parents=True)
        self._blobs.mkdir(mode=0o700, exist_ok=True)

    def receive(self) -> IncomingArchive:
        """Begin an upload."""
        return IncomingArchive(self._incoming)

    def blob(self, digest: str) -> Path:
        """Where the archive with this digest is."""
        return self._blobs / f"{digest}.tar"

    def keep(self, upload: IncomingArchive, digest: str) -> None:
        """Move a sealed upload to its place."""
        os.replace(upload.path, self.blob(digest))
        _sync_folder(self._blobs)

    def unpack_aside(self, archive: Path) -> Path:
        """Unpack `archive` to a folder of its own, out of sight.

        Raises:
            InvalidRequestError: It is no tar archive, or holds something that does not belong into one.
        """
        tree = Path(tempfile.mkdtemp(prefix="tree-", dir=self._incoming))
        try:
            unpack(archive, tree)
        except BaseException:
            shutil.rmtree(tree, ignore_errors=True)
            raise
        return tree

    def put_in_place(self, tree: Path, target: Path) -> None:
        """Rename `tree` to `target`.

        A tree that is there already is moved aside, not deleted, since instances may run from it; it
        goes when the store is opened the next time.
        """
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists():
            os.rename(target, tempfile.mkdtemp(prefix="replaced-", dir=self._incoming))
        os.rename(tree, target)
        _sync_folder(target.parent)

    def discard(self, tree: Path) -> None:
        """Delete a tree that is not put in place after all."""
        shutil.rmtree(tree, ignore_errors=True)

    def sweep(self, digests: Collection[str]) -> None:
        """Delete the blobs that none of `digests` names."""
        for blob in self._blobs.glob("*.tar"):
            if blob.stem not in digests:
                blob.unlink(missing_ok=True)


def unpack(archive: Path, target: Path) -> None:
    """Unpack a tar archive that nobody vouches for.

    Files, folders and links that stay inside are taken; anything else makes the whole archive refused.
    Symbolic links are made last, so nothing is ever written through one.

    Args:
        archive: The archive, uncompressed.
        target: An empty folder. After an error it may hold a part.

    Raises:
        InvalidRequestError: With the member's name and what is wrong with it.
    """
    links: list[tuple[Path, str]] = []
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                path = target.joinpath(*_inside(member.name, member.name).parts)
                if path == target:
                    continue
                if member.isdir():
                    path.mkdir(mode=0o700, parents=True, exist_ok=True)
                elif member.isreg() and not member.issparse():
                    _write_member(tar, member, path)
                elif member.islnk():
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    os.link(target.joinpath(*_inside(member.linkname, member.name).parts), path)
                elif member.issym():
                    links.append((path, member.linkname))
                else:
                    raise _refused(member.name, "is neither file, folder nor link")
    except (tarfile.TarError, EOFError) as error:
        raise InvalidRequestError(f"the upload is not a whole tar archive: {error}") from error
    except OSError as error:
        if error.filename is None:  # the disk, not the archive
            raise
        raise InvalidRequestError(f"the archive contradicts itself: {error.strerror}") from error
    _make_links(links, target)


def _make_links(links: list[tuple[Path, str]], target: Path) -> None:
    root = os.path.realpath(target)
    for path, destination in links:
        if posixpath.isabs(destination):
            raise _refused(path.name, f"is a link to {destination!r}, outside of the archive")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            path.symlink_to(destination)
        except OSError as error:
            raise _refused(path.name, f"cannot be linked: {error.strerror}") from error
    # Only now, since a link may lead over others.
    for path, destination in links:
        try:
            real = os.path.realpath(path, strict=True)
        except OSError as error:
            raise _refused(path.name, f"is a link to {destination!r}, which is not in the archive") from error
        if os.path.commonpath([root, real]) != root:
            raise _refused(path.name, f"is a link to {destination!r}, outside of the archive")


def _write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise _refused(member.name, "has no content")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600 | member.mode & 0o100)
    os.utime(path, (member.mtime, member.mtime))  # compiled modules are checked against it


def _inside(name: str, member: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise _refused(member, f"leads to {name!r}, outside of the archive")
    return path


def _refused(member: str, why: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"the archive is refused: {member!r} {why}",
        hint="build the Bento or model again without it, and push again",
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
