"""Building from what is in a notebook, in a real kernel: plan, build, deploy, prove, take along."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kernels import Kernel, Workplace

CELLS = [
    "LIMIT = 0.6  # agreed with the customer",
    "def clean(sizes):\n    # negative sizes are typing errors\n    return np.clip(sizes, 0, None)",
    """def is_sure(sizes: np.ndarray) -> np.ndarray:
    return clf.predict_proba(clean(sizes)).max(axis=1) > LIMIT""",
]

SERVICE = """%%bento_service shop --sample {"total": {"prices": X[:3]}, "name": {"text": "a b"}}
import bentoml

@bentoml.service(traffic={"timeout": 20})
class Shop:
    @bentoml.on_startup
    def prepare(self):
        self.factor = 2

    @bentoml.api(batchable=True)
    def total(self, prices: np.ndarray) -> np.ndarray:
        # single precision is enough
        return (prices.sum(axis=1) * self.factor).astype("float32")

    @bentoml.api
    def name(self, text: str) -> str:
        return text.title()
"""


@pytest.fixture(scope="module", autouse=True)
def cells(kernel: Kernel) -> None:
    for cell in CELLS:
        kernel.run(cell)


def test_the_plan_says_what_goes_in_and_why_and_builds_nothing(kernel: Kernel, workplace: Workplace) -> None:
    said = kernel.run("%bento_build sure is_sure --sample X[:5] --plan")
    for words in (
        "/is_sure",
        "function clean",
        "constant LIMIT",
        "cell [",
        "is_sure uses it",
        "saved by scikit-learn",
    ):
        assert words in said
    assert "scikit-learn==" in said
    assert not (workplace.store / "bentos").exists()
    assert not list(workplace.home.projects.glob("*"))


def test_a_function_goes_with_what_it_uses_and_is_proven_live(kernel: Kernel) -> None:
    kernel.run("before = dict(globals())")
    said = kernel.run("built = bj.build('sure', [is_sure, clf], sample=X[:5])\nprint(built.proof)")
    assert "1 endpoint" in said
    assert "max difference" in said
    kernel.run("assert all(globals()[name] is before[name] for name in ('clf', 'clean', 'is_sure', 'X'))")
    kernel.run("sure = bj.deploy(built, mode='on-demand', protected=True)")
    kernel.run("assert (sure.call('is_sure', X[:9]) == is_sure(X[:9])).all()")
    live = kernel.run("%bento_prove sure --live")
    assert "1 endpoint" in live


def test_a_rebuild_without_change_makes_no_new_version(kernel: Kernel) -> None:
    assert "True" in kernel.run("print(bj.build('sure', [is_sure, clf], sample=X[:5]).tag == built.tag)")
    kernel.run("LIMIT = 0.7")
    assert "False" in kernel.run("print(bj.build('sure', [is_sure, clf], sample=X[:5]).tag == built.tag)")
    kernel.run("LIMIT = 0.6")


def test_the_project_is_readable_and_plain_bentoml_builds_it(
    kernel: Kernel, workplace: Workplace, tmp_path: Path
) -> None:
    folder = tmp_path / "taken"
    assert str(folder) in kernel.run(f"%bento_export built {folder}")
    code = (folder / "notebook_code.py").read_text()
    assert "# negative sizes are typing errors" in code
    assert code.index("def clean") < code.index("def is_sure")
    assert "bento_jupyter" not in code
    elsewhere = {**workplace.environment, "BENTOML_HOME": str(tmp_path / "bentoml")}
    (tmp_path / "bentoml").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--output", "tag"],
        cwd=folder, env=elsewhere, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rebuilt = next((tmp_path / "bentoml" / "bentos" / "sure").glob("*/src"))
    tag = kernel.run("print(built.path)").strip()
    first = Path(tag) / "src"
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(rebuilt) for path in rebuilt.rglob("*") if path.is_file())
    assert all((first / name).read_bytes() == (rebuilt / name).read_bytes() for name in names)


def test_an_export_overwrites_nothing(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    error = kernel.fails(f"%bento_export sure {tmp_path}")
    assert "there is something in" in error.value
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_service_is_built_from_its_cell(kernel: Kernel) -> None:
    said = kernel.run(SERVICE)
    assert "2 endpoints" in said
    kernel.run("shop = bj.build('shop', Shop, sample={'total': {'prices': X[:3]}, 'name': 'x y'})")
    source = kernel.run("print((shop.project / 'service.py').read_text())")
    assert "# single precision is enough" in source
    assert 'DType("float32")' in source
    types = json.loads(kernel.run("print((shop.project / 'endpoints.json').read_text())"))["endpoints"]
    assert types["total"]["output"]["dtype"] == "float32"


def test_what_has_a_default_can_be_left_out_and_given_whatever_the_default_is(kernel: Kernel) -> None:
    kernel.run(
        "def mix(x: float = 1.0, weights: list = [1, None], names: dict = {'a': [2.5]}) -> list:\n"
        "    return [x, weights, names]\n"
        "mixed = bj.deploy(mix, name='mix', mode='on-demand', sample={})\n"
        "import bentoml\n"
        "class Mark: pass\n"
        "@bentoml.service\n"
        "class Mixer:\n"
        "    @bentoml.api\n"
        "    def mix(self, x: float, weights: list[int | None] = [1, None], mark: object = Mark) -> list:\n"
        "        return [x, weights, mark is Mark]\n"
        "mixer = bj.deploy(Mixer, name='mixer', mode='on-demand', sample={'mix': {'x': 1.0}})"
    )
    assert kernel.run("print(mixed.mix(), mixed.mix(weights=[3], names={}))").strip() == (
        "[1.0, [1, None], {'a': [2.5]}] [1.0, [3], {}]"
    )
    kernel.run("def since(x: int, day: object = Mark) -> str:\n    return str(x)")
    said = kernel.run("%bento_build since since --sample {'x': 1} --plan")
    assert "since(day)  always as by default, which is no plain value" in said
    error = kernel.fails("bj.build('both', lambda a, b: a, sample={})")
    assert "lacks a, b" in str(error)
    said = kernel.run("print(mixer.mix(x=2.0), mixer.mix(x=2.0, weights=[None]))").strip()
    assert said == "[2.0, [1, None], True] [2.0, [None], True]"


def test_a_cell_without_a_service_is_told(kernel: Kernel) -> None:
    assert "defines no service" in kernel.fails("%%bento_service nothing\nx = 1").value
    assert "1" in kernel.run("print(x)"), "the cell has been run"


def test_an_error_of_the_service_s_cell_is_shown_as_it_is(kernel: Kernel) -> None:
    assert kernel.fails("%%bento_service nothing\n1 / 0").name == "ZeroDivisionError"


def test_a_project_directory_is_built_as_bentoml_builds_it(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(
        "import bentoml\n\n\n@bentoml.service\nclass Plus:\n    @bentoml.api\n"
        "    def one(self, x: int) -> int:\n        return x + 1\n"
    )
    (tmp_path / "bentofile.yaml").write_text("service: 'service:Plus'\n")
    said = kernel.run(f"%bento_build plus {tmp_path}")
    assert "Bento plus:" in said
    assert "not proven" in said


def test_what_cannot_go_along_is_refused_with_cell_line_and_what_to_do(kernel: Kernel) -> None:
    kernel.run("import sqlite3\nbase = sqlite3.connect(':memory:')")
    kernel.run(
        "def ask(x: int) -> int:\n    y = x + 1\n    return base.execute('select ?', (y,)).fetchone()[0]"
    )
    error = kernel.fails("%bento_build ask ask --sample 3")
    assert error.name == "NotServableError"
    for words in ("'base'", "sqlite3", "cell [", "line 3"):
        assert words in error.value + "\n".join(error.traceback)


def test_a_secret_is_refused_with_the_way_to_give_it(kernel: Kernel) -> None:
    kernel.run("API_KEY = 'sk-live-4f9d8a7b6c5e4d3f2a1b0c9d8e7f6a5b'")
    kernel.run("def call_it(x: int) -> str:\n    return API_KEY[:2] * x")
    error = kernel.fails("%bento_build call call_it --sample 3 --plan")
    shown = error.value + "\n".join(error.traceback)
    assert "API_KEY" in shown
    assert "--env" in shown
    assert "4f9d8a7b6c5e" not in shown


def test_an_answer_that_differs_stops_the_deployment_unless_it_is_allowed(kernel: Kernel) -> None:
    kernel.run("import os\nos.environ['FLAVOUR'] = 'kernel'")
    kernel.run("def taste(x: str) -> str:\n    return x + os.environ.get('FLAVOUR', 'none')")
    error = kernel.fails("%bento_deploy taste --sample \"'sweet '\"")
    assert error.name in ("ProofError", "NotServableError")
    assert "NotFoundError" in kernel.fails("bj.deployment('taste')").name
    assert "double quotes" in kernel.fails("%bento_deploy taste --sample 'sweet '").traceback[-1]
