"""Two clouds side by side in a real kernel, each with a token of its own: verbs go where they are sent."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kernels import FITTED, Kernel, Workplace
from recording import Recorder

from bento_jupyter.client import embedded
from bento_jupyter.home import CloudState, Home

#: In the environment of the kernel, as of somebody who works with BentoCloud: nobody here may get it.
STRAY = "stray-token-of-another-cloud"


@dataclass(frozen=True)
class Remote:
    """A cloud that the kernel knows by an address and a token only."""

    state: CloudState
    recorder: Recorder

    @property
    def token(self) -> str:
        return self.state.token

    @property
    def endpoint(self) -> str:
        return self.recorder.endpoint


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    yield from remote(tmp_path_factory.mktemp("staging"))


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    yield from remote(tmp_path_factory.mktemp("prod"))


def bentoml(workplace: Workplace, *words: str) -> str:
    """What the real client says to a command."""
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", *words],
        env=workplace.environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def remote(folder: Path) -> Iterator[Remote]:
    home = Home(folder / "home")
    state = embedded.start(home)
    recorder = Recorder(state.endpoint)
    yield Remote(state, recorder)
    recorder.close()
    embedded.stop(home)


@pytest.fixture(scope="module")
def kernel(workplace: Workplace, staging: Remote, prod: Remote) -> Iterator[Kernel]:
    running = workplace.kernel(
        STAGING_TOKEN=staging.token,
        PROD_TOKEN=prod.token,
        WRONG_TOKEN="wrong-token",
        BENTO_CLOUD_API_KEY=STRAY,
        BENTO_CLOUD_API_ENDPOINT="https://cloud.bentoml.com",
    )
    try:
        running.run(FITTED)
        yield running
    finally:
        running.client.stop_channels()
        running.manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    "line", ["{} secret-token", "{} --token secret-token", "--api-token=secret-token {}"]
)
def test_a_token_on_the_line_is_refused_and_not_repeated(kernel: Kernel, prod: Remote, line: str) -> None:
    error = kernel.fails(f"%bento_login {line.format(prod.endpoint)}")
    assert error.name == "MagicUsageError"
    assert "history" in error.value
    assert "secret-token" not in "\n".join(error.traceback)


def test_without_a_terminal_nobody_is_asked_for_a_token(kernel: Kernel, prod: Remote) -> None:
    error = kernel.fails(f"%bento_login {prod.endpoint}")
    assert error.name == "NotLoggedInError"
    assert "--token-env" in "\n".join(error.traceback)
    assert prod.recorder.said == ""


def test_logging_in_keeps_a_context_that_only_its_owner_can_read(
    kernel: Kernel, workplace: Workplace, staging: Remote, prod: Remote
) -> None:
    kernel.run(f"%bento_login {prod.endpoint} --context prod --token-env PROD_TOKEN")
    kernel.run(f"%bento_login {staging.endpoint} --context staging --token-env STAGING_TOKEN")
    file = workplace.store / ".yatai.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = kernel.run("%bento_login --list").splitlines()
    assert [row.split()[0] for row in rows[1:-1]] == ["prod", "staging"]
    assert rows[-1].startswith("as of ")
    assert [row.split()[0] for row in rows if row.endswith("current")][1:] == ["staging"]
    assert prod.token not in "\n".join(rows)


def test_a_wrong_token_is_told(kernel: Kernel, prod: Remote) -> None:
    error = kernel.fails(f"%bento_login {prod.endpoint} --context other --token-env WRONG_TOKEN")
    assert error.name == "NotLoggedInError"
    assert "other" not in kernel.run("bj.clouds()")


def test_what_was_logged_in_here_is_known_to_the_client_and_back(
    kernel: Kernel, workplace: Workplace, prod: Remote
) -> None:
    listed = json.loads(bentoml(workplace, "cloud", "list-context"))
    assert {"prod", "staging"} <= set(listed)
    where = ("--endpoint", prod.endpoint, "--api-token", prod.token, "--context", "by-client")
    bentoml(workplace, "cloud", "login", *where)
    assert "no deployments" in kernel.run("%bento_status --cloud by-client")


def test_whoever_logs_out_leaves_no_token_and_is_sent_nowhere_else(
    kernel: Kernel, workplace: Workplace, prod: Remote
) -> None:
    file = workplace.store / ".yatai.yaml"
    kernel.run(f"%bento_login {prod.endpoint} --context left --token-env PROD_TOKEN")
    bentoml(workplace, "cloud", "update-current-context", "left")
    rows = kernel.run("%bento_logout left").splitlines()
    assert not any(row.startswith("left") for row in rows)
    assert "left" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "no cloud context 'left'" in kernel.fails("%bento_status --cloud left").value
    assert "no cloud context 'left'" in kernel.fails("%bento_logout left").value
    assert "embedded" in kernel.fails("%bento_logout embedded").value
    with pytest.raises(subprocess.CalledProcessError) as refused:
        bentoml(workplace, "deployment", "list")
    assert "No cloud context embedded" in refused.value.stderr + refused.value.stdout
    bentoml(workplace, "cloud", "update-current-context", "prod")


def test_verbs_go_to_the_cloud_that_they_name(kernel: Kernel) -> None:
    kernel.run("%bento_login --context staging")
    kernel.run(
        "%bento_deploy clf --sample X[:5] --name iris --mode on-demand --max 2 --protected --cloud staging"
    )
    assert "iris" in kernel.run("%bento_status")
    assert "no deployments" in kernel.run("%bento_status --cloud prod")
    assert "no deployments" in kernel.run("%bento_status --cloud embedded")


def test_code_of_forms_names_their_cloud_once_another_one_is_the_current_one(kernel: Kernel) -> None:
    kernel.run("%bento_login --context staging")
    kernel.run(
        "form = bj.forms.call('iris')\nwatched = bj.forms.status('iris')\n"
        "changing = bj.forms.deploy(update='iris')\nchanging.group['max'].value = 3\n"
        "def codes():\n"
        "    each = (form, watched, changing)\n"
        "    return [one.line for one in each] + [one.call for one in each]"
    )
    assert "cloud" not in kernel.run("print(codes())")
    kernel.run("%bento_login --context prod")
    codes = kernel.run("print('\\n'.join(codes()))").strip().splitlines()
    assert codes[0].startswith("%bento_call --cloud=staging iris predict ")
    assert codes[1:3] == ["%bento_status iris --cloud=staging", "%bento_update iris --max=3 --cloud=staging"]
    assert all("cloud='staging'" in each for each in codes[3:])
    for code in (codes[0], codes[1], codes[3]):
        kernel.run(code)
    kernel.run("form.cell_ran()\nassert '--cloud=staging' in form.code.value")
    kernel.run("form.submit.click()\nform.worker.wait(60)\nassert form.said == '', form.said")
    kernel.run("for one in (form, watched, changing): one.close()")
    kernel.run("%bento_login --context staging")


def test_a_form_is_about_the_cloud_that_it_is_told(kernel: Kernel) -> None:
    kernel.run("form = get_ipython().run_line_magic('bento_form', 'status --cloud prod')")
    assert kernel.run("print(form.line, form.call)").strip() == (
        "%bento_status --cloud=prod bj.deployments(cloud='prod')"
    )
    kernel.run("form.close()")
    for line in ("build --cloud prod", "login --cloud prod"):
        assert "takes no --cloud" in kernel.fails(f"%bento_form {line}").value
    assert "no cloud context" in kernel.fails("%bento_form deploy --cloud nowhere").value


def test_a_promotion_is_shown_first(kernel: Kernel) -> None:
    said = kernel.run("%bento_promote iris --cloud prod")
    assert "staging -> prod" in said
    assert "0 to 2" in said
    assert "--yes" in said
    assert "no deployments" in kernel.run("%bento_status --cloud prod")


def test_what_the_other_cloud_lacks_refuses_it(kernel: Kernel) -> None:
    said = kernel.run("%bento_promote iris --cloud prod --instance-type gpu.huge --dry-run")
    assert "no instance type 'gpu.huge' there" in said
    error = kernel.fails("%bento_promote iris --cloud prod --instance-type gpu.huge --yes")
    assert error.name == "InvalidRequestError"
    assert "no deployments" in kernel.run("%bento_status --cloud prod")


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("iris", "MagicUsageError", "where to?"),
        ("iris --cloud staging", "InvalidRequestError", "the same cloud"),
        ("iris --cloud produ", "NotLoggedInError", "did you mean prod?"),
        ("irs --cloud prod", "NotFoundError", "did you mean iris?"),
    ],
)
def test_a_promotion_that_cannot_be_is_told(kernel: Kernel, line: str, name: str, words: str) -> None:
    error = kernel.fails(f"%bento_promote {line}")
    assert error.name == name
    assert words in "\n".join(error.traceback)


def test_promoting_takes_the_same_bento_with_its_configuration_and_the_answers_are_the_same(
    kernel: Kernel,
) -> None:
    kernel.run("%bento_promote iris --cloud prod --yes")
    kernel.run(
        "here, there = (bj.deployment('iris', cloud=name) for name in ('staging', 'prod'))\n"
        "assert here.bento == there.bento\n"
        "from bento_jupyter.client.contents import digest\n"
        "assert digest(here.cloud, here.bento) == digest(there.cloud, there.bento)\n"
        "view = there.status()\n"
        "assert (view.mode, view.scaling.max, view.protected) == (bj.Mode.ON_DEMAND, 2, True), view\n"
        "assert np.array_equal(there.call('predict', X), clf.predict(X))\n"
        "assert np.array_equal(here.call('predict', X), clf.predict(X))"
    )


def test_another_bento_under_the_same_tag_is_not_taken_for_it(kernel: Kernel, workplace: Workplace) -> None:
    kernel.run("%bento_delete iris --yes --cloud prod")
    kernel.run("import bentoml; tag = here.bento; path = bentoml.get(tag).path")
    kernel.run("import pathlib; (pathlib.Path(path) / 'src' / 'added.txt').write_text('x')")
    kernel.run("other = bj.deploy(tag, name='other', cloud='embedded', mode='on-demand')")
    error = kernel.fails("bj.promote('other', to='prod', source='embedded')")
    assert error.name == "ConflictError"
    assert "another Bento" in error.value
    assert "no deployments" in kernel.run("%bento_status --cloud prod")


def test_no_token_was_ever_said_to_another_cloud(kernel: Kernel, staging: Remote, prod: Remote) -> None:
    for cloud, other in ((staging, prod), (prod, staging)):
        assert cloud.token in cloud.recorder.said
        assert other.token not in cloud.recorder.said
        assert STRAY not in cloud.recorder.said
    shown = json.dumps(kernel.outputs)
    for token in (staging.token, prod.token, STRAY):
        assert token not in shown
