"""The deploy form in a real kernel: mistakes are said beside their fields, changes shown before."""

from __future__ import annotations

import pytest
from kernels import Kernel


@pytest.fixture(scope="module", autouse=True)
def form(kernel: Kernel) -> None:
    kernel.run("built = bj.build('forms', clf, sample=X[:5])\nform = bj.forms.deploy(namespace=globals())")
    kernel.run(
        "import time\n"
        "def done():\n"
        "    deadline = time.monotonic() + 120\n"
        "    while form.busy:\n"
        "        assert time.monotonic() < deadline\n"
        "        time.sleep(0.02)\n"
        "    form.worker.wait(30)\n"
        "def submitted():\n"
        "    form.submit.click()\n"
        "    done()\n"
    )


def test_the_magic_shows_the_form_and_leaves_a_record_in_the_notebook(kernel: Kernel) -> None:
    before = len(kernel.outputs)
    kernel.run("%bento_form deploy")
    shown = [each["data"] for each in kernel.outputs[before:] if "text/plain" in each.get("data", {})]
    widget, record = shown
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert "bj.deploy(" in widget["text/plain"]
    assert "%bento_deploy forms:" in record["text/html"]
    assert "<button" not in record["text/html"]


def test_the_type_comes_first_and_says_what_it_means(kernel: Kernel) -> None:
    said = kernel.run(
        "first, meaning = form.widget.children[:2]\n"
        "print(first is form.group['mode'].box, form.group['mode'].widget.options, meaning.value)"
    )
    assert said.startswith("True")
    assert "Online Service" in said
    assert "On-Demand Function" in said
    assert "the first request waits" in said


def test_a_built_bento_of_the_notebook_is_offered_first_with_its_proof_and_a_free_name(
    kernel: Kernel,
) -> None:
    said = kernel.run(
        "print(form.bento.value == built.tag, form.group['name'].value, form.bento.widget.options)"
    )
    assert said.split()[:2] == ["True", "forms"]
    assert "✓ proven" in said
    kernel.run("form.bento.search.value = 'no such'")
    assert kernel.run("print(form.bento.problem, form.submit.disabled)").strip() == "nothing found True"
    kernel.run("form.bento.search.value = 'FORMS'")
    assert kernel.run("print(form.bento.value == built.tag)").strip() == "True"


def test_a_bad_field_says_so_beside_the_field_and_submit_is_off(kernel: Kernel) -> None:
    kernel.run("form.group['name'].widget.value = 'Not this'")
    assert "small letters" in kernel.run("print(form.group['name'].problem)")
    assert kernel.run("print(form.submit.disabled)").strip() == "True"
    kernel.run("form.group['name'].widget.value = 'from-form'\nform.group['envs'].value = {'1X': 'hello'}")
    assert "not a name" in kernel.run("print(form.group['envs'].problem)")
    kernel.run(
        "form.group['envs'].value = {'GREETING': 'hello'}\n"
        "form.group['max'].value = 1\nform.group['min'].value = 2"
    )
    assert "below min" in kernel.run("print(form.group['max'].problem)")
    kernel.run("form.group['min'].value = 1")
    assert kernel.run("print(form.submit.disabled)").strip() == "False"


def test_on_demand_starts_at_zero(kernel: Kernel) -> None:
    kernel.run("form.group['mode'].value = bj.Mode.ON_DEMAND")
    said = kernel.run(
        "print(form.group['min'].value, form.group['min'].disabled, form.read().scaling.min, form.line)"
    )
    assert said.split()[:3] == ["None", "True", "0"]
    assert "--mode on-demand" in said


def test_submit_deploys_and_shows_the_card_and_forgets_the_values_of_the_environment(kernel: Kernel) -> None:
    kernel.run("submitted()\nassert form.said == '', form.said")
    assert "scaled-to-zero" in kernel.run("print(form.deployment.status().status.value)")
    assert "GREETING" in kernel.run("print(form.deployment.status().envs)")
    assert "Deployment from-form" in kernel.run("print(form.result.value)")
    kernel.run(
        "from ipywidgets import Widget\n"
        "from ipywidgets.widgets.widget import _instances\n"
        "assert 'hello' not in repr([each.get_state() for each in _instances.values()])"
    )
    assert "hello" not in kernel.run("print(repr(form))")


def test_a_name_that_is_taken_is_said(kernel: Kernel) -> None:
    assert "there is one of this name" in kernel.run("print(form.group['name'].problem)")


def test_a_change_is_shown_before_it_is_made_and_then_made(kernel: Kernel) -> None:
    kernel.run("form = bj.forms.deploy(namespace=globals(), update='from-form')")
    assert kernel.run("print(form.group['name'].disabled, form.submit.disabled)").strip() == "True True"
    assert "nothing changes yet" in kernel.run("print(form.difference.value)")
    kernel.run("form.group['max'].value = 3\nform.group['protected'].value = True")
    said = kernel.run("print(form.changes(form.read()), form.submit.description, form.submit.disabled)")
    assert said.strip() == "{'max': (1, 3), 'protected': (False, True)} Apply changes False"
    kernel.run("submitted()\nassert form.said == '', form.said")
    assert kernel.run(
        "v = form.deployment.status()\nprint(v.scaling.max, v.protected, v.revision)"
    ).split() == [
        "3",
        "True",
        "2",
    ]
    assert "GREETING" in kernel.run("print(form.deployment.status().envs)")


def test_a_clone_starts_from_another_under_a_free_name(kernel: Kernel) -> None:
    kernel.run("form = bj.forms.deploy(namespace=globals(), clone='from-form')")
    said = kernel.run("print(form.read())")
    assert "name='from-form-2'" in said
    assert "max=3" in said


def test_an_object_of_the_notebook_is_built_and_deployed(kernel: Kernel) -> None:
    kernel.run(
        "form = bj.forms.deploy(namespace=globals())\n"
        "form.source.value = 'object'\nform.object.value = 'clf'\nform.sample.value = 'X[:3'\n"
        "form.group['name'].value = 'from-object'\nform.group['mode'].value = bj.Mode.ON_DEMAND\nsubmitted()"
    )
    assert "sample: 'X[:3' fails: SyntaxError" in kernel.run("print(form.said)")
    kernel.run("form.sample.value = 'X[:3]'")
    assert (
        kernel.run("print(form.line)").strip()
        == "%bento_deploy clf --name from-object --mode on-demand --sample 'X[:3]'"
    )
    kernel.run("submitted()\nassert form.said == '', form.said")
    assert kernel.run("print(form.deployment.call('predict', X[:2]))").strip() == "[0 0]"


def test_the_form_goes_on_when_the_cloud_was_stopped_meanwhile(kernel: Kernel) -> None:
    kernel.run("form = bj.forms.deploy(namespace=globals())\n%bento_cloud stop")
    kernel.run(
        "form.group['name'].value = 'later'\nform.group['mode'].value = bj.Mode.ON_DEMAND\nsubmitted()"
    )
    # The cloud starts again by itself when it is needed.
    assert "later" in kernel.run("print(form.deployment, form.said)")
