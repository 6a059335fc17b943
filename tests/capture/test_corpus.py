"""The corpus, a test per case: `python tests/capture/corpus/run.py` reports the same as a table.

Cases run two at a time, ahead of the tests that ask for their outcomes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from capture.corpus import judge
from capture.corpus.cases import Case, load_cases, read_case
from capture.corpus.runner import Outcome, environment_ready, run_case
from notebooks.kernels import Workplace, make_workplace

ALL = load_cases()
FEWEST = 140


def chosen(cases: Sequence[Case]) -> list[Case]:
    """Every twentieth: `make corpus` runs them all, which takes half an hour; so does `CORPUS=all` here."""
    return list(cases) if os.environ.get("CORPUS") == "all" else list(cases[::20])


CASES = chosen(ALL)
JOBS = 2

Run = Callable[[Case], Outcome]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a case in a home that all share, so that they share environments; each has a store of its own."""
    environment_ready()
    place = make_workplace(tmp_path_factory.mktemp("corpus"))

    def run(case: Case) -> Outcome:
        folder = tmp_path_factory.mktemp("case")
        store, notebook = folder / "store", folder / "notebook"
        store.mkdir()
        notebook.mkdir()
        return run_case(case, Workplace(place.home, store), notebook)

    return run


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, run: Run) -> Iterator[Any]:
    """Case -> future of its outcome, for the cases that this run of pytest asks for."""
    parameters = [getattr(item, "callspec", None) for item in request.session.items]
    asked = [found.params["case"] for found in parameters if found and "case" in found.params]
    with ThreadPoolExecutor(JOBS) as pool:
        yield {case: pool.submit(run, case) for case in asked}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_case_comes_out_as_it_has_to(case: Case, outcomes: Any) -> None:
    outcome = outcomes[case].result()
    if outcome.outcome == "skipped":
        pytest.skip(outcome.detail)
    assert outcome.good, f"{outcome.outcome}: {outcome.detail}\n{outcome.text}"


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(ALL) >= FEWEST


# ------------------------------------------------------------------------------- who watches the watchman

HEADER = "# title: a case of the tests\n# expect: {expect}\n# check: [{check}]\n# because: [{because}]\n"
CELLS = """# %%
def double(x):
    return x * 2
def triple(x):
    return x * 3
# %%
"""
BUILD = 'bj.build("case", double, sample=0)'
BAD_NAME = 'bj.build("Not A Name!", double, sample=0)'


@pytest.mark.parametrize(
    ("expect", "check", "because", "last", "outcome", "said"),
    [
        # 0 is the same doubled and tripled: only a check beyond the sample tells them apart.
        ("right", "triple(5)", "-", BUILD, "WRONG", "15"),
        ("refused", "double(5)", "-", BUILD, "unexpected", "has to be refused"),
        ("right", "double(5)", "-", BAD_NAME, "unexpected", "refused"),
        ("refused", "double(5)", "a word that is not said", BAD_NAME, "unexpected", "name"),
        ("refused", "double(5)", "-", "1 / 0", "crashed", "ZeroDivisionError"),
        ("right", "double(5)", "-", f"built = {BUILD}\ndouble = triple", "WRONG", "double"),
        ("right", "double(5)", "-", BUILD.replace(")", ", prove=False)"), "WRONG", "proof"),
        ("right", "double(5)", "-", f"built = {BUILD}\n%env A=1", "WRONG", "os.environ"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_called_wrong(
    expect: str, check: str, because: str, last: str, outcome: str, said: str, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(HEADER.format(expect=expect, check=check, because=because) + CELLS + last)
    found = run(read_case(path))
    assert found.outcome == outcome, found
    assert not found.good
    assert said in found.detail


FRAME = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})


@pytest.mark.parametrize(
    ("expected", "served"),
    [
        (1, 1.0),
        (1, True),
        (1.0, 1.0000001),
        (None, "None"),
        ([1, 2], [2, 1]),
        ([1, 2], (1, 2)),
        ({"a": 1}, {"a": 1, "b": 2}),
        (float("nan"), None),
        (np.array([1, 2]), [1, 2]),
        (np.array([1, 2], "int8"), np.array([1, 2])),
        (np.array([1.0], "float32"), np.array([1.0])),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0]])),
        (np.array(["a"]), np.array(["b"])),
        (np.array([1], "datetime64[s]"), np.array([2], "datetime64[s]")),
        (FRAME, FRAME[["b", "a"]]),
        (FRAME, FRAME.astype({"a": "int32"})),
        (FRAME, FRAME.set_index(pd.Index(["x", "y"]))),
        (FRAME, FRAME.to_dict("records")),
        (FRAME["a"], FRAME["a"].rename("c")),
        (judge.Stream(["a", "b"]), "ba"),
        (judge.Stream(["a", "b"]), "a"),
    ],
)
def test_the_judge_tells_answers_apart(expected: Any, served: Any) -> None:
    assert judge.difference(expected, expected) == ""
    assert judge.difference(expected, served) != ""
