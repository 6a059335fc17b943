"""Forms in kernels of ipykernel 6 and 7, busy or not, as a page talks to them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import FITTED, Kernel, Workplace
from pages import Page

UNTIL = """
import ipywidgets, threading, time
def until(look, seconds=60):
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, form.message.value
        time.sleep(0.02)
"""


@pytest.fixture(scope="session")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a kernel of ipykernel 6, which has all else from the environment of the tests."""
    folder = tmp_path_factory.mktemp("older")
    uv = [str(Path(sys.prefix, "bin", "uv"))]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "-q", "--no-deps", "--python", python, "ipykernel<7"], check=True)
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    here = Path(pytest.__file__).parents[1]
    (packages / "tests.pth").write_text(f"import site; site.addsitedir({str(here)!r})\n", encoding="utf-8")
    spec = folder / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "older", "language": "python"}))
    return folder


@pytest.fixture(scope="module")
def bento(kernel: Kernel) -> str:
    kernel.run("built = bj.build('kernels', clf, sample=X[:5], prove=False)")
    return kernel.run("print(built.tag)").strip()


@pytest.fixture(scope="module")
def older_kernel(workplace: Workplace, older: Path) -> Iterator[Kernel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(older))
        running = workplace.kernel()
    try:
        running.run(FITTED)
        yield running
    finally:
        running.client.stop_channels()
        running.manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("way", ["ipykernel 7", "in a subshell", "ipykernel 6"])
def test_what_is_typed_and_clicked_while_a_cell_runs_is_deployed_once(
    kernel: Kernel, bento: str, request: pytest.FixtureRequest, way: str
) -> None:
    if way == "ipykernel 6":
        kernel = request.getfixturevalue("older_kernel")
    version = kernel.run("import ipykernel\nprint(ipykernel.__version__)")
    assert version.startswith("6." if way == "ipykernel 6" else "7.")
    kernel.run(UNTIL)
    page = Page(kernel, subshell=way == "in a subshell")
    name = way.replace(" ", "-")
    page.run(
        "form = bj.forms.deploy(namespace=globals())\nform.group['mode'].value = bj.Mode.ON_DEMAND\n"
        "key, value = form.group['envs'].more()\nform",
        aside=True,
    )
    page.show("form")
    title, key, value, button = page.models(
        "form.group['name'].widget", "key.widget", "value.widget", "form.submit"
    )
    meanwhile = way == "in a subshell"
    busy = page.begin(
        f"deadline = time.monotonic() + {60 if meanwhile else 1}\n"
        "while form.deployment is None and time.monotonic() < deadline:\n    time.sleep(0.02)\n"
        "print(form.deployment is not None, form.said)"
    )
    page.type(title, name)
    page.type(key, "TOKEN")
    page.type(value, "s3cret")
    page.click(button)
    page.click(button)
    assert page.end(busy) == str(meanwhile)
    page.run("until(lambda: form.deployment is not None and not form.busy)")
    assert page.run("print(form.deployment.name, form.deployment.status().revision)") == f"{name} 1"
    assert page.run("print(form.cloud.spec(form.deployment.name).envs)") == "{'TOKEN': 's3cret'}"
    said = [content for content in page.heard if "s3cret" in repr(content)]
    assert [content.get("text") for content in said] == ["{'TOKEN': 's3cret'}\n"]
    assert page.run("print('s3' 'cret' in repr(ipywidgets.Widget.get_manager_state()))") == "False"
    page.run("form.close()")


def test_a_cell_that_runs_again_closes_the_form_that_it_showed(kernel: Kernel, bento: str) -> None:
    page = Page(kernel)
    page.run("first = bj.forms.status()\nfirst", cell="a")
    page.run("second = bj.forms.status()\nsecond", cell="a")
    ended = "print(*(each.worker.closed.is_set() and each.watch.closed.is_set() for each in (first, second)))"
    assert page.run(ended) == "True False"
    page.run("assert first.widget.comm is None and second.widget.comm is not None")
    # It is the same form that is shown again, or elsewhere, too.
    page.run("second", cell="b")
    page.run("second", cell="b")
    page.run("'nothing'", cell="a")
    assert page.run(ended) == "True False"
    page.run("'something else'", cell="c", deleted=["b"])
    assert page.run(ended) == "True True"
    before = len(page.heard)
    page.run("second")
    shown = [content["data"] for content in page.heard[before:] if "text/html" in content.get("data", {})]
    assert [list(data) for data in shown] == [["text/plain", "text/html"]]


@pytest.mark.parametrize("word", ["build", "deploy", "call", "status", "login"])
def test_a_form_that_is_closed_leaves_no_widget(kernel: Kernel, bento: str, word: str) -> None:
    kernel.run(
        "from ipywidgets.widgets.widget import _instances\n"
        f"before = set(_instances)\nform = bj.forms.{word}()\nform.worker.wait(60)\n"
        "form.ask('really?', 'yes', lambda: None)\n"
        "for group in form.groups():\n"
        "    for field in group.inner():\n"
        "        if hasattr(field, 'more'):\n            field.more()\n"
        "made = set(_instances) - before\nform.close()\nform.worker.wait(60)"
    )
    assert kernel.run("print(len(made) > 50, set(_instances) - before)").strip() == "True set()"
