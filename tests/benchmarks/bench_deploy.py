"""From a live object to the first answer, and cold starts, against the same by hand in the same run."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import by_hand

ROUNDS = 3
COLD_STARTS = 7

FIT = """
import sys, time
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
clf = LogisticRegression(max_iter=500, C={c}).fit(X, y)
"""

#: What a user's kernel does: the magics, from the line with the live object to the first answer.
OURS = (
    "from IPython.core.interactiveshell import InteractiveShell\nshell = InteractiveShell.instance()\n"
    "shell.run_line_magic('load_ext', 'bento_jupyter')\n"
    + FIT
    + """
shell.user_ns.update(clf=clf, X=X)
for round in ("first", "second"):
    begun = time.perf_counter()
    dep = shell.run_line_magic("bento_deploy", "clf --name bench --sample X[:5] --mode on-demand --idle 1")
    answer = dep.call("predict", X[:5])
    print("FIGURE", round, time.perf_counter() - begun)
    assert (answer == clf.predict(X[:5])).all()
    clf = LogisticRegression(max_iter=500, C=2.0).fit(X, y)
    shell.user_ns["clf"] = clf
for _ in range({cold_starts}):
    dep.wait_until("scaled-to-zero")
    begun = time.perf_counter()
    dep.call("predict", X[:5])
    print("FIGURE cold", time.perf_counter() - begun)
"""
)


def figures(code: str, environment: dict[str, str]) -> dict[str, list[float]]:
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[float]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("FIGURE"):
            _, name, value = line.split()
            found.setdefault(name, []).append(float(value))
    return found


def bench_deploy(record: Callable[..., None], tmp_path: Path) -> None:
    ours: dict[str, list[float]] = {"first": [], "second": [], "cold": []}
    hand: dict[str, list[float]] = {"first": [], "second": [], "serve": []}
    # A round that does not count fills uv's cache, which is what "warm" means below.
    for count in range(-1, ROUNDS):
        folder = tmp_path / f"round{count}"
        folder.mkdir()
        environment = {
            **os.environ,
            "BENTO_JUPYTER_HOME": str(folder / "home"),
            "BENTOML_HOME": str(folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        (folder / "bentoml").mkdir()
        try:
            found = figures(OURS.format(c=1.0, cold_starts=COLD_STARTS), environment)
        finally:
            subprocess.run(
                [sys.executable, "-m", "bento_jupyter.cli", "cloud", "stop"], env=environment, check=False
            )
        by_hand_found = round_by_hand(folder / "project", environment)
        if count >= 0:
            for name, values in found.items():
                ours[name] += values
            for name, values in by_hand_found.items():
                hand[name] += values
        shutil.rmtree(folder)
    for name in ("first", "second"):
        record(f"deploy.{name}", statistics.median(ours[name]), statistics.median(hand[name]))
    serve = hand["serve"]
    record("cold_start.notebook.p50", statistics.median(ours["cold"]), statistics.median(serve))
    record("cold_start.notebook.p95", sorted(ours["cold"])[int(0.95 * len(ours["cold"]))], max(serve))


def round_by_hand(folder: Path, environment: dict[str, str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"first": [], "second": [], "serve": []}
    for name, c in (("first", 1.0), ("second", 2.0)):
        save = FIT.format(c=c) + (
            "begun = time.perf_counter()\nimport bentoml\nbentoml.sklearn.save_model('by_hand', clf)\n"
            "print('FIGURE save', time.perf_counter() - begun)"
        )
        saved = figures(save, environment)["save"][0]
        begun = time.perf_counter()
        by_hand.build(folder, environment)
        with by_hand.served(folder, environment, {"X": [[5.1, 3.5, 1.4, 0.2]] * 5}) as serve:
            found[name].append(saved + time.perf_counter() - begun)
            found["serve"].append(serve)
    return found
