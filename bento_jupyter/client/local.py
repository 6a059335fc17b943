"""The local BentoML store."""

from __future__ import annotations

from typing import Any

from ..errors import NotFoundError

__all__ = ["local_bentos", "stored"]


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
