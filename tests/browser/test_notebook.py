"""From the cells of a notebook in a real JupyterLab to the sidebar and back: a deploy."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect
from realcloud import RealCloud

from .labtools import execute, jupyter, open_notebook, row, run_all_cells

ROOT = Path(__file__).parents[2]


def cells_of_the_quickstart() -> list[nbformat.NotebookNode]:
    """Its code up to and including the deploy cell."""
    document = nbformat.read(ROOT / "notebooks" / "quickstart.ipynb", as_version=4)
    code = [cell for cell in document.cells if cell.cell_type == "code"]
    last = next(number for number, cell in enumerate(code) if "%bento_deploy" in cell.source)
    return code[: last + 1]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A cloud that nobody has started yet."""
    cloud = RealCloud(tmp_path_factory.mktemp("fresh"))
    (cloud.folder / "bentoml").mkdir()
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def lab_of_its_own(installed, fresh, tmp_path_factory):
    base = tmp_path_factory.mktemp("notebook-lab")
    with jupyter(base, fresh.home, environment=fresh.environment) as server:
        yield server


def write(server, name, cells):
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), server.root / name)


def test_the_quickstarts_deploy_cell_shows_up_in_the_sidebar_and_ends_there(
    lab_of_its_own, watched, fresh, picture
):
    write(lab_of_its_own, "deploy.ipynb", cells_of_the_quickstart())
    page = watched.open(lab_of_its_own.page("lab?reset"))
    page.locator(".jp-Launcher").wait_for()
    open_notebook(page, "deploy.ipynb")
    execute(page, "bento-jupyter:show-panel")
    run_all_cells(page)
    expect(row(page, "wine")).to_have_attribute("data-status", "scaled-to-zero", timeout=120_000)
    expect(row(page, "wine")).to_contain_text("on demand")
    card = page.locator(".jp-OutputArea-output", has_text="Deployment wine")
    expect(card).to_be_visible()
    expect(page.locator(".jp-OutputArea-output", has_text="max difference 0")).to_be_visible()
    picture(page, "deploy-card", ".jp-Cell:has-text('%bento_deploy')")
    execute(page, "kernelmenu:shutdown")
    left = page.locator(".Toastify__toast", has_text="deploy.ipynb leaves wine running")
    expect(left).to_be_visible()
    left.get_by_role("button", name="Terminate").click()
    expect(row(page, "wine")).to_have_attribute("data-status", "terminated", timeout=30_000)
    assert fresh.view("wine").status == "terminated"
