"""The quickstart where no run.py is: executed by papermill, and as a script of plain IPython."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kernels import ROOT, make_workplace
from nbconvert import PythonExporter

from bento_jupyter.client import embedded

QUICKSTART = ROOT / "notebooks" / "quickstart.ipynb"


def as_papermill(folder: Path) -> list[str]:
    """Executed by papermill, with a parameter that the notebook does not know."""
    copy = str(folder / "executed.ipynb")
    return [
        "-m",
        "papermill",
        str(QUICKSTART),
        copy,
        "-k",
        "python3",
        "-p",
        "who",
        "papermill",
        "--log-output",
    ]


def as_script(folder: Path) -> list[str]:
    """Converted by nbconvert, and run by IPython without a kernel."""
    script = folder / "quickstart.ipy"
    script.write_text(PythonExporter().from_filename(str(QUICKSTART))[0], encoding="utf-8")
    return ["-m", "IPython", "--colors=NoColor", str(script)]


@pytest.mark.parametrize("way", [as_papermill, as_script])
def test_the_quickstart_runs_without_run_py(way: Callable[[Path], list[str]], tmp_path: Path) -> None:
    place = make_workplace(tmp_path)
    try:
        done = subprocess.run(
            [sys.executable, *way(tmp_path)],
            cwd=tmp_path,
            env=place.environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    finally:
        embedded.stop(place.home)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "all as in the notebook" in said
    assert place.processes() == []
    assert place.home.token_file.read_text(encoding="utf-8").strip() not in said
