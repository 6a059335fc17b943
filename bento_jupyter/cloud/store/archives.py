"""Archives: uploads received whole or not at all, kept under their digest, unpacked when they are needed.

```
cloud/incoming/                          uploads and trees on their way; emptied when opened
cloud/blobs/<sha256>.tar                 what was uploaded, byte for byte
cloud/<kind>s/<name>/<version>/<sha256>/ trees: unpacked blobs, and what was handed over as a folder
```

What is kept is named by its digest, so nothing is ever written over: new content is put beside the old, and
the database says which one is in force.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from ...errors import DamagedContentError
from .packing import Packed, copy_folder
from .space import require_space
from .unpacking import CHUNK, survey, unpack

__all__ = ["Archives", "IncomingArchive"]

#: Bytes of an upload after which the disk is told to begin.
FLUSH_EVERY = 32 * 1024 * 1024


class IncomingArchive:
    """An upload on its way: written, hashed meanwhile, and gone unless it is kept.

    Use as a context manager. `write` blocks on the disk: call it in a thread.
    """

    def __init__(self, folder: Path) -> None:
        descriptor, name = tempfile.mkstemp(prefix="upload-", suffix=".tar", dir=folder)
        self.path = Path(name)
        self.size_bytes = 0
        self._file: BinaryIO = os.fdopen(descriptor, "wb", buffering=0)
        self._hash = hashlib.sha256()
        self._flushed = 0
        self._flush: threading.Thread | None = None

    def write(self, data: bytes | bytearray) -> None:
        """Append `data`."""
        self.digest(data)
        self.append(data)

    def digest(self, data: bytes | bytearray) -> None:
        """The half of `write` that needs the processor; may run beside the other, in the same order."""
        self._hash.update(data)

    def append(self, data: bytes | bytearray) -> None:
        """The half of `write` that needs the disk.

        Raises:
            StorageFullError: It would leave too little room for all else.
            OSError: The disk refuses.
        """
        require_space(self._file.fileno(), len(data))
        self.size_bytes += len(data)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        # The disk works while more comes in, so that there is little left to wait for at the end.
        if self.size_bytes - self._flushed >= FLUSH_EVERY and not (self._flush and self._flush.is_alive()):
            self._flushed = self.size_bytes
            self._flush = threading.Thread(target=self._to_disk, name="flush", daemon=True)
            self._flush.start()

    def _to_disk(self) -> None:
        with contextlib.suppress(OSError):  # `seal` will say it
            os.fsync(self._file.fileno())

    def _join(self) -> None:
        if self._flush is not None:
            self._flush.join()

    def seal(self) -> str:
        """Put everything on the disk; gives the SHA-256 (hex)."""
        self._join()
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
        self._join()  # a descriptor that is closed meanwhile could be another file's
        self._file.close()
        self.path.unlink(missing_ok=True)


class Archives:
    """The folder of blobs and the folder of things on their way.

    Args:
        root: Folder that both are in; trees that are put in place must be on the same file system.
    """

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self.incoming = root / "incoming"
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._blobs.mkdir(mode=0o700, exist_ok=True)
        #: Blobs whose digest was computed since the start, as they were then.
        self._verified: dict[str, tuple[int, int, int]] = {}

    def receive(self) -> IncomingArchive:
        """Begin an upload."""
        return IncomingArchive(self.incoming)

    def blob(self, digest: str) -> Path:
        """Where the archive with this digest is, when it was uploaded as one."""
        return self._blobs / f"{digest}.tar"

    def verified(self, digest: str) -> Path:
        """The archive with this digest, after a look at whether it still has it.

        Raises:
            DamagedContentError: It has not, or is gone.
        """
        blob = self.blob(digest)
        try:
            if self._verified.get(digest) != _state(blob):
                found = hashlib.sha256()
                with blob.open("rb") as file:
                    while chunk := file.read(CHUNK):
                        found.update(chunk)
                if found.hexdigest() != digest:
                    raise DamagedContentError(f"the disk has changed {blob.name}", hint="push it again")
                self._verified[digest] = _state(blob)
        except FileNotFoundError as error:
            raise DamagedContentError(f"{blob.name} is gone from the disk", hint="push it again") from error
        return blob

    def keep(self, upload: IncomingArchive, digest: str) -> None:
        """Move a sealed upload to its place."""
        os.replace(upload.path, self.blob(digest))
        _sync_folder(self._blobs)
        self._verified[digest] = _state(self.blob(digest))

    def check(self, archive: Path) -> tuple[frozenset[str], Path | None]:
        """Look through an archive.

        Returns:
            The names of its files; and the folder it was unpacked to, aside, if only that could show whether
            it is sound. Put it in place or discard it.

        Raises:
            InvalidRequestError: It is no tar archive, or holds something that does not belong into one.
        """
        found = survey(archive)
        return found.files, None if found.plain else self.unpack_aside(archive)

    def unpack_aside(self, archive: Path) -> Path:
        """Unpack `archive` to a folder of its own, out of sight.

        Raises:
            InvalidRequestError: It is no tar archive, or holds something that does not belong into one.
        """
        with self._aside() as tree:
            unpack(archive, tree)
        return tree

    def copy_aside(self, folder: Path, *, without: str = "") -> tuple[Path, Packed]:
        """Copy a folder of this user to one of its own, out of sight.

        Raises:
            InvalidRequestError: It holds something that is not taken.
        """
        with self._aside() as tree:
            packed = copy_folder(folder, tree, without=without)
        return tree, packed

    def put_in_place(self, tree: Path, target: Path) -> None:
        """Rename `tree` to `target`, unless that is there: its name says that it is the same."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists():
            self.discard(tree)
            return
        os.rename(tree, target)
        _sync_folder(target.parent)

    def discard(self, tree: Path) -> None:
        """Delete a tree that is not put in place after all."""
        shutil.rmtree(tree, ignore_errors=True)

    def remove_tree(self, tree: Path) -> None:
        """Delete a tree that is in place: out of sight at once, then bit by bit."""
        aside = Path(tempfile.mkdtemp(prefix="removed-", dir=self.incoming))
        os.rename(tree, aside / "tree")
        shutil.rmtree(aside, ignore_errors=True)
        for folder in (tree.parent, tree.parent.parent):
            try:
                folder.rmdir()
            except OSError:
                return

    def blobs(self) -> Iterator[Path]:
        """All blobs."""
        return self._blobs.glob("*.tar")

    @contextlib.contextmanager
    def _aside(self) -> Iterator[Path]:
        tree = Path(tempfile.mkdtemp(prefix="tree-", dir=self.incoming))
        try:
            yield tree
        except BaseException:
            shutil.rmtree(tree, ignore_errors=True)
            raise


def _state(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
