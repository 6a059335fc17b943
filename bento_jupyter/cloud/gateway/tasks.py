"""Tasks of `@bentoml.task` methods: taken, run through the queue like requests, their results kept.

Between a caller's calls nothing but the gateway knows of a task: replicas may come and go meanwhile. What a
replica gets is the plain call of the method, so it needs no store of its own.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Coroutine
from typing import Any

from .bodies import Body
from .heads import ResponseHead
from .responses import Answer, bad_gateway, request_timeout
from .route import Route
from .split import MAIN
from .taskstore import KEPT_SECONDS, Status, TaskRow, TaskStore
from .upstream import Replica, ReplicaConnection

__all__ = ["LARGEST_TASK", "TaskRun", "Tasks"]

_log = logging.getLogger(__name__)

#: Bytes that a task's input may have, and its result.
LARGEST_TASK = 128 * 1024 * 1024
#: Seconds until it is tried again to write what has become of a task.
_WRITE_AGAIN = 2.0


class Tasks:
    """The tasks of this gateway.

    Args:
        path: Of the file they are kept in.
    """

    def __init__(self, path: str) -> None:
        interrupted = Answer(
            503, "the cloud was stopped while this task ran", hint="it was not run again: `retry` does that"
        )
        self.store = TaskStore(path, interrupted.parts())
        self._routes: dict[tuple[str, str], Route] = {}
        self._runs: dict[str, TaskRun] = {}
        self._resumed: set[tuple[str, str]] = set()
        self._jobs: set[asyncio.Task[None]] = set()

    # What the control plane says

    def route_changed(self, route: Route) -> None:
        """A route is there, or is another: tasks that wait for it go on."""
        owner = route.policy.owner
        key = owner, route.name
        self._routes[key] = route
        if route.policy.tasks and key not in self._resumed and route.name == place_of(route):
            self._resumed.add(key)
            self._go(self._resume(owner, route.name))
        for run in list(self._runs.values()):
            if run.owner == owner:
                run.go_on()

    def route_removed(self, route: Route) -> None:
        """A route is gone; with the main one the deployment, and with that its tasks."""
        owner = route.policy.owner
        self._routes.pop((owner, route.name), None)
        if route.name != MAIN:
            for run in list(self._runs.values()):
                run.go_on()
            return
        for task, run in list(self._runs.items()):
            if run.owner == owner:
                del self._runs[task]
                run.cancel()
        if route.policy.tasks:
            self._go(self.store.forget(owner))

    def close(self) -> None:
        """Finish writing."""
        self.store.close()

    # What callers ask

    async def submit(self, route: Route, request: bytes) -> TaskRow:
        """Take a task.

        Args:
            route: Where it came in.
            request: What a replica is to be sent.

        Raises:
            sqlite3.Error: It cannot be kept.
        """
        row = await self.store.add(route.policy.owner, place_of(route), request)
        self._start(route, row)
        return row

    async def retry(self, route: Route, task: str) -> TaskRow | None:
        """Take a task again, as a new one; None when there is no such.

        Raises:
            sqlite3.Error: It cannot be kept.
        """
        row = await self.store.add_again(route.policy.owner, task, place_of(route))
        if row is not None:
            self._start(route, row)
        return row

    async def cancel(self, task: str) -> bool:
        """Cancel a task; False when it has ended before.

        Raises:
            sqlite3.Error: That cannot be written.
        """
        canceled = await self.store.end(task, Status.CANCELED, None, b"")
        run = self._runs.pop(task, None) if canceled else None
        if run is not None:
            run.cancel()
        return canceled

    # What runs ask

    def route_for(self, owner: str, name: str) -> Route | None:
        """The route of a set; in place of a version that is gone the main one; None when there is none."""
        return self._routes.get((owner, name)) or (None if "/" in name else self._routes.get((owner, MAIN)))

    def ended(self, run: TaskRun, status: str, head: bytes, content: bytes) -> None:
        """A task has ended: keep its answer."""
        if self._runs.pop(run.id, None) is not None:
            self._go(self._keep(run.id, status, head, content))

    # Inside

    async def _keep(self, task: str, status: str, head: bytes, content: bytes) -> None:
        while True:
            try:
                await self.store.end(task, status, head, content)
                return
            except sqlite3.Error as error:  # a full disk, for one
                _log.error("the result of task %s cannot be written yet: %s", task, error)
                await asyncio.sleep(_WRITE_AGAIN)

    async def _resume(self, owner: str, place: str) -> None:
        while True:
            try:
                rows = await self.store.pending(owner, place)
                break
            except sqlite3.Error as error:
                _log.error("the tasks of %s cannot be read yet: %s", place, error)
                await asyncio.sleep(_WRITE_AGAIN)
        route = self._routes.get((owner, place))
        for row in rows:
            if route is not None and row.id not in self._runs:
                self._start(route, row)

    def _start(self, route: Route, row: TaskRow) -> None:
        run = self._runs[row.id] = TaskRun(self, route.policy.owner, route.name, row)
        run.go_on()

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.get_running_loop().create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)


class TaskRun:
    """A task on its way: it waits like a request, and has a replica's connection for itself.

    Attributes:
        id: The task's id.
        owner: Id of its deployment.
        method: As `Requester` wants it.
        http10: True: the answer comes without its framing, as it is kept.
        arrived: As `Waiting` wants it.
    """

    method = b"POST"
    http10 = True

    def __init__(self, tasks: Tasks, owner: str, name: str, row: TaskRow) -> None:
        self.id = row.id
        self.owner = owner
        self.arrived = time.monotonic()
        self._tasks = tasks
        self._name = name
        self._last_moment = row.created_at + KEPT_SECONDS
        #: Where it waits or runs; None = nowhere.
        self._route: Route | None = None
        self._replica: Replica | None = None
        self._connection: ReplicaConnection | None = None
        self._beginning: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._admitted = 0.0
        self._head: ResponseHead | None = None
        self._content: list[bytes] = []
        self._size = 0
        self._over = False

    @property
    def request_sent(self) -> bool:
        """As `Requester` wants it."""
        return True

    def go_on(self) -> None:
        """Wait for a replica, unless it does or there is nowhere to."""
        if self._route is not None or self._over:
            return
        route = self._tasks.route_for(self.owner, self._name)
        if route is None or not route.is_open:
            return
        if time.time() > self._last_moment:
            self._finish(Answer(504, f"no instance took this task within {KEPT_SECONDS / 3600:g} hours"))
            return
        self._route = route
        self.arrived = time.monotonic()
        route.wait(self)

    def cancel(self) -> None:
        """Its result is wanted no more."""
        self._over = True
        route, connection = self._route, self._connection
        if connection is not None:
            # With limited concurrency the slot is held as long as the replica computes, which nobody can end.
            if route is not None and route.policy.concurrency is None:
                connection.abort()
        elif route is not None and self._replica is None:
            self._route = None
            route.leave(self)

    # From the route

    def admitted(self, replica: Replica) -> None:
        """A slot of this replica is ours."""
        self._replica = replica
        self._admitted = time.monotonic()
        self._beginning = asyncio.get_running_loop().create_task(self._begin(replica))

    def refused(self, answer: Answer) -> None:
        """There is no slot: wait on, or until the route is open again."""
        self._route = None
        if not self._over:
            self.go_on()

    async def _begin(self, replica: Replica) -> None:
        """Connect, say that it runs, then send it: in this order it runs once at most."""
        try:
            connection = await replica.connect()
        except OSError:
            if self._route is not None:
                self._route.lost(replica)
            self._wait_again()
            return
        request: bytes | None = None
        try:
            request = await self._tasks.store.begin(self.id)
            if request is not None and connection.is_closing:
                await self._tasks.store.give_back(self.id)
        except sqlite3.Error as error:
            _log.error("task %s cannot begin yet: %s", self.id, error)
            connection.close()
            self._release()
            asyncio.get_running_loop().call_later(_WRITE_AGAIN, self.go_on)
            return
        if request is None or self._over:
            self._over = True
            replica.keep(connection)
            self._release()
        elif connection.is_closing:
            if self._route is not None:
                self._route.lost(replica)
            self._wait_again()
        else:
            self._connection = connection
            self._timer = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._timed_out)
            connection.start(self, request)

    async def _take_back(self) -> None:
        """It was sent, and is known to have reached nobody."""
        try:
            await self._tasks.store.give_back(self.id)
        except sqlite3.Error as error:
            self._fail(f"its instance was not reached, and it cannot be kept for another one: {error}")
            self._release()
        else:
            self._wait_again()

    def _wait_again(self) -> None:
        """No replica has seen it: it is the next to get another one."""
        route, replica, self._replica = self._route, self._replica, None
        if route is None or replica is None:
            return
        if self._over:
            self._route = None
            route.release(replica)
        else:
            route.retry(self, replica)

    # From the replica

    def answer_interim(self, head: ResponseHead) -> None:
        """A 1xx head came: nobody waits for it."""

    def answer_begins(self, head: ResponseHead, body: Body, data: bytes) -> None:
        """The head of the answer came."""
        self._head = head
        if head.status == 101:
            self._break_off("its instance changed the protocol unasked")
            return
        self.answer_goes_on(data)

    def answer_goes_on(self, data: bytes) -> None:
        """More of the answer's content came."""
        if self._over:
            return
        self._content.append(data)
        self._size += len(data)
        if self._size > LARGEST_TASK:
            self._break_off(f"the result has more than the {LARGEST_TASK} bytes that a task's may have")

    def answer_complete(self) -> None:
        """The answer is whole."""
        self._connection = None
        head = self._head
        if head is not None and not self._over:
            lines = [b"HTTP/1.1 %d %b" % (head.status, head.reason), *head.passed, b""]
            self._finish_with(head.status, b"\r\n".join(lines), b"".join(self._content))
        self._release()

    def answer_lost(self, connection: ReplicaConnection, reason: str) -> None:
        """The replica is gone: whether it has done the task nobody knows."""
        self._connection = None
        if self._route is not None and self._replica is not None and not connection.spoke and not self._over:
            self._route.lost(self._replica)
        if connection.undelivered and not self._over:
            if self._timer is not None:
                self._timer.cancel()
            self._beginning = asyncio.get_running_loop().create_task(self._take_back())
            return
        self._fail(f"{reason}, and its task was not run again: `retry` does that")
        self._release()

    def tunnel_data(self, data: bytes) -> None:
        """Bytes of another protocol: nobody's."""

    def replica_congested(self, congested: bool) -> None:
        """The replica takes its time to read: nobody has to be slowed down for it."""

    # Its end

    def _timed_out(self) -> None:
        if self._route is not None and not self._over:
            self._finish(request_timeout(self._route.deployment, KEPT_SECONDS))
        if self._connection is not None:
            self._connection.abort()

    def _break_off(self, reason: str) -> None:
        self._fail(reason)
        if self._connection is not None:
            self._connection.abort()

    def _fail(self, reason: str) -> None:
        if not self._over and self._route is not None:
            self._finish(bad_gateway(self._route.deployment, reason))

    def _finish(self, answer: Answer) -> None:
        self._finish_with(answer.status, *answer.parts())

    def _finish_with(self, status: int, head: bytes, content: bytes) -> None:
        self._over = True
        self._tasks.ended(self, Status.COMPLETED if status < 400 else Status.FAILED, head, content)
        self._content.clear()
        if self._route is not None:
            self._route.count(error=status >= 500)
            self._route.took(time.monotonic() - self._admitted)

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        route, replica = self._route, self._replica
        self._route = self._replica = None
        if route is not None and replica is not None:
            route.release(replica)


def place_of(route: Route) -> str:
    """The set that a task is kept for: canaries come and go, the main version takes over theirs."""
    return route.name if "/" in route.name else MAIN
