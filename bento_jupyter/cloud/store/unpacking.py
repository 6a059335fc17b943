"""Tar archives that nobody vouches for: looked through, and unpacked, without trust."""

from __future__ import annotations

import errno
import os
import posixpath
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from ...errors import InvalidRequestError
from .space import require_space

__all__ = ["Survey", "copy_range", "make_links", "survey", "unpack"]

CHUNK = 8 * 1024 * 1024
#: Most members of an archive, and most folders that one is in.
MOST_MEMBERS, MOST_LEVELS = 200_000, 100
#: Most bytes of a header that extends another one (of PAX or GNU), and of all that hold for all members.
LARGEST_EXTENSION = 1024 * 1024
#: Most bytes of a part of a name, and of all of it: the other half is for the folder that it comes to.
LONGEST_PART, LONGEST_NAME = 255, os.pathconf("/", "PC_PATH_MAX") // 2
#: Seconds from 1970, either way, that every file system and Python can take.
LARGEST_TIME = 2**40
#: Types of the headers that extend another one.
EXTENSIONS = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
#: What the kernel says when it cannot copy between these two files by itself.
NOT_IN_KERNEL = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF})


@dataclass(frozen=True)
class Survey:
    """What is in an archive.

    Attributes:
        files: Names of its regular files.
        plain: Files and folders only. It can then be unpacked at any time without being refused; with
            links that shows only when they are made.
    """

    files: frozenset[str]
    plain: bool


def survey(archive: Path) -> Survey:
    """Look through an archive without unpacking anything.

    Raises:
        InvalidRequestError: It is no whole tar archive, or holds something that does not belong into one;
            with that member's name.
    """
    files: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    plain = True
    with _opened(archive) as (tar, _):
        for member in _members(tar):
            path = _place(member)
            if path.parts and not member.isdir():
                if path in files or path in folders:
                    raise _refused(member.name, "is in there twice")
                files.add(path)
            folders.update(path.parents if not member.isdir() else (path, *path.parents))
            plain &= member.isdir() or member.isreg()
    if both := files & folders:
        raise _refused(str(min(both)), "is a file and a folder")
    return Survey(frozenset(map(str, files)), plain)


def unpack(archive: Path, target: Path) -> None:
    """Unpack a tar archive that nobody vouches for.

    Files, folders and links that stay inside are taken; anything else makes the whole archive refused.
    Symbolic links are made last, so nothing is ever written through one.

    Args:
        archive: The archive, uncompressed.
        target: An empty folder. After an error it may hold a part.

    Raises:
        InvalidRequestError: With the member's name and what is wrong with it.
        OSError: The disk refuses.
    """
    survey(archive)
    links: list[tuple[Path, str]] = []
    try:
        with _opened(archive) as (tar, source):
            for member in _members(tar):
                path = target.joinpath(*_place(member).parts)
                if path == target:
                    continue
                if member.isdir():
                    path.mkdir(mode=0o700, parents=True, exist_ok=True)
                elif member.isreg():
                    _write_member(source, member, path)
                elif member.islnk():
                    other = target.joinpath(*_inside(member.linkname, member.name).parts)
                    if other.is_dir():
                        raise _refused(member.name, f"is a link to the folder {member.linkname!r}")
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    os.link(other, path)
                else:
                    links.append((path, member.linkname))
    except (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise InvalidRequestError(f"the archive contradicts itself: {error.strerror}") from error
    make_links(links, target)


def make_links(links: list[tuple[Path, str]], target: Path) -> None:
    """Make symbolic links below `target`, then see that none leads out of it.

    Raises:
        InvalidRequestError: One does, or leads nowhere.
    """
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


def copy_range(source: int, offset: int, size: int, target: int) -> int:
    """Append a part of one file to another, in the kernel where it can.

    Args:
        source: Descriptor to read from.
        offset: Where to begin.
        size: How many bytes.
        target: Descriptor, at its end.

    Returns:
        How many bytes there were; fewer when the source ends before.

    Raises:
        StorageFullError: It would leave too little room on the disk for all else.
        OSError: The disk refuses.
    """
    copied = 0
    in_kernel = hasattr(os, "copy_file_range")
    while copied < size:
        step = min(CHUNK, size - copied)
        require_space(target, step)
        if in_kernel:
            try:
                done = os.copy_file_range(source, target, step, offset_src=offset + copied)
            except OSError as error:
                if copied == 0 and error.errno in NOT_IN_KERNEL:
                    in_kernel = False
                    continue
                raise
        else:
            data = os.pread(source, step, offset + copied)
            done = len(data)
            view = memoryview(data)
            while view:
                view = view[os.write(target, view) :]
        if not done:
            break
        copied += done
    return copied


class _Member(tarfile.TarInfo):
    """A member that is refused before more of its header is read than any honest one has."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        """What `tarfile` calls for each header, and means to be overridden."""
        extends = self.type in EXTENSIONS
        before = sum(map(len, tar.pax_headers.values())) if self.type == tarfile.XGLTYPE else 0
        if self.size < 0:
            raise _refused(self.name, "has a negative size")
        if extends and self.size + before > LARGEST_EXTENSION:
            raise _refused(self.name, f"has a header of more than {LARGEST_EXTENSION >> 20} MiB")
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise _refused(self.name, "is neither file, folder nor link")
        return super()._proc_member(tar)  # type: ignore[misc]


@contextmanager
def _opened(archive: Path) -> Iterator[tuple[tarfile.TarFile, BinaryIO]]:
    try:
        with (
            archive.open("rb") as file,
            tarfile.open(fileobj=file, mode="r:", tarinfo=_Member) as tar,
        ):
            yield tar, file
    except (tarfile.TarError, EOFError, OverflowError, RecursionError, ValueError) as error:
        # What `tarfile` makes of headers that contradict themselves.
        raise InvalidRequestError(f"the upload is not a whole tar archive: {error}") from error


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    count = 0
    while (member := tar.next()) is not None:
        count += 1
        if count > MOST_MEMBERS:
            raise InvalidRequestError(f"the archive is refused: it has more than {MOST_MEMBERS} members")
        tar.members = []  # type: ignore[attr-defined]  # it would keep them all
        yield member


def _place(member: tarfile.TarInfo) -> PurePosixPath:
    if not (member.isdir() or member.islnk() or member.issym() or (member.isreg() and not member.issparse())):
        raise _refused(member.name, "is neither file, folder nor link")
    if "\0" in member.linkname:
        raise _refused(member.name, f"is a link to {member.linkname!r}, which no file can be called")
    if not -LARGEST_TIME < member.mtime < LARGEST_TIME:  # nor is it any number
        raise _refused(member.name, f"is of no time that there is: {member.mtime}")
    return _inside(member.name, member.name)


def _write_member(source: BinaryIO, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as file:
        if copy_range(source.fileno(), member.offset_data, member.size, file.fileno()) < member.size:
            raise InvalidRequestError("the upload is not a whole tar archive: unexpected end of data")
        os.fsync(file.fileno())
    path.chmod(0o600 | member.mode & 0o100)
    os.utime(path, (member.mtime, member.mtime))  # compiled modules are checked against it


def _inside(name: str, member: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise _refused(member, f"leads to {name!r}, outside of the archive")
    try:
        sizes = [len(os.fsencode(part)) for part in path.parts]
    except UnicodeEncodeError as error:
        raise _refused(member, "has a name that is no text") from error
    if (
        len(sizes) > MOST_LEVELS
        or max(sizes, default=0) > LONGEST_PART
        or sum(sizes) + len(sizes) > LONGEST_NAME
    ):
        raise _refused(member[:100], "has a name that is too long")
    return path


def _refused(member: str, why: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"the archive is refused: {member!r} {why}",
        hint="build the Bento or model again without it, and push again",
    )
