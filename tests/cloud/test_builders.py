"""What rootless containers lack on a machine is told, with what mends it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from bento_jupyter.cloud.oci import OciImage, push

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


@pytest.mark.parametrize(
    ("registry", "is_local"),
    [
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("127.1.2.3", True),
        ("[::1]:5000", True),
        ("localhost.example.com", False),
        ("127.example.com", False),
        ("127.0.0.1.example.com:5000", False),
        ("registry.example.com", False),
    ],
)
def test_only_a_registry_on_this_machine_is_reached_without_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: str, is_local: bool
) -> None:
    program = tmp_path / "podman"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    said: list[str] = []
    image = OciImage("key", "localhost/it:1", "sha256:0", 0, "podman", "podman")
    push(image, f"{registry}/team/it:1", said.append, threading.Event())
    assert any("--tls-verify=false" in line for line in said) == is_local
    assert any(f"docker://{registry}/team/it:1" in line for line in said)
