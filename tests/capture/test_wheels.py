"""Wheels of what no index has: made from real installs of every kind, installed again elsewhere."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from user_environment import Kernel, pack, src_project, write

from bento_jupyter.capture.packages.wheels import by_name, compressed, local_distributions, this_platform

MODULE = """from ._version import VERSION

RATE = 0.5

def scaled(x):
    return x * RATE
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path / "kernel")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path / "elsewhere")


def setuptools_project(folder: Path, **more: str) -> Path:
    """A project with package data, a program, files that nobody should get, and a module that git ignores."""
    return write(
        folder,
        {
            "pyproject.toml": (
                '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
                '[project]\nname = "My.Tool"\nversion = "2.0+ours"\nrequires-python = ">=3.9"\n'
                'dependencies = ["packaging>=20"]\n'
                '[project.scripts]\nmy-tool = "my_tool.cli:main"\n'
                '[tool.setuptools.package-data]\nmy_tool = ["*.json"]\n'
            ),
            "my_tool/__init__.py": MODULE,
            "my_tool/_version.py": "VERSION = '2.0'\n",
            "my_tool/cli.py": "def main():\n    print('hello')\n",
            "my_tool/deep/__init__.py": "",
            "my_tool/words.json": '["a"]',
            "my_tool/.env": "TOKEN=of-the-developer",
            "my_tool/try.ipynb": "{}",
            "tests/test_it.py": "",
            ".env": "TOKEN=of-the-developer",
            **more,
        },
    )


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return set(archive.namelist())


def test_what_an_index_has_is_not_local() -> None:
    assert local_distributions(["packaging", "numpy", "pytest", "no-such-thing"]) == {}


def test_one_of_a_folder_is_repacked_and_works_elsewhere(
    kernel: Kernel, elsewhere: Kernel, tmp_path: Path
) -> None:
    kernel.build(str(setuptools_project(tmp_path / "source")))
    assert kernel.local("my-tool") == "installed from a folder"
    wheel = kernel.wheel("my-tool", tmp_path / "wheels")
    assert wheel.name == "My_Tool-2.0+ours-py3-none-any.whl"
    text = zipfile.ZipFile(wheel).read("My_Tool-2.0+ours.dist-info/METADATA").decode()
    assert "Requires-Dist: packaging>=20" in text
    assert not [
        name for name in names_in(wheel) if "direct_url" in name or "bin/" in name or name.endswith(".pyc")
    ]
    elsewhere.install(str(wheel))
    assert elsewhere.run("import my_tool; print(my_tool.scaled(3))") == 1.5
    read = (
        "import my_tool, pathlib; print((pathlib.Path(my_tool.__file__).parent / 'words.json').read_text())"
    )
    assert elsewhere.run(read) == ["a"]
    said = subprocess.run([elsewhere.folder / "bin" / "my-tool"], capture_output=True, text=True, check=True)
    assert said.stdout == "hello\n"
    assert elsewhere.wheel("my-tool", tmp_path / "again").read_bytes() == wheel.read_bytes()


def test_an_editable_install_is_packed_as_it_is_now(
    kernel: Kernel, elsewhere: Kernel, tmp_path: Path
) -> None:
    source = setuptools_project(tmp_path / "source", **{".gitignore": "_version.py\nscratch.json\n"})
    subprocess.run(["git", "init", "-q", str(source)], check=True)
    kernel.build("-e", str(source))
    write(source, {"my_tool/new.py": "NEW = 1\n", "my_tool/scratch.json": "[]"})
    assert kernel.local("my-tool") == "an editable install of a folder"
    assert kernel.origin("my_tool.cli") == "My.Tool"
    wheel = kernel.wheel("my-tool", tmp_path / "wheels")
    modules = {name for name in names_in(wheel) if ".dist-info/" not in name}
    assert modules == {
        "my_tool/__init__.py", "my_tool/_version.py", "my_tool/cli.py", "my_tool/deep/__init__.py",
        "my_tool/new.py", "my_tool/words.json",
    }  # fmt: skip
    elsewhere.install(str(wheel))
    assert elsewhere.run("import my_tool.new; print(my_tool.scaled(3) + my_tool.new.NEW)") == 2.5
    assert (elsewhere.folder / "bin" / "my-tool").is_file()


def test_the_same_files_give_the_same_bytes(kernel: Kernel, tmp_path: Path) -> None:
    source = setuptools_project(tmp_path / "source")
    kernel.build("-e", str(source))
    first = kernel.wheel("my-tool", tmp_path / "one").read_bytes()
    for file in source.rglob("*.py"):
        os.utime(file, (1, 1))
    assert kernel.wheel("my-tool", tmp_path / "two").read_bytes() == first


def test_a_path_file_leads_to_the_package(kernel: Kernel, elsewhere: Kernel, tmp_path: Path) -> None:
    files = {"company/brain/__init__.py": "def think():\n    return 7\n", "company/brain/deep.py": ""}
    source = src_project(tmp_path / "brain", "company_brain", files)
    other = src_project(tmp_path / "hand", "company_hand", {"company/hand.py": "FINGERS = 5\n"})
    kernel.build("-e", str(source), "-e", str(other))
    before = "import company.brain"
    wheel = kernel.wheel("company-brain", tmp_path / "wheels", before)
    assert {name for name in names_in(wheel) if ".dist-info" not in name} == set(files)
    elsewhere.install(str(wheel))
    assert elsewhere.run("import company.brain; print(company.brain.think())") == 7


def test_parts_of_a_namespace_belong_to_who_brings_them(kernel: Kernel, tmp_path: Path) -> None:
    kernel.build(
        "-e", str(src_project(tmp_path / "brain", "company_brain", {"company/brain/__init__.py": ""}))
    )
    kernel.build(str(src_project(tmp_path / "hand", "company_hand", {"company/hand.py": ""})))
    assert kernel.origin("company.brain") == "company_brain"
    assert kernel.origin("company.hand") == "company_hand"


def test_a_distribution_without_a_list_of_files_is_packed_by_its_modules(
    kernel: Kernel, elsewhere: Kernel, tmp_path: Path
) -> None:
    write(
        kernel.site,
        {
            "oldie/__init__.py": "AGE = 40\n",
            "oldie_extra.py": "EXTRA = 2\n",
            "oldie-0.9.egg-info/PKG-INFO": "Metadata-Version: 1.1\nName: oldie\nVersion: 0.9\n",
            "oldie-0.9.egg-info/top_level.txt": "oldie\noldie_extra\n",
            "oldie-0.9.egg-info/requires.txt": "packaging\n\n[fast]\nnumpy\n",
        },
    )
    assert kernel.origin("oldie") == "oldie"
    assert kernel.local("oldie") == "installed without pip"
    wheel = kernel.wheel("oldie", tmp_path / "wheels")
    text = zipfile.ZipFile(wheel).read("oldie-0.9.dist-info/METADATA").decode()
    assert "Requires-Dist: packaging\n" in text
    elsewhere.install(str(wheel))
    assert elsewhere.run("import oldie, oldie_extra; print(oldie.AGE + oldie_extra.EXTRA)") == 42


def test_a_link_of_setuptools_of_old_counts_as_editable(kernel: Kernel, tmp_path: Path) -> None:
    source = write(
        tmp_path / "source",
        {
            "veteran/__init__.py": "RANK = 1\n",
            "veteran.egg-info/PKG-INFO": "Metadata-Version: 1.1\nName: veteran\nVersion: 3.0\n",
            "veteran.egg-info/top_level.txt": "veteran\n",
            "notes.txt": "nothing for others",
        },
    )
    write(kernel.site, {"easy-install.pth": f"{source}\n", "veteran.egg-link": f"{source}\n."})
    assert kernel.origin("veteran") == "veteran"
    assert kernel.local("veteran") == "an editable install of a folder"
    wheel = kernel.wheel("veteran", tmp_path / "wheels")
    assert names_in(wheel) >= {"veteran/__init__.py", "veteran-3.0.dist-info/METADATA"}
    assert not any("notes" in name for name in names_in(wheel))


def test_large_files_that_lie_in_a_package_stay_out_and_are_told(kernel: Kernel, tmp_path: Path) -> None:
    source = setuptools_project(tmp_path / "source")
    kernel.build("-e", str(source))
    with (source / "my_tool" / "customers.csv").open("wb") as file:
        file.truncate(60_000_000)
    code = (
        "import json\nfrom bento_jupyter.capture.packages.wheels import local_warnings\n"
        "print(json.dumps(local_warnings(['my-tool', 'numpy'])))"
    )
    assert kernel.run(code) == ["customers.csv of My.Tool stays out: more than 50 MB"]
    assert "my_tool/customers.csv" not in names_in(kernel.wheel("my-tool", tmp_path / "wheels"))


CHANGED = """
import json, sys
import my_tool
from bento_jupyter.capture.packages.editable import changed_since_import
from bento_jupyter.capture.packages.installed import installed
file = my_tool.__file__
text = open(file).read()
seen = []
edits = [("", ""), ("return x", "# a comment\\n    return x"), ("0.5", "0.25"), ("x * RATE", "x + RATE")]
for old, new in edits:
    with open(file, "w") as handle:
        handle.write(text.replace(old, new) if old else text)
    seen.append(changed_since_import(installed()["my-tool"]))
print(json.dumps(seen))
"""


def test_code_that_changed_after_its_import_is_noticed(kernel: Kernel, tmp_path: Path) -> None:
    kernel.build("-e", str(setuptools_project(tmp_path / "source")))
    assert kernel.run(CHANGED) == [[], [], ["my_tool"], ["my_tool"]]


def test_a_change_after_the_import_is_told(kernel: Kernel, tmp_path: Path) -> None:
    kernel.build("-e", str(setuptools_project(tmp_path / "source")))
    code = (
        "import json, my_tool\nfrom bento_jupyter.capture.packages.wheels import local_warnings\n"
        "text = open(my_tool.__file__).read()\n"
        "open(my_tool.__file__, 'w').write(text.replace('0.5', '0.75'))\n"
        "print(json.dumps(local_warnings(['my-tool'])))"
    )
    (said,) = kernel.run(code)
    assert said.startswith("my_tool of My.Tool changed on disk since the kernel imported it")


def test_a_lost_file_is_named(kernel: Kernel, tmp_path: Path) -> None:
    kernel.build(str(setuptools_project(tmp_path / "source")))
    (kernel.site / "my_tool" / "cli.py").unlink()
    with pytest.raises(
        AssertionError, match=r"my_tool/cli\.py of My\.Tool 2\.0\+ours, installed from a folder"
    ):
        kernel.wheel("my-tool", tmp_path / "wheels")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("tool @ file:///home/me/tool", "tool"),
        ('tool[x] @ git+https://host/tool ; python_version > "3"', 'tool[x] ; python_version > "3"'),
        ("tool (>=2)", "tool (>=2)"),
        ('tool>=2; extra == "all"', 'tool>=2; extra == "all"'),
    ],
)
def test_requirements_name_no_place(given: str, expected: str) -> None:
    assert by_name(given) == expected


def test_tags_are_compressed_as_in_file_names() -> None:
    tags = ["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64"]
    assert compressed(tags) == "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64"


def test_a_wheel_for_one_platform_keeps_its_tags(kernel: Kernel, tmp_path: Path) -> None:
    tag = "-".join(this_platform().split("-"))
    given = pack(
        tmp_path / "given",
        "fast",
        {"fast/__init__.py": "SPEED = 9\n", "fast/core.so": "machine code"},
        tag=tag,
    )
    kernel.install(str(given))
    assert kernel.local("fast") == "installed from a file"
    made = kernel.wheel("fast", tmp_path / "wheels")
    assert made.name == given.name
    assert names_in(made) == names_in(given)


def test_one_of_a_repository_is_packed(kernel: Kernel, tmp_path: Path) -> None:
    source = src_project(tmp_path / "brain", "brain", {"brain.py": "THOUGHTS = 1\n"})
    git = ["git", "-C", str(source), "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    kernel.build(f"git+{source.as_uri()}")
    assert kernel.local("brain") == "installed from a git repository"
    wheel = kernel.wheel("brain", tmp_path / "wheels")
    assert "brain.py" in names_in(wheel)
    assert not [name for name in names_in(wheel) if "direct_url" in name]
