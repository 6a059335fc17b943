"""The form that watches: all deployments and one of them as they are now, and what can be done with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets

from .. import workspace
from ..client import embedded
from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..display.cards import deployment_card
from ..display.logs import LogView
from ..display.tables import Table
from ..display.words import age, status_words
from ..errors import BentoJupyterError
from ..spec import Mode, Status
from ..views import DeploymentView
from . import fields
from .form import Form, code_html

__all__ = ["WatchForm"]

#: Seconds between two looks when nothing is heard: with a change feed, without one, and while logs are read.
SLOW, POLL, LOGS = 15.0, 5.0, 1.0
#: Seconds between two looks however much happens.
PAUSE = 0.2
LINES = 200
STOPPED = (Status.TERMINATED, Status.TERMINATING)


class Watch:
    """Looks whenever the cloud says that something has changed, and now and then when it says nothing.

    Args:
        cloud: The cloud.
        look: Called in a thread of its own.
        pace: Says how many seconds may pass between two looks.
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
        """Look no more."""
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
            self.closed.wait(1.0)

    def _find_again(self) -> None:
        """Where the embedded cloud is now; one that was stopped is not started by looking at it."""
        state = embedded.find()
        if state is not None and state.endpoint != self.cloud.endpoint:
            self.cloud = Cloud(self.cloud.name, state.endpoint, state.token, embedded=True)


class WatchForm(Form):
    """List and detail of deployments, live until the form is closed.

    Args:
        name: Deployment to begin with; "" = the newest.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__("Status", "status")
        self.watch = Watch(
            workspace.current(),
            lambda: self.guarded(self.look),
            lambda: LOGS if self._reads_logs else self._pace,
        )
        self.views: list[DeploymentView] = []
        self._wanted = name
        self._revisions: list[int] = []
        self._sight = threading.Lock()
        self.list = ipywidgets.Select(
            description="Deployments",
            rows=5,
            style=fields.LABEL,
            layout={"width": "100%", "max_width": "60em"},
        )
        self.live = ipywidgets.HTML()
        self.detail = ipywidgets.HTML(layout={"width": "100%"})
        self._actions()
        self._tabs()
        self.code = ipywidgets.HTML(layout={"width": "100%"})
        row = {"flex_flow": "row wrap", "align_items": "center"}
        self.widget.children = (
            self.live,
            self.list,
            ipywidgets.HBox(
                [self.start, self.restart, self.terminate, self.delete, self.close_button], layout=row
            ),
            self.question,
            self.message,
            self.progress,
            self.detail,
            self.tabs,
            self.code,
        )
        self.list.observe(lambda _: self.later(self.look, "look"), "value")
        self.look()
        self.watch.begin()

    def _actions(self) -> None:
        self.start = self.button("Start", lambda: self._do("start"), tooltip="Start it again")
        self.restart = self.button("Restart", lambda: self._do("restart"), tooltip="Replace its instances")
        self.terminate = self.button(
            "Terminate",
            lambda: self._asked("Terminate", "It stops; its address and revisions are kept."),
            tooltip="Stop it; it can be started again",
        )
        self.delete = self.button(
            "Delete",
            lambda: self._asked("Delete", "Its address, revisions and logs go, too."),
            tooltip="Delete it for good",
            button_style="danger",
        )
        self.close_button = self.button("Close", self.close, tooltip="Stop watching and close the form")
        self.mode = fields.Choice("Type", [(mode.full_name, mode) for mode in Mode])
        self.min, self.max = fields.Number("Min instances"), fields.Number("Max instances")
        self.scale = self.button("Apply", self._scale, tooltip="Change type and number of instances")
        self.revision = fields.Choice("Go back to", [("", 0)], few=0)
        self.rollback = self.button(
            "Roll back",
            lambda: self._asked(
                "Roll back", f"A new revision is made, as revision {self.revision.value} was."
            ),
            tooltip="Make a new revision as that one was",
        )

    def _tabs(self) -> None:
        full = {"width": "100%"}
        self.events, self.revisions, self.instances = (ipywidgets.HTML(layout=full) for _ in range(3))
        self.search = fields.Text("Search", placeholder="only lines with this text")
        self.logs = ipywidgets.HTML(layout=full)
        self.search.watch(self.watch.hint)
        parts = {
            "Instances": [self.instances],
            "Logs": [self.search.box, self.logs],
            "Events": [self.events],
            "Revisions": [self.revisions, self.revision.box, self.rollback],
            "Scale": [self.mode.box, self.min.box, self.max.box, self.scale],
        }
        self.tabs = ipywidgets.Tab([ipywidgets.VBox(each) for each in parts.values()], titles=tuple(parts))
        self.tabs.observe(lambda _: self.watch.hint(), "selected_index")

    # --- seeing ------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The deployment that is looked at; "" when there is none."""
        return self.list.value or ""

    @property
    def line(self) -> str:
        """The magic line that shows the same."""
        return f"%bento_status {self.name}".strip()

    @property
    def _pace(self) -> float:
        return SLOW if self.watch.cloud.embedded else POLL

    @property
    def _reads_logs(self) -> bool:
        return bool(self.tabs.titles[self.tabs.selected_index or 0] == "Logs")

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        listed = "\n".join(
            f"{view.name}  {status_words(view.status)}  {view.url or ''}" for view in self.views
        )
        return [("deployments", listed), ("as a line", self.line)]

    def look(self) -> None:
        """Show everything as it is now; what cannot be seen is said, and looked for again."""
        if self.worker.closed.is_set():
            return
        with self._sight:
            try:
                self.views = self.watch.cloud.deployments()
                self._list()
                if self.name:
                    self._detail(Deployment(self.watch.cloud, self.name))
                self.live.value = fields.note("● live" if self.watch.cloud.embedded else "● live, every 5 s")
            except BentoJupyterError as error:
                self.live.value = fields.alert(f"not live: {error.message}", "it is looked for again")
            self.refresh()

    def _list(self) -> None:
        options = [
            (f"{status_words(view.status)}  {view.name}  {view.mode.full_name}", view.name)
            for view in self.views
        ]
        if tuple(options) == tuple(self.list.options):
            return
        names = [name for _, name in options]
        wanted = next(
            (each for each in (self._wanted, self.name) if each in names), names[0] if names else None
        )
        self._wanted = ""
        with self.list.hold_trait_notifications():
            self.list.options = options
            self.list.value = wanted

    def _detail(self, dep: Deployment) -> None:
        view = next(each for each in self.views if each.name == dep.name)
        self.detail.value = deployment_card(view)["text/html"]
        self.instances.value = _html(
            Table(
                ["instance", "state", "age", "why"],
                [[each.id, each.state.value, age(each.started_at), each.reason] for each in view.instances],
                empty="no instance is up",
            )
        )
        if not self.watch.cloud.embedded:
            return
        shown = self.tabs.titles[self.tabs.selected_index or 0]
        if shown == "Logs":
            self.logs.value = LogView(dep.logs(LINES, q=self.search.value))._repr_mimebundle_()["text/html"]
        elif shown == "Events":
            rows = [[age(each.at), each.message, each.reason] for each in dep.events(50) if each.message]
            self.events.value = _html(Table(["ago", "what", "why"], rows, empty="nothing has happened yet"))
        elif shown == "Revisions":
            found = dep.revisions()
            rows = [
                [
                    f"{each.number}{' (active)' if each.active else ''}",
                    each.bento,
                    age(each.created_at),
                    ", ".join(f"{change.field} {change.change}" for change in each.changes) or each.note,
                ]
                for each in found
            ]
            self.revisions.value = _html(Table(["revision", "Bento", "ago", "what"], rows))
            earlier = [
                (f"revision {each.number}: {each.bento}", each.number) for each in found if not each.active
            ]
            if [number for _, number in earlier] != self._revisions:
                self._revisions = [number for _, number in earlier]
                self.revision.offer(earlier or [("there is no earlier one", 0)])

    def refresh(self) -> None:
        """Show which actions there are."""
        view = next((each for each in self.views if each.name == self.name), None)
        stopped = view is not None and view.status in STOPPED
        none = view is None or self.busy
        self.start.disabled = none or not stopped
        self.restart.disabled = self.terminate.disabled = self.scale.disabled = none or stopped
        self.delete.disabled = none
        self.rollback.disabled = none or not self.revision.value
        self.tabs.layout.display = self.detail.layout.display = "" if view else "none"
        self.code.value = code_html([("The same as a line", self.line)])

    # --- doing -------------------------------------------------------------------------------

    def _asked(self, what: str, means: str) -> None:
        name, revision = self.name, self.revision.value
        verb = {"Roll back": lambda: self._do("rollback", revision)}.get(what, lambda: self._do(what.lower()))
        self.ask(f"{what} {name}? {means}", f"{what} {name}", verb)

    def _do(self, action: str, *arguments: Any) -> None:
        dep = Deployment(self.watch.cloud, self.name)
        options = {} if action == "delete" else {"wait": False}
        getattr(dep, action)(*arguments, **options)
        self.tell(f"{action}: {dep.name}", wrong=False)
        self.watch.hint()

    def _scale(self) -> None:
        view = next(each for each in self.views if each.name == self.name)
        spec = workspace.spec_of(
            name=view.name, bento=view.bento, mode=self.mode.value, min=self.min.value, max=self.max.value
        )
        with self.progress_of(f"Changing {view.name}", list(workspace.DEPLOY_STEPS)) as progress:
            workspace.deploy(
                view.bento,
                name=view.name,
                mode=spec.mode,
                min=spec.min,
                max=spec.max,
                wait=False,
                cloud=self.watch.cloud,
                progress=progress,
            )
        self.watch.hint()

    def close(self) -> None:
        """End it: it listens and looks no more, its widgets go."""
        self.watch.close()
        super().close()


def _html(table: Table) -> str:
    return str(table._repr_mimebundle_()["text/html"])
