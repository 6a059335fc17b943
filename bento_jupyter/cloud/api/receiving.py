"""Large bodies: written and hashed in threads while more comes in."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from ...errors import InvalidRequestError
from ..store.archives import IncomingArchive
from ..store.space import require_space

__all__ = ["receive_body"]

#: Bytes that are handed to the threads at a time.
CHUNK = 1024 * 1024
#: Such pieces that may wait for each of them; then the client waits.
MOST_WAITING = 8


async def receive_body(request: Request, incoming: IncomingArchive) -> None:
    """Write the body of a request to an upload.

    Raises:
        InvalidRequestError: It broke off.
        StorageFullError: There is no space for it.
        OSError: The disk refuses.
    """
    length = request.headers.get("content-length", "")
    expected = int(length) if length.isascii() and length.isdigit() else None
    require_space(incoming.path.parent, expected or 0)
    writer = _Writer(incoming)
    try:
        buffer = bytearray()
        async for chunk in request.stream():
            buffer += chunk
            if len(buffer) >= CHUNK:
                await writer.take(buffer)
                buffer = bytearray()
        await writer.take(buffer)
        await writer.finish()
    except ClientDisconnect as error:
        raise InvalidRequestError("the upload broke off") from error
    finally:
        writer.end()
    if expected is not None and incoming.size_bytes != expected:
        raise InvalidRequestError(f"{incoming.size_bytes} bytes came instead of {expected}")


class _Writer:
    """Two threads that get the same pieces in the same order: one writes them, one hashes them."""

    def __init__(self, incoming: IncomingArchive) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(2 * MOST_WAITING)
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._busy = 2
        self._ends: list[Callable[[], None]] = []
        self._queues: list[queue.SimpleQueue[bytearray | None]] = []
        for work in (incoming.append, incoming.digest):
            pieces: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
            thread = threading.Thread(target=self._run, args=(pieces, work), name="upload", daemon=True)
            thread.start()
            self._queues.append(pieces)
            self._ends.append(thread.join)

    async def take(self, piece: bytearray) -> None:
        """Hand over a piece; waits while too many do."""
        for pieces in self._queues:
            await self._room.acquire()
            if self._done.done():
                self._done.result()
            pieces.put(piece)

    async def finish(self) -> None:
        """Wait until everything is written."""
        for pieces in self._queues:
            pieces.put(None)
        await self._done

    def end(self) -> None:
        """End the threads, whatever they were doing; the file is theirs no longer."""
        for pieces, join in zip(self._queues, self._ends, strict=True):
            pieces.put(None)
            join()
        if self._done.done() and not self._done.cancelled():
            self._done.exception()  # taken note of

    def _run(self, pieces: queue.SimpleQueue[bytearray | None], work: Callable[[bytearray], None]) -> None:
        error: BaseException | None = None
        while (piece := pieces.get()) is not None:
            if error is None:
                try:
                    work(piece)
                except BaseException as caught:
                    error = caught
            self._tell(error)
        self._tell(error, over=True)

    def _tell(self, error: BaseException | None, over: bool = False) -> None:
        def note() -> None:
            self._busy -= over
            if not self._done.done():
                if error is not None:
                    self._done.set_exception(error)
                elif not self._busy:
                    self._done.set_result(None)
            self._room.release()

        with suppress(RuntimeError):  # the loop may be closed when the cloud ends
            self._loop.call_soon_threadsafe(note)
