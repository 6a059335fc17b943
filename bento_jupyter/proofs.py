"""What is known of the proofs of Bentos: a note per Bento below the home, written by who proves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from .home import Home, write_private

__all__ = ["ProofNote", "keep", "kept"]


class ProofNote(BaseModel):
    """How the last proof of a Bento came out.

    Attributes:
        equal: It answered as the objects in the notebook did.
        line: The proof in one line, e.g. "1 endpoint, 5 rows, max difference 0".
        at: When it was proven.
        built_at: When the Bento was built, as its `bento.yaml` says: another one under the same tag is not
            the one that was proven.
    """

    equal: bool
    line: str
    at: datetime
    built_at: datetime | None = None


def keep(home: Home, tag: str, note: ProofNote) -> None:
    """Write a note down, over an earlier one.

    Args:
        home: Where notes are kept.
        tag: The Bento, `name:version`.
        note: What is known now.

    Raises:
        OSError: Nothing can be written there.
    """
    path = _path(home, tag)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, note.model_dump_json())


def kept(home: Home, tag: str, built_at: datetime | None = None) -> ProofNote | None:
    """The note on a Bento; None when there is none, or it is on another one of that tag.

    Args:
        home: Where notes are kept.
        tag: The Bento, `name:version`.
        built_at: When it was built; None = not known.

    Example:
        >>> import tempfile
        >>> home = Home(Path(tempfile.mkdtemp()))
        >>> then = datetime(2030, 1, 1)
        >>> keep(home, "iris:v1", ProofNote(equal=True, line="1 endpoint", at=then, built_at=then))
        >>> kept(home, "iris:v1").line
        '1 endpoint'
        >>> kept(home, "iris:v2") is kept(home, "iris:v1", datetime(2031, 1, 1)) is None
        True
    """
    try:
        note = ProofNote.model_validate_json(_path(home, tag).read_bytes())
    except (OSError, ValidationError):
        return None
    return note if None in (built_at, note.built_at) or built_at == note.built_at else None


def _path(home: Home, tag: str) -> Path:
    name, _, version = tag.partition(":")
    return home.proofs / name / f"{version}.json"
