"""The verbs, a line each; and what to say to a magic that does not exist."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ..errors import MagicUsageError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Misspelt", "first_line", "unknown_verb", "verbs_of"]

PREFIX = "bento_"


def verbs_of(shell: InteractiveShell) -> dict[str, Any]:
    """The magics of a shell that are verbs, by their words without `bento_`."""
    tables = shell.magics_manager.magics
    found = {**tables["cell"], **tables["line"]}
    return {
        name.removeprefix(PREFIX): function
        for name, function in sorted(found.items())
        if name.startswith(PREFIX)
    }


def first_line(function: Any) -> str:
    """What a magic does, in a line."""
    parser = getattr(function, "parser", None)
    text = (parser.description if parser is not None else function.__doc__) or ""
    return str(text).strip().partition("\n")[0]


def unknown_verb(word: str, known: list[str]) -> MagicUsageError:
    """The error for a verb that there is not, with those that are close."""
    close = get_close_matches(word, known, n=2)
    hint = f"did you mean {' or '.join(f'%bento_{item}' for item in close)}?" if close else ""
    return MagicUsageError(f"there is no verb {word!r}", hint=hint or "%bento lists them")


class Misspelt:
    """Hands the lines of magics called `%bento_...` that there are not to `%bento`, which knows the others.

    It works on what IPython has made of a cell, so that a text which only looks like a magic stays as it is.

    Args:
        shell: The shell whose cells are looked at.
    """

    _CALL = re.compile(r"get_ipython\(\)\.run_(line|cell)_magic\('bento_(\w+)', '")

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def __call__(self, lines: list[str]) -> list[str]:
        """The lines of a cell, as Python, with what is misspelt handed to `%bento`."""
        return [self._CALL.sub(self._renamed, line) if "_magic('bento_" in line else line for line in lines]

    def _renamed(self, found: re.Match[str]) -> str:
        kind, verb = found.groups()
        if PREFIX + verb in self.shell.magics_manager.magics[kind]:
            return found.group()
        return f"get_ipython().run_{kind}_magic('bento', '{verb} "

    @classmethod
    def install(cls, shell: InteractiveShell) -> None:
        """Look at the cells of a shell from now on."""
        if not any(isinstance(item, cls) for item in shell.input_transformers_post):
            shell.input_transformers_post.append(cls(shell))

    @classmethod
    def remove(cls, shell: InteractiveShell) -> None:
        """Look at them no more."""
        kept = [item for item in shell.input_transformers_post if not isinstance(item, cls)]
        shell.input_transformers_post[:] = kept
