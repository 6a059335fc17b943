"""A JupyterLab on a cloud of its own, for notebooks that a person works through from the first cell on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page
from realcloud import RealCloud

from .labtools import JupyterServer, Watched, execute, jupyter, open_notebook, run_all_cells

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
DARK, LIGHT = "JupyterLab Dark", "JupyterLab Light"


@dataclass(frozen=True)
class NotebookLab:
    """The Jupyter server and the cloud that its kernels use."""

    server: JupyterServer
    cloud: RealCloud

    def run(self, watched: Watched, name: str, cells: Sequence[str]) -> Page:
        """Open a new notebook of these cells, and run them all; what they show tells when they are done."""
        code = [nbformat.v4.new_code_cell(each) for each in cells]
        document = nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": KERNEL})
        nbformat.write(document, self.server.root / name)
        page = self.open(watched, name)
        run_all_cells(page)
        return page

    def open(self, watched: Watched, name: str) -> Page:
        """Open a notebook that is there."""
        page = watched.open(self.server.page("lab?reset"))
        page.locator(".jp-Launcher").wait_for()
        open_notebook(page, name)
        return page


@contextlib.contextmanager
def notebook_lab(folder: Path) -> Iterator[NotebookLab]:
    """Run one below a folder; the cloud is started by the first cell that needs it."""
    cloud = RealCloud(folder / "cloud")
    (cloud.folder / "bentoml").mkdir(parents=True)
    try:
        with jupyter(folder / "lab", cloud.home, environment=cloud.environment) as server:
            yield NotebookLab(server, cloud)
    finally:
        cloud.stop()


def themed(page: Page, theme: str) -> None:
    """Put a theme on, and wait until it is there."""
    execute(page, "apputils:change-theme", {"theme": theme})
    page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme, timeout=30_000)
    # JupyterLab takes its splash away once per change: a second one within 0.2 s finds it gone, and throws.
    page.locator("#jupyterlab-splash").wait_for(state="detached")


def in_both_themes(page: Page, picture: Callable[..., None], name: str, part: str) -> None:
    """Take a picture of `part` in both themes, whole: the notebook shows what fits into its window."""
    page.set_viewport_size({"width": 1000, "height": 1900})
    for theme, end in ((DARK, "-dark"), (LIGHT, "")):
        themed(page, theme)
        picture(page, f"{name}{end}", part)
    page.set_viewport_size({"width": 1280, "height": 900})


def alerts(form: Locator) -> Locator:
    """What the form says is wrong."""
    return form.get_by_role("alert").filter(visible=True)
