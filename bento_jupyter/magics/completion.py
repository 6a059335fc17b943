"""Completion of the magics' options and of the names of deployments, Bentos and the notebook's objects."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["BentoMatcher"]

_LINE = re.compile(r"(?:^|=\s*)\s*%{1,2}(bento_\w+)\s+(.*)$")
#: Magics whose first word is the name of a deployment.
_ON_DEPLOYMENTS = {
    "bento_status",
    "bento_call",
    "bento_logs",
    "bento_terminate",
    "bento_delete",
    "bento_start",
}
#: Seconds after which the names are asked for again.
_FRESH = 5.0


class BentoMatcher:
    """Matcher for the v2 completer API; its names come from a cache that is filled in the background.

    Args:
        shell: The shell to complete in.
    """

    _ATTRIBUTE = "_bento_matcher"

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self._names: list[str] = []
        self._asked = 0.0

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
        return {
            "completions": [
                SimpleCompletion(word, type="param") for word in candidates if word.startswith(words[-1])
            ],
            "matched_fragment": words[-1],
            "suppress": bool(candidates),
        }

    def _candidates(self, magic: str, words: list[str]) -> list[str]:
        function = self.shell.find_line_magic(magic)
        actions = [] if function is None else getattr(getattr(function, "parser", None), "_actions", [])
        options = {option: action for action in actions for option in action.option_strings}
        if words[-1].startswith("-"):
            return sorted(option for option in options if option.startswith("--"))
        before = options.get(words[-2]) if len(words) > 1 else None
        if before is not None and before.choices:
            return list(before.choices)
        if before is not None and before.nargs != 0:
            return []
        if len(words) == 1:
            positional = next((action for action in actions if not action.option_strings), None)
            if positional is not None and positional.choices:
                return list(positional.choices)
            if magic in _ON_DEPLOYMENTS:
                return self._deployments()
        return []

    def _deployments(self) -> list[str]:
        if time.monotonic() - self._asked > _FRESH:
            # A completer must not wait for a network: the names known so far now, the new ones next time.
            self._asked = time.monotonic()
            threading.Thread(target=self._ask, name="bento-completion", daemon=True).start()
        return self._names

    def _ask(self) -> None:
        from ..client import embedded
        from ..client.cloud import Cloud
        from ..errors import BentoJupyterError

        state = embedded.find()
        if state is None:
            return
        try:
            views = Cloud("embedded", state.endpoint, state.token, embedded=True).deployments()
        except BentoJupyterError:
            return
        self._names = [view.name for view in views]
