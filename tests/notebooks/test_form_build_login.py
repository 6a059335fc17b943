"""The forms that build and log in, in a real kernel: plans follow what is chosen, tokens stay there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kernels import Kernel

from bento_jupyter.client import embedded
from bento_jupyter.home import CloudState, Home

WAIT = """
import time
def until(look):
    deadline = time.monotonic() + 120
    while form.busy or not look():
        assert time.monotonic() < deadline, form.message.value
        time.sleep(0.02)
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudState]:
    """A second cloud, which the notebook knows by address and token only."""
    home = Home(tmp_path_factory.mktemp("elsewhere") / "home")
    yield embedded.start(home)
    embedded.stop(home)


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(WAIT)
    return kernel


def test_an_object_is_chosen_planned_built_and_proven(kernel: Kernel) -> None:
    kernel.run("form = bj.forms.build(namespace=globals())")
    said = kernel.run("print([box.description for box in form.objects._boxes.values()])")
    assert "clf  (LogisticRegression, " in said
    kernel.run("form.objects.value = ['clf']\nform.name.value = 'by-form'")
    kernel.run("until(lambda: form.sample.problem)\nassert form.submit.disabled")
    kernel.run("form.sample.value = 'X[:5]'\nuntil(lambda: not form.submit.disabled)")
    assert "predict_proba" in kernel.run("print(form.plan.value)")
    assert kernel.run("print(form.line)").strip() == "%bento_build by-form clf --sample X[:5]"
    kernel.run("form.submit.click()\nuntil(lambda: form.built is not None)")
    assert "5 rows each, max difference" in kernel.run("print(form.built.proof.line, form.result.value)")


def test_what_is_wrong_with_the_plan_stands_at_the_field_that_it_is_about(kernel: Kernel) -> None:
    kernel.run(
        "class Steps:\n    def first(self, x: int) -> int: return x\n"
        "    def second(self, x: int) -> int: return -x\n"
        "steps = Steps()\nform = bj.forms.build(namespace=globals())\n"
        "def planned(**values):\n"
        "    for name, value in values.items():\n        getattr(form, name).value = value\n"
        "    form.worker.wait(60)\n"
        "    print({name: getattr(form, name).problem for name in ('objects', 'name', 'sample', 'endpoints')"
        " if getattr(form, name).problem}, form.submit.disabled)"
    )
    said = kernel.run("planned(objects=['steps'])")
    assert "{'endpoints': 'it is not clear which methods" in said
    assert "tick those to serve" in said
    assert kernel.run("planned(endpoints=['second'], sample='3')").strip() == "{} False"
    assert "{'sample': \"sample: 'x +' fails: SyntaxError" in kernel.run("planned(sample='x +')")
    assert "{'name': 'small letters" in kernel.run("planned(name='No Name', sample='3')")
    assert kernel.run("print(repr(form.line))").strip() == "''"
    assert "{'sample': " in kernel.run("planned(name='steps', objects=['clf'], sample='\"text\"')")
    assert kernel.run("planned(sample='X[:3]', endpoints=['predict'])").strip() == "{} False"
    assert (
        kernel.run("print(form.line)").strip() == "%bento_build steps clf --sample X[:3] --endpoint predict"
    )
    kernel.run("def newer(x: int) -> int: return x\nform.again.click()\nform.worker.wait(60)")
    assert kernel.run("planned(objects=['newer'], sample='1')").strip() == "{} False"


def test_what_cannot_be_served_is_said_and_the_form_goes_on(kernel: Kernel) -> None:
    kernel.run(
        "def broken(x):\n    return open('/nowhere').read() + x\nform = bj.forms.build(namespace=globals())"
    )
    kernel.run("form.objects.value = ['broken']\nform.sample.value = \"'a'\"")
    kernel.run("until(lambda: form.sample.problem or form.objects.problem)\nassert form.submit.disabled")
    said = kernel.run("print(form.sample.problem, form.objects.problem)")
    assert "nowhere" in said


def test_a_token_that_is_typed_connects_and_is_in_no_state(kernel: Kernel, elsewhere: CloudState) -> None:
    before = len(kernel.outputs)
    kernel.run("form = bj.forms.login()\nform.which.value = ''")
    kernel.run(f"form.endpoint.value = {elsewhere.endpoint!r}\nassert not form.submit.disabled")
    # As the front end sends what was typed.
    token = Path(elsewhere.token_file).read_text(encoding="utf-8").strip()
    kernel.run(
        f"from pathlib import Path\ntyped = Path({elsewhere.token_file!r}).read_text().strip()\n"
        "form.token.widget.set_state({'value': typed})"
    )
    kernel.run("form.submit.click()\nuntil(lambda: form.cloud is not None)")
    assert elsewhere.endpoint in kernel.run("print(form.cloud, form.result.value)")
    kernel.run(
        "import ipywidgets, json\nstate = json.dumps(ipywidgets.Widget.get_manager_state(), default=str)"
    )
    assert kernel.run("print(typed in state, len(form.token.value))").split() == ["False", "0"]
    assert token not in repr(kernel.outputs[before:])
    kernel.run("bj.connect()")


def test_a_login_that_fails_says_so_and_can_be_tried_again(kernel: Kernel, elsewhere: CloudState) -> None:
    kernel.run("form = bj.forms.login()\nform.which.value = ''\nform.endpoint.value = 'nonsense'")
    assert "https://" in kernel.run("print(form.endpoint.problem)")
    kernel.run("form.endpoint.value = 'https://ada:s3cret@a.example'")
    said = kernel.run("print(form, form.line, form.call, form.code.value, form.endpoint.problem)")
    assert "no user or password" in said
    assert "s3cret" not in said
    assert kernel.run("print([form.line, form.call, form.submit.disabled])").strip() == "['', '', True]"
    kernel.run(
        f"form.endpoint.value = {elsewhere.endpoint!r}\nform.token.widget.set_state({{'value': 'wrong'}})"
    )
    kernel.run("form.submit.click()\nuntil(lambda: form.message.value)")
    assert "does not accept" in kernel.run("print(form.message.value)")
    kernel.run("assert form.cloud is None and not form.submit.disabled")
    assert kernel.run("form.close()\nprint([form.token.value])").strip() == "['']"
