"""The notebooks of the folder as a reader runs them: each is executed, and says what its story is about."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kernels import ROOT, make_workplace

#: Words that the executed notebooks have to say; `quickstart` has a module of its own.
SAID = {
    "calling": ["curl --fail-with-body", "JavaScript", "401 {", "is deleted"],
    "image_upload": ['{"digit":', "of 30 right", "is deleted"],
    "on_demand_text": ["scaled-to-zero", "held for the cold start", "30 as in the notebook", " 0 errors"],
    "pipeline": ["largest difference: 0.0", "lacks the columns ['purpose']", "test_parity.py"],
    "promoting": ["the same files", "answers in prod as in the notebook", "embedded -> prod"],
    "streaming": ["first word after", "is deleted"],
    "two_services": ["Judge    answered 1", "Reviews  answered 1"],
    "updating": ["of the answers came from the canary", "0 of them with an error"],
}
#: What a notebook needs that not everybody has.
NEEDS = {"calling": ["curl", "node"], "image_upload": ["torch", "PIL", "curl"], "streaming": ["curl"]}


def test_every_notebook_is_executed_and_listed() -> None:
    there = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert there == {*SAID, "quickstart"}
    index = (ROOT / "notebooks" / "README.md").read_text(encoding="utf-8")
    assert all(f"({name}.ipynb)" in index for name in there)


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_notebook_tells_its_story(name: str, tmp_path: Path) -> None:
    for need in NEEDS.get(name, []):
        if shutil.which(need) is None and importlib.util.find_spec(need) is None:
            pytest.skip(f"{need} is not there")
    place = make_workplace(tmp_path)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "notebooks/run.py", f"notebooks/{name}.ipynb", str(tmp_path)],
        cwd=ROOT,
        env={**place.environment, "TMPDIR": str(scratch), "PATH": os.environ["PATH"], "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    missing = [words for words in SAID[name] if words not in done.stdout]
    assert not missing, done.stdout
    assert place.processes() == []
    executed = (tmp_path / f"{name}.ipynb").read_text(encoding="utf-8")
    for file in (place.home.token_file, *scratch.rglob(place.home.token_file.name)):
        assert file.read_text(encoding="utf-8").strip() not in executed + done.stdout
