"""Clients that keep asking a deployment and hold it to what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

__all__ = ["SOURCE", "Answer", "Connection", "Record", "calling"]

#: A service that answers with what it was asked, so that each answer can be told to be the right one.
SOURCE = """
import asyncio, os, time
import bentoml

@bentoml.service(traffic={"timeout": 20})
class Service:
    def __init__(self):
        time.sleep(float(os.environ.get("START_SECONDS", "0")))

    @bentoml.api
    async def echo(self, number: int, seconds: float = 0) -> str:
        if os.environ.get("BURN"):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                pass
        else:
            await asyncio.sleep(seconds)
        return f"{number} {os.getpid()} {os.environ.get('COLOUR', 'none')}"
"""


@dataclass(frozen=True)
class Answer:
    """What was answered to one request."""

    number: int
    status: int
    text: str

    @property
    def is_right(self) -> bool:
        """True when it is the answer to that request."""
        return self.status == 200 and self.text.split()[:1] == [str(self.number)]

    @property
    def pid(self) -> int:
        """Process that answered."""
        return int(self.text.split()[1])

    @property
    def colour(self) -> str:
        """What that process was started with."""
        return self.text.split()[2]


class Connection:
    """A connection on which requests may be sent before earlier ones are answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.is_over = False

    @classmethod
    async def to(cls, url: str) -> Connection:
        """Open one to a deployment."""
        host, _, port = url.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    def send(self, number: int, seconds: float = 0.0) -> None:
        """Send a request."""
        body = json.dumps({"number": number, "seconds": seconds}).encode()
        self._writer.write(
            b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    async def answer(self, number: int) -> Answer:
        """Read the next answer, which should be that to `number`."""
        status, length = int((await self._reader.readline()).split()[1]), 0
        while (line := (await self._reader.readline()).strip().lower()) != b"":
            name, _, value = line.partition(b":")
            if name == b"content-length":
                length = int(value)
            self.is_over = self.is_over or (name, value.strip()) == (b"connection", b"close")
        return Answer(number, status, (await self._reader.readexactly(length)).decode())

    def close(self) -> None:
        """Close it."""
        self._writer.close()


@dataclass
class Record:
    """What clients were answered.

    Attributes:
        answers: All answers, in the order they came.
        lost: What went wrong where there was no answer.
    """

    answers: list[Answer] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[object]:
        """What was not answered as it should have been."""
        return [*self.lost, *(each for each in self.answers if not each.is_right)]


async def _call(url: str, first: int, seconds: float, record: Record, over: asyncio.Event) -> None:
    number, connection = first, await Connection.to(url)
    try:
        while not over.is_set():
            try:
                connection.send(number, seconds)
                record.answers.append(await connection.answer(number))
            except (OSError, EOFError, IndexError) as error:
                record.lost.append(f"{number}: {error!r}")
                connection.is_over = True
            if connection.is_over:
                connection.close()
                connection = await _to_again(url, record)
            number += 1
    finally:
        connection.close()


async def _to_again(url: str, record: Record) -> Connection:
    """Open another connection; what refuses it is written down, and asked again."""
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        try:
            return await Connection.to(url)
        except OSError as error:
            record.lost.append(repr(error))
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def calling(url: str, clients: int = 4, seconds: float = 0.01) -> AsyncIterator[Record]:
    """Have clients ask all the time, each one request after the other; `seconds` is the work of each."""
    record, over = Record(), asyncio.Event()
    tasks = [
        asyncio.create_task(_call(url, 1_000_000 * client, seconds, record, over))
        for client in range(clients)
    ]
    try:
        yield record
    finally:
        over.set()
        await asyncio.gather(*tasks)
