"""The actor of one instance: it holds the instance's share of its node, and the lifeline of its runner."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
from typing import Any

__all__ = ["Supervisor"]


class Supervisor:
    """Starts the runner and lives as long as that does; the runner ends when this process does.

    The runner leaves this process's group and is nobody's child: Ray kills both when a worker ends, but not
    what those have started. So it is the runner that sees to the end of all, by a pipe that only this
    process holds.

    Args:
        settings: What the runner is told.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        ray = importlib.import_module("ray")
        psutil: Any = importlib.import_module("psutil")  # Ray brings its own
        context = ray.get_runtime_context()
        settings |= {
            "node": context.get_node_id(),
            "host": ray.util.get_node_ip_address(),
            "gpus": [str(each) for each in ray.get_gpu_ids()],
        }
        folders = [os.getcwd(), os.path.dirname(os.path.dirname(psutil.__file__))]
        self._runner = subprocess.Popen(
            [sys.executable, "-m", "bento_jupyter.cloud.engines.ray_nodes.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
        )
        assert self._runner.stdin is not None
        self._runner.stdin.write(json.dumps(settings).encode() + b"\n")
        self._runner.stdin.flush()
        threading.Thread(target=self._wait, daemon=True).start()

    def over(self) -> None:
        """Return never: who waits for it learns of the end of this process."""
        threading.Event().wait()

    def _wait(self) -> None:
        assert self._runner.stdout is not None
        self._runner.stdout.read()  # until nobody holds its other end any more
        os._exit(0)
