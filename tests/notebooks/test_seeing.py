"""What one sees of deployments in a real kernel: cards, lists, charts, live views, logs, failures by cell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from html.parser import HTMLParser
from typing import Any

import pytest
from kernels import Kernel, Workplace

from bento_jupyter.client import embedded
from bento_jupyter.display.tables import JSON_TYPE

TALKER = """class Talker:
    def __init__(self):
        self.word = "said"

    def say(self, text: str) -> str:
        print(self.word, text, flush=True)
        if text == "fail":
            raise MemoryError("no room for <b>that</b>")
        return text

talker = Talker()"""

LOOKS = [
    "%bento_status", "%bento_status talk", "%bento_status talk --events", "%bento_status talk --revisions",
    "%bento_status talk --instances", "%bento_list", "%bento_list bentos", "%bento_list models",
    "%bento_list instance-types", "%bento_list images", "%bento_list secrets", "%bento_list clouds",
    "%bento_list --running", "%bento_metrics talk", "%bento_metrics talk --step 60", "%bento_cloud status",
    "%bento_logs talk", "dep.status()", "built", "built.plan", "%bento_prove built", "bj.deployments()",
    "dep.metrics()", "dep.instances()", "dep.events()", "dep.revisions()", "dep.logs()",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def deployed(kernel: Kernel) -> None:
    kernel.run(TALKER)
    kernel.run(
        "built = bj.build('talk', talker, sample={'say': 'hello'}, endpoints=['say'])\n"
        "dep = bj.deploy(built, mode='on-demand')\n"
        "for number in range(20):\n"
        "    dep.call('say', f'<i>{number}</i>')"
    )


def bundles(kernel: Kernel, code: str) -> list[dict[str, Any]]:
    """The mimebundles that a cell shows."""
    before = len(kernel.outputs)
    kernel.run(code)
    return [output["data"] for output in kernel.outputs[before:] if "data" in output]


class Page(HTMLParser):
    """Tags and attributes of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("code", LOOKS)
def test_what_a_verb_gives_back_stands_alone_as_text_and_is_safe_as_html(kernel: Kernel, code: str) -> None:
    bundle = bundles(kernel, code)[-1]
    text = bundle["text/plain"]
    assert len(text) > 5
    assert " object at 0x" not in text
    page = Page()
    page.feed(bundle["text/html"])
    assert page.open == []
    assert not page.tags & {"script", "style", "iframe", "img", "object", "form", "link", "i", "b"}
    assert not {name for name in page.attributes if name.startswith("on") or name in ("id", "class", "src")}
    assert not re.search(r"#[0-9a-f]{3,6}\b(?!\))", re.sub(r"href=\"[^\"]*\"", "", bundle["text/html"]))
    if JSON_TYPE in bundle:
        json.dumps(bundle[JSON_TYPE])


def test_what_changes_says_as_of_when_it_was_so(kernel: Kernel) -> None:
    lasting = ("built", "built.plan", "%bento_prove built")
    for code in (code for code in LOOKS if code not in lasting):
        bundle = bundles(kernel, code)[-1]
        shown = ("text/html",) if "logs" in code else ("text/plain", "text/html")  # a log's text is its lines
        for kind in shown:
            assert re.search(r"as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", bundle[kind]), code


def test_lists_are_of_the_names_asked_for(kernel: Kernel) -> None:
    assert "talk:" in kernel.run("%bento_list bentos 'ta*'")
    assert kernel.run("%bento_list bentos 'other*'").startswith("no bentos named like 'other*'")
    assert "talk" in kernel.run("%bento_list --running")
    assert kernel.fails("%bento_list bentos --running").name == "MagicUsageError"
    assert kernel.fails("%bento_status --events").name == "MagicUsageError"
    assert kernel.fails("%bento_status talk --events --watch").name == "MagicUsageError"


def test_metrics_are_figures_and_a_chart(kernel: Kernel) -> None:
    (bundle,) = bundles(kernel, "%bento_metrics talk")
    assert re.search(r"requests +2\d requests", bundle["text/plain"])
    assert "█" in bundle["text/plain"]
    assert re.search(r"p50 [\d.]+ m?s, p95 ", bundle["text/plain"])
    assert bundle["text/html"].count("<svg") == 4
    assert bundle[JSON_TYPE]["requests"] >= 20


def test_logs_are_searched_and_cut(kernel: Kernel) -> None:
    said = kernel.run("%bento_logs talk --lines 500 -q '<i>7</i>'")
    assert said.splitlines() == [line for line in said.splitlines() if "said <i>7</i>" in line]
    assert len(kernel.run("print(dep.logs(q='said <i>[12]</i>', regex=True))").splitlines()) == 2
    assert "said" in kernel.run("%bento_logs talk --since 1h")
    error = kernel.fails("%bento_logs talk --since yesterday")
    assert "10m" in error.traceback[-1]
    assert kernel.fails("%bento_logs talk -q '(' --regex").name == "InvalidRequestError"


def test_a_failed_call_shows_the_line_of_the_cell(kernel: Kernel) -> None:
    error = kernel.fails("%bento_call talk 'fail'")
    shown = "\n".join(error.traceback)
    assert error.name == "CallError"
    assert re.search(r"cell \[\d+\], line 8, in say", shown)
    assert 'raise MemoryError("no room for <b>that</b>")' in shown
    assert "MemoryError: no room for <b>that</b>" in shown


def test_watching_ends_with_the_status_that_is_waited_for_and_updates_one_display(kernel: Kernel) -> None:
    kernel.run("again = bj.deploy(built, name='again', mode='on-demand', wait=False)")
    shown = bundles(kernel, "%bento_status again --until scaled-to-zero")
    assert "scaled-to-zero" in shown[-1]["text/plain"]
    before = len(kernel.outputs)
    kernel.run("again.watch(until='scaled-to-zero')")
    ids = {
        output["transient"]["display_id"]
        for output in kernel.outputs[before:]
        if "display_id" in output.get("transient", {})
    }
    assert len(ids) == 1
    assert kernel.fails("again.watch(until='happy')").name == "InvalidRequestError"


class Streams:
    """What a running cell writes, told to another thread."""

    def __init__(self) -> None:
        self.text = ""
        self.changed = threading.Condition()

    def hook(self, message: dict[str, Any]) -> None:
        content = message["content"]
        with self.changed:
            self.text += content.get("text", "") or content.get("data", {}).get("text/plain", "")
            self.changed.notify_all()

    def wait_for(self, words: str, within: float = 60) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: words in self.text, timeout=within), self.text


def while_running(kernel: Kernel, code: str, act: Any) -> tuple[str, str]:
    """Run a cell; `act` gets its streams and interrupts it at the end. Returns status and text."""
    streams = Streams()

    def acting() -> None:
        try:
            act(streams)
        finally:
            kernel.manager.interrupt_kernel()

    thread = threading.Thread(target=acting)
    thread.start()
    reply = kernel.client.execute_interactive(code, timeout=180, output_hook=streams.hook, allow_stdin=False)
    thread.join()
    return reply["content"]["status"], streams.text


ASK = "import sys, bento_jupyter as bj\nbj.deployment('talk').call('say', sys.argv[1])"


def ask(workplace: Workplace, text: str) -> None:
    """Call from another process."""
    subprocess.run([sys.executable, "-c", ASK, text], env=workplace.environment, check=True, timeout=120)


def test_following_a_log_survives_a_restart_of_the_cloud_without_repeats(
    kernel: Kernel, workplace: Workplace
) -> None:
    ask(workplace, "before")

    def act(streams: Streams) -> None:
        streams.wait_for("said before")
        embedded.stop(workplace.home)
        embedded.start(workplace.home)
        ask(workplace, "after")
        streams.wait_for("said after")

    status, text = while_running(kernel, "%bento_logs talk --follow --lines 500", act)
    assert status == "ok"
    assert text.count("said before") == 1
    assert text.count("said after") == 1
    assert text.count("said <i>7</i>") == 1


def test_following_a_log_goes_on_with_the_instance_that_takes_over(
    kernel: Kernel, workplace: Workplace
) -> None:
    kernel.run("steady = bj.deploy(built, name='steady', mode='online'); first = steady.instances()[0]")
    first = kernel.run("print(first.id)").strip()
    pid = int(kernel.run("print(first.pid)"))
    code = "import sys, bento_jupyter as bj\nbj.deployment('steady').call('say', sys.argv[1])"

    def say(text: str) -> None:
        words = [sys.executable, "-c", code, text]
        subprocess.run(words, env=workplace.environment, check=True, timeout=120)

    def act(streams: Streams) -> None:
        say("before")
        streams.wait_for(f"[{first}] said before")
        os.kill(pid, signal.SIGKILL)
        say("after")
        streams.wait_for("] said after")

    status, text = while_running(kernel, "%bento_logs steady --follow", act)
    assert status == "ok"
    assert text.count("said before") == text.count("said after") == 1
    assert f"[{first}] said after" not in text
    kernel.run("steady.delete()")


def test_a_card_that_is_watched_shows_a_request_soon_after_it(kernel: Kernel, workplace: Workplace) -> None:
    kernel.run("bj.deployment('talk').start()")
    before = int(kernel.run("print(bj.deployment('talk').status().requests)"))

    def act(streams: Streams) -> None:
        streams.wait_for(f"{before} answered")
        ask(workplace, "soon")
        streams.wait_for(f"{before + 1} answered", within=10)

    status, _ = while_running(kernel, "%bento_status talk --watch", act)
    assert status == "ok"


def test_watching_sees_changes_as_they_come_and_ends_with_an_interrupt(
    kernel: Kernel, workplace: Workplace
) -> None:
    kernel.run("bj.deployment('talk').terminate()")

    def act(streams: Streams) -> None:
        streams.wait_for("terminated")
        ask_to_start(workplace)
        streams.wait_for("scaled-to-zero")

    status, _ = while_running(kernel, "%bento_status talk --watch", act)
    assert status == "ok"


def ask_to_start(workplace: Workplace) -> None:
    code = "import bento_jupyter as bj; bj.deployment('talk').start()"
    subprocess.run([sys.executable, "-c", code], env=workplace.environment, check=True, timeout=120)


def test_in_a_terminal_watching_writes_a_line_per_change(workplace: Workplace) -> None:
    code = (
        "import bento_jupyter as bj\n"
        "dep = bj.deployment('talk')\n"
        "dep.watch(until=dep.status().status)\n"
        "print(dep.metrics())\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "-c", code],
        env=workplace.environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert re.match(r"talk: \S \S+, \d+ of \d+ instances ready", done.stdout)
    assert "Metrics of talk" in done.stdout
    assert "<div" not in done.stdout
