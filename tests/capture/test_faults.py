"""A mutation check of the proof: Bentos that were right are broken on purpose; every fault has to be caught.

Each fault is made in a copy of a Bento that was built from objects of a notebook and proven. What is visible
in plain JSON has to be caught by the project's own `test_parity.py`, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pytest
from tcp_relay import on_tcp

from bento_jupyter.capture import Plan, build_project, make_plan, prove
from bento_jupyter.capture.project.build import model_folders
from bento_jupyter.capture.proof.proving import identify
from bento_jupyter.capture.proof.stage import Stage, environment_of, running
from bento_jupyter.errors import BentoJupyterError
from bento_jupyter.home import Home

HELPERS = "def rounded(values):\n    return values.round(9)\n"
#: The cells of the notebook.
CELLS = [
    """
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from faults_helpers import rounded
""",
    """
THRESHOLD = 0.25
FACTORS = {"free": 1.0, "paid": 2.5, "trial": 0.5}


def scale(age):
    # between 0 and 1
    return (age - 18) / 62.0
""",
    """
def report(X):
    if X["weight"].isna().iloc[0]:
        raise ValueError("the first weight is missing")
    ratio = rounded(scale(X["age"]) * X["plan"].map(FACTORS).astype("float64"))
    return pd.DataFrame(
        {
            "age": X["age"],
            "ratio": ratio,
            "weight": X["weight"],
            "small": ratio.astype("float32"),
            "above": ratio > THRESHOLD,
            "plan": X["plan"],
            "city": X["city"],
            "note": X["note"],
            "seen": X["seen"],
        },
        index=X.index,
    )
""",
    """
def judge(age: int, plan: str) -> dict:
    score = scale(age) * FACTORS[plan]
    answer = {"label": "high" if score > THRESHOLD else "low", "score": score, "above": score > THRESHOLD}
    answer["why"] = {"age": age, "factor": FACTORS[plan]}
    answer["previous"] = None
    return answer
""",
    """
rows = 60
people = pd.DataFrame(
    {
        "age": np.arange(20, 20 + rows),
        "weight": np.where(np.arange(rows) % 7 == 3, np.nan, np.linspace(50, 99, rows)),
        "plan": pd.Categorical(["free", "paid", "trial"] * (rows // 3), categories=["trial", "free", "paid"]),
        "city": ["Oslo", "Lima", "Rome", "Bern"] * (rows // 4),
        "note": pd.Series(["x", None, "z"] * (rows // 3), dtype=object),
        "seen": pd.date_range("2024-03-30", periods=rows, freq="h", tz="Europe/Oslo"),
    },
    index=pd.Index([f"p{i}" for i in range(rows)], name="id"),
)
risk = np.array(["high", "low", "middle"])[(people["age"].to_numpy() * 7 % 3)]
columns = ColumnTransformer(
    [("plan", OneHotEncoder(), ["plan"]), ("age", FunctionTransformer(scale), ["age"])]
)
model = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(people, risk)
""",
    """
from lightgbm import LGBMClassifier

boosted = LGBMClassifier(n_estimators=5, min_child_samples=2, verbose=-1)
boosted.fit(people[["age"]].to_numpy(dtype="float64"), risk)
""",
]


@dataclass
class Copy:
    """A copy of a Bento, to be broken."""

    path: Path

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text of a file; it has to be there."""
        target = self.path / "src" / file
        text = target.read_text()
        assert old in text, f"{file} has no {old!r}"
        target.write_text(text.replace(old, new))

    def edit_json(self, file: str, edit: Callable[[Any], None]) -> None:
        target = self.path / "src" / file
        content = json.loads(target.read_text())
        before = json.dumps(content)
        edit(content)
        assert json.dumps(content) != before
        target.write_text(json.dumps(content))

    def model_file(self) -> Path:
        (file,) = (path for path in (self.path / "models").rglob("*.joblib") if path.is_file())
        return file

    def change_model(self, change: Callable[[Any], Any]) -> None:
        """Change the saved model; it refers to the code of the notebook that is in the Bento."""
        sys.path.insert(0, str(self.path / "src"))
        try:
            joblib.dump(change(joblib.load(self.model_file())), self.model_file())
        finally:
            sys.path.remove(str(self.path / "src"))
            sys.modules.pop("notebook_code", None)


Break = Callable[[Copy], None]


@dataclass(frozen=True)
class Fault:
    """Something broken.

    Attributes:
        bento: Which Bento: report, judge, model or boosted.
        make: Breaks a copy of it.
        words: What the proof says among other things.
        wire: Seen by a client of the running service, too.
        parity: Seen in plain JSON.
    """

    bento: str
    make: Break
    words: str
    wire: bool = True
    parity: bool = True


FAULTS: dict[str, Fault] = {}


def fault(
    name: str, bento: str, words: str, *, wire: bool = True, parity: bool = True
) -> Callable[[Break], Break]:
    def add(make: Break) -> Break:
        FAULTS[name] = Fault(bento, make, words, wire, parity and wire)
        return make

    return add


#: Faults in the code of the notebook that was shipped: Bento, what is replaced, by what, what the proof says.
RETURN, INDEX = "    return answer", "index=X.index,\n    )"
EDITS = {
    # values, dtypes, labels
    "a stale function": ("report", "/ 62.0", "/ 60.0", "column 'ratio'"),
    "another threshold": ("report", "THRESHOLD = 0.25", "THRESHOLD = 0.5", "column 'above'"),
    "another factor": ("judge", '"paid": 2.5', '"paid": 2.25', "expected"),
    "int32 instead of int64": (
        "report", '"age": X["age"]', '"age": X["age"].astype("int32")', "dtype int64 expected, int32 served"
    ),
    "float64 instead of float32": (
        "report", 'ratio.astype("float32")', "ratio", "dtype float32 expected, float64 served"
    ),
    "true as 1": (
        "report", "ratio > THRESHOLD", "(ratio > THRESHOLD) * 1", "dtype bool expected, int64 served"
    ),
    "true as 1 in a field": (
        "judge", '"above": score > THRESHOLD', '"above": int(score > THRESHOLD)', "at above"
    ),
    "rounded to 6 digits": (
        "report", "ratio = rounded(", "ratio = (lambda x: rounded(x.round(6)))(", "'ratio'"
    ),
    "NaN as 0": (
        "report", '"weight": X["weight"]', '"weight": X["weight"].fillna(0)', "'weight': nan expected, 0.0"
    ),
    "None as NaN": ("report", '"note": X["note"]', '"note": X["note"].fillna(np.nan)', "'note'"),
    "None as a text": (
        "judge", '"previous"] = None', '"previous"] = "None"', "at previous: None expected, 'None'"
    ),
    "objects instead of text": (
        "report", '"city": X["city"]', '"city": X["city"].astype(object)', "dtype str expected, object served"
    ),
    "a category lost": (
        "report", '"plan": X["plan"]', '"plan": X["plan"].cat.remove_categories(["paid"])', "column 'plan'"
    ),
    "a category as text": (
        "report", '"plan": X["plan"]', '"plan": X["plan"].astype(str)', "dtype category expected, str served"
    ),
    "the zone lost": (
        "report", '"seen": X["seen"]', '"seen": X["seen"].dt.tz_localize(None)', "'seen': dtype"
    ),
    "another zone": (
        "report", '"seen": X["seen"]', '"seen": X["seen"].dt.tz_convert("UTC")', "'seen': dtype"
    ),
    "another unit of time": (
        "report", '"seen": X["seen"]', '"seen": X["seen"].dt.as_unit("ms")', "'seen': dtype"
    ),
    # rows, columns, fields
    "columns in another order": ("report", INDEX, f"{INDEX}.iloc[:, ::-1]", "columns ['age', 'ratio'"),
    "two columns swapped": ("report", 'X["weight"],\n', "ratio,\n", "column 'weight'"),
    "a column renamed": ("report", '"city": X["city"]', '"town": X["city"]', "columns ['age', 'ratio'"),
    "the index lost": ("report", INDEX, f"{INDEX}.reset_index(drop=True)", "index"),
    "off by one row": ("report", '"age": X["age"]', '"age": X["age"].shift(1, fill_value=0)', "column 'age'"),
    "rows in another order": (
        "report", INDEX, f"{INDEX}.iloc[::-1]", "index, row 0: 'p0' expected, 'p11' served"
    ),
    "the last row dropped": ("report", INDEX, f"{INDEX}.iloc[:-1]", "12 rows expected, 11 served"),
    "a batch cut to one row": (
        "report", "    ratio = ", "    X = X.iloc[:1]\n    ratio = ", "12 rows expected, 1 served"
    ),
    "a field too many": (
        "judge", RETURN, f'    answer["more"] = 1\n{RETURN}', "field 'more' served, not expected"
    ),
    "a field missing": (
        "judge", RETURN, f'    del answer["previous"]\n{RETURN}', "field 'previous' expected, not there"
    ),
    "a list instead of a dict": (
        "judge", '{"age": age, "factor": FACTORS[plan]}', "[age, FACTORS[plan]]", "at why: dict expected, "
    ),
    # state and errors
    "an answer that remembers": (
        "judge", '"factor": FACTORS[plan]}', '"factor": FACTORS.setdefault(age, FACTORS.pop(plan))}',
        "answers otherwise the second time",
    ),
    "an error swallowed": (
        "report", 'raise ValueError("the first weight is missing")', "pass",
        "a number missing: the notebook raised ValueError: the first weight is missing, ",
    ),
    "an error as a crash": (
        "report", "raise ValueError(", "raise RuntimeError(", "RuntimeError: the first weight is missing"
    ),
    "an error's text as the answer": (
        "judge", RETURN, '    return "KeyError: 0"', "dict expected, 'KeyError: 0' served"
    ),
    "a helper missing": (
        "report", "def scale(age):", "def other(age):", "NameError: name 'scale' is not defined"
    ),
}  # fmt: skip
#: The same, of what is only where the notebook is: a deployment on this machine would not notice.
HIDDEN = {
    "a file of the notebook's folder": (f'    open("score.txt").read()\n{RETURN}', "FileNotFoundError"),
    "a file of the notebook's folder by its whole path": (
        f"    open(FOLDER + '/score.txt').read()\n{RETURN}", "[Errno 2] it is not in the Bento"
    ),
    "a variable of the kernel's environment": (
        f'    __import__("os").environ["FAULTS_OF_THE_KERNEL"]\n{RETURN}', "--env FAULTS_OF_THE_KERNEL=..."
    ),
    "a module of the notebook's folder": (
        f"    import faults_only_here\n{RETURN}", "No module named 'faults_only_here'"
    ),
}  # fmt: skip


def edited(old: str, new: str) -> Break:
    return lambda copy: copy.replace("notebook_code.py", old, new.replace("FOLDER", repr(str(Path.cwd()))))


FAULTS |= {name: Fault(bento, edited(old, new), words) for name, (bento, old, new, words) in EDITS.items()}
FAULTS |= {
    name: Fault("judge", edited(RETURN, new), words, wire=False, parity=False)
    for name, (new, words) in HIDDEN.items()
}


@fault("categories in another order", "report", "categories ['trial', 'free', 'paid'] expected", parity=False)
def _categories(copy: Copy) -> None:
    # In plain JSON categories are the schema's, so that only who asks for Arrow gets others.
    copy.replace(
        "notebook_code.py",
        '"plan": X["plan"]',
        '"plan": X["plan"].cat.reorder_categories(["paid", "free", "trial"])',
    )


@fault("a label dropped", "model", "dtype str expected, int64 served")
def _labels(copy: Copy) -> None:
    def change(model: Any) -> Any:
        import numpy as np

        model[-1].classes_ = np.arange(3)
        return model

    copy.change_model(change)


@fault("another model", "model", "/predict_proba")
def _other_model(copy: Copy) -> None:
    def change(model: Any) -> Any:
        model[-1].coef_ = model[-1].coef_ * (1 + 1e-7)
        return model

    copy.change_model(change)


@fault("the wrapper dropped", "boosted", "/predict, ")
def _booster(copy: Copy) -> None:
    copy.change_model(lambda model: model.booster_)


@fault("float32 instead of float64", "model", "dtype float64 expected, float32 served")
def _float32(copy: Copy) -> None:
    copy.replace("service.py", "model.predict_proba(X)", 'model.predict_proba(X).astype("float32")')


@fault("two endpoints swapped", "model", "/predict, ")
def _swapped(copy: Copy) -> None:
    copy.replace("service.py", "model.predict(X)", "model.predict_swapped(X)")
    copy.replace("service.py", "model.predict_log_proba(X)", "model.predict(X)")
    copy.replace("service.py", "model.predict_swapped(X)", "model.predict_log_proba(X)")


@fault("an input read as float32", "report", "column 'weight': dtype float64 expected, float32 served")
def _narrow_input(copy: Copy) -> None:
    def edit(content: Any) -> None:
        columns = content["endpoints"]["report"]["inputs"]["X"]["columns"]
        next(column for column in columns if column["name"] == "weight")["dtype"] = "float32"

    copy.edit_json("endpoints.json", edit)


# --- what is not there elsewhere
@fault("a helper's module missing", "report", "does not start", wire=False)
def _helper(copy: Copy) -> None:
    (copy.path / "src" / "faults_helpers.py").unlink()


@fault("a file of the model missing", "model", "does not start", wire=False)
def _model_file(copy: Copy) -> None:
    copy.model_file().unlink()


@fault("a requirement missing", "model", "No module named 'sklearn'", wire=False)
def _requirement(copy: Copy) -> None:
    lock = copy.path / "env" / "python" / "requirements.txt"
    lines = lock.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("scikit-learn==", "lightgbm=="))]
    assert len(kept) < len(lines)
    lock.write_text("".join(kept))


# ------------------------------------------------------------------------------------ the Bentos


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The notebook's folder: working directory and on the path of the kernel."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "faults_helpers.py").write_text(HELPERS)
    (folder / "faults_only_here.py").write_text("")
    (folder / "score.txt").write_text("0.5")
    before = Path.cwd()
    os.chdir(folder)
    os.environ["FAULTS_OF_THE_KERNEL"] = "here"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    del os.environ["FAULTS_OF_THE_KERNEL"]
    os.chdir(before)


@pytest.fixture(scope="module")
def names(folder: Path) -> Iterator[dict[str, Any]]:
    """What the notebook's names are bound to after its cells ran."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    for cell in CELLS:
        shell.run_cell(cell, store_history=True).raise_error()
    yield shell.user_ns
    InteractiveShell.clear_instance()


@pytest.fixture(scope="module")
def bentos(names: dict[str, Any], home: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Bentos as they were built, each with its models."""
    people = names["people"]
    samples: dict[str, Any] = {
        "report": people[:12],
        "judge": {"age": 41, "plan": "paid"},
        "model": people[:9],
        "boosted": people[["age"]].to_numpy(dtype="float64")[:6],
    }
    plans: dict[str, Plan] = {
        name: make_plan(f"faults-{name}", names[name], sample=sample, label=name, names=names)
        for name, sample in samples.items()
    }
    root = tmp_path_factory.mktemp("bentos")

    def made(name: str) -> Path:
        built = build_project(plans[name], home)
        copy = root / name
        shutil.copytree(built.path, copy)
        for model in model_folders(built.path):
            shutil.copytree(model, copy / "models" / model.parent.name / model.name)
        return copy

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(plans, pool.map(made, plans), strict=True))


@dataclass
class Found:
    """What became of a broken Bento.

    Attributes:
        by_proof: What the proof said; "" = it noticed nothing.
        by_parity: What `test_parity.py` said; "" = it noticed nothing, None = it was not asked.
    """

    by_proof: str = ""
    by_parity: str | None = None


def found_in(bento: Path, home: Home, *, wire: bool) -> Found:
    """Prove a Bento; over HTTP as well when it runs."""
    if not wire:
        try:
            prove(bento, home=home)
        except BentoJupyterError as error:
            return Found(f"{error.message} {error.hint} {getattr(error, 'log', '')}")
        return Found()
    found = Found()
    requirements = (bento / "env" / "python" / "requirements.txt").read_text()
    environment = environment_of(requirements, identify(bento)[1], bento / "src", home)
    with closing(Stage(environment, home)) as stage, running(bento, stage), on_tcp(stage.socket) as url:
        proof = prove(bento, home=home, url=url, allow_different=True)
        log = stage.log.read_text()
        found.by_proof = "" if proof.equal else "; ".join(proof.differences) + log
        done = subprocess.run(
            [sys.executable, "-I", str(bento / "src" / "test_parity.py"), url],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        found.by_parity = "" if done.returncode == 0 else done.stderr
    return found


@pytest.fixture(scope="module")
def outcomes(
    bentos: dict[str, Path],
    home: Home,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> dict[str, Found]:
    """What became of every Bento: those as they were built, and each broken one."""
    root = tmp_path_factory.mktemp("broken")

    def broken(name: str) -> Found:
        case = FAULTS[name]
        copy = Copy(root / name.replace(" ", "-"))
        shutil.copytree(bentos[case.bento], copy.path)
        case.make(copy)
        return found_in(copy.path, home, wire=case.wire)

    chosen = [item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")]
    every = any(item.name == "test_the_table_of_faults" for item in request.session.items)
    names = [name for name in FAULTS if every or name in chosen]
    with ThreadPoolExecutor(2) as pool:
        whole = pool.map(lambda name: found_in(bentos[name], home, wire=True), bentos)
        return dict(zip(bentos, whole, strict=True)) | dict(zip(names, pool.map(broken, names), strict=True))


@pytest.mark.parametrize("bento", ["report", "judge", "model", "boosted"])
def test_what_is_not_broken_is_proven(outcomes: dict[str, Found], bento: str) -> None:
    assert outcomes[bento] == Found("", "")


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught(outcomes: dict[str, Found], name: str) -> None:
    found, case = outcomes[name], FAULTS[name]
    assert found.by_proof, "the proof noticed nothing"
    assert case.words in found.by_proof
    if case.parity:
        assert found.by_parity, "test_parity.py noticed nothing"
        assert "different: /" in found.by_parity


def test_the_table_of_faults(outcomes: dict[str, Found]) -> None:
    lines = ["| fault | Bento | proof | test_parity.py |", "|---|---|---|---|"]
    for name, case in FAULTS.items():
        found = outcomes[name]
        parity = "caught" if found.by_parity else "MISSED" if case.parity else "-"
        lines.append(f"| {name} | {case.bento} | {'caught' if found.by_proof else 'MISSED'} | {parity} |")
    print("\n" + "\n".join(lines))
    target = Path(__file__).parents[2] / "build" / "faults.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n")
    assert len(FAULTS) >= 24
    assert not [line for line in lines if "MISSED" in line]
