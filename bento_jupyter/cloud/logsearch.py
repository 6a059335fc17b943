"""Searching the logs: all lines that hold a text, match a pattern, or were written since some time."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timezone

from ..errors import InvalidRequestError
from ..views import LogLine
from .logs import LogFile, in_order

__all__ = ["Filter", "filtered", "search"]


class Filter:
    """Which lines of a log are wanted.

    Args:
        text: What a line has to hold, whatever the case; "" = anything.
        regex: `text` is a regular expression, of RE2: its time is linear in the line, so no pattern hangs.
        since: Only lines from then on; a line without a time has that of the one before it.

    Raises:
        InvalidRequestError: The pattern is none.

    Example:
        >>> Filter("error").keep([LogLine(source="a", text="ERROR: x"), LogLine(source="a", text="fine")])
        [LogLine(at=None, source='a', text='ERROR: x')]
    """

    def __init__(self, text: str = "", *, regex: bool = False, since: datetime | None = None) -> None:
        self._text = text
        self._folded = text.lower().encode()
        self._regex = regex and bool(text)
        self._since = since if since is None or since.tzinfo else since.astimezone(timezone.utc)
        if self._regex:
            self._matches([""])

    @property
    def takes_all(self) -> bool:
        """True when no line is refused."""
        return not self._text and self._since is None

    def may_match(self, data: bytes) -> bool:
        """False when no line of `data` is wanted: a quick look."""
        return self._regex or not self._folded.isascii() or self._folded in data.lower()

    def keep(self, lines: Sequence[LogLine], before: datetime | None = None) -> list[LogLine]:
        """The wanted ones of some lines.

        Args:
            lines: Of one log, as they follow each other.
            before: The time of the line before them, if any.
        """
        wanted = self._matches([line.text for line in lines])
        kept = []
        for line, is_wanted in zip(lines, wanted, strict=True):
            before = line.at or before
            if is_wanted and (self._since is None or (before is not None and before >= self._since)):
                kept.append(line)
        return kept

    def _matches(self, texts: list[str]) -> list[bool]:
        if not self._text:
            return [True] * len(texts)
        if not self._regex:
            return [self._text.lower() in text.lower() for text in texts]
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            matched = pc.match_substring_regex(pa.array(texts, pa.string()), self._text, ignore_case=True)
        except pa.ArrowInvalid as error:
            raise InvalidRequestError(f"q: {self._text!r} is no regular expression: {error}") from error
        return [bool(one) for one in matched.to_pylist()]


def search(files: Sequence[LogFile], wanted: Filter, lines: int) -> list[LogLine]:
    """The last wanted lines of several logs together, oldest first. Reads them whole: call it in a thread."""
    found = []
    for file in files:
        kept: deque[LogLine] = deque(maxlen=lines)
        place, before = 0, None
        while True:
            data, end = file.piece(place)
            if end <= place:
                break
            if wanted.may_match(data):
                piece = [file.line(text) for text in data.split(b"\n")]
                kept.extend(wanted.keep(piece, before))
                before = next((line.at for line in reversed(piece) if line.at), before)
            place = end
        found.append(list(kept))
    return in_order(found)[-lines:] if lines else []


async def filtered(lines: AsyncIterator[LogLine], wanted: Filter) -> AsyncIterator[LogLine]:
    """The wanted ones of lines that come one after the other."""
    before: datetime | None = None
    async for line in lines:
        for kept in wanted.keep([line], before):
            yield kept
        before = line.at or before
