"""`model_files.py` of a project: the model is found wherever the project or its Bento is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from bento_jupyter.capture.project import shipped
from bento_jupyter.launcher import launch_replica

SHIPPED = Path(shipped.__file__).parent / "model_files.py"
SERVICE = """
from pathlib import Path

import bentoml
from model_files import bento_model, folder

MODEL = bento_model(Path(__file__).parent)
AT_IMPORT = (folder(MODEL) / "deep" / "words.txt").read_text()
image = bentoml.images.Image(lock_python_packages=False)

@bentoml.service(name="told", image=image)
class Told:
    files = MODEL

    @bentoml.api
    def words(self) -> str:
        return AT_IMPORT + "|" + (folder(MODEL) / "deep" / "words.txt").read_text() + "|" + str(folder(MODEL))
"""
BENTOFILE = """
service: "service:Told"
name: told
include: ["/service.py", "/model_files.py", "/model/model.json"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one model, and an empty store."""
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "store"))
    monkeypatch.setenv("BENTOML_DO_NOT_TRACK", "True")
    folder = tmp_path / "project"
    (folder / "model" / "deep").mkdir(parents=True)
    shutil.copyfile(SHIPPED, folder / "model_files.py")
    (folder / "service.py").write_text(SERVICE)
    (folder / "bentofile.yaml").write_text(BENTOFILE)
    describe(folder, "told:one", "hello")
    return folder


def describe(project: Path, tag: str, words: str) -> None:
    (project / "model" / "deep" / "words.txt").write_text(words)
    about = {
        "tag": tag,
        "files": {"deep/words.txt": hashlib.sha256(words.encode()).hexdigest()},
        "labels": {"framework": "text"},
        "metadata": {"python": "3.11", "objects": {"words": {"class": "str"}}},
    }
    (project / "model" / "model.json").write_text(json.dumps(about))


def bentoml(*arguments: str, cwd: Path, home: Path | None = None) -> str:
    envs = os.environ | ({"BENTOML_HOME": str(home)} if home else {})
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=envs,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def load(project: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Import the service of a project, as BentoML does to serve and to build it."""
    code = "import bentoml; print(bentoml.load('.').inner.files.resolve().path)"
    envs = {**os.environ, "BENTOML_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=envs, capture_output=True, text=True, check=False
    )


def test_plain_bentoml_build_takes_the_model_along(project: Path, tmp_path: Path) -> None:
    bentoml("build", "--version", "v1", cwd=project)
    store = tmp_path / "store"
    assert (store / "models/told/one/deep/words.txt").read_text() == "hello"
    bento = store / "bentos/told/v1"
    assert "told:one" in (bento / "bento.yaml").read_text()
    assert not (bento / "src/model/deep").exists()
    made = (store / "models/told/one/model.yaml").stat().st_mtime_ns
    bentoml("build", "--version", "v2", cwd=project)
    assert [path.name for path in (store / "models/told").iterdir() if path.is_dir()] == ["one"]
    assert (store / "models/told/one/model.yaml").stat().st_mtime_ns == made


@pytest.mark.parametrize("where", ["of the store", "unpacked with its models", "of another store"])
def test_a_served_bento_finds_its_model(project: Path, tmp_path: Path, where: str) -> None:
    bentoml("build", "--version", "v1", cwd=project)
    home = tmp_path / "store"
    if where == "of another store":
        bentoml("export", "told:v1", str(tmp_path / "told.bento"), cwd=tmp_path)
        home = tmp_path / "other"
        home.mkdir()
        bentoml("import", str(tmp_path / "told.bento"), cwd=tmp_path, home=home)
        shutil.rmtree(tmp_path / "store")
    shutil.rmtree(project)
    bento, expected, envs = home / "bentos/told/v1", home / "models/told/one", {"BENTOML_HOME": str(home)}
    if where == "unpacked with its models":  # as in a container, and in this package's cloud
        shutil.move(home / "models", bento / "models")
        expected, envs = bento / "models/told/one", {}
    with launch_replica(
        Path(sys.executable),
        bento,
        tmp_path / "s",
        envs=envs,
        log=tmp_path / "log",
        scratch=tmp_path / "scratch",
    ) as replica:
        replica.wait_ready(60)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(replica.socket_path))) as client:
            answer = client.post("http://bento/words", json={}, timeout=30)
    assert answer.text == f"hello|hello|{expected.resolve()}"


def test_a_project_is_served_from_its_folder(project: Path, tmp_path: Path) -> None:
    done = load(project, tmp_path / "new store")
    assert done.stdout.strip() == str(tmp_path / "new store/models/told/one")


def test_a_copy_that_was_cut_off_is_made_again(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "store"
    assert load(project, home).returncode == 0
    (home / "models/told/one/deep/words.txt").unlink()
    assert load(project, home).returncode == 0
    assert (home / "models/told/one/deep/words.txt").read_text() == "hello"


def test_a_changed_file_under_the_old_tag_is_refused(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "store"
    assert load(project, home).returncode == 0
    (project / "model/deep/words.txt").write_text("changed by hand")
    done = load(project, home)
    assert done.returncode != 0
    assert "words.txt is not the file that model.json describes" in done.stderr
    describe(project, "told:two", "changed by hand")
    assert load(project, home).stdout.strip() == str(home / "models/told/two")
