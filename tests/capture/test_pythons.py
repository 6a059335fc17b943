"""What was built on this version of Python is served on another one, with the same answers, or refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from uv import find_uv_bin

from bento_jupyter.capture import build_project, make_plan, prove
from bento_jupyter.capture.packages.distributions import closure
from bento_jupyter.capture.packages.pythons import python_problems
from bento_jupyter.environments import other_python, prepare, this_minor
from bento_jupyter.errors import EnvironmentBuildError
from bento_jupyter.home import Home


def other_minors() -> list[str]:
    """Other versions of Python that are on this machine."""
    return [
        version
        for version in (f"3.{minor}" for minor in range(10, 15))
        if version != this_minor() and (other_python(version) != version or known_to_uv(version))
    ]


def known_to_uv(version: str) -> bool:
    command = [find_uv_bin(), "python", "find", "--offline", "--no-python-downloads", "--no-project", version]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def for_python(bento: Path, folder: Path, version: str) -> Path:
    """A copy of a Bento that asks for another Python."""
    copy = folder / bento.parent.name / bento.name
    shutil.copytree(bento, copy)
    about = (copy / "bento.yaml").read_text()
    asked = about.replace(f"python_version: '{this_minor()}'", f"python_version: '{version}'")
    assert asked != about
    (copy / "bento.yaml").write_text(asked)
    return copy


def test_a_newer_python_answers_the_same(
    iris: tuple[np.ndarray, np.ndarray], home: Home, tmp_path: Path
) -> None:
    features, labels = iris
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, labels)
    plan = make_plan("elsewhere", model, sample=features[::30], names={})
    minors = [version for version in other_minors() if not python_problems(plan.lock, [], version)]
    if not minors:
        pytest.skip("there is no other Python that the locked distributions run on")
    built = build_project(plan, home)
    proof = prove(for_python(built.path, tmp_path, minors[-1]), home=home)
    assert proof.equal
    assert {point.name for point in proof.endpoints} >= {"predict", "predict_proba"}


def test_what_the_metadata_refuses_uv_refuses_too(home: Home) -> None:
    lock = closure(["scikit-learn"])
    refusing = [version for version in other_minors() if python_problems(lock.pins, [], version)]
    if not refusing:
        pytest.skip("the locked distributions run on every Python of this machine")
    with pytest.raises(EnvironmentBuildError, match=r"(?i)python"):
        prepare(home, "\n".join(lock.pins), python=refusing[0])


def test_this_python_is_never_refused() -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    assert python_problems(closure(["scikit-learn", "bentoml"]).pins, [], version) == []
