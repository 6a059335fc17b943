"""Calls about tasks, which the gateway answers by itself: submit, status, get, cancel, retry.

Paths, words and answers are those of BentoML's own server (`_bentoml_impl/server/app.py` of BentoML 1.4),
but for `cancel`, which that one cannot.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs

from .bodies import HttpSyntaxError
from .exchange import Caller, request_id_of
from .heads import RequestHead
from .responses import (
    Answer,
    bad_request,
    body_too_large,
    framed,
    json_answer,
    task_error,
    tasks_not_kept,
)
from .route import Route
from .tasks import LARGEST_TASK, Tasks
from .taskstore import Status, TaskRow

__all__ = ["TaskCall", "task_action"]

_log = logging.getLogger(__name__)

_METHODS = {b"submit": b"POST", b"status": b"GET", b"get": b"GET", b"retry": b"POST", b"cancel": b"PUT"}
#: What may be asked of the tasks of a deployment that is closed.
_WHILE_CLOSED = frozenset({b"status", b"get", b"cancel"})
#: Bytes of a call's body that is of no interest.
_LARGEST_CALL = 64 * 1024


def task_action(route: Route, head: RequestHead) -> bytes | None:
    """What a request asks of a task; None when it is about none."""
    path, _, action = head.path.rpartition(b"/")
    if path in route.policy.tasks and _METHODS.get(action) == head.method:
        return action
    return None


class TaskCall:
    """One such call, as a caller's connection deals with it.

    Args:
        caller: Where it came from.
        route: Where it goes.
        head: Its head.
        action: What it asks: see `task_action`.
        tasks: Those of this gateway.
    """

    #: All of a call is taken in; there is a limit to its size.
    congested = False

    def __init__(self, caller: Caller, route: Route, head: RequestHead, action: bytes, tasks: Tasks) -> None:
        self.head = head
        self.body = head.body()
        self._caller: Caller | None = caller
        self._peer, self._proto = caller.peer, caller.proto
        self._route = route
        self._action = action
        self._tasks = tasks
        self._request_id = request_id_of(head)
        self._content: list[bytes] = []
        self._size = 0
        self._begun = False
        self._job: asyncio.Task[None] | None = None

    # From the caller

    def begin(self) -> None:
        """Look whether it may come, and answer it once it is all there."""
        self._begun = True
        refusal = (
            self._route.refusal_of_task(self.head)
            if self._action in (b"submit", b"retry")
            else self._route.refusal(self.head, while_closed=self._action in _WHILE_CLOSED)
        )
        limit = self._limit
        if refusal is None and self.head.length is not None and self.head.length > limit:
            refusal = body_too_large(limit)
        if refusal is not None:
            self._respond(refusal)
            return
        if self._caller is not None and not self.body.complete and self._expects():
            self._caller.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._go_on()

    def receive(self, data: bytes) -> None:
        """More of its body came."""
        if self._caller is None:
            return
        self._content.append(data)
        self._size += len(data)
        if self._begun:
            self._go_on()

    def request_broken(self, error: HttpSyntaxError) -> None:
        """Its body is not what it says."""
        self._respond(bad_request(error.status, error.message), close=True)

    def caller_gone(self) -> None:
        """Nobody waits for the answer; what was begun is done."""
        self._caller = None

    def caller_congested(self, congested: bool) -> None:
        """The answer is written at once, whatever the caller takes in."""

    def tunnel_from_caller(self, data: bytes) -> None:
        """There is no tunnel."""

    # Inside

    @property
    def _limit(self) -> int:
        return LARGEST_TASK if self._action == b"submit" else _LARGEST_CALL

    def _expects(self) -> bool:
        return not self.head.http10 and (self.head.field(b"expect") or b"").lower() == b"100-continue"

    def _go_on(self) -> None:
        # What frames the chunks counts, too: they may be of a byte each.
        if self._size > 2 * self._limit:
            self._respond(body_too_large(self._limit))
        elif self.body.complete and self._job is None:
            self._job = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        try:
            answer = await self._answer()
        except sqlite3.Error as error:
            _log.error("tasks cannot be kept: %s", error)
            answer = tasks_not_kept(str(error))
        if isinstance(answer, Answer):
            self._respond(answer)
        else:
            self._write(framed(*answer, close=not self.head.keep_alive, **self._options()))

    async def _answer(self) -> Answer | tuple[bytes, bytes]:
        if self._action == b"submit":
            return _told(await self._tasks.submit(self._route, self._request()))
        named = parse_qs(self.head.target.partition(b"?")[2].decode("latin-1")).get("task_id")
        if not named:
            return task_error(400, "task_id is required")
        task = named[-1]
        row = await self._tasks.store.get(self._route.policy.owner, task)
        if row is None:
            return task_error(404, "task_id not found")
        if self._action == b"status":
            return json_answer(
                200,
                {
                    "task_id": task,
                    "status": row.status,
                    "created_at": _time(row.created_at),
                    "executed_at": _time(row.executed_at),
                },
            )
        if self._action == b"cancel":
            if row.status != Status.CANCELED and not await self._tasks.cancel(task):
                return task_error(409, f"task {task} has ended already")
            return json_answer(200, {"task_id": task, "status": Status.CANCELED})
        if row.completed_at is None:
            return task_error(400, f"task {task} is not completed yet")
        if self._action == b"retry":
            again = await self._tasks.retry(self._route, task)
            return task_error(404, "task_id not found") if again is None else _told(again)
        if row.status == Status.CANCELED:
            return task_error(400, f"task {task} was canceled")
        return await self._tasks.store.answer(task) or task_error(404, "task_id not found")

    def _request(self) -> bytes:
        """The plain call of the method, as a replica gets it."""
        method = self.head.path[: -len(b"/submit")]
        call = self.head.sent_later(method + self.head.target[len(self.head.path) :])
        if self._route.policy.cors is not None:
            # Who asks for the answer may be another page: it is told what it may do then.
            call.passed = [line for line in call.passed if not line.lower().startswith(b"origin:")]
        written = call.to_replica(
            peer=self._peer,
            proto=self._proto,
            request_id=self._request_id,
            with_authorization=not self._route.policy.protected,
        )
        return b"".join([written, *self._content])

    def _respond(self, answer: Answer, *, close: bool = False) -> None:
        close = close or not self.head.keep_alive or not self.body.complete
        self._write(answer.encode(close=close, **self._options()), close=close)

    def _options(self) -> dict[str, Any]:
        cors = self._route.policy.cors
        shared = cors.fields(self.head.any_field(b"origin")) if cors is not None else b""
        return {
            "keep_alive_said": self.head.http10,
            "extra": b"X-Request-Id: %b\r\n%b" % (self._request_id, shared),
        }

    def _write(self, answer: bytes, *, close: bool | None = None) -> None:
        caller, self._caller = self._caller, None
        if caller is not None:
            caller.write(answer)
            caller.exchange_over(close=not self.head.keep_alive if close is None else close)


def _told(row: TaskRow) -> Answer:
    return json_answer(200, {"task_id": row.id, "status": row.status})


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat()
