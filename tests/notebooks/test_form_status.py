"""The status form in a real kernel: live without blocking it, what can be done there, and its end."""

from __future__ import annotations

import pytest
from kernels import Kernel


@pytest.fixture(scope="module", autouse=True)
def form(kernel: Kernel) -> None:
    kernel.run(
        "def said(rows: list) -> list:\n"
        "    print('asked for', len(rows), flush=True)\n"
        "    return rows\n"
        "one = bj.deploy(said, sample=[1], name='one', mode='online')\n"
        "two = bj.deploy(clf, sample=X[:5], name='two', mode='on-demand')\n"
    )
    kernel.run(
        "import threading, time\n"
        "def until(look, seconds=30):\n"
        "    deadline = time.monotonic() + seconds\n"
        "    while not look():\n"
        "        assert time.monotonic() < deadline, (form.said, form.live.value, form.rows())\n"
        "        time.sleep(0.02)\n"
        "def turn(title):\n"
        "    form.tabs.selected_index = form.tabs.titles.index(title)\n"
        "    form.worker.wait(30)\n"
        "def status(name):\n"
        "    return next(v.status.value for v in form.views if v.name == name)\n"
        "def confirmed(button):\n"
        "    button.click()\n"
        "    form.worker.wait(30)\n"
        "    form.question.children[1].click()\n"
        "    form.worker.wait(60)\n"
        "form = bj.forms.status('one')\n"
    )


def test_the_list_and_one_in_detail(kernel: Kernel) -> None:
    said = kernel.run("print(form.list.options, form.name, form.live.value)")
    assert "one  Online Service" in said
    assert "two  On-Demand Function" in said
    assert "● live" in said
    assert "http://" in kernel.run("print(form.detail.value)")
    assert kernel.run("print(form.line, '|', form.call)").strip() == (
        "%bento_status one | bj.deployment('one').watch()"
    )


def test_a_change_made_elsewhere_shows_within_a_second_while_the_kernel_does_other_things(
    kernel: Kernel,
) -> None:
    kernel.run(
        "one.scale(max=3, wait=False)\n"
        "until(lambda: any(v.name == 'one' and v.scaling.max == 3 for v in form.views), seconds=1)\n"
        "until(lambda: form.scaling['max'].value == '3', seconds=1)\n"
    )


def test_logs_are_followed_and_searched(kernel: Kernel) -> None:
    kernel.run("turn('Logs')\none.call('said', [1, 2, 3])")
    kernel.run("until(lambda: 'asked for 3' in form.logs.value)")
    kernel.run("form.search.value = 'ASKED'\nuntil(lambda: 'Service' not in form.logs.value)")
    assert "asked for 3" in kernel.run("print(form.logs.value)")
    kernel.run("form.follow.value = False\nform.worker.wait(30)\nbefore = form.logs.value")
    kernel.run("form.search.value = 'nothing like it'\nuntil(lambda: 'no log lines' in form.logs.value)")
    kernel.run("form.search.value = ''\nform.follow.value = True\nform.worker.wait(30)")


def test_instances_metrics_and_events(kernel: Kernel) -> None:
    kernel.run("turn('Instances')\nuntil(lambda: 'ready' in form.instances.value)")
    kernel.run("turn('Metrics')\nuntil(lambda: '<svg' in form.metrics.value)")
    assert "latency" in kernel.run("print(form.metrics.value)")
    kernel.run("turn('Events')\nuntil(lambda: '<table' in form.events.value)")


def test_scaling_is_checked_and_says_the_line_that_does_the_same(kernel: Kernel) -> None:
    kernel.run("turn('Scale')\nform.scaling['max'].value = 0")
    assert kernel.run("print(form.scaling['max'].problem != '', form.apply.disabled)").strip() == "True True"
    kernel.run("form.scaling['max'].value = 2")
    said = kernel.run("print(form.change.value, form.apply.disabled)")
    assert "%bento_scale one --max 2" in said
    assert "scale(max=2)" in said
    assert said.strip().endswith("False")
    kernel.run("form.apply.click()\nform.worker.wait(60)")
    kernel.run("until(lambda: one.status().scaling.max == 2 and form._filled[3] == 2)")
    assert kernel.run("print(form.apply.disabled)").strip() == "True"


def test_the_mode_is_switched(kernel: Kernel) -> None:
    kernel.run("form.scaling['mode'].value = bj.Mode.ON_DEMAND\nform.scaling['min'].value = 0")
    assert "--mode on-demand --min 0" in kernel.run("print(form.change.value)")
    kernel.run("form.apply.click()\nform.worker.wait(60)\nassert 'changing' in form.said, form.said")
    kernel.run("until(lambda: form.view.mode == 'on-demand')")


def test_what_is_typed_stays_when_others_change_the_numbers(kernel: Kernel) -> None:
    kernel.run("form.list.value = 'one'\nform.worker.wait(30)\none.scale(mode='online', max=4)")
    kernel.run("until(lambda: form._filled[1:] == (bj.Mode.ONLINE, 1, 4) and form._loaded['max'] == '4')")
    kernel.run("form.scaling['min'].value = 2")
    kernel.run("one.scale(max=6, wait=False)\nuntil(lambda: form.scaling['max'].value == '6')")
    assert kernel.run("print(form.scaling['min'].value)").strip() == "2"
    kernel.run("form.scaling['mode'].value = bj.Mode.ON_DEMAND\nform.scaling['mode'].value = bj.Mode.ONLINE")
    assert (
        kernel.run("print(form.scaling['min'].value)").strip()
        == kernel.run("print(form._loaded['min'])").strip()
    )
    kernel.run("form.scaling['min'].value = 2\none.scale(mode='on-demand', wait=False)")
    kernel.run("until(lambda: form.scaling['mode'].value is bj.Mode.ON_DEMAND)\nform.worker.wait(30)")
    said = kernel.run("until(lambda: form.scaling['min'].disabled)\nprint(form.scaling['min'].problem == '')")
    assert said.strip() == "True"
    kernel.run("one.scale(mode='online', max=3)\nuntil(lambda: form.scaling['mode'].value is bj.Mode.ONLINE)")


def test_lines_and_calls_of_the_buttons_do_what_they_do(kernel: Kernel) -> None:
    kernel.run("form.list.value = 'one'\nform.worker.wait(30)\nturn('Revisions')")
    kernel.run("import re, html\nfound = html.unescape(form.code.value)")
    for verb in ("start", "restart", "terminate", "rollback"):
        assert (
            kernel.run(f"print('%bento_{verb} one' in found, {verb!r} + '(' in found)").strip() == "True True"
        )
    assert "True" in kernel.run("print('%bento_delete one --yes' in found)")
    before = kernel.run("print(one.status().revision)").strip()
    line = kernel.run("print(re.search(r'>(%bento_rollback one [0-9]+)<', found).group(1))").strip()
    call = kernel.run("print(re.search(r'>(bj.deployment[^<]*rollback[^<]*)<', found).group(1))").strip()
    assert line.rpartition(" ")[2] == call.partition("rollback(")[2].rstrip(")")
    kernel.run(call)
    assert kernel.run("print(one.status().revision)").strip() != before


def test_another_type_forgets_a_min_that_it_does_not_know(kernel: Kernel) -> None:
    kernel.run("one.scale(mode='online')\nuntil(lambda: form.scaling['mode'].value is bj.Mode.ONLINE)")
    kernel.run("turn('Scale')\nform.scaling['mode'].value = bj.Mode.ON_DEMAND")
    assert kernel.run("print(form.scaling['min'].value, form.scaling['min'].disabled)").strip() == "None True"
    kernel.run("form.scaling['mode'].value = bj.Mode.ONLINE\nform.scaling['min'].value = 0")
    assert "keeps at least 1 instance" in kernel.run("print(form.scaling['min'].problem)")
    assert kernel.run("print(form.apply.disabled)").strip() == "True"
    kernel.run("form.scaling['min'].value = 1")


def test_rollback_to_an_earlier_revision_asks_first(kernel: Kernel) -> None:
    kernel.run("turn('Revisions')\nuntil(lambda: form.revision.value)")
    kernel.run("form.revision.value = 1\nconfirmed(form.rollback)\nassert 'rolling' in form.said, form.said")
    kernel.run("until(lambda: form.view.mode == 'online')\nuntil(lambda: status('one') == 'running')")


def test_what_was_asked_about_is_done_whatever_is_looked_at_then(kernel: Kernel) -> None:
    kernel.run(
        "form.terminate.click()\nform.worker.wait(30)\nform.list.value = 'two'\nform.worker.wait(30)\n"
        "form.question.children[1].click()\nuntil(lambda: status('one') == 'terminated')"
    )
    assert kernel.run("print(status('two'))").strip() == "scaled-to-zero"


def test_one_that_was_terminated_can_only_be_started(kernel: Kernel) -> None:
    kernel.run("form.list.value = 'one'\nform.worker.wait(30)\nuntil(lambda: not form.busy)")
    said = kernel.run("print(form.start.disabled, form.restart.disabled, form.terminate.disabled)")
    assert said.split() == ["False", "True", "True"]
    kernel.run("form.start.click()\nuntil(lambda: status('one') == 'running')")
    kernel.run("before = {i.id for i in one.instances()}\nform.restart.click()")
    kernel.run("until(lambda: before.isdisjoint({i.id for i in form.view.instances}))")


def test_an_error_is_said_and_the_form_goes_on(kernel: Kernel) -> None:
    kernel.run(
        "form.delete.click()\nform.worker.wait(30)\none.delete()\n"
        "form.question.children[1].click()\nform.worker.wait(60)"
    )
    assert "one" in kernel.run("print(form.said)")
    kernel.run("until(lambda: [v.name for v in form.views] == ['two'] and form.name == 'two')")


def test_it_is_live_again_after_a_restart_of_the_cloud(kernel: Kernel) -> None:
    kernel.run("%bento_cloud stop\nuntil(lambda: 'not live' in form.live.value)")
    kernel.run("bj.deployments()")  # starts it
    kernel.run("until(lambda: '● live' in form.live.value)")
    kernel.run("two = bj.deployment('two')\ntwo.scale(max=4, wait=False)")
    kernel.run("until(lambda: form.view.scaling.max == 4, seconds=5)")


def test_delete_asks_and_an_empty_list_is_shown(kernel: Kernel) -> None:
    kernel.run("confirmed(form.delete)\nuntil(lambda: form.views == [])")
    assert kernel.run("print(repr(form))").count("none") == 1
    assert kernel.run("print(form.delete.disabled, form.tabs.layout.display)").split() == ["True", "none"]


def test_text_in_terminals_and_an_inert_record_in_the_notebook(kernel: Kernel) -> None:
    assert "%bento_status" in kernel.run("print(repr(form))")
    before = len(kernel.outputs)
    kernel.run("%bento_form status")
    shown = [each["data"] for each in kernel.outputs[before:] if "text/plain" in each.get("data", {})]
    widget, record = shown[:2]
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert "%bento_status" in record["text/html"]
    assert "<button" not in record["text/html"]


@pytest.mark.parametrize("end", ["form.close()", "form.close_button.click()", "form.widget.close()"])
def test_closed_it_leaves_no_thread(kernel: Kernel, end: str) -> None:
    kernel.run("import ipywidgets\nipywidgets.Widget.close_all()\nform = bj.forms.status()")
    kernel.run(
        "def watching():\n"
        "    return [t for t in threading.enumerate() if t.name in ('bento-watch', 'bento-form')]\n"
        f"assert watching()\n{end}\nuntil(lambda: not watching(), seconds=30)"
    )
