"""From objects to a proven Bento: plan, build and proof against `bentoml build` of a hand-written project.

All of it in the same run, uv's cache warm. The object is the pipeline of the quickstart.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import by_hand

ROUNDS = 3

#: The cells of the quickstart before the first line of ours.
NOTEBOOK = """
import time
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

wine = load_wine(as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(wine.data, wine.target_names[wine.target], random_state=0)
clf = make_pipeline(StandardScaler(), LogisticRegression(C={c})).fit(X_train, y_train)
"""
#: Planned, built, and built and proven: three models, so that none of it is there already.
OURS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "bento_jupyter")
shell.run_cell('''{notebook}''').raise_error()
names = shell.user_ns
import time
from pathlib import Path
import bento_jupyter as bj
from bento_jupyter import workspace

def timed(what, run):
    begun = time.perf_counter()
    result = run()
    print("FIGURE", what, time.perf_counter() - begun, flush=True)
    return result

timed("plan", lambda: workspace.plan("wine", names["clf"], sample=names["X_test"]))
names["clf"] = names["clf"].set_params(logisticregression__C=2.0).fit(names["X_train"], names["y_train"])
timed("build", lambda: bj.build("wine", names["clf"], sample=names["X_test"], prove=False))
for what, c in (("prove", 3.0), ("again", 4.0)):
    names["clf"] = names["clf"].set_params(logisticregression__C=c).fit(names["X_train"], names["y_train"])
    built = timed(what, lambda: bj.build("wine", names["clf"], sample=names["X_test"]))
from bento_jupyter.home import Home
(environment,) = (path for path in Home.default().environments.iterdir() if (path / ".complete").is_file())
files = (at for at in environment.rglob("*") if at.is_file() and not at.is_symlink())
print("FIGURE size", sum(at.stat().st_size for at in files))
"""


def figures(code: str, environment: dict[str, str], cwd: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    words = (line.split() for line in done.stdout.splitlines() if line.startswith("FIGURE"))
    return {name: float(value) for _, name, value in words}


def bench_capture(record: Callable[..., None], tmp_path: Path) -> None:
    ours: list[dict[str, float]] = []
    hand: list[float] = []
    # A round that does not count fills uv's cache, and writes the bytecode of what is imported.
    for count in range(-1, ROUNDS):
        folder = tmp_path / f"round{count}"
        (folder / "bentoml").mkdir(parents=True)
        environment = {
            **os.environ,
            "BENTO_JUPYTER_HOME": str(folder / "home"),
            "BENTOML_HOME": str(folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        found = figures(OURS.format(notebook=NOTEBOOK.format(c=1.0)), environment, folder)
        save = NOTEBOOK.format(c=1.0) + (
            "begun = time.perf_counter()\nimport bentoml\nbentoml.sklearn.save_model('by_hand', clf)\n"
            "print('FIGURE save', time.perf_counter() - begun)"
        )
        figures(save, environment, folder)
        built = by_hand.build(folder / "project", environment)
        if count >= 0:
            ours.append(found)
            hand.append(built)
        shutil.rmtree(folder)
    reference = statistics.median(hand)
    for figure, name in (("plan", "plan"), ("build", "build"), ("prove", "prove"), ("prove.again", "again")):
        record(figure, statistics.median(found[name] for found in ours), reference)
    # What `pip freeze` of this kernel would install: the files of all its distributions.
    frozen = sum(size_of(file) for item in distributions() for file in item.files or ())
    record("environment.size", ours[-1]["size"] / 2**20, frozen / 2**20, unit="MiB")


def size_of(file: object) -> int:
    path = Path(file.locate())  # type: ignore[attr-defined]
    return path.stat().st_size if path.is_file() else 0
