"""What only the `bentoml` client can do, done by our own commands in processes of their own.

The Jupyter server never loads `bentoml`, nor a user's code. Such a thing may take minutes, longer than the
proxies between browser and server keep a request: it is begun by one, and asked after by others.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from ..errors import NotFoundError
from ..home import Home
from .payloads import Job

__all__ = ["Command", "Jobs"]

#: Jobs that are remembered; of more the oldest that have ended go.
_MOST: Final = 50
#: `Kind: what happened`, as our commands and those of `bentoml` say it.
_SAID: Final = re.compile(r"^(?:Error|\w*(?:Error|Exception|Found|Limit)): (?P<message>.+)$")
_HINT: Final = "  -> "


@dataclass(frozen=True)
class Command:
    """A command of `bento-jupyter` or `bentoml`.

    Attributes:
        module: What Python runs: `bento_jupyter.cli` or `bentoml`.
        words: Its words.
        environment: Variables for it alone; a token is told this way, as command lines are seen by others.
    """

    module: str
    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass
class _Running:
    job: Job
    task: asyncio.Task[None] | None = None


class Jobs:
    """The jobs of one Jupyter server.

    Args:
        home: Home of the cloud that they are about.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._jobs: OrderedDict[str, _Running] = OrderedDict()

    def begin(self, *commands: Command) -> Job:
        """Run commands one after the other, until one fails; the job as it begins.

        Raises:
            OSError: There can be no home.
        """
        self._home.create()
        running = _Running(Job(id=secrets.token_hex(8), state="running"))
        running.task = asyncio.create_task(self._run(running, commands))
        ended = [key for key, each in self._jobs.items() if each.job.state != "running"]
        for key in ended[: max(len(self._jobs) + 1 - _MOST, 0)]:
            del self._jobs[key]
        self._jobs[running.job.id] = running
        return running.job

    async def after(self, key: str, seconds: float) -> Job:
        """A job at its end, or as it is after `seconds`.

        Raises:
            NotFoundError: There is no such job, or not any more.
        """
        running = self._jobs.get(key)
        if running is None:
            raise NotFoundError(
                "this is not known any more",
                hint="the Jupyter server was started again meanwhile: look whether it was done",
                status_code=404,
            )
        if running.task is not None:
            await asyncio.wait([running.task], timeout=seconds)
        return running.job

    async def aclose(self) -> None:
        """End what runs."""
        tasks = [each.task for each in self._jobs.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, running: _Running, commands: Sequence[Command]) -> None:
        ours = {"BENTO_JUPYTER_HOME": str(self._home.root), "BENTOML_DO_NOT_TRACK": "True"}
        for command in commands:
            try:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", command.module, *command.words),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    # Python looks for modules where it is started: nothing of the user's is there.
                    cwd=self._home.root,
                    env={**os.environ, **ours, **command.environment},
                )
            except OSError as error:
                running.job = running.job.model_copy(update={"state": "failed", "message": str(error)})
                return
            try:
                _, said = await process.communicate()
            except asyncio.CancelledError:
                with suppress(ProcessLookupError):
                    process.terminate()
                raise
            if process.returncode != 0:
                running.job = _failed(running.job, said.decode("utf-8", "replace"))
                return
        running.job = running.job.model_copy(update={"state": "done"})


def _failed(job: Job, said: str) -> Job:
    """A job that failed, with what its command said of that last."""
    lines = said.strip().splitlines()
    for at in range(len(lines) - 1, -1, -1):
        if found := _SAID.match(lines[at]):
            after = lines[at + 1] if at + 1 < len(lines) else ""
            hint = after.removeprefix(_HINT) if after.startswith(_HINT) else ""
            return job.model_copy(update={"state": "failed", "message": found["message"], "hint": hint})
    last = lines[-1] if lines else "it ended without a word"
    return job.model_copy(update={"state": "failed", "message": last})
