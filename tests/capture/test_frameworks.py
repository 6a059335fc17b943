"""Saving objects of a notebook: estimators, arrays, frames, instances; the registry; what is refused."""

from __future__ import annotations

import pickle
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from round_trips import Notebook, same

from bento_jupyter.capture.frameworks import (
    FRAMEWORKS,
    Framework,
    ask,
    framework_of,
    is_a,
    pickled,
    register,
    saved,
)
from bento_jupyter.capture.parts import Home, Loader, Method, Refer, Saved
from bento_jupyter.errors import NotServableError

ESTIMATORS = """
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

TOP = 1.5

class Clip(TransformerMixin, BaseEstimator):
    def __init__(self, top=TOP):
        self.top = top
    def fit(self, X, y=None):
        return self
    def transform(self, X):
        return np.clip(X, -self.top, self.top)

def doubled(x):
    return 2 * x + TOP

def distance(a, b):
    return float(np.abs(a - b).max())

def accuracy(model, X, y):
    return float((model.predict(X) == y).mean())
"""
ROWS = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.array(["high", "low", "mid"])[np.arange(60) % 3]


def library_only(item: Any, why: str) -> Home:
    """Where code is when all of it is a library's."""
    assert item.__module__ != "__main__", item
    return Home(item.__module__, item.__qualname__, library=True)


def refusal(notebook: Notebook, value: Any, name: str = "thing") -> NotServableError:
    with pytest.raises(NotServableError) as caught:
        framework_of(value).save(value, notebook.folder, name, notebook.code.refer)
    assert not [file for file in notebook.folder.iterdir() if file.name.startswith(name)], (
        "half a file is left"
    )
    return caught.value


def holding(notebook: Notebook, value: Any) -> Any:
    """An instance of a class of the notebook that holds a value."""
    notebook.run("class Holder:\n    def part(self, name):\n        return self.parts[name]")
    holder = notebook.names["Holder"]()
    holder.parts = {"x": [1, value]}
    return holder


# Estimators


def test_estimators_with_code_of_the_notebook_answer_the_same_elsewhere(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path, ESTIMATORS)
    names = notebook.names
    names |= {"X": ROWS, "y": LABELS}
    notebook.run("""
        clf = make_pipeline(
            Clip(), FunctionTransformer(doubled), FunctionTransformer(lambda x: x - 1), LogisticRegression()
        ).fit(X, y)
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, scoring=accuracy, cv=2).fit(X, y)
        near = KNeighborsClassifier(3, metric=distance, algorithm="brute").fit(X, y)
        scale = make_pipeline(Clip(top=1.0), StandardScaler()).fit(X)
        """)
    notebook.ask({
        "clf": {"predict": {"X": ROWS}, "predict_proba": {"X": ROWS}, "decision_function": {"X": ROWS[:1]}},
        "search": {"predict": {"X": ROWS}},
        "near": {"predict_proba": {"X": ROWS}},
        "scale": {"transform": {"X": ROWS}},
    })  # fmt: skip
    assert [name for name in sys.modules if name.startswith("notebook_code")] == []
    assert names["Clip"].__module__ == "__main__"


def test_frames_and_text_go_through_estimators_elsewhere(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path, ESTIMATORS)
    frame = pd.DataFrame({"city": ["Oslo", "Lima", "Rome"] * 4, "age": np.arange(12.0)})
    notebook.names |= {"frame": frame, "texts": ["good film", "bad film", "very bad"], "y": [1, 0, 0]}
    notebook.run("""
        prepare = ColumnTransformer([("city", OneHotEncoder(), ["city"]), ("age", "passthrough", ["age"])])
        clf = make_pipeline(prepare, LogisticRegression()).fit(frame, frame.age > 5)
        words = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, y)
        """)
    notebook.ask({
        "clf": {"predict": {"X": frame}, "predict_proba": {"X": frame}},
        "words": {"predict_proba": {"X": ["good bad film"]}},
    })  # fmt: skip


def test_imbalanced_learn_and_category_encoders_have_the_interface(tmp_path: Path) -> None:
    pytest.importorskip("imblearn", reason="imbalanced-learn is not installed")
    encoders = pytest.importorskip("category_encoders", reason="category_encoders is not installed")
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline
    from sklearn.linear_model import LogisticRegression

    frame = pd.DataFrame({"city": ["Oslo", "Lima", "Rome", "Oslo"] * 5, "age": np.arange(20.0)})
    target = np.array(["yes", "no", "no", "no"] * 5)
    notebook = Notebook(tmp_path)
    notebook.names |= {
        "clf": make_pipeline(
            encoders.TargetEncoder(cols=["city"]), RandomOverSampler(random_state=0), LogisticRegression()
        ).fit(frame, (target == "yes").astype(int)),
        "encode": encoders.OrdinalEncoder(cols=["city"]).fit(frame),
    }
    notebook.ask({"clf": {"predict": {"X": frame}}, "encode": {"transform": {"X": frame}}})
    assert "category_encoders.ordinal" in notebook.saved["encode"].modules


def test_what_an_estimator_can_be_asked_depends_on_how_it_is_set_up() -> None:
    from sklearn.cluster import DBSCAN
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    names = [method.name for method in framework_of(SVC()).methods(SVC().fit(ROWS, LABELS))]
    assert names == ["predict", "decision_function"]
    with pytest.raises(NotServableError, match="not fitted"):
        framework_of(SVC()).check(LogisticRegression())
    with pytest.raises(NotServableError, match="nothing to serve"):
        framework_of(DBSCAN()).check(DBSCAN().fit(ROWS))


def test_the_modules_of_libraries_are_the_evidence_and_those_of_the_project_are_not(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path, ESTIMATORS)
    notebook.names |= {"X": ROWS, "y": LABELS}
    notebook.run("clf = make_pipeline(Clip(), LogisticRegression()).fit(X, y)")
    modules = notebook.save("clf").modules
    assert modules["sklearn.linear_model._logistic"] == {"LogisticRegression"}
    assert "load" in modules["joblib"]
    assert not {"__main__", "notebook_code"} & modules.keys()


# Any other object


def test_objects_of_the_notebook_are_read_elsewhere(tmp_path: Path) -> None:
    notebook = Notebook(
        tmp_path,
        """
        import enum, functools, collections
        import numpy as np
        from dataclasses import dataclass, field

        class Color(enum.Enum):
            RED = 1

        Point = collections.namedtuple("Point", "x y")

        @dataclass
        class Box:
            color: Color
            corner: Point
            weights: np.ndarray
            tags: set = field(default_factory=set)
            def area(self, scale):
                return float(self.weights.sum() * scale)

        def power(base, exponent):
            return base ** exponent

        class Add:
            def __init__(self, n):
                self.n = n
            def __call__(self, x):
                return x + self.n
        """,
    )
    notebook.run("""
        box = Box(Color.RED, Point(1, 2), np.arange(3.0), {"a", "b"})
        parts = {
            "area": box.area, "box": box, "square": functools.partial(power, exponent=2), "add": Add(3),
            "count": collections.defaultdict(list, a=[1]), "log": np.log1p,
            "objects": np.array([Add(1), None]), "later": lambda x: x * 10, "module": np,
        }
        """)
    notebook.save("parts")
    notebook.elsewhere(
        "\n".join([
            *notebook.saved["parts"].loader.imports,
            f"parts = {notebook.saved['parts'].loader.expression}",
            "answers = [parts['area'](2), parts['square'](7), parts['add'](1), dict(parts['count']),",
            "    float(parts['log'](1.0)), parts['objects'][0](1), parts['later'](4), parts['box'].tags,",
            "    parts['box'].color.name, parts['box'].corner.y, parts['area'].__self__ is parts['box'],",
            "    type(parts['box']).__module__, parts['module'].__name__]",
        ]),
        {},
    )  # fmt: skip
    answers = pickle.loads((tmp_path / "answers.pkl").read_bytes())
    expected = [6.0, 49, 4, {"a": [1]}, float(np.log1p(1.0)), 2, 40, {"a", "b"}, "RED", 2, True]
    assert answers == [*expected, "notebook_code", "numpy"]


def test_nothing_of_the_kernel_is_changed_also_when_saving_fails(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path, ESTIMATORS)
    clip, modules = notebook.names["Clip"], set(sys.modules)
    value = holding(notebook, threading.Lock())
    value.clip = clip()
    before = {name: repr(item) for name, item in vars(value).items()}
    refusal(notebook, value)
    assert clip.__module__ == "__main__"
    assert {name: repr(item) for name, item in vars(value).items()} == before
    assert not {name for name in set(sys.modules) - modules if name.startswith("notebook")}


def test_objects_that_are_nested_deeply_are_saved(tmp_path: Path) -> None:
    limit = sys.getrecursionlimit()
    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    loader = pickled.save(deep, tmp_path, "deep", library_only).loader
    back = eval(loader.expression, {"pickle": pickle, "folder": tmp_path})
    depth = 0
    while back:
        back, depth = back[0], depth + 1
    assert depth == 900
    assert sys.getrecursionlimit() == limit


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner)
        | st.sets(st.integers() | st.text()) | st.frozensets(st.text()),
        max_leaves=20,
    )
)  # fmt: skip
def test_plain_values_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    folder = tmp_path_factory.mktemp("plain")
    loader = pickled.save(value, folder, "value", library_only).loader
    back = eval(loader.expression, {"pickle": pickle, "folder": folder})
    assert same(back, value)


def test_many_small_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = [np.zeros(size, dtype="u1") for size in (0, 0, 1, 1)] + [
        np.frombuffer(b"", "u1"),
        np.frombuffer(b"a", "u1"),
    ] * 2
    loader = pickled.save({"arrays": arrays}, tmp_path, "small", library_only).loader
    back = eval(loader.expression, {"pickle": pickle, "folder": tmp_path})["arrays"]
    assert [array.tolist() for array in back] == [array.tolist() for array in arrays]
    assert len({id(array) for array in back}) == len({id(array) for array in arrays})
    back[0], back[2][0] = 1, 7
    assert back[3].tolist() == [0]


def test_equal_objects_have_equal_bytes_however_their_texts_are_in_memory(tmp_path: Path) -> None:
    def build(separate: bool) -> Any:
        text = "a longer text " * 2
        other = "".join(list(text)) if separate else text
        return {"one": text, "two": other, "set": {"x", "y", "z", "w"}, "more": [text, other]}

    digests = {pickled.save(build(flag), tmp_path, "value", library_only).digest for flag in (True, False)}
    assert len(digests) == 1


def test_sets_of_texts_have_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from bento_jupyter.capture.frameworks import pickled\n"
        "value = {'a', 'b', 'c', 'dd', 'e', 1, None, ('x', 2), b'y'}, frozenset(['p', 'q', 'r', 's'])\n"
        "print(pickled.save(value, Path(sys.argv[1]), 'value', None).digest)"
    )
    import os
    import subprocess

    digests = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(digests) == 1


# Arrays and frames

ARRAYS = {
    "plain": np.arange(12.0).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12, dtype="int8").reshape(3, 4)),
    "strided": np.arange(12, dtype=">i4")[::3],
    "empty": np.zeros((0, 3), dtype="float16"),
    "scalar": np.array(3, dtype="uint64"),
    "text": np.array(["a", "bcd"]),
    "bytes": np.array([b"a", b"bcd"]),
    "time": np.array(["2024-01-01", "NaT"], dtype="datetime64[D]"),
    "records": np.array([(1, "x"), (2, "yy")], dtype=[("a", "i4"), ("b", "U3")]),
    "objects": np.array(["x", None, 1.5], dtype=object),
    "masked": np.ma.array([1, 2], mask=[True, False]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    value = ARRAYS[name]
    framework = framework_of(value)
    loader = framework.save(value, tmp_path, name, library_only).loader
    names: dict[str, Any] = {"folder": tmp_path}
    exec("\n".join(loader.imports), names)
    back = eval(loader.expression, names)
    assert type(back) is type(value)
    assert back.dtype == value.dtype
    assert back.tolist() == value.tolist()
    assert framework.name == ("pickle" if name in ("objects", "masked") else "numpy")


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_sparse_matrices_come_back_as_they_were(tmp_path: Path, form: str, kind: str) -> None:
    from scipy import sparse

    value = getattr(sparse, f"{form}_{kind}")(np.eye(3, dtype="float32") * 2)
    loader = framework_of(value).save(value, tmp_path, "value", library_only).loader
    names: dict[str, Any] = {"folder": tmp_path}
    exec("\n".join(loader.imports), names)
    back = eval(loader.expression, names)
    assert type(back) is type(value)
    assert back.dtype == value.dtype
    assert (back.toarray() == value.toarray()).all()


def test_frames_come_back_with_dtypes_categories_and_index(tmp_path: Path, people: pd.DataFrame) -> None:
    notebook = Notebook(tmp_path)
    people = people.set_index(pd.MultiIndex.from_arrays([people.index, people["city"]], names=["n", "c"]))
    notebook.names |= {
        "people": people,
        "row": people.iloc[0],
        "ages": people["age"],
        "days": people["seen"].array,
    }
    for name in ("people", "ages"):
        assert same(notebook.value_elsewhere(name), notebook.names[name])
    assert notebook.saved["people"].framework == "pickle"
    assert "pandas" in {module.partition(".")[0] for module in notebook.saved["people"].modules}


def test_polars_frames_come_back_with_their_types(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    from datetime import date, datetime, timezone

    frame = polars.DataFrame({
        "a": [1, None, 3], "b": ["x", None, "z"], "d": [date(2024, 1, 1)] * 3, "l": [[1, 2], None, []],
        "t": [datetime(2024, 1, 1, tzinfo=timezone.utc)] * 3, "s": [{"k": 1.5}] * 3,
    }).with_columns(
        c=polars.Series(["p", "q", "p"], dtype=polars.Categorical),
        e=polars.Series(["m", None, "n"], dtype=polars.Enum(["m", "n", "o"])),
        u=polars.Series([1, 2, None], dtype=polars.UInt8),
    )  # fmt: skip
    notebook = Notebook(tmp_path)
    notebook.names["frame"] = frame
    back = notebook.value_elsewhere("frame")
    assert back.schema == frame.schema
    assert back.equals(frame, null_equal=True)
    assert notebook.saved["frame"].files == ("frame.arrow",)


# What is refused


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: open("/dev/null"), "an open file"),  # noqa: SIM115
        (threading.Lock, "a lock"),
        (threading.Thread, "a thread"),
        (lambda: sqlite3.connect(":memory:"), "a database connection"),
        (lambda: (number for number in [1]), "a generator"),
        (lambda: sys.modules["__main__"], "the module"),
        (lambda: __import__("os").environ, "the environment variables of this machine"),
        (lambda: memoryview(b"x"), "a view into memory"),
    ],
)
def test_a_handle_is_refused_with_its_place(tmp_path: Path, make: Any, what: str) -> None:
    notebook = Notebook(tmp_path)
    handle = make()
    error = refusal(notebook, holding(notebook, handle))
    assert what in error.message
    assert "(its parts, key 'x', item 1)" in error.message
    assert "'thing'" in error.message
    assert error.hint
    if hasattr(handle, "close"):
        handle.close()


def test_a_handle_in_a_pipeline_is_refused_with_its_step(tmp_path: Path) -> None:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    value = Pipeline([("clip", FunctionTransformer(np.log1p, kw_args={"lock": threading.Lock()}))])
    error = refusal(Notebook(tmp_path), value, "clf")
    assert "it holds a lock (step 'clip' of the Pipeline, its kw_args, key 'lock')" in error.message


def test_an_object_that_is_a_handle_itself_is_refused(tmp_path: Path) -> None:
    error = refusal(Notebook(tmp_path), (number for number in [1]))
    assert error.message == "'thing' cannot be saved: it is a generator"


def test_an_object_whose_own_code_fails_is_refused_with_what_it_said(tmp_path: Path) -> None:
    notebook = Notebook(
        tmp_path, "class Broken:\n    def __reduce__(self):\n        raise ValueError('not today')"
    )
    error = refusal(notebook, holding(notebook, notebook.names["Broken"]()))
    assert "not today" in error.message
    assert "its parts, key 'x', item 1" in error.message


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("api_key", "live-4f9Qz81kXw"), ("password", "hunter2hunter2"), ("note", "token ghp_" + "a1B2" * 9)],
)
def test_a_secret_in_an_object_is_refused_with_the_way_to_mend_it(
    tmp_path: Path, attribute: str, value: str
) -> None:
    notebook = Notebook(tmp_path)
    holder = holding(notebook, None)
    client = notebook.names["Holder"]()
    holder.client = client
    setattr(client, attribute, value)
    error = refusal(notebook, holder)
    assert "looks like a secret" in error.message
    assert "its client" in error.message
    assert value not in error.message
    assert "os.environ" in error.hint


def test_what_only_sounds_like_a_secret_is_saved(tmp_path: Path) -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(token_pattern=r"(?u)\b\w\w+\b").fit(["a good film", "password reset key"])
    pickled.save(vectorizer, tmp_path, "words", library_only)
    settings = {"pad_token": "<pad>", "sort_key": "date", "sha": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"}
    pickled.save(settings, tmp_path, "settings", library_only)
    assert {file.name for file in tmp_path.iterdir()} == {"words.pkl", "settings.pkl"}


# The registry


class Shelf:
    """A library that nobody knows."""

    def __init__(self, items: list[str]) -> None:
        self.items = items

    def find(self, start: str) -> list[str]:
        return [item for item in self.items if item.startswith(start)]


class Shelves(Framework):
    name = "shelf"

    def applies(self, obj: Any) -> bool:
        return is_a(obj, f"{Shelf.__module__}.Shelf")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        (folder / f"{name}.txt").write_text("\n".join(obj.items))
        loader = Loader((), f'(folder / "{name}.txt").read_text().splitlines()')
        return saved(self.name, obj, folder, [f"{name}.txt"], loader, {"builtins": ["list"]})

    def methods(self, obj: Any) -> list[Method]:
        return [Method("find", ("start",), "found = model.find(start)\nreturn found")]


def test_users_add_frameworks_and_running_the_cell_again_replaces_them(tmp_path: Path) -> None:
    before = list(FRAMEWORKS)
    shelf = Shelf(["apple", "pear"])
    try:
        assert framework_of(shelf) is pickled
        register(Shelves())
        again = Shelves()
        register(again)
        assert framework_of(shelf) is again
        assert len(FRAMEWORKS) == len(before) + 1
        register(again, first=False)
        assert FRAMEWORKS[-1] is again
        written = again.save(shelf, tmp_path, "shelf", library_only)
        assert (written.framework, written.files, written.size) == ("shelf", ("shelf.txt",), 10)
        assert eval(written.loader.expression, {"folder": tmp_path}) == ["apple", "pear"]
        assert ask(again.methods(shelf)[0], shelf, {"start": "p"}) == ["pear"]
    finally:
        FRAMEWORKS[:] = before


def test_the_registry_is_public() -> None:
    import bento_jupyter.capture as capture

    assert capture.register is register
    assert capture.Framework is Framework


def test_frameworks_import_no_library_to_tell_whose_object_it_is() -> None:
    import subprocess

    program = (
        "import sys\n"
        "from bento_jupyter.capture.frameworks import framework_of\n"
        "assert framework_of({'a': 1}).name == framework_of(print).name == 'pickle'\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'torch', 'keras', 'transformers', 'spacy', 'joblib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
