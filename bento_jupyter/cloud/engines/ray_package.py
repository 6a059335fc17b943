"""What is sent to the nodes of a Ray cluster: the programs, environments and Bentos."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...environments import IMPORTS
from .ray_nodes.store import COMPLETE, WHOLE, environment_key

__all__ = ["Origin", "build_package", "send_archive"]

PACKAGE = Path(__file__).parents[2]
#: What the programs on the nodes need of this package; the rest of it stays here.
MODULES = (
    "errors.py",
    "launcher.py",
    "replica.py",
    "stock.py",
    "zygote.py",
    "forkserver.py",
    "cloud/engines/memory.py",
    "cloud/engines/private_files.py",
    "cloud/engines/ray_nodes/__init__.py",
    "cloud/engines/ray_nodes/agent.py",
    "cloud/engines/ray_nodes/runner.py",
    "cloud/engines/ray_nodes/store.py",
    "cloud/engines/ray_nodes/supervisor.py",
    "cloud/engines/ray_nodes/wire.py",
)
#: What belongs to the machine that an environment was built on, not to its content.
LOCAL = re.compile(
    rf"(bin/(python[^/]*|activate[^/]*|pydoc)|pyvenv\.cfg|lib64|\.lock|{re.escape(COMPLETE)}|{IMPORTS})"
)
#: Bytes that are sent at once.
CHUNK = 2**18


def build_package(settings: Mapping[str, Any]) -> tuple[str, bytes]:
    """The package with the programs, and the settings for the agent, with its own name among them.

    Returns:
        A name for it, by its content, and the bytes of a zip file.
    """
    files = {f"bento_jupyter/{name}": (PACKAGE / name).read_bytes() for name in MODULES}
    for folder in ("", "cloud/", "cloud/engines/"):
        files[f"bento_jupyter/{folder}__init__.py"] = b""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name in sorted(files):
        digest.update(name.encode() + files[name])
    package = f"_ray_pkg_{digest.hexdigest()[:16]}.zip"
    files["settings.json"] = json.dumps({**settings, "package": package}).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return package, buffer.getvalue()


class Origin:
    """An environment on this machine, to be made one on another.

    Args:
        python: Its interpreter.

    Attributes:
        folder: Its folder.
        version: Of its Python, e.g. "3.11".
        key: What it is known by on the nodes.
    """

    def __init__(self, python: Path) -> None:
        self.folder = python.parent.parent
        found = sorted(self.folder.glob("lib/python3.*"))
        self.version = found[-1].name.removeprefix("python") if found else ""
        self.key = environment_key(self.folder)


async def send_archive(folder: Path, writer: asyncio.StreamWriter, *, environment: bool) -> None:
    """Send a folder as a tar archive; what links lead to outside of a Bento goes along.

    Raises:
        OSError: It cannot be read, or nobody takes it.
    """
    loop = asyncio.get_running_loop()

    async def pass_on(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    class Outlet(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            asyncio.run_coroutine_threadsafe(pass_on(bytes(data)), loop).result()
            return len(data)

    def pack() -> None:
        with tarfile.open(fileobj=Outlet(), mode="w|", bufsize=CHUNK, dereference=not environment) as archive:
            for each in sorted(folder.iterdir()):
                archive.add(each, each.name, filter=portable if environment else None)

    await asyncio.to_thread(pack)
    await pass_on(WHOLE)


def portable(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """A member of an environment's archive; None = it stays here."""
    return None if LOCAL.fullmatch(member.name) else member
