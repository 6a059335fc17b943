"""How tests start a real JupyterLab and drive its page."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page, Request

from bento_jupyter.home import Home

#: The toast with news would cover what is to be seen.
QUIET = {"fetchNews": "false", "checkForUpdates": False}


@dataclass(frozen=True)
class JupyterServer:
    """A running Jupyter server.

    Attributes:
        url: Its base URL, ends with `/`.
        token: Its token.
        root: The folder that it shows.
        log: The file that it writes to.
    """

    url: str
    token: str
    root: Path
    log: Path

    def page(self, path: str) -> str:
        """URL of a page of it, with the token."""
        return f"{self.url}{path}{'&' if '?' in path else '?'}token={self.token}"


@contextlib.contextmanager
def jupyter(
    base: Path,
    home: Home,
    *options: str,
    app: str = "jupyterlab",
    environment: dict[str, str] | None = None,
    port: int = 0,
    token: str = "",
    python: str = sys.executable,
) -> Iterator[JupyterServer]:
    """Run `jupyter lab` (or `notebook`), with nothing of the user's own.

    Args:
        base: Folder for its configuration and its files.
        home: Home of the embedded cloud that it shows.
        options: More options.
        app: Module of the Jupyter application: jupyterlab or notebook.
        environment: More environment variables.
        port: Its port; 0 = a free one.
        token: Its token; "" = one of its own.
        python: The Python that it is installed in.
    """
    root = base / "files"
    settings = base / "settings" / "@jupyterlab" / "apputils-extension"
    for folder in (root, settings):
        folder.mkdir(parents=True, exist_ok=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    token = token or secrets.token_hex(16)
    log = base / "server.log"
    command = [
        *(python, "-m", app, "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--ServerApp.root_dir={root}"),
        *(f"--IdentityProvider.token={token}",),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        *options,
    ]
    variables = {
        **os.environ,
        "BENTO_JUPYTER_HOME": str(home.root),
        "JUPYTER_CONFIG_DIR": str(base / "config"),
        "JUPYTER_DATA_DIR": str(base / "data"),
        "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(base / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(base / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(base / "ipython"),
        "NO_PROXY": "127.0.0.1,localhost",
        **(environment or {}),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=variables, cwd=root, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        info = base / "runtime" / f"jpserver-{process.pid}.json"
        yield JupyterServer(_wait(process, info, token, log), token, root, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], info: Path, token: str, log: Path) -> str:
    deadline = time.monotonic() + 90
    while process.poll() is None and time.monotonic() < deadline:
        try:
            url: str = json.loads(info.read_text())["url"]
            urllib.request.urlopen(f"{url}api/status?token={token}", timeout=5).read()
        except (OSError, ValueError):
            time.sleep(0.1)
        else:
            return url
    raise AssertionError(f"the Jupyter server does not answer:\n{log.read_text()}")


@dataclass
class Watched:
    """A page, and what went wrong on it.

    Attributes:
        page: The page.
        errors: What its console said of errors, and what was thrown.
        requests: The requests it sent to our server extension: method and path.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        before, found, path = request.url.partition("/bento-jupyter/")
        if found and not before.endswith("extensions"):
            self.requests.append(f"{request.method} {path}")

    def open(self, url: str) -> Page:
        """Go to a page of JupyterLab or Notebook 7 and wait until it is ready."""
        self.page.goto(url)
        # Not `evaluate`: `?reset` loads the page twice, and what was begun in the first is lost.
        self.page.wait_for_function("() => window.jupyterapp?.restored.then(() => true)")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        return self.page


def execute(page: Page, command: str, args: dict[str, Any] | None = None, timeout: float = 30) -> None:
    """Run a command of JupyterLab; `evaluate` alone would wait for ever."""
    page.evaluate(
        """([command, args, ms]) => Promise.race([
            window.jupyterapp.commands.execute(command, args).then(() => null),
            new Promise((_, no) => setTimeout(() => no(new Error(`${command} takes too long`)), ms))
        ])""",
        [command, args or {}, timeout * 1000],
    )


def execute_soon(page: Page, command: str, args: dict[str, Any] | None = None) -> None:
    """Run a command that asks something, and do not wait for its end."""
    page.evaluate(
        "([command, args]) => { void window.jupyterapp.commands.execute(command, args); }",
        [command, args or {}],
    )


def open_notebook(page: Page, path: str) -> None:
    """Open a notebook and wait until its kernel is idle: before that, running a cell would ask for one."""
    execute(page, "docmanager:open", {"path": path, "factory": "Notebook"})
    kernel_is_idle(page)


def kernel_is_idle(page: Page) -> None:
    """Wait until the kernel of the open notebook is connected and idle."""
    page.wait_for_function(
        """() => {
            const panel = window.jupyterapp.shell.currentWidget;
            const session = panel?.sessionContext;
            const kernel = session?.session?.kernel;
            return panel?.context?.isReady && session?.isReady
                && kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
        }""",
        timeout=60_000,
    )


def run_all_cells(page: Page) -> None:
    """Run the cells of the open notebook; what they show tells when they are done."""
    page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def row(page: Page, name: str) -> Locator:
    """The row of a deployment in the sidebar."""
    return page.locator(f"[role='treeitem'][data-deployment='{name}']")


def choose(page: Page, name: str, label: str) -> None:
    """Choose an entry of a deployment's context menu."""
    row(page, name).click(button="right")
    page.locator(".lm-Menu-itemLabel").get_by_text(label, exact=True).click()
