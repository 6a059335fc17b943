"""The wheel, in a clean environment on a machine without Node."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv
from playwright.sync_api import expect
from wheels import ROOT, build_wheel, path_without_node

from bento_jupyter.home import Home

from .labtools import execute, jupyter, row

CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
#: What somebody runs in a first notebook.
CELL = """%load_ext bento_jupyter
def upper(text: str) -> str:
    return text.upper()
%bento_deploy upper --sample "'a'" --mode on-demand
"""


@pytest.fixture
def python(tmp_path: Path) -> str:
    """Python of an environment with the wheel, JupyterLab and what they need, and nothing else."""
    wheel = build_wheel(tmp_path / "wheel")
    environment = tmp_path / "environment"
    command = [uv.find_uv_bin(), "--quiet", "venv", "--python", sys.executable, str(environment)]
    subprocess.run(command, check=True)
    interpreter = str(environment / "bin" / "python")
    subprocess.run(
        [
            uv.find_uv_bin(),
            "--quiet",
            "pip",
            "install",
            "-c",
            str(CONSTRAINTS),
            "--python",
            interpreter,
            wheel,
        ],
        check=True,
    )
    return interpreter


def test_the_panel_of_an_installed_wheel_shows_what_is_deployed_with_it(python, watched, tmp_path):
    home = Home(tmp_path / "home")
    own = {
        "PATH": path_without_node(tmp_path / "bin"),
        "BENTOML_HOME": str(tmp_path / "bentoml"),
        "PYTHONPATH": "",
    }
    with jupyter(tmp_path, home, python=python, environment=own) as server:
        page = watched.open(server.page("lab?reset"))
        page.locator(".jp-Launcher").wait_for()
        execute(page, "bento-jupyter:show-panel")
        panel = page.get_by_role("region", name="Bento deployments")
        try:
            panel.get_by_role("button", name="Start the cloud").click()
            expect(panel.get_by_role("status").first).to_contain_text("is running")
            environment = {**os.environ, **own, "BENTO_JUPYTER_HOME": str(home.root)}
            (tmp_path / "first.ipy").write_text(CELL)
            subprocess.run([python, "-m", "IPython", "first.ipy"], env=environment, check=True, cwd=tmp_path)
            expect(row(page, "upper")).to_be_visible()
        finally:
            subprocess.run(
                [python, "-m", "bento_jupyter.cli", "cloud", "stop"],
                env={**os.environ, **own, "BENTO_JUPYTER_HOME": str(home.root)},
                check=True,
            )
    assert watched.errors == []
