"""Interrupts of a real kernel: a clear end, nothing half done, and the same line works afterwards."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from kernels import CellError, Kernel, Workplace

#: A Bento that starts as slowly as it is told to: an interrupt must not come when all is over.
SLOW = """import os, time

class Slow:
    def __init__(self):
        self.factor = 2

    def __setstate__(self, state):
        self.__dict__.update(state)
        time.sleep(float(os.environ.get("SLOW", "0")))

    def twice(self, number: float) -> float:
        return number * self.factor

slow = bj.build("slow", Slow(), sample={"twice": 1.0}, endpoints=["twice"])"""


@pytest.fixture(scope="module", autouse=True)
def environment(kernel: Kernel) -> None:
    """The environment of the proofs is there, so that the steps take their time one after another."""
    kernel.run("warm = bj.build('warm', clf, sample=X[:5])")


def interrupted(kernel: Kernel, code: str, when: str) -> CellError:
    """Interrupt a cell as soon as an output of it has the words `when`; returns how it ended."""
    done = threading.Event()

    def hook(message: dict[str, Any]) -> None:
        data = message["content"].get("data") or {"text/plain": message["content"].get("text", "")}
        if when in data.get("text/plain", "") and not done.is_set():
            done.set()
            kernel.manager.interrupt_kernel()

    reply = kernel.client.execute_interactive(code, timeout=120, output_hook=hook, allow_stdin=False)
    content = reply["content"]
    assert done.is_set()
    assert content["status"] == "error", content
    return CellError(content["ename"], content["evalue"], content["traceback"])


@pytest.mark.parametrize("step", ["build", "prove"])
def test_a_build_that_is_stopped_leaves_nothing_and_can_be_run_again(
    kernel: Kernel, workplace: Workplace, step: str
) -> None:
    error = interrupted(kernel, f"%bento_build stop-{step} clf --sample X[:5]", f"◐ {step}")
    assert error.name == "Interrupted"
    assert error.value.startswith(f"Building stop-{step} was stopped")  # or in what comes after the last step
    assert len(error.traceback) <= 2
    for kind in ("bentos", "models"):
        assert [path.name for path in (workplace.store / kind).iterdir()] == ["warm"]
    assert list(workplace.home.projects.glob(f"stop-{step}-*")) == []
    assert list(workplace.home.sockets.iterdir()) == []
    assert workplace.processes() == []
    assert "✓ proven" in kernel.run(f"%bento_build stop-{step} clf --sample X[:5]")
    kernel.run(f"import bentoml; bentoml.delete('stop-{step}'); bentoml.models.delete('stop-{step}')")


def test_a_call_that_is_stopped_says_so_in_a_line(kernel: Kernel) -> None:
    kernel.run("dep = bj.deploy(warm, mode='on-demand')")
    error = interrupted(kernel, "%bento_call warm X[:5]", "held while an instance starts")
    assert (error.name, error.value) == ("Interrupted", "Calling warm was stopped at answer")
    assert "array([0, 0])" in kernel.run("%bento_call warm X[:2]")


def test_a_deployment_whose_wait_is_stopped_goes_on(kernel: Kernel) -> None:
    kernel.run(SLOW)
    error = interrupted(kernel, "%bento_deploy slow --name goes-on --env SLOW=5", "◐ deploy")
    assert "goes-on goes on in embedded" in error.traceback[-1]
    kernel.run("bj.deployment('goes-on').wait()")


def test_following_a_log_ends_with_an_interrupt_and_is_no_error(kernel: Kernel) -> None:
    with pytest.raises(AssertionError, match="'status': 'ok'"):
        interrupted(kernel, "%bento_logs warm --follow", "initialized")
