"""The deploy form in a real kernel: what is wrong is said beside the field, Submit deploys."""

from __future__ import annotations

import pytest
from kernels import Kernel


@pytest.fixture(scope="module", autouse=True)
def form(kernel: Kernel) -> None:
    kernel.run("built = bj.build('forms', clf, sample=X[:5])\nform = bj.forms.deploy(namespace=globals())")
    kernel.run(
        "import time\n"
        "def submitted():\n"
        "    form.submit.click()\n"
        "    deadline = time.monotonic() + 120\n"
        "    while form.deployment is None and not form.message.value:\n"
        "        assert time.monotonic() < deadline\n"
        "        time.sleep(0.05)\n"
    )


def test_the_magic_shows_the_same_form(kernel: Kernel) -> None:
    kernel.run("%bento_form deploy")
    shown = kernel.outputs[-1] if "data" in kernel.outputs[-1] else kernel.outputs[-2]
    assert "application/vnd.jupyter.widget-view+json" in shown["data"]
    assert "bento_jupyter.deploy(" in shown["data"]["text/plain"]


def test_the_type_comes_first_and_says_what_it_means(kernel: Kernel) -> None:
    said = kernel.run("print(form.widget.children[0] is form.mode, form.mode.options)")
    assert said.startswith("True")
    assert "Online Service: Always at least one instance" in said
    assert "On-Demand Function: Starts when a request comes" in said


def test_a_built_bento_of_the_notebook_is_offered_first_with_a_free_name(kernel: Kernel) -> None:
    said = kernel.run("print(form.bento.value == built.tag, form.name.value)")
    assert said.split() == ["True", "forms"]


def test_a_bad_field_says_so_beside_the_field_and_submit_is_off(kernel: Kernel) -> None:
    kernel.run("form.name.widget.value = 'Not this'")
    assert "small letters" in kernel.run("print(form.name.problem)")
    assert kernel.run("print(form.submit.disabled)").strip() == "True"
    kernel.run("form.name.widget.value = 'from-form'\nform.envs.widget.value = 'NONSENSE'")
    assert "NAME=VALUE" in kernel.run("print(form.envs.problem)")
    kernel.run(
        "form.envs.widget.value = 'GREETING=hello'\nform.max.widget.value = 1\nform.min.widget.value = 2"
    )
    assert "below min" in kernel.run("print(form.min.problem)")
    kernel.run("form.min.widget.value = 1")
    assert kernel.run("print(form.submit.disabled)").strip() == "False"


def test_on_demand_starts_at_zero(kernel: Kernel) -> None:
    kernel.run("form.mode.value = bj.Mode.ON_DEMAND")
    assert kernel.run("print(form.min.value, form.line)").split()[0] == "0"
    assert "--mode on-demand" in kernel.run("print(form.line)")


def test_submit_deploys_and_shows_the_card_and_forgets_the_values_of_the_environment(kernel: Kernel) -> None:
    kernel.run("submitted()\nassert form.message.value == '', form.message.value")
    assert "scaled-to-zero" in kernel.run("print(form.deployment.status().status.value)")
    assert "GREETING" in kernel.run("print(form.deployment.status().envs)")
    kernel.run(
        "deadline = time.monotonic() + 10\n"
        "while 'Deployment from-form' not in form.result.value:\n"
        "    assert time.monotonic() < deadline"
    )
    assert "hello" not in kernel.run("print(form.envs.value, form.result.value, form.code.value)")


def test_the_cloud_s_refusal_is_shown_in_the_form(kernel: Kernel) -> None:
    kernel.run("%bento_cloud stop")
    kernel.run(
        "import bento_jupyter.workspace as workspace\n"
        "form.deployment = None\nform.name.widget.value = 'later'\nform.envs.widget.value = ''\nsubmitted()"
    )
    # The cloud starts again by itself when it is needed.
    assert "later" in kernel.run("print(form.deployment, form.message.value)")
