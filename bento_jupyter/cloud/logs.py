"""The logs of instances and images: files, read from their end, followed, kept small."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from ..views import LogLine

__all__ = [
    "LogFile",
    "cap_log",
    "follow",
    "forget_logs",
    "forget_old_logs",
    "forget_stray_logs",
    "in_order",
    "tail",
]

#: A log file is cut when it is larger.
LARGEST_LOG = 50 * 2**20
#: What stays of it then.
KEPT_OF_LOG = 5 * 2**20
#: Logs of ended instances that are kept per deployment.
KEPT_LOGS = 20
#: Seconds between looks at followed files.
FOLLOW_INTERVAL = 0.2
#: Longest line that is shown in one piece, and the most that is read at a time, in bytes.
LONGEST_LINE = 2**20
#: The most that is read back from the end of a file, in bytes.
LARGEST_TAIL = 8 * 2**20
#: Bytes read back from the end of a file per line asked for.
BYTES_PER_LINE = 400

TIMESTAMP = re.compile(r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\s")


class LogFile:
    """One log file and the name its lines are shown under.

    Args:
        path: The file; it need not be there yet.
        source: Instance id, or `image`.
    """

    def __init__(self, path: Path, source: str) -> None:
        self.path = path
        self.source = source

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogFile) and (other.path, other.source) == (self.path, self.source)

    def __hash__(self) -> int:
        return hash((self.path, self.source))

    def last(self, lines: int) -> tuple[list[LogLine], int]:
        """Its last whole lines, and the place in the file where they end."""
        try:
            with self.path.open("rb") as handle:
                size = handle.seek(0, os.SEEK_END)
                start = size
                data = b""
                while start > 0 and data.count(b"\n") <= lines and len(data) < LARGEST_TAIL:
                    step = min(start, max(BYTES_PER_LINE * lines, 4096, len(data)))
                    start -= step
                    handle.seek(start)
                    data = handle.read(step) + data
        except FileNotFoundError:
            return [], 0
        whole, newline, _rest = data.rpartition(b"\n")
        end = start + len(whole) + len(newline)
        return [self.line(text) for text in whole.split(b"\n")[-lines:]] if newline else [], end

    def after(self, place: int) -> tuple[list[LogLine], int]:
        """The whole lines after a place, and the place where they end; from the start when it was cut."""
        data, end = self.piece(place)
        return ([self.line(text) for text in data.split(b"\n")] if end != place else []), end

    def piece(self, place: int) -> tuple[bytes, int]:
        """As `after`, but the bytes of the lines, without the last one's end."""
        try:
            with self.path.open("rb") as handle:
                if handle.seek(0, os.SEEK_END) < place:
                    place = 0
                handle.seek(place)
                data = handle.read(LONGEST_LINE)
        except FileNotFoundError:
            return b"", 0
        whole, newline, _rest = data.rpartition(b"\n")
        if not newline:
            # One that is longer comes in parts: waiting for its end would stop the whole log.
            if len(data) < LONGEST_LINE:
                return b"", place
            piece = whole_characters(data)
            return piece, place + len(piece)
        return whole, place + len(whole) + 1

    def line(self, text: bytes) -> LogLine:
        """One line, with its time when it begins with one."""
        decoded = text.decode("utf-8", errors="replace").rstrip("\r")
        return LogLine(at=parse_time(decoded), source=self.source, text=decoded)


def whole_characters(data: bytes) -> bytes:
    """The beginning of `data` that does not end within a character of UTF-8."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0b1100_0000 != 0b1000_0000:  # not the continuation of a character: its beginning
            length = 1 if byte < 0x80 else 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4
            return data[:-back] if length > back else data
    return data


def parse_time(line: str) -> datetime | None:
    """The time that a line begins with, as BentoML writes it; None when it does not."""
    match = TIMESTAMP.match(line)
    if match is None:
        return None
    stamp = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", match[1].replace(",", ".").replace("Z", "+00:00"))
    with suppress(ValueError):
        parsed = datetime.fromisoformat(stamp)
        return parsed if parsed.tzinfo else parsed.astimezone()
    return None


def tail(files: Sequence[LogFile], lines: int) -> list[LogLine]:
    """The last lines of several logs together, oldest first.

    Lines without a time of their own stay behind the line they follow.
    """
    return in_order([file.last(lines)[0] for file in files])[-lines:] if lines else []


def in_order(logs: Sequence[Sequence[LogLine]]) -> list[LogLine]:
    """The lines of several logs together, oldest first; each log is in order already."""
    timed: list[tuple[datetime, LogLine]] = []
    for found in logs:
        newest = next((line.at for line in found if line.at), None) or datetime.min.replace(
            tzinfo=timezone.utc
        )
        for line in found:
            newest = line.at or newest
            timed.append((newest, line))
    timed.sort(key=lambda pair: pair[0])
    return [line for _, line in timed]


async def follow(files: Callable[[], Sequence[LogFile] | None], lines: int) -> AsyncIterator[LogLine]:
    """The last lines of several logs together, then those that are written from now on.

    Args:
        files: The logs; asked again and again, so that a new one is followed too. None = it is over.
        lines: How many of the last lines come first.
    """
    places, last = await asyncio.to_thread(_places_and_tail, files() or [], lines)
    for line in last:
        yield line
    while (present := files()) is not None:
        for file in present:
            found, places[file] = file.after(places.get(file, 0))
            for line in found:
                yield line
        await asyncio.sleep(FOLLOW_INTERVAL)


def _places_and_tail(files: Sequence[LogFile], lines: int) -> tuple[dict[LogFile, int], list[LogLine]]:
    # Places first: a line that comes in between is shown twice rather than never.
    return {file: file.last(1)[1] for file in files}, tail(files, lines)


def cap_log(path: Path) -> None:
    """Cut a log that is too large, keeping its end.

    Its writer appends, so it goes on at the new end. Lines written while this runs may be lost.
    """
    with suppress(FileNotFoundError):
        if path.stat().st_size <= LARGEST_LOG:
            return
        with path.open("r+b") as handle:
            handle.seek(-KEPT_OF_LOG, os.SEEK_END)
            kept = handle.read().partition(b"\n")[2]
            handle.truncate(0)
            handle.seek(0)
            handle.write(kept)


def forget_old_logs(folder: Path, keep: int = KEPT_LOGS, in_use: Collection[str] = ()) -> None:
    """Delete all but the newest logs of a deployment, and those of its instances.

    Args:
        folder: Where they are.
        keep: How many of ended instances are kept.
        in_use: Ids of the instances that there are.
    """
    with suppress(FileNotFoundError):
        ended = [path for path in folder.glob("*.log") if path.stem not in in_use]
        logs = sorted(ended, key=lambda path: path.stat().st_mtime, reverse=True)
        for old in logs[keep:]:
            old.unlink(missing_ok=True)


def forget_stray_logs(folder: Path, names: Collection[str]) -> None:
    """Delete the logs, one folder each, of deployments that are not among `names`."""
    with suppress(FileNotFoundError):
        for logs in folder.iterdir():
            if logs.name not in names:
                shutil.rmtree(logs, ignore_errors=True)


def forget_logs(folder: Path) -> None:
    """Delete all logs of a deployment."""
    shutil.rmtree(folder, ignore_errors=True)
