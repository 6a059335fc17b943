"""Which zygotes are kept: for whom, with which imports, and what happens when they end."""

from __future__ import annotations

import json
import os
import signal
import sysconfig
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bento_jupyter.cloud.engines.zygotes import KEPT_RECORDS, NEWS, Zygotes, record_of
from bento_jupyter.environments import IMPORTS
from bento_jupyter.zygote import Zygote, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="zygotes need Linux")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own that sees the libraries of this one."""
    folder = tmp_path_factory.mktemp("environment") / "key"
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    (site / "all.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


@pytest.fixture
def zygotes(python: Path, tmp_path: Path) -> Iterator[Zygotes]:
    for old in (python.parent.parent / IMPORTS).glob("*.json"):
        old.unlink()
    kept = Zygotes(tmp_path / "scratch", tmp_path / "logs", tmp_path)
    yield kept
    kept.close()
    assert kept.views() == []


def until(condition: Callable[[], object], seconds: float = 60) -> object:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def write_record(python: Path, bento: str, modules: list[str]) -> None:
    file = record_of(python, Path(bento))
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(modules))


def test_one_serves_all_who_want_the_same_and_goes_with_the_last(zygotes: Zygotes, python: Path) -> None:
    zygotes.want("a/main", python, {"X": "1"})
    zygotes.want("b/main", python, {"X": "1"})
    first = until(lambda: zygotes.get(python, {"X": "1"}))
    assert isinstance(first, Zygote)
    (view,) = zygotes.views()
    assert view.users == ("a/main", "b/main")
    assert view.environment == "key"
    assert view.memory_bytes > 10_000_000
    assert zygotes.get(python, {"X": "2"}) is None
    zygotes.release("a/main")
    assert zygotes.get(python, {"X": "1"}) is first
    zygotes.release("b/main")
    assert zygotes.get(python, {"X": "1"}) is None
    until(lambda: first.has_ended)


def test_other_variables_mean_another_one_in_its_place(zygotes: Zygotes, python: Path) -> None:
    zygotes.want("a/main", python, {"TOKEN": "old"})
    old = until(lambda: zygotes.get(python, {"TOKEN": "old"}))
    zygotes.want("a/main", python, {"TOKEN": "new"})
    assert zygotes.get(python, {"TOKEN": "old"}) is None
    until(lambda: zygotes.get(python, {"TOKEN": "new"}))
    assert isinstance(old, Zygote)
    until(lambda: old.has_ended)


def test_a_killed_one_is_replaced(zygotes: Zygotes, python: Path) -> None:
    zygotes.want("a/main", python, {})
    first = until(lambda: zygotes.get(python, {}))
    assert isinstance(first, Zygote)
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: first.is_over)
    zygotes.tend()
    second = until(lambda: zygotes.get(python, {}))
    assert second is not first


def test_one_that_is_wanted_again_while_the_old_one_goes_keeps_its_files(
    zygotes: Zygotes, python: Path
) -> None:
    zygotes.want("a/main", python, {})
    until(lambda: zygotes.get(python, {}))
    zygotes.release("a/main")
    zygotes.want("a/main", python, {})
    deadline = time.monotonic() + 60
    while zygotes.get(python, {}) is None:
        zygotes.tend()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_news_make_another_one_and_few_news_do_not(zygotes: Zygotes, python: Path) -> None:
    zygotes.want("a/main", python, {})
    first = until(lambda: zygotes.get(python, {}))
    write_record(python, "/bentos/a", ["json", "decimal"])
    zygotes.refresh(python, {})
    assert zygotes.views()[0].modules == 0
    many = ["numpy", "yaml", *(f"email.{name}" for name in ("message", "parser", "header"))]
    write_record(python, "/bentos/b", [*many, *(f"no_such_module_{i}" for i in range(NEWS))])
    zygotes.refresh(python, {})
    second = until(lambda: (now := zygotes.get(python, {})) is not first and now)
    assert isinstance(second, Zygote)
    assert zygotes.views()[0].modules > NEWS


def test_records_do_not_pile_up(zygotes: Zygotes, python: Path) -> None:
    for i in range(KEPT_RECORDS + 5):
        write_record(python, f"/bentos/{i}", ["json"])
    zygotes.want("a/main", python, {})
    until(lambda: zygotes.get(python, {}))
    assert len(list((python.parent.parent / IMPORTS).glob("*.json"))) == KEPT_RECORDS
