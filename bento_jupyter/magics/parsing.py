"""Magic lines: split as a shell does, objects by name, mistakes as errors that fail the cell."""

from __future__ import annotations

import shlex
from argparse import Namespace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError

from ..errors import MagicUsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["evaluate", "parse", "split_call"]


def parse(function: Callable[..., Any], line: str) -> Namespace:
    """The arguments of a magic's line.

    Args:
        function: The magic, decorated with `magic_arguments`.
        line: What stands behind its name.

    Raises:
        MagicUsageError: The line does not fit; the hint is the usage.
    """
    parser: Any = function.parser  # type: ignore[attr-defined]
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ").removeprefix("::").strip()
    try:
        words = shlex.split(line.strip().removesuffix(";"), posix=True)
    except ValueError as error:
        raise MagicUsageError(f"{parser.prog or 'line'}: {error}", hint=usage) from error
    try:
        arguments: Namespace = parser.parse_args(words)
    except UsageError as error:
        _usage_error(str(error), usage, error)
    return arguments


def _usage_error(said: str, usage: str, cause: Exception) -> NoReturn:
    raise MagicUsageError(said.rsplit("error: ", maxsplit=1)[-1].strip(), hint=usage) from cause


def evaluate(shell: InteractiveShell, expression: str, what: str) -> Any:
    """The value of an expression in the notebook's namespace.

    Args:
        shell: The shell of the notebook.
        expression: A name or expression, e.g. `X_test[:5]`.
        what: What it is for, in messages.

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
        raise MagicUsageError(f"{what}: the notebook has no object {name!r}", hint=hint) from error
    except SyntaxError as error:
        raise MagicUsageError(f"{what}: {expression!r} is not an expression: {error.msg}") from error
    except Exception as error:
        raise MagicUsageError(f"{what}: {expression!r} fails: {type(error).__name__}: {error}") from error


def split_call(line: str) -> tuple[str, str]:
    """First word and the rest, as it stands: the rest of a call is an expression, spaces and quotes included.

    Example:
        >>> split_call("iris X_test.sample(3, random_state=1)")
        ('iris', 'X_test.sample(3, random_state=1)')
    """
    first, _, rest = line.strip().removesuffix(";").strip().partition(" ")
    return first, rest.strip()
