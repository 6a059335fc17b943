"""What the notebook did to libraries: functions put into them are refused, settings are told."""

from __future__ import annotations

import fractions
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture.source_cells import assert_same, main_kept, notebook

from bento_jupyter.capture.source import library_changes
from bento_jupyter.errors import NotServableError


@pytest.fixture(autouse=True)
def _main() -> Iterator[None]:
    with main_kept():
        yield


def told(cells: list[str], name: str = "f") -> list[str]:
    book = notebook(*cells)
    capture = book.capture(name)
    return library_changes(capture.executed, book.shell.user_ns, capture.used_modules)


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("import statistics\nstatistics.fmean = lambda x: 0", "statistics.fmean"),
        ("import fractions\nfractions.Fraction.half = lambda self: self / 2", "fractions.Fraction.half"),
    ],
)
def test_a_function_put_into_a_library_is_refused_with_its_cell(
    cell: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "fmean", statistics.fmean)  # put back at the end, as is the other
    monkeypatch.setattr(fractions.Fraction, "half", None, raising=False)
    used = "import statistics, fractions\ndef f(x): return statistics.mean(x) + fractions.Fraction(x[0])"
    with pytest.raises(NotServableError, match=what) as caught:
        told([cell, used])
    assert "cell [1], line 2" in caught.value.message


def test_a_library_that_is_not_used_may_be_changed() -> None:
    assert told(["import calendar\ncalendar.mine = lambda: 0", "def f(x): return x"]) == []


def test_a_setting_is_told_with_its_cell() -> None:
    cells = ["import decimal\ndecimal.getcontext().prec = 28", "def f(x): return decimal.Decimal(x) / 7"]
    (warning,) = told(cells)
    assert "decimal.getcontext().prec (cell [1], line 2)" in warning


def test_names_in_the_text_of_a_query_go_along(tmp_path: Path) -> None:
    book = notebook(
        "import pandas as pd\nLIMIT = 5",
        "def f(a): return pd.DataFrame({'a': a}).query('a > @LIMIT').a.tolist()",
    )
    assert_same(book, ["f"], ["f([1, 7])", "f([6, 2])"], tmp_path)
