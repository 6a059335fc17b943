"""Wrong uses in a real kernel: a clear error each, the cell fails, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest
from kernels import Kernel, Workplace

WRONG = [
    pytest.param("%bento_deploy clff --sample X", "MagicUsageError", "did you mean clf", id="unknown-object"),
    pytest.param("%bento_deploy clf --sampel X", "MagicUsageError", "did you mean --sample", id="typo"),
    pytest.param("%bento_deploy clf --sample XX", "MagicUsageError", "no object 'XX'", id="unknown-sample"),
    pytest.param("%bento_deploy clf", "SampleError", "sample", id="no-sample"),
    pytest.param("%bento_deploy fresh --sample X", "NotServableError", "fit", id="not-fitted"),
    pytest.param("%bento_deploy clf --sample X[:,:2]", "SampleError", "4", id="sample-of-the-wrong-width"),
    pytest.param("%bento_deploy clf --sample X[:0]", "SampleError", "row", id="empty-sample"),
    pytest.param("%bento_deploy stuff --sample X", "NotServableError", "dict", id="not-a-model"),
    pytest.param("%bento_build Bad!Name clf --sample X", "BuildError", "Bad!Name", id="bad-bento-name"),
    pytest.param(
        "%bento_deploy clf --sample X --name Not_This", "InvalidRequestError", "small letters", id="bad-name"
    ),
    pytest.param(
        "%bento_deploy clf --sample X --mode sometimes", "MagicUsageError", "on-demand", id="bad-mode"
    ),
    pytest.param(
        "%bento_deploy clf --sample X --min 0", "InvalidRequestError", "on-demand", id="online-from-zero"
    ),
    pytest.param(
        "%bento_deploy clf --sample X --min 3 --max 2", "InvalidRequestError", "below min", id="max-below-min"
    ),
    pytest.param(
        "%bento_deploy clf --sample X --instance-type huge",
        "InvalidRequestError",
        "cpu.1",
        id="instance-type",
    ),
    pytest.param("%bento_deploy clf --sample X --env oops", "MagicUsageError", "NAME=VALUE", id="bad-env"),
    pytest.param(
        "%bento_deploy clf --sample X --env KEY=...", "InvalidRequestError", "not shown", id="hidden-env"
    ),
    pytest.param(
        "bj.deploy(clf, name='a', sample=X, services={'s': {'envs': {'KEY': '...'}}})",
        "InvalidRequestError",
        "KEY",
        id="hidden-env-of-a-service",
    ),
    pytest.param(
        "bj.deploy(clf, name='a', sample=X, "
        "canary={'versions': {'b': {'bento': 'b:v', 'envs': {'KEY': '...'}}}})",
        "InvalidRequestError",
        "KEY",
        id="hidden-env-of-a-canary",
    ),
    *(
        pytest.param(
            f"%bento_deploy clf --sample X --timeout {each}",
            "InvalidRequestError",
            "finite",
            id=f"timeout-{each}",
        )
        for each in ("inf", "nan", "1e999")
    ),
    pytest.param(
        "%bento_deploy clf --sample X --expires 99999999999d",
        "InvalidRequestError",
        "no time",
        id="expires-late",
    ),
    pytest.param("%bento_deploy nothing:v1", "NotFoundError", "nothing:v1", id="unknown-tag"),
    pytest.param("%bento_call nobody X", "NotFoundError", "nobody", id="unknown-deployment"),
    pytest.param(
        "%bento_deploy clf --sample X --strategy Yolo", "InvalidRequestError", "Recreate", id="strategy"
    ),
    pytest.param("%bento_prove ''", "NotFoundError", "local store", id="no-tag"),
    pytest.param(
        "bj.build(clf, 'iris', sample=X)", "BuildError", "name of the Bento comes first", id="swapped"
    ),
    pytest.param(
        "bj.deploy(clf, name='a', sample=X, envs=['A=1'])", "InvalidRequestError", "envs", id="env-list"
    ),
    pytest.param("%bento_prove nothing:v1", "NotFoundError", "nothing:v1", id="prove-unknown"),
    pytest.param("%bento_logs nobody", "NotFoundError", "nobody", id="logs-unknown"),
    pytest.param("%bento_deploy clf --sample 'X[:5'", "MagicUsageError", "expression", id="bad-expression"),
    pytest.param("%bento_login ftp://nowhere", "InvalidRequestError", "address", id="bad-endpoint"),
    pytest.param("%bento_login http://127.0.0.1:9", "NotLoggedInError", "token", id="no-token"),
]


@pytest.fixture(scope="module", autouse=True)
def things(kernel: Kernel) -> None:
    kernel.run("fresh = LogisticRegression()\nstuff = {'a': 1}")


@pytest.mark.parametrize(("line", "name", "words"), WRONG)
def test_a_wrong_use_is_a_short_error_with_a_hint(kernel: Kernel, line: str, name: str, words: str) -> None:
    error = kernel.fails(line)
    shown = "\n".join(error.traceback)
    assert error.name == name, shown
    assert words in shown
    assert len(error.traceback) <= 6
    assert "Traceback" not in shown


def test_nothing_is_left_behind(kernel: Kernel, workplace: Workplace) -> None:
    for case in WRONG:
        kernel.fails(case.values[0])
    assert list((workplace.store / "bentos").glob("*/*")) == []
    assert list((workplace.store / "models").glob("*/*")) == []
    assert list(workplace.home.projects.glob("*")) == []
    assert "no deployments yet" in kernel.run("%bento_list deployments")


def test_a_call_that_does_not_fit_says_what_was_expected(kernel: Kernel) -> None:
    kernel.run("dep = bj.deploy(clf, name='narrow', sample=X[:5], mode='on-demand')")
    error = kernel.fails("%bento_call narrow X[:, :3]")
    assert error.name == "CallError"
    assert "4" in error.value
    assert kernel.fails("%bento_call narrow").name == "MagicUsageError"
    error = kernel.fails("dep.call('no_such', X)")
    assert "predict_proba" in "\n".join(error.traceback)


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        ("%bento_call narrow X[0]", "CallError", "an array of shape (rows, 4)"),
        ("%bento_call narrow 'X'", "CallError", "does not fit"),
        ("%bento_call narrow nope X", "CallError", "endpoints: "),
        ("%bento_call narrow predict", "MagicUsageError", "what is the input?"),
        ("%bento_call narrow X[:2] * np.nan", "CallError", "Input X contains NaN."),
        ("dep.call(X[:2])", "CallError", "the name of an endpoint comes first"),
        ("%%bento_call narrow\n[1]", "CallError", "400: Input should be an object"),
    ],
)
def test_a_wrong_call_is_a_short_error(kernel: Kernel, line: str, name: str, words: str) -> None:
    error = kernel.fails(line)
    shown = "\n".join(error.traceback)
    assert error.name == name, shown
    assert words in shown
    assert len(shown) < 400


def test_a_deployment_that_is_gone_can_be_looked_at(kernel: Kernel) -> None:
    kernel.run("lost = bj.deploy(dep.bento, name='lost', mode='on-demand', wait=False)\nlost.delete()")
    assert "has no deployment 'lost'" in kernel.run("lost")


def test_two_sessions_may_push_the_same_bento_at_once(kernel: Kernel) -> None:
    kernel.run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from threading import Barrier\n"
        "built = bj.build('shared', clf, sample=X[:5], prove=False)\n"
        "barrier = Barrier(4)\n"
        "def push(_):\n"
        "    cloud = bj.connect()\n"
        "    cloud.warm()\n"
        "    barrier.wait()\n"
        "    return cloud.push(built.tag)\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    sent = list(pool.map(push, range(4)))\n"
        "assert any(sent), sent"
    )


def test_papermill_fails_on_an_error_of_ours(
    workplace: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in workplace.environment.items():
        monkeypatch.setenv(key, value)
    cells = [nbformat.v4.new_code_cell(code) for code in ("%load_ext bento_jupyter", "%bento_call nobody 1")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tmp_path / "in.ipynb")
    with pytest.raises(papermill.PapermillExecutionError, match="no deployment 'nobody'"):
        papermill.execute_notebook(
            str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), progress_bar=False, kernel_name="python3"
        )
