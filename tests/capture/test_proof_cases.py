"""What a proof sends, and what counts as a difference: a service written by hand, served as proofs do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tcp_relay import on_tcp

import bento_jupyter
from bento_jupyter.capture import Proof, prove
from bento_jupyter.capture.project import shipped
from bento_jupyter.capture.proof import proving as proofs
from bento_jupyter.capture.proof.stage import Stage, environment_of
from bento_jupyter.environments import this_minor
from bento_jupyter.errors import ProofError
from bento_jupyter.home import Home

SERVICE = """
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import bentoml
import numpy as np
import pandas as pd
from bentoml.exceptions import InvalidArgument
from PIL import Image
from pydantic import BaseModel

from bento_codec import ArrowMiddleware, endpoint_types

HERE = Path(__file__).parent
T = endpoint_types(HERE / "endpoints.json")


class Person(BaseModel):
    name: str
    age: int


@bentoml.service(name="hand")
class Hand:
    def __init__(self) -> None:
        self.calls = 0

    @bentoml.api
    def double(
        self, X: Annotated[np.ndarray, T["double"]["inputs"]["X"]]
    ) -> Annotated[np.ndarray, T["double"]["output"]]:
        if (X < 0).any():
            raise InvalidArgument("double: ValueError: no negative numbers")
        return X * 2

    @bentoml.api
    def frame(
        self, X: Annotated[pd.DataFrame, T["frame"]["inputs"]["X"]]
    ) -> Annotated[pd.DataFrame, T["frame"]["output"]]:
        return X

    @bentoml.api
    def count(self, n: int) -> int:
        self.calls += 1
        return self.calls

    @bentoml.api
    def twice(self, n: int) -> int:
        self.calls += 1
        return 7 if self.calls % 2 else 8

    @bentoml.api
    def crash(self, n: int) -> int:
        return {}["no such key"]

    @bentoml.api
    def lazy(self, n: int) -> int:
        import a_module_that_is_nowhere

        return a_module_that_is_nowhere.answer

    @bentoml.api
    def picky(self, n: int) -> int:
        if n < 0:
            raise InvalidArgument("picky: ValueError: n is negative")
        return n

    @bentoml.api
    def words(self, n: int) -> Iterator[str]:
        for i in range(n):
            yield f"é{i} "

    @bentoml.api
    async def later(self, n: int) -> AsyncIterator[str]:
        for i in range(n):
            yield json.dumps(i / 4) + "\\n"

    @bentoml.api
    def halves(self, n: int) -> Iterator[str]:
        yield json.dumps(0.5)
        raise ValueError("half-way")

    @bentoml.task
    def slow(self, n: int) -> int:
        return n + 1

    @bentoml.api
    def greet(self, person: Person, /) -> dict[str, Any]:
        return {"hello": person.name, "next": person.age + 1}

    @bentoml.api
    def text(self, name: str) -> str:
        return name

    @bentoml.api
    def size(self, picture: Image.Image, scale: float = 1.0) -> list[float]:
        return [side * scale for side in picture.size]

    @bentoml.api
    def surroundings(self, n: int) -> dict[str, Any]:
        return {"cwd": os.getcwd(), "path": sys.path, "environ": dict(os.environ), "home": str(Path.home())}

    @bentoml.api
    def read(self, path: str) -> str:
        return Path(path).read_text()


Hand.add_asgi_middleware(ArrowMiddleware, endpoints=HERE / "endpoints.json")
"""
ROWS = {"kind": "array", "dtype": "float64", "shape": [-1, 2]}
PEOPLE = {
    "kind": "frame",
    "columns": [
        {"name": "age", "dtype": "int32"},
        {
            "name": "plan", "dtype": "category", "categories": ["free", "paid"], "of": {"dtype": "str"},
            "ordered": False,
        },
    ],
}  # fmt: skip
INT, TEXT = {"kind": "int"}, {"kind": "str"}


def types(inputs: dict[str, Any], output: Any, stream: str = "", *, task: bool = False) -> dict[str, Any]:
    return {"inputs": inputs, "output": output, "stream": stream, "task": task}


TYPES = {
    "double": types({"X": ROWS}, ROWS),
    "frame": types({"X": PEOPLE}, PEOPLE),
    "count": types({"n": INT}, INT),
    "twice": types({"n": INT}, INT),
    "crash": types({"n": INT}, INT),
    "lazy": types({"n": INT}, INT),
    "picky": types({"n": INT}, INT),
    "words": types({"n": INT}, TEXT, "text"),
    "later": types({"n": INT}, {"kind": "float"}, "lines"),
    "halves": types({"n": INT}, {"kind": "float"}, "lines"),
    "slow": types({"n": INT}, INT, task=True),
    "greet": types({"person": None}, None),
    "text": types({"name": TEXT}, TEXT),
    "size": types({"picture": {"kind": "image"}, "scale": {"kind": "float"}}, None),
    "surroundings": types({"n": INT}, None),
    "read": types({"path": TEXT}, TEXT),
}
RECORDS = [{"age": 31, "plan": "paid"}, {"age": 44, "plan": "free"}]


@pytest.fixture(scope="module")
def bento(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Bento, built as a user would build it."""
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(Path(bento_jupyter.__file__).parent / "codec", project / "bento_codec")
    shutil.copyfile(Path(shipped.__file__).parent / "test_parity.py", project / "test_parity.py")
    (project / "proof").mkdir()
    (project / "service.py").write_text(SERVICE)
    (project / "endpoints.json").write_text(json.dumps({"endpoints": TYPES}))
    (project / "proof" / "cases.json").write_text(json.dumps({"cases": []}))
    pins = [f"{name}=={version(name)}\n" for name in ("numpy", "pandas", "pyarrow", "pillow")]
    (project / "requirements.txt").write_text("".join(pins))
    (project / "bentofile.yaml").write_text(
        'service: "service:Hand"\nname: hand\ninclude: ["*"]\n'
        "python:\n  requirements_txt: ./requirements.txt\n  lock_packages: false\n"
        f'docker:\n  python_version: "{this_minor()}"\n'
    )
    build = "from bentoml.bentos import build_bentofile; print(build_bentofile('bentofile.yaml').path)"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def url(bento: Path, home: Home) -> Iterator[str]:
    """The Bento, running as for its proof."""
    requirements = (bento / "env" / "python" / "requirements.txt").read_text()
    environment = environment_of(requirements, this_minor(), bento / "src", home)
    with (
        closing(Stage(environment, home)) as stage,
        proofs.running(bento, stage),
        on_tcp(stage.socket) as url,
    ):
        yield url


Sent = Callable[..., Proof]


@pytest.fixture
def with_cases(bento: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the Bento with other cases."""

    def make(*cases: dict[str, Any]) -> Path:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(bento, copy)
        (copy / "src" / "proof" / "cases.json").write_text(json.dumps({"cases": list(cases)}))
        return copy

    return make


@pytest.fixture
def proven(with_cases: Callable[..., Path], home: Home, url: str) -> Sent:
    """Send cases to the Bento that runs."""
    return lambda *cases: prove(with_cases(*cases), home=home, url=url, allow_different=True)


def case(endpoint: str, inputs: dict[str, Any], expected: Any = None, refused: str = "") -> dict[str, Any]:
    answer = {"refused": refused} if refused else {"expected": expected}
    return {"endpoint": endpoint, "title": "the sample", "inputs": inputs, **answer}


SAME = {
    "arrays": case("double", {"X": [[1.0, 2.5]]}, [[2.0, 5.0]]),
    "frames": case("frame", {"X": RECORDS}, RECORDS),
    "a stream of text": case("words", {"n": 3}, "é0 é1 é2 "),
    "an empty stream": case("words", {"n": 0}, ""),
    "a stream of numbers": case("later", {"n": 3}, [0.0, 0.25, 0.5]),
    "a task": case("slow", {"n": 3}, 4),
    "a model as the whole body": case(
        "greet", {"person": {"name": "Ann", "age": 3}}, {"hello": "Ann", "next": 4}
    ),
    "a text that looks like a number": case("text", {"name": "5"}, "5"),
    "a refused value": case("picky", {"n": -1}, refused="ValueError: n is negative"),
    "a value that does not fit": case("double", {"X": [[1.0]]}, refused="ValueError: width"),
}


@pytest.mark.parametrize("sent", SAME.values(), ids=SAME)
def test_the_same_answer_is_proven(proven: Sent, sent: dict[str, Any]) -> None:
    proof = proven(sent)
    assert proof.equal, proof.line
    assert proof.endpoints[0].cases == 1
    assert proof.max_difference == 0


DIFFERENT = {
    "another number": (
        case("double", {"X": [[1.0, 2.5]]}, [[2.0, 5.5]]),
        "/double, the sample: row 0, column 1: 5.5 expected, 5.0 served",
    ),
    "another category": (
        case("frame", {"X": RECORDS}, [RECORDS[0], {"age": 44, "plan": "paid"}]),
        "/frame, the sample: row 1, column 'plan': 'paid' expected, 'free' served",
    ),
    "an answer that counts": (
        case("twice", {"n": 1}, 7), "the sample: answers otherwise the second time: 7 expected, 8 served"
    ),
    "a field": (
        case("greet", {"person": {"name": "Ann", "age": 3}}, {"hello": "Ann", "next": 5}),
        "/greet, the sample: at next: 5 expected, 4 served",
    ),
    "a part of a stream": (
        case("later", {"n": 3}, [0.0, 0.25, 0.75]), "/later, the sample: at [2]: 0.75 expected, 0.5 served"
    ),
    "a stream that is too short": (case("later", {"n": 2}, [0.0, 0.25, 0.5]), "3 items expected, 2 served"),
    "a stream that breaks off": (case("halves", {"n": 1}, [0.5, 0.25]), "2 items expected, 1 served"),
    "text of a stream": (case("words", {"n": 1}, "é1 "), "'é1 ' expected, 'é0 ' served"),
    "an answer of a task": (case("slow", {"n": 1}, 3), "3 expected, 2 served"),
    "a failure": (
        case("crash", {"n": 1}, 1), "the notebook answered, the service failed with 500: An unexpected error"
    ),
    "a failure instead of a refusal": (
        case("crash", {"n": 1}, refused="KeyError: 1"),
        "the notebook raised KeyError: 1, the service failed with 500: An unexpected error",
    ),
    "an answer instead of a refusal": (
        case("picky", {"n": 4}, refused="ValueError: 4"), "the notebook raised ValueError: 4, 4 was served"
    ),
    "a refusal instead of an answer": (
        case("picky", {"n": -4}, -4),
        "the notebook answered, the service refused it with 400: picky: ValueError: n is negative",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "words"), DIFFERENT.values(), ids=DIFFERENT)
def test_another_answer_is_a_difference(proven: Sent, sent: dict[str, Any], words: str) -> None:
    proof = proven(sent)
    assert not proof.equal
    assert words in proof.line
    assert proof.line.startswith("different: ")
    assert proof.max_difference > 0


def test_all_differences_are_kept_and_the_first_are_named(
    with_cases: Callable[..., Path], home: Home, url: str
) -> None:
    cases = [{**case("double", {"X": [[1.0, i]]}, [[2.0, -1.0]]), "title": f"case {i}"} for i in range(7)]
    copy = with_cases(*cases, case("picky", {"n": 1}, 1))
    with pytest.raises(ProofError) as caught:
        prove(copy, home=home, url=url)
    message = caught.value.message
    assert message.startswith(f"{url} answers otherwise than the notebook: /double, case 0: ")
    assert "/double, case 1: row 0, column 1: -1.0 expected, 2.0 served" in message
    assert "and 9 more" in message  # each was sent as Arrow, too
    proof = caught.value.proof
    assert [(point.name, point.cases, point.equal) for point in proof.endpoints] == [
        ("double", 7, False),
        ("picky", 1, True),
    ]
    assert {(detail.case, detail.way) for detail in proof.endpoints[0].details} == {
        (f"case {i}", way) for i in range(7) for way in ("JSON", "Arrow")
    }
    assert prove(copy, home=home, url=url, allow_different=True).differences == proof.differences


def test_a_failure_shows_the_traceback_that_the_service_wrote(
    with_cases: Callable[..., Path], home: Home
) -> None:
    with pytest.raises(ProofError) as caught:
        prove(with_cases(case("crash", {"n": 1}, 1)), home=home)
    assert "the service failed with 500: KeyError: 'no such key'" in caught.value.message
    assert 'return {}["no such key"]' in caught.value.log
    assert any("no such key" in line for line in caught.value._render_traceback_())


def test_a_module_that_is_missing_is_named_even_where_differences_are_allowed(
    with_cases: Callable[..., Path], home: Home
) -> None:
    with pytest.raises(ProofError) as caught:
        prove(with_cases(case("lazy", {"n": 1}, 1)), home=home, allow_different=True)
    assert caught.value.missing_module == "a_module_that_is_nowhere"


def test_a_bento_that_does_not_start_says_what_it_lacks(with_cases: Callable[..., Path], home: Home) -> None:
    copy = with_cases(case("picky", {"n": 1}, 1))
    service = copy / "src" / "service.py"
    service.write_text("import another_module_that_is_nowhere.part\n" + service.read_text())
    with pytest.raises(ProofError, match=r"does not start: .*No module named") as caught:
        prove(copy, home=home)
    assert caught.value.missing_module == "another_module_that_is_nowhere"
    assert "service.py" in caught.value.log


def test_the_service_sees_nothing_of_the_notebook(
    with_cases: Callable[..., Path], home: Home, anywhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(anywhere))
    monkeypatch.setenv("SECRET_OF_THE_KERNEL", "x")
    (anywhere / "data.txt").write_text("here")
    hidden = with_cases(
        case("surroundings", {"n": 1}, None), case("read", {"path": str(anywhere / "data.txt")}, "here"),
        {**case("read", {"path": "data.txt"}, "here"), "title": "relative"},
    )  # fmt: skip
    proof = prove(hidden, home=home, allow_different=True)
    surroundings, read = proof.endpoints
    shown = surroundings.detail
    assert "SECRET_OF_THE_KERNEL" not in shown
    assert str(anywhere) not in shown
    assert "PYTHONPATH" not in shown
    absolute, relative = (point.difference.detail for point in read.details)
    said = "the notebook answered, the service failed with 500: FileNotFoundError: [Errno 2] "
    why = f"it is not in the Bento, but in the notebook's folder: {str(anywhere / 'data.txt')!r}"
    assert absolute == said + why
    assert relative == f"{said}No such file or directory: 'data.txt'"


def test_nothing_is_left_of_a_proof(with_cases: Callable[..., Path], home: Home, tmp_path: Path) -> None:
    copy = with_cases(case("picky", {"n": 1}, 1))
    before = sorted(home.sockets.iterdir())
    files = sorted(copy.rglob("*"))
    prove(copy, home=home)
    assert sorted(home.sockets.iterdir()) == before
    assert sorted(copy.rglob("*")) == files


def test_an_endpoint_that_is_gone_or_has_other_types_is_a_difference(
    with_cases: Callable[..., Path], home: Home, url: str
) -> None:
    copy = with_cases(case("double", {"X": [[1.0, 2.0]]}, [[2.0, 4.0]]), case("gone", {}, 1))
    other = {**TYPES, "gone": types({}, INT), "double": types({"X": ROWS}, {**ROWS, "dtype": "float32"})}
    (copy / "src" / "endpoints.json").write_text(json.dumps({"endpoints": other}))
    proof = prove(copy, home=home, url=url, allow_different=True)
    assert proof.differences == [
        "/double, its schema: answer, at dtype: 'float32' expected, 'float64' served",
        "/gone, its schema: there is no such endpoint",
    ]


def test_nobody_at_the_url_is_said_as_such(with_cases: Callable[..., Path], home: Home) -> None:
    with pytest.raises(ProofError, match=r"no answer from http://127\.0\.0\.1:9: "):
        prove(with_cases(case("picky", {"n": 1}, 1)), home=home, url="http://127.0.0.1:9")


# ------------------------------------------------------------------------------ the project's own test


def run_parity(bento: Path, url: str, *, by_pytest: bool = False) -> subprocess.CompletedProcess[str]:
    words = (
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_parity.py"]
        if by_pytest
        else ["test_parity.py"]
    )
    return subprocess.run(
        [sys.executable, *words], cwd=bento / "src", env={**os.environ, "URL": url}, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_projects_own_test_agrees_with_the_proof(with_cases: Callable[..., Path], url: str) -> None:
    same = list(SAME.values())
    done = run_parity(with_cases(*same), url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"{len(same)} of {len(same)} cases as in the notebook: double, frame, words"
    )
    for name, (sent, _) in DIFFERENT.items():
        done = run_parity(with_cases(sent), url)
        assert done.returncode == 1, name
        assert f"different: /{sent['endpoint']}, the sample: " in done.stderr


def test_the_projects_own_test_is_one_test_per_case_for_pytest(
    with_cases: Callable[..., Path], url: str
) -> None:
    wrong = {**case("double", {"X": [[1.0, 2.0]]}, [[2.0, 5.0]]), "title": "2 rows"}
    done = run_parity(with_cases(SAME["arrays"], wrong, SAME["a task"]), url, by_pytest=True)
    assert done.returncode == 1
    assert "1 failed, 2 passed" in done.stdout
    assert "test_parity[/double, 2 rows]" in done.stdout
    assert "answer[0][1]: 5.0 expected, 4.0 served" in done.stdout
