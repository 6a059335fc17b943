"""Every error of the tree, provoked in a real kernel; what a user reads is what was approved.

The texts are in `approved_errors.txt`. `APPROVE=1 pytest tests/notebooks/test_errors.py` writes them anew:
read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import CellError, Kernel, Workplace
from test_interrupts import interrupted

from bento_jupyter.errors import BentoJupyterError, Interrupted

APPROVED = Path(__file__).with_name("approved_errors.txt")

#: A class whose objects fail where they are told to: at a start, which can be slow, or when asked for much.
FRAGILE = """import os, time

class Fragile:
    def __init__(self):
        self.parts = 2

    def __setstate__(self, state):
        if os.environ.get("FRAGILE"):
            raise RuntimeError("the weights are gone")
        self.__dict__.update(state); time.sleep(float(os.environ.get("SLOW", "0")))

    def half(self, number: float) -> float:
        if number > 100:
            raise MemoryError("too large")
        return number / self.parts

fragile = Fragile()"""

#: Cells that fail, by the error they fail with. The first ones of a cell are what they need.
PROVOKED = {
    "BuildError": "%bento_build Bad!Name clf --sample X",
    "NotServableError": "%bento_build stuff stuff --sample X",
    "SampleError": "%bento_build iris clf",
    "ProofError": "%bento_build pid whose --sample 1.0",
    "EnvironmentBuildError": "prepare(Home.default(), './missing-1.0-py3-none-any.whl\\n')",
    "NoBuilderError": "Builders('none').find()",
    "CloudError": "elsewhere.metrics('fragile')",
    "CloudUnreachableError": "bj.connect('http://127.0.0.1:9', token='t')",
    "NotLoggedInError": "%bento_login http://127.0.0.1:9",
    "NotFoundError": "%bento_status frogile",
    "ConflictError": "dep.rollback(1)",
    "DatabaseVersionError": "Database(newer)",
    "DamagedContentError": "Archives(folder).verified('0' * 64)",
    "StorageFullError": "require_space(folder, 2 ** 60)",
    "InvalidRequestError": "%bento_deploy clf --sample X --name Not_This",
    "ReplicaStartError": (
        "try:\n    bj.build('wrong', Unready(), sample={'half': 1.0}, endpoints=['half'])\n"
        "except BentoJupyterError as error:\n    raise error.__cause__ from None"
    ),
    "DeploymentError": "%bento_deploy built --name broken --env FRAGILE=1",
    "CallError": "%bento_call fragile 101.0",
    "MagicUsageError": "%bento_status fragile --evnts",
    "WaitTimeoutError": "dep.wait_until('terminated', timeout=0)",
}

PREPARED = """
from pathlib import Path
import sqlite3, tempfile
from bento_jupyter.cloud.builders import Builders
from bento_jupyter.cloud.store.archives import Archives
from bento_jupyter.cloud.store.database import Database
from bento_jupyter.cloud.store.space import require_space
from bento_jupyter.environments import prepare
from bento_jupyter.errors import BentoJupyterError
from bento_jupyter.home import Home

stuff = {"a": 1}
folder = Path(tempfile.mkdtemp())
newer = folder / "newer.db"
with sqlite3.connect(newer) as rows:
    rows.execute("create table alembic_version (version_num varchar)")
    rows.execute("insert into alembic_version values ('9999')")

def whose(number: float) -> float:
    return number * os.getpid()

class Unready(Fragile):
    def __setstate__(self, state):
        raise RuntimeError("not here")

built = bj.build("fragile", fragile, sample={"half": 1.0}, endpoints=["half"])
dep = bj.deploy(built, mode="on-demand")
"""


def tree(error: type[BaseException] = BentoJupyterError) -> Iterator[str]:
    """Names of all errors below one."""
    for each in error.__subclasses__():
        yield each.__name__
        yield from tree(each)


def shown(error: CellError, workplace: Workplace) -> str:
    """What a user reads, without what is another in each run."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(line.rstrip() for line in error.traceback))
    text = text.replace(str(workplace.home.root), "HOME").replace(str(workplace.store), "STORE")
    for pattern, word in (
        (r"(127\.0\.0\.1|localhost):(?!9\b)\d+", r"\1:PORT"),
        (r"\b([a-z_]+):[a-z2-7]{16}\b", r"\1:VERSION"),
        (r"\b[0-9a-f]{24}\b", "KEY"),
        (r"/tmp/[^\s:'\"]*?/(?=[\w.-]+(?:[\s:'\"]|$))", "FOLDER/"),
        (r"(schema '9999'; this one knows up to )'\w+'", r"\1'HEAD'"),
        (r"[\d,]+ MiB are (needed|free)", r"N MiB are \1"),
        (r"cell \[\d+\]", "cell [N]"),
        (r"\d+\.\d+ (expected|served|in the notebook)", r"NUMBER \1"),
        (r"(exited|ended) (with|by) [^\n]*", r"\1 \2 ..."),
        (r"\d{4}-\d\d-\d\dT[\d:.+]+", "TIME"),
        (r"request [0-9a-f]{16,32}\b", "request ID"),
    ):
        text = re.sub(pattern, word, text)
    # Of what a replica wrote only the notebook's part: other frames are BentoML's, and Python's to draw.
    lines = [line for line in text.splitlines() if not re.fullmatch(r"  \|\s+\^+", line)]
    if "  what it wrote:" in lines:
        begin = lines.index("  what it wrote:") + 1
        lines[begin:-3] = []
    return "\n".join(lines)


def approved() -> dict[str, str]:
    """The approved texts by error."""
    parts = re.split(
        r"^## (\w+)\n", APPROVED.read_text(encoding="utf-8") if APPROVED.exists() else "", flags=re.M
    )
    return dict(zip(parts[1::2], (part.strip("\n") for part in parts[2::2]), strict=True))


@pytest.fixture(scope="module")
def errors(kernel: Kernel, workplace: Workplace) -> dict[str, CellError]:
    """What came of each provocation."""
    kernel.run(FRAGILE)
    kernel.run(PREPARED)
    kernel.run(
        "from bento_jupyter.client.cloud import Cloud\n"
        "here = bj.connect()\n"
        "elsewhere = Cloud('elsewhere', 'https://cloud.example.com', 't')"
    )
    found = {name: kernel.fails(code) for name, code in PROVOKED.items()}
    found["Interrupted"] = interrupted(kernel, "%bento_deploy built --name stopped --env SLOW=60", "◐ deploy")
    if os.environ.get("APPROVE"):
        texts = [f"## {name}\n{shown(error, workplace)}\n" for name, error in sorted(found.items())]
        APPROVED.write_text("\n".join(texts), encoding="utf-8")
    return found


def test_every_error_of_the_tree_is_provoked_and_its_text_approved() -> None:
    wanted = {*tree(), Interrupted.__name__}
    assert {*PROVOKED, "Interrupted"} == wanted
    assert set(approved()) == wanted


@pytest.mark.parametrize("name", sorted({*PROVOKED, "Interrupted"}))
def test_an_error_reads_as_it_was_approved(
    errors: dict[str, CellError], workplace: Workplace, name: str
) -> None:
    error = errors[name]
    text = shown(error, workplace)
    assert error.name == name, text
    assert text == approved()[name]
    assert "Traceback" not in text
    assert "\n  -> " in text, "there is no hint"
