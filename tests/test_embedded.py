"""The embedded cloud as a process that is found, started and stopped."""

from __future__ import annotations

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from realcloud import eventually

from bento_jupyter.client import embedded
from bento_jupyter.errors import CloudError
from bento_jupyter.home import Home


def test_a_start_outlasts_another_cloud_that_is_about_to_end(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    output = home.logs / "cloud.out"
    with ThreadPoolExecutor() as threads:
        with home.lock_file.open("a") as ending:
            fcntl.flock(ending, fcntl.LOCK_EX)
            starting = threads.submit(embedded.start, home)
            eventually(lambda: output.exists() and "already" in output.read_text())
        assert starting.result() == home.read_state()
    assert embedded.stop(home)


def test_several_starts_at_once_give_one_cloud(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with ThreadPoolExecutor() as threads:
        states = list(threads.map(lambda _: embedded.start(home), range(3)))
    assert len({state.pid for state in states}) == 1
    with_home = [
        each for each in psutil.process_iter(["cmdline"]) if str(home.root) in (each.info["cmdline"] or [])
    ]
    assert [each.pid for each in with_home] == [states[0].pid], "none is about to take its place"
    assert embedded.stop(home)
    assert embedded.find(home) is None


def test_the_word_of_a_dead_cloud_does_not_pass_for_that_of_its_successor(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    state = embedded.start(home)
    try:
        # Killed clouds leave their state file, and the next one takes the port before it writes its own.
        home.write_state(replace(state, pid=os.getpid()))
        assert embedded.find(home) is None
        home.write_state(state)
        assert embedded.find(home) == state
    finally:
        embedded.stop(home)


def test_a_home_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CloudError, match="cannot be started in") as caught:
        embedded.start(Home(tmp_path / "file" / "home"))
    assert "BENTO_JUPYTER_HOME" in caught.value.hint
