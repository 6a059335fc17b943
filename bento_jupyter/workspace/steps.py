"""The steps of the verbs, as a progress display shows them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from ..display.progress import Progress

__all__ = ["BUILD_STEPS", "DEPLOY_STEPS", "shown_by"]

BUILD_STEPS = ["build", "prove"]
DEPLOY_STEPS = ["push", "image", "deploy"]


def shown_by(progress: Progress | None, title: str, steps: list[str]) -> AbstractContextManager[Progress]:
    """The caller's progress as it is, or one of our own for as long as the context lasts."""
    return nullcontext(progress) if progress is not None else Progress(title, steps)
