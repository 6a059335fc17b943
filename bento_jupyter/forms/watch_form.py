"""The form that watches: all deployments and one of them as they are now, and what can be done with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets

from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..display.cards import deployment_card
from ..display.logs import LogView
from ..display.tables import Listing
from ..display.words import age, status_words
from ..errors import BentoJupyterError
from ..insight import RevisionView
from ..quoting import quoted
from ..spec import DeploymentSpec, Mode, Status
from ..views import DeploymentView
from . import fields
from .choices import Choice
from .code import code_html, rebased
from .form import Action, CloudForm
from .models import Group, Look
from .scaling import min_follows_mode
from .watching import Watch

__all__ = ["WatchForm"]

#: Seconds between two looks when nothing is heard: of a cloud that tells of changes, of one that does not,
#: and while something is looked at of which no change is told.
SLOW, POLL, QUICK = 15.0, 5.0, 1.0
#: Lines of the log, and events, that are shown.
LINES, EVENTS = 200, 50
STOPPED = (Status.TERMINATED, Status.TERMINATING)
SCALE = ("mode", "min", "max")


class WatchForm(CloudForm):
    """List and detail of deployments, live until the form is closed.

    Args:
        name: Deployment to begin with; "" = the newest.
        cloud: Cloud or name of one; None = the current one.

    Attributes:
        views: The deployments as they were seen last.
        name: The deployment that is looked at; "" when there is none.
        scaling: The fields of type and number of instances.
    """

    def __init__(self, name: str = "", *, cloud: Cloud | str | None = None) -> None:
        super().__init__("Status", "status", "%bento_status NAME", cloud=cloud)
        self.watch = Watch(self.cloud, lambda: self.guarded(self.look), self._pace)
        self.views: list[DeploymentView] = []
        self.name = name
        self._listing = False
        self._revisions: list[RevisionView] = []
        self._filled: tuple[Any, ...] = ()
        self._loaded: dict[str, Any] = {}
        self._sight = threading.Lock()
        self.list = ipywidgets.Select(
            description="Deployments",
            rows=5,
            style=fields.LABEL,
            layout={**fields.FULL, "max_width": "60em"},
        )
        self.live = ipywidgets.HTML()
        self.detail = ipywidgets.HTML(layout=fields.FULL)
        self._actions()
        self._tabs()
        row = {"flex_flow": "row wrap", "align_items": "center"}
        self.widget.children = (
            self.live,
            self.list,
            ipywidgets.HBox(
                [self.start, self.restart, self.terminate, self.delete, self.close_button], layout=row
            ),
            self.question,
            self.message,
            self.detail,
            self.style,
            self.tabs,
            self.code,
        )
        self.list.observe(lambda _: self._chosen(), "value")
        self.look()
        self.watch.begin()

    def _actions(self) -> None:
        self.start = self.button("Start", lambda: self._do("start"), tooltip="Start it again")
        self.restart = self.button("Restart", lambda: self._do("restart"), tooltip="Replace its instances")
        self.terminate = self.button(
            "Terminate",
            lambda: self._asked("terminate", "It stops; its address and revisions are kept."),
            tooltip="Stop it; it can be started again",
        )
        self.delete = self.button(
            "Delete",
            lambda: self._asked("delete", "Its address, revisions and logs go, too."),
            tooltip="Delete it for good",
            button_style="danger",
        )
        self.close_button = Action(
            self, self.close, always=True, description="Close", tooltip="Stop watching and close the form"
        )
        self.close_button.layout.width = "auto"
        labels = {"mode": "Type", "min": "Min instances", "max": "Max instances"}
        others = [each for each in DeploymentSpec.model_fields if each not in SCALE]
        self.scaling = Group(DeploymentSpec, look=Look(labels=labels), without=others)
        self.scaling["mode"].watch(self._mode_changed)
        self.scaling.watch(lambda: self.guarded(self.refresh))
        self.apply = self.button("Apply", self._scale, tooltip="Change type and number of instances")
        self.revision = Choice("Go back to", [("there is no earlier one", 0)], few=0)
        self.rollback = self.button(
            "Roll back",
            lambda: self._asked(
                "rollback",
                f"A new revision is made, as revision {self.revision.value} was.",
                self.revision.value,
            ),
            tooltip="Make a new revision as that one was",
        )

    def _tabs(self) -> None:
        self.instances, self.metrics, self.logs, self.events, self.revisions = (
            ipywidgets.HTML(layout=fields.FULL) for _ in range(5)
        )
        self.search = fields.Text("Search", placeholder="only lines with this text")
        self.follow = fields.Flag("follow new lines")
        self.follow.value = True
        self.change = ipywidgets.HTML(layout=fields.FULL)
        for button in (self.apply, self.rollback):
            button.layout.align_self = "flex-start"
        parts = {
            "Instances": [self.instances],
            "Metrics": [self.metrics],
            "Logs": [self.search.box, self.follow.box, self.logs],
            "Events": [self.events],
            "Revisions": [self.revisions, self.revision.box, self.rollback],
            "Scale": [self.scaling.box, self.apply, self.change],
        }
        # Titles that find no room in a narrow cell go into a second row: cut off, nobody would know of them.
        self.style = ipywidgets.HTML(
            "<style>.bento-status-form .lm-TabBar, .bento-status-form .lm-TabBar-content "
            "{ flex-wrap: wrap; overflow: visible; height: auto; max-height: none }</style>",
            layout={"display": "none"},
        )
        self.tabs = ipywidgets.Tab([ipywidgets.VBox(each) for each in parts.values()], titles=tuple(parts))
        for each in (self.search, self.follow):
            each.watch(self._turned)
        self.tabs.observe(lambda _: self._turned(), "selected_index")

    # --- seeing ------------------------------------------------------------------------------

    @property
    def view(self) -> DeploymentView | None:
        """It, as it was seen last."""
        return next((each for each in self.views if each.name == self.name), None)

    @property
    def line(self) -> str:
        """The magic line that shows the same."""
        return self._as_line("status", self.name)

    @property
    def call(self) -> str:
        """The Python call that shows the same."""
        if not self.name:
            return f"bj.deployments({f'cloud={self.elsewhere!r}' if self.elsewhere else ''})"
        return self._as_call("watch()")

    def _as_line(self, verb: str, *words: str) -> str:
        cloud = quoted(f"--cloud={self.elsewhere}") if self.elsewhere else ""
        return " ".join(filter(None, (f"%bento_{verb}", *words, cloud)))

    def _as_call(self, call: str) -> str:
        cloud = f", cloud={self.elsewhere!r}" if self.elsewhere else ""
        return f"bj.deployment({self.name!r}{cloud}).{call}"

    def _action_codes(self) -> str:
        """Lines and calls of the buttons, to be opened."""
        codes = []
        for label, verb, words, call in (
            ("Start", "start", (), "start()"),
            ("Restart", "restart", (), "restart()"),
            ("Terminate", "terminate", (), "terminate()"),
            ("Delete", "delete", ("--yes",), "delete()"),
            ("Roll back", "rollback", (str(self.revision.value),), f"rollback({self.revision.value})"),
        ):
            if verb != "rollback" or self.revision.value:
                line = self._as_line(verb, self.name, *words)
                codes += [(f"{label} as a line", line), (f"{label} in Python", self._as_call(call))]
        return f"<details><summary>The buttons as code</summary>{code_html(codes)}</details>"

    @property
    def tab(self) -> str:
        """Title of the tab that is open."""
        return str(self.tabs.titles[self.tabs.selected_index or 0])

    def _pace(self) -> float:
        if self.tab == "Metrics" or (self.tab == "Logs" and self.follow.value):
            return QUICK
        return SLOW if self.watch.cloud.embedded else POLL

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        listed = "\n".join(
            f"{view.name}  {status_words(view.status)}  {view.url or ''}".rstrip() for view in self.views
        )
        return [
            ("deployments", listed or "none"),
            ("as a line", self.line),
            ("in Python", self.call),
        ]

    def groups(self) -> list[Group]:
        """The groups of fields in which errors of the cloud are placed."""
        return [self.scaling]

    def _chosen(self) -> None:
        if not self._listing:
            self.name = self.list.value or ""
            self._turned()

    def _turned(self) -> None:
        """Something else is looked at: look at once."""
        self.later(lambda: self.look(turned=True), "look")

    def look(self, *, turned: bool = False) -> None:
        """Show everything as it is now; what cannot be seen is said, and looked for again.

        Args:
            turned: The user wants to see something else, so also what does not follow is shown anew.
        """
        with self._sight:
            if self.worker.closed.is_set():
                return
            said = self.rows()
            try:
                self.views = self.watch.cloud.deployments()
                self._list()
                if view := self.view:
                    self._detail(view, turned=turned)
                how = "" if self.watch.cloud.embedded else f", every {POLL:g} s"
                self.live.value = fields.note(f"● live{how}")
            except BentoJupyterError as error:
                self.live.value = fields.alert(f"not live: {error.message}", "it is looked for again")
            self.refresh()
            if self.rows() != said:
                self.update_record()

    def _list(self) -> None:
        options = [
            (f"{status_words(view.status)}  {view.name}  {view.mode.full_name}", view.name)
            for view in self.views
        ]
        if tuple(options) == tuple(self.list.options):
            return
        names = [name for _, name in options]
        wanted = self.name if self.name in names else names[0] if names else None
        with self.list.hold_sync():  # for a moment the first one would be chosen
            self._listing = True
            self.list.options = options
            self.list.value = wanted
            self._listing = False
        self.name = wanted or ""

    def _detail(self, view: DeploymentView, *, turned: bool) -> None:
        self.detail.value = deployment_card(view)["text/html"]
        self._fill(view)
        dep = Deployment(self.watch.cloud, view.name)
        if self.tab == "Instances":
            self.instances.value = _html(dep.instances())
        elif self.tab == "Scale":
            return
        elif not self.watch.cloud.embedded:
            self._untold()
        elif self.tab == "Metrics":
            self.metrics.value = _html(dep.metrics())
        elif self.tab == "Logs" and (self.follow.value or turned):
            self.logs.value = _log_html(dep.logs(LINES, q=self.search.value))
        elif self.tab == "Events":
            self.events.value = _html(dep.events(EVENTS))
        elif self.tab == "Revisions":
            found = dep.revisions()
            self.revisions.value = _html(found)
            if list(found) != self._revisions:
                self._revisions = list(found)
                self.revision.offer(
                    [
                        (f"revision {each.number}: {each.bento}, {age(each.created_at)} old", each.number)
                        for each in found
                        if not each.active
                    ]
                    or [("there is no earlier one", 0)]
                )

    def _untold(self) -> None:
        """Say where else to look: a cloud tells its client nothing of these."""
        shown = {
            "Metrics": self.metrics,
            "Logs": self.logs,
            "Events": self.events,
            "Revisions": self.revisions,
        }
        shown[self.tab].value = fields.note(
            f"{self.watch.cloud.name} shows these in its console only: {self.watch.cloud.endpoint}"
        )

    def _fill(self, view: DeploymentView) -> None:
        """Begin with the numbers that hold; when somebody changes them, what was typed stays."""
        now = (view.name, view.mode, view.scaling.min, view.scaling.max)
        if now == self._filled:
            return
        mine = {name: self.scaling[name].value for name in SCALE}
        same, self._filled = self._filled[:1] == now[:1], now
        self.scaling.given = {"name": view.name, "bento": view.bento}
        self.scaling.value = dict(zip(SCALE, now[1:], strict=True))
        base, self._loaded = self._loaded, {name: self.scaling[name].value for name in SCALE}
        if same:
            for name in SCALE:
                self.scaling[name].value = rebased(base[name], mine[name], self._loaded[name])
        min_follows_mode(self.scaling)

    def _mode_changed(self) -> None:
        min_follows_mode(self.scaling)
        back = self.scaling["mode"].value is self._loaded.get("mode")
        if back and self.scaling["min"].value is None:
            self.scaling["min"].value = self._loaded["min"]

    def refresh(self) -> None:
        """Show which actions there are, and which code does the same."""
        view = self.view
        stopped = view is not None and view.status in STOPPED
        none = view is None or self.busy
        self.start.disabled = none or not stopped
        self.restart.disabled = self.terminate.disabled = none or stopped
        self.delete.disabled = none
        self.rollback.disabled = none or not self.revision.value
        self.tabs.layout.display = self.detail.layout.display = "" if view else "none"
        same = code_html([("The same as a line", self.line), ("in Python", self.call)])
        self.code.value = same + (self._action_codes() if view else "")
        changes = self._changes() if view else {}
        self.apply.disabled = none or stopped or not changes
        self.change.value = code_html(self._scale_codes(changes)) if changes else ""

    def _changes(self) -> dict[str, Any]:
        """What of type and numbers is other than it is; {} while something is wrong."""
        spec = self.scaling.read()
        before = dict(zip(SCALE, self._filled[1:], strict=False))
        if spec is None:
            return {}
        wanted = {"mode": spec.mode, "min": spec.scaling.min, "max": spec.scaling.max}
        return {name: value for name, value in wanted.items() if value != before.get(name)}

    def _scale_codes(self, changes: dict[str, Any]) -> list[tuple[str, str]]:
        """The line and the call that make these changes."""
        plain = {key: value.value if isinstance(value, Mode) else value for key, value in changes.items()}
        options = [f"--{key} {value}" for key, value in plain.items()]
        arguments = ", ".join(f"{key}={value!r}" for key, value in plain.items())
        return [
            ("The same as a line", self._as_line("scale", self.name, *options)),
            ("in Python", self._as_call(f"scale({arguments})")),
        ]

    # --- doing -------------------------------------------------------------------------------

    def _asked(self, action: str, means: str, *arguments: Any) -> None:
        name = self.name
        words = "roll back" if action == "rollback" else action
        self.ask(
            f"{words.capitalize()} {name}? {means}",
            f"{words.capitalize()} {name}",
            lambda: self._do(action, *arguments, name=name),
        )

    def _do(self, action: str, *arguments: Any, name: str = "", **options: Any) -> None:
        dep = Deployment(self.watch.cloud, name or self.name)
        work: Callable[..., Any] = getattr(dep, action)
        work(*arguments, **({} if action == "delete" else {"wait": False, **options}))
        self.tell(f"{_DONE[action]} {dep.name}", wrong=False)
        self.watch.hint()

    def _scale(self) -> None:
        self._do("scale", **self._changes())

    def close(self) -> None:
        """End it: it listens and looks no more, its widgets go."""
        self.watch.close()
        super().close()


#: What is said when it was asked for; the list shows how it goes on.
_DONE = {
    "start": "starting",
    "restart": "replacing the instances of",
    "terminate": "terminating",
    "delete": "deleted",
    "rollback": "rolling back",
    "scale": "changing",
}


def _log_html(lines: Any) -> str:
    """Log lines in a box that stays at its end when there are more."""
    box = str(LogView(lines)._repr_mimebundle_()["text/html"]).replace(
        "max-height:24em;overflow:auto", "margin:0;flex:none;overflow:visible"
    )
    end = "display:flex;flex-direction:column-reverse;max-height:24em;overflow:auto"
    return f'<div style="{end}">{box}</div>'


def _html(shown: Any) -> str:
    """What a cell shows; lists without their time, for this one is live."""
    if isinstance(shown, Listing):
        shown = shown.table
        shown.at = None
    return str(shown._repr_mimebundle_()["text/html"])
