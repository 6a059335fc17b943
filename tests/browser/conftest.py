"""Real JupyterLab and Notebook 7, a real cloud, and a real browser."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright
from realcloud import RealCloud

from . import labtools

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots DIR`: take the pictures of the documentation."""
    parser.addoption("--screenshots", default=None, help="folder for the pictures of the documentation")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Last of all: Playwright keeps an event loop running in the main thread from its first use on."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: HERE in item.path.parents)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A picture of the page says in a second why a test failed."""
    report = yield
    watched = getattr(item, "funcargs", {}).get("watched")
    if report.when == "call" and report.failed and watched is not None:
        picture = ROOT / "build" / "screenshots" / f"{item.name}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        watched.page.screenshot(path=picture)
        report.sections.append(("page", f"{picture}\n" + "\n".join(watched.errors)))
    return report


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCloud]:
    """A cloud with the Bento `echo:v1` and the deployment `hello`."""
    cloud = RealCloud(tmp_path_factory.mktemp("cloud"))
    cloud.start()
    try:
        cloud.push_echo()
        cloud.create("hello")
        cloud.wait("hello", "running")
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="package")
def installed() -> None:
    """The front end is where JupyterLab looks for it."""
    bundle = Path(sys.prefix, "share", "jupyter", "labextensions", "bento-jupyter", "package.json")
    assert bundle.exists(), f"{bundle} is not there: install the package (pip install -e .)"


@pytest.fixture(scope="package")
def lab(
    installed: None, cloud: RealCloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[labtools.JupyterServer]:
    """A running JupyterLab."""
    store = {"BENTOML_HOME": cloud.environment["BENTOML_HOME"]}
    with labtools.jupyter(tmp_path_factory.mktemp("lab"), cloud.home, environment=store) as server:
        yield server


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A running Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium; set CHROMIUM to its path")
    # Chromium refuses its sandbox to root, which is what containers run as.
    arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else ARGUMENTS
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            headless=True,
            args=arguments,
            viewport={"width": 1280, "height": 900},
            device_scale_factor=2,
        )
        context.set_default_timeout(30_000)
        yield context
        context.close()


@pytest.fixture
def watched(browser: BrowserContext) -> Iterator[labtools.Watched]:
    """A new page of which errors and requests are kept."""
    page = browser.new_page()
    yield labtools.Watched(page)
    page.close()


@pytest.fixture
def panel(watched: labtools.Watched, lab: labtools.JupyterServer) -> Page:
    """JupyterLab with the panel open."""
    page = watched.open(lab.page("lab?reset"))
    # JupyterLab opens it last, by a command, and any command closes the palette.
    page.locator(".jp-Launcher").wait_for()
    labtools.execute(page, "bento-jupyter:show-panel")
    page.get_by_role("region", name="Bento deployments").wait_for()
    return page


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Takes a picture for the documentation when `--screenshots` asks for it, of the sidebar or of `part`."""
    folder = request.config.getoption("--screenshots", None)

    def take(page: Page, name: str, part: str = "#bento-jupyter-panel") -> None:
        if folder is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
            before = page.viewport_size or {"width": 1280, "height": 900}
            box = page.locator(part).first.bounding_box()
            if box is not None and box["height"] > before["height"] * 0.7:  # what is scrolled away is grey
                page.set_viewport_size({"width": before["width"], "height": int(box["height"]) + 300})
            page.locator(part).first.screenshot(path=Path(folder, f"{name}.png"))
            page.set_viewport_size({"width": before["width"], "height": before["height"]})

    return take
