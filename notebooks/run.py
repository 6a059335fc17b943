"""Execute a notebook in a real kernel, on an embedded cloud of its own, and show its results as they come.

Usage: `python notebooks/run.py NOTEBOOK FOLDER`. The executed copy is left in FOLDER; nothing keeps running.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def shown(cell: nbformat.NotebookNode) -> str:
    """The text of a cell's outputs."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append("\n".join(output.traceback))
        elif "text/plain" in output.get("data", {}):
            parts.append(output.data["text/plain"])
    return "\n".join(part.rstrip() for part in parts if part.strip())


def main(notebook: Path, folder: Path) -> int:
    """Execute the notebook; returns the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("BENTO_JUPYTER_HOME", str(folder.resolve() / "home"))
    os.environ.setdefault("BENTOML_HOME", str(folder.resolve() / "bentoml"))
    Path(os.environ["BENTOML_HOME"]).mkdir(parents=True, exist_ok=True)
    from bento_jupyter.client import embedded

    document = nbformat.read(notebook, as_version=4)

    def told(cell: nbformat.NotebookNode, cell_index: int, **_: object) -> None:
        number = cell_index
        while number and document.cells[number - 1].cell_type == "markdown":
            number -= 1
        for before in document.cells[number:cell_index]:
            print(f"\n{before.source}", flush=True)
        if cell.cell_type == "code":
            first = cell.source.strip().splitlines()
            print("\n" + "\n".join(f">>> {line}" for line in first), flush=True)

    def done(cell: nbformat.NotebookNode, cell_index: int, **_: object) -> None:
        if cell.cell_type == "code" and (text := shown(cell)):
            print(text, flush=True)

    client = NotebookClient(
        document,
        timeout=600,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns of what nobody here can see
        resources={"metadata": {"path": str(notebook.parent)}},
        on_cell_start=told,
        on_cell_executed=done,
    )
    begun = time.monotonic()
    code = 0
    try:
        client.execute()
    except CellExecutionError as error:
        print(f"\n{error}", file=sys.stderr)
        code = 1
    finally:
        embedded.stop()
        copy = folder / notebook.name
        nbformat.write(document, copy)
    seconds = time.monotonic() - begun
    print(f"\n{notebook.name}: {seconds:.0f} s. The executed copy: {copy}. The cloud is stopped.")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
