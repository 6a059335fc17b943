"""A task that was submitted to an endpoint: look at it, wait for it, cancel it, have it done again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .payload import answer_value
from .refusals import refusal

if TYPE_CHECKING:
    import httpx

    from .endpoint import Endpoints

__all__ = ["Task"]


class Task:
    """A task of a deployment. It goes on when nobody waits; its result is kept for a day.

    Args:
        endpoints: Of its deployment.
        route: Schema of its endpoint.
        task_id: As `submit` gave it.
        index: Row labels that the result gets.

    Attributes:
        id: Its id: `dep.task(endpoint, id)` finds it again, in another notebook, too.
        endpoint: Name of its endpoint.

    Example:
        >>> task = dep.submit("train", X)                     # doctest: +SKIP
        >>> task.status(), task.result(timeout=60)            # doctest: +SKIP
        ('in_progress', {'accuracy': 0.97})
    """

    def __init__(
        self, endpoints: Endpoints, route: Mapping[str, Any], task_id: str, index: Any = None
    ) -> None:
        self.id = task_id
        self.endpoint: str = route["name"]
        self._endpoints = endpoints
        self._route = route
        self._index = index

    def __repr__(self) -> str:
        return f"<Task {self.id} of {self.endpoint!r}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from ..display.answers import task_card

        return task_card(self.endpoint, self.id, self._told("status").json())

    def status(self) -> str:
        """`pending`, `in_progress`, `completed`, `failed` or `canceled`.

        Raises:
            CallError: The deployment knows no such task (any more).
        """
        return str(self._told("status").json()["status"])

    def result(self, timeout: float | None = None, *, progress: Callable[[str], None] | None = None) -> Any:
        """Wait for its end; gives what the endpoint answered.

        Args:
            timeout: Seconds; None = as long as it takes. The task goes on when they have passed.
            progress: Called with its status at each look.

        Raises:
            CallError: It failed or was canceled.
            WaitTimeoutError: It took longer.
        """
        talk = self._endpoints._awaited(self._route, self.id, timeout, progress)
        return answer_value(self._route, self._fine(self._endpoints._held(talk)), self._index)

    def cancel(self) -> None:
        """Do not have it done, or have its result dropped.

        Raises:
            CallError: It has ended already.
        """
        self._told("cancel")

    def retry(self) -> Task:
        """Have it done again, with the same inputs; gives the new task.

        Raises:
            CallError: It has not ended yet.
        """
        task_id = self._told("retry").json()["task_id"]
        return Task(self._endpoints, self._route, task_id, self._index)

    def _told(self, action: str) -> httpx.Response:
        return self._fine(self._endpoints._held(self._endpoints._asked_about(self._route, self.id, action)))

    def _fine(self, response: httpx.Response) -> httpx.Response:
        if response.status_code != 200:
            error = refusal(self._endpoints.url, self.endpoint, response)
            self._endpoints.explain([error])
            raise error
        return response
