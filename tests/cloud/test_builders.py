"""What rootless containers lack on a machine is told, with what mends it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

#: It becomes nobody after its imports: the interpreter may be where only root reads.
LOOK = """
import os
from bento_jupyter.cloud.builders import rootless_lack

os.setuid(65534)
print(rootless_lack())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="it becomes a user of whom nothing is known: needs root")
@pytest.mark.parametrize(
    ("programs", "told"),
    [
        ((), "newuidmap and newgidmap (Debian, Ubuntu: apt install uidmap)"),
        (("newuidmap",), "it needs newgidmap"),
        (("newuidmap", "newgidmap"), "/etc/subuid and /etc/subgid (sudo usermod --add-subuids"),
    ],
    ids=["no programs", "one program", "no ids"],
)
def test_a_user_is_told_what_containers_without_root_lack(programs: tuple[str, ...], told: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for program in programs:
            Path(folder, program).write_text("#!/bin/sh\n")
            Path(folder, program).chmod(0o755)
        envs = {**os.environ, "PATH": folder}
        command = [sys.executable, "-c", LOOK]
        said = subprocess.run(command, env=envs, capture_output=True, text=True, check=True).stdout
    assert told in said
