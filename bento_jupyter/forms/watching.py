"""A look at a cloud, again whenever it says that something has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..client import embedded
from ..client.cloud import Cloud
from ..errors import BentoJupyterError

__all__ = ["Watch"]

#: Seconds between two looks however much happens, and until a feed that broke off is opened again.
PAUSE, AGAIN = 0.2, 0.5


class Watch:
    """Looks whenever the cloud says that something has changed, and now and then when it says nothing.

    Args:
        cloud: The cloud.
        look: Called in a thread of its own; it raises nothing.
        pace: Says how many seconds may pass between two looks.

    Attributes:
        cloud: The cloud, where it is now: the embedded one may have been started again elsewhere.
        closed: Set when it looks no more.
    """

    def __init__(self, cloud: Cloud, look: Callable[[], None], pace: Callable[[], float]) -> None:
        self.cloud = cloud
        self.closed = threading.Event()
        self._look, self._pace = look, pace
        self._hint = threading.Event()
        work = [self._looking, self._listening] if cloud.embedded else [self._looking]
        self._threads = [threading.Thread(target=each, name="bento-watch", daemon=True) for each in work]

    def begin(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def hint(self) -> None:
        """Look soon."""
        self._hint.set()

    def close(self) -> None:
        """Look no more; what listens ends with the next sign of life of the cloud, within ten seconds."""
        self.closed.set()
        self._hint.set()

    def _looking(self) -> None:
        while not self.closed.is_set():
            self._hint.clear()
            self._look()
            self.closed.wait(PAUSE)
            self._hint.wait(self._pace())

    def _listening(self) -> None:
        while not self.closed.is_set():
            try:
                for _ in self.cloud.events(until=self.closed):
                    self.hint()
            except BentoJupyterError:
                self._find_again()
            self.hint()
            self.closed.wait(AGAIN)

    def _find_again(self) -> None:
        """Where the embedded cloud is now; one that was stopped is not started by looking at it."""
        state = embedded.find()
        if state is not None and state.endpoint != self.cloud.endpoint:
            self.cloud = Cloud(self.cloud.name, state.endpoint, state.token, embedded=True)
