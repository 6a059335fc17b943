"""How words of a line are quoted."""

from __future__ import annotations

import re
import shlex

__all__ = ["quoted"]


def quoted(word: str) -> str:
    """A word of a line, quoted where it has to be, as magics and shells alike read it.

    Example:
        >>> print(quoted("iris:v1"), quoted("the team"), quoted("the team's"))
        iris:v1 'the team' "the team's"
    """
    if "'" in word and not re.search(r'["\\$`!]', word):
        return f'"{word}"'
    return shlex.quote(word)
