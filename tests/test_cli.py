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
from built_bento import build_bento

ROOT = Path(__file__).parents[1]
SERVICE = """
import bentoml

@bentoml.service
class Service:
    @bentoml.api
    def echo(self, text: str) -> str:
        print(f"echo was asked for {text}", flush=True)
        return text.upper()
"""
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


@pytest.fixture(scope="module")
def bento(run: Run) -> str:
    """Tag of a Bento in the local store."""
    return f"tested:{build_bento(run.folder, SERVICE).name}"  # type: ignore[attr-defined]


def test_the_life_of_a_deployment_in_a_shell(run: Run, bento: str) -> None:
    def said(*words: str) -> str:
        done = run("bento_jupyter.cli", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said("push", bento)
    said("deploy", bento, "--name", "echo", "--mode", "on-demand", "--label", "owner=the team's")
    card = json.loads(said("status", "echo", "--json"))
    assert (card["name"], card["mode"], card["labels"]["owner"]) == ("echo", "on-demand", "the team's")
    assert "echo" in said("list", "deployments")
    assert said("call", "echo", "echo", '{"text": "it\'s"}') == "IT'S\n"
    assert json.loads(said("call", "echo", '{"text": "a"}', "--json")) == "A"
    assert "echo was asked for a" in said("logs", "echo")
    assert "terminated" in said("terminate", "echo")
    assert "scaled-to-zero" in said("start", "echo")
    assert "is deleted" in said("delete", "echo", "--yes")


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["stauts"], 2, "did you mean status?"),
        (["status", "--clod", "x"], 2, "did you mean --cloud?"),
        (["status", "nobody"], 1, "there are: "),
        (["deploy", "clf", "--sample", "X"], 2, "a shell has no live objects"),
        (["login", "http://127.0.0.1:9"], 1, "--token-env"),
        (["login", "http://127.0.0.1:9", "a-token"], 2, "revoke"),
        (["status", "--cloud", "nowhere"], 1, "bento-jupyter login ENDPOINT"),
    ],
)
def test_errors_are_those_of_the_notebook_in_the_words_of_a_shell(
    run: Run, words: list[str], code: int, hint: str
) -> None:
    done = run("bento_jupyter.cli", *words)
    assert done.returncode == code, done.stderr
    assert hint in done.stderr
    assert "%bento" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "a-token" not in done.stderr


def test_help_lists_the_verbs_and_explains_each(run: Run) -> None:
    verbs = run("bento_jupyter.cli", "--help").stdout
    for verb in ("deploy", "status", "promote", "cloud", "doctor"):
        assert f"  {verb} " in verbs
    said = run("bento_jupyter.cli", "deploy", "--help").stdout
    assert said.startswith("usage: bento-jupyter deploy")
    assert "--instance-type" in said


def test_wrong_words_are_told(run: Run) -> None:
    assert run("bento_jupyter.cli", "cloud", "fly").returncode == 2


def test_doctor_finds_everything_there(run: Run) -> None:
    done = run("bento_jupyter.cli", "doctor")
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert all("sidebar" in line for line in failed), failed  # run from its sources it has none
    assert "uv" in done.stdout
    found = json.loads(run("bento_jupyter.cli", "doctor", "--json").stdout)
    assert {"bentoml", "sidebar", "home", "cloud"} <= {item["what"] for item in found}


def test_doctor_says_what_to_do_about_a_context_file_that_others_can_read(run: Run) -> None:
    context = run.folder / "bentoml" / ".yatai.yaml"  # type: ignore[attr-defined]
    context.chmod(0o644)
    done = run("bento_jupyter.cli", "doctor")
    assert done.returncode == 1
    assert f"chmod 600 {context}" in done.stdout
    context.chmod(0o600)


def test_stop_stops_and_leaves_no_state(run: Run) -> None:
    assert run("bento_jupyter.cli", "cloud", "stop").returncode == 0
    assert not (run.folder / "home" / "cloud.json").exists()  # type: ignore[attr-defined]
    assert run("bento_jupyter.cli", "cloud", "status").returncode == 1
