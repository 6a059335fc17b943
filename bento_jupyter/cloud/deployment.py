"""One deployment: brings what there is to what is wanted, and says how it is.

Everything happens on the event loop. What comes in (a changed record, a message of the gateway, an
instance that has changed, a time that has come) is noted, then one task looks at all of it and acts: that
task is the only one that starts and stops instances.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BentoJupyterError, EnvironmentBuildError
from ..home import Home
from ..spec import ColdStart, DeploymentView, ImageView, InstanceState, mode_of
from .autoscaler import History, Observation, Policy, decide
from .dataplane import DataPlane
from .engines import Engine, ReplicaSpec
from .events import EventFeed
from .health import Facts, Verdict, judge
from .images import Images, Recipe, read_recipe
from .instance import Instance
from .instance_types import instance_types
from .logs import LogFile, forget_logs, forget_old_logs
from .settings import CloudSettings
from .store import DeploymentRecord, Store
from .target import Target, instance_size, read_target

__all__ = ["Deployment", "Surroundings"]

logger = logging.getLogger(__name__)

#: Seconds until a new start after the 1st, 2nd, ... failure in a row.
BACK_OFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
#: Failures in a row after which a revision that was never ready is given up.
GIVE_UP_AFTER = 3
#: Seconds after which an instance that is ready counts as well: the failures before it are forgotten.
HEALTHY_AFTER = 60.0
#: Seconds between tries to listen on a port that somebody else has.
LISTEN_RETRY = 2.0
#: Seconds between looks at which tokens have expired.
TOKEN_INTERVAL = 60.0
#: Seconds between two events that tell of counters only.
COUNTER_INTERVAL = 0.25


@dataclass(frozen=True)
class Surroundings:
    """What a deployment works with.

    Attributes:
        settings: The cloud's settings.
        store: Its store.
        engine: What runs instances.
        images: What builds environments.
        data_plane: The gateway.
        events: The change feed.
    """

    settings: CloudSettings
    store: Store
    engine: Engine
    images: Images
    data_plane: DataPlane
    events: EventFeed


@dataclass
class Load:
    """What the gateway says about the requests of a deployment.

    Attributes:
        in_flight: Requests being worked on.
        waiting: Requests that wait.
        requests: Requests answered.
        errors: Those of them answered with 5xx.
        per_replica: Requests per instance.
    """

    in_flight: int = 0
    waiting: int = 0
    requests: int = 0
    errors: int = 0
    per_replica: dict[str, int] = field(default_factory=dict)
    _before: tuple[int, int] = (0, 0)

    def take(self, message: dict[str, Any]) -> bool:
        """Take a `load` message; True when there were requests since the one before."""
        totals = (self._before[0] + int(message["requests"]), self._before[1] + int(message["errors"]))
        active = totals[0] > self.requests
        self.in_flight, self.waiting = int(message["in_flight"]), int(message["waiting"])
        self.requests, self.errors = totals
        self.per_replica = {str(key): int(count) for key, count in message["per_replica"].items()}
        return active

    def gateway_restarted(self) -> None:
        """Its totals begin at 0 again, and all its connections are gone."""
        self._before = (self.requests, self.errors)
        self.in_flight = self.waiting = 0
        self.per_replica = {}


class Deployment:
    """One deployment and the task that keeps it as it is wanted.

    Args:
        record: What is wanted.
        around: What it works with.
        over: Called when it was deleted and nothing of it is left.
        after: A deleted deployment of the same name, which must be over first.
    """

    def __init__(
        self,
        record: DeploymentRecord,
        around: Surroundings,
        over: Callable[[Deployment], None],
        after: Deployment | None = None,
    ) -> None:
        self.record = record
        self._around = around
        self._over = over
        self._deleted = False
        self._loop = asyncio.get_running_loop()
        self._target = self._read_target()
        self._instances: dict[str, Instance] = {}
        self._failed: Instance | None = None
        self._load = Load()
        self._history = History()
        self._wanted = 0
        self._recipe: Recipe | None = None
        self._bento: Path | None = None
        self._python: Path | None = None
        self._image_failure = ""
        self._image_task: asyncio.Task[None] | None = None
        self._port_error = ""
        self._listen_again_at = 0.0
        self._last_cold_start: ColdStart | None = None
        self._forget_failures()
        self._was_ready = False
        self._told: DeploymentView | None = None
        self._told_at = 0.0
        self._event_id = around.events.last_id
        self._changed = asyncio.Event()
        self._verdict = self._foresee()
        self._task = asyncio.create_task(self._work(after), name=f"deployment {record.name}")

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name

    @property
    def deleted(self) -> bool:
        """True when it was deleted; it goes once nothing of it is left."""
        return self._deleted

    # What comes in

    def record_changed(self, record: DeploymentRecord | None) -> None:
        """Somebody changed what is wanted; None = it was deleted."""
        if record is None:
            self._deleted = True
        else:
            restarted = self.record.terminated and not record.terminated
            new_revision = record.revision_uid != self.record.revision_uid
            blueprint = self._target.blueprint
            self.record = record
            self._target = self._read_target()
            if self._target.blueprint != blueprint:
                self._forget_image()
                self._was_ready = False
            if restarted or new_revision:
                self._forget_failures()
                if self._image_failure:
                    self._forget_image()
        self._verdict = self._foresee()  # who has just changed it asks at once how it is
        self._changed.set()

    def received(self, message: dict[str, Any]) -> None:
        """The gateway says something about this deployment."""
        kind = message["op"]
        if kind == "load":
            if self._load.take(message) and not (self._load.in_flight or self._load.waiting):
                # A request came and went between two messages: it has kept the deployment awake.
                self._decide(Observation(at=self._loop.time(), in_flight=1))
        elif kind == "wake":
            self._load.waiting = max(1, self._load.waiting)
        elif kind == "listening":
            self._port_error = ""
        elif kind == "listen-failed":
            self._port_error = f"port {message['port']} is taken ({message['error']})"
            self._listen_again_at = self._loop.time() + LISTEN_RETRY
        elif kind == "drained":
            instance = self._instances.get(str(message["replica"]))
            if instance is not None:
                instance.drained()
        elif kind == "lost":
            logger.warning("deployment %s: the gateway lost %s", self.name, message["replica"])
        self._changed.set()

    def gateway_restarted(self) -> None:
        """A new gateway process has taken over; requests of the old one are gone."""
        self._load.gateway_restarted()
        for instance in self._instances.values():
            if instance.state is InstanceState.DRAINING:
                instance.drained()
        self._changed.set()

    def image_changed(self, key: str) -> None:
        """An image's state has changed."""
        if self._recipe is not None and self._recipe.key == key:
            self._changed.set()

    # What is asked

    def view(self) -> DeploymentView:
        """How it is now."""
        record, target, load = self.record, self._target, self._load
        shown = [*self._instances.values(), *([self._failed] if self._failed else [])]
        image = self._image_view()
        return DeploymentView(
            name=record.name,
            status=self._verdict.status,
            reason=self._verdict.reason,
            healthy=self._verdict.healthy,
            mode=mode_of(target.scaling.min),
            url=f"http://{self._around.settings.reachable_host}:{record.port}",
            bento=record.bento,
            protected=target.protected,
            ready=self._count(InstanceState.READY),
            wanted=self._wanted,
            scaling=target.scaling,
            instance_type=target.blueprint.instance_type,
            envs=[name for name, _ in target.blueprint.envs],
            labels={str(label["key"]): str(label["value"]) for label in record.config.get("labels") or []},
            in_flight=load.in_flight,
            queued=load.waiting,
            requests=load.requests,
            errors=load.errors,
            last_cold_start=self._last_cold_start,
            image=image,
            instances=[
                instance.view(load.per_replica.get(instance.id, 0))
                for instance in sorted(shown, key=lambda each: each.started)
            ],
            revision=record.revision,
            created_at=record.created_at,
            updated_at=record.updated_at,
            creator=record.creator,
            event_id=self._event_id,
        )

    def log_files(self) -> list[LogFile]:
        """Its logs: of the image it runs in, and of its instances that are kept, oldest first."""
        files = []
        if self._recipe is not None:
            files.append(LogFile(self._around.images.log_path(self._recipe.key), "image"))
        folder = self._log_folder
        if folder.is_dir():
            logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
            files += [LogFile(path, path.stem) for path in logs]
        return files

    async def close(self) -> None:
        """End its instances, because the cloud ends; nothing about what is wanted changes."""
        self._task.cancel()
        if self._image_task is not None:
            self._image_task.cancel()
        await asyncio.gather(*(instance.close() for instance in self._instances.values()))

    # What it does

    async def _work(self, after: Deployment | None) -> None:
        if after is not None:
            await asyncio.wait([after._task])
        wake_at: float | None = self._loop.time()
        while True:
            if wake_at is None:
                await self._changed.wait()
            else:
                try:
                    await asyncio.wait_for(self._changed.wait(), max(0.0, wake_at - self._loop.time()))
                except asyncio.TimeoutError:
                    pass
            self._changed.clear()
            try:
                times = self._reconcile()
            except Exception:
                logger.exception("deployment %s", self.name)
                times = [self._loop.time() + 1]
            if self._deleted and not self._instances:
                self._end()
                return
            wake_at = min(times, default=None)

    def _reconcile(self) -> list[float]:
        """Look at everything and act; gives the times at which to look again."""
        now = self._loop.time()
        self._collect(now)
        times = self._plan(now)
        self._verdict = self._judge()
        self._tell_gateway()
        if self._port_error and not self._deleted:
            if now >= self._listen_again_at:
                self._listen_again_at = now + LISTEN_RETRY
                self._around.data_plane.listen_again(self.name)
            times.append(self._listen_again_at)
        if self._target.protected:
            times.append(now + TOKEN_INTERVAL)
        return times + self._tell_listeners(now)

    def _collect(self, now: float) -> None:
        """Take note of instances that are over."""
        for instance in [each for each in self._instances.values() if each.is_over]:
            del self._instances[instance.id]
            if instance.state is InstanceState.STOPPED or instance.blueprint != self._target.blueprint:
                continue
            if instance.ready_at is not None and now - instance.ready_at >= HEALTHY_AFTER:
                self._failures = 0
            self._failed = instance
            self._failures += 1
            self._last_failure = instance.reason
            self._not_before = now + BACK_OFF[min(self._failures, len(BACK_OFF)) - 1]
            if self._failures >= GIVE_UP_AFTER and not self._was_ready:
                self._given_up = f"the Bento does not start: {instance.reason}"

    def _plan(self, now: float) -> list[float]:
        """Start and stop instances; gives the times at which to look again."""
        if self.record.terminated or self._deleted:
            self._wanted, self._history = 0, History()
            for instance in self._instances.values():
                instance.drain("the deployment is terminated")
            return []
        observation = Observation(at=now, in_flight=self._load.in_flight, waiting=self._load.waiting)
        again_at = self._decide(observation)
        times = [again_at] if again_at is not None else []
        self._begin_image()
        current = [each for each in self._instances.values() if self._is_current(each) and each.is_up]
        ready = [each for each in current if each.state is InstanceState.READY]
        if ready:
            self._was_ready = True
            well_at = max(each.ready_at or now for each in ready) + HEALTHY_AFTER
            if now >= well_at:
                self._failures, self._failed = 0, None
            elif self._failures:
                times.append(well_at)
        self._replace_old(len(ready))
        if self._python is None or self._given_up:
            return times
        if self._target.recreate and any(not self._is_current(each) for each in self._instances.values()):
            return times
        # The first instance of a blueprint shows whether it starts at all; the others follow it.
        goal = self._wanted if self._was_ready else min(self._wanted, 1)
        if len(current) < goal:
            if now < self._not_before:
                return [*times, self._not_before]
            for _ in range(goal - len(current)):
                self._start()
        for instance in self._surplus(current, self._wanted):
            instance.drain("fewer instances are needed")
        return times

    def _decide(self, observation: Observation) -> float | None:
        policy = Policy.of(self._target.scaling, self._around.settings.idle_seconds)
        decision = decide(self._history, observation, policy, self._wanted)
        self._history, self._wanted = decision.history, decision.wanted
        return decision.again_at

    def _replace_old(self, ready: int) -> None:
        """End instances of earlier blueprints: once the new ones are ready, or first (Recreate)."""
        old = [each for each in self._instances.values() if not self._is_current(each)]
        # While the new image cannot be had or the new instances do not start, the old ones go on answering.
        stuck = self._python is None or bool(self._given_up)
        if stuck or not (self._target.recreate or ready >= max(1, self._wanted) or self._wanted == 0):
            return
        for instance in old:
            instance.drain(f"replaced by revision {self.record.revision}")

    def _surplus(self, current: list[Instance], wanted: int) -> list[Instance]:
        """The instances to end: starting ones first, then those with the fewest requests, newest first."""
        by_worth = sorted(
            current,
            key=lambda each: (
                each.state is InstanceState.READY,
                self._load.per_replica.get(each.id, 0),
                -each.started,
            ),
        )
        return by_worth[: max(0, len(current) - wanted)]

    def _start(self) -> None:
        if self._bento is None or self._python is None:
            return
        blueprint = self._target.blueprint
        size = instance_size(blueprint.instance_type, instance_types())
        folder = self._log_folder
        forget_old_logs(folder)
        spec = ReplicaSpec(
            id=self._new_id(),
            deployment=self.name,
            bento=self._bento,
            service=blueprint.service,
            python=self._python,
            envs=dict(blueprint.envs),
            cpu=size.cpu,
            memory_bytes=size.memory_bytes,
            instance_type=size.name,
        )
        self._instances[spec.id] = Instance(spec, blueprint, self._around.engine, self._instance_changed)

    def _instance_changed(self, instance: Instance) -> None:
        if instance.cold_start is not None and instance.state is InstanceState.READY:
            self._last_cold_start = instance.cold_start
        self._changed.set()

    def _new_id(self) -> str:
        while True:
            letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
            if f"{self.name}-{letters}" not in self._instances:
                return f"{self.name}-{letters}"

    # Image

    def _begin_image(self) -> None:
        if self._python is None and self._image_task is None and not self._image_failure:
            self._image_task = asyncio.create_task(self._get_image(), name=f"image of {self.name}")

    async def _get_image(self) -> None:
        name, _, version = self.record.bento.partition(":")
        try:
            bento = await asyncio.to_thread(self._around.store.bento_directory, name, version)
            self._recipe = await asyncio.to_thread(read_recipe, bento)
            environment = await self._around.images.ensure(self._recipe)
        except (BentoJupyterError, OSError) as error:
            self._image_failure = error.message if isinstance(error, BentoJupyterError) else str(error)
            if not isinstance(error, EnvironmentBuildError):
                logger.exception("the image of %s", self.record.bento)
        else:
            self._bento, self._python = bento, environment.python
        self._image_task = None
        self._changed.set()

    def _forget_image(self) -> None:
        if self._image_task is not None:
            self._image_task.cancel()
        self._image_task = self._recipe = self._bento = self._python = None
        self._image_failure = ""

    def _image_view(self) -> ImageView | None:
        if self._recipe is not None:
            return self._around.images.view(self._recipe.key)
        if self._image_failure:
            return ImageView(key="", status="failed", reason=self._image_failure)
        return None

    # Telling

    def _foresee(self) -> Verdict:
        """The status before anything was done about what has changed."""
        if self.record.terminated or self._deleted:
            self._wanted = 0
        else:
            self._decide(Observation(self._loop.time(), self._load.in_flight, self._load.waiting))
        return self._judge()

    def _judge(self) -> Verdict:
        current = [each for each in self._instances.values() if self._is_current(each)]
        ready = sum(each.state is InstanceState.READY for each in current)
        image = "failed" if self._image_failure else ("success" if self._python else "building")
        return judge(
            Facts(
                terminated=self.record.terminated or self._deleted,
                present=len(self._instances),
                ready=ready,
                starting=sum(each.state is InstanceState.STARTING for each in current),
                old_ready=self._count(InstanceState.READY) - ready,
                wanted=self._wanted,
                image=image,
                image_reason=self._image_failure,
                given_up=self._given_up,
                failures=self._failures,
                last_failure=self._last_failure,
                was_ready=self._was_ready,
                port_error=self._port_error,
                revision=self.record.revision,
            )
        )

    def _tell_gateway(self) -> None:
        if self._deleted and not self._instances:
            self._around.data_plane.remove(self.name)
            return
        target = self._target
        self._around.data_plane.set_route(
            self.name,
            {
                "port": self.record.port,
                "concurrency": target.scaling.concurrency,
                "queue": target.traffic.queue,
                "timeout": target.traffic.timeout,
                "cold_start_timeout": target.traffic.cold_start_timeout,
                "protected": target.protected,
                "tokens": self._around.store.tokens.hashes() if target.protected else [],
                "closed": self._verdict.closed,
            },
        )
        self._around.data_plane.set_replicas(
            self.name,
            [
                (each.id, each.socket)
                for each in self._instances.values()
                if each.state is InstanceState.READY and each.socket is not None
            ],
        )

    def _tell_listeners(self, now: float) -> list[float]:
        """Publish an event when something visible has changed; gives the time at which to do so later."""
        view = self.view()
        if self._told is not None and _without_counters(view) == _without_counters(self._told):
            if view.model_copy(update={"event_id": self._told.event_id}) == self._told:
                return []
            if now < self._told_at + COUNTER_INTERVAL:
                return [self._told_at + COUNTER_INTERVAL]
            message = ""
        else:
            message = f"{view.status.value}: {view.reason}" if view.reason else view.status.value
        self._event_id = self._around.events.publish("deployment", self.name, message).id
        self._told, self._told_at = view, now
        return []

    def _end(self) -> None:
        forget_logs(self._log_folder)
        self._event_id = self._around.events.publish(
            "deployment-deleted", self.name, f"deployment {self.name} was deleted"
        ).id
        self._over(self)

    # Small things

    @property
    def _log_folder(self) -> Path:
        home: Home = self._around.settings.home
        return home.logs / "deployments" / self.name

    def _read_target(self) -> Target:
        name, _, version = self.record.bento.partition(":")
        bento = self._around.store.bentos.get(name, version)
        return read_target(self.record, bento, self._around.settings)

    def _is_current(self, instance: Instance) -> bool:
        return instance.blueprint == self._target.blueprint

    def _count(self, state: InstanceState) -> int:
        return sum(each.state is state for each in self._instances.values())

    def _forget_failures(self) -> None:
        self._failed = None
        self._failures = 0
        self._last_failure = ""
        self._given_up = ""
        self._not_before = 0.0


def _without_counters(view: DeploymentView) -> DeploymentView:
    counters = {"in_flight": 0, "queued": 0, "requests": 0, "errors": 0, "event_id": 0}
    instances = [each.model_copy(update={"in_flight": 0, "memory_bytes": None}) for each in view.instances]
    return view.model_copy(update={**counters, "instances": instances})
