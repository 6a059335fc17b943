"""A deployment's log as it is written, over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx
from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from pydantic import ValidationError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ..errors import BentoJupyterError
from ..views import LogLine
from .handlers import deployment_name, link_of
from .payloads import LogTail
from .reading import LOG_QUERY

if TYPE_CHECKING:
    from .app import BentoJupyterApp

__all__ = ["LogStreamHandler"]

#: Lines that come within this many seconds are sent together.
_GATHER_SECONDS = 0.05
#: Lines in one message at most.
_MOST_LINES = 500


class LogStreamHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """`deployments/{name}/logs/stream`: messages are `LogTail`s; one with `message` says why it ended.

    #### Query
    As for `logs`. The socket closes when the cloud's stream ends; whoever still wants it asks again.
    """

    auth_resource = "bento_jupyter"
    _task: asyncio.Task[None] | None = None

    @ws_authenticated
    @authorized
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open the socket."""
        try:
            deployment_name(kwargs["name"])
        except BentoJupyterError as error:
            raise HTTPError(400, error.message) from error
        await super().get(*args, **kwargs)

    def open(self, name: str) -> None:
        """Begin to follow."""
        super().open(name)
        query = {
            word: self.get_query_argument(word)
            for word in LOG_QUERY
            if self.get_query_argument(word, "") != ""
        }
        self._task = asyncio.create_task(self._follow(name, {**query, "follow": "true"}))

    def on_message(self, message: str | bytes) -> None:
        """Nothing is expected from the browser."""

    def on_close(self) -> None:
        """The reader is gone."""
        if self._task is not None:
            self._task.cancel()

    async def _follow(self, name: str, query: dict[str, str]) -> None:
        app: BentoJupyterApp = self.settings["bento_jupyter"]
        queue: asyncio.Queue[str | None] = asyncio.Queue(maxsize=_MOST_LINES)
        try:
            async with link_of(app, self.get_query_argument("cloud", "")).lines(
                f"/deployments/{name}/logs", query
            ) as lines:
                tasks = [
                    asyncio.create_task(self._send(queue)),
                    asyncio.create_task(_take_in(lines, queue)),
                ]
                try:
                    # Whichever fails ends both: neither would notice by itself that the other is gone.
                    await asyncio.gather(*tasks)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        except BentoJupyterError as error:
            await self._end({"message": error.message, "hint": error.hint})
        except httpx.HTTPError as error:
            await self._end({"message": str(error) or type(error).__name__, "hint": ""})
        except ValidationError as error:
            said = f"the cloud's log is not understood: {error.errors()[0]['msg']}"
            await self._end({"message": said, "hint": "Jupyter and the cloud may run different versions"})
        except WebSocketClosedError:
            return
        finally:
            self.close(1000)

    async def _send(self, queue: asyncio.Queue[str | None]) -> None:
        ended = False
        while not ended:
            batch = [await queue.get()]
            await asyncio.sleep(_GATHER_SECONDS)
            while not queue.empty() and len(batch) < _MOST_LINES:
                batch.append(queue.get_nowait())
            ended = None in batch
            tail = LogTail(lines=[LogLine.model_validate_json(line) for line in batch if line is not None])
            if tail.lines:
                await self.write_message(tail.model_dump_json())

    async def _end(self, said: dict[str, str]) -> None:
        try:
            await self.write_message(json.dumps({"lines": [], **said}))
        except WebSocketClosedError:
            return


async def _take_in(lines: AsyncIterator[str], queue: asyncio.Queue[str | None]) -> None:
    """Put lines into the queue, and None behind the last one."""
    async for line in lines:
        await queue.put(line)
    await queue.put(None)
