"""Real estimators, a home and a BentoML store of their own for the tests of `capture/`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from bento_jupyter.home import Home


@pytest.fixture(scope="session")
def iris() -> tuple[np.ndarray, np.ndarray]:
    """Features and text labels."""
    data = load_iris()
    return data.data, data.target_names[data.target]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home, and a BentoML store, of this module alone."""
    root = tmp_path_factory.mktemp("capture")
    before = os.environ.get("BENTOML_HOME")
    os.environ["BENTOML_HOME"] = str(root / "bentoml")
    shared = Home(root / "home")
    shared.create()
    yield shared
    if before is None:
        del os.environ["BENTOML_HOME"]
    else:
        os.environ["BENTOML_HOME"] = before


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    """A frame with a column of each kind that JSON does not have."""
    rows = 12
    return pd.DataFrame(
        {
            "plan": pd.Categorical(["free", "paid", None] * 4, categories=["free", "paid", "trial"]),
            "size": pd.Categorical(["S", "M", "L"] * 4, categories=["S", "M", "L"], ordered=True),
            "mixed": pd.Series(["x", None, "z"] * 4, dtype=object),
            "city": ["Oslo", "Lima", "Rome"] * 4,
            "id": pd.array([2**60 + 1, None, 7] * 4, dtype="Int64"),
            "age": np.arange(rows, dtype="int32"),
            "big": np.array([2**53 + 1, -(2**62) - 1, 0] * 4, dtype="int64"),
            "score": np.array([0.1, np.nan, np.inf] * 4, dtype="float32"),
            "member": [True, False, True] * 4,
            "asked": pd.array([True, None, False] * 4, dtype="boolean"),
            "note": pd.array(["a", None, "b"] * 4, dtype="string"),
            "seen": pd.date_range("2024-01-01T00:00:00.123456789", periods=rows, freq="h"),
            "local": pd.date_range("2024-10-27", periods=rows, freq="h", tz="Europe/Berlin"),
            "took": pd.to_timedelta(np.arange(rows), unit="s"),
        }
    )


@pytest.fixture
def anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as working directory: nothing may come from, or go to, where the user is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
