"""What helps while one types: the verbs, misspelt ones, completion, defaults; loading and unloading."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator

import pexpect
import pytest
from kernels import Kernel, Workplace


@pytest.fixture(scope="module")
def kernel(workplace: Workplace) -> Iterator[Kernel]:
    running = workplace.kernel()
    try:
        running.run("%load_ext bento_jupyter\nimport bento_jupyter as bj")
        yield running
    finally:
        running.client.stop_channels()
        running.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def complete(kernel: Kernel) -> Callable[[str], list[str]]:
    """What is offered at the end of a line."""

    def matches(line: str) -> list[str]:
        reply = kernel.client.complete(line, reply=True, timeout=30)["content"]
        return sorted(reply["matches"])

    return matches


def soon(complete: Callable[[str], list[str]], line: str, word: str) -> list[str]:
    """What is offered as soon as the background has brought `word`."""
    deadline = time.monotonic() + 60
    while word not in (found := complete(line)):
        assert time.monotonic() < deadline, f"{line!r} offers {found}, not {word!r}"
        time.sleep(0.05)
    return found


def test_bento_alone_lists_the_verbs_with_a_line_each(kernel: Kernel) -> None:
    lines = kernel.run("%bento").splitlines()[1:]
    assert {"%bento_deploy", "%bento_status", "%bento_login", "%bento_promote"} <= {
        line.split()[0] for line in lines
    }
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("%bento_delpoy clf", "%bento_deploy"),
        ("x = %bento_stauts", "%bento_status"),
        ("%%bento_srevice a\n1", "%bento_service"),
        ("%bento stauts", "%bento_status"),
        ("if True:\n    %bento_lsit bentos", "%bento_list"),
    ],
)
def test_a_misspelt_magic_fails_and_says_which_is_meant(kernel: Kernel, code: str, hint: str) -> None:
    error = kernel.fails(code)
    assert error.name == "MagicUsageError"
    assert f"did you mean {hint}" in "\n".join(error.traceback)


def test_a_text_that_looks_like_a_misspelt_magic_stays_as_it_is(kernel: Kernel) -> None:
    assert kernel.run("print('''\n%bento_nix y\n''')").strip() == "%bento_nix y"


def test_a_verb_behind_bento_is_the_magic_of_its_name(kernel: Kernel) -> None:
    *rows, as_of = kernel.run("%bento list instance-types").splitlines()
    assert rows == kernel.run("%bento_list instance-types").splitlines()[:-1]
    assert rows[0].startswith("name")
    assert as_of.startswith("as of ")


def test_options_and_choices_are_completed(complete: Callable[[str], list[str]]) -> None:
    assert "--instance-type" in complete("%bento_deploy clf --")
    assert complete("%bento_deploy clf --mode on") == ["on-demand", "online"]
    assert "--mode" in complete("y = %bento_deploy clf --m")
    assert complete("%bento_login --to") == ["--token-env"]
    assert "status" in complete("%bento st")


def test_names_are_completed_from_the_cloud(kernel: Kernel, complete: Callable[[str], list[str]]) -> None:
    kernel.run(
        "def shout(text: str) -> str:\n    return text.upper()\n"
        "word = 'a'\n"
        "dep = bj.deploy(shout, name='shouting', sample=word, mode='on-demand')\n"
        "bj.cloud.login()"
    )
    kernel.run("!python -m bentoml secret create keys KEY=v")
    soon(complete, "%bento_status ", "shouting")
    soon(complete, "%bento_deploy x --instance-type ", "cpu.1")
    soon(complete, "%bento_deploy x --secret ", "keys")
    soon(complete, "%bento_status --cloud ", "embedded")
    soon(complete, "%bento_status --cloud embedded ", "shouting")
    soon(complete, "%bento_call shouting ", "shout")
    tag = kernel.run("print(dep.bento)").strip()
    assert "shout" in soon(complete, "%bento_deploy ", tag)
    assert "word" in complete("%bento_deploy shout --sample ")
    assert all(word.endswith("upper") for word in complete("%bento_deploy shout --sample word.upp"))
    assert complete("%bento_status nobo") == []


def test_a_completion_asks_nobody_while_one_types(
    kernel: Kernel, complete: Callable[[str], list[str]]
) -> None:
    """Where the cloud does not answer, what was known before is offered at once."""
    soon(complete, "%bento_status ", "shouting")
    kernel.run("%bento_cloud stop")
    assert "shouting" in complete("%bento_status ")
    kernel.run("%bento_cloud start")


def test_a_cloud_is_told_when_it_starts_what_runs_its_instances(kernel: Kernel) -> None:
    nobody = "--engine ray --ray-address http://127.0.0.1:9"
    assert f"%bento_cloud start {nobody}" in "\n".join(kernel.fails(f"%bento_cloud stop {nobody}").traceback)
    assert "runs already" in kernel.fails(f"%bento_cloud start {nobody}").value
    assert "not set" in kernel.fails("%bento_cloud stop\n%bento_cloud start --ray-token-env NOBODY").value
    assert "http://127.0.0.1:9 does not answer" in kernel.fails(f"%bento_cloud start {nobody}").value
    assert "processes" in kernel.run("%bento_cloud start")


def test_defaults_are_set_by_config(kernel: Kernel) -> None:
    kernel.run("%config BentoMagics.cloud = 'elsewhere'")
    assert "no cloud context 'elsewhere'" in kernel.fails("%bento_status").value
    assert "shouting" in kernel.run("%bento_status --cloud embedded")
    kernel.run("%config BentoMagics.cloud = ''")
    kernel.run("%config BentoMagics.mode = 'on-demand'\n%config BentoMagics.prove = False")
    kernel.run("%bento_deploy shout --name quiet --sample word")
    assert kernel.run("print(bj.deployment('quiet').status().mode.value)").strip() == "on-demand"
    kernel.run("built = %bento_build quiet shout --sample word")
    assert kernel.run("print(built.proof)").strip() == "None"
    kernel.run("%config BentoMagics.mode = ''\n%config BentoMagics.prove = True")


def test_a_setting_that_cannot_be_is_told_and_breaks_nothing(kernel: Kernel) -> None:
    assert "sometimes" in kernel.run("%config BentoMagics.mode = 'sometimes'")
    kernel.run("%reload_ext bento_jupyter")
    assert "bento_deploy" in kernel.run("%bento")


LEFT = """
ip = get_ipython()
import json
print(json.dumps([
    [type(item).__name__ for item in ip.configurables if "Bento" in type(item).__name__],
    [str(item) for item in ip.Completer.custom_matchers],
    [str(item) for item in ip.input_transformers_post],
    [name for table in ip.magics_manager.magics.values() for name in table if name.startswith("bento")],
]))
"""


def test_reloading_changes_nothing_and_unloading_leaves_nothing(kernel: Kernel) -> None:
    before = json.loads(kernel.run(LEFT))
    kernel.run("%reload_ext bento_jupyter\n%reload_ext bento_jupyter")
    after = json.loads(kernel.run(LEFT))
    assert [len(item) for item in after] == [len(item) for item in before]
    assert "shouting" in kernel.run("%bento_status")
    kernel.run("%unload_ext bento_jupyter")
    assert json.loads(kernel.run(LEFT)) == [[], [], [], []]
    kernel.run("%load_ext bento_jupyter")
    assert "shouting" in kernel.run("%bento_status")


def test_the_doctor_is_a_card(kernel: Kernel) -> None:
    said = kernel.run("%bento doctor")
    for what in ("bentoml", "jupyterlab", "sidebar", "home", "cloud"):
        assert what in said


def test_a_terminal_asks_for_the_token_without_an_echo(workplace: Workplace, kernel: Kernel) -> None:
    kernel.run("from bento_jupyter.client import embedded; state = embedded.start()")
    endpoint, token = kernel.run("print(state.endpoint, state.token)").split()
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        env={**os.environ, **workplace.environment, "IPYTHONDIR": str(workplace.store / "ipython")},
        encoding="utf-8",
        timeout=60,
    )
    try:
        terminal.expect("In ")
        terminal.sendline("%load_ext bento_jupyter")
        terminal.expect("In ")
        terminal.sendline(f"%bento_login {endpoint}/")
        found = terminal.expect(["API token for ", "Out"])
        assert found == 1  # this endpoint is in the context file: nobody is asked
        terminal.expect("In ")
        other = endpoint.replace("127.0.0.1", "localhost")
        terminal.sendline(f"%bento_login {other} --context typed")
        terminal.expect("API token for ")
        terminal.waitnoecho()
        terminal.sendline(token)
        terminal.expect("Out.*'typed' at")
        assert token not in terminal.before
        terminal.sendline("%bento_login --list")
        terminal.expect("typed .* current")
    finally:
        terminal.close(force=True)
    for file in (workplace.store / "ipython").rglob("*"):
        assert not file.is_file() or token.encode() not in file.read_bytes(), file
