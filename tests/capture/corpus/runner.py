"""Runs a case: its cells in a real kernel, what they built served once more, both compared; and judges."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from notebooks.kernels import CellError, Kernel, Workplace

from bento_jupyter import errors
from bento_jupyter.errors import BentoJupyterError

from .cases import Case
from .serving import serving

__all__ = ["Outcome", "missing", "run_case"]

JUDGE = Path(__file__).with_name("judge.py")
PRELUDE = "%load_ext bento_jupyter\nimport bento_jupyter as bj"
#: Loaded once the case's own cells have run, so that nothing of it is there for them to find.
LOAD_JUDGE = f"""
def _load_judge():
    import importlib.util, sys
    spec = importlib.util.spec_from_file_location("_corpus_judge", {str(JUDGE)!r})
    judge = sys.modules["_corpus_judge"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    judge.remember(globals())
_load_judge()
del _load_judge
"""
#: Asks the judge, and prints what it says.
ASK = (
    "import sys as _sys\n_judge = _sys.modules['_corpus_judge']\n"
    "print('verdict:' + repr({question}) + ':verdict')"
)
ANSWERS = "await _judge.answers(globals(), {calls!r})"
CHANGED = "_judge.changed(globals())"
BUILT = "_judge.built(globals())"
AGREED = "_judge.agreed({url!r})"
#: Names of the files that make a folder of the store a Bento or a model.
KEPT = ("bento", "model")
SAID = re.compile("verdict:(.*?):verdict", re.DOTALL)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        case: The case.
        outcome: `right`, `refused`, `WRONG`, `crashed`, `unexpected` or `skipped`.
        detail: Why, in a line.
        text: All that was said: the traceback, the message.
        seconds: How long it took.
    """

    case: Case
    outcome: str
    detail: str = ""
    text: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """True when it came out as it has to."""
        return self.outcome in ("right", "refused", "skipped")


class Verdict(Exception):
    """The case is decided."""

    def __init__(self, outcome: str, detail: str = "", text: str = "") -> None:
        super().__init__(outcome)
        self.outcome, self.detail, self.text = outcome, ANSI.sub("", detail), ANSI.sub("", text)


def missing(case: Case) -> list[str]:
    """Modules that a case needs and that are not installed."""
    return [name for name in case.needs if importlib.util.find_spec(name) is None]


def run_case(case: Case, workplace: Workplace, folder: Path, *, plain: bool = False) -> Outcome:
    """Run a case and judge what came of it.

    Args:
        case: The case.
        workplace: Home and store to work in; the store is this case's own.
        folder: An empty folder, which becomes the notebook's.
        plain: Check with `bentoml serve` instead of our launcher.
    """
    begin = time.perf_counter()
    if lacking := missing(case):
        return Outcome(case, "skipped", f"needs {', '.join(lacking)}")
    write_document(case, folder / "notebook.ipynb")
    kernel = workplace.kernel(cwd=folder, JPY_SESSION_NAME=str(folder / "notebook.ipynb"))
    try:
        outcome, detail, text = _judged(case, kernel, workplace, folder, plain)
    except Verdict as verdict:
        outcome, detail, text = verdict.outcome, verdict.detail, verdict.text
    except Exception as error:  # one case must not end the others
        outcome, detail, text = "crashed", f"the runner: {error!r}", traceback.format_exc()
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        for place in (folder, _away(folder)):
            shutil.rmtree(place, ignore_errors=True)
    return Outcome(case, outcome, detail, text, time.perf_counter() - begin)


def write_document(case: Case, path: Path) -> None:
    """Write the notebook as it lies in the editor when the build runs."""
    cells = [nbformat.v4.new_code_cell(source) for source in case.document]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def _judged(
    case: Case, kernel: Kernel, workplace: Workplace, folder: Path, plain: bool
) -> tuple[str, str, str]:
    *before, last = [cell.source for cell in case.executed]
    try:
        kernel.run(PRELUDE)
        for source in before:
            kernel.run(source, case.timeout)
        kernel.run(LOAD_JUDGE, store_history=False)
    except CellError as error:
        raise Verdict("unexpected", f"a cell of the case itself fails: {error.value}", str(error)) from error
    try:
        said = kernel.run(last, case.timeout)
    except CellError as error:
        return _refused(case, kernel, workplace, error)
    except TimeoutError as error:
        raise Verdict("crashed", "the build does not end") from error
    path, proven, plan = _asked(kernel, BUILT)
    bento = Path(path)
    if not proven and case.proof != "none":
        raise Verdict("WRONG", "built without a proof")
    _changed_nothing(case, kernel)
    _holds(case, bento, workplace.store)
    calls = {kind: list(getattr(case, kind)) for kind in ("check", "refuses", "raises")}
    _asked(kernel, ANSWERS.format(calls=calls))
    folder.rename(_away(folder))
    try:
        with serving(bento, workplace.store, plain=plain) as url:
            wrong = _asked(kernel, AGREED.format(url=url))
    except (BentoJupyterError, RuntimeError) as error:
        raise Verdict("WRONG", f"proven, but cannot be served: {error}", _whole(error)) from error
    if wrong:
        raise Verdict("unexpected" if ": no endpoint " in wrong else "WRONG", wrong)
    for what, words, text in (("warnings", case.warns, said + plan), ("plan", case.plan, plan)):
        if absent := [word for word in words if word.lower() not in text.lower()]:
            raise Verdict("unexpected", f"its {what} do not name {', '.join(absent)}", text)
    if case.expect == "refused":
        raise Verdict(
            "unexpected", f"built and right, though it has to be refused ({', '.join(case.because)})"
        )
    return "right", "", said


def _refused(case: Case, kernel: Kernel, workplace: Workplace, error: CellError) -> tuple[str, str, str]:
    said = ANSI.sub("", "\n".join(error.traceback))
    kind = getattr(errors, error.name, None)
    if not (isinstance(kind, type) and issubclass(kind, BentoJupyterError)):
        raise Verdict("crashed", f"{error.name}: {error.value}"[:300], said) from error
    line = " ".join(said.split())[:400]
    _changed_nothing(case, kernel)
    if left := [
        path.parent.parent.name for path in workplace.store.glob("*/*/*/*.yaml") if path.stem in KEPT
    ]:
        raise Verdict("unexpected", f"refused, but left {', '.join(left)} in the store", said) from error
    if case.expect == "right":
        raise Verdict("unexpected", f"refused: {line}", said) from error
    if absent := [word for word in case.because if word.lower() not in said.lower()]:
        raise Verdict(
            "unexpected", f"refused, but the message does not name {', '.join(absent)}: {line}", said
        ) from error
    if "\n  -> " not in said:
        raise Verdict("unexpected", f"refused, but it does not say how to mend it: {line}", said) from error
    return "refused", line, said


def _changed_nothing(case: Case, kernel: Kernel) -> None:
    changed = _asked(kernel, CHANGED)
    if changed and case.kernel != "changes":
        raise Verdict("WRONG", f"the build changed the kernel: {changed}")


def _holds(case: Case, bento: Path, store: Path) -> None:
    """Nothing is in the Bento that may not be."""
    places = (bento, store / "models")
    files = [
        path for place in places for path in place.rglob("*") if path.is_file() and not path.is_symlink()
    ]
    for word in case.absent:
        for path in files:
            if word.encode() in path.read_bytes():
                raise Verdict("WRONG", f"{word!r} is in {path.name} of the Bento")
    size = sum(path.stat().st_size for path in files)
    if case.largest and size > case.largest:
        raise Verdict("unexpected", f"the Bento has {size} bytes, more than {case.largest}")


def _asked(kernel: Kernel, question: str) -> Any:
    try:
        text = kernel.run(ASK.format(question=question), store_history=False)
    except CellError as error:
        raise Verdict("unexpected", f"the check itself fails: {error.value}", str(error)) from error
    return ast.literal_eval(SAID.findall(text)[-1])


def _whole(error: Exception) -> str:
    return "\n".join([str(error), getattr(error, "traceback", ""), getattr(error, "log", "")])


def _away(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.away")


def environment_ready() -> None:
    """Kernels write bytecode: without it each imports for seconds."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
