"""The thread of a form: callbacks of widgets wait for nothing, so what takes time is done there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

__all__ = ["Worker"]


class Worker:
    """Does one thing after another in a thread, which is there only while there is something to do."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, Callable[[], None]]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.closed = threading.Event()

    def submit(self, work: Callable[[], None], key: str = "") -> None:
        """Do `work` after what waits already; it takes the place of what waits under the same key."""
        with self._lock:
            if self.closed.is_set():
                return
            if key:
                self._waiting = deque(item for item in self._waiting if item[0] != key)
            self._waiting.append((key, work))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="bento-form", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self.closed.is_set():
                    self._thread = None
                    return
                _, work = self._waiting.popleft()
            work()

    def wait(self, timeout: float | None = None) -> None:
        """Return when nothing is under way nor waits; not to be called in a callback.

        Raises:
            TimeoutError: It takes longer than `timeout` seconds.
        """
        with self._lock:
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            if thread.is_alive():
                raise TimeoutError(f"the form is still at work after {timeout:g} s")

    def close(self) -> None:
        """Begin nothing more."""
        self.closed.set()
        with self._lock:
            self._waiting.clear()
