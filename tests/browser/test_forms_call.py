"""The call form in a real JupyterLab, used as a person does: typed, pasted, chosen, stopped."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from .labtools import Watched, execute
from .notebooklab import NotebookLab, alerts, in_both_themes, notebook_lab

SERVICE = """%%bento_service zoo --sample {"add": {"a": 1, "b": 2}} --no-prove
import time
from typing import Generator
import bentoml
from PIL.Image import Image

Words = Generator[str, None, None]

@bentoml.service(traffic={"concurrency": 8})
class Zoo:
    @bentoml.api
    def add(self, a: int, b: int = 1) -> int:
        return a + b

    @bentoml.api
    def tell(self, words: int = 4, pause: float = 0.2) -> Words:
        for i in range(words):
            yield f"word{i} "
            time.sleep(pause)

    @bentoml.api
    def turn(self, image: Image) -> Image:
        return image.rotate(90, expand=True)
"""
DEPLOY = """import bento_jupyter as bj
import pandas as pd
people = pd.DataFrame({"age": [39, 50], "fare": [7.25, 71.28]})
def fares(people: pd.DataFrame) -> pd.DataFrame:
    return people.assign(double=people.fare * 2)
bj.deploy("zoo", name="zoo", mode="on-demand")
bj.deploy(fares, sample=people, name="tables", mode="on-demand")"""


@pytest.fixture(scope="module")
def lab_of_its_own(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookLab]:
    with notebook_lab(tmp_path_factory.mktemp("call")) as lab:
        yield lab


@pytest.fixture(scope="module")
def deployed() -> list[str]:
    """The cells that deploy: once for all notebooks of this module."""
    return [SERVICE, DEPLOY]


@pytest.fixture
def page(lab_of_its_own: NotebookLab, deployed: list[str], watched: Watched) -> Page:
    """A notebook with the form; the deployments are made by the first test."""
    cells = ["%load_ext bento_jupyter", *deployed, "%bento_form call zoo"]
    deployed[:] = ["import pandas as pd\npeople = pd.DataFrame({'age': [39, 50], 'fare': [7.25, 71.28]})"]
    page = lab_of_its_own.run(watched, "call.ipynb", cells)
    form = page.locator(".bento-call-form")
    expect(form.get_by_role("button", name="Call", exact=True)).to_be_enabled(timeout=180_000)
    return page


@pytest.fixture
def form(page: Page) -> Locator:
    return page.locator(".bento-call-form")


@pytest.fixture
def photo(page: Page, picture: Callable[..., None]) -> Callable[[str], None]:
    return lambda name: in_both_themes(page, picture, name, ".bento-call-form")


def call(form: Locator) -> None:
    form.get_by_role("button", name="Call", exact=True).click()


def test_numbers_are_typed_and_what_is_wrong_is_said_at_the_field(form: Locator) -> None:
    form.get_by_label("Endpoint").select_option(label="add")
    a = form.get_by_label("a", exact=True)
    a.fill("many")
    expect(alerts(form)).to_contain_text("a whole number is wanted")
    expect(form.get_by_role("button", name="Call", exact=True)).to_be_disabled()
    a.fill("40")
    expect(alerts(form)).to_have_count(0)
    form.get_by_label("b", exact=True).fill("2")
    call(form)  # at once: what was typed counts
    expect(form.locator(".jp-OutputArea-output")).to_have_text("42", timeout=60_000)
    expect(form).to_contain_text("cold start")
    expect(form).to_contain_text("%bento_call zoo add a=40, b=2")


def test_a_table_is_pasted_from_a_spreadsheet_or_taken_from_the_notebook(
    page: Page, form: Locator, photo: Callable[[str], None]
) -> None:
    form.get_by_label("Deployment").select_option(label="tables  (On-Demand Function)")
    text = form.get_by_label("or as text")
    expect(text).to_have_value('[{"age": 39, "fare": 7.25}, {"age": 50, "fare": 71.28}]')
    text.focus()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("age\n1")
    expect(alerts(form)).to_contain_text("fare")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("fare\tage\n8\t20\n9.5\t30\n")
    expect(alerts(form)).to_have_count(0)
    call(form)
    expect(form.locator("table.dataframe")).to_contain_text("19.0", timeout=60_000)
    photo("call-form")
    form.get_by_label("people", exact=True).fill("people[:1]")
    form.get_by_label("people", exact=True).press("Tab")
    call(form)
    expect(form.locator("table.dataframe")).to_contain_text("14.5", timeout=60_000)
    form.get_by_label("Store as").fill("found")
    form.get_by_role("button", name="Store", exact=True).click()
    expect(form).to_contain_text("the answer is in found")


def test_a_stream_grows_and_can_be_stopped(form: Locator) -> None:
    form.get_by_label("Endpoint").select_option(label="tell")
    form.get_by_label("words", exact=True).fill("1000")
    call(form)
    expect(form.get_by_role("log")).to_contain_text("word1", timeout=60_000)
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_contain_text("the call was stopped")
    form.get_by_label("words", exact=True).fill("2")
    call(form)
    expect(form.get_by_role("log")).to_have_text("word0 word1 ", timeout=60_000)


def test_an_image_is_chosen_seen_and_answered(
    page: Page, form: Locator, photo: Callable[[str], None]
) -> None:
    form.get_by_label("Endpoint").select_option(label="turn")
    content = io.BytesIO()
    Image.linear_gradient("L").resize((96, 48)).save(content, "PNG")
    with page.expect_file_chooser() as chooser:
        form.get_by_role("button", name="Choose a file").click()
    chooser.value.set_files({"name": "sky.png", "mimeType": "image/png", "buffer": content.getvalue()})
    expect(form.get_by_alt_text("sky.png")).to_be_visible()
    call(form)
    answer = form.locator(".jp-OutputArea-output img")
    expect(answer).to_be_visible(timeout=60_000)
    size = answer.evaluate(
        "async img => { await img.decode(); return [img.naturalWidth, img.naturalHeight]; }"
    )
    assert size == [48, 96]
    photo("call-form-image")


def test_a_reopened_notebook_shows_a_summary_without_buttons(
    page: Page, form: Locator, lab_of_its_own: NotebookLab, watched: Watched
) -> None:
    form.get_by_label("Endpoint").select_option(label="add")
    expect(form).to_contain_text("%bento_call zoo add")
    call(form)
    expect(form.locator(".jp-OutputArea-output")).to_have_text("3", timeout=60_000)
    execute(page, "docmanager:save")
    execute(page, "kernelmenu:shutdown")
    page = lab_of_its_own.open(watched, "call.ipynb")
    record = page.locator(".bento-record")
    expect(record).to_be_visible()
    expect(record).to_contain_text("%bento_call zoo add a=1, b=2")
    expect(page.locator(".bento-call-form")).to_have_count(0)
