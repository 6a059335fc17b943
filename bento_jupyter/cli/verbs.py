"""The verbs of the notebook in a shell.

A verb is the magic of its name, run without a notebook: what a line may say, its defaults and its errors are
declared once, where the magic is. Only `--json`, `--help` and the body of a call on standard input are the
shell's own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from ..client.cloud import Cloud
from ..errors import MagicUsageError

__all__ = ["run", "summary", "verbs"]

#: What only makes sense where live objects are, or is said otherwise in a shell.
LIVE = {"build", "service", "form", "cloud"}


def verbs() -> dict[str, Any]:
    """The magics that need no live object, by the word that a shell has for them."""
    from ..magics import classes

    found = {}
    for kind in classes():
        magics = kind()
        magics.shell = _NoNotebook()
        for table in (magics.magics["cell"], magics.magics["line"]):
            for name, function in table.items():
                verb = name.removeprefix("bento_")
                if name.startswith("bento_") and verb not in LIVE:
                    found[verb] = function
    return dict(sorted(found.items()))


def summary() -> str:
    """A line per verb, for the help of the command."""
    from ..magics.help import first_line

    lines = [f"  {verb:12} {first_line(function)}" for verb, function in verbs().items()]
    return "\n".join(["verbs (VERB --help explains one; all of them take --json):", *lines])


def run(verb: str, words: Sequence[str]) -> int:
    """Run a verb and write what it gives back.

    Args:
        verb: E.g. `status`.
        words: What stands behind it.

    Returns:
        The exit code.

    Raises:
        MagicUsageError: There is no such verb, or its words are not understood.
    """
    from ..magics.parsing import join

    known = verbs()
    if verb not in known:
        close = get_close_matches(verb, [*known, "cloud", "doctor"], n=1)
        raise MagicUsageError(
            f"there is no verb {verb!r}",
            hint=f"did you mean {close[0]}?" if close else "bento-jupyter --help lists them",
        )
    function, said = known[verb], list(words)
    if "--help" in said or "-h" in said:
        from .words import in_shell_words

        print(in_shell_words(_help(verb, function)))
        return 0
    as_json = "--json" in said
    said = [word for word in said if word != "--json"]
    if verb == "call":
        said, body = _body(said)
        result = function(join(said), body)
    else:
        result = function(join(said))
    if verb == "login":
        result = _kept(result)
    if result is not None:
        print(_json(result) if as_json else _text(result))
    return 0


def _kept(cloud: Any) -> Any:
    """A cloud logged in to, kept for the commands to come, which name it: a shell has no session."""
    if not isinstance(cloud, Cloud) or cloud.embedded:
        return cloud
    from ..client import contexts

    contexts.save(cloud.name, endpoint=cloud.endpoint, token=cloud.token, switch=False)
    return f"logged in to {cloud.endpoint}; commands for it say --cloud {cloud.name}"


def _help(verb: str, function: Any) -> str:
    """The help of a magic's parser, under the name that it has here."""
    parser = function.parser
    usage = parser.format_help().partition("%")[2]
    return f"usage: bento-jupyter {verb}{usage.partition(parser.prog)[2]}".rstrip()


def _body(words: list[str]) -> tuple[list[str], str]:
    """Words of a call without its JSON body, and that: the last word, else standard input."""
    if words:
        try:
            json.loads(words[-1])
        except ValueError:
            pass
        else:
            return words[:-1], words[-1]
    if sys.stdin is None or sys.stdin.isatty():
        raise MagicUsageError(
            "what is the input?",
            hint="""bento-jupyter call NAME [ENDPOINT] '{"X": [[1, 2]]}', or the JSON on standard input""",
        )
    return words, sys.stdin.read().strip() or "{}"


def _text(result: Any) -> str:
    bundle = getattr(result, "_repr_mimebundle_", None)
    text = bundle()["text/plain"] if bundle is not None else result
    from .words import in_shell_words

    return in_shell_words(str(text))


def _json(result: Any) -> str:
    from ..display.tables import JSON_TYPE

    bundle = getattr(result, "_repr_mimebundle_", None)
    data = bundle().get(JSON_TYPE) if bundle is not None else None
    return json.dumps(result if data is None else data, indent=1, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """What JSON has no word for, as near as it gets."""
    for method in ("tolist", "to_dict", "model_dump"):
        if hasattr(value, method):
            return getattr(value, method)()
    return list(value) if hasattr(value, "__iter__") else str(value)


class _NoNotebook:
    """What the magics ask of a shell, where there are no objects."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}

    def ev(self, expression: str) -> Any:
        raise MagicUsageError(
            f"{expression!r}: a shell has no live objects, and nothing of this name is built or deployed",
            hint="bento-jupyter list bentos shows what there is",
        )
