"""Uploads in parts: parts come in any order, again and at once; together they make one upload, or none."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from ...errors import ConflictError, InvalidRequestError, NotFoundError
from .archives import Archives, IncomingArchive

__all__ = ["Parts"]

#: Most parts of an upload.
MOST_PARTS = 10_000


class Parts:
    """Uploads in parts that are on their way. They do not outlive the process: the client begins again.

    Args:
        archives: Where they go.
    """

    def __init__(self, archives: Archives) -> None:
        self._archives = archives

    def begin(self) -> str:
        """Begin an upload; gives its id."""
        upload_id = secrets.token_hex(16)
        (self._archives.incoming / f"parts-{upload_id}").mkdir(mode=0o700)
        return upload_id

    def keep(self, upload_id: str, number: int, part: IncomingArchive) -> str:
        """Take a part; one with the same number takes the place of an earlier one. Blocks on the disk.

        Returns:
            Its ETag: the SHA-256 (hex) of its content.

        Raises:
            NotFoundError: There is no such upload.
            InvalidRequestError: No part can have this number.
        """
        if not 1 <= number <= MOST_PARTS:
            raise InvalidRequestError(f"part {number}: parts are numbered from 1 to {MOST_PARTS}")
        folder = self._folder(upload_id)
        digest = part.seal()
        for earlier in folder.glob(f"{number:05}-*"):
            earlier.unlink(missing_ok=True)
        os.replace(part.path, folder / f"{number:05}-{digest}")
        return digest

    def complete(self, upload_id: str, parts: Sequence[tuple[int, str]]) -> IncomingArchive:
        """Put the parts together. Blocks on the disk.

        Args:
            upload_id: Which upload.
            parts: Number and ETag of every part.

        Raises:
            NotFoundError: There is no such upload.
            InvalidRequestError: Parts are missing or named twice.
            ConflictError: What came is not what the client says it sent.
        """
        folder = self._folder(upload_id)
        numbers = sorted(number for number, _ in parts)
        if numbers != list(range(1, len(parts) + 1)):
            raise InvalidRequestError(
                f"the parts of an upload are 1 to n, each once; these are {numbers[:20]}"
            )
        present = {path.name for path in folder.iterdir()}
        named = [f"{number:05}-{etag.strip(chr(34))}" for number, etag in sorted(parts)]
        for number, name in enumerate(named, start=1):
            if name not in present:
                raise ConflictError(f"part {number} did not come as it was sent", hint="push again")
        if extra := present - set(named):
            raise InvalidRequestError(f"{len(extra)} parts came that are not named")
        whole = self._archives.receive()
        try:
            for name in named:
                with (folder / name).open("rb") as file:
                    while chunk := file.read(1024 * 1024):
                        whole.write(chunk)
                (folder / name).unlink()
            folder.rmdir()
        except BaseException:
            whole.__exit__(None, None, None)
            raise
        return whole

    def _folder(self, upload_id: str) -> Path:
        folder = self._archives.incoming / f"parts-{upload_id}"
        if not re.fullmatch(r"[0-9a-f]{32}", upload_id) or not folder.is_dir():
            raise NotFoundError("there is no such upload under way", hint="push again")
        return folder
