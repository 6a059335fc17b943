"""Which distribution brings a module, and the lock of what is needed: from real installs."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from user_environment import Kernel, pack, src_project, write

from bento_jupyter.capture.packages.distributions import Distributions, Lock, closure, pin_name
from bento_jupyter.capture.packages.installed import installed
from bento_jupyter.capture.packages.pythons import missing_on, python_problems

LOCK = """
import json, sys
from bento_jupyter.capture.packages.distributions import closure
from bento_jupyter.errors import BuildError
try:
    lock = closure(sys.argv[1:])
    print(json.dumps([lock.pins, lock.absent]))
except BuildError as error:
    print(json.dumps(str(error)))
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path / "kernel")


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("sklearn.pipeline", "scikit-learn"),
        ("yaml", "PyYAML"),
        ("_yaml", "PyYAML"),
        ("dateutil.parser", "python-dateutil"),
        ("opentelemetry.sdk.trace", "opentelemetry-sdk"),
        ("json.decoder", ""),
        ("builtins", ""),
        ("no_such_module_anywhere", None),
        ("__main__", None),
    ],
)
def test_modules_belong_to_distributions(module: str, expected: str | None) -> None:
    assert Distributions.installed().origin(module) == expected


def test_what_is_taken_from_a_shared_package_decides() -> None:
    installed_now = Distributions.installed()
    assert installed_now.origin("opentelemetry", ["sdk"]) == "opentelemetry-sdk"
    assert installed_now.origin("opentelemetry", ["trace"]) == "opentelemetry-api"


def test_of_two_that_bring_the_same_module_the_one_whose_files_are_there_counts(
    kernel: Kernel, tmp_path: Path
) -> None:
    plain = pack(tmp_path, "vision_full", {"vision/__init__.py": "KIND = 'full'\n"})
    bare = pack(tmp_path, "vision_headless", {"vision/__init__.py": "KIND = 'headless'\n"})
    kernel.install(str(plain))
    kernel.install(str(bare))
    assert kernel.origin("vision") == "vision_headless"
    kernel.install("--reinstall", str(plain))
    assert kernel.origin("vision") == "vision_full"


def test_the_lock_is_what_is_installed_and_closed() -> None:
    lock = closure(["pandas", "scikit-learn"])
    pinned = {pin_name(pin): pin.partition("==")[2] for pin in lock.pins}
    assert {"pandas", "scikit-learn", "numpy", "scipy", "joblib"} <= set(pinned)
    assert pinned["numpy"] == version("numpy")
    for name in pinned:
        for wanted in installed()[name].requires:
            if wanted.marker is None:
                assert pin_name(wanted.name) in pinned, f"{name} needs {wanted}"
    assert lock.pins == sorted(lock.pins, key=pin_name)
    assert "scikit-learn" in lock.needed_by["scipy"]


def test_extras_that_metadata_asks_for_are_followed(kernel: Kernel, tmp_path: Path) -> None:
    extra = (
        'Provides-Extra: fast\nRequires-Dist: wings; extra == "fast"\nRequires-Dist: legs; extra == "slow"\n'
    )
    for wheel in (
        pack(tmp_path, "rider", {"rider.py": ""}, "Requires-Dist: Animal[fast]>=1\n"),
        pack(tmp_path, "animal", {"animal.py": ""}, extra),
        pack(tmp_path, "wings", {"wings.py": ""}, 'Requires-Dist: hooves; sys_platform == "win32"\n'),
    ):
        kernel.install(str(wheel))
    pins, absent = kernel.run(LOCK, "rider")
    assert pins == ["animal==1.0", "rider==1.0", "wings==1.0"]
    assert absent == []
    assert kernel.run(LOCK, "animal") == [["animal==1.0"], []]
    assert kernel.run(LOCK, "animal[slow]") == [["animal==1.0"], ['legs; extra == "slow"']]


def test_a_pin_has_no_local_part(kernel: Kernel) -> None:
    info = "torchlike-2.13.0+cpu.dist-info"
    write(
        kernel.site,
        {
            "torchlike.py": "",
            f"{info}/METADATA": "Metadata-Version: 2.1\nName: torchlike\nVersion: 2.13.0+cpu\n",
            f"{info}/RECORD": "torchlike.py,,\n",
        },
    )
    assert kernel.run(LOCK, "torchlike") == [["torchlike==2.13.0"], []]
    assert kernel.local("torchlike") is None


def test_versions_that_do_not_go_together_are_refused_by_name(kernel: Kernel, tmp_path: Path) -> None:
    kernel.install(str(pack(tmp_path, "needy", {"needy.py": ""}, "Requires-Dist: given>=2\n")))
    kernel.install(str(pack(tmp_path, "given", {"given.py": ""})))
    refusal = kernel.run(LOCK, "needy")
    assert "needy 1.0 needs given>=2, but 1.0 is installed" in refusal


def test_the_lock_names_wheels_by_their_place() -> None:
    lock = Lock(["My_Tool==1.0", "numpy==2.0"], [])
    lines = lock.lines({"my-tool": Path("/somewhere/My_Tool-1.0-py3-none-any.whl")})
    assert lines == ["./wheels/My_Tool-1.0-py3-none-any.whl", "numpy==2.0"]


def test_an_editable_project_belongs_to_its_distribution(kernel: Kernel, tmp_path: Path) -> None:
    kernel.build("-e", str(src_project(tmp_path / "ours", "our_things", {"our_things/__init__.py": ""})))
    assert kernel.origin("our_things.deep") == "our_things"


def test_a_second_module_of_an_editable_project_is_found_once_it_is_imported(
    kernel: Kernel, tmp_path: Path
) -> None:
    files = {"our_things/__init__.py": "", "side_door.py": ""}
    kernel.build("-e", str(src_project(tmp_path / "ours", "our_things", files)))
    code = (
        "import json\nfrom bento_jupyter.capture.packages.distributions import Distributions\n"
        "before = Distributions.installed().origin('side_door')\nimport side_door\n"
        "print(json.dumps([before, Distributions.installed().origin('side_door')]))"
    )
    assert kernel.run(code) == [None, "our_things"]


def test_what_belongs_to_no_distribution_is_explained(kernel: Kernel) -> None:
    record = {"name": "odd-one", "version": "3.1", "files": ["lib/site-packages/oddity.py"]}
    write(kernel.folder, {"conda-meta/odd-one-3.1-0.json": json.dumps(record)})
    (kernel.folder / "lib" / "site-packages").mkdir(exist_ok=True)
    write(kernel.folder, {"lib/site-packages/oddity.py": "", "loose.py": ""})
    code = (
        "import json, sys, types\nfrom bento_jupyter.capture.packages.distributions import unknown\n"
        f"sys.path.insert(0, {str(kernel.folder / 'lib' / 'site-packages')!r})\n"
        "import oddity, loose\nsys.modules['made_here'] = types.ModuleType('made_here')\n"
        "print(json.dumps([unknown(name) for name in ('oddity.part', 'loose', 'made_here', 'nowhere')]))"
    )
    assert kernel.run(code) == [
        "conda's package odd-one 3.1 brought it, without what pip calls it",
        f"it comes from {kernel.folder / 'loose.py'}",
        "it was made in the notebook, not imported from a file",
        "it is not installed",
    ]


def test_what_is_installed_meanwhile_is_seen(kernel: Kernel, tmp_path: Path) -> None:
    wheel = pack(tmp_path, "latecomer", {"latecomer.py": ""})
    code = (
        "import json, os, subprocess, sys\n"
        "from bento_jupyter.capture.packages.distributions import Distributions\n"
        "before = Distributions.installed().origin('latecomer')\n"
        "import uv\n"
        "command = [uv.find_uv_bin(), 'pip', 'install', '-q', '--offline', '--python', sys.executable]\n"
        "subprocess.run([*command, sys.argv[1]], check=True)\n"
        "print(json.dumps([before, Distributions.installed().origin('latecomer')]))"
    )
    assert kernel.run(code, str(wheel)) == [None, "latecomer"]


def test_another_python_is_refused_with_the_distributions_that_do_not_run_there() -> None:
    pins = closure(["scikit-learn"]).pins
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert python_problems(pins, [], here) == []
    wanted = {pin_name(pin) for pin in pins if installed()[pin_name(pin)].requires_python}
    problems = python_problems(pins, [], "2.7")
    assert {pin_name(problem.split()[0]) for problem in problems} == wanted
    assert all("needs Python" in problem for problem in problems)


@pytest.mark.parametrize(
    ("wheel", "python", "runs"),
    [
        ("a-1-py3-none-any.whl", "3.14", True),
        ("a-1-py2.py3-none-any.whl", "3.10", True),
        ("a-1-py312-none-any.whl", "3.11", False),
        ("a-1-cp311-cp311-manylinux_2_28_x86_64.whl", "3.11", True),
        ("a-1-cp311-cp311-manylinux_2_28_x86_64.whl", "3.12", False),
        ("a-1-cp39-abi3-manylinux_2_28_x86_64.whl", "3.13", True),
        ("a-1-cp313-abi3-manylinux_2_28_x86_64.whl", "3.12", False),
        ("a-1-1build-cp310-cp310-macosx_11_0_arm64.whl", "3.10", True),
    ],
)
def test_a_wheel_runs_on_the_pythons_in_its_name(wheel: str, python: str, runs: bool) -> None:
    assert (python_problems([], [wheel], python) == []) is runs


def test_backports_that_another_python_needs_are_named(kernel: Kernel, tmp_path: Path) -> None:
    wheel = pack(
        tmp_path, "modern", {"modern.py": ""}, 'Requires-Dist: backport>=2; python_version < "3.4"\n'
    )
    kernel.install(str(wheel))
    code = (
        "import json\nfrom bento_jupyter.capture.packages.pythons import missing_on\n"
        "print(json.dumps([missing_on(['modern==1.0'], '3.3'), missing_on(['modern==1.0'], '3.12')]))"
    )
    assert kernel.run(code) == [["backport>=2"], []]
    assert missing_on(["no-such==1"], "3.12") == []


def test_uv_agrees_that_the_lock_is_complete(tmp_path: Path) -> None:
    """What uv makes of the direct requirements at these versions is what the lock says."""
    from uv import find_uv_bin

    lock = closure(["scikit-learn"])
    (tmp_path / "in").write_text("".join(f"{pin}\n" for pin in lock.pins))
    done = subprocess.run(
        [find_uv_bin(), "pip", "compile", "-q", "--no-header", "--no-annotate", str(tmp_path / "in")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {
        pin_name(line): Version(line.partition("==")[2]) for line in done.stdout.splitlines() if "==" in line
    }
    assert {Requirement(pin).name.lower().replace("_", "-") for pin in lock.pins} == set(found)
