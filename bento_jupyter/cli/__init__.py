"""The shell face: `bento-jupyter VERB ...`.

Each verb that needs no live object is that of its magic: the same words, defaults and errors (`verbs.py`).
What only a shell has is declared here: the embedded cloud (`cloud.py`) and `doctor`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from ..errors import BentoJupyterError, Interrupted, MagicUsageError

__all__ = ["main"]

#: Commands that are not verbs of the notebook; what they need is loaded in a moment.
OWN = ("cloud", "doctor")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: Its words; None = those of the process.

    Returns:
        The exit code: 0, or 1 when an error was said, 2 when the words were not understood, 130 when it was
        interrupted.

    Example:
        >>> main(["status", "iris", "--json"])  # doctest: +SKIP
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words and not words[0].startswith("-") and words[0] not in OWN:
            from .verbs import run

            return run(words[0], words[1:])
        arguments = _parser().parse_args(words)
        code: int = arguments.run(arguments)
    except BentoJupyterError as error:
        from .words import in_shell_words

        print(in_shell_words("\n".join(error._render_traceback_())), file=sys.stderr)
        return 2 if isinstance(error, MagicUsageError) else 1
    except Interrupted as error:
        print(error, file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    from .. import __version__
    from . import cloud

    parser = _Parser(
        prog="bento-jupyter",
        description="From a live object in a notebook to an endpoint that other people call.",
    )
    parser.add_argument("--version", action="version", version=f"bento-jupyter {__version__}")
    commands = parser.add_subparsers(
        required=True,
        metavar="COMMAND",
        parser_class=argparse.ArgumentParser,
        title="the cloud and its surroundings",
    )
    cloud.add(commands)
    doctor = commands.add_parser("doctor", help="check that everything needed is there, and say what to do")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.set_defaults(run=_doctor)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says the verbs too when it is asked for help: they take IPython, `cloud` and `doctor` do not."""

    def format_help(self) -> str:
        from .verbs import summary

        return f"{super().format_help()}\n{summary()}\n"


def _doctor(arguments: Any) -> int:
    import json
    from dataclasses import asdict

    from ..doctor import checks

    found = []
    for check in checks():
        found.append(check)
        if not arguments.json:
            print(f"{'ok  ' if check.ok else 'FAIL'} {check.what}: {check.found}")
            if not check.ok:
                print(f"     -> {check.hint}")
    if arguments.json:
        print(json.dumps([asdict(check) for check in found], indent=1))
    return 0 if all(check.ok for check in found) else 1
