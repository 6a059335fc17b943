"""The agent on a Ray cluster as the control plane sees it: its job, and the connection that it makes.

Also what outlives a run of the control plane, so that the next one is known to the agent and the instances.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...errors import CloudError
from ...home import write_private
from .ray_dashboard import Dashboard
from .ray_nodes.wire import receive, send

__all__ = ["AgentJob", "Known"]

logger = logging.getLogger(__name__)

#: Seconds that the agent may take to come back before its job is looked at, and between two looks.
AGENT_TIMEOUT = 3.0
#: Seconds that one may run without coming forward: one that was here once, and one that has just begun.
#: A head that was killed and started again says for ever that a job runs which ended with it.
LOST_AFTER, NEVER_CAME = 9.0, 60.0
UNREACHED = "the agent runs on the head of the cluster, but cannot connect to this machine: docs/scale-out.md"
ENTRYPOINT = (
    # The cluster's own Python, which need not be on the path: it is where this process has Ray from.
    "lib=$(grep -m1 -o '/.*/lib/python[^/]*/site-packages/ray/_raylet[^ ]*' /proc/$PPID/maps 2>/dev/null); "
    'python="${lib%/lib/python*}/bin/python"; [ -n "$lib" ] && [ -x "$python" ] || python=python; '
    'exec "$python" -m bento_jupyter.cloud.engines.ray_nodes.agent'
)


@dataclass
class Known:
    """What outlives a run of the engine.

    Attributes:
        cloud: Id of this cloud among those that use the cluster.
        secret: What the tokens of agent and instances are made of.
        port: Where they dial.
        job: The agent's job.
        replicas: Instances that are there, each with a digest of what it runs.
    """

    cloud: str = field(default_factory=lambda: secrets.token_hex(4))
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    port: int = 0
    job: str = ""
    replicas: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Known:
        """What an earlier run has left in a file; a new one when there is none."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        return cls()

    def write(self, file: Path) -> None:
        """Leave it for later runs, for the owner's eyes only."""
        write_private(file, json.dumps(asdict(self)))


class AgentJob:
    """Sees to it that there is an agent.

    Args:
        dashboard: The cluster.
        known: Where its job is noted.
        remember: Called when that has changed.

    Attributes:
        package: Name and bytes of what it is made of.
        trouble: Why there is none; "" = it is on its way.
    """

    def __init__(self, dashboard: Dashboard, known: Known, remember: Callable[[], None]) -> None:
        self.package = ("", b"")
        self.trouble = ""
        self._dashboard = dashboard
        self._known = known
        self._remember = remember
        self._writer: asyncio.StreamWriter | None = None
        self._moved = asyncio.Event()
        #: Whether its job's agent was ever here, and since when that is said to run without being here.
        self._has_come = False
        self._missed_since: float | None = None
        #: Whether one has run for long without ever being here.
        self._is_cut_off = False

    @property
    def is_there(self) -> bool:
        """Whether it is connected."""
        return self._writer is not None

    def tell(self, message: dict[str, Any]) -> None:
        """Tell it to do something; nobody hears it while there is none."""
        if self._writer is not None:
            send(self._writer, message)

    async def end(self) -> None:
        """It is not needed any more."""
        job, self._known.job = self._known.job, ""
        self.tell({"op": "end"})
        if job and self._writer is None:
            with contextlib.suppress(CloudError):
                await asyncio.to_thread(self._dashboard.stop_job, job)

    async def there(self) -> None:
        """Wait until it is there."""
        while self._writer is None:
            self._moved.clear()
            await self._moved.wait()

    async def serve(
        self,
        hello: Mapping[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        came: Callable[[], None],
        take: Callable[[dict[str, Any]], None],
    ) -> None:
        """It has connected.

        Args:
            hello: What it says of itself.
            reader: Of its connection.
            writer: Of its connection.
            came: Called when it can be told something.
            take: Called with each message.
        """
        if hello.get("package") != self.package[0]:  # that of another version
            send(writer, {"op": "end"})
            return
        logger.info("the agent is there: Ray %s, Python %s", hello.get("ray"), hello.get("python"))
        if self._writer is not None:  # one that was given up, and has come back
            send(self._writer, {"op": "end"})
        self._writer, self.trouble = writer, ""
        self._has_come, self._is_cut_off, self._missed_since = True, False, None
        self._moved.set()
        came()
        try:
            while (message := await receive(reader)) is not None:
                take(message)
        finally:
            if self._writer is writer:
                self._writer = None
                self._moved.set()

    async def mind(self) -> None:
        """See to it that there is one, for ever."""
        while True:
            try:
                self._moved.clear()
                if self._writer is not None:
                    await self._moved.wait()
                    continue
                if not self._known.job:
                    await asyncio.to_thread(self._submit)
                # Not `wait_for`, which loses a cancellation that meets a change (before Python 3.12).
                alarm = asyncio.get_running_loop().call_later(AGENT_TIMEOUT, self._moved.set)
                await self._moved.wait()
                alarm.cancel()
                if self._writer is None:
                    await asyncio.to_thread(self._look_at_job)
            except Exception as error:  # the cluster may come back
                self._missed_since = None
                self.trouble = error.message if isinstance(error, CloudError) else repr(error)
                logger.warning("no agent on the Ray cluster: %s", self.trouble)
                await asyncio.sleep(AGENT_TIMEOUT)

    def _submit(self) -> None:
        uri = self._dashboard.upload(*self.package)
        job = f"bento-jupyter-{self._known.cloud}-{secrets.token_hex(3)}"
        self._known.job = job
        self._has_come, self._missed_since = False, None
        self._remember()
        self._dashboard.submit(ENTRYPOINT, job, uri)

    def _look_at_job(self) -> None:
        status, message = self._dashboard.job_status(self._known.job)
        self.trouble = UNREACHED if self._is_cut_off else ""
        if status == "PENDING" or (status == "RUNNING" and not self._is_lost()):
            return
        if status == "RUNNING":
            if not self._has_come:
                self._is_cut_off, self.trouble = True, UNREACHED
            said = UNREACHED if self._is_cut_off else "it is gone, whatever Ray says"
            logger.warning("the agent on the Ray cluster: %s; another one is started", said)
            self._dashboard.stop_job(self._known.job)
        job, self._known.job = self._known.job, ""
        if status == "FAILED":
            with contextlib.suppress(CloudError):
                lines = self._dashboard.job_log(job).strip().splitlines()
                message = lines[-1] if lines else message
            self.trouble = f"the agent on the Ray cluster has failed: {message}"
            logger.warning("%s", self.trouble)

    def _is_lost(self) -> bool:
        """Whether it should have come forward by now."""
        now = time.monotonic()
        self._missed_since = self._missed_since or now
        return now - self._missed_since > (LOST_AFTER if self._has_come else NEVER_CAME)
