"""The local BentoML store."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ..errors import NotFoundError

__all__ = ["content_digest", "local_bentos", "sample_of", "stored"]

#: Characters of JSON beyond which a sample is too large to be shown: one row of it is taken then.
LARGEST_SAMPLE = 2000


def stored(tag: str) -> Any:
    """A Bento of the local store.

    Args:
        tag: `name:version`, or `name` for the newest.

    Raises:
        NotFoundError: The local store has no such Bento.
    """
    import bentoml
    from bentoml.exceptions import BentoMLException

    try:
        return bentoml.get(tag)
    except (BentoMLException, ValueError) as error:  # ValueError: it is no tag at all
        raise NotFoundError(
            f"no Bento {tag!r} in the local store", hint="%bento_list bentos shows those there are"
        ) from error


def local_bentos() -> list[dict[str, Any]]:
    """Bentos of the local store: tag, size in bytes, when they were built; newest first."""
    import bentoml

    found = sorted(bentoml.list(), key=lambda bento: bento.info.creation_time, reverse=True)
    return [
        {"tag": str(bento.tag), "size": bento.total_size(), "created_at": bento.info.creation_time}
        for bento in found
    ]


def sample_of(tag: str, endpoint: str) -> dict[str, Any]:
    """The sample that a Bento was proven with, as the JSON of an endpoint's inputs; {} where none is known.

    Args:
        tag: Of the Bento; one that the local store does not have has no sample here.
        endpoint: Name of the endpoint.
    """
    try:
        text = Path(stored(tag).path, "src", "proof", "cases.json").read_text(encoding="utf-8")
        cases = [each for each in json.loads(text)["cases"] if each["endpoint"] == endpoint]
    except (NotFoundError, OSError, ValueError, LookupError):
        return {}
    fitting = sorted(
        (each for each in cases if "refused" not in each), key=lambda each: each["title"] == "one row"
    )
    return next(
        (dict(each["inputs"]) for each in fitting if len(json.dumps(each["inputs"])) <= LARGEST_SAMPLE), {}
    )


def content_digest(bento: Any) -> str:
    """A digest of what a Bento of the local store does: its files and its models, without names and times.

    Two Bentos built from the same object have the same, however often it is built.

    Args:
        bento: As `stored` gives it.
    """
    import bentoml

    parts = [_files_digest(Path(bento.path), {"bento.yaml", "README.md"})]
    for model in bento.info.all_models:
        parts.append(_files_digest(Path(bentoml.models.get(model.tag).path), {"model.yaml"}))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _files_digest(folder: Path, besides: set[str]) -> str:
    """Of the files below a folder, by name; those of its top that tell when it was made are passed over."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in besides:
            digest.update(f"{name}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
