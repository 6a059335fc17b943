"""Clicks, the worker, errors and the end of a form, without a browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import ipywidgets
import pytest

from bento_jupyter.errors import DeploymentError
from bento_jupyter.forms.code import code_html
from bento_jupyter.forms.form import Form
from bento_jupyter.forms.models import Group, Look
from bento_jupyter.spec import DeploymentSpec


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not look():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


@pytest.fixture
def form() -> Iterator[Form]:
    form = Form("Try", "try")
    yield form
    form.close()


def test_a_click_runs_in_the_worker_and_never_twice_at_the_same_time(form: Form) -> None:
    ran, go = [], threading.Event()

    def work() -> None:
        ran.append(threading.current_thread().name)
        go.wait(10)

    button = form.button("Go", work)
    for _ in range(3):
        button.click()
    go.set()
    until(lambda: not form.busy)
    assert ran == ["bento-form"]
    button.click()
    until(lambda: not form.busy)
    assert ran == ["bento-form"] * 2


def test_clicks_from_many_threads_do_it_once(form: Form) -> None:
    ran, go = [], threading.Event()

    def work() -> None:
        ran.append(1)
        go.wait(10)

    button = form.button("Go", work)
    threads = [threading.Thread(target=button.click) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    go.set()
    until(lambda: not form.busy)
    assert ran == [1]


def test_after_an_error_the_next_click_counts_however_soon_it_comes(form: Form) -> None:
    tried: list[int] = []

    def work() -> None:
        tried.append(len(tried))
        if len(tried) == 1:
            raise ValueError("not this time")

    button = form.button("Go", work)
    link = ipywidgets.dlink((form.front_end._asked, "value"), (form.front_end._answered, "value"))
    for _ in range(3):
        button._handle_button_msg(button, {"event": "click"}, [])
        until(lambda: not form.busy)
    link.unlink()
    assert tried == [0, 1], "the second one worked: a third that soon is a double click"
    assert not form.has_failed


def test_a_double_click_of_the_front_end_is_one_however_fast_the_work_is(form: Form) -> None:
    form.front_end._knows_links = False
    ran: list[int] = []
    button = form.button("Go", lambda: ran.append(1))
    link = ipywidgets.dlink((form.front_end._asked, "value"), (form.front_end._answered, "value"))
    for _ in range(2):
        button._handle_button_msg(button, {"event": "click"}, [])
        until(lambda: not form.busy)
    link.unlink()
    assert ran == [1]


def test_a_click_acts_on_what_was_typed_before_it_but_arrived_after_it(form: Form) -> None:
    """As a front end under load does: the click comes first, then the change, then the sign."""
    text = ipywidgets.Text("old")
    seen: list[str] = []
    asked = threading.Event()
    form.front_end._asked.observe(lambda _: asked.set(), "value")
    form.button("Go", lambda: seen.append(text.value))._handle_button_msg(None, {"event": "click"}, [])
    assert asked.wait(10)
    text.set_state({"value": "new"})
    form.front_end._answered.set_state({"value": form.front_end._asked.value})
    until(lambda: not form.busy)
    assert seen == ["new"]


def test_an_error_is_said_in_the_form_which_goes_on(form: Form) -> None:
    def fails() -> None:
        raise DeploymentError("it <broke>", hint="mend it", log="Traceback")

    form.button("Go", fails).click()
    until(lambda: not form.busy)
    assert form.said == "it <broke>"
    assert "it &lt;broke&gt;" in form.message.value
    assert "mend it" in form.message.value
    assert "Traceback" in form.message.value
    form.button("Go", lambda: None).click()
    until(lambda: not form.busy)
    assert form.message.value == ""


def test_an_error_of_the_cloud_stands_beside_its_field_until_that_changes() -> None:
    group = Group(DeploymentSpec, without=("bento",))

    class Grouped(Form):
        def groups(self) -> list[Group]:
            return [group]

        def refresh(self) -> None:
            button.disabled = self.busy or group.read() is None

    failing = [True, True, False, True]

    def work() -> None:
        if failing.pop(0):
            raise DeploymentError("there is no instance type 'gpu.9'", hint="%bento_list instance-types")

    form = Grouped("Try", "try")
    button = form.button("Go", work)
    group.value = {"name": "iris", "instance_type": "gpu.9"}
    for said in ("there is no instance type 'gpu.9'", "there is no instance type 'gpu.9'", ""):
        button.click()
        form.worker.wait(10)
        assert group["instance_type"].problem == said
        assert not button.disabled  # it may be there by now
    button.click()
    form.worker.wait(10)
    group["instance_type"].value = "cpu.1"
    assert group["instance_type"].problem == ""
    group["max"].value = 0
    form.refresh()
    assert button.disabled
    form.close()


def test_an_error_that_nobody_expected_is_said_too(form: Form) -> None:
    form.button("Go", [].pop).click()
    until(lambda: not form.busy)
    assert form.said == "IndexError: pop from empty list"


def test_cancel_stops_at_the_next_thing_said(form: Form) -> None:
    began = threading.Event()

    def work() -> None:
        with form.progress_of("Building", ["build"]) as progress, progress.step("build"):
            began.set()
            while True:
                progress.detail("still at it")

    form.button("Go", work).click()
    assert began.wait(10)
    assert form.cancel.layout.display == ""
    form.cancel.click()
    until(lambda: not form.busy)
    assert "Building was stopped" in form.said
    assert form.cancel.layout.display == "none"


def test_a_question_comes_before_what_cannot_be_undone(form: Form) -> None:
    done: list[int] = []
    form.ask("Delete iris?", "Delete", lambda: done.append(1))
    _, _, no = form.question.children
    no.click()
    assert form.question.children == ()
    form.ask("Delete iris?", "Delete", lambda: done.append(1))
    form.question.children[1].click()
    until(lambda: not form.busy)
    assert done == [1]


@pytest.mark.parametrize("end", ["close", "widget", "all"])
def test_a_form_that_is_closed_begins_nothing_more(end: str) -> None:
    form = Form("Try", "try")
    child = ipywidgets.Text()
    form.widget.children = (child,)
    if end == "close":
        form.close()
    elif end == "widget":
        form.widget.close()
    else:
        ipywidgets.Widget.close_all()
    assert form.cancelled.is_set()
    assert not form.act(lambda: None)
    assert child.comm is None


def test_a_terminal_is_told_the_line_that_does_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    form = Form("Try", "try", "%bento_try NAME")
    form._ipython_display_()
    said = capsys.readouterr().out
    assert "Jupyter front ends show it: %bento_form try" in said
    assert "without one: %bento_try NAME   (%bento_try? explains all of it)" in said
    assert form.worker.closed.is_set()  # nobody will see it


def test_a_closed_form_forgets_what_is_secret() -> None:
    class Secretive(Form):
        def groups(self) -> list[Group]:
            return [group]

    group = Group(DeploymentSpec, look=Look(secret=("envs",)))
    form = Secretive("Try", "try")
    group.value = {"name": "iris", "envs": {"KEY": "s3cret"}}
    form.close()
    assert group["envs"].value == {"KEY": ""}


def test_code_can_be_selected_and_is_escaped() -> None:
    html = code_html([("As a line", "%bento_deploy '<b>'"), ("in Python", "")])
    assert "user-select:all" in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "in Python" not in html
