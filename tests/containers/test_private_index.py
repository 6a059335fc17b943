"""Images of Bentos whose packages are in an index that only this machine's user may read."""

from __future__ import annotations

import tarfile
import threading
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import boxes
import pytest
from built_bento import build_bento
from private_index import PASSWORD, PrivateIndex

from bento_jupyter.cloud.builders import BUILDERS
from bento_jupyter.cloud.oci import OciImage, containerize, oci_key
from bento_jupyter.errors import EnvironmentBuildError
from bento_jupyter.home import Home

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

#: The base image of the tests trusts the machine's own authorities, and this one none of its own.
BARE = "localhost/bento-jupyter-tests/bare:1"
CONTAINERFILE = f'FROM {boxes.BASE}\nENV SSL_CERT_FILE="" PIP_CERT="" REQUESTS_CA_BUNDLE=""\n'
SOURCE = f"""
import bentoml

IMAGE = bentoml.images.Image(base_image="{BARE}", distro="", lock_python_packages=False)
IMAGE.run('echo "told: $TOLD" # {uuid.uuid4()}: no layer of an earlier run is taken')

@bentoml.service(image=IMAGE)
class Boxed:
    @bentoml.api
    def predict(self, number: int) -> int:
        import hers

        return hers.TIMES * number
"""
WHEEL = "hers-1.0-py3-none-any.whl"
FILES = {
    "hers.py": "TIMES = 3\n",
    "hers-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: hers\nVersion: 1.0\n",
    "hers-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "hers-1.0.dist-info/RECORD": "hers.py,,\nhers-1.0.dist-info/METADATA,,\nhers-1.0.dist-info/WHEEL,,\n",
}


@pytest.fixture(scope="module")
def index(podman: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateIndex]:
    """The index, with the package `hers`; and the image in which nothing is said about it."""
    folder = tmp_path_factory.mktemp("index")
    (folder / "simple" / "hers").mkdir(parents=True)
    with zipfile.ZipFile(folder / "simple" / "hers" / WHEEL, "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
    (folder / "Containerfile").write_text(CONTAINERFILE)
    boxes.ask("podman", "build", "--tag", BARE, "--file", str(folder / "Containerfile"), str(folder))
    with PrivateIndex(folder) as index:
        yield index


@pytest.fixture
def trusted(index: PrivateIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PrivateIndex:
    """This process is set up for the index, as its user's shell is."""
    certificates = tmp_path / "certificates.pem"
    known = Path(boxes.BUILD / "context" / "certificates.pem").read_text(encoding="utf-8")
    certificates.write_text(known + index.authority.read_text(encoding="ascii"), encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    monkeypatch.setenv("UV_INDEX", index.url)
    return index


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_a_build_finds_what_the_user_finds_and_leaves_no_password(
    trusted: PrivateIndex, builder: str, tmp_path: Path
) -> None:
    bento = build_bento(tmp_path, SOURCE, service="service.py:Boxed", name=builder, packages=["hers"])
    lines: list[str] = []
    image = build(bento, tmp_path, builder, lines, {"TOLD": "a-secret-of-the-deployment"})
    assert any(path.endswith(WHEEL) for path in trusted.asked)
    ran = boxes.ask(
        "podman",
        "run",
        "--rm",
        "--network=host",
        "--entrypoint=/app/.venv/bin/python",
        image.reference,
        "-c",
        "import hers; print(hers.TIMES)",
    )
    assert ran.strip() == "3"
    log = "\n".join(lines)
    assert "told: ****" in log
    hidden = (PASSWORD, "a-secret-of-the-deployment")
    said = boxes.ask("podman", "history", "--no-trunc", image.reference)
    said += boxes.ask("podman", "image", "inspect", image.reference)
    assert not [word for word in hidden if word in log + said]
    assert not found_in(image, hidden, tmp_path / "image.tar")
    boxes.ask("podman", "rmi", image.reference)


def test_a_failed_build_names_what_was_not_found_and_no_password(
    trusted: PrivateIndex, tmp_path: Path
) -> None:
    bento = build_bento(tmp_path, SOURCE, service="service.py:Boxed", name="lost", packages=["hers==9"])
    lines: list[str] = []
    with pytest.raises(EnvironmentBuildError) as caught:
        build(bento, tmp_path, "podman", lines, {})
    assert "hers==9" in caught.value.log
    assert PASSWORD not in "\n".join([*lines, caught.value.log, caught.value.message])


def build(bento: Path, folder: Path, name: str, lines: list[str], secrets: dict[str, str]) -> OciImage:
    """What the cloud does for a deployment."""
    home = Home(folder / "home")
    home.create()
    [builder] = [each for each in BUILDERS if each.name == name]
    assert builder.refusal() == ""
    cancelled = threading.Event()
    return containerize(
        home, bento, oci_key(bento), builder, log=lines.append, cancelled=cancelled, secrets=secrets
    )


def found_in(image: OciImage, words: Sequence[str], file: Path) -> list[str]:
    """Which of these words are in some file in some layer of an image, or in its own settings."""
    boxes.ask("podman", "save", "--quiet", "--output", str(file), image.reference)
    found = []
    with tarfile.open(file) as saved:
        for part in saved:
            stream = saved.extractfile(part)
            content = stream.read() if stream is not None else b""
            found += [word for word in words if word.encode() in content]
    return found
