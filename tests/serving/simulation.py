"""The serving plane under a simulated clock: the real controller, autoscaler, rollouts and
the real queue of the gateway; instances, callers and the wire between the two processes are simulated.

A second of it takes no time: when nothing is left to do at a time, the clock goes on to the next one. When
nothing is left to do at all, the run is over, which also shows that a deployment at rest does nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import random
import selectors
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bento_jupyter.cloud.deployment import Deployment
from bento_jupyter.cloud.engines import Node, ReplicaSpec
from bento_jupyter.cloud.gateway import route as gateway_route
from bento_jupyter.cloud.gateway.heads import parse_request
from bento_jupyter.cloud.gateway.route import Policy, Route
from bento_jupyter.cloud.instance_types import instance_types
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.cloud.store import BentoRecord, DeploymentRecord
from bento_jupyter.cloud.store.secrets import NO_SECRETS
from bento_jupyter.cloud.surroundings import Surroundings
from bento_jupyter.errors import ReplicaStartError
from bento_jupyter.home import Home
from bento_jupyter.spec import InstanceState, utc_now
from bento_jupyter.views import ColdStart, ImageView

__all__ = ["Caller", "Simulation", "simulated"]

#: Turns of the loop after which something goes on for ever.
MOST_TURNS = 50_000
#: Seconds that each turn takes, for a clock of floats does not get to each time that is asked of it.
TURN = 1e-9
HEAD = parse_request(b"POST /work HTTP/1.1\r\nHost: localhost\r\n\r\n")


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while there is something to do, then goes to the next timer."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.turns = 0
        self.at_rest = asyncio.Event()
        self.watch: Callable[[], None] = lambda: None
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """What would be done in a thread is done at once."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except BaseException as error:
            future.set_exception(error)
        return future


class _Selector(selectors.SelectSelector):
    """Waits for nobody: the time that it should wait has passed at once."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        loop = self._loop
        loop.watch()
        loop.turns += 1
        if loop.turns > MOST_TURNS:
            raise RuntimeError("it never comes to rest")
        if timeout is None:
            if loop.at_rest.is_set():
                raise RuntimeError("something is waited for that never comes")
            loop.at_rest.set()
        else:
            loop.now += timeout + TURN
        return []


@contextmanager
def simulated() -> Iterator[SimulatedLoop]:
    """A simulated loop; the gateway's queue goes by its clock meanwhile."""
    loop = SimulatedLoop()
    real = gateway_route.time
    gateway_route.time = SimpleNamespace(monotonic=loop.time)  # type: ignore[attr-defined]
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        gateway_route.time = real  # type: ignore[attr-defined]
        left = asyncio.all_tasks(loop)  # of a run that has failed
        for task in left:
            task.cancel()
        loop.watch, loop.turns = lambda: None, 0
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


# Instances


class SimulatedReplica:
    """An instance: it starts in some time or fails, works on what it is given, and may be killed."""

    def __init__(
        self, spec: ReplicaSpec, start_seconds: float, simulation: Simulation, *, fails: bool
    ) -> None:
        self.spec = spec
        self.socket = Path(f"/simulated/{spec.id}")
        self.pid = 1
        self.started_at = utc_now()
        self.memory_bytes = None
        self.work: dict[Caller, asyncio.TimerHandle] = {}
        self.is_ready = False
        self.is_over = False
        self.stopped_with: list[Caller] = []
        self.stopped_at = 0.0
        self._started = simulation.started
        self._cpu_per_request = simulation.cpu_per_request
        self._loop = asyncio.get_running_loop()
        self._start: asyncio.Future[bool] = self._loop.create_future()
        self._end: asyncio.Future[str] = self._loop.create_future()
        self._timer = self._loop.call_later(start_seconds, self._begin, not fails)

    @property
    def cpu(self) -> float:
        """What its work needs, as far as it has it."""
        return self.spec.cpu * min(1.0, self._cpu_per_request * len(self.work))

    def observe(self) -> Any:
        """How it is."""
        return SimpleNamespace(
            started_at=self.started_at, pid=1, memory_bytes=None, cpu=self.cpu, phase="ready", reason=""
        )

    def _begin(self, well: bool) -> None:
        if not self._start.done():
            self._start.set_result(well)
        if not well:
            self.end("it does not start")

    async def ready(self) -> ColdStart:
        if not await asyncio.shield(self._start):
            raise ReplicaStartError("it does not start")
        self.is_ready = True
        self._started()
        return ColdStart(at=self.started_at, seconds=1.0, phases={"ready": 1.0})

    async def ended(self) -> str:
        return await asyncio.shield(self._end)

    async def stop(self, grace: float) -> None:
        if not self.is_over:
            self.stopped_with = list(self.work)
            self.stopped_at = self._loop.time()
        self.end("it was stopped")

    def end(self, reason: str) -> None:
        """It ends, by itself or by force: what it works on is lost."""
        self._timer.cancel()
        if not self._start.done():
            self._start.set_result(False)
        if not self._end.done():
            self._end.set_result(reason)
        self.is_over = True
        work, self.work = self.work, {}
        for caller, timer in work.items():
            timer.cancel()
            self._loop.call_soon(caller.lost_replica)


class SimulatedEngine:
    """See `Engine`."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.replicas: dict[str, SimulatedReplica] = {}

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def start(self, spec: ReplicaSpec) -> SimulatedReplica:
        chance = self._simulation.chance
        await asyncio.sleep(chance.choice([0, 0.01]))
        seconds, fails = chance.choice(self._simulation.start_seconds), self._simulation.next_start_fails()
        replica = SimulatedReplica(spec, seconds, self._simulation, fails=fails)
        self.replicas[spec.id] = replica
        return replica

    def prepare(self, name: str, spec: ReplicaSpec) -> None: ...

    def release(self, name: str) -> None: ...

    def capacity(self) -> list[Node]:
        return [Node(name="simulated", cpus=64, memory_bytes=2**40)]

    def logs(self, deployment: str = "") -> Path:
        return self._simulation.folder / "logs" / deployment

    @property
    def up(self) -> list[SimulatedReplica]:
        return [each for each in self.replicas.values() if not each.is_over]


# Callers


class Caller:
    """A request on its way, as an exchange of the gateway would lead it."""

    head = HEAD

    def __init__(self, simulation: Simulation, number: int, seconds: float) -> None:
        self.number = number
        self.seconds = seconds
        self.arrived = simulation.loop.time()
        self.answered_at: float | None = None
        self.refusal: Any = None
        self.tries = 0
        self._simulation = simulation
        self._replica: Any = None

    def admitted(self, replica: Any) -> None:
        simulation = self._simulation
        self.tries += 1
        if self.tries == 1:
            simulation.admitted.append(self.number)
        self._replica = replica
        there = simulation.engine.replicas[replica.id]
        if there.is_over:
            simulation.loop.call_soon(self.lost_replica)
            return
        there.work[self] = simulation.loop.call_later(self.seconds, self._done, there)
        assert simulation.concurrency is None or len(there.work) <= simulation.concurrency, "above its limit"

    def refused(self, answer: Any) -> None:
        self.refusal = answer

    def lost_replica(self) -> None:
        replica, self._replica = self._replica, None
        self._simulation.route.lost(replica)
        self._simulation.route.retry(self, replica)

    def _done(self, there: SimulatedReplica) -> None:
        del there.work[self]
        assert self.answered_at is None, "answered twice"
        self.answered_at = self._simulation.loop.time()
        self._simulation.route.count(error=False)
        self._simulation.route.release(self._replica)


# The wire


class _Wire:
    """Delivers messages in order, each some time after it was sent."""

    def __init__(self, simulation: Simulation, receive: Callable[[dict[str, Any]], None]) -> None:
        self._simulation = simulation
        self._receive = receive
        self._last = 0.0

    def send(self, message: dict[str, Any]) -> None:
        simulation = self._simulation
        delay = simulation.chance.choice(simulation.delays)
        self._last = max(self._last + 1e-6, simulation.loop.time() + delay)
        text = json.dumps(message)
        simulation.loop.call_at(self._last, lambda: self._receive(json.loads(text)))


class SimulatedGateway:
    """The gateway's side, and what the control plane has of it (`DataPlane`)."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._told: dict[str, Any] = {}
        self._to_gateway = _Wire(simulation, self._take)
        self._to_control = _Wire(simulation, simulation.received)

    def set_route(self, deployment: str, name: str, route: dict[str, Any]) -> None:
        self._tell("route", {"op": "route", **route})

    def set_replicas(self, deployment: str, name: str, replicas: list[tuple[str, Path, Any]]) -> None:
        self._tell("replicas", {"op": "replicas", "replicas": [(key, str(at)) for key, at, _ in replicas]})

    def listen_again(self, deployment: str, name: str) -> None: ...

    def remove(self, deployment: str, name: str) -> None: ...

    def _tell(self, kind: str, message: dict[str, Any]) -> None:
        if self._told.get(kind) != message:
            self._told[kind] = message
            self._to_gateway.send(message)

    def _take(self, message: dict[str, Any]) -> None:
        simulation = self._simulation
        if message["op"] == "replicas":
            simulation.route.set_replicas([(key, path) for key, path in message["replicas"]])
            return
        policy = Policy.from_message(message)
        simulation.concurrency = policy.concurrency
        if simulation.has_route:
            simulation.route.configure(policy)
        else:
            simulation.route = Route("f", policy, self._to_control.send)
            simulation.has_route = True
            self._to_control.send({"op": "listening", "deployment": "f", "set": "main", "port": 1})


# All of it


@dataclass
class Simulation:
    """One deployment and what happens to it.

    Args:
        loop: Runs it.
        folder: With a `bento.yaml`.
        chance: Decides what is left to chance.
        scaling: Wire scaling of the deployment.
        traffic: Wire traffic of it.
        delays: Seconds that a message between control plane and gateway may take.
        start_seconds: Seconds that a start may take.
        failing_starts: Share of starts that fail.
        strategy: How instances of an earlier revision are replaced.
        cpu_per_request: CPU that a request uses while it is worked on, of one that an instance has.

    Attributes:
        callers: All requests that have come.
        admitted: Their numbers, in the order in which they first got a slot.
        most_up, fewest_up: Instances that were starting or ready at some time, the latter since it was
            first at rest.
        at_rest: The deployment in the end.
        up_at_rest: Instances that there are in the end.
    """

    loop: SimulatedLoop
    folder: Path
    chance: random.Random
    scaling: dict[str, Any]
    traffic: dict[str, Any]
    delays: tuple[float, ...] = (0.0, 0.001, 0.01)
    start_seconds: tuple[float, ...] = (0.05, 0.5, 3.0)
    failing_starts: float = 0.0
    strategy: str = "RollingUpdate"
    cpu_per_request: float = 0.0
    callers: list[Caller] = field(default_factory=list)
    admitted: list[int] = field(default_factory=list)
    has_route: bool = False
    concurrency: int | None = None
    route: Any = None
    most_up: int = 0
    fewest_up: int = 1000

    def __post_init__(self) -> None:
        self._failed = 0
        self._changes: list[tuple[float, int, Callable[[], None]]] = []
        self.engine = SimulatedEngine(self)
        self._revision = 1
        now = utc_now()
        bento = BentoRecord(
            uid="b",
            name="tested",
            version="v1",
            manifest={"entry_service": "Service", "services": [{"name": "Service", "config": {}}]},
            upload_status="success",
            created_at=now,
            updated_at=now,
            digest="d",
        )
        store = SimpleNamespace(
            bentos=SimpleNamespace(get=lambda name, version: bento),
            bento_directory=lambda name, version: self.folder,
            secrets=SimpleNamespace(resolve=lambda names, stage: NO_SECRETS),
            codespaces=SimpleNamespace(forget=lambda uid: None),
        )

        async def ensure(recipe: Any, given: Any) -> Any:
            return SimpleNamespace(python=self.folder / "bin" / "python")

        images = SimpleNamespace(
            ensure=ensure,
            view=lambda key: ImageView(key=key, status="success"),
            log_path=lambda key: self.folder / key,
        )
        events = SimpleNamespace(last_id=0, publish=lambda *words, **more: SimpleNamespace(id=0))
        around: Any = SimpleNamespace(
            settings=CloudSettings(home=Home(self.folder / "home")),
            store=store,
            engine=self.engine,
            instance_types=instance_types(self.engine.capacity()),
            images=images,
            data_plane=SimulatedGateway(self),
            events=events,
        )
        assert vars(around).keys() == set(Surroundings.__dataclass_fields__), "as the real ones"
        self._around = around
        self.record = DeploymentRecord(
            uid="u",
            name="f",
            port=1,
            bento="tested:v1",
            config=self._config(""),
            dev=False,
            terminated=False,
            revision=1,
            revision_uid="1",
            created_at=now,
            updated_at=now,
            creator="tests",
        )

    def received(self, message: dict[str, Any]) -> None:
        """The control plane gets a message."""
        self.deployment.received(message)

    # What happens to it

    def at(self, seconds: float, change: Callable[[], None]) -> None:
        """Have something happen so many seconds after the deployment has come to rest first."""
        heapq.heappush(self._changes, (seconds, len(self._changes), change))

    def ask(self, seconds: float = 0.0) -> Caller:
        """A request comes, which takes so long to answer."""
        caller = Caller(self, len(self.callers), seconds)
        self.callers.append(caller)
        self.route.arrive(caller)
        return caller

    def kill(self) -> None:
        """One of the instances is killed."""
        up = self.engine.up
        if self._failed == 2:
            up = [each for each in up if each.is_ready]
        if up:
            victim = self.chance.choice(up)
            self._failed += not victim.is_ready
            victim.end("it was killed")

    def update(self, colour: str = "", **scaling: Any) -> None:
        """A new revision: instances with other variables, or another scaling."""
        self._revision += 1
        self.scaling = {**self.scaling, **scaling}
        self.record = replace(
            self.record,
            config=self._config(colour),
            revision=self._revision,
            revision_uid=str(self._revision),
        )
        self.deployment.record_changed(self.record)

    def next_start_fails(self) -> bool:
        """Whether the next start fails; never three in a row, as with a Bento that does not start."""
        fails = self._failed < 2 and self.chance.random() < self.failing_starts
        self._failed += fails
        return fails

    def started(self) -> None:
        """An instance is ready."""
        self._failed = 0

    # The run

    def run(self) -> None:
        """Run until nothing is left to happen."""
        self.loop.run_until_complete(self._run())

    async def _run(self) -> None:
        over: list[Deployment] = []
        self.deployment = Deployment(self.record, self._around, over.append)
        self.loop.watch = self._watch
        await self._rest()
        self.begin = self.loop.time()
        self.fewest_up = 1000
        while self._changes:
            seconds, _, change = heapq.heappop(self._changes)
            await asyncio.sleep(max(0.0, self.begin + seconds - self.loop.time()))
            change()
        await self._rest()
        self.at_rest = self.deployment.view()
        self.up_at_rest = len(self.engine.up)
        self.loop.watch = lambda: None
        await self.deployment.close()

    async def _rest(self) -> None:
        self.loop.at_rest.clear()
        await self.loop.at_rest.wait()

    def _watch(self) -> None:
        """What holds at all times."""
        (each, *_) = self.deployment._sets.values()
        assert each.target.scaling.min <= each.wanted <= each.target.scaling.max
        up = sum(
            instance.state in (InstanceState.STARTING, InstanceState.READY) for instance in each.instances
        )
        self.most_up = max(self.most_up, up)
        self.fewest_up = min(self.fewest_up, up)

    def _config(self, colour: str) -> dict[str, Any]:
        service = {
            "scaling": self.scaling,
            "config_overrides": {"traffic": self.traffic},
            "deployment_strategy": self.strategy,
            "cold_start_timeout": 100_000,  # so that each has to get its turn
        }
        return {
            "access_authorization": False,
            "envs": [{"name": "COLOUR", "value": colour}],
            "labels": [],
            "secrets": [],
            "services": {"Service": service},
            "canary": None,
        }
