"""The forms that build, deploy and log in, used as a person does; and what is asked of all five forms."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from realcloud import RealCloud

from .labtools import Watched, execute, jupyter, kernel_is_idle, row, run_all_cells
from .notebooklab import DARK, KERNEL, LIGHT, NotebookLab, alerts, in_both_themes, notebook_lab, themed
from .test_access import AXE, LOOK

OBJECTS = """import numpy as np
from sklearn.linear_model import LogisticRegression
X = np.random.default_rng(0).normal(size=(150, 4))
clf = LogisticRegression().fit(X, X[:, 0] > 0)
def broken(x):
    return open("/nowhere").read() + x"""

#: All forms in one notebook.
FORMS = ("build", "login", "deploy", "call hello", "status hello")
#: Kernel of a machine that is not this one.
ELSEWHERE = {"name": "elsewhere", "display_name": "Elsewhere", "language": "elsewhere"}
#: What sticks out of a form, and is not within something that scrolls.
STICKS_OUT = """form => {
    const edge = form.getBoundingClientRect().right;
    const scrolls = element => element !== form
        && (getComputedStyle(element).overflowX !== 'visible' || scrolls(element.parentElement));
    return [...form.querySelectorAll('*')]
        .filter(each => each.getBoundingClientRect().right > edge + 1 && !scrolls(each.parentElement))
        .map(each => each.outerHTML.slice(0, 160));
}"""

#: No path of a machine is to be seen in a picture.
RENAME = """(form, [from, to]) => {
    const texts = document.createTreeWalker(form, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(from, to);
}"""


@pytest.fixture(scope="module")
def lab_of_its_own(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookLab]:
    with notebook_lab(tmp_path_factory.mktemp("making")) as lab:
        lab.cloud.start()
        lab.cloud.push_echo()
        lab.cloud.create("hello", "--scaling-min", "0")
        yield lab


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[RealCloud]:
    """A second cloud, which the notebook knows nothing of."""
    cloud = RealCloud(tmp_path)
    cloud.start()
    yield cloud
    cloud.stop()


def shown(lab: NotebookLab, watched: Watched, kind: str, *cells: str) -> Locator:
    """A form in a new notebook."""
    page = lab.run(watched, f"{kind}.ipynb", ["%load_ext bento_jupyter", *cells, f"%bento_form {kind}"])
    form = page.locator(f".bento-{kind}-form")
    expect(form).to_be_visible(timeout=120_000)
    return form


def button(form: Locator, name: str) -> Locator:
    return form.get_by_role("button", name=re.compile(rf"(^|\W){name}$"))  # an icon may come first


def code(form: Locator) -> Locator:
    return form.get_by_label("The same as a line")


def beside_field(form: Locator, label: str) -> Locator:
    """What is said to be wrong beside the field of a label."""
    field = form.page.get_by_label(label, exact=True)
    return form.locator(".widget-hbox").filter(has=field).last.get_by_role("alert")


def photograph(form: Locator, lab: NotebookLab, picture: Callable[..., None], name: str) -> None:
    """Take pictures of a form in both themes."""
    form.evaluate(RENAME, [str(lab.cloud.home.root), "~/.local/share/bento_jupyter"])
    form.evaluate(RENAME, [str(lab.server.root), "~/notebooks"])
    in_both_themes(form.page, picture, name, f".bento-{name.split('-', maxsplit=1)[0]}-form")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    expect(wanted).to_be_focused()


def test_objects_are_chosen_planned_built_and_proven(
    lab_of_its_own: NotebookLab, watched: Watched, picture: Callable[..., None]
) -> None:
    form = shown(lab_of_its_own, watched, "build", OBJECTS)
    expect(button(form, "Build and prove")).to_be_disabled()
    form.get_by_label("broken").check()
    sample = form.get_by_label("Sample")
    sample.fill("'a'")
    sample.press("Tab")
    expect(alerts(form)).to_contain_text("nowhere", timeout=60_000)
    expect(button(form, "Build and prove")).to_be_disabled()
    form.get_by_label("broken").uncheck()
    form.get_by_label("clf").check()
    form.get_by_label("Name").fill("by-form")
    sample.fill("X[:5]")
    sample.press("Tab")
    expect(form).to_contain_text("predict", timeout=60_000)
    expect(alerts(form)).to_have_count(0, timeout=60_000)
    expect(code(form)).to_have_text("%bento_build by-form clf --sample X[:5]")
    button(form, "Build and prove").click()
    expect(form.get_by_text("Building by-form")).to_be_visible()
    expect(form).to_contain_text("5 rows each, max difference 0", timeout=120_000)
    expect(button(form, "Build and prove")).to_be_enabled()
    photograph(form, lab_of_its_own, picture, "build-form")


def test_a_token_connects_and_is_never_in_the_notebook(
    lab_of_its_own: NotebookLab, elsewhere: RealCloud, watched: Watched, picture: Callable[..., None]
) -> None:
    form = shown(lab_of_its_own, watched, "login")
    page, token = form.page, elsewhere.state.token
    form.get_by_label("Cloud").select_option(label="another")
    form.get_by_label("Endpoint").fill("nonsense")
    expect(alerts(form)).to_contain_text("https://")
    expect(button(form, "Log in")).to_be_disabled()
    form.get_by_label("Endpoint").fill(elsewhere.state.endpoint)
    form.get_by_label("API token").fill("wrong")
    button(form, "Log in").click()
    expect(alerts(form)).to_contain_text("does not accept", timeout=30_000)
    form.get_by_label("API token").fill(token)
    button(form, "Log in").click()
    expect(form).to_contain_text("connected to", timeout=30_000)
    expect(form.get_by_label("API token")).to_have_value("")
    photograph(form, lab_of_its_own, picture, "login-form")
    execute(page, "@jupyter-widgets/jupyterlab-manager:saveWidgetState")
    execute(page, "docmanager:save")
    saved = (lab_of_its_own.server.root / "login.ipynb").read_text()
    assert "widget-state" in saved, "the state of the widgets was saved with it"
    assert token not in saved


def test_by_keyboard_alone_something_is_deployed_then_changed_and_copied(
    lab_of_its_own: NotebookLab, watched: Watched, picture: Callable[..., None]
) -> None:
    cloud = lab_of_its_own.cloud
    cloud.bentoml("secret", "create", "password", "PASSWORD=x")
    form = shown(lab_of_its_own, watched, "deploy")
    page = form.page
    execute(page, "bento-jupyter:show-panel")
    expect(button(form, "Deploy")).to_be_enabled(timeout=60_000)

    form.get_by_label("Online Service", exact=True).focus()
    tab_to(page, form.get_by_label("On-Demand Function", exact=True))
    page.keyboard.press("Space")  # ipywidgets has no arrow keys here
    expect(form.get_by_label("Min instances")).to_be_disabled()
    tab_to(page, form.get_by_label("Name"))
    page.keyboard.press("Control+A")
    page.keyboard.type("Not a name")
    expect(alerts(form)).to_contain_text("small letters")
    expect(button(form, "Deploy")).to_be_disabled()
    page.keyboard.press("Control+A")
    page.keyboard.type("typed")
    expect(alerts(form)).to_have_count(0)
    tab_to(page, form.get_by_label("Max instances"))
    page.keyboard.type("2")
    tab_to(page, form.get_by_label("Protected"))
    page.keyboard.press("Space")
    expect(code(form)).to_contain_text("--max=2 --protected")
    photograph(form, lab_of_its_own, picture, "deploy-form")
    tab_to(page, button(form, "Deploy"))
    page.keyboard.press("Enter")
    expect(row(page, "typed")).to_have_attribute("data-status", "scaled-to-zero", timeout=60_000)
    expect(form).to_contain_text("Deployment typed", timeout=30_000)
    view = cloud.view("typed")
    assert (view.mode, view.scaling.max, view.protected) == ("on-demand", 2, True)

    form.get_by_label("Start from").select_option(label="typed: change it")
    apply = button(form, "Apply changes")
    expect(apply).to_be_disabled()
    expect(form).to_contain_text("nothing changes yet")
    form.get_by_label("Max instances").fill("3")
    difference = form.get_by_role("table").filter(has_text="what changes")
    expect(difference.get_by_role("row").last).to_have_text("Max instances23")
    photograph(form, lab_of_its_own, picture, "deploy-form-change")
    assert cloud.view("typed").scaling.max == 2, "shown before it is applied"
    apply.click()
    expect(form).to_contain_text("nothing changes yet", timeout=30_000)
    assert cloud.view("typed").scaling.max == 3

    form.get_by_label("Start from").select_option(label="typed: a copy of it")
    expect(form.get_by_label("Name")).to_have_value("typed-2")
    form.get_by_label("password").check()
    cloud.bentoml("secret", "delete", "password")
    button(form, "Deploy").click()
    expect(alerts(form).first).to_contain_text("password", timeout=30_000)
    form.get_by_label("password").uncheck()
    button(form, "Deploy").dblclick()
    expect(form).to_contain_text("Deployment typed-2", timeout=60_000)
    expect(button(form, "Cancel")).to_have_count(0)
    assert {each.name for each in cloud.views()} == {"hello", "typed", "typed-2"}
    assert cloud.view("typed-2").revision == 1, "deployed once"


def test_an_error_of_the_cloud_stands_at_its_field_until_that_changes(
    lab_of_its_own: NotebookLab, watched: Watched
) -> None:
    cloud = lab_of_its_own.cloud
    form = shown(lab_of_its_own, watched, "deploy")
    form.get_by_label("On-Demand Function", exact=True).check()
    name = form.get_by_label("Name", exact=True)
    name.fill("meanwhile")
    expect(code(form)).to_contain_text("--name meanwhile")
    cloud.create("meanwhile", "--scaling-min", "0")
    before = cloud.view("meanwhile").revision
    button(form, "Deploy").click()
    beside = beside_field(form, "Name")
    expect(beside).to_contain_text("there is one of this name", timeout=30_000)
    expect(button(form, "Deploy")).to_be_disabled()
    assert cloud.view("meanwhile").revision == before, "what somebody else has made is left alone"
    name.fill("another")
    expect(beside).to_have_count(0)
    form.get_by_label("Start from").select_option(label="meanwhile: change it")
    expect(form).to_contain_text("nothing changes yet")  # its values are there
    form.get_by_label("Max instances").fill("2")
    expect(button(form, "Apply changes")).to_be_enabled()
    cloud.delete_many(["meanwhile"])
    button(form, "Apply changes").click()
    beside = beside_field(form, "Start from")
    expect(beside).to_contain_text("meanwhile was deleted meanwhile", timeout=30_000)
    form.get_by_label("Start from").select_option(label="nothing: a new deployment")
    expect(beside).to_have_count(0)
    assert "meanwhile" not in {each.name for each in cloud.views()}


def test_forms_of_a_kernel_that_died_are_summaries_until_their_cells_run_again(
    lab_of_its_own: NotebookLab, watched: Watched, picture: Callable[..., None]
) -> None:
    lab_of_its_own.cloud.wait("hello", "scaled-to-zero")
    kinds = ["call", "status"]
    cells = [
        "%load_ext bento_jupyter",
        "import os\nos.getpid()",
        *(f"%bento_form {each} hello" for each in kinds),
    ]
    page = lab_of_its_own.run(watched, "dies.ipynb", cells)
    call, status = (page.locator(f".bento-{each}-form") for each in kinds)
    expect(button(call, "Call")).to_be_enabled(timeout=120_000)
    expect(status).to_contain_text("● live", timeout=60_000)
    os.kill(int(page.locator(".jp-OutputArea-executeResult pre").inner_text()), signal.SIGKILL)
    # Jupyter looks every few seconds whether the kernel lives; from then on nothing can be pressed.
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("appears to have died", timeout=60_000)
    dialog.get_by_role("button").click()
    is_a_summary(page, kinds)
    kernel_is_idle(page)
    run_all_cells(page)
    expect(status).to_contain_text("● live", timeout=120_000)
    for form in (call, status):
        expect(form).to_have_count(1)
        expect(form).to_be_visible()
    expect(page.locator(".bento-record").filter(visible=True)).to_have_count(0)
    call.get_by_label("text", exact=True).fill("Nineveh")
    button(call, "Call").click()
    expect(call.locator(".jp-OutputArea-output")).to_contain_text("NINEVEH", timeout=60_000)


def test_all_forms_fit_can_be_read_by_all_and_leave_summaries_without_a_kernel(
    lab_of_its_own: NotebookLab, watched: Watched
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (cd labextension; jlpm install)")
    lab_of_its_own.cloud.wait("hello", "scaled-to-zero")
    double = "def double(x: int) -> int:\n    return 2 * x"
    cells = ["%load_ext bento_jupyter", double, *(f"%bento_form {each}" for each in FORMS)]
    page = lab_of_its_own.run(watched, "forms.ipynb", cells)
    kinds = [each.split()[0] for each in FORMS]
    forms = {kind: page.locator(f".bento-{kind}-form") for kind in kinds}
    expect(forms["status"]).to_contain_text("● live", timeout=120_000)
    expect(button(forms["call"], "Call")).to_be_enabled(timeout=60_000)
    forms["login"].get_by_label("Cloud").select_option(label="another")
    forms["login"].get_by_label("Endpoint").fill("https://cloud.example")
    forms["deploy"].get_by_label("Advanced").check()
    expect(forms["deploy"].get_by_label("Strategy")).to_be_visible()
    for add in forms["deploy"].get_by_role("button", name="Add").all():
        add.click()
    build = forms["build"]
    build.get_by_label("double").check()
    build.get_by_label("Sample").fill("1")
    build.get_by_label("Sample").press("Tab")
    expect(code(build)).to_have_text("%bento_build double double --sample 1")

    page.add_script_tag(path=AXE)
    for theme in (DARK, LIGHT):
        themed(page, theme)
        for kind in kinds:
            assert page.evaluate(LOOK, f".bento-{kind}-form") == [], f"{kind}, {theme}"
    page.add_style_tag(content=".jp-OutputArea-output { max-width: 360px }")
    for kind in kinds:
        assert forms[kind].evaluate("form => form.clientWidth") <= 360
        assert forms[kind].evaluate(STICKS_OUT) == [], kind
    edge = forms["status"].bounding_box()
    assert edge is not None
    for title in forms["status"].get_by_role("tab").all():
        box = title.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= edge["x"] + edge["width"] + 1, title.inner_text()
        title.click()  # nothing lies over it

    remove = forms["deploy"].get_by_role("button", name="Remove")
    for left in reversed(range(remove.count())):
        remove.first.click()
        expect(remove).to_have_count(left)
    expect(code(forms["deploy"])).to_contain_text("%bento_deploy")
    for kind, record in zip(kinds, page.locator(".bento-record").all(), strict=True):
        expect(record).to_contain_text(f"%bento_{kind}")  # it is hidden as long as the form lives
    execute(page, "@jupyter-widgets/jupyterlab-manager:saveWidgetState")
    execute(page, "docmanager:save")
    execute(page, "kernelmenu:shutdown")
    document = nbformat.read(lab_of_its_own.server.root / "forms.ipynb", as_version=4)
    document.metadata |= {"kernelspec": ELSEWHERE, "language_info": {"name": ELSEWHERE["language"]}}
    nbformat.write(document, lab_of_its_own.server.root / "reopened.ipynb")
    page = watched.open(lab_of_its_own.server.page("lab/tree/reopened.ipynb?reset"))
    page.get_by_role("dialog").get_by_role("button", name="No Kernel").click()
    is_a_summary(page, kinds)
    page.evaluate("() => { window.trusted = window.jupyterapp.commands.execute('notebook:trust'); }")
    page.get_by_role("dialog").get_by_role("button", name="Trust").click()
    page.wait_for_function("() => window.trusted.then(() => true)")  # it saves, too
    page = watched.open(lab_of_its_own.server.page("lab/tree/reopened.ipynb?reset"))
    page.get_by_role("dialog").get_by_role("button", name="No Kernel").click()
    is_a_summary(page, kinds)
    expect(page.get_by_text("Jupyter front ends show it").filter(visible=True)).to_have_count(0)


def is_a_summary(page: Page, kinds: Sequence[str]) -> None:
    """Each form says what it was, and nothing can be pressed or filled in."""
    records = page.locator(".bento-record").filter(visible=True)
    expect(records).to_have_count(len(kinds))
    for kind, record in zip(kinds, records.all(), strict=True):
        expect(record).to_contain_text(f"%bento_{kind}")
    outputs = page.locator(".jp-Cell-outputArea")
    for role in ("button", "textbox", "combobox", "checkbox", "radio"):
        expect(outputs.get_by_role(role).filter(visible=True)).to_have_count(0)


def test_notebook_7_shows_the_forms_and_they_work(
    lab_of_its_own: NotebookLab, watched: Watched, tmp_path: Path
) -> None:
    pytest.importorskip("notebook")
    cloud = lab_of_its_own.cloud
    with jupyter(tmp_path, cloud.home, app="notebook", environment=cloud.environment) as server:
        cells = [
            "%load_ext bento_jupyter",
            "%bento_form deploy",
            "%bento_form call hello",
            "%bento_form status",
        ]
        code_cells = [nbformat.v4.new_code_cell(each) for each in cells]
        notebook = nbformat.v4.new_notebook(cells=code_cells, metadata={"kernelspec": KERNEL})
        nbformat.write(notebook, server.root / "forms.ipynb")
        page = watched.open(server.page("notebooks/forms.ipynb"))
        kernel_is_idle(page)
        run_all_cells(page)
        form = page.locator(".bento-deploy-form")
        expect(button(form, "Deploy")).to_be_enabled(timeout=120_000)
        form.get_by_label("On-Demand Function", exact=True).check()
        form.get_by_label("Bento", exact=True).fill("echo")
        form.get_by_label("Name").fill("from-seven")
        button(form, "Deploy").click()
        expect(form).to_contain_text("Deployment from-seven", timeout=60_000)
        call = page.locator(".bento-call-form")
        call.get_by_label("text", exact=True).fill("Nineveh")
        button(call, "Call").click()
        expect(call.locator(".jp-OutputArea-output")).to_contain_text("NINEVEH", timeout=60_000)
        status = page.locator(".bento-status-form")
        expect(status.get_by_label("Deployments")).to_contain_text("from-seven", timeout=30_000)
        expect(status).to_contain_text("● live")
        expect(page.locator(".bento-record").filter(visible=True)).to_have_count(0)
    cloud.bentoml("deployment", "terminate", "from-seven", "--wait")
    cloud.bentoml("deployment", "delete", "from-seven")
