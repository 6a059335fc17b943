"""Refusals: what cannot go along, where it is used, and how to mend it."""

from __future__ import annotations

import os
import re
from typing import Any

from bento_jupyter.errors import NotServableError

from .graph import Node, Use

__all__ = ["no_source", "refusal", "secret", "two_meanings"]


def refusal(message: str, hint: str) -> NotServableError:
    """A refusal."""
    return NotServableError(message, hint=hint)


def no_source(value: Any, name: str, use: Use) -> NotServableError:
    """A function or class whose text is not known, or is no longer what runs."""
    code = getattr(value, "__code__", None)
    kind, keyword = ("class", "class") if isinstance(value, type) else ("function", "def")
    made = code.co_filename if code is not None else ""
    if made and not made.startswith("<") and os.path.exists(made):
        return refusal(
            f"the source of {kind} {name!r} in {os.path.basename(made)} is not what the kernel runs"
            f"{use.where}",
            "run the file again, then the cells that use it",
        )
    return refusal(
        f"{kind} {name!r} has no source that could go along{use.where}: "
        "it was made by exec, in C, or its cell is gone",
        f"define {name} by a {keyword} statement in a cell, and run it",
    )


def secret(what: str, reason: str, name: str) -> NotServableError:
    """Something that looks like a secret."""
    word = re.sub(r"\W+", "_", name).strip("_").upper() or "NAME"
    return refusal(
        f"{what} looks like a secret: {reason}; it is not written into a Bento",
        f'read os.environ["{word}"] inside the function, and deploy with --env {word}=... or --secret',
    )


def two_meanings(name: str, other: Node | None, value: Any, use: Use) -> NotServableError:
    """A name that one part of the captured code means one object by, and another part another."""
    first = f"one for {other.use.owner or 'the endpoint'}" if other is not None else "an import"
    return refusal(
        f"{name!r} means two things: {first}, and another {type(value).__name__}{use.where}",
        f"give one of them another name than {name!r}, and run the cells that use it again",
    )
