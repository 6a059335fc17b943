"""Objects of a notebook, saved here and asked again in a fresh process that has nothing but their files."""

from __future__ import annotations

import linecache
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bento_jupyter.capture.frameworks import ask, framework_of
from bento_jupyter.capture.parts import Saved
from bento_jupyter.capture.source import CodeCapture

__all__ = ["Notebook", "same"]

ELSEWHERE = """
import os, pickle, sys
from pathlib import Path

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
assert not any("bento_jupyter" in name for name in sys.modules)
{blocks}
(folder / "answers.pkl").write_bytes(pickle.dumps(answers))
"""
BLOCK = """
{imports}
model = {expression}
for name, inputs in pickle.loads((folder / "{name}.inputs").read_bytes()).items():
    answers["{name}", name] = globals()["{name}_" + name](model, **inputs)
"""


class Notebook:
    """Cells that were executed as IPython does it, and a folder to save objects to.

    Attributes:
        names: The notebook's globals.
        code: What captures its code.
        saved: What was saved, by name.
    """

    def __init__(self, folder: Path, *cells: str) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.code = CodeCapture(self.names)
        self.saved: dict[str, Saved] = {}
        for cell in cells:
            self.run(cell)

    def run(self, cell: str) -> None:
        """Execute a cell; its source is found where IPython keeps it."""
        text = textwrap.dedent(cell).strip() + "\n"
        file = str(self.folder / f"cell{len(self.names)}-{abs(hash(text))}.py")
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), self.names)

    def save(self, name: str, value: Any = None) -> Saved:
        """Save an object by its framework, which is asked to do so twice, to the same bytes."""
        value = self.names[name] if value is None else value
        framework = framework_of(value)
        framework.check(value)
        once = framework.save(value, self.folder, name, self.code.refer)
        again = framework.save(value, self.folder, name, self.code.refer)
        assert again.digest == once.digest, "saved twice, to other bytes"
        assert again.size == sum((self.folder / file).stat().st_size for file in again.files)
        self.saved[name] = again
        return again

    def ask(self, asked: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Save objects, ask them here and in a fresh process; the answers have to be the same.

        Args:
            asked: By name of the object, by name of the method: the inputs by name.
        """
        expected, blocks, environment = {}, ["answers = {}"], {}
        for name, questions in asked.items():
            value = self.names[name]
            loader = self.save(name).loader
            methods = {method.name: method for method in framework_of(value).methods(value)}
            imports = [*loader.imports]
            for question, inputs in questions.items():
                method = methods[question]
                copies = pickle.loads(pickle.dumps(dict(inputs)))  # laid out in memory as they will be there
                expected[name, question] = ask(method, value, copies)
                head = f"def {name}_{question}({', '.join(('model', *method.parameters))}):"
                imports += [*method.imports, head, textwrap.indent(method.body, "    ")]
            (self.folder / f"{name}.inputs").write_bytes(pickle.dumps(dict(questions)))
            blocks.append(BLOCK.format(imports="\n".join(imports), expression=loader.expression, name=name))
            environment |= loader.environment
        self.elsewhere("\n".join(blocks), environment)
        answers = pickle.loads((self.folder / "answers.pkl").read_bytes())
        assert answers.keys() == expected.keys()
        for key, answer in expected.items():
            assert same(answer, answers[key]), (key, answer, answers[key])

    def value_elsewhere(self, name: str) -> Any:
        """What a fresh process reads of an object; it goes there and back by plain pickle."""
        loader = self.save(name).loader
        self.elsewhere(
            "\n".join([*loader.imports, f"answers = {loader.expression}"]), dict(loader.environment)
        )
        return pickle.loads((self.folder / "answers.pkl").read_bytes())

    def elsewhere(self, lines: str, environment: Mapping[str, str]) -> None:
        """Run lines in a fresh process, in an empty working directory."""
        (self.folder / "notebook_code.py").write_text(self.code.source({}), encoding="utf-8")
        (self.folder / "program.py").write_text(ELSEWHERE.format(blocks=lines), encoding="utf-8")
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        envs = {"PATH": os.environ.get("PATH", ""), "HOME": str(empty), "OMP_NUM_THREADS": "2", **environment}
        done = subprocess.run(
            [sys.executable, "-I", str(self.folder / "program.py"), str(self.folder)],
            cwd=empty, env=envs, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]


def same(left: Any, right: Any) -> bool:
    """Whether two values are the same: types, dtypes, labels, numbers to their last few bits."""
    import numpy as np
    import pandas as pd

    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        if left.dtype != right.dtype or left.shape != right.shape:
            return False
        if left.dtype.hasobject:
            return all(same(a, b) for a, b in zip(left.ravel().tolist(), right.ravel().tolist(), strict=True))
        if left.dtype.kind == "f":  # BLAS takes other ways through memory that is aligned otherwise
            close = 8 * np.finfo(left.dtype).eps
            return bool(np.allclose(left, right, rtol=close, atol=close, equal_nan=True))
        return left.tobytes() == right.tobytes()
    if isinstance(left, pd.DataFrame):
        pd.testing.assert_frame_equal(left, right, check_exact=True, check_freq=False)
        return True
    if isinstance(left, pd.Series):
        pd.testing.assert_series_equal(left, right, rtol=1e-12, atol=1e-15, check_freq=False)
        return True
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return bool(left == right) or (isinstance(left, float) and left != left and right != right)
