"""From the words of a notebook to those of a shell."""

from __future__ import annotations

import re

__all__ = ["in_shell_words"]


def in_shell_words(text: str) -> str:
    """A message that names magics, with the commands that do the same.

    Example:
        >>> in_shell_words("%bento_list bentos shows those there are")
        'bento-jupyter list bentos shows those there are'
    """
    return re.sub(r"%{1,2}bento_(\w+)", r"bento-jupyter \1", text)
