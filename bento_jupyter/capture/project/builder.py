"""The process that builds a Bento, started before it is known what: most of its time goes into imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from bento_jupyter.errors import BuildError

__all__ = ["BUILD_TIMEOUT", "Builder", "build_envs"]

#: Seconds that a build may take; it copies files and imports bentoml.
BUILD_TIMEOUT = 600
#: Variables that would make the build's Python another one than the kernel's, or bentoml talk.
FOREIGN_ENVS = ("BENTOML_DEBUG", "BENTOML_QUIET", "BENTOML_VERBOSITY", "BENTOML_BUNDLE_LOCAL_BUILD")
#: What services import besides bentoml, where the kernel has it: worth importing ahead.
WARM = ("numpy", "pandas", "joblib")
#: `bentoml build --version VERSION` in the project that a line of JSON on the standard input names.
PROGRAM = """
import importlib, json, os, sys
from bentoml.bentos import build_bentofile
import _bentoml_sdk.images, _bentoml_sdk.service
for name in sys.argv[1:]:
    importlib.import_module(name)
order = json.loads(sys.stdin.readline() or "null")
if order is not None:
    os.chdir(order["project"])
    build_bentofile("bentofile.yaml", version=order["version"], build_ctx=".")
"""


def build_envs() -> dict[str, str]:
    """Environment variables for a process that builds."""
    envs = {key: value for key, value in os.environ.items() if key not in FOREIGN_ENVS}
    return envs | {"BENTOML_DO_NOT_TRACK": "True", "PYTHONDONTWRITEBYTECODE": "1"}


class Builder:
    """One process for one build; it imports bentoml and waits. Its context ends it in any case."""

    def __init__(self) -> None:
        # What it writes into the folder for temporary files goes with the folder; nothing of the notebook's
        # folder is found from there.
        self._scratch = tempfile.TemporaryDirectory(prefix="bento-build-")
        warm = [name for name in WARM if name in sys.modules]
        # In a session of its own: an interrupt of the kernel is ours to answer, by killing it.
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *warm], cwd=self._scratch.name,
            env=build_envs() | {"TMPDIR": self._scratch.name}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", start_new_session=True,
        )  # fmt: skip

    def build(self, project: Path, version: str) -> tuple[int, str]:
        """Build the Bento of a project; may be called once.

        Args:
            project: Its folder.
            version: The Bento's version.

        Returns:
            Exit code, and all that it wrote.

        Raises:
            BuildError: It took too long.
        """
        order = json.dumps({"project": str(project), "version": version})
        try:
            said, _ = self._process.communicate(f"{order}\n", timeout=BUILD_TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"building {project.name} took longer than {BUILD_TIMEOUT} s") from error
        return self._process.returncode, said

    def close(self) -> None:
        """End the process and remove its folder."""
        if self._process.poll() is None:
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        self._process.wait()
        self._scratch.cleanup()

    def __enter__(self) -> Builder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
