"""A TCP relay in front of a cloud that keeps what its callers say."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Recorder:
    """Relays to an endpoint, byte by byte.

    Args:
        endpoint: URL of what is behind it.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._behind = (parts.hostname or "", parts.port or 0)
        self._said: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def said(self) -> str:
        """All that callers have said so far."""
        return b"".join(self._said).decode("latin-1")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                served = socket.create_connection(self._behind)
                threading.Thread(target=self._pump, args=(caller, served, self._said), daemon=True).start()
                threading.Thread(target=self._pump, args=(served, caller, []), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, kept: list[bytes]) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                kept.append(chunk)
                sink.sendall(chunk)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
