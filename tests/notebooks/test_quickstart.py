"""`make quickstart` as a newcomer runs it, and where its token must not be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from kernels import ROOT, Workplace, make_workplace

NEEDS_CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, Path, str]:
    """The workplace, the executed copy, and what was printed."""
    folder = tmp_path_factory.mktemp("quickstart")
    place = make_workplace(folder)
    done = subprocess.run(
        [sys.executable, "notebooks/run.py", "notebooks/quickstart.ipynb", str(folder)],
        cwd=ROOT,
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return place, folder / "quickstart.ipynb", done.stdout


@pytest.mark.parametrize(
    "words",
    [
        "accuracy 1.000",
        "max difference 0",
        "http://127.0.0.1:",
        "scaled-to-zero",
        "held for the cold start",
        "all as in the notebook",
        pytest.param('["class_0","class_2"]', marks=NEEDS_CURL),
        pytest.param("without a token: 401", marks=NEEDS_CURL),
        "terminated",
        "no deployments yet",
    ],
)
def test_the_quickstart_shows_its_answers(quickstart: tuple[Workplace, Path, str], words: str) -> None:
    assert words in quickstart[2].replace('", "', '","')


def test_nothing_keeps_running_after_the_quickstart(quickstart: tuple[Workplace, Path, str]) -> None:
    place = quickstart[0]
    assert place.processes() == []
    assert not place.home.state_file.exists()


def test_the_token_is_in_its_file_and_nowhere_else(quickstart: tuple[Workplace, Path, str]) -> None:
    place, executed, printed = quickstart
    token = place.home.token_file.read_text().strip()
    assert len(token) >= 32
    assert token not in executed.read_text()
    assert token not in printed
    holders = [
        str(path)
        for folder in (place.home.root, place.store)
        for path in folder.rglob("*")
        if path.is_file()
        and "environments" not in path.parts
        and path != place.home.token_file
        and token.encode() in path.read_bytes()
    ]
    assert holders == []


def test_the_executed_notebook_is_valid_and_keeps_no_widget_state(
    quickstart: tuple[Workplace, Path, str],
) -> None:
    document = nbformat.read(quickstart[1], as_version=4)
    nbformat.validate(document)
    assert "widgets" not in document.metadata
