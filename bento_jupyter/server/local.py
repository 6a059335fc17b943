"""The Bentos of the local store, read from their files: `bentoml` itself is never loaded here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Final

from ..home import Home
from ..insight import PackageView
from ..proofs import kept
from .payloads import Bento

__all__ = ["bentoml_home", "is_stored", "merged"]

#: Bentos that are read at most, the newest: a longer list is for `bentoml list`.
_MOST: Final = 200
#: The one line of a `bento.yaml` that is looked for: to parse hundreds of them whole takes seconds.
_CREATED: Final = re.compile(r"^creation_time: *['\"]?([^'\"\n]+)", re.MULTILINE)


def bentoml_home() -> Path:
    """Where the `bentoml` client keeps its store and its contexts."""
    folder = os.environ.get("BENTOML_HOME")
    return Path(folder).expanduser() if folder else Path.home() / "bentoml"


def is_stored(tag: str) -> bool:
    """Whether the local store has a Bento."""
    name, _, version = tag.partition(":")
    return (bentoml_home() / "bentos" / name / version / "bento.yaml").is_file()


def merged(home: Home, registered: list[PackageView]) -> list[Bento]:
    """The Bentos of the registry and of the local store, each once, newest first.

    Args:
        home: Where what is known of their proofs is kept.
        registered: Those of the registry.
    """
    stored = dict(_stored())
    found = [
        Bento(
            **item.model_dump(),
            in_cloud=True,
            in_store=item.tag in stored,
            proof=kept(home, item.tag, stored.get(item.tag)),
        )
        for item in registered
    ]
    known = {item.tag for item in registered}
    found += [
        Bento(
            tag=tag,
            status="success",
            size_bytes=_size(bentoml_home() / "bentos" / tag.replace(":", "/")),
            created_at=built_at,
            in_cloud=False,
            in_store=True,
            proof=kept(home, tag, built_at),
        )
        for tag, built_at in stored.items()
        if tag not in known
    ]
    return sorted(found, key=lambda item: item.created_at, reverse=True)


def _stored() -> Iterator[tuple[str, datetime]]:
    """Tags of the newest Bentos of the store, and when they were built."""
    files = []
    for path in (bentoml_home() / "bentos").glob("*/*/bento.yaml"):
        try:
            files.append((path.stat().st_mtime_ns, path))
        except OSError:  # it is being deleted
            continue
    for changed, path in sorted(files, reverse=True)[:_MOST]:
        built_at = _built_at(path, changed)
        if built_at is not None:
            yield f"{path.parent.parent.name}:{path.parent.name}", built_at


@lru_cache(maxsize=_MOST * 2)
def _built_at(path: Path, changed: int) -> datetime | None:
    """When a Bento was built; None when its file does not say. `changed` is when that was written."""
    try:
        found = _CREATED.search(path.read_text(encoding="utf-8"))
        built_at = datetime.fromisoformat(found[1]) if found else None
    except (OSError, ValueError):
        return None
    return built_at.replace(tzinfo=built_at.tzinfo or timezone.utc) if built_at else None


@lru_cache(maxsize=_MOST * 2)
def _size(folder: Path) -> int:
    """Bytes of the files of a Bento, which stay as they are."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
