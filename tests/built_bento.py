"""Bentos for tests, built by the real `bentoml` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

BUILD = """
import json, sys, bentoml
wish = json.loads(sys.argv[1])
bento = bentoml.build(
    wish["service"], build_ctx=wish["project"], name=wish["name"], version=wish["version"], **wish["options"],
    python={"packages": wish["packages"], "lock_packages": False},
)
print(bento.path)
"""


def build_bento(
    folder: Path,
    source: str,
    *,
    service: str = "service.py:Service",
    name: str = "tested",
    version: str = "v1",
    packages: Sequence[str] = (),
    **options: object,
) -> Path:
    """Build a Bento of one module; gives its folder, below `folder`."""
    project = folder / f"project-{name}-{version}"
    project.mkdir(parents=True, exist_ok=True)  # what else belongs to it may be there already
    (project / "service.py").write_text(textwrap.dedent(source), encoding="utf-8")
    wish = {
        "service": service,
        "project": str(project),
        "name": name,
        "version": version,
        "packages": list(packages),
        "options": options,
    }
    envs = {**os.environ, "BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    (folder / "bentoml").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, json.dumps(wish)], env=envs, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])
