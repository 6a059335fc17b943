"""The `bento-jupyter` command, and plain `bentoml` commands after `cloud login`."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("cli")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BENTO")}
    (folder / "bentoml").mkdir()
    environment = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "BENTO_JUPYTER_HOME": str(folder / "home"),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "COLUMNS": "200",
    }

    def call(module: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    call.folder = folder  # type: ignore[attr-defined]
    yield call
    call("bento_jupyter.cli", "cloud", "stop")


def test_status_says_that_nothing_runs(run: Run) -> None:
    done = run("bento_jupyter.cli", "cloud", "status", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (1, {"running": False})


def test_start_is_idempotent_and_status_has_what_programs_need(run: Run) -> None:
    assert run("bento_jupyter.cli", "cloud", "start").returncode == 0
    first = json.loads(run("bento_jupyter.cli", "cloud", "status", "--json").stdout)
    assert run("bento_jupyter.cli", "cloud", "start").returncode == 0
    again = json.loads(run("bento_jupyter.cli", "cloud", "status", "--json").stdout)
    assert first["pid"] == again["pid"]
    assert {"endpoint", "token_file", "pid", "deployments"} <= set(first)
    assert first["deployments"] == []


def test_what_holds_the_token_is_for_the_owner_only(run: Run) -> None:
    home = run.folder / "home"  # type: ignore[attr-defined]
    for name in ("cloud.json", "token"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_after_login_plain_bentoml_commands_work(run: Run) -> None:
    assert run("bento_jupyter.cli", "cloud", "login").returncode == 0
    context = run.folder / "bentoml" / ".yatai.yaml"  # type: ignore[attr-defined]
    assert stat.S_IMODE(context.stat().st_mode) == 0o600
    done = run("bentoml", "deployment", "list", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_garbage_is_listed_first_and_deleted_then(run: Run) -> None:
    half = run.folder / "home" / "environments" / "half"  # type: ignore[attr-defined]
    half.mkdir()
    (half / "file").write_bytes(bytes(2048))
    said = run("bento_jupyter.cli", "cloud", "gc", "--dry-run")
    assert said.returncode == 0
    assert "half" in said.stdout
    assert "would be deleted" in said.stdout
    assert half.exists()
    said = run("bento_jupyter.cli", "cloud", "gc")
    assert "half" in said.stdout
    assert not half.exists()
    assert "no garbage" in run("bento_jupyter.cli", "cloud", "gc").stdout


def test_wrong_words_are_told(run: Run) -> None:
    assert run("bento_jupyter.cli", "cloud", "fly").returncode == 2


def test_doctor_finds_everything_there(run: Run) -> None:
    done = run("bento_jupyter.cli", "doctor")
    assert "FAIL" not in done.stdout.replace("FAIL sidebar", "")
    assert "uv" in done.stdout


def test_stop_stops_and_leaves_no_state(run: Run) -> None:
    assert run("bento_jupyter.cli", "cloud", "stop").returncode == 0
    assert not (run.folder / "home" / "cloud.json").exists()  # type: ignore[attr-defined]
    assert run("bento_jupyter.cli", "cloud", "status").returncode == 1
