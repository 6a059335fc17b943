"""The distributions that are installed in this interpreter, as their metadata describes them.

`importlib.metadata` parses each METADATA as an e-mail and each RECORD line as a path object, a third of a
second for an ordinary environment. The few fields that are needed here are read from the text.
"""

from __future__ import annotations

import csv
import functools
import inspect
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["Installed", "canonical", "installed", "stamp"]

SEPARATORS = re.compile(r"[-_.]+")
METADATA_FOLDERS = (".dist-info", ".egg-info", ".egg", ".egg-link")
FIELD = re.compile(r"^(Name|Version|Requires-Dist|Requires-Python): *(.*?) *$", re.M)


def canonical(name: str) -> str:
    """A distribution's name as all spellings of it are compared (PEP 503).

    Example:
        >>> canonical("Typing_Extensions")
        'typing-extensions'
    """
    return SEPARATORS.sub("-", name).lower()


@dataclass(frozen=True)
class Installed:
    """One installed distribution.

    Attributes:
        name: Its name, as it writes it.
        version: Its version, with the local part if it has one.
        distribution: What `importlib.metadata` knows about it.
    """

    name: str
    version: str
    distribution: metadata.Distribution = field(repr=False, compare=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)

    @property
    def public_version(self) -> str:
        """The version as an index may have it: without the local part of a build, `+cpu`."""
        return self.version.partition("+")[0]

    @property
    def pin(self) -> str:
        """The line of a requirements file that asks for it."""
        return f"{self.name}=={self.public_version}"

    @property
    def requires(self) -> list[Requirement]:
        """What it says it needs, of all extras and platforms."""
        return _requirements(tuple(self.distribution.requires or ())) if self.is_egg else self._requires

    @property
    def _requires(self) -> list[Requirement]:
        return _requirements(tuple(value for name, value in self.fields if name == "Requires-Dist"))

    @property
    def requires_python(self) -> str:
        """Versions of Python that it says it runs on, e.g. `>=3.10`; "" = it says nothing."""
        return next((value for name, value in self.fields if name == "Requires-Python"), "")

    @functools.cached_property
    def direct_url(self) -> dict[str, Any]:
        """Where it came from if not from an index (PEP 610), else empty."""
        text = self.distribution.read_text("direct_url.json")
        return dict(json.loads(text)) if text else {}

    @functools.cached_property
    def info(self) -> Path:
        """Folder (or, of old, file) with its metadata."""
        return Path(str(getattr(self.distribution, "_path", "")))

    @property
    def is_egg(self) -> bool:
        """True when its metadata is in setuptools' own form of old."""
        return self.info.suffix in (".egg-info", "")

    @property
    def site(self) -> Path:
        """Folder that its modules and its metadata are in."""
        return self.info.parent

    @functools.cached_property
    def project(self) -> Path | None:
        """Source folder of an editable install; None when it is none."""
        if self.direct_url.get("dir_info", {}).get("editable"):
            return Path(unquote(urlsplit(self.direct_url["url"]).path))
        if self.info.suffix == ".egg-info" and not in_site(self.site):
            return self.site  # `setup.py develop`: the metadata lies in the source folder
        return None

    @property
    def by_conda(self) -> bool:
        """True when conda installed it: its metadata names folders of conda's build machine."""
        if (self.distribution.read_text("INSTALLER") or "").strip() == "conda":
            return True
        records = Path(sys.prefix, "conda-meta")
        return records.is_dir() and any(records.glob(f"{canonical(self.name)}-{self.version}-*.json"))

    @property
    def declared(self) -> list[str]:
        """Top-level modules that `top_level.txt` names."""
        text = self.distribution.read_text("top_level.txt") or ""
        return list(dict.fromkeys(re.split(r"[/.]", line)[0] for line in text.split()))

    @property
    def has_record(self) -> bool:
        """True when it lists its files."""
        return self.distribution.read_text("RECORD") is not None

    def files(self) -> Iterator[tuple[str, str]]:
        """Its files as RECORD lists them: path relative to `site`, and hash (`sha256=...` or "")."""
        for line in (self.distribution.read_text("RECORD") or "").splitlines():
            if line.startswith('"'):
                row = next(csv.reader([line]))
                yield row[0], row[1] if len(row) > 1 else ""
            elif line:
                path, _, rest = line.partition(",")
                yield path, rest.partition(",")[0]

    def top_level(self) -> list[str]:
        """Top-level modules that it brings, as far as its metadata says."""
        declared = self.declared
        if declared:
            return declared
        names: dict[str, None] = {}
        for path, _ in self.files():
            first, slash, _ = path.partition("/")
            root = first if slash else inspect.getmodulename(first)
            if root and root.isidentifier() and root != "__pycache__":
                names[root] = None
        return sorted(names)


def in_site(folder: Path) -> bool:
    """True for a folder that packages are installed into."""
    return folder.name in ("site-packages", "dist-packages") or folder.suffix == ".egg"


@functools.lru_cache(maxsize=4096)
def _requirement(line: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement:  # setuptools let them pass, in the past
        return None


def _requirements(lines: tuple[str, ...]) -> list[Requirement]:
    return [found for line in lines if (found := _requirement(line)) is not None]


def installed() -> Mapping[str, Installed]:
    """All that is installed now, by canonical name; of several versions the one that is imported."""
    return _installed(tuple(sys.path), stamp())


@functools.lru_cache(maxsize=1)
def _installed(path: tuple[str, ...], marks: tuple[object, ...]) -> Mapping[str, Installed]:
    found: dict[str, Installed] = {}
    for distribution in metadata.distributions():
        item = read(distribution)
        if item is not None:
            found.setdefault(canonical(item.name), item)
    return found


def read(distribution: metadata.Distribution) -> Installed | None:
    """A distribution as its metadata describes it; None when it has no name, as broken ones."""
    text = next(
        (text for file in ("METADATA", "PKG-INFO", "") if (text := distribution.read_text(file)) is not None),
        "",
    )
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    fields = tuple(FIELD.findall(head.replace("\r\n", "\n")))
    values = dict(reversed(fields))
    if not values.get("Name") or not values.get("Version"):
        return None
    return Installed(values["Name"], values["Version"], distribution, fields)


def stamp() -> tuple[object, ...]:
    """Changes when something is installed or removed; not when the user writes files into his folder."""
    marks: list[object] = []
    for entry in sys.path:
        folder = entry or "."
        try:
            if in_site(Path(folder)):
                marks.append(os.stat(folder).st_mtime)
            else:
                marks.append(
                    tuple(sorted(name for name in os.listdir(folder) if name.endswith(METADATA_FOLDERS)))
                )
        except OSError:
            marks.append(None)
    return tuple(marks)
