"""One instance of a deployment, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ReplicaStartError
from ..spec import InstanceState, utc_now
from ..views import ColdStart, InstanceView
from .engines import Engine, Phase, ReplicaHandle, ReplicaSpec
from .target import Blueprint

__all__ = ["DRAIN_TIMEOUT", "Instance"]

logger = logging.getLogger(__name__)

#: Seconds that the requests of an instance get to finish when it is stopped, at least.
DRAIN_TIMEOUT = 30.0
#: The same for an instance that may run tasks and is replaced or not needed: as long as a task may run.
TASK_DRAIN_TIMEOUT = 24 * 3600.0
#: Seconds from SIGTERM to SIGKILL, when no request is left.
STOP_GRACE = 5.0
#: The same for one that is still starting.
START_STOP_GRACE = 1.0


class Instance:
    """An instance, driven by a task of its own.

    Args:
        spec: What to run.
        blueprint: What that was made from.
        engine: What runs it.
        changed: Called on the event loop when its state has changed.
        restarts: How many in its place failed one after the other before it.

    Attributes:
        state: Its state.
        reason: Why it is in that state; "" when all is well.
        cold_start: How it came up; None while it is starting.
        started: Time of the loop's clock when it was started.
        ready_at: That when it became ready.
        offered: The gateway was told of it, and so tells when it has no request there any more.
    """

    def __init__(
        self,
        spec: ReplicaSpec,
        blueprint: Blueprint,
        engine: Engine,
        changed: Callable[[Instance], None],
        restarts: int = 0,
    ) -> None:
        self.spec = spec
        self.blueprint = blueprint
        self.state = InstanceState.STARTING
        self.reason = ""
        self.cold_start: ColdStart | None = None
        self.started = asyncio.get_running_loop().time()
        self.ready_at: float | None = None
        self.offered = False
        self._drain_timeout = DRAIN_TIMEOUT
        self._restarts = restarts
        self._started_at = utc_now()
        self._engine = engine
        self._changed = changed
        self._handle: ReplicaHandle | None = None
        self._stop = asyncio.Event()
        self._drained = asyncio.Event()
        self._hurry = asyncio.Event()
        self._drain_timeout = DRAIN_TIMEOUT
        self._task = asyncio.create_task(self._live(), name=f"instance {spec.id}")

    @property
    def id(self) -> str:
        """Its id."""
        return self.spec.id

    @property
    def socket(self) -> Path | None:
        """Unix socket it serves on; None before it was started."""
        return self._handle.socket if self._handle else None

    @property
    def is_up(self) -> bool:
        """True while it is starting or ready."""
        return self.state in (InstanceState.STARTING, InstanceState.READY)

    @property
    def is_over(self) -> bool:
        """True when nothing of it is left."""
        return self.state in (InstanceState.STOPPED, InstanceState.FAILED)

    @property
    def waits_for(self) -> str:
        """Why it does not even start; "" = it does."""
        if self._handle is None or not self.is_up:
            return ""
        seen = self._handle.observe()
        return seen.reason if seen.phase is Phase.PENDING else ""

    def drain(self, reason: str, timeout: float = DRAIN_TIMEOUT) -> None:
        """Stop it once its requests are finished; one that never got any is stopped at once.

        Args:
            reason: Why.
            timeout: Seconds that its requests get. Asked for again, the shorter time holds.
        """
        if self.state is InstanceState.DRAINING and timeout < self._drain_timeout:
            self.reason, self._drain_timeout = reason, timeout
            self._hurry.set()
        if self.is_up:
            self._drain_timeout = timeout
            if not self.offered:
                self._drained.set()
            self.state, self.reason = InstanceState.DRAINING, reason
            self._stop.set()

    def drained(self) -> None:
        """The gateway has no request at it any more."""
        self._drained.set()

    async def close(self) -> None:
        """Stop it without waiting for its requests; returns when nothing of it is left."""
        self.drain("the cloud stops")
        self._drained.set()
        await asyncio.wait([self._task])

    def view(self, in_flight: int) -> InstanceView:
        """How it is shown."""
        seen = self._handle.observe() if self._handle else None
        living = None if self.is_over else seen
        return InstanceView(
            id=self.id,
            state=self.state,
            reason=self.reason or self.waits_for,
            started_at=seen.started_at if seen else self._started_at,
            pid=living.pid if living else None,
            memory_bytes=living.memory_bytes if living else None,
            cpu=living.cpu if living else None,
            in_flight=in_flight,
            cold_start=self.cold_start,
            restarts=self._restarts,
        )

    async def _live(self) -> None:
        try:
            failure = await self._run()
        except (ReplicaStartError, OSError) as error:
            failure = (
                error.message if isinstance(error, ReplicaStartError) else f"it could not start: {error}"
            )
        except Exception as error:
            logger.exception("instance %s", self.id)
            failure = f"internal error: {error!r}"
        if self._handle is not None:
            await self._handle.stop(0)
        stopping = self.state is InstanceState.DRAINING
        self.state = InstanceState.STOPPED if stopping else InstanceState.FAILED
        if not stopping:
            self.reason = failure
            logger.warning("instance %s failed: %s", self.id, failure)
        self._changed(self)

    async def _run(self) -> str:
        """Its life until it has ended or was asked to; gives the reason of its end."""
        self._handle = handle = await self._engine.start(self.spec)
        if self.waits_for:
            self._changed(self)
        ready: asyncio.Future[Any] = asyncio.ensure_future(handle.ready())
        stop: asyncio.Future[Any] = asyncio.ensure_future(self._stop.wait())
        ended: asyncio.Future[Any] = asyncio.ensure_future(handle.ended())
        # One that is stopped while it starts fails to get ready, which nobody asks for any more.
        ready.add_done_callback(lambda _: ready.cancelled() or ready.exception())
        try:
            await asyncio.wait([ready, stop], return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                cold_start = ready.result()
                if self.state is InstanceState.STARTING:
                    self.state, self.cold_start = InstanceState.READY, cold_start
                    self.ready_at = asyncio.get_running_loop().time()
                    self._changed(self)
                await asyncio.wait([ended, stop], return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not self._stop.is_set():
                return str(ended.result())
            await self._wait_drained(ended)
            await handle.stop(STOP_GRACE if self.ready_at is not None else START_STOP_GRACE)
            return ""
        finally:
            for future in (ready, stop, ended):
                future.cancel()

    async def _wait_drained(self, ended: asyncio.Future[Any]) -> None:
        drained: asyncio.Future[Any] = asyncio.ensure_future(self._drained.wait())
        try:
            hurried = True
            while hurried and not (drained.done() or ended.done()):
                self._hurry.clear()
                hurry: asyncio.Future[Any] = asyncio.ensure_future(self._hurry.wait())
                await asyncio.wait(
                    [drained, ended, hurry],
                    timeout=self._drain_timeout,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                hurried = hurry.done()
                hurry.cancel()
        finally:
            drained.cancel()
