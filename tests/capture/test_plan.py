"""The plan: what becomes an endpoint, what is refused and why; the object is left as it was."""

from __future__ import annotations

import pickle
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from bento_jupyter.capture import make_plan
from bento_jupyter.errors import BuildError, NotServableError, SampleError

Iris = tuple[np.ndarray, np.ndarray]


def names(plan: Any) -> list[str]:
    return [point.name for point in plan.endpoints]


def types_of(plan: Any) -> dict[str, Any]:
    return {point.name: (point.output["dtype"], point.output["shape"]) for point in plan.endpoints}


# ------------------------------------------------------------------------------------------- endpoints


def test_methods_present_become_endpoints(iris: Iris) -> None:
    x, y = iris
    plan = make_plan("iris", LogisticRegression(max_iter=500).fit(x, y), sample=x[:5])
    assert types_of(plan) == {
        "predict": ("str", [-1]),
        "predict_proba": ("float64", [-1, 3]),
        "predict_log_proba": ("float64", [-1, 3]),
        "decision_function": ("float64", [-1, 3]),
    }
    assert plan.endpoints[0].input == {"kind": "array", "dtype": "float64", "shape": [-1, 4]}
    assert plan.left_out == {}


def test_a_method_that_is_switched_off_is_left_out_with_the_reason(iris: Iris) -> None:
    x, y = iris
    plan = make_plan("iris", SVC().fit(x, y), sample=x[:5])
    assert names(plan) == ["predict", "decision_function"]
    assert "probability=False" in plan.left_out["predict_proba"]


def test_answers_may_be_lists_of_arrays(iris: Iris) -> None:
    x, y = iris
    forest = RandomForestClassifier(n_estimators=3, random_state=1)
    plan = make_plan("iris", forest.fit(x, np.c_[y == "setosa", y == "virginica"]), sample=x[:5])
    outputs = {point.name: point.output for point in plan.endpoints}
    assert outputs["predict"] == {"kind": "array", "dtype": "bool", "shape": [-1, 2]}
    assert outputs["predict_proba"] is not None
    assert outputs["predict_proba"]["kind"] == "list"


def test_transform_is_served_where_there_is_no_predict_or_when_asked_for(iris: Iris) -> None:
    x, _ = iris
    assert names(make_plan("pca", PCA(2).fit(x), sample=x[:5])) == ["score_samples", "transform"]
    means = KMeans(3, n_init=1).fit(x)
    assert names(make_plan("means", means, sample=x[:5])) == ["predict"]
    both = make_plan("means", means, sample=x[:5], endpoints=["predict", "transform"])
    assert types_of(both) == {"predict": ("int32", [-1]), "transform": ("float64", [-1, 3])}


def test_an_endpoint_that_cannot_be_made_is_refused_when_asked_for(iris: Iris) -> None:
    x, y = iris
    with pytest.raises(NotServableError, match="predict_proba"):
        make_plan("iris", SVC().fit(x, y), sample=x[:5], endpoints=["predict", "predict_proba"])


def test_a_method_that_changes_the_object_is_refused_unasked(iris: Iris) -> None:
    model = KMeans(3, n_init=1, random_state=0).fit(iris[0])
    before = model.cluster_centers_.copy()
    for method in ("fit", "fit_predict", "partial_fit", "set_params"):
        with pytest.raises(NotServableError, match="it changes the object") as caught:
            make_plan("groups", model, sample=iris[0][:5], endpoints=[method])
        assert "predict, transform" in caught.value.hint
    assert np.array_equal(model.cluster_centers_, before)


def test_one_endpoint_may_be_named_as_a_text_and_twice(iris: Iris) -> None:
    model = LogisticRegression(max_iter=500).fit(*iris)
    assert names(make_plan("iris", model, sample=iris[0][:5], endpoints="predict")) == ["predict"]
    assert names(make_plan("iris", model, sample=iris[0][:5], endpoints=["predict"] * 2)) == ["predict"]


def test_a_method_that_answers_by_chance_is_left_out(iris: Iris) -> None:
    x, y = iris
    plan = make_plan("chance", DummyClassifier(strategy="uniform").fit(x, y), sample=x[:60])
    assert "predict" not in names(plan)
    assert "answers otherwise the second time" in plan.left_out["predict"]


def test_outliers_and_multiple_outputs_are_served(iris: Iris) -> None:
    x, _ = iris
    outliers = make_plan("out", IsolationForest(n_estimators=5).fit(x), sample=x[:5])
    assert names(outliers) == ["predict", "decision_function", "score_samples"]
    forest = make_plan("two", RandomForestRegressor(n_estimators=3).fit(x, x[:, :2]), sample=x[:5])
    assert types_of(forest) == {"predict": ("float64", [-1, 2])}


# ---------------------------------------------------------------------------------------------- sample


def test_the_first_hundred_rows_become_the_proof(iris: Iris) -> None:
    x, y = iris
    plan = make_plan("iris", LogisticRegression(max_iter=500).fit(x, y), sample=x)
    whole, one, *_ = plan.endpoints[0].cases
    assert (whole.title, one.title) == ("100 rows", "one row")
    np.testing.assert_array_equal(whole.inputs["X"], x[:100])
    np.testing.assert_array_equal(one.inputs["X"], x[:1])
    assert len(plan.endpoints[0].expected) == 100


@pytest.mark.parametrize("kind", [list, pd.Series, lambda rows: np.array(rows, dtype=object)])
def test_texts_may_be_a_list_a_series_or_an_array(kind: Any) -> None:
    texts = ["good film", "bad film", "good", "bad one"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 1, 0])
    plan = make_plan("mood", model, sample=kind(texts[:3]))
    assert plan.endpoints[0].expected.tolist() == model.predict(texts[:3]).tolist()
    assert plan.endpoints[0].input["shape"] == [-1]


def test_missing_values_are_fine_where_the_estimator_takes_them(iris: Iris) -> None:
    x, y = iris
    holes = np.where(x > 5, np.nan, x)
    plan = make_plan("iris", HistGradientBoostingClassifier(max_iter=3).fit(x, y), sample=holes[:20])
    assert "predict" in names(plan)
    with pytest.raises(SampleError, match="NaN"):
        make_plan("iris", LogisticRegression(max_iter=500).fit(x, y), sample=holes[60:80])


def fitted(iris: Iris) -> LogisticRegression:
    return LogisticRegression(max_iter=500).fit(*iris)


def framed(iris: Iris) -> LogisticRegression:
    return LogisticRegression(max_iter=500).fit(pd.DataFrame(iris[0], columns=list("abcd")), iris[1])


@pytest.mark.parametrize(
    ("estimator", "sample", "words", "hint"),
    [
        (fitted, lambda x: None, "a sample is missing", "X_test[:5]"),
        (fitted, lambda x: x[:0], "no rows", "X_test[:5]"),
        (fitted, lambda x: x[:5, :3], "has 3 columns, the LogisticRegression was fitted on 4", ""),
        (fitted, lambda x: x[0], "Expected 2D array", "X_test[:5], not X_test[0]"),
        (fitted, lambda x: "X_test", "the sample is a str", "numpy array or a pandas DataFrame"),
        (fitted, lambda x: x[:3] + 1j, "complex128", ""),
        (fitted, lambda x: [{"a": 1}], "list of records", "pd.DataFrame(sample)"),
        (fitted, lambda x: [[1, 2], [3]], "differ in length", ""),
        (
            framed,
            lambda x: pd.DataFrame(x[:3], columns=list("abcx")),
            "lacks 'd' and has 'x'",
            "'a', 'b', 'c', 'd'",
        ),
        (
            framed,
            lambda x: pd.DataFrame(x[:3], columns=list("abdc")),
            "in another order",
            "",
        ),
    ],
)
def test_a_sample_that_does_not_fit_is_refused(
    iris: Iris, estimator: Any, sample: Any, words: str, hint: str
) -> None:
    with pytest.raises(SampleError) as caught:
        make_plan("iris", estimator(iris), sample=sample(iris[0]))
    assert words in caught.value.message
    assert hint in caught.value.hint


# --------------------------------------------------------------------------------------------- refusals


def from_notebook(source: str) -> Any:
    """What a cell of a notebook defines: its module is `__main__`."""
    space: dict[str, Any] = {
        "__name__": "__main__",
        "BaseEstimator": BaseEstimator,
        "TransformerMixin": TransformerMixin,
    }
    exec(source, space)
    return space["thing"]


def with_step(x: Any, y: Any, step: Any) -> Pipeline:
    return Pipeline(
        [("scale", StandardScaler()), ("clip", step), ("model", LogisticRegression(max_iter=500))]
    ).fit(x, y)


@pytest.mark.parametrize(
    ("obj", "words", "hint"),
    [
        (lambda x, y: {}, "a dict has no method that could be called", "a fitted model, a function"),
        (lambda x, y: LogisticRegression, "is a class", "LogisticRegression().fit(X, y)"),
        (lambda x, y: LogisticRegression(), "is not fitted", "call .fit(X, y) first"),
        (lambda x, y: make_pipeline(StandardScaler(), LogisticRegression()), "is not fitted", "call .fit"),
        (lambda x, y: DBSCAN().fit(x), "the DBSCAN has nothing to serve", "DBSCAN"),
        (
            lambda x, y: with_step(x, y, FunctionTransformer(from_notebook("def thing(x): return x"))),
            "function 'thing' has no source that could go along",
            "cell",
        ),
        (
            lambda x, y: with_step(
                x, y,
                from_notebook(
                    "class Clip(TransformerMixin, BaseEstimator):\n"
                    "    def fit(self, X, y=None): return self\n"
                    "    def transform(self, X): return X\n"
                    "    def __sklearn_is_fitted__(self): return True\n"
                    "thing = Clip()"
                ),
            ),
            "class 'Clip' has no source that could go along",
            "cell",
        ),
        (
            lambda x, y: with_step(x, y, FunctionTransformer(inv_kw_args={"l": threading.Lock()})),
            "it holds a lock (step 'clip' of the Pipeline",
            "make it where it is used",
        ),
    ],
)  # fmt: skip
def test_an_object_that_cannot_be_served_is_refused(
    iris: Iris, anywhere: Path, obj: Any, words: str, hint: str
) -> None:
    x, y = iris
    with pytest.raises(NotServableError) as caught:
        make_plan("iris", obj(x, y), sample=x[:5])
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert list(anywhere.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "better"),
    [("My Model", "my-model"), ("", "iris"), ("a" * 70, "a" * 63), ("x.y", "x-y"), ("-x", "x")],
)
def test_a_name_that_is_not_allowed_is_refused_with_one_that_is(iris: Iris, name: str, better: str) -> None:
    with pytest.raises(BuildError, match="is no name") as caught:
        make_plan(name, fitted(iris), sample=iris[0][:5])
    assert caught.value.hint == f"e.g. {better}"


# -------------------------------------------------------------------------------------- the live object


def state(obj: Any) -> bytes:
    """Everything in an object, as bytes."""
    return pickle.dumps(obj, protocol=5)


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: LogisticRegression(max_iter=500).fit(x, y),
        lambda x, y: RandomForestClassifier(n_estimators=5, random_state=0).fit(x, y),
        lambda x, y: make_pipeline(StandardScaler(), SVC()).fit(x, y),
        lambda x, y: GridSearchCV(LogisticRegression(max_iter=500), {"C": [1, 2]}).fit(x, y),
        lambda x, y: KMeans(3, n_init=1).fit(x),
    ],
)
def test_the_live_object_and_the_sample_are_left_as_they_were(iris: Iris, make: Any) -> None:
    x, y = iris
    model, sample = make(x, y), x[:5].copy()
    before, main = state(model), dict(vars(sys.modules["__main__"]))
    make_plan("iris", model, sample=sample)
    assert state(model) == before
    assert vars(sys.modules["__main__"]) == main
    np.testing.assert_array_equal(sample, x[:5])


def test_the_same_object_comes_to_the_same_content(iris: Iris) -> None:
    x, y = iris
    for model in (fitted(iris), RandomForestClassifier(n_estimators=5).fit(x, y)):
        first, second = (make_plan("iris", model, sample=x[:5]).objects for _ in range(2))
        assert first.digest == second.digest


def test_neighbours_whose_trees_count_their_queries_can_be_planned(iris: Iris) -> None:
    x, y = iris
    model = KNeighborsClassifier(algorithm="kd_tree").fit(x, y)
    assert "predict" in names(make_plan("near", model, sample=x[:5]))


# ---------------------------------------------------------------------------------------- requirements


def test_requirements_are_the_few_that_the_object_and_its_sample_need(
    iris: Iris, people: pd.DataFrame
) -> None:
    from importlib.metadata import version

    x, y = iris
    plan = make_plan("iris", fitted(iris), sample=x[:5])
    found = [item.name for item in plan.requirements]
    assert found == ["bentoml", "joblib", "numpy", "pyarrow", "scikit-learn"]
    assert {item.name: item.version for item in plan.requirements}["scikit-learn"] == version("scikit-learn")
    assert "sklearn.linear_model" in {item.name: item.why for item in plan.requirements}["scikit-learn"]
    frame = pd.DataFrame(x, columns=list("abcd"))
    with_frame = make_plan("iris", LogisticRegression(max_iter=500).fit(frame, y), sample=frame[:5])
    assert "pandas" in [item.name for item in with_frame.requirements]


def test_the_lock_is_closed_and_pinned(iris: Iris) -> None:
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    plan = make_plan("iris", fitted(iris), sample=iris[0][:5])
    pins = dict(line.split("==") for line in plan.lock)
    names = {canonicalize_name(name) for name in pins}
    assert pins["scikit-learn"] == version("scikit-learn")
    for name in pins:
        for line in requires(name) or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
                assert canonicalize_name(wanted.name) in names
    assert not {"jupyterlab", "pytest", "bento-jupyter", "pandas"} & set(pins)


def test_a_namespace_package_belongs_to_the_distribution_that_has_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bento_jupyter.capture.packages.distributions import Distributions

    for part in ("one", "two"):
        info = tmp_path / f"space_{part}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: space-{part}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"space/{part}/__init__.py,,\n")
        (info / "top_level.txt").write_text("space\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    installed = Distributions()
    assert installed.origin("space.one") == "space-one"
    assert installed.origin("space.two.deep") in ("space-two", "space-one")
    assert installed.origin("space.two") == "space-two"
    assert installed.origin("json.decoder") == ""
    assert installed.origin("nowhere") is None


def test_columns_that_a_column_transformer_does_without_may_be_missing(iris: Iris) -> None:
    x, y = iris
    frame = pd.DataFrame(x, columns=list("abcd"))
    model = make_pipeline(ColumnTransformer([("keep", "passthrough", ["a", "b"])]), LogisticRegression()).fit(
        frame, y
    )
    plan = make_plan("iris", model, sample=frame[["b", "a"]][:5])
    assert plan.endpoints[0].expected.tolist() == model.predict(frame[:5]).tolist()
