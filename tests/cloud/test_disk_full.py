"""A full disk: 507 with a clear message, nothing changed, and all is well when there is room again."""

from __future__ import annotations

import io
import os
import resource
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from running_cloud import clean_environment, run_cloud

from bento_jupyter.cloud.store.unpacking import unpack
from bento_jupyter.errors import StorageFullError
from bento_jupyter.home import Home

MANIFEST = {"service": "s:S", "bentoml_version": "1.4.39", "size_bytes": 1}
MIB = 1024 * 1024


def tar_of(size: int) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as tar:
        for name, content in (("bento.yaml", b"name:"), ("data", os.urandom(size))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target.getvalue()


def register(cloud, version: str) -> str:
    cloud.http.post("/api/v1/bento_repositories", json={"name": "raw"}).raise_for_status()
    path = "/api/v1/bento_repositories/raw/bentos"
    cloud.http.post(path, json={"version": version, "manifest": MANIFEST}).raise_for_status()
    return f"{path}/{version}"


@pytest.fixture
def tiny_disk(tmp_path: Path):
    """A disk of 48 MiB that is nobody else's."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def free_on(disk: Path) -> int:
    return shutil.disk_usage(disk).free


def fill(disk: Path, leave: int = 0) -> Path:
    """Fill the disk to the last byte, or nearly."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(MIB))
        except OSError:
            pass
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            pass
        file.truncate(max(0, filler.stat().st_size - leave))
    return filler


def test_every_write_on_a_full_disk_is_a_507_and_changes_nothing(tiny_disk):
    cloud = run_cloud(Home(tiny_disk / "home"))
    try:
        kept, fresh = register(cloud, "v1"), register(cloud, "v2")
        content = tar_of(100_000)
        cloud.http.put(f"{kept}/upload", content=content).raise_for_status()
        before = cloud.http.get("/api/v2/deployments").json()["total"]
        filler = fill(tiny_disk)
        for answer in (
            cloud.http.put(f"{fresh}/upload", content=content),
            cloud.http.put(f"{kept}/upload", content=tar_of(200_000)),
            cloud.http.patch(kept, json={"manifest": {**MANIFEST, "long": "x" * 8 * MIB}}),
            cloud.http.post("/api/v1/model_repositories", json={"name": "m", "description": "x" * 8 * MIB}),
        ):
            assert answer.status_code == 507, answer.text
            assert "disk" in answer.json()["error"]
            assert "full" in answer.json()["error"]
        assert cloud.http.get("/api/v2/deployments").json()["total"] == before
        record = cloud.http.get(kept).json()
        assert (record["upload_status"], record["manifest"]) == ("success", MANIFEST)
        assert cloud.http.get(f"{kept}/download").content == content
        assert cloud.http.get(fresh).json()["upload_status"] != "success"
        assert cloud.http.get("/api/v1/model_repositories/m").status_code == 404
        assert list((cloud.home.cloud / "incoming").iterdir()) == []
        assert cloud.http.get("/api/bj/v1/cloud").status_code == 200
        filler.unlink()
        cloud.http.put(f"{fresh}/upload", content=content).raise_for_status()
        assert cloud.http.get(f"{fresh}/download").content == content
    finally:
        assert cloud.stop() == 0


def test_an_upload_larger_than_the_disk_is_refused_before_it_comes(tiny_disk):
    cloud = run_cloud(Home(tiny_disk / "home"))
    try:
        path = register(cloud, "v1")
        answer = cloud.http.put(f"{path}/upload", content=bytes(60 * MIB))
        assert answer.status_code == 507
        assert "61 MiB are needed" in answer.json()["error"]
    finally:
        cloud.stop()


def test_an_upload_of_unknown_length_leaves_room_for_all_else(tiny_disk):
    cloud = run_cloud(Home(tiny_disk / "home"))
    try:
        path = register(cloud, "v1")
        content = tar_of(40 * MIB)
        pieces = (content[place : place + MIB] for place in range(0, len(content), MIB))
        least = free_on(tiny_disk)

        def watched() -> Iterator[bytes]:
            nonlocal least
            for piece in pieces:
                least = min(least, free_on(tiny_disk))
                yield piece

        try:
            answer = cloud.http.put(f"{path}/upload", content=watched())
            assert answer.status_code == 507
            assert "16 MiB are to stay free" in answer.json()["error"]
        except httpx.WriteError:
            pass  # the answer came while more was sent, and the connection was gone then
        assert least >= 15 * MIB
        assert cloud.http.get(path).json()["upload_status"] != "success"
        assert list((cloud.home.cloud / "incoming").iterdir()) == []
    finally:
        cloud.stop()


def test_a_folder_is_unpacked_only_where_room_is_left(tiny_disk):
    archive = tiny_disk / "a.tar"
    archive.write_bytes(tar_of(20 * MIB))
    (tiny_disk / "target").mkdir()
    with pytest.raises(StorageFullError, match="16 MiB are to stay free"):
        unpack(archive, tiny_disk / "target")


def test_a_killed_cloud_starts_again_on_a_full_disk_or_says_why_not(tiny_disk):
    home = Home(tiny_disk / "home")
    cloud = run_cloud(home)
    path = register(cloud, "v1")
    content = tar_of(50_000)
    cloud.http.put(f"{path}/upload", content=content).raise_for_status()
    cloud.stop(9)
    filler = fill(tiny_disk)
    done = subprocess.Popen(
        [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(home.root)],
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        try:
            _, said = done.communicate(timeout=8)
            assert done.returncode == 1
            assert "space" in said or "full" in said
        except subprocess.TimeoutExpired:
            pass  # it runs
    finally:
        done.kill()
        done.wait()
    filler.unlink()
    again = run_cloud(home)
    try:
        assert again.http.get(f"{path}/download").content == content
    finally:
        again.stop()


def test_a_limit_on_the_size_of_files_is_told_like_a_full_disk(start_cloud, tmp_path):
    cloud = start_cloud(Home(tmp_path / "home"))
    path = register(cloud, "v1")
    if not hasattr(resource, "prlimit"):
        pytest.skip("needs prlimit")
    resource.prlimit(cloud.process.pid, resource.RLIMIT_FSIZE, (MIB, MIB))
    answer = cloud.http.put(f"{path}/upload", content=tar_of(3 * MIB))
    assert answer.status_code == 507
    assert cloud.http.get(path).json()["upload_status"] != "success"
    assert cloud.http.put(f"{path}/upload", content=tar_of(MIB // 2)).status_code == 200
