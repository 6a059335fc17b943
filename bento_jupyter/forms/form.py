"""What all forms share: one worker, clicks that act on what was typed before them, errors in the form.

Callbacks of widgets run in the main thread or in one of a subshell, while a cell is busy or after it,
whatever the kernel. So none of them waits: what takes time goes to the form's worker, and comes back by
setting traits, which may be done in any thread.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets
from pydantic import ValidationError

from .. import workspace
from ..client.cloud import Cloud
from ..display.progress import Progress
from ..display.tables import card_bundle
from ..errors import BentoJupyterError, Interrupted
from .fields import FULL, Field, alert, close_widgets, note
from .frontend import FrontEnd, cells_of, record_html, running_shell
from .models import Group, said_by
from .worker import Worker

__all__ = ["Action", "CloudForm", "Form", "FormProgress"]

#: Seconds within which a second click on a button belongs to the first: a double click.
DOUBLE_CLICK = 0.4


class FormProgress(Progress):
    """Steps shown in a form, which can be cancelled between two things that they say.

    Args:
        title: What is under way.
        steps: Names of the steps.
        form: The form.
    """

    def __init__(self, title: str, steps: list[str], form: Form) -> None:
        super().__init__(title, steps, sink=form.show_progress)
        self._form = form

    def detail(self, text: str) -> None:
        """Say what the running step is at; stops here when the user has cancelled."""
        if self._form.cancelled.is_set():
            raise Interrupted(f"{self.title} was stopped", hint=self.goes_on)
        super().detail(text)


class Action(ipywidgets.Button):  # type: ignore[misc]
    """A button whose callbacks run when all that the user did before the click has arrived.

    Args:
        form: Its form.
        work: What it does, in the form's worker.
        always: It can be clicked while the form is busy.
        options: Options of `ipywidgets.Button`.
    """

    def __init__(self, form: Form, work: Callable[[], None], *, always: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._form = form
        self._work = work
        self._always = always
        self._clicked = float("-inf")

    def click(self) -> None:
        """Do what a click does, with the fields as they are."""
        self._do(self._work)

    def _do(self, work: Callable[[], None]) -> None:
        if self._always:
            self._form.guarded(self._work)
        else:
            self._form.act(work)

    def _handle_button_msg(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        if content.get("event") != "click":
            return
        before, self._clicked = self._clicked, time.monotonic()
        # After an error a click is meant, however soon: what was wrong is put right and tried again.
        if self._clicked - before >= DOUBLE_CLICK or self._form.has_failed:
            self._do(self._after_settling)

    def _after_settling(self) -> None:
        self._form.front_end.settle(self._form.worker.closed)
        self._work()


class Form:
    """A form in a cell.

    Args:
        title: What it is for.
        kind: CSS class `bento-<kind>-form`, and the word of `%bento_form`.
        usage: The magic line that does the same, for those whose front end shows no forms.

    Attributes:
        widget: All of it.
        message: What went wrong, or was done.
        result: What came of it.
        code: Code that does the same.
        cancelled: Set when the user wants what is under way to stop.
        said: What is said under the buttons.
        has_failed: That is an error.
    """

    def __init__(self, title: str, kind: str, usage: str = "") -> None:
        self.title, self.kind, self._usage = title, kind, usage
        self.worker = Worker()
        self.front_end = FrontEnd()
        self.cancelled = threading.Event()
        self.said = ""
        self.has_failed = False
        self._busy = False
        self._lock = threading.RLock()
        self._record: Any = None
        self.message = ipywidgets.HTML(layout=FULL)
        self.progress = ipywidgets.HTML(layout=FULL)
        self.result = ipywidgets.HTML(layout=FULL)
        self.code = ipywidgets.HTML(layout=FULL)
        self.question = ipywidgets.HBox(layout={"flex_flow": "row wrap", "align_items": "center"})
        self.cancel = Action(
            self,
            self._cancel,
            always=True,
            description="Cancel",
            icon="stop",
            tooltip="Stop what is under way",
        )
        self.cancel.layout.display = "none"
        self.widget = ipywidgets.VBox(layout={"width": "100%", "overflow": "visible"})
        self.widget.add_class("bento-form").add_class(f"bento-{kind}-form")
        self.widget.observe(self._gone, "comm")

    # --- what a form defines -----------------------------------------------------------------

    @property
    def line(self) -> str:
        """The magic line that does the same; "" while a field is wrong."""
        return ""

    def refresh(self) -> None:
        """Show what follows from the values: problems, code, which buttons can be pressed."""

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it: label and value, nothing secret."""
        return [("the same as a line", self.line)]

    def groups(self) -> Sequence[Group]:
        """The groups of fields in which errors of the cloud are placed."""
        return ()

    def cell_ran(self) -> None:
        """Some cell has run: show what follows from that."""

    # --- doing -------------------------------------------------------------------------------

    def button(self, description: str, work: Callable[[], None], **options: Any) -> Action:
        """A button that has the worker do something; never twice at the same time."""
        return Action(self, work, description=description, **{"layout": {"width": "auto"}, **options})

    def again_button(self, work: Callable[[], None], tip: str) -> Action:
        """A button that has the form take in what has changed around it."""
        return self.button("Look again", work, icon="refresh", tooltip=tip)

    @property
    def busy(self) -> bool:
        """Something is under way."""
        return self._busy

    def act(self, work: Callable[[], None]) -> bool:
        """Have the worker do something, unless it is at something already; False then."""
        with self._lock:
            if self._busy or self.worker.closed.is_set():
                return False
            self._busy = True
        self.cancelled.clear()
        self.tell("")
        for field in self._fields():
            field.pardon()
        self.refresh()
        self.worker.submit(lambda: self._acted(work))
        return True

    def later(self, work: Callable[[], None], key: str) -> None:
        """Have the worker do what a callback must not wait for; only the newest of each key is done."""
        self.worker.submit(lambda: self.guarded(work), key)

    def _acted(self, work: Callable[[], None]) -> None:
        try:
            self.guarded(work)
        finally:
            self.cancel.layout.display = "none"
            self._busy = False
            self.guarded(self.refresh)
            self.guarded(self.update_record)

    def guarded(self, work: Callable[[], None]) -> None:
        """Do something; what goes wrong is said in the form: the exception of a callback would vanish."""
        try:
            work()
        except Interrupted as error:
            self.tell(str(error), hint=error.hint, wrong=False)
        except ValidationError as error:
            self.tell("; ".join(said_by(item) for item in error.errors()))
        except BentoJupyterError as error:
            self.place(error)
            log = str(getattr(error, "log", "") or "")
            self.tell(error.message, hint=error.hint, log=log)
        except BaseException as error:  # code of the user's may want to leave, or be interrupted
            self.tell(f"{type(error).__name__}: {error}".removesuffix(": "))

    def place(self, error: BentoJupyterError) -> None:
        """Put an error of the cloud beside the field that it is about."""
        for group in self.groups():
            if field := group.meant(error.message):
                field.refuse(error.message)
                return

    def tell(self, said: str, *, hint: str = "", log: str = "", wrong: bool = True) -> None:
        """Say something under the buttons; "" takes back what was said."""
        self.said = said
        self.has_failed = wrong and bool(said)
        html = alert(said, hint) if wrong else note(f"{said}{f' ({hint})' if hint else ''}")
        if log:
            style = "max-height:16em;overflow:auto;font-size:12px"
            shown = f'<pre tabindex="0" style="{style}">{escape(log)}</pre>'
            html += f"<details><summary>log</summary>{shown}</details>"
        self.message.value = html

    def ask(self, question: str, yes: str, work: Callable[[], None]) -> None:
        """Ask before doing what cannot be undone."""

        def answered() -> None:
            self._unask()
            work()

        self._unask()
        self.question.children = (
            ipywidgets.HTML(f'<div role="alert">⚠ {escape(question)}</div>'),
            self.button(yes, answered, button_style="danger"),
            Action(self, self._unask, always=True, description="No", layout={"width": "auto"}),
        )

    def _unask(self) -> None:
        asked, self.question.children = self.question.children, ()
        close_widgets(*asked)

    def progress_of(self, title: str, steps: list[str]) -> FormProgress:
        """Progress that is shown in the form, with a button to cancel."""
        self.cancel.description, self.cancel.disabled = "Cancel", False
        self.cancel.layout.display = ""
        return FormProgress(title, steps, self)

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is."""
        self.progress.value = progress._repr_mimebundle_()["text/html"]

    def _cancel(self) -> None:
        self.cancelled.set()
        self.cancel.description, self.cancel.disabled = "Stopping …", True

    # --- life --------------------------------------------------------------------------------

    def close(self) -> None:
        """End it: nothing is begun any more, what is under way is asked to stop, its widgets go."""
        self.worker.close()
        self.cancelled.set()
        self.front_end.close()
        for field in self._fields():
            field.close()
        close_widgets(*(each for each in vars(self).values() if isinstance(each, ipywidgets.Widget)))

    def _fields(self) -> list[Field]:
        return [*self.groups(), *(each for each in list(vars(self).values()) if isinstance(each, Field))]

    def _gone(self, change: Any) -> None:
        if change["new"] is None and not self.worker.closed.is_set():
            self.close()

    # --- showing -----------------------------------------------------------------------------

    def __repr__(self) -> str:
        rows = card_bundle(f"{self.title} form", "", self.rows(), None)["text/plain"]
        lines = [rows, f"  Jupyter front ends show it: %bento_form {self.kind}"]
        if self._usage:
            magic = self._usage.partition(" ")[0]
            lines.append(f"  without one: {self._usage}   ({magic}? explains all of it)")
        return "\n".join(lines)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        shell = running_shell()
        if shell is None:
            sys.stdout.write(f"{self!r}\n")
            self.close()
            return
        if self.worker.closed.is_set():  # its widgets are gone
            display(self._recorded(), raw=True)
            return
        bundle = self.widget._repr_mimebundle_()
        found = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
        found.pop("text/html", None)
        found["text/plain"] = repr(self)
        display(found, raw=True)
        self._record = display(self._recorded(), raw=True, display_id=True)
        self.code.observe(lambda _: self.later(self.update_record, "record"), "value")
        cells_of(shell).show(self)

    def _recorded(self) -> dict[str, str]:
        card = card_bundle(f"{self.title} form", "run the cell to use it again", self.rows(), None)
        return {"text/plain": card["text/plain"], "text/html": record_html(card["text/html"])}

    def update_record(self) -> None:
        """Bring what a saved notebook shows up to date."""
        if self._record is not None:
            self._record.update(self._recorded(), raw=True)


class CloudForm(Form):
    """A form about one cloud, whichever becomes the current one.

    Args:
        title: As of `Form`.
        kind: As of `Form`.
        usage: As of `Form`.
        cloud: The cloud, or the name of one; None = the one that is current as the form is made.

    Raises:
        NotLoggedInError: There is no such cloud.

    Attributes:
        where: What names the cloud.
        cloud: The cloud, where it was reached last.
    """

    def __init__(self, title: str, kind: str, usage: str = "", *, cloud: Cloud | str | None = None) -> None:
        self.where = workspace.pinned(cloud)
        self.cloud = workspace.chosen(self.where)
        super().__init__(title, kind, usage)

    @property
    def elsewhere(self) -> str:
        """Name of the cloud while another one is the current one, so that code has to name it; else ""."""
        current = workspace.pinned(None)
        name = current if isinstance(current, str) else current.name
        return "" if name == self.cloud.name else self.cloud.name

    def cell_ran(self) -> None:
        """Say in the code which cloud it is about, once another one has become the current one."""
        if self._named != self.elsewhere:
            self._named = self.elsewhere
            self.guarded(self.refresh)

    _named = ""

    def reach(self) -> Cloud:
        """The cloud, where it is now: an embedded one that was stopped is started."""
        found = workspace.chosen(self.where)
        if found.endpoint != self.cloud.endpoint:
            self.cloud = found
        return self.cloud
