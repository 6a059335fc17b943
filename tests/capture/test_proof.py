"""From object to proven Bento: real builds, in the store, run in environments of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tcp_relay import on_tcp

from bento_jupyter import codec
from bento_jupyter.capture import (
    Built,
    Plan,
    Stage,
    build_project,
    discard,
    make_plan,
    prove,
    run_build,
    set_stage,
    write_project,
)
from bento_jupyter.capture.proof import proving as proofs
from bento_jupyter.errors import BuildError, ProofError
from bento_jupyter.home import Home

Iris = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def plan(iris: Iris) -> Plan:
    x, y = iris
    return make_plan("iris", LogisticRegression(max_iter=500).fit(x, y), sample=x[::30], label="clf")


@pytest.fixture(scope="module")
def built(plan: Plan, home: Home) -> Built:
    return build_project(plan, home)


@pytest.fixture(scope="module")
def stage(plan: Plan, home: Home) -> Iterator[Stage]:
    """The stage of the Bento that runs."""
    with closing(set_stage(plan, home)) as stage:
        yield stage


@pytest.fixture(scope="module")
def client(built: Built, stage: Stage) -> Iterator[httpx.Client]:
    """The Bento, running as it does for its proof."""
    with proofs.running(built.path, stage) as running:
        yield running


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# ----------------------------------------------------------------------------------------- what is built


def test_the_bento_holds_only_what_was_written_for_it(built: Built) -> None:
    shipped = {f"bento_codec/{path.name}" for path in Path(codec.__file__).parent.glob("*.py")}
    assert files_of(built.path / "src") == shipped | {
        "README.md",
        "bentofile.yaml",
        "endpoints.json",
        "model/model.json",
        "model_files.py",
        "proof/cases.json",
        "requirements.in",
        "requirements.txt",
        "service.py",
        "test_parity.py",
    }
    assert not list(built.path.rglob("*.joblib"))


def test_the_model_is_in_the_model_store_once(built: Built, home: Home) -> None:
    (folder,) = proofs.model_folders(built.path)
    assert files_of(folder) == {"clf.joblib", "model.yaml"}
    assert len(list(folder.parent.iterdir())) == 2  # the version and `latest`


def test_the_bento_knows_nothing_of_this_machine(built: Built, home: Home) -> None:
    places = [
        str(home.root),
        str(Path.home()),
        sys.prefix,
        str(Path(__file__).parents[2]),
        os.environ["BENTOML_HOME"],
    ]
    (model,) = proofs.model_folders(built.path)
    for file in [*built.path.rglob("*"), *model.rglob("*")]:
        if file.is_file():
            content = file.read_bytes()
            assert not [place for place in places if place.encode() in content and len(place) > 5], file


def test_the_lock_of_the_bento_is_that_of_the_plan(built: Built, plan: Plan) -> None:
    text = (built.path / "env" / "python" / "requirements.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert sorted(lines) == sorted(plan.lock)
    assert "://" not in text


def test_the_service_is_short_and_readable(built: Built) -> None:
    source = (built.path / "src" / "service.py").read_text()
    compile(source, "service.py", "exec")
    assert len(source.splitlines()) < 100
    assert 'Annotated[np.ndarray, DType("float64"), Shape((-1, 4))' in source


def test_the_same_object_is_built_once(built: Built, plan: Plan, home: Home) -> None:
    again = build_project(plan, home)
    assert again.tag == built.tag
    assert again.cached
    assert not built.cached


def test_nothing_is_left_of_a_build_that_fails(plan: Plan, home: Home, tmp_path: Path) -> None:
    before = files_of(Path(os.environ["BENTOML_HOME"]))
    project = write_project(plan, tmp_path)
    about = json.loads((project / "model" / "model.json").read_text())
    (project / "model" / "model.json").write_text(json.dumps({**about, "tag": "iris:other"}))
    service = project / "service.py"
    service.write_text(service.read_text() + "\nraise RuntimeError('the roof is on fire')\n")
    with pytest.raises(BuildError, match="the roof is on fire"):
        run_build(project)
    assert files_of(Path(os.environ["BENTOML_HOME"])) == before


def test_a_discarded_bento_is_gone_with_its_model(iris: Iris, home: Home) -> None:
    x, y = iris
    other = make_plan("gone", LogisticRegression(max_iter=400).fit(x, y), sample=x[:3])
    before = files_of(Path(os.environ["BENTOML_HOME"]))
    with ThreadPoolExecutor(2) as pool:  # two kernels at once: one builds, the other waits
        first, second = pool.map(lambda _: build_project(other, home), range(2))
    assert first.tag == second.tag
    assert first.cached != second.cached
    assert files_of(Path(os.environ["BENTOML_HOME"])) > before
    made = second if first.cached else first
    discard(made)
    assert files_of(Path(os.environ["BENTOML_HOME"])) == before
    assert not made.project.exists()


# -------------------------------------------------------------------------------------------- the proof


def test_a_bento_answers_as_the_object_did(built: Built, plan: Plan, home: Home) -> None:
    said: list[str] = []
    with closing(set_stage(plan, home)) as stage:
        proof = prove(built.path, home=home, stage=stage, progress=said.append)
    assert proof.line.startswith("4 endpoints, 5 rows each, max difference ")
    assert proof.equal
    assert proof.max_difference < 1e-14
    assert {point.cases for point in proof.endpoints} == {4}
    assert proof.tag == built.tag
    assert proof.environment_key == stage.environment.key
    assert proof.line == prove(built.tag, home=home).line
    assert [point.name for point in proof.endpoints] == [point.name for point in plan.endpoints]
    assert "predict: 5 rows, the same" in said
    assert not list(built.path.rglob("*.pyc"))


def with_other_answers(built: Built, folder: Path) -> Path:
    """A copy of the Bento that expects two other answers of the whole sample."""
    bento = folder / "bento"
    shutil.copytree(built.path, bento)
    file = bento / "src" / "proof" / "cases.json"
    content = json.loads(file.read_text())
    whole = {case["endpoint"]: case for case in content["cases"] if case["title"] == "5 rows"}
    whole["predict"]["expected"][2] = "tulip"
    whole["predict_proba"]["expected"][4][1] += 1e-3
    file.write_text(json.dumps(content))
    return bento


def test_an_answer_that_differs_is_named(built: Built, home: Home, tmp_path: Path) -> None:
    bento = with_other_answers(built, tmp_path)
    with pytest.raises(ProofError) as caught:
        prove(bento, home=home)
    message = caught.value.message
    assert "/predict, 5 rows: row 2: 'tulip' expected, 'versicolor' served" in message
    assert "/predict, 5 rows by Arrow: row 2: 'tulip' expected, 'versicolor' served" in message
    assert "/predict_proba, 5 rows: row 4, column 1: " in message
    assert "decision_function" not in message
    proof = prove(bento, home=home, allow_different=True)
    assert proof.line.startswith("different: /predict, 5 rows: row 2: 'tulip' expected")
    assert [point.name for point in proof.endpoints if point.equal] == [
        "predict_log_proba",
        "decision_function",
    ]


def test_a_bento_without_a_sample_cannot_be_proven(built: Built, home: Home, tmp_path: Path) -> None:
    bento = tmp_path / "bento"
    shutil.copytree(built.path, bento)
    shutil.rmtree(bento / "src" / "proof")
    with pytest.raises(ProofError, match="no sample"):
        prove(bento, home=home)
    with pytest.raises(ProofError, match="no Bento 'nothing:here'"):
        prove("nothing:here", home=home)


def test_a_frame_with_columns_of_every_kind_is_proven(people: pd.DataFrame, home: Home) -> None:
    """Category, object, text, nullable, int32, float32, bool, times: in, and out as a DataFrame."""
    columns = ColumnTransformer(
        [
            ("codes", OneHotEncoder(sparse_output=False), ["plan", "size", "mixed", "city", "member"]),
            (
                "rest",
                "passthrough",
                [name for name in people if name not in ("plan", "size", "mixed", "city", "member")],
            ),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    shown = make_plan("people", columns.fit(people), sample=people.set_index(people.index * 7))
    assert [point.output["kind"] for point in shown.endpoints] == ["frame"]
    proof = prove(build_project(shown, home).path, home=home)
    assert proof.line == "1 endpoint, 12 rows, max difference 0"


def test_a_pipeline_on_a_frame_is_proven(people: pd.DataFrame, home: Home) -> None:
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(
        ColumnTransformer(
            [("codes", encoder, ["plan", "mixed", "city"]), ("age", "passthrough", ["age", "member"])]
        ),
        LogisticRegression(max_iter=500),
    ).fit(people, np.array(["no", "yes", "yes"] * 4, dtype=object))
    proof = prove(build_project(make_plan("people", model, sample=people), home).path, home=home)
    assert proof.line == "4 endpoints, 12 rows each, max difference 0"


# ---------------------------------------------------------------------------------- what callers see


def post(client: httpx.Client, endpoint: str, body: Any) -> httpx.Response:
    return client.post(f"/{endpoint}", content=json.dumps(body), headers={"Content-Type": "application/json"})


def test_curl_sends_rows_as_x(client: httpx.Client) -> None:
    answer = post(client, "predict", {"X": [[5.1, 3.5, 1.4, 0.2], [6, 3, 5, 2]]})
    assert answer.status_code == 200
    assert answer.json() == ["setosa", "virginica"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7, 8]], "row 1 has 8 values, 4 are wanted"),
        ([["5.1", 3.5, 1.4, 0.2]], "row 0, column 0: '5.1' is text"),
        ([[None, 3.5, 1.4, 0.2]], "Input X contains NaN"),
        ([], "0 sample"),
    ],
)
def test_rows_that_do_not_fit_are_the_callers_mistake(client: httpx.Client, rows: Any, words: str) -> None:
    answer = post(client, "predict", {"X": rows})
    assert answer.status_code == 400
    assert words in answer.text


def test_the_schema_alone_says_how_to_call(client: httpx.Client, plan: Plan) -> None:
    routes = {route["name"]: route for route in client.get("/schema.json").json()["routes"]}
    route = routes["predict_proba"]
    takes = codec.descriptor_from_schema(route["input"]["properties"]["X"])
    assert takes == plan.endpoints[0].input
    body = {"X": codec.encode(plan.endpoints[0].cases[0].inputs["X"], takes)}
    answer = codec.decode(
        post(client, "predict_proba", body).json(), codec.descriptor_from_schema(route["output"])
    )
    np.testing.assert_array_equal(answer, plan.endpoints[1].expected)


@pytest.fixture(scope="module")
def url(client: httpx.Client, stage: Stage) -> Iterator[str]:
    """The running Bento at a URL, for clients that do not know Unix sockets."""
    with on_tcp(stage.socket) as url:
        yield url


def test_the_bentoml_client_gets_the_same_answers(url: str, plan: Plan) -> None:
    from bentoml import SyncHTTPClient

    expected = {point.name: point.expected for point in plan.endpoints}
    with SyncHTTPClient(url) as stock:
        sample = plan.endpoints[0].cases[0].inputs["X"]
        labels = stock.predict(X=sample)
        assert labels.tolist() == expected["predict"].tolist()
        odds = stock.predict_proba(sample)
        assert odds.dtype == np.float64
        np.testing.assert_array_equal(odds, expected["predict_proba"])


def test_the_projects_own_test_runs_against_a_url(url: str, built: Built, anywhere: Path) -> None:
    command = [sys.executable, "-I", str(built.project / "test_parity.py"), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "16 of 16 cases as in the notebook: predict, predict_proba, predict_log_proba, decision_function\n"
    )


def test_the_projects_own_test_fails_when_an_answer_differs(url: str, built: Built, tmp_path: Path) -> None:
    bento = with_other_answers(built, tmp_path)
    command = [sys.executable, str(bento / "src" / "test_parity.py"), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "different: /predict, 5 rows: answer[2]: 'tulip' expected, 'versicolor' served" in done.stderr
    assert "14 of 16 cases as in the notebook" in done.stdout
