"""The life of a deployment from a real kernel: on demand, fifty requests at once, crashes, an online one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import psutil
import pytest
from kernels import Kernel, Workplace

from bento_jupyter.client import embedded


def eventually(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module", autouse=True)
def deployed(kernel: Kernel) -> None:
    kernel.run("dep = bj.deploy(clf, name='iris', sample=X[:5], mode='on-demand', idle_seconds=1)")


def test_a_fresh_on_demand_deployment_runs_nothing_and_is_healthy(kernel: Kernel) -> None:
    said = kernel.run("print(dep.status().status.value, dep.status().healthy, len(dep.instances()))")
    assert said.strip() == "scaled-to-zero True 0"


def test_fifty_requests_at_once_to_zero_instances_get_fifty_right_answers(kernel: Kernel) -> None:
    kernel.run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "dep.wait_until('scaled-to-zero')\n"
        "endpoints = dep.endpoints\n"
        "def ask(i):\n"
        "    return endpoints.call('predict', X[3 * i:3 * i + 3])\n"
        "with ThreadPoolExecutor(50) as pool:\n"
        "    answers = list(pool.map(ask, range(50)))\n"
        "for i, answer in enumerate(answers):\n"
        "    assert np.array_equal(answer.value, clf.predict(X[3 * i:3 * i + 3])), i\n"
        "    assert answer.timing.cold_start > 0, i"
    )


def test_dtypes_and_shapes_come_back_as_they_went_out_of_the_object(kernel: Kernel) -> None:
    kernel.run(
        "for method in ('predict', 'predict_proba', 'decision_function'):\n"
        "    served, here = dep.call(method, X[:7]), getattr(clf, method)(X[:7])\n"
        "    assert (served.dtype, served.shape) == (here.dtype, here.shape), method\n"
        "    assert np.array_equal(served, here), method"
    )


def test_the_rows_of_an_answer_are_called_as_those_of_the_question(kernel: Kernel) -> None:
    kernel.run(
        "import pandas as pd\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "table = pd.DataFrame(X, columns=list('abcd'), index=range(1000, 1150))\n"
        "scaler = StandardScaler().set_output(transform='pandas').fit(table)\n"
        "scaled = bj.deploy(scaler, name='scaled', sample=table, mode='on-demand')\n"
        "pd.testing.assert_frame_equal(scaled.call('transform', table[5:9]), scaler.transform(table[5:9]))\n"
        "scaled.delete()"
    )


def test_an_idle_instance_goes_and_the_next_call_brings_one_back(kernel: Kernel) -> None:
    kernel.run("dep.wait_until('scaled-to-zero', timeout=30)\nassert dep.status().ready == 0")
    assert "held for the cold start" in kernel.run("dep.call('predict', X[:1]); print(dep.last_timing)")


SLOW = """%%bento_service slow --sample {"hello": {"name": "a"}}
import time
import bentoml

@bentoml.service
class Slow:
    def __init__(self):
        time.sleep(1)

    @bentoml.api
    def hello(self, name: str) -> str:
        return f"hello {name}"
"""


def test_the_call_magic_says_what_it_waits_for_when_it_waits_long(kernel: Kernel) -> None:
    kernel.run(SLOW)
    kernel.run("slow = bj.deploy('slow', mode='on-demand', idle_seconds=1)")
    kernel.run("slow.wait_until('scaled-to-zero', timeout=30)")
    said = kernel.run("%bento_call slow 'you'")
    assert "held for the cold start" in said
    assert "hello you" in said
    kernel.run("dep.wait_until('scaled-to-zero', timeout=30)")
    assert "array([0, 0, 0, 0, 0])" in kernel.run("%bento_call iris X[:5]")
    assert "held for the cold start" in kernel.run("print(dep.last_timing)")
    kernel.run("slow.delete()")


def test_a_cell_can_be_the_json_body(kernel: Kernel) -> None:
    assert "array([0])" in kernel.run('%%bento_call iris\n{"X": [[5.1, 3.5, 1.4, 0.2]]}')


def test_a_second_deploy_of_the_same_name_is_a_new_revision_of_the_same_url(kernel: Kernel) -> None:
    kernel.run(
        "url = dep.url\n"
        "clf = LogisticRegression(C=0.01, max_iter=500).fit(X, y)\n"
        "again = bj.deploy(clf, name='iris', sample=X[:5], mode='on-demand', idle_seconds=1)\n"
        "assert again.url == url and again.status().revision > 1\n"
        "assert np.array_equal(again.call('predict_proba', X[:5]), clf.predict_proba(X[:5]))"
    )


def test_what_a_second_deploy_does_not_say_stays_as_it_is(kernel: Kernel) -> None:
    kernel.run(
        "kept = bj.deploy(dep.bento, name='kept', mode='on-demand', idle_seconds=7, max=3, protected=True,\n"
        "                 envs={'A': '1'}, labels={'team': 'x'})\n"
        "%bento_deploy dep.bento --name kept\n"
        "view = kept.status()\n"
        "assert view.protected and view.mode is bj.Mode.ON_DEMAND and view.envs == ['A'], view\n"
        "assert (view.scaling.max, view.scaling.idle_seconds, view.labels['team']) == (3, 7, 'x'), view"
    )
    kernel.run(
        "%bento_deploy dep.bento --name kept --mode online --no-protected\n"
        "view = kept.status()\n"
        "assert not view.protected and view.mode is bj.Mode.ONLINE, view\n"
        "assert (view.scaling.min, view.scaling.max, view.scaling.concurrency) == (1, 3, None), view\n"
        "kept.delete()"
    )


def test_an_online_service_replaces_an_instance_that_is_killed(kernel: Kernel) -> None:
    kernel.run("online = bj.deploy(dep.bento, name='iris-online', mode='online')")
    pid = int(kernel.run("print(online.instances()[0].pid)"))
    os.kill(pid, signal.SIGKILL)
    kernel.run("assert np.array_equal(online.call('predict', X[:5]), clf.predict(X[:5]))", timeout=60)
    assert int(kernel.run("print(online.wait_until('running').instances[-1].pid)")) != pid


def test_a_protected_deployment_takes_the_token_and_nothing_else(kernel: Kernel) -> None:
    kernel.run("safe = bj.deploy(dep.bento, name='iris-safe', mode='on-demand', protected=True)")
    kernel.run("assert np.array_equal(safe.call('predict', X[:2]), clf.predict(X[:2]))")
    said = kernel.run(
        "import httpx\n"
        "body = {'X': X[:1].tolist()}\n"
        "wrong = {'Authorization': 'Bearer x'}\n"
        "print(httpx.post(safe.url + '/predict', json=body).status_code)\n"
        "print(httpx.post(safe.url + '/predict', json=body, headers=wrong).status_code)\n"
        "client = safe.client()\n"
        "print(client.predict(X=X[:1]))"
    )
    assert said.split()[:2] == ["401", "401"]


def test_deployments_are_there_again_after_the_cloud_was_killed(kernel: Kernel, workplace: Workplace) -> None:
    kernel.run("url = dep.url\n%bento_call iris X[:5]")
    before = {process.pid for process in workplace.processes()}
    state = embedded.find(workplace.home)
    assert state is not None
    os.kill(state.pid, signal.SIGKILL)
    eventually(lambda: not any(psutil.pid_exists(pid) and is_alive(pid) for pid in before))
    error = kernel.fails("dep.status()")
    assert error.name == "CloudUnreachableError"
    assert "%bento_cloud start" in "\n".join(error.traceback)
    # The next verb starts the cloud again; address and answers are those from before.
    assert "array([0, 0, 0, 0, 0])" in kernel.run("%bento_call iris X[:5]")
    kernel.run("assert bj.deployment('iris').url == url")
    kernel.run("assert np.array_equal(dep.call('predict', X[:5]), clf.predict(X[:5]))")
    kernel.run("assert dep.url == url")
    kernel.run("online = bj.deployment('iris-online')")
    kernel.run("assert np.array_equal(online.call('predict', X[:5]), clf.predict(X[:5]))")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_a_taken_port_is_told_and_the_deployment_comes_back_when_it_is_free(
    kernel: Kernel, workplace: Workplace
) -> None:
    port = int(kernel.run("print(bj.deployment('iris').url.rpartition(':')[2])"))
    kernel.run("%bento_cloud stop")
    kernel.run(f"import socket\ntaken = socket.create_server(('127.0.0.1', {port}))")
    kernel.run("%bento_cloud start")
    kernel.run("view = dep.wait_until('unhealthy', timeout=30)")
    assert f"port {port}" in kernel.run("print(view.reason)")
    kernel.run("taken.close()\ndep.wait_until('scaled-to-zero', timeout=30)")
    kernel.run("assert np.array_equal(dep.call('predict', X[:5]), clf.predict(X[:5]))")


def test_terminate_start_and_delete(kernel: Kernel) -> None:
    assert "terminated" in kernel.run("%bento_terminate iris-online")
    error = kernel.fails("%bento_call iris-online X[:1]")
    assert error.name == "DeploymentError"
    assert "terminated" in error.value
    assert "running" in kernel.run("%bento_start iris-online")
    assert "is deleted" in kernel.run("%bento_delete iris-online --yes")
    assert kernel.fails("%bento_status iris-online").name == "NotFoundError"


def test_logs_and_lists(kernel: Kernel) -> None:
    kernel.run("dep.call('predict', X[:1])")
    assert "initialized" in kernel.run("%bento_logs iris --lines 200")
    assert "cpu.1" in kernel.run("%bento_list instance-types")
    assert "iris:" in kernel.run("%bento_list bentos")
    assert "iris:" in kernel.run("%bento_list models")
    assert "on-demand" in kernel.run("%bento_list deployments")
