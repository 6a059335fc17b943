"""What a wheel holds, built without Node from a checkout that has the bundle."""

from __future__ import annotations

import zipfile

import pytest
from wheels import ROOT, build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built where no Node can be found."""
    return zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel")))


def test_a_wheel_holds_both_halves_of_the_product(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    data = "bento_jupyter-0.1.0.data/data/"
    for name in (
        "bento_jupyter/py.typed",
        "bento_jupyter/replica.py",
        "bento_jupyter/cloud/store/migrations/env.py",
        f"{data}share/jupyter/labextensions/bento-jupyter/package.json",
        f"{data}share/jupyter/labextensions/bento-jupyter/install.json",
        f"{data}etc/jupyter/jupyter_server_config.d/bento_jupyter.json",
    ):
        assert name in names
    assert any("labextensions/bento-jupyter/static/remoteEntry" in name for name in names)
    assert any(name.startswith("bento_jupyter/cloud/store/migrations/versions/") for name in names)


def test_a_wheel_holds_the_bundle_once_and_no_leftovers(wheel: zipfile.ZipFile) -> None:
    for name in wheel.namelist():
        assert not name.startswith(("bento_jupyter/labextension/", "labextension/", "tests/"))
        assert "node_modules" not in name
        assert not name.endswith(".pyc")


def test_a_wheel_names_no_path_of_the_machine_that_built_it(wheel: zipfile.ZipFile) -> None:
    for name in wheel.namelist():
        assert str(ROOT).encode() not in wheel.read(name), name


def test_everything_that_is_not_python_comes_along(wheel: zipfile.ZipFile) -> None:
    package = ROOT / "bento_jupyter"
    here = {
        str(path.relative_to(ROOT))
        for path in package.rglob("*")
        if path.is_file()
        and path.suffix not in (".pyc", ".py")
        and not {"__pycache__", "labextension", "jupyter-config"} & set(path.parts)
    }
    assert here <= set(wheel.namelist())
