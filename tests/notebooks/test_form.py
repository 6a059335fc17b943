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
    assert kernel.run("print(form.line)").strip() == "%bento_update from-form --max=3 --protected"
    kernel.run("submitted()\nassert form.said == '', form.said")
    assert kernel.run(
        "v = form.deployment.status()\nprint(v.scaling.max, v.protected, v.revision)"
    ).split() == [
        "3",
        "True",
        "2",
    ]
    assert "GREETING" in kernel.run("print(form.deployment.status().envs)")


def test_the_line_of_a_change_can_be_run_instead(kernel: Kernel) -> None:
    kernel.run(
        "form.group['max'].value = None\nform.group['concurrency'].value = 4\n"
        "line, call = form.line, form.call"
    )
    assert kernel.run("print(line)").strip() == "%bento_update from-form --concurrency=4 --reset=max"
    kernel.run("get_ipython().run_cell(line).raise_error()")
    said = kernel.run("form.again.click()\ndone()\nspec = form.cloud.spec('from-form')\nprint(spec)")
    assert "concurrency=4" in said
    assert kernel.run("print(spec.scaling.max, spec.envs)").strip() == "1 {'GREETING': 'hello'}"
    assert kernel.run("print(eval(call).status().revision)").endswith("\n3\n")


def test_secrets_of_the_cloud_services_of_the_bento_and_room_on_the_machine(kernel: Kernel) -> None:
    assert "bentoml secret create" in kernel.run("print(form.group['secrets'].remark)")
    kernel.run("!python -m bentoml secret create keys API_KEY=abc")
    kernel.run("form.again.click()\ndone()\nform.group['secrets'].value = ['keys']")
    assert "--secret=keys" in kernel.run("print(form.line)")
    said = kernel.run("print(form.group['services'].remark, form.group['instance_type'].widget.options)")
    assert "services of this Bento: " in said
    assert "CPU" in said
    kernel.run("form.group['instance_type'].value = next(iter(form._types))\nform.group['max'].value = 1000")
    assert "1000 are asked for" in kernel.run("print(form.group['instance_type'].remark)")
    kernel.run(
        "form.group['canary'].value = {'versions': {'v2': {'bento': built.tag, 'envs': {'A': 's3cret'}}}}"
    )
    assert "canary.versions.v2.envs.A" in kernel.run("print(form.difference.value)")
    kernel.run(
        "assert 's3' 'cret' not in repr([each.get_state() for each in _instances.values()] + form.rows())"
    )
    kernel.run("form.close()")


def test_a_clone_starts_from_another_under_a_free_name(kernel: Kernel) -> None:
    kernel.run("form = bj.forms.deploy(namespace=globals(), clone='from-form')")
    said = kernel.run("print(form.read())")
    assert "name='from-form-2'" in said
    assert "concurrency=4" in said
    assert kernel.run("print(form.read().labels)").strip() == "{}"
    kernel.run("form.close()")


def test_what_is_typed_while_a_deployment_is_on_its_way_into_the_form_stays(kernel: Kernel) -> None:
    kernel.run("form = bj.forms.deploy(namespace=globals())\nform.group['max'].value = 9")
    kernel.run(
        "with form._lock:\n"  # it cannot arrive before
        "    form.start.value = ('update', 'from-form')\n"
        "    form.group['queue'].value = 77\n"
        "    form.group['name'].value = 'other'\n"
        "done()"
    )
    assert kernel.run("print(form.group['queue'].value, form.group['name'].value)").strip() == "77 from-form"
    assert kernel.run("print(form.group['max'].value == '9')").strip() == "False"
    assert kernel.run("print(form.line)").strip() == "%bento_update from-form --queue=77"
    kernel.run("form.close()")


def test_an_object_of_the_notebook_is_built_and_deployed(kernel: Kernel) -> None:
    kernel.run(
        "form = bj.forms.deploy(namespace=globals())\n"
        "form.source.value = 'object'\nform.object.value = 'clf'\nform.sample.value = 'X[:3'\n"
        "form.group['name'].value = 'from-object'\nform.group['mode'].value = bj.Mode.ON_DEMAND\nsubmitted()"
    )
    assert "sample: 'X[:3' fails: SyntaxError" in kernel.run("print(form.said)")
    assert "SyntaxError" in kernel.run("print(form.sample.problem)")
    kernel.run("form.sample.value = 'X[:3]'")
    assert (
        kernel.run("print(form.line)").strip()
        == "%bento_deploy clf --name from-object --mode on-demand --sample X[:3]"
    )
    kernel.run("submitted()\nassert form.said == '', form.said")
    assert kernel.run("print(form.deployment.call('predict', X[:2]))").strip() == "[0 0]"


def test_the_form_goes_on_when_the_cloud_was_stopped_meanwhile(kernel: Kernel) -> None:
    kernel.run("form = bj.forms.deploy(namespace=globals())\n%bento_cloud stop")
    # The cloud starts again by itself when it is needed.
    kernel.run("form.group['name'].value = 'later'\ndone()")
    assert kernel.run("print(repr(form.said), form.group['name'].problem)").strip() == "''"
    kernel.run("form.group['name'].value = 'from-form'\ndone()\n%bento_cloud stop")
    assert "there is one of this name" in kernel.run("print(form.group['name'].problem)")
    kernel.run("form.start.value = ('clone', 'from-form')\ndone()\nform.group['name'].value = 'later'")
    kernel.run("submitted()\nassert form.said == '', form.said")
    assert "later" in kernel.run("print(form.deployment)")


def test_what_others_did_meanwhile_is_neither_overwritten_nor_made_again(kernel: Kernel) -> None:
    kernel.run(
        "form.close()\nform = bj.forms.deploy(namespace=globals())\n"
        "form.group['mode'].value = bj.Mode.ON_DEMAND\n"
        "form.group['name'].value = 'meanwhile'\ndone()\n"
        "theirs = bj.deploy(built, name='meanwhile', mode='on-demand', max=7)\nsubmitted()"
    )
    assert "was taken meanwhile" in kernel.run("print(form.said)")
    assert kernel.run("print(form.group['name'].problem != '', form.submit.disabled)").strip() == "True True"
    assert kernel.run("print(theirs.status().scaling.max, theirs.status().revision)").strip() == "7 1"
    kernel.run("form.start.value = ('update', 'meanwhile')\ndone()\nform.group['max'].value = 3")
    kernel.run("theirs.delete()\nsubmitted()")
    assert "was deleted meanwhile" in kernel.run("print(form.start.problem)")
    assert "meanwhile" not in kernel.run("print(bj.deployments())")


def test_a_bento_that_is_gone_is_said_at_its_field(kernel: Kernel) -> None:
    kernel.run(
        "import bentoml\nform.close()\nbentoml.models.list()\n"
        "lost = bj.build('lost', lambda x: x, sample=1, prove=False).tag\n"
        "form = bj.forms.deploy(namespace=globals())\n"
        "form.bento.value = lost\nform.group['name'].value = 'from-lost'\ndone()\n"
        "bentoml.delete(lost)\nsubmitted()"
    )
    assert "has a Bento lost:" in kernel.run("print(form.bento.problem)")
    kernel.run("form.bento.value = built.tag")
    assert kernel.run("print(form.bento.problem, form.submit.disabled)").strip() == "False"


def test_a_bento_proven_on_this_machine_says_so_in_another_notebook_too(kernel: Kernel) -> None:
    kernel.run("form.close()\nform = bj.forms.deploy(namespace={})")
    said = "print([shown for shown, tag in form.bento.widget.options if tag == built.tag])"
    assert "✓ proven" in kernel.run(said)
    kernel.run("!python -m bentoml delete {built.tag} -y")
    kernel.run("form.again.click()\ndone()")
    assert "✓ proven" in kernel.run(said)
    assert "in the cloud" in kernel.run(said)


@pytest.mark.parametrize("line", ["call nobody", "status nobody", "deploy nobody", "deploy nobody --clone"])
def test_a_form_of_a_deployment_that_there_is_not_says_so_at_once(kernel: Kernel, line: str) -> None:
    assert "no deployment 'nobody'" in kernel.fails(f"%bento_form {line}").value


@pytest.mark.parametrize(
    "line", ["", "nonsense", "build x", "deploy --nope", "call later --clone", "deploy --clone"]
)
def test_a_wrong_line_says_what_is_wrong_with_it(kernel: Kernel, line: str) -> None:
    assert kernel.fails(f"%bento_form {line}").name == "MagicUsageError"
