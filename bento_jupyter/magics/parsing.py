"""Magic lines: split as a shell does, expressions kept whole, mistakes as errors that fail the cell."""

from __future__ import annotations

import shlex
from argparse import Namespace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError

from ..errors import BentoJupyterError, MagicUsageError
from ..quoting import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from IPython.core.interactiveshell import InteractiveShell

__all__ = [
    "DEFAULTS",
    "NEW_ONLY",
    "evaluate",
    "join",
    "parse",
    "split",
    "split_call",
    "split_word",
    "value_options",
]

#: What `%config BentoMagics` says of options that a line does not name, by the name of the argument.
DEFAULTS: dict[str, Any] = {}
#: Those of them that are of deployments which are new: what exists is not changed by a default.
NEW_ONLY = ("mode", "instance_type")

CLOSING = {"(": ")", "[": "]", "{": "}"}
#: Characters from which on a usage is no help any more.
LONG_USAGE = 120


def parse(function: Callable[..., Any], line: str) -> Namespace:
    """The arguments of a magic's line.

    Args:
        function: The magic, decorated with `magic_arguments`.
        line: What stands behind its name.

    Raises:
        MagicUsageError: The line does not fit; the hint is the usage.
    """
    parser: Any = function.parser  # type: ignore[attr-defined]
    try:
        words = split(line)
    except ValueError as error:
        raise MagicUsageError(f"the line cannot be read: {error}", hint=_usage_of(parser)) from error
    try:
        arguments: Namespace = parser.parse_args(words)
    except UsageError as error:
        options = [option for action in parser._actions for option in action.option_strings]
        _usage_error(str(error), _usage_of(parser), options, error)
    for key, value in DEFAULTS.items():
        not_said = hasattr(arguments, key) and getattr(arguments, key) == parser.get_default(key)
        if not_said and key not in NEW_ONLY:
            setattr(arguments, key, value)
    return arguments


def _usage_of(parser: Any) -> str:
    """How a magic is said, in a line."""
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ").removeprefix("::").strip()
    return f"%{usage.split()[0].lstrip('%')}? explains the options" if len(usage) > LONG_USAGE else usage


def split(line: str) -> list[str]:
    """The words of a line, split as by a shell, but what stands in brackets is an expression and stays whole.

    A trailing `;` and a comment are left out.

    Raises:
        ValueError: A quotation is not closed.

    Example:
        >>> split('clf --sample df[["age", "sex"]].head() --name "my name"  # now')
        ['clf', '--sample', 'df[["age", "sex"]].head()', '--name', 'my name']
    """
    ready: list[str] = []
    at = 0
    while at < len(line):
        char, start = line[at], at
        if char == "#" and (at == 0 or line[at - 1].isspace()):
            break
        if char == "'":  # as in a shell, nothing is escaped in here
            end = line.find("'", at + 1)
            at = end + 1 if end >= 0 else len(line)
        elif char == '"':
            at = _quotation_end(line, at)
        elif char == "\\":
            at += 2
        elif char in CLOSING and (end := _group_end(line, at)):
            at = end
            ready.append(shlex.quote(line[start:at]))
            continue
        else:
            at += 1
        ready.append(line[start:at])
    return shlex.split("".join(ready).strip().removesuffix(";"))


def join(words: Sequence[str]) -> str:
    """The line of these words: `split` gives them back.

    Example:
        >>> join(["iris", "--label", "owner=the team"])
        "iris --label 'owner=the team'"
    """
    return " ".join(map(quoted, words))


def _quotation_end(line: str, start: int) -> int:
    """Position behind the quotation that begins at `start`; the end of the line if it is not closed."""
    at = start + 1
    while at < len(line) and line[at] != line[start]:
        at += 2 if line[at] == "\\" else 1
    return min(at + 1, len(line))


def _group_end(line: str, start: int) -> int:
    """Position behind the bracket that closes the one at `start`; 0 when none does."""
    wanted, at = [CLOSING[line[start]]], start + 1
    while at < len(line) and wanted:
        char = line[at]
        if char in "\"'":
            at = _quotation_end(line, at)
            continue
        if char in CLOSING:
            wanted.append(CLOSING[char])
        elif char == wanted[-1]:
            wanted.pop()
        at += 1
    return 0 if wanted else at


def _usage_error(said: str, usage: str, options: list[str], cause: Exception) -> NoReturn:
    message = said.rsplit("error: ", maxsplit=1)[-1].strip()
    unknown = next((word for word in message.split() if word.startswith("--")), "")
    close = get_close_matches(unknown, options, n=1) if message.startswith("unrecognized") else []
    hint = f"did you mean {close[0]}?" if close else usage
    raise MagicUsageError(message, hint=hint) from cause


def evaluate(shell: InteractiveShell, expression: str, what: str, *, hint: str = "") -> Any:
    """The value of an expression in the notebook's namespace.

    Args:
        shell: The shell of the notebook.
        expression: A name or expression, e.g. `X_test[:5]`.
        what: What it is for, in messages.
        hint: For when it is no expression at all.

    Raises:
        MagicUsageError: A name in it is unknown (close ones are in the hint), or it fails.
    """
    try:
        return shell.ev(expression)
    except NameError as error:
        name = getattr(error, "name", None) or expression
        known = [key for key in shell.user_ns if not key.startswith("_")]
        close = get_close_matches(name, known)
        hint = f"did you mean {' or '.join(close)}?" if close else "run the cell that defines it first"
        if what == "--sample" and not close:
            hint += """; a text stands in double quotes and quotes: "'some text'\""""
        raise MagicUsageError(f"{what}: the notebook has no object {name!r}", hint=hint) from error
    except SyntaxError as error:
        raise MagicUsageError(
            f"{what}: {expression!r} is not an expression: {error.msg}", hint=hint
        ) from error
    except BentoJupyterError:
        raise
    except Exception as error:
        raise MagicUsageError(f"{what}: {expression!r} fails: {type(error).__name__}: {error}") from error


def split_word(line: str) -> tuple[str, str]:
    """First word as it stands, with its quotes, and the rest.

    Example:
        >>> split_word("--cloud='my cloud' iris X")
        ("--cloud='my cloud'", 'iris X')
    """
    line, at = line.strip(), 0
    while at < len(line) and not line[at].isspace():
        if line[at] in "\"'":
            at = _quotation_end(line, at)
        else:
            at += 2 if line[at] == "\\" else 1
    return line[:at], line[at:].strip()


def value_options(function: Callable[..., Any]) -> set[str]:
    """The options of a magic that a value follows."""
    parser: Any = function.parser  # type: ignore[attr-defined]
    return {option for action in parser._actions if action.nargs != 0 for option in action.option_strings}


def split_call(line: str) -> tuple[str, str]:
    """First word and the rest, as it stands: the rest of a call is an expression, spaces and quotes included.

    Example:
        >>> split_call("iris X_test.sample(3, random_state=1)")
        ('iris', 'X_test.sample(3, random_state=1)')
    """
    first, _, rest = line.strip().removesuffix(";").strip().partition(" ")
    return first, rest.strip()
