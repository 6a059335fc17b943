"""Real kernels on an embedded cloud of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from bento_jupyter.home import Home

ROOT = Path(__file__).parents[2]

FITTED = """
%load_ext bento_jupyter
import numpy as np
import bento_jupyter as bj
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
clf = LogisticRegression(max_iter=500).fit(X, y)
"""


class CellError(AssertionError):
    """A cell failed; says what its error output says."""

    def __init__(self, name: str, value: str, traceback: list[str]) -> None:
        super().__init__("\n".join(traceback))
        self.name = name
        self.value = value
        self.traceback = traceback


@dataclass
class Kernel:
    """A kernel to run cells in."""

    manager: Any
    client: Any
    outputs: list[dict[str, Any]] = field(default_factory=list)

    def run(self, code: str, timeout: float = 180, *, store_history: bool = True) -> str:
        """Run a cell; returns the text of its outputs, or raises `CellError`.

        Without history it is no cell of the notebook: `In` does not know it, and no number is used up.
        """
        texts: dict[str, str] = {}
        stream = ""  # the one that the last output was of

        def hook(message: dict[str, Any]) -> None:
            nonlocal stream
            content, kind = message["content"], message["header"]["msg_type"]
            self.outputs.append(content)
            before, stream = stream, content["name"] if kind == "stream" else ""
            if stream and stream == before:  # what one line prints may come in pieces
                texts[next(reversed(texts))] += content["text"]
            elif kind == "stream":
                texts[str(len(texts))] = content["text"]
            elif kind in ("display_data", "execute_result", "update_display_data"):
                key = content.get("transient", {}).get("display_id") or str(len(texts))
                texts[key] = content["data"].get("text/plain", "")

        reply = self.client.execute_interactive(
            code, timeout=timeout, output_hook=hook, allow_stdin=False, store_history=store_history
        )["content"]
        if reply["status"] == "error":
            raise CellError(reply["ename"], reply["evalue"], reply["traceback"])
        return "\n".join(texts.values())

    def fails(self, code: str) -> CellError:
        """Run a cell that has to fail; returns its error."""
        with pytest.raises(CellError) as caught:
            self.run(code)
        return caught.value


@dataclass(frozen=True)
class Workplace:
    """Homes of one cloud and one BentoML store, and the environment that points to them."""

    home: Home
    store: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("BENTO")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            **kept,
            "BENTO_JUPYTER_HOME": str(self.home.root),
            "BENTOML_HOME": str(self.store),
            "BENTOML_DO_NOT_TRACK": "True",
            "PYTHONPATH": str(ROOT),
        }

    def kernel(self, cwd: Path | None = None, **envs: str) -> Kernel:
        """A kernel, in a working folder and with environment variables of its own if so wanted."""
        options: dict[str, Any] = {"cwd": str(cwd)} if cwd else {}
        options |= {"env": {**self.environment, **envs}, "extra_arguments": ["--log-level=ERROR"]}
        try:
            return Kernel(*start_new_kernel(kernel_name="python3", **options))
        except RuntimeError:  # ports are chosen before they are bound: another kernel may have been faster
            return Kernel(*start_new_kernel(kernel_name="python3", **options))

    def processes(self) -> list[psutil.Process]:
        """What runs on behalf of this home: cloud, gateway, replicas."""
        found = []
        for process in psutil.process_iter():
            try:
                words = " ".join(process.cmdline())
                # The kernels of the tests have the home in their environment, too.
                if "bento_jupyter.cloud" in words:
                    words += process.environ().get("BENTO_JUPYTER_HOME", "")
                if str(self.home.root) in words:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def make_workplace(folder: Path) -> Workplace:
    store = folder / "bentoml"
    store.mkdir(parents=True)
    # Below a hidden folder, as the default home on Linux is: BentoML refuses some paths there.
    return Workplace(Home(folder / ".local" / "share" / "bento_jupyter"), store)
