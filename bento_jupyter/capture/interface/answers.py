"""Asks live objects of the notebook, and leaves them and the notebook's names as they were."""

from __future__ import annotations

import asyncio
import copy
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bento_jupyter.errors import NotServableError

from ..proof.compare import compare

__all__ = ["MOST_PARTS", "answer", "copied", "unsteady"]

#: Parts of a stream that are waited for; a generator may go on for ever.
MOST_PARTS = 10_000


def answer(ask: Callable[..., Any], inputs: Mapping[str, Any], names: dict[str, Any] | None = None) -> Any:
    """What a live object answers to copies of `inputs`; the parts of a stream as a list.

    Names of the notebook that the object's code binds meanwhile (`global`) are put back.

    Args:
        ask: Called with the inputs by name; may be a coroutine function or a generator, too.
        inputs: Live inputs by name.
        names: The notebook's globals; None = there are none to put back.

    Raises:
        NotServableError: It is a stream that does not end.
        Exception: Whatever the object raises.
    """
    values = {name: copied(value) for name, value in inputs.items()}
    with unchanged(names):
        result = ask(**values)
        if inspect.isawaitable(result):
            return _in_own_loop(_awaited(result))
        if inspect.isasyncgen(result):
            return _in_own_loop(_collected(result))
        if inspect.isgenerator(result):
            parts = []
            for part in result:
                parts.append(part)
                _not_endless(parts)
            return parts
        return result


def unsteady(
    ask: Callable[..., Any], inputs: Mapping[str, Any], first: Any, names: dict[str, Any] | None = None
) -> str:
    """Why an answer cannot be proven: asked again, the object answers otherwise; "" when it does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said once already
        try:
            difference = compare(first, answer(ask, inputs, names))
        except Exception as error:  # whatever the notebook's code raises the second time
            return f"asked a second time it raises {type(error).__name__}: {error}"
    return "" if difference.equal else f"it answers otherwise the second time ({difference.detail})"


def copied(value: Any) -> Any:
    """A deep copy where there is one: the notebook's code may change what it is given."""
    try:
        return copy.deepcopy(value)
    except Exception:  # objects may refuse to be copied in any way they like
        return value


@contextmanager
def unchanged(names: dict[str, Any] | None) -> Iterator[None]:
    """Put back, at the end, what the names of a namespace are bound to now."""
    if names is None:
        yield
        return
    before = dict(names)
    try:
        yield
    finally:
        for name in [name for name in names if name not in before]:
            del names[name]
        names.update({name: value for name, value in before.items() if names.get(name) is not value})


def _in_own_loop(coroutine: Any) -> Any:
    """Run a coroutine to its end; the notebook's own loop is busy with the cell that asked."""
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["value"] = asyncio.run(coroutine)
        except BaseException as error:  # handed on to the thread that waits
            outcome["error"] = error

    thread = threading.Thread(target=run, name="answer", daemon=True)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


async def _awaited(result: Any) -> Any:
    value = await result
    return await _collected(value) if inspect.isasyncgen(value) else value


async def _collected(stream: Any) -> list[Any]:
    parts: list[Any] = []
    async for part in stream:
        parts.append(part)
        _not_endless(parts)
    return parts


def _not_endless(parts: list[Any]) -> None:
    if len(parts) >= MOST_PARTS:
        raise NotServableError(
            f"the generator gave {MOST_PARTS:,} parts and went on", hint="give it an end for the sample"
        )
