"""Many calls of one endpoint at a time: bounded, in order, and over at once when they are interrupted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Literal

from ..errors import BentoJupyterError, CallError
from .endpoint import Endpoints

__all__ = ["Errors", "joined_rows", "map_items", "split_rows"]

Errors = Literal["raise", "return"]


def map_items(
    endpoints: Endpoints,
    name: str,
    items: Iterable[Any],
    *,
    parallel: int = 8,
    errors: Errors = "raise",
    timeout: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Any]:
    """Call an endpoint once for each item.

    Args:
        endpoints: Where.
        name: Name of the endpoint; "" = the only one, or `predict`.
        items: Its inputs: one that takes a single input gets the item; of others a dict has the inputs by
            name, a tuple by position.
        parallel: Calls under way at a time, at most.
        errors: `raise`: the first error ends it all; `return`: errors take the places of answers.
        timeout: Seconds for each call.
        progress: Called with the numbers of calls done and failed, in another thread.

    Returns:
        The answers, in the order of the items.

    Raises:
        CallError: One failed; the message says which.
    """
    if parallel < 1:
        raise CallError(f"parallel={parallel}: at least one call at a time")
    if errors not in ("raise", "return"):
        raise CallError(f"errors={errors!r}", hint="'raise' or 'return'")
    single = len(endpoints.route(name).get("input", {}).get("properties", {})) <= 1
    work = _All(endpoints, name, items, single=single, errors=errors, timeout=timeout, progress=progress)
    # A notebook's thread has a running loop already; and only another thread can be told to stop at once.
    done: Future[list[Any]] = Future()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, work.run(parallel), done), name="bento-map")
    thread.start()
    try:
        answers = done.result()
        endpoints.explain([answer for answer in answers if isinstance(answer, CallError)])
        return answers
    except CallError as error:
        endpoints.explain([error])
        raise
    except BaseException:
        loop.call_soon_threadsafe(work.stop)
        raise
    finally:
        thread.join()
        loop.close()


def _run(loop: asyncio.AbstractEventLoop, work: Any, done: Future[list[Any]]) -> None:
    try:
        done.set_result(loop.run_until_complete(work))
    except BaseException as error:  # raised where it is waited for
        done.set_exception(error)


class _All:
    """The calls of one `map_items`."""

    def __init__(
        self,
        endpoints: Endpoints,
        name: str,
        items: Iterable[Any],
        *,
        single: bool,
        errors: Errors,
        timeout: float | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._endpoints, self._name = endpoints, name
        self._items = enumerate(items)
        self._single, self._errors, self._timeout = single, errors, timeout
        self._progress = progress
        self._answers: dict[int, Any] = {}
        self._failed = 0
        self._task: asyncio.Task[Any] | None = None

    async def run(self, parallel: int) -> list[Any]:
        self._task = asyncio.current_task()
        async with self._endpoints.opened(parallel) as client:
            workers = [asyncio.ensure_future(self._work(client)) for _ in range(parallel)]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
        return [self._answers[at] for at in sorted(self._answers)]

    def stop(self) -> None:
        """End it; runs on its loop."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self, client: Any) -> None:
        for at, item in self._items:
            args, kwargs = self._inputs(item)
            try:
                answer = await self._endpoints._aheld(
                    client, self._endpoints._called(self._name, args, kwargs)
                )
                self._answers[at] = answer.value
            except BentoJupyterError as error:
                if self._errors == "raise":
                    error.message = f"item {at}: {error.message}"
                    error.args = (error.message,)
                    raise
                self._answers[at] = error
                self._failed += 1
            if self._progress is not None:
                self._progress(len(self._answers), self._failed)

    def _inputs(self, item: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        kwargs: dict[str, Any] = {} if self._timeout is None else {"timeout": self._timeout}
        if not self._single and isinstance(item, Mapping):
            return (), {**item, **kwargs}
        if not self._single and isinstance(item, tuple):
            return item, kwargs
        return (item,), kwargs


def split_rows(value: Any, rows: int) -> list[Any]:
    """A table in pieces of `rows` rows; of other sequences the items."""
    if rows < 1:
        raise CallError(f"rows={rows}: at least one row at a time")
    table = value.iloc if hasattr(value, "iloc") else value if getattr(value, "ndim", 0) else None
    if table is None:
        return list(value)
    return [table[at : at + rows] for at in range(0, len(value), rows)]


def joined_rows(answers: list[Any]) -> Any:
    """Answers to pieces of a table as one: arrays and frames one below the other, lists in a row."""
    first = answers[0] if answers else None
    if any(type(answer) is not type(first) for answer in answers):
        return answers
    if hasattr(first, "iloc"):
        import pandas as pd

        plain = all(isinstance(answer.index, pd.RangeIndex) for answer in answers)
        return pd.concat(answers, ignore_index=plain)
    if getattr(first, "ndim", 0) and hasattr(first, "dtype"):
        import numpy as np

        return np.concatenate(answers)
    if isinstance(first, list):
        return [item for answer in answers for item in answer]
    return answers
