"""The status form in a real JupyterLab: live while the kernel is busy, and what can be done there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from realcloud import eventually

from .labtools import Watched, execute
from .notebooklab import NotebookLab, alerts, in_both_themes, notebook_lab

CELLS = [
    "%load_ext bento_jupyter",
    "import bento_jupyter as bj\none = bj.deployment('one')",
    "%bento_form status one",
]


@pytest.fixture(scope="module")
def lab_of_its_own(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookLab]:
    with notebook_lab(tmp_path_factory.mktemp("status")) as lab:
        lab.cloud.start()
        lab.cloud.push_echo()
        lab.cloud.create("one")
        lab.cloud.create("two", "--scaling-min", "0")
        lab.cloud.wait("one", "running")
        lab.cloud.wait("two", "scaled-to-zero")
        yield lab


@pytest.fixture
def page(lab_of_its_own: NotebookLab, watched: Watched) -> Page:
    page = lab_of_its_own.run(watched, "status.ipynb", CELLS)
    expect(page.locator(".bento-status-form")).to_contain_text("● live", timeout=60_000)
    return page


@pytest.fixture
def form(page: Page) -> Locator:
    return page.locator(".bento-status-form")


@pytest.fixture
def photo(page: Page, picture: Callable[..., None]) -> Callable[[str], None]:
    return lambda name: in_both_themes(page, picture, name, ".bento-status-form")


def tab(form: Locator, title: str) -> None:
    form.get_by_role("tab", name=title).click()


def insert(page: Page, code: str) -> None:
    """Run code in a new last cell."""
    page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputPrompt").click()
    execute(page, "notebook:insert-cell-below")
    execute(page, "notebook:replace-selection", {"text": code})
    page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-cell'); }")


def test_it_is_live_while_a_cell_is_busy_with_calls(
    page: Page, form: Locator, photo: Callable[[str], None]
) -> None:
    expect(form.get_by_label("Deployments")).to_contain_text("one")
    expect(form).to_contain_text("http://127.0.0.1")
    tab(form, "Logs")
    insert(
        page,
        "import time\nfor n in range(40):\n    one.call('echo', f'word {n}')\n    time.sleep(0.3)",
    )
    expect(form.get_by_role("log")).to_contain_text("asked for word 5", timeout=30_000)
    tab(form, "Metrics")
    expect(form.get_by_role("img").first).to_be_visible()
    photo("status-form")


def test_logs_are_searched(page: Page, form: Locator) -> None:
    insert(page, "one.call('echo', 'Nineveh')")
    tab(form, "Logs")
    form.get_by_label("Search").fill("for nineveh")
    expect(form.get_by_role("log")).to_contain_text("asked for Nineveh", timeout=30_000)
    expect(form.get_by_role("log")).not_to_contain_text("Service")


def test_type_and_numbers_are_changed_and_taken_back(
    page: Page, form: Locator, lab_of_its_own: NotebookLab, photo: Callable[[str], None]
) -> None:
    tab(form, "Scale")
    most = form.get_by_label("Max instances")
    most.fill("0")
    expect(alerts(form)).to_contain_text("greater than or equal to 1")
    expect(form.get_by_role("button", name="Apply")).to_be_disabled()
    most.fill("3")
    expect(form).to_contain_text("%bento_scale one --max 3")
    photo("status-form-scale")
    form.get_by_role("button", name="Apply").click()
    eventually(lambda: lab_of_its_own.cloud.view("one").scaling.max == 3)
    tab(form, "Revisions")
    form.get_by_label("Go back to").select_option(index=0)
    form.get_by_role("button", name="Roll back", exact=True).click()
    form.get_by_role("button", name="Roll back one").click()
    eventually(lambda: lab_of_its_own.cloud.view("one").scaling.max == 1)


def test_terminate_and_delete_ask_first(page: Page, form: Locator, lab_of_its_own: NotebookLab) -> None:
    form.get_by_role("button", name="Delete", exact=True).click()
    expect(alerts(form)).to_contain_text("Delete one?")
    form.get_by_role("button", name="No", exact=True).click()
    expect(alerts(form)).to_have_count(0)
    form.get_by_role("button", name="Terminate", exact=True).click()
    form.get_by_role("button", name="Terminate one").click()
    expect(form.get_by_label("Deployments").locator("option", has_text="one")).to_contain_text(
        "terminated", timeout=30_000
    )
    form.get_by_role("button", name="Start", exact=True).click()
    expect(form.get_by_label("Deployments").locator("option", has_text="one")).to_contain_text(
        "running", timeout=60_000
    )
    form.get_by_label("Deployments").locator("option", has_text="two").click()
    expect(form).to_contain_text("%bento_status two")
    form.get_by_role("button", name="Delete", exact=True).click()
    form.get_by_role("button", name="Delete two").click()
    expect(form.get_by_label("Deployments").locator("option")).to_have_count(1, timeout=30_000)


def test_it_says_when_the_cloud_is_gone_and_is_live_again_when_it_is_back(
    form: Locator, lab_of_its_own: NotebookLab
) -> None:
    lab_of_its_own.cloud.stop()
    expect(alerts(form)).to_contain_text("not live", timeout=30_000)
    lab_of_its_own.cloud.start()
    expect(form).to_contain_text("● live", timeout=30_000)
    expect(form.get_by_label("Deployments")).to_contain_text("one")


def test_closed_it_leaves_its_summary(page: Page, form: Locator) -> None:
    form.get_by_role("button", name="Close", exact=True).click()
    expect(form).to_have_count(0)
    record = page.locator(".bento-record")
    expect(record).to_be_visible()
    expect(record).to_contain_text("%bento_status one")
    expect(record.get_by_role("button")).to_have_count(0)
