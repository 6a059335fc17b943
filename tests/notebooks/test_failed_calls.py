"""Calls that fail: told by the cell their code came from, refused in words, and never run twice unseen."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from kernels import Kernel

from bento_jupyter.client.endpoint import Endpoints
from bento_jupyter.errors import CallError

#: The object whose code the failures come from.
FRAGILE = """class Fragile:
    def half(self, number: float) -> float:
        if number > 100:
            raise MemoryError(f"{number:g} is too large")
        return number / 2

dep = bj.deploy(Fragile(), name="fragile", mode="online", sample={"half": 1.0}, endpoints=["half"])"""

#: A service whose endpoints note each of their runs in a file.
FIRST = """%%bento_service noting --sample {"rest": {"seconds": 0.0}} --no-prove
import os
import bentoml, numpy as np, pandas as pd

@bentoml.service
class Noting:
    def note(self, what: str) -> None:
        with open(os.environ["NOTES"], "a") as notes:
            notes.write(what + " ")

    @bentoml.api
    def fails(self, x: int) -> int:
        self.note("first")
        return x

    @bentoml.api
    def refuses(self, x: int) -> int:
        self.note("first")
        return x

    @bentoml.api
    def renamed(self, x: int) -> int:
        self.note("first")
        return x

    @bentoml.api
    def table(self, x: pd.DataFrame) -> int:
        self.note("first")
        return len(x)

    @bentoml.task
    def work(self, x: str) -> str:
        return x

    @bentoml.api
    async def rest(self, seconds: float) -> float:
        import asyncio

        await asyncio.sleep(seconds)
        return seconds
"""
THEN = (
    FIRST.replace('"first"', '"then"')
    .replace("return x", 'raise RuntimeError("no")', 1)
    .replace("return x", 'raise bentoml.exceptions.InvalidArgument("not this one")', 1)
    .replace("def renamed(self, x: int) -> int:", "def renamed(self, y: int) -> int:")
    .replace("return x", "return y", 1)
    .replace("x: pd.DataFrame", "x: np.ndarray")
)


@pytest.fixture(scope="module")
def fragile(kernel: Kernel) -> None:
    kernel.run(FRAGILE)


@pytest.mark.parametrize(
    "call",
    [
        "dep.half(101.0)",
        "await dep.ahalf(101.0)",
        "dep.send('half', {'number': 101.0})",
        "dep.map('half', [1.0, 101.0])",
        "%bento_call fragile 101.0",
        '%%bento_call fragile half\n{"number": 101.0}',
        "%bento_call --parallel 2 fragile [1.0, 101.0]",
    ],
)
@pytest.mark.usefixtures("fragile")
def test_a_failed_call_is_told_by_its_cell(kernel: Kernel, call: str) -> None:
    error = kernel.fails(call)
    assert error.name == "CallError"
    said = "\n".join(error.traceback)
    assert "line 4, in half" in said
    assert 'raise MemoryError(f"{number:g} is too large")' in said
    assert "MemoryError: 101 is too large" in said
    assert "%bento_logs fragile shows the whole traceback" in said


@pytest.mark.usefixtures("fragile")
def test_failures_at_the_same_time_are_told_apart(kernel: Kernel) -> None:
    kernel.run("errors = dep.map('half', [101.0, 2.0, 102.0, 103.0], parallel=4, errors='return')")
    assert kernel.run(
        "print([each.cells[-1] for each in errors if isinstance(each, Exception)])"
    ).strip() == str([f"MemoryError: {number} is too large" for number in (101, 102, 103)])


@pytest.mark.usefixtures("fragile")
def test_the_id_of_a_failed_request_is_in_the_log(kernel: Kernel) -> None:
    kernel.run("try:\n    dep.half(101.0)\nexcept Exception as error:\n    failed = error")
    assert "Exception on /half" in kernel.run("print(dep.logs(q=failed.request_id))")


@pytest.fixture(scope="module")
def noting(kernel: Kernel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A service, seen by four notebooks' variables in its first version; then the second one answers."""
    notes = tmp_path_factory.mktemp("notes") / "notes.txt"
    kernel.run(FIRST)
    kernel.run(f"bj.deploy('noting', mode='online', envs={{'NOTES': {str(notes)!r}}})")
    for name in ("fails", "refuses", "renamed"):
        assert kernel.run(f"{name} = bj.deployment('noting'); {name}.{name}(1)") == "1"
    kernel.run("import pandas as pd")
    assert kernel.run("table = bj.deployment('noting'); table.table(pd.DataFrame({'a': [1]}))") == "1"
    kernel.run(THEN)
    kernel.run(f"noted = bj.deploy('noting', mode='online', envs={{'NOTES': {str(notes)!r}}})")

    def ran() -> list[str]:
        """Which versions have run since one looked last."""
        found = notes.read_text().split()
        notes.write_text("")
        return found

    return ran


def test_an_endpoint_that_failed_in_a_newer_version_is_not_run_again(kernel: Kernel, noting: Any) -> None:
    noting()
    assert kernel.fails("fails.fails(2)").value.endswith("check the server log.")
    assert noting() == ["then"]


def test_an_endpoint_that_refuses_by_itself_is_not_run_again(kernel: Kernel, noting: Any) -> None:
    noting()
    assert "not this one" in kernel.fails("refuses.refuses(2)").value
    assert noting() == ["then"]


def test_inputs_that_a_newer_version_did_not_take_are_sent_as_it_wants_them(
    kernel: Kernel, noting: Any
) -> None:
    noting()
    assert kernel.run("renamed.renamed(2)") == "2"
    assert noting() == ["then"]


def test_an_answer_to_what_a_newer_version_would_not_have_been_sent_is_told(
    kernel: Kernel, noting: Any
) -> None:
    noting()
    error = kernel.fails("table.table(pd.DataFrame({'a': [1]}))")
    assert "takes its inputs in another form" in error.value
    assert "call again" in error.traceback[-2]
    assert noting() == ["then"]
    assert kernel.run("table.table(pd.DataFrame({'a': [1]}))") == "1"
    assert noting() == ["then"]


@pytest.fixture(scope="module")
def narrow(kernel: Kernel, noting: Any) -> Iterator[str]:
    """URLs of an open deployment, and of one that lets one request in and one wait, not for long; token."""
    kernel.run(
        "narrow = bj.deploy(noted.bento, name='narrow', mode='online', max=1, concurrency=1, queue=1, "
        "timeout=2, cold_start_timeout=1, protected=True)"
    )
    yield kernel.run("print(noted.url, narrow.url, narrow.cloud.token)").strip()
    kernel.run("narrow.delete()")


def refused(narrow: str, status: int) -> CallError:
    """The error of a call that is answered with a status."""
    open_url, url, token = narrow.split()
    endpoints = Endpoints(url, token)
    phantom = {"routes": [{"name": "gone", "route": "/gone", "input": {}, "output": {}}]}
    asks: dict[int, Any] = {
        400: lambda: endpoints.send("fails", {"x": "text"}),
        401: lambda: Endpoints(url, "wrong", endpoints.schema).call("rest", 0.0),
        403: lambda: Endpoints(
            open_url, None, endpoints.schema, httpx.Client(headers={"Host": "evil.example.com"})
        ).call("rest", 0.0),
        404: lambda: Endpoints(url, token, phantom).call("gone"),
        413: lambda: Endpoints(url, token, endpoints.schema).submit("work", "x" * (128 * 2**20)),
        500: lambda: endpoints.call("fails", 1),
        504: lambda: endpoints.call("rest", 30.0),
    }
    if status in asks:
        with pytest.raises(CallError) as caught:
            asks[status]()
        return caught.value
    _ = endpoints.schema
    found = []

    def ask(seconds: float) -> None:
        try:
            endpoints.call("rest", seconds)
        except CallError as error:
            found.append(error)

    # One is worked on, one waits until it may wait no longer, one finds no room to wait.
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, [1.8, 1.8, 1.8]))
    return next(error for error in found if error.status_code == status)


@pytest.mark.parametrize(
    ("status", "said", "hint"),
    [
        (400, "x: Input should be a valid integer", "the inputs do not fit"),
        (401, "token", "Authorization: Bearer"),
        (403, "not called by this name", "call it by address"),
        (404, "Not Found", "%bento_status shows the endpoints"),
        (413, "the input of a task may have", "pass large data by a URL"),
        (429, "wait", "try"),
        (500, "check the server log", "%bento_logs"),
        (503, "were busy for 1 s", "raise the deployment's max instances"),
        (504, "did not answer within 2 s", "a larger `timeout`"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(narrow: str, status: int, said: str, hint: str) -> None:
    error = refused(narrow, status)
    assert error.status_code == status
    assert said in error.message
    assert hint in error.hint
    assert error.request_id
    assert error.may_have_run == (status in (500, 504))
