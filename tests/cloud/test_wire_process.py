"""The process: one per home, found by its state file, gone when told to go."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import httpx
import pytest

from bento_jupyter.home import Home


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home")


def test_a_second_cloud_for_the_same_home_leaves_with_a_message(cloud):
    done = subprocess.run(
        [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(cloud.home.root)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0
    assert cloud.endpoint in done.stderr
    assert cloud.http.get("/api/bj/v1/cloud").json()["pid"] == cloud.process.pid


def test_files_with_secrets_are_the_owners_alone(cloud):
    for path in (cloud.home.state_file, cloud.home.token_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(cloud.home.root.stat().st_mode) == 0o700


def test_it_ends_softly_keeps_its_port_and_forgets_no_deployment(start_cloud, home):
    first = start_cloud(home)
    assert first.stop() == 0
    assert not home.state_file.exists()
    assert home.token_file.exists()
    second = start_cloud(home)
    assert (second.endpoint, second.token) == (first.endpoint, first.token)


def test_an_open_feed_does_not_hold_up_the_end(start_cloud, home):
    cloud = start_cloud(home)
    with cloud.http.stream("GET", "/api/bj/v1/events") as feed:
        lines = feed.iter_lines()
        assert next(lines) == ""
        httpx.post(f"{cloud.endpoint}/api/bj/v1/shutdown", headers={"X-YATAI-API-TOKEN": cloud.token})
        assert list(lines) == []
    assert cloud.process.wait(timeout=10) == 0
    assert "timeout graceful shutdown" not in cloud.log()


def test_after_a_kill_the_next_one_starts_and_what_was_pushed_is_there(start_cloud, home):
    first = start_cloud(home)
    first.http.post("/api/v1/bento_repositories", json={"name": "kept"}).raise_for_status()
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    assert home.state_file.exists(), "a killed cloud cannot clean up; its successor does"
    second = start_cloud(home)
    assert second.http.get("/api/v1/bento_repositories/kept").status_code == 200


def test_a_cloud_that_cannot_start_says_why_and_leaves_no_state_file(home):
    home.create()
    (home.cloud / "cloud.db").write_bytes(b"this is no database" * 100)
    done = subprocess.run(
        [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(home.root)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert str(home.logs / "cloud.log") in done.stderr
    assert "not a database" in (home.logs / "cloud.log").read_text()
    assert not home.state_file.exists()


def test_a_bad_setting_is_told_and_fails(home):
    done = subprocess.run(
        [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(home.root)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "BENTO_JUPYTER_IDLE_SECONDS": "soon"},
    )
    assert done.returncode == 1
    assert "idle_seconds" in done.stderr


def test_instance_types_that_cannot_be_read_are_told_and_fail(home):
    home.create()
    home.instance_types.write_text('[{"name": "small", "cpu": 1}]')
    done = subprocess.run(
        [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(home.root)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert f"{home.instance_types} is no list of instance types: 0.memory: Field required" in done.stderr
