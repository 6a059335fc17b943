"""Completion of a magic's options and of the cloud's names, against Python names in the same shell."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from bento_jupyter.client import embedded
from bento_jupyter.home import Home

ROUNDS = 200


def bench_complete(record: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENTO_JUPYTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    (tmp_path / "bentoml").mkdir()
    embedded.start(Home(tmp_path / "home"))
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "bento_jupyter")
    shell.user_ns.update({f"name_{number}": number for number in range(10)})
    try:
        types = "%bento_deploy x --instance-type "
        deadline = time.monotonic() + 60
        while "cpu.1" not in offered(shell, types):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        reference = milliseconds(shell, "name_")
        record("complete.options", milliseconds(shell, "%bento_deploy x --in"), reference, "ms")
        record("complete.names", milliseconds(shell, types), reference, "ms")
        record("complete.magics", milliseconds(shell, "%bento_dep"), reference, "ms")
    finally:
        embedded.stop(Home(tmp_path / "home"))


def offered(shell: InteractiveShell, line: str) -> list[str]:
    """What a front end is told at the end of a line."""
    with provisionalcompleter():
        return [item.text for item in shell.Completer.completions(line, len(line))]


def milliseconds(shell: InteractiveShell, line: str) -> float:
    """Median of what completing the end of a line takes."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        assert offered(shell, line), line
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000
