"""The files of codespaces: what `bentoml code` keeps in step with a folder of its user.

Each codespace has a folder that BentoML can serve: the user's files below `src/`, and around them what makes
a Bento of them. Nothing but regular files is ever made there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import threading
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml  # type: ignore[import-untyped]

from ...errors import InvalidRequestError
from .records import BentoRecord

__all__ = ["Codespaces", "ProjectFile"]

#: The client sends this empty file when all others are there.
READY = ".project_ready"
#: What the client makes of the project's settings: requirements, and commands for the image.
REQUIREMENTS, SETUP, POST_SETUP = "requirements.txt", "setup.sh", "post_setup.sh"
LONGEST_PATH = 1024
MOST_FILES = 100_000


@dataclass(frozen=True)
class ProjectFile:
    """A file of a codespace.

    Attributes:
        path: Its path, with `/` between its parts.
        size: Bytes.
        md5: MD5 of its content, as the client compares it.
    """

    path: str
    size: int
    md5: str


class Codespaces:
    """The files of all codespaces, by the ids of their deployments.

    Args:
        folder: Everything is below it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: What is in each, read once: path to MD5 and size.
        self._files: dict[str, dict[str, ProjectFile]] = {}
        self._writing = threading.Lock()

    def read(self, uids: Iterable[str]) -> None:
        """Read what is in these codespaces. Blocks on the disk: call it in a thread, before all else."""
        for uid in uids:
            self._known(uid)

    def folder(self, uid: str) -> Path:
        """The folder of a codespace; a Bento once `bento_directory` was called."""
        return self._folder / uid

    def files(self, uid: str) -> list[ProjectFile]:
        """The files of a codespace, by path."""
        return [file for _, file in sorted(self._known(uid).items())]

    def is_ready(self, uid: str) -> bool:
        """True once the client has sent all files."""
        return READY in self._known(uid)

    def digest(self, uid: str) -> str:
        """Changes with every change of the files."""
        lines = (f"{file.path} {file.md5}" for file in self.files(uid) if file.path != READY)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def write(self, uid: str, files: Mapping[str, bytes]) -> None:
        """Write files, in place of those that are there: all of them, or none.

        Raises:
            InvalidRequestError: A path leads elsewhere, or a file would stand in the way of a folder.
            OSError: The disk is full.
        """
        places = {_checked(path): content for path, content in files.items()}
        source = self._source(uid)
        with self._writing:
            known = dict(self._known(uid))
            if len(known.keys() | places.keys()) > MOST_FILES:
                raise InvalidRequestError(f"a codespace may have {MOST_FILES} files")
            _require_no_conflict(known.keys() | places.keys())
            asides: dict[Path, Path] = {}
            try:
                for path, content in places.items():
                    place = source / path
                    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    if place.is_dir():
                        raise IsADirectoryError(path)
                    asides[place] = _aside(place)
                    asides[place].write_bytes(content)
                    known[path] = _file(path, content)
                for place, aside in asides.items():
                    os.replace(aside, place)
            except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
                # The service itself has made something there.
                raise InvalidRequestError(f"a file and a folder have the same path: {error}") from error
            finally:
                for aside in asides.values():
                    aside.unlink(missing_ok=True)
            self._files[uid] = known

    def delete(self, uid: str, paths: Iterable[str]) -> None:
        """Delete files; those that are not there are passed over.

        Raises:
            InvalidRequestError: A path leads elsewhere.
        """
        checked, source = [_checked(path) for path in paths], self._source(uid)
        with self._writing:
            known = dict(self._known(uid))
            for path in checked:
                if known.pop(path, None) is None:
                    continue
                _remove(source / path, below=source)
            self._files[uid] = known

    def forget(self, uid: str) -> None:
        """Delete a codespace."""
        self._files.pop(uid, None)
        shutil.rmtree(self._folder / uid, ignore_errors=True)

    def sweep(self, wanted: Iterable[str]) -> None:
        """Delete all codespaces but these."""
        if self._folder.is_dir():
            for name in {path.name for path in self._folder.iterdir()} - set(wanted):
                self.forget(name)

    def bento_directory(self, uid: str, bento: BentoRecord, python: str) -> Path:
        """The folder of a codespace as BentoML can serve it. Blocks on the disk: call it in a thread.

        Args:
            uid: The codespace.
            bento: What the client has registered for it: a manifest without content.
            python: Version of Python that it runs with, e.g. "3.11".
        """
        folder, source = self._folder / uid, self._source(uid)
        source.mkdir(mode=0o700, parents=True, exist_ok=True)
        requirements = _text(source / REQUIREMENTS)
        place = folder / "env" / "python" / REQUIREMENTS
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(place, requirements.encode())
        image = {
            "base_image": "",
            "python_version": python,
            "commands": _lines(source / SETUP),
            "post_commands": _lines(source / POST_SETUP),
            "python_requirements": requirements,
        }
        info = {**bento_info(bento), "image": image}
        _write(folder / "bento.yaml", yaml.safe_dump(info, sort_keys=False).encode())
        return folder

    def _known(self, uid: str) -> dict[str, ProjectFile]:
        if uid not in self._files:
            source = self._source(uid)
            found = {}
            for folder, _, names in os.walk(source):
                for name in names:
                    place = Path(folder, name)
                    path = place.relative_to(source).as_posix()
                    if "__pycache__" in place.parts or not _is_path(path):
                        continue
                    # The service has made what it liked in there: links, sockets, what it deletes just now.
                    with suppress(OSError):
                        if stat.S_ISREG(place.lstat().st_mode):
                            found[path] = _file(path, place.read_bytes())
            self._files[uid] = found
        return self._files[uid]

    def _source(self, uid: str) -> Path:
        return self._folder / uid / "src"


#: Ending of files that are being written.
ASIDE = ".being-written"


def bento_info(bento: BentoRecord) -> dict[str, Any]:
    """`bento.yaml` of a Bento that the client has only described."""
    manifest = bento.manifest
    kept = ("service", "bentoml_version", "entry_service", "services", "envs", "schema")
    info = {key: manifest[key] for key in kept if manifest.get(key) is not None}
    services = manifest.get("services") or []
    described = {str(each["tag"]): each for service in services for each in service.get("models") or []}
    models = [described.get(tag, {"tag": tag}) for tag in bento.models]
    return {"name": bento.name, "version": bento.version, **info, "models": models, "spec": 2}


def _file(path: str, content: bytes) -> ProjectFile:
    return ProjectFile(path, len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())


def _is_path(path: str) -> bool:
    """Whether a file of a codespace may have this path."""
    parts = path.split("/")
    return (
        0 < len(path) <= LONGEST_PATH
        and path.isprintable()
        and "\\" not in path
        and not any(part in ("", ".", "..") or part.endswith(ASIDE) for part in parts)
        and all(len(os.fsencode(part)) <= 200 for part in parts)
    )


def _checked(path: str) -> str:
    if not _is_path(path):
        raise InvalidRequestError(f"{path!r} is no path of a file below the codespace's folder")
    return path


def _require_no_conflict(paths: Iterable[str]) -> None:
    """A file cannot also be a folder."""
    files = set(paths)
    for path in files:
        for parent in PurePosixPath(path).parents:
            if str(parent) in files:
                raise InvalidRequestError(f"{str(parent)!r} would be a file and a folder; delete it first")


def _remove(place: Path, below: Path) -> None:
    """Delete a file, and its folders as far as they are empty, unless the service has done so itself."""
    with suppress(OSError):
        place.unlink(missing_ok=True)
    for folder in place.parents:
        if folder == below:
            return
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:  # it is not empty
            return


def _write(place: Path, content: bytes) -> None:
    aside = _aside(place)
    try:
        aside.write_bytes(content)
        os.replace(aside, place)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _aside(place: Path) -> Path:
    return place.with_name(f".{uuid.uuid4().hex}{ASIDE}")


def _text(place: Path) -> str:
    return place.read_text(encoding="utf-8", errors="replace") if place.is_file() else ""


def _lines(place: Path) -> list[str]:
    return [line.strip() for line in _text(place).splitlines() if line.strip() and not line.startswith("#")]
