"""Many machines: 200 simulated ones for the control plane, and some in network namespaces for instances.

The latter need root; see `tests/cluster`.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import uvloop
from built_bento import build_bento
from clustered_cloud import ClusteredCloud
from controlled_cloud import Cloud
from loads import SAMPLES, press, quantile
from machines import Machine, Network, missing
from ray_cluster import RAY
from raycluster import TOKEN, RayCluster
from simulated_cluster import SimulatedCluster

from bento_jupyter.cloud.ports import free_deployment_port
from bento_jupyter.environments import prepare
from bento_jupyter.home import Home
from bento_jupyter.spec import Status

Record = Callable[..., None]

SOURCE = """
import bentoml

@bentoml.service
class Service:
    @bentoml.api
    def one(self) -> int:
        return 1
"""
WORK = """
import asyncio
import bentoml

@bentoml.service
class Service:
    @bentoml.api
    async def work(self) -> int:
        await asyncio.sleep(0.05)
        return 1
"""
NODES = 200
#: Deployments that the figures are compared with, and those that they are of.
FEW, MANY = 50, int(os.environ.get("BENCH_DEPLOYMENTS", "5000"))
#: One in so many is called on demand, and sleeps.
ASLEEP = 5
#: Changes of each kind that are timed, and per second.
CHANGES, PER_SECOND = 200, 20
#: Seconds that processor time is taken over.
WATCHED = 10.0


@dataclass
class Figures:
    """What was found with so many deployments.

    Attributes:
        decisions: Seconds from what was noted to the call of the engine, by kind of change.
        begin: Seconds until all are as they should be after a start of the control plane.
        memory: MiB of control plane and gateway.
        idle: CPUs that both use when nothing happens.
        busy: Seconds of processor time of both per change.
    """

    decisions: dict[str, list[float]] = field(default_factory=dict)
    begin: float = 0.0
    memory: float = 0.0
    idle: float = 0.0
    busy: float = 0.0

    def p95(self) -> float:
        """Of all decisions."""
        return quantile((each for some in self.decisions.values() for each in some), 0.95)


class Observed:
    """A control plane whose calls of the engine are timed."""

    def __init__(self, cloud: Cloud, cluster: SimulatedCluster) -> None:
        self.cloud = cloud
        self.cluster = cluster
        self._called: dict[tuple[str, str], asyncio.Future[float]] = {}
        cluster.starting = lambda spec: self._note("start", spec.deployment)
        cluster.stopping = lambda spec: self._note("stop", spec.deployment)

    def expect(self, call: str, name: str) -> Awaitable[float]:
        """The time of the next start or stop of an instance of a deployment."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._called[call, name] = future
        return future

    def _note(self, call: str, name: str) -> None:
        future = self._called.pop((call, name), None)
        if future is not None:
            future.set_result(time.perf_counter())

    async def timed(
        self,
        call: str,
        names: Iterable[str],
        change: Callable[[str], object],
        record: Callable[[str], object] = lambda name: None,
    ) -> list[float]:
        """Seconds from a change of each deployment to the call that follows from it, evenly spread.

        Args:
            call: `start` or `stop`.
            names: The deployments.
            change: Lets the controller note a change.
            record: What is written to the disk before.
        """
        loop = asyncio.get_running_loop()
        noted, called = [], []
        begun = loop.time()
        for number, name in enumerate(names):
            await asyncio.sleep(max(0.0, begun + number / PER_SECOND - loop.time()))
            record(name)
            called.append(self.expect(call, name))
            noted.append(time.perf_counter())
            change(name)
        ends = await asyncio.wait_for(asyncio.gather(*called), 120)
        return [end - begin for begin, end in zip(noted, ends, strict=True)]

    async def settled(self, ready: int) -> None:
        """Wait until all deployments rest, with so many instances."""
        async with asyncio.timeout(600):
            while True:
                if self._is_settled(ready):
                    return
                await asyncio.sleep(0.5)

    def _is_settled(self, ready: int) -> bool:
        if self.cloud.controller.instances_up() != ready:
            return False  # to look at all of them costs more than what is looked at
        views = self.cloud.controller.views()
        at_rest = all(view.status in (Status.RUNNING, Status.SCALED_TO_ZERO) for view in views)
        return at_rest and sum(view.ready for view in views) == ready

    def cost(self) -> tuple[float, float]:
        """MiB of control plane and gateway, and their processor time so far."""
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        memory = sum(each.memory_info().rss for each in processes) / 2**20
        return memory, sum(sum(each.cpu_times()[:2]) for each in processes)


@asynccontextmanager
async def observed(home: Home, bento: Path, deployments: int) -> AsyncIterator[tuple[Observed, Figures]]:
    """A control plane with so many deployments, at rest; one of five sleeps."""
    cluster = SimulatedCluster(home.root, NODES)
    cloud = Cloud(home, bento, idle_seconds=3600, engine=cluster)
    figures = Figures()
    try:
        taken: set[int] = set()
        for number in range(deployments):
            taken.add(port := free_deployment_port(cloud.settings, taken))
            wish = cloud.wish(least=int(number % ASLEEP > 0), most=3)
            cloud.store.deployments.create(
                name=f"d-{number}", bento="tested:v1", config=wish, port=port, creator="tests"
            )
        begun = time.perf_counter()
        await cloud.controller.start()
        try:
            under = Observed(cloud, cluster)
            await under.settled(sum(number % ASLEEP > 0 for number in range(deployments)))
            figures.begin = time.perf_counter() - begun
            yield under, figures
        finally:
            await cloud.controller.stop()
    finally:
        await cloud.http.aclose()
        cloud.store.close()


async def look(home: Home, bento: Path, deployments: int) -> Figures:
    """All figures with so many deployments."""
    async with observed(home, bento, deployments) as (under, figures):
        cloud, chance = under.cloud, random.Random(1)
        awake = [f"d-{number}" for number in range(deployments) if number % ASLEEP]
        asleep = [f"d-{number}" for number in range(deployments) if number % ASLEEP == 0]
        chosen = chance.sample(awake, min(CHANGES, len(awake) // 2))
        figures.memory, before = under.cost()
        await asyncio.sleep(WATCHED)
        figures.idle = (under.cost()[1] - before) / WATCHED

        before, found = under.cost()[1], figures.decisions
        changed = cloud.controller.changed
        found["scaled up"] = await under.timed("start", chosen, changed, wishing(cloud, 2))
        found["scaled down"] = await under.timed("stop", chosen, changed, wishing(cloud, 1))
        found["killed"] = await under.timed("start", chosen, under.cluster.kill)
        calls: list[asyncio.Task[None]] = []
        woken = chance.sample(asleep, min(CHANGES, len(asleep)))
        found["woken"] = await under.timed(
            "start", woken, lambda name: calls.append(asyncio.create_task(ask(cloud, name)))
        )
        await asyncio.gather(*calls)
        figures.busy = (under.cost()[1] - before) / sum(map(len, found.values()))
        noted = time.perf_counter()
        # Those that were killed before wait a little before they are started again.
        lost = set(under.cluster.lose_node(sparing=chosen)) - set(chosen)
        called = [under.expect("start", name) for name in lost]
        found["node lost"] = [end - noted for end in await asyncio.wait_for(asyncio.gather(*called), 120)]
    return figures


def wishing(cloud: Cloud, instances: int) -> Callable[[str], object]:
    """Records the wish for so many instances."""
    config = cloud.wish(least=instances, most=instances)
    return lambda name: cloud.store.deployments.update(name, bento="tested:v1", config=config)


async def ask(cloud: Cloud, name: str) -> None:
    """A request to a deployment."""
    url = urlsplit(cloud.controller.view(name).url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(b"GET /one HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()


def shared(root: Path, environments: Path) -> Home:
    """A home that has the environments of others."""
    root.mkdir()
    (root / "environments").symlink_to(environments)
    return Home(root)


@pytest.mark.timeout(1800)
def bench_decisions(record: Record, tmp_path: Path) -> None:
    bento = build_bento(tmp_path, SOURCE)
    (environments := tmp_path / "environments").mkdir()
    few, many = (
        uvloop.run(look(shared(tmp_path / str(count), environments), bento, count)) for count in (FEW, MANY)
    )
    for kind, seconds in many.decisions.items():
        record(
            f"cluster.decision.{kind.replace(' ', '-')}",
            quantile(seconds, 0.95),
            quantile(few.decisions[kind], 0.95),
        )
    record("cluster.decision", many.p95(), 0.1)
    record("cluster.begin", many.begin / MANY, few.begin / FEW)
    record("cluster.memory", (many.memory - few.memory) * 1024 / (MANY - FEW), 100, "KiB")
    record("cluster.idle", many.idle, max(few.idle, 0.005), "cores")
    record("cluster.busy", many.busy, few.busy)
    assert many.p95() < 0.1


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """A head and three nodes, of one CPU each."""
    if reason := missing():
        pytest.skip(reason)
    home = Home(tmp_path_factory.mktemp("ray"))
    home.create()
    with Network(tmp_path_factory.mktemp("machines")) as network:
        yield RayCluster(network, 3, prepare(home, RAY + "\n").python)


@pytest.fixture(scope="module")
def clustered(cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusteredCloud]:
    """A cloud on it, with the Bento `tested:v1`."""
    folder = tmp_path_factory.mktemp("cloud")
    build_bento(folder, WORK)
    os.environ["TESTED_RAY_TOKEN"] = TOKEN
    cloud = ClusteredCloud(folder, cluster)
    cloud.start()
    try:
        cloud.bentoml("push", "tested:v1")
        cloud.deploy("warm", min=len(cluster.nodes))  # each node has the environment after this
        cloud.until_ready("warm", len(cluster.nodes))
        cloud.delete("warm")
        yield cloud
    finally:
        cloud.stop()


@pytest.mark.timeout(1800)
def bench_start_on_a_node(record: Record, clustered: ClusteredCloud) -> None:
    """From a request to its answer by a new instance, and `bentoml serve` of the same Bento on that node."""
    node = clustered.cluster.nodes[0]
    [environment] = (node.folder / "store").glob("environment-*/bin/python")
    ours, theirs = [], []
    for _ in range(SAMPLES):
        theirs.append(served_on(node, environment, clustered.folder / "bentoml"))
        clustered.deploy("cold", mode="on-demand", min=0, cold_start_timeout=120)
        url = clustered.wait("cold", "scaled-to-zero").url
        begun = time.perf_counter()
        httpx.post(f"{url}/work", json={}, timeout=120, trust_env=False).raise_for_status()
        ours.append(time.perf_counter() - begun)
        clustered.delete("cold")
    record("cluster.start", statistics.median(ours), statistics.median(theirs))


def served_on(node: Machine, python: Path, store: Path) -> float:
    """Seconds until `bentoml serve` answers on a node."""
    begun = time.perf_counter()
    process = node.start(
        *(str(python), "-m", "bentoml", "serve", "tested:v1", "--host", node.address, "--port", "3000"),
        environment={"BENTOML_HOME": str(store), "BENTOML_DO_NOT_TRACK": "True"},
    )
    try:
        while True:
            assert process.poll() is None, "bentoml serve has ended"
            try:
                answer = httpx.post(f"http://{node.address}:3000/work", json={}, timeout=60, trust_env=False)
                if answer.is_success:
                    return time.perf_counter() - begun
            except httpx.TransportError:
                time.sleep(0.01)
    finally:
        for each in node.processes("bentoml"):
            each.kill()
        process.wait(30)


@pytest.mark.timeout(1800)
def bench_more_nodes(record: Record, clustered: ClusteredCloud, tmp_path: Path) -> None:
    """Requests per second of a Bento that takes 50 ms, four at a time: an instance on 1, 2 and 3 nodes."""
    rates = {}
    for count in range(1, len(clustered.cluster.nodes) + 1):
        clustered.deploy("wide", min=count, max=count, concurrency=4)
        view = clustered.until_ready("wide", count)
        assert sum(bool(node.processes("replica.py")) for node in clustered.cluster.nodes) == count
        load = press(f"{view.url}/work", tmp_path, connections=8 * count, seconds=10, body="{}")
        assert not load.failed
        rates[count] = load.requests / load.seconds
        clustered.delete("wide")
    for count in (2, 3):
        record(f"cluster.nodes.{count}", 1 / rates[count], 1 / (count * rates[1]), "s/request")
