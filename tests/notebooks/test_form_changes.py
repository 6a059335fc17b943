"""Changes by the deploy form while others change the same, and what is easily lost, in a real kernel."""

from __future__ import annotations

import pytest
from kernels import Kernel


@pytest.fixture(scope="module", autouse=True)
def form(kernel: Kernel) -> None:
    kernel.run(
        "built = bj.build('shared', clf, sample=X[:5], prove=False)\n"
        "theirs = bj.deploy(built, name='shared', mode='on-demand', concurrency=16, envs={'A': '1'})\n"
        "form = bj.forms.deploy(update='shared')\n"
        "def done():\n"
        "    form.worker.wait(120)\n"
        "def submitted():\n"
        "    form.submit.click()\n"
        "    done()\n"
    )


def test_looking_again_shows_what_others_changed_and_keeps_what_was_changed_here(kernel: Kernel) -> None:
    kernel.run("form.group['max'].value = 4\nform.group['envs'].value = {'A': '1', 'MINE': '2'}")
    kernel.run("theirs.update(envs={'A': '1', 'B': '3'}, queue=50)\nform.again.click()\ndone()")
    said = kernel.run("print(form.group['max'].value, form.group['queue'].value, form.group['envs'].value)")
    assert said.strip() == "4 50 {'A': '1', 'B': '3', 'MINE': '2'}"
    assert kernel.run("print([place for place, *_ in form.changes(form.read()).items()])").strip() == (
        "['max', 'envs']"
    )


def test_what_was_changed_since_is_shown_before_it_is_changed_again(kernel: Kernel) -> None:
    kernel.run("theirs.update(envs={'A': '1', 'B': '3', 'C': '4'})\nsubmitted()")
    assert "shared was changed meanwhile: envs.C" in kernel.run("print(form.said)")
    assert kernel.run("print(theirs.status().scaling.max)").strip() == "1"
    kernel.run("submitted()\nassert form.said == '', form.said")
    assert kernel.run("print(form.cloud.spec('shared').envs, theirs.status().scaling.max)").strip() == (
        "{'A': '1', 'B': '3', 'C': '4', 'MINE': '2'} 4"
    )


def test_looking_again_loses_no_row_and_tells_what_is_gone(kernel: Kernel) -> None:
    kernel.run("name, value = form.group['envs'].more()\nname.value, value.value = 'A', '9'")
    assert "given twice" in kernel.run("form.again.click()\ndone()\nprint(form.group['envs'].problem)")
    kernel.run("form.group['envs'].value = form._loaded['envs']\nform.close()")
    kernel.run(
        "bj.deploy(built, name='brief', mode='on-demand')\nform = bj.forms.deploy(update='brief')\n"
        "bj.deployment('brief').delete()\nform.again.click()\ndone()"
    )
    assert kernel.run("print(form.said)").strip() == "brief was deleted meanwhile"
    kernel.run("form.start.value = ('update', 'shared')\ndone()")


def test_what_is_typed_while_a_change_is_made_stays(kernel: Kernel) -> None:
    kernel.run(
        "from bento_jupyter import workspace\nreal = workspace.deploy\n"
        "def typing(*args, **options):\n"
        "    form.group['queue'].value = 77\n"
        "    return real(*args, **options)\n"
        "workspace.deploy = typing\nform.group['idle_seconds'].value = 33\nsubmitted()\n"
        "workspace.deploy = real\nassert form.said == '', form.said"
    )
    said = kernel.run("print(form.line, form.group['idle_seconds'].value)")
    assert said.strip() == "%bento_update shared --queue=77 33"
    kernel.run("form.group['queue'].value = form._loaded['queue']")


def test_a_deployment_that_cannot_be_loaded_is_not_taken_for_the_one_before(kernel: Kernel) -> None:
    kernel.run(
        "bj.deploy(built, name='beside', mode='on-demand')\nform.again.click()\ndone()\n"
        "reach = form.reach\n"
        "def nobody():\n"
        "    raise bj.errors.CloudUnreachableError('nobody answers')\n"
        "form.reach = nobody\nform.start.value = ('update', 'beside')\ndone()\nform.group['max'].value = 7"
    )
    assert kernel.run("print(form.start.problem, form.submit.disabled, repr(form.line))").strip() == (
        "nobody answers True ''"
    )
    kernel.run("form.reach = reach\nform.again.click()\ndone()")
    assert kernel.run("print(form.line)").strip() == "%bento_update beside --max=7"
    kernel.run("form.close()\nform = bj.forms.deploy(update='shared')\nform.group['max'].value = 4")
    assert "no field 'expires'" in kernel.fails("bj.forms.deploy(defaults={'expires': '2h'})").value


def test_the_other_type_keeps_the_concurrency_and_forgets_a_min_that_it_does_not_know(kernel: Kernel) -> None:
    assert kernel.run("print(form.group['min'].value, form.group['min'].disabled)").strip() == "0 True"
    kernel.run("form.group['mode'].value = bj.Mode.ONLINE")
    assert kernel.run("print(form.group['min'].value, form.group['min'].disabled)").strip() == "None False"
    assert kernel.run("print(form.line)").strip() == (
        "%bento_update shared --mode online --concurrency=16 --reset=min"
    )
    kernel.run("form.group['min'].value = 0")
    said = kernel.run("print(form.group['min'].problem, '|', form.group['services'].problem)")
    assert said.startswith("an Online Service keeps at least 1 instance")
    assert said.strip().endswith("|")
    kernel.run("form.group['min'].value = None\nsubmitted()\nassert form.said == '', form.said")
    assert kernel.run("print(form.cloud.spec('shared').concurrency)").strip() == "16"
    kernel.run("form.group['mode'].value = bj.Mode.ON_DEMAND\nform.group['mode'].value = bj.Mode.ONLINE")
    assert "nothing changes yet" in kernel.run("print(form.difference.value)")
    kernel.run("form.close()")


def test_the_bento_that_is_chosen_while_a_deployment_loads_stays(kernel: Kernel) -> None:
    kernel.run(
        "other = bj.build('other', clf, sample=X[:5], prove=False)\nform = bj.forms.deploy()\n"
        "form.bento.value = built.tag\n"
        "with form._lock:\n"  # it cannot arrive before
        "    form.start.value = ('update', 'shared')\n"
        "    form.bento.value = other.tag\n"
        "done()"
    )
    assert (
        kernel.run("print(form.bento.value == other.tag, form.group['name'].value)").strip() == "True shared"
    )
    kernel.run("form.close()")


FRAGILE = """%%bento_service fragile --no-prove
import os
import bentoml

@bentoml.service
class Fragile:
    def __init__(self) -> None:
        if os.environ.get("BREAK"):
            raise RuntimeError("broken")

    @bentoml.api
    def ping(self) -> str:
        return "pong"
"""


def test_what_is_changed_is_the_bento_that_runs_until_an_object_is_chosen(kernel: Kernel) -> None:
    kernel.run(
        "form = bj.forms.deploy()\nform.source.value = 'object'\nform.start.value = ('update', 'shared')"
    )
    kernel.run("done()")
    said = kernel.run("print(form.source.value, form.line == '', form.submit.disabled)")
    assert said.strip() == "bento True True"
    kernel.run("form.source.value = 'object'\nform.again.click()\ndone()")
    assert kernel.run("print(form.source.value)").strip() == "object"
    kernel.run("form.close()")


def test_what_has_failed_is_there_and_can_be_changed(kernel: Kernel) -> None:
    kernel.run(FRAGILE)
    kernel.run(
        "form = bj.forms.deploy()\n"
        "form.bento.value = next(tag for _, tag in form.bento.widget.options if 'fragile' in tag)\n"
        "form.group['name'].value = 'fails'\nform.group['envs'].value = {'BREAK': '1'}\nsubmitted()"
    )
    assert kernel.run("print(form.has_failed, form.start.value)").strip() == "True ('update', 'fails')"
    assert "broken" in kernel.run("print(form.message.value)")
    kernel.run("form.group['envs'].value = {}\nsubmitted()\nassert form.said == '', form.said")
    assert kernel.run("print(form.deployment.status().status.value)").strip() == "running"
    kernel.run("form.close()\nform.deployment.delete()")


def test_a_new_deployment_begins_with_what_the_settings_of_the_magics_say(kernel: Kernel) -> None:
    kernel.run(
        "kind = next(iter(bj.workspace.current().instance_types())).name\n"
        "%config BentoMagics.mode = 'on-demand'\n"
        "get_ipython().run_line_magic('config', f'BentoMagics.instance_type = {kind!r}')\n"
        "form = get_ipython().run_line_magic('bento_form', 'deploy')"
    )
    assert kernel.run("print(form.read().mode.value, form.read().instance_type == kind)").strip() == (
        "on-demand True"
    )
    kernel.run("form.close()\n%config BentoMagics.mode = ''\n%config BentoMagics.instance_type = ''")


def test_a_name_that_is_offered_is_short_enough(kernel: Kernel) -> None:
    kernel.run(
        "long = 'a' * 63\nbj.build(long, clf, sample=X[:5], prove=False)\n"
        "form = bj.forms.deploy()\n"
        "form.bento.value = next(tag for _, tag in form.bento.widget.options if long in tag)"
    )
    kernel.run("form._taken.add(long)\nform.group['name'].value = ''\nform.bento._changed()\ndone()")
    assert kernel.run("print(len(form.group['name'].value), form.group['name'].problem)").strip() == "63"


@pytest.mark.parametrize("typed", ["²", "9" * 5000, "-1"])
def test_a_max_that_is_no_number_is_said_at_its_field(kernel: Kernel, typed: str) -> None:
    kernel.run(
        f"form.group['instance_type'].value = next(iter(form._types))\nform.said = ''\n"
        f"form.group['max'].widget.value = {typed!r}\ndone()"
    )
    assert kernel.run("print(form.group['max'].problem != '', repr(form.said))").strip() == "True ''"
