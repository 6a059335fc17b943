"""Completion of the magics' options and of what stands behind them.

What fits where is read from the parsers of the magics, by the names of their arguments, so an option that a
magic gets is completed from then on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from .help import verbs_of
from .names import Names

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["BentoMatcher"]

_LINE = re.compile(r"(?:^|=\s*)\s*%{1,2}(bento(?:_\w+)?)\s+(.*)$")
#: What is offered for an argument, by its name.
_OF_ARGUMENT = {
    "instance_type": "instance types",
    "type_there": "instance types",
    "secret": "secrets",
    "cloud": "contexts",
    "context": "contexts",
    "source": "contexts",
    "to": "contexts",
    "bento": "bentos",
    "target": "bentos",
    "name": "deployments",
}
#: Arguments that take objects of the notebook.
_OBJECTS = {"object", "target", "sample", "bento", "expression"}
#: Magics whose `name` is a new one.
_NEW_NAME = {"bento_build", "bento_service"}


class BentoMatcher:
    """Matcher for the v2 completer API; its names come from a cache that is filled in the background.

    Args:
        shell: The shell to complete in.
    """

    _ATTRIBUTE = "_bento_matcher"

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.names = Names()

        def matcher(context: Any) -> dict[str, Any]:
            return self._match(context)

        # The decorator writes attributes on what it decorates, which a bound method does not take.
        self.matcher = context_matcher(identifier="bento_jupyter", priority=150)(matcher)

    @classmethod
    def install(cls, shell: InteractiveShell) -> None:
        """Add the matcher to a shell, once."""
        if shell.Completer is None or hasattr(shell.Completer, cls._ATTRIBUTE):
            return
        found = cls(shell)
        shell.Completer.custom_matchers.append(found.matcher)
        setattr(shell.Completer, cls._ATTRIBUTE, found)

    @classmethod
    def remove(cls, shell: InteractiveShell) -> None:
        """Take the matcher away."""
        found = getattr(shell.Completer, cls._ATTRIBUTE, None)
        if found is not None:
            shell.Completer.custom_matchers.remove(found.matcher)
            delattr(shell.Completer, cls._ATTRIBUTE)

    def _match(self, context: Any) -> dict[str, Any]:
        found = _LINE.search(context.line_with_cursor)
        if found is None:
            return {"completions": [], "suppress": False}
        magic, typed = found.groups()
        words = typed.split(" ")
        candidates = self._candidates(magic, words)
        if candidates is None:
            return {"completions": [], "suppress": False}
        fitting = dict.fromkeys(word for word in candidates if word.startswith(words[-1]))
        return {
            "completions": [SimpleCompletion(word, type="param") for word in fitting],
            "matched_fragment": words[-1],
            "suppress": True,  # of files and Python names nothing fits
        }

    def _candidates(self, magic: str, words: list[str]) -> list[str] | None:
        """What may stand where the last word is; None where that is an expression, for Python's completer."""
        if magic == "bento":
            if len(words) == 1:
                return ["doctor", *verbs_of(self.shell)]
            magic, words = f"bento_{words[0]}", words[1:]
        function = verbs_of(self.shell).get(magic.removeprefix("bento_"))
        actions = getattr(getattr(function, "parser", None), "_actions", [])
        options = {option: action for action in actions for option in action.option_strings}
        if words[-1].startswith("-"):
            return sorted(
                option for option, action in options.items() if option.startswith("--") and _shown(action)
            )
        said, cloud, before = _read(words[:-1], options)
        if before is not None:
            return self._values(magic, before, words[-1], said, cloud)
        places = [action for action in actions if not action.option_strings and _shown(action)]
        if not places:
            return None
        place = places[min(len(said), len(places) - 1)]
        if len(said) >= len(places) and place.nargs not in ("+", "*"):
            return None
        return self._values(magic, place, words[-1], said, cloud)

    def _values(self, magic: str, action: Any, word: str, said: list[str], cloud: str) -> list[str] | None:
        """What fits an argument, of which `word` is there already."""
        if action.choices:
            return [str(choice) for choice in action.choices]
        takes_objects = action.dest in _OBJECTS or (action.dest == "endpoint" and bool(said))
        if takes_objects and any(char in word for char in ".[(/"):
            return None
        found: list[str] = []
        kind = _OF_ARGUMENT.get(action.dest)
        if action.dest == "endpoint" and said:
            kind = f"endpoints of {said[0]}"
        if kind is not None and not (action.dest == "name" and magic in _NEW_NAME):
            found += self.names.get(kind, "" if kind == "contexts" else cloud)
        if takes_objects:
            found += self._objects()
        return found if kind is not None or takes_objects else None

    def _objects(self) -> list[str]:
        """Names that the user has given to objects, as far as they may be served or sent."""
        hidden = self.shell.user_ns_hidden
        return [
            name
            for name, value in self.shell.user_ns.items()
            if not name.startswith("_") and name not in hidden and type(value).__name__ != "module"
        ]


def _read(words: list[str], options: dict[str, Any]) -> tuple[list[str], str, Any]:
    """Of finished words: those in the places, the cloud that is named, the option that lacks its value."""
    said: list[str] = []
    cloud, waiting = "", None
    for word in filter(None, words):
        if waiting is not None:
            cloud = word if waiting.dest in ("cloud", "source") else cloud
            waiting = None
        elif word.startswith("--"):
            action = options.get(word)
            waiting = action if action is not None and action.nargs != 0 else None
        else:
            said.append(word)
    return said, cloud, waiting


def _shown(action: Any) -> bool:
    return bool(action.help != "==SUPPRESS==")
