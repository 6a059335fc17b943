"""What a clean run tells about requirements: from what a real replica imported, and from what it lacked."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
from built_bento import build_bento

from bento_jupyter.capture.packages.cleanrun import (
    added,
    missing_modules,
)
from bento_jupyter.errors import ReplicaStartError
from bento_jupyter.launcher import launch_replica

SERVICE = """
import bentoml
import yaml

@bentoml.service
class Service:
    @bentoml.api
    def ask(self, what: str = "") -> str:
        if what == "absent":
            import module_of_the_notebook.part
        return what
"""


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("cleanrun"), SERVICE)


def test_what_a_request_lacked_is_in_the_log(bento: Path, tmp_path: Path) -> None:
    log, scratch = tmp_path / "log", tmp_path / "scratch"
    python = Path(sys.executable)
    with launch_replica(python, bento, tmp_path / "s", log=log, scratch=scratch) as replica:
        replica.wait_ready(60)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(replica.socket_path))) as client:
            client.post("http://bento/ask", json={"what": "absent"}, timeout=30)
    assert missing_modules(log.read_text()) == ["module_of_the_notebook"]


def test_what_the_start_lacked_is_in_the_error(tmp_path: Path) -> None:
    source = SERVICE.replace("import yaml", "try:\n    import absent_at_start\nexcept ImportError:\n    pass")
    source = source.replace(
        "    @bentoml.api", "    def __init__(self):\n        import absent_later\n    @bentoml.api"
    )
    bento = build_bento(tmp_path, source)
    replica = launch_replica(
        Path(sys.executable), bento, tmp_path / "s", log=tmp_path / "log", scratch=tmp_path / "scratch"
    )
    try:
        with pytest.raises(ReplicaStartError) as caught:
            replica.wait_ready(60)
    finally:
        replica.kill()
    assert missing_modules(caught.value.traceback) == ["absent_later"]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("ModuleNotFoundError: No module named 'pyarrow.parquet'", ["pyarrow.parquet"]),
        ("ModuleNotFoundError: No module named 'a'\nModuleNotFoundError: No module named 'b'; b", ["a", "b"]),
        ("ImportError: Missing optional dependency 'tabulate'.  Use pip or conda to install", ["tabulate"]),
        ("ImportError: it needs Accelerate: `pip install 'accelerate>=0.26'`", ["Accelerate", "accelerate"]),
        ("ImportError: \nA requires the PIL library but it was not found. You can install it", ["PIL"]),
        ("MissingDependencyException: not found. Please run `pip install -U grpcio[x].`", ["grpcio"]),
        ("ImportError: cannot import name 'x' from 'y'", []),
        ("INFO: pip install something if you like", []),
        ("ValueError: it requires the install of a kitchen", []),
    ],
)  # fmt: skip
def test_all_ways_to_say_that_a_module_is_missing(line: str, names: list[str]) -> None:
    assert missing_modules(f"Traceback (most recent call last):\n{line}\n") == names


def test_only_what_the_kernel_has_and_the_lock_lacks_is_added() -> None:
    missing = ["yaml.nodes", "no_such_module", "numpy", "PyYAML", "json", "Scikit_Learn"]
    assert added(missing, ["NumPy"]) == {
        "PyYAML": "the clean run imports yaml.nodes",
        "scikit-learn": "the clean run imports Scikit_Learn",
    }
