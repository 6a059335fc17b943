"""`import bento_jupyter` and `%load_ext bento_jupyter` against `import pandas`, in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable

ROUNDS = 9
IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
LOAD_EXT = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
t = time.perf_counter()
shell.run_line_magic("load_ext", "bento_jupyter")
print(time.perf_counter() - t)
"""


def seconds(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def bench_import(record: Callable[..., None]) -> None:
    ours, extension, pandas = [], [], []
    for _ in range(ROUNDS):
        ours.append(seconds(IMPORT.format("bento_jupyter")))
        extension.append(seconds(LOAD_EXT))
        pandas.append(seconds(IMPORT.format("pandas")))
    reference = statistics.median(pandas)
    record("import", statistics.median(ours), reference)
    record("import.load_ext", statistics.median(extension), reference)
