"""A deployment one can hold in a variable: see it, call it, change it, end it."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import (
    CloudError,
    InvalidRequestError,
    WaitTimeoutError,
)
from ..spec import FAILED_STATUSES, READY_STATUSES, Status, mode_of
from ..views import DeploymentView, LogLine
from . import changing
from .calls import Calls
from .failures import failure_of

if TYPE_CHECKING:
    from datetime import datetime

    from ..insight import MetricsView, RevisionView
    from ..views import Event, InstanceView
    from .cloud import Cloud

__all__ = ["Deployment"]

#: Seconds between two looks at a cloud that has no change feed.
POLL = 2.0
#: The same for the embedded cloud, which answers in a millisecond.
POLL_EMBEDDED = 0.05


class Deployment(Calls):
    """A deployment of a cloud.

    Args:
        cloud: The cloud it is in.
        name: Its name.

    Example:
        >>> dep = bj.deployment("iris")              # doctest: +SKIP
        >>> dep.call("predict", X[:5])               # doctest: +SKIP
        array([0, 0, 0, 0, 0])
    """

    def __init__(self, cloud: Cloud, name: str) -> None:
        super().__init__(cloud, name)

    def __repr__(self) -> str:
        return f"<Deployment {self.name!r} in {self.cloud.name}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from ..display.cards import deployment_card

        try:
            return deployment_card(self.status())
        except CloudError as error:  # deleted, or the cloud is away: looking at it is no mistake
            return {"text/plain": f"Deployment {self.name}: {error}"}

    # --- see ---------------------------------------------------------------------------------

    def status(self) -> DeploymentView:
        """How it is now.

        Raises:
            NotFoundError: It does not exist (any more).
        """
        from ..display.cards import DeploymentCard

        return DeploymentCard.of(self.cloud.view(self.name))

    def watch(self, until: Status | str | None = None) -> DeploymentView:
        """Show how it is, and each change as it comes, until interrupted.

        In a notebook it is one card that updates itself, elsewhere a line per change.

        Args:
            until: End as soon as it has this status, e.g. `running`; None = when interrupted.

        Returns:
            How it was in the end.

        Raises:
            NotFoundError: It does not exist (any more).
            DeploymentError: It has failed, and another status was waited for.
            InvalidRequestError: There is no such status.
        """
        from ..display.cards import DeploymentCard, status_line
        from ..display.live import Live
        from .following import changes

        if until is not None and until not in set(Status):
            raise InvalidRequestError(f"there is no status {until!r}", hint=f"one of {', '.join(Status)}")
        wanted, live = Status(until) if until else None, Live()
        view = self.status()
        try:
            for view in changes(self.cloud, self.name):
                live.show(DeploymentCard.of(view), status_line(view))
                if view.status is wanted:
                    break
                if wanted is not None and view.status in FAILED_STATUSES:
                    raise failure_of(self.cloud, view)
        except KeyboardInterrupt:
            pass  # that is how watching ends
        return view

    @property
    def url(self) -> str:
        """Base URL of its endpoints.

        Raises:
            CloudError: It has none yet.
        """
        view = self.status()
        if view.url is None:
            raise CloudError(
                f"deployment {self.name!r} has no URL yet: it is {view.status.value}", hint=view.reason
            )
        return view.url

    @property
    def bento(self) -> str:
        """Tag of the Bento it runs."""
        return self.status().bento

    def instances(self) -> list[InstanceView]:
        """Its instances, newest last."""
        from ..display.listings import instances_table

        return instances_table(self.status().instances)

    def logs(
        self,
        lines: int = 100,
        source: str = "",
        *,
        q: str = "",
        regex: bool = False,
        since: datetime | None = None,
    ) -> list[LogLine]:
        """Last lines of its logs, oldest first.

        Args:
            lines: How many.
            source: Instance id or `image`; "" = all.
            q: Only lines that hold this text, whatever the case; "" = all.
            regex: `q` is a regular expression (of RE2).
            since: Only lines from then on, with zone.
        """
        from ..display.logs import LogView

        return LogView(self.cloud.logs(self.name, lines=lines, source=source, q=q, regex=regex, since=since))

    def follow_logs(
        self,
        lines: int = 100,
        source: str = "",
        *,
        q: str = "",
        regex: bool = False,
        since: datetime | None = None,
    ) -> Iterator[LogLine]:
        """As `logs`, then new lines as they are written, without end; restarts of the cloud do not end it."""
        from .following import followed_lines

        return followed_lines(
            lambda count: self.cloud.follow_logs(
                self.name, lines=count, source=source, q=q, regex=regex, since=since
            ),
            lines,
        )

    def metrics(self, step: int = 1) -> MetricsView:
        """Its requests, errors, latencies, instances over time and cold starts.

        Args:
            step: Seconds per point: 1 (the last 15 minutes) or 60 (the last day).
        """
        from ..display.metrics import Metrics

        return Metrics.of(self.name, self.cloud.metrics(self.name, step=step))

    def revisions(self) -> list[RevisionView]:
        """Its revisions with what changed, newest first."""
        from ..display.listings import revisions_table

        return revisions_table(self.cloud.revisions(self.name))

    def events(self, count: int = 100) -> list[Event]:
        """What happened to it, newest first."""
        from ..display.listings import events_table

        return events_table(self.cloud.deployment_events(self.name, count=count))

    # --- wait --------------------------------------------------------------------------------

    def wait(
        self, *, timeout: float = 900.0, progress: Callable[[DeploymentView], None] | None = None
    ) -> DeploymentView:
        """Wait until it is `running` with its fewest instances, or `scaled-to-zero` on demand.

        Args:
            timeout: Seconds.
            progress: Called with each new view.

        Returns:
            The view in which it is ready.

        Raises:
            DeploymentError: It ended in a failed state; the reason and the end of its log are in the error.
            WaitTimeoutError: It took longer.
        """
        # What the wire alone says of a deployment holds no number of instances.
        return self._look(
            lambda view: (
                view.status in READY_STATUSES and (view.ready >= view.scaling.min or not self.cloud.embedded)
            ),
            timeout,
            progress,
        )

    def wait_past(
        self,
        statuses: Container[Status],
        *,
        timeout: float = 900.0,
        progress: Callable[[DeploymentView], None] | None = None,
    ) -> DeploymentView:
        """Wait until its status is none of `statuses`, e.g. until its image is built.

        Raises:
            DeploymentError, WaitTimeoutError: As `wait`.
        """
        return self._look(lambda view: view.status not in statuses, timeout, progress)

    def wait_to_listen(self, *, timeout: float = 60.0) -> DeploymentView:
        """Wait until it answers requests, e.g. after its cloud was started; one that has failed never will.

        Raises:
            DeploymentError, WaitTimeoutError: As `wait`.
        """
        view = self.status()
        if view.healthy or view.status in FAILED_STATUSES:
            return view
        return self._look(lambda view: view.healthy, timeout, None)

    def _look(
        self,
        enough: Callable[[DeploymentView], bool],
        timeout: float,
        progress: Callable[[DeploymentView], None] | None,
    ) -> DeploymentView:
        deadline = time.monotonic() + timeout
        while True:
            view = self.status()
            if progress is not None:
                progress(view)
            if enough(view) and view.status not in FAILED_STATUSES:
                return view
            if view.status in FAILED_STATUSES:
                raise failure_of(self.cloud, view)
            if time.monotonic() > deadline:
                raise WaitTimeoutError(
                    f"deployment {self.name!r} is still {view.status.value} after {timeout:g} s",
                    hint=view.reason or f"%bento_status {self.name} --watch shows how it goes on",
                )
            time.sleep(POLL_EMBEDDED if self.cloud.embedded else POLL)

    # --- change ------------------------------------------------------------------------------

    def update(self, bento: str | None = None, *, wait: bool = True, **fields: Any) -> Deployment:
        """Change it; what is not said stays, and where nothing differs nothing is done.

        Args:
            bento: Tag of another Bento, which the cloud has.
            wait: Return only when it is ready.
            **fields: Those of `DeploymentSpec`: `mode`, `min`, `max`, `concurrency`, `envs`, `services`, ...

        Raises:
            InvalidRequestError: A field is wrong; nothing has been changed.
        """
        changing.update(self.cloud, self.name, fields, bento)
        return self._waited(wait)

    def scale(
        self,
        *,
        min: int | None = None,  # noqa: A002 - the words of the magic and of BentoCloud
        max: int | None = None,  # noqa: A002
        concurrency: int | None = None,
        mode: str | None = None,
        idle_seconds: int | None = None,
        scale_up_seconds: int | None = None,
        wait: bool = True,
    ) -> Deployment:
        """Change how many instances it has, and when; `min=0` is mode on-demand, `min=1` online.

        Raises:
            InvalidRequestError: A number is wrong; nothing has been changed.
        """
        said: dict[str, Any] = {
            "min": min,
            "max": max,
            "concurrency": concurrency,
            "idle_seconds": idle_seconds,
            "scale_up_seconds": scale_up_seconds,
            "mode": mode or (None if min is None else mode_of(min)),
        }
        return self.update(wait=wait, **{key: value for key, value in said.items() if value is not None})

    def canary(
        self,
        bento: str,
        *,
        weight: float | None = None,
        name: str = "canary",
        header: str | None = None,
        query: str | None = None,
        wait: bool = True,
    ) -> Deployment:
        """Let another Bento answer a part of the requests; saying it again changes it.

        Args:
            bento: Tag of that Bento, which the cloud has.
            weight: Percentage of the requests; None = as it is, 10 for a new one.
            name: Name of this canary.
            header: Callers with the same value of this header stay with one version; None = as it is.
            query: The same for a query parameter.
            wait: Return only when it is ready.
        """
        if header and query:
            raise InvalidRequestError("a canary goes by a header or by a query parameter, not by both")
        by = "header" if header else "query" if query else None
        canary = changing.with_canary(
            self.cloud, self.name, bento, canary=name, weight=weight, by=by, key=header or query
        )
        return self.update(wait=wait, canary=canary)

    def promote_canary(self, name: str | None = None, *, wait: bool = True) -> Deployment:
        """Make a canary the main version.

        Args:
            name: Which; None = the only one.
            wait: Return only when it is ready.
        """
        changing.promote_canary(self.cloud, self.name, name)
        return self._waited(wait)

    def remove_canary(self, *, wait: bool = True) -> Deployment:
        """Take all canaries away: the main version answers everything."""
        return self.update(wait=wait, canary={})

    def _waited(self, wait: bool) -> Deployment:
        if wait:
            self.wait()
        return self

    def terminate(self, *, wait: bool = True) -> Deployment:
        """Stop it; revisions and address are kept. One that is terminated stays so.

        Args:
            wait: Return only when nothing of it runs any more.
        """
        self.cloud.terminate(self.name)
        if wait:
            self.wait_until(Status.TERMINATED)
        return self

    def start(self, *, wait: bool = True) -> Deployment:
        """Start it again after `terminate`; one that runs is left alone."""
        if self.status().status in (*FAILED_STATUSES, Status.NON_DEPLOYED, Status.UNKNOWN):
            self.cloud.start(self.name)
        return self._waited(wait)

    def rollback(self, revision: int, *, wait: bool = True) -> Deployment:
        """Give it a new revision that asks for what an earlier one asked for.

        Args:
            revision: Number of the earlier one.
            wait: Return only when it is ready.

        Raises:
            NotFoundError: There is no such revision.
            ConflictError: It is the active one.
        """
        self.cloud.rollback(self.name, revision)
        return self._waited(wait)

    def restart(self, *, wait: bool = True) -> Deployment:
        """Replace its instances by new ones; the old ones answer until the new ones are ready.

        Args:
            wait: Return only when it is ready.
        """
        self.cloud.restart(self.name)
        return self._waited(wait)

    def delete(self) -> None:
        """Delete it for good, with its revisions, logs and address."""
        self.cloud.delete(self.name)

    def wait_until(self, *statuses: Status | str, timeout: float = 120.0) -> DeploymentView:
        """Wait until its status is one of `statuses`, e.g. `scaled-to-zero`.

        Args:
            *statuses: Status words.
            timeout: Seconds.

        Raises:
            WaitTimeoutError: It took longer.
        """
        wanted = {Status(status) for status in statuses}
        deadline = time.monotonic() + timeout
        while (view := self.status()).status not in wanted:
            if time.monotonic() > deadline:
                raise WaitTimeoutError(
                    f"deployment {self.name!r} is still {view.status.value} after {timeout:g} s",
                    hint=view.reason or f"%bento_status {self.name} --watch shows how it goes on",
                )
            time.sleep(POLL_EMBEDDED if self.cloud.embedded else POLL)
        return view
