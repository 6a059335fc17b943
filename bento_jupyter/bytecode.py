"""Takes compiled bytecode over from one environment to another that holds the very same source files.

uv installs no bytecode, and compiling on the first start makes that start seconds slower. A `.pyc` file is
valid for one source file by that file's time and size (the 16 bytes header of PEP 552); the code after the
header depends on the source only, paths in it are put right by the import system.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["seed_bytecode"]

HEADER = struct.Struct("<4sLLL")
TIME_MASK = 0xFFFFFFFF


def seed_bytecode(environment: Path, sources: Sequence[Path]) -> int:
    """Write the bytecode files that `environment` lacks, as far as `sources` have them.

    Only for distributions of the same version, only for files with the same hash in both `RECORD` files, and
    only bytecode that is valid where it comes from. Test packages are left out: nobody starts them.

    Args:
        environment: A virtual environment of this interpreter's version.
        sources: `site-packages` folders.

    Returns:
        The number of files written.
    """
    targets = [path for path in environment.glob("lib/python*/site-packages") if path.is_dir()]
    existing = [path for path in dict.fromkeys(sources) if path.is_dir() and path not in targets]
    known: dict[str, Path] = {}
    for folder in existing:
        for info in folder.glob("*.dist-info"):
            known.setdefault(distribution_key(info), info)
    count = 0
    for target in targets:
        for info in target.glob("*.dist-info"):
            origin = known.get(distribution_key(info))
            if origin is not None:
                count += _seed_distribution(target, info, origin)
    return count


def distribution_key(info: Path) -> str:
    """Name and version of a distribution, normalised, from the name of its `.dist-info` folder."""
    return re.sub(r"[-_.]+", "-", info.name).lower()


def _seed_distribution(target: Path, info: Path, origin: Path) -> int:
    recorded = origin / "RECORD"
    ours, theirs = _recorded_sources(info / "RECORD"), _recorded_sources(recorded)
    if not ours or not theirs:
        return 0
    # What was written after the installation may have been edited: its hash in RECORD says nothing any more.
    installed = recorded.stat().st_mtime + 2
    suffix = f".{sys.implementation.cache_tag}.pyc"
    folders: dict[str, list[str]] = {}
    for path, digest in ours.items():
        if theirs.get(path) == digest:
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, []).append(name)
    count = 0
    for folder, names in folders.items():
        from_folder, to_folder = os.path.join(origin.parent, folder), os.path.join(target, folder)
        try:
            compiled = set(os.listdir(os.path.join(from_folder, "__pycache__")))
        except OSError:
            continue
        wanted = [name for name in names if name[:-3] + suffix in compiled]
        if not wanted:
            continue
        cache = os.path.join(to_folder, "__pycache__")
        os.makedirs(cache, exist_ok=True)
        for name in wanted:
            pyc = name[:-3] + suffix
            count += _copy(
                os.path.join(from_folder, name),
                os.path.join(from_folder, "__pycache__", pyc),
                os.path.join(to_folder, name),
                os.path.join(cache, pyc),
                installed,
            )
    return count


def _copy(from_source: str, from_pyc: str, to_source: str, to_pyc: str, installed: float) -> bool:
    """Copy one bytecode file; False when it is not valid for its source, or the sources differ."""
    try:
        old, new = os.stat(from_source), os.stat(to_source)
        if old.st_size != new.st_size or old.st_mtime > installed:
            return False
        with open(from_pyc, "rb") as handle:
            content = handle.read()
        magic, flags, mtime, size = HEADER.unpack_from(content)
        if magic != importlib.util.MAGIC_NUMBER or flags != 0:
            return False
        if mtime != int(old.st_mtime) & TIME_MASK or size != old.st_size & TIME_MASK:
            return False
        header = HEADER.pack(magic, 0, int(new.st_mtime) & TIME_MASK, size)
        with open(to_pyc, "xb", buffering=0) as handle:
            handle.write(header)
            handle.write(memoryview(content)[HEADER.size :])
    except (OSError, struct.error):
        return False
    return True


def _recorded_sources(record: Path) -> dict[str, str]:
    """Path -> hash of the Python files that a `RECORD` lists, tests left out."""
    try:
        text = record.read_text(encoding="utf-8")
    except OSError:
        return {}
    found: dict[str, str] = {}
    for row in csv.reader(text.splitlines()):
        if len(row) == 3 and row[1] and row[0].endswith(".py") and not row[0].startswith("../"):
            path = row[0]
            if "/tests/" not in path and "/test/" not in path:
                found[path] = row[1]
    return found
