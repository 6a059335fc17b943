"""A call that goes on in a thread of its own, so that it can be given up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ..client.deployment import Deployment
from ..client.failures import explain
from ..client.payload import joined
from ..client.tasks import Task
from ..errors import CallError, Interrupted

__all__ = ["Asking"]

#: Seconds between two looks at what has come so far.
LOOK = 0.1


class Asking:
    """One call of an endpoint: a plain one, a stream whose parts are kept as they come, or a task.

    Giving it up closes the connection of a plain call at once, that of a stream with its next part, and
    cancels a task.

    Args:
        dep: The deployment.
        route: Schema of the endpoint.
        values: Its inputs by name; of an endpoint with a root input the only one, by any name.

    Attributes:
        parts: What of a stream has come.
    """

    def __init__(self, dep: Deployment, route: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self.dep, self.route = dep, route
        self.parts: list[Any] = []
        is_root = bool(route.get("input", {}).get("root_input"))
        self._args = tuple(values.values()) if is_root else ()
        self._kwargs = {} if is_root else dict(values)
        self._given_up = threading.Event()
        self._ended = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None
        self._give_up: Callable[[], Any] = lambda: None

    @property
    def streams(self) -> bool:
        """The answer comes in parts."""
        return bool(self.route.get("output", {}).get("is_stream"))

    def answer(self, cancelled: threading.Event, show: Callable[[], None]) -> Any:
        """Call, and wait for the answer.

        Args:
            cancelled: Gives it up.
            show: Called now and then meanwhile.

        Raises:
            CallError: The inputs do not fit, or the endpoint refused or failed.
            Interrupted: It was given up.
        """
        threading.Thread(target=self._run, name="bento-call", daemon=True).start()
        while not self._ended.wait(LOOK):
            if cancelled.is_set():
                self._given_up.set()
                with suppress(CallError, RuntimeError):  # it ended at this moment
                    self._give_up()
                raise Interrupted("the call was stopped", hint="its answer is not waited for")
            show()
        if self._error is not None:
            raise self._error
        return self._value

    def _run(self) -> None:
        work = self._streamed if self.streams else self._task if self.route.get("is_task") else self._plain
        try:
            self._value = work()
        except CallError as error:
            explain([error], self.dep.cloud, self.dep.name)
            self._error = error
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    def _plain(self) -> Any:
        async def call() -> Any:
            task, loop = asyncio.current_task(), asyncio.get_running_loop()
            assert task is not None
            self._give_up = lambda: loop.call_soon_threadsafe(task.cancel)
            if self._given_up.is_set():
                return None
            return await self.dep.acall(self.route["name"], *self._args, **self._kwargs)

        return asyncio.run(call())

    def _streamed(self) -> Any:
        for part in self.dep.stream(self.route["name"], *self._args, **self._kwargs):
            if self._given_up.is_set():
                break  # which closes the generator, and its connection
            self.parts.append(part)
        return joined(self.parts, self.route["output"])

    def _task(self) -> Any:
        task: Task = self.dep.submit(self.route["name"], *self._args, **self._kwargs)
        self._give_up = task.cancel
        return task.result()
