"""Instances on a cluster of three machines without internet, and all that can happen to these."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from clustered_cloud import REPLACED_WITHIN, ClusteredCloud
from contract import opened, plain_spec
from loads import quantile
from machines import Machine
from raycluster import CPUS, GPUS, TOKEN, RayCluster
from realcloud import eventually

from bento_jupyter.client import embedded
from bento_jupyter.cloud.engines import make_engine
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.environments import prepare
from bento_jupyter.errors import CloudError, ReplicaStartError
from bento_jupyter.home import Home
from bento_jupyter.spec import InstanceState

#: How often each of the things that happen to a node does.
ROUNDS = int(os.environ.get("CLUSTER_ROUNDS", "1"))
#: The last one that cannot place by labels.
TOO_OLD = "2.48.0"
Event = Callable[[RayCluster, Machine], object]

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900 * ROUNDS)]


@pytest.fixture(autouse=True)
def no_orphans(cluster: RayCluster, cloud: ClusteredCloud) -> Iterator[None]:
    """After each test nothing of what it deployed is left on any machine."""
    yield
    for view in cloud.views():
        cloud.delete(view.name)
    eventually(lambda: not lines(cluster))


def lines(cluster: RayCluster) -> list[str]:
    """Command lines of what runs for instances, on all machines."""
    found = []
    for machine in cluster.network:
        for process in cluster.instances(machine):
            with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                words = " ".join(process.cmdline())
                found.append(f"{machine.name}: {process.pid} {process.ppid()} {words}")
    return found


def counted(cluster: RayCluster) -> list[int]:
    """How many instances run on each node."""
    return [len(node.processes("replica.py")) for node in cluster.nodes]


def test_nodes_have_no_internet_and_get_what_they_need(cluster: RayCluster, cloud: ClusteredCloud) -> None:
    assert "default" not in cluster.nodes[0].run("ip", "route")
    cloud.deploy("offline", min=2)
    cloud.until_ready("offline", 2)
    for node in cluster.nodes:
        assert list((node.folder / "store").iterdir()), "the environment is on the node's own disk"


def test_instances_are_spread_and_those_without_room_wait(cluster: RayCluster, cloud: ClusteredCloud) -> None:
    room = CPUS * len(cluster.nodes)
    cloud.deploy("wide", min=room + 2, instance_type="cpu.2")
    view = cloud.until("wide", lambda view: view.ready == room)
    assert counted(cluster) == [CPUS, CPUS]
    view = cloud.until(
        "wide", lambda view: len([each for each in view.instances if "room" in each.reason]) == 2
    )
    assert all(each.state is InstanceState.STARTING for each in view.instances if each.reason)


def test_gpus_are_counted(cluster: RayCluster, cloud: ClusteredCloud) -> None:
    cloud.deploy("greedy", min=GPUS + 1, instance_type="gpu.1", concurrency=1)
    view = cloud.until("greedy", lambda view: view.ready == GPUS)
    assert counted(cluster) == [0, GPUS]
    [waiting] = [each for each in view.instances if each.state is InstanceState.STARTING]
    assert "GPU" in waiting.reason

    def ask(_number: int) -> str:
        return httpx.post(f"{view.url}/gpus", json={}, trust_env=False, timeout=60).text

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(ask, range(40))) == {str(number) for number in range(GPUS)}


def test_two_hundred_requests_at_once_wake_what_sleeps(cluster: RayCluster, cloud: ClusteredCloud) -> None:
    cloud.deploy("asleep", mode="on-demand", min=0, max=4, concurrency=8)
    view = cloud.wait("asleep", "scaled-to-zero")

    async def ask() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=120, trust_env=False, limits=limits) as http:
            url = f"{view.url}/echo"
            return await asyncio.gather(
                *(http.post(url, json={"number": number, "seconds": 0.05}) for number in range(200))
            )

    answers = asyncio.run(ask())
    assert {answer.status_code for answer in answers} == {200}
    assert [int(answer.text.split()[0]) for answer in answers] == list(range(200))


def is_spread(cluster: RayCluster, cloud: ClusteredCloud) -> bool:
    """Deploy two instances; tell whether each has a node: one that was lost is avoided for a minute."""
    cloud.deploy("kept", min=2)
    cloud.until_ready("kept", 2)
    if counted(cluster) == [1, 1]:
        return True
    cloud.delete("kept")
    return False


def kill(*words: str) -> Event:
    def happens(cluster: RayCluster, node: Machine) -> None:
        [process] = node.processes(*words)[:1]
        process.kill()

    return happens


EVENTS: dict[str, Event] = {
    "replica killed": kill("replica.py"),
    "actor killed": kill("ray::Supervisor"),
    "raylet killed": lambda cluster, node: cluster.kill_raylet(node),
    "link down": lambda cluster, node: node.unplug(),
    "power lost": lambda cluster, node: node.lose_power(),
}


@pytest.mark.parametrize("event", list(EVENTS))
def test_no_request_fails_and_what_was_lost_is_replaced(
    cluster: RayCluster, cloud: ClusteredCloud, event: str
) -> None:
    node, times, answered = cluster.nodes[0], [], 0
    for _ in range(ROUNDS):
        eventually(lambda: is_spread(cluster, cloud), 120)
        try:
            record, seconds = asyncio.run(cloud.lose_one("kept", lambda: EVENTS[event](cluster, node)))
        finally:
            if not event.startswith(("replica", "actor")):
                cluster.mend(node)
        assert record.wrong == []
        times.append(seconds)
        answered += len(record.answers)
        cloud.delete("kept")
    late = quantile(times, 0.95)
    print(
        f"\n{event}: {ROUNDS} rounds, replaced after {statistics.median(times):.1f} s at the median, "
        f"{late:.1f} s at the 95th percentile; {answered} requests answered"
    )
    assert late <= REPLACED_WITHIN


def test_instances_serve_while_the_head_is_gone_and_are_managed_when_it_is_back(
    cluster: RayCluster, cloud: ClusteredCloud
) -> None:
    cloud.deploy("headless", min=2)
    view = cloud.until_ready("headless", 2)
    url, ids = f"{view.url}/echo", {each.id for each in view.instances}
    cluster.kill_head()
    for number in range(50):
        assert httpx.post(url, json={"number": number}, trust_env=False, timeout=30).status_code == 200
    cluster.start_head()
    cluster.until_alive(*cluster.nodes)
    assert {each.id for each in cloud.view("headless").instances} == ids
    cloud.deploy("later")
    cloud.until_ready("later", 1)


def test_a_control_plane_that_was_killed_finds_its_instances_again(
    cluster: RayCluster, cloud: ClusteredCloud
) -> None:
    cloud.deploy("found", min=2)
    cloud.until_ready("found", 2)
    before = {process.pid for node in cluster.nodes for process in node.processes("replica.py")}
    cloud.kill()
    cloud.start()
    view = cloud.until_ready("found", 2)
    after = {process.pid for node in cluster.nodes for process in node.processes("replica.py")}
    assert after == before
    assert httpx.post(f"{view.url}/echo", json={"number": 7}, trust_env=False, timeout=30).status_code == 200


def test_a_wrong_token_is_told_at_once(
    cluster: RayCluster, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG", "another-token-than-that-of-the-cluster")
    options = ["--engine", "ray", "--ray-address", cluster.url]
    for more, words in (["--ray-token-env", "WRONG"], "not the cluster's"), ([], "wants a token"):
        with pytest.raises(CloudError, match=words):
            embedded.start(Home(tmp_path / "home"), options=[*options, *more])


def test_a_cluster_that_is_too_old_is_told_at_once(cluster: RayCluster, tmp_path: Path) -> None:
    home = Home(tmp_path / "ray")
    home.create()
    old = cluster.network.add("old")
    python = str(prepare(home, f"ray[default]=={TOO_OLD}\n").python)
    words = ("start", "--head", "--block", "--disable-usage-stats", "--num-cpus=1", "--port=6379")
    old.start(
        *(python, "-m", "ray.scripts.scripts", *words),
        *(f"--node-ip-address={old.address}", "--dashboard-host=0.0.0.0", "--object-store-memory=80000000"),
    )
    address = f"http://{old.address}:8265"

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{address}/api/version", trust_env=False).is_success
        return False

    try:
        eventually(answers, 120)
        with pytest.raises(CloudError, match=f"runs Ray {TOO_OLD}: too old"):
            embedded.start(Home(tmp_path / "home"), options=["--engine", "ray", "--ray-address", address])
    finally:
        old.lose_power()


def test_a_node_without_the_python_that_is_needed_says_so(
    cluster: RayCluster, bento: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.create()
    built = prepare(home, "bentoml==1.4.39\n").python.parents[1]
    strange = tmp_path / "strange"
    shutil.copytree(built, strange, symlinks=True)
    [libraries] = (strange / "lib").glob("python3.*")
    libraries.rename(libraries.with_name("python3.99"))
    settings = CloudSettings(home=home, engine="ray", ray_address=cluster.url, ray_token=TOKEN)
    [folder] = (bento / "bentoml" / "bentos" / "tested").glob("*/bento.yaml")
    spec = plain_spec(folder.parent, strange / "bin" / "python")

    async def scenario() -> None:
        async with opened(make_engine(settings)) as engine:
            handle = await engine.start(spec)
            with pytest.raises(
                ReplicaStartError, match=r"it has no Python 3\.99; Ray runs with 3\.\d+ there"
            ):
                await asyncio.wait_for(handle.ready(), 120)
            await handle.stop(0)

    asyncio.run(scenario())
