"""One deployment: brings what there is to what is wanted, and says how it is.

Everything happens on the event loop. What comes in (a changed record, a message of the gateway, an
instance that has changed, a time that has come) is noted, then one task looks at all of it and acts: that
task is the only one that starts and stops instances.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..spec import ColdStart, DeploymentView, InstanceState, mode_of
from .autoscaler import History, Observation, Policy, decide
from .dataplane import DataPlane
from .engines import Engine, ReplicaSpec
from .events import EventFeed
from .failures import Failures
from .happenings import describe
from .health import Facts, Verdict, judge
from .images import Images
from .instance import Instance
from .instance_types import instance_types
from .load import Load
from .logs import LogFile, forget_logs, forget_old_logs
from .metrics import Metrics
from .provision import Provision
from .settings import CloudSettings
from .store import DeploymentRecord, Store
from .target import Target, instance_size, read_target

__all__ = ["Deployment", "Surroundings"]

logger = logging.getLogger(__name__)

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


class Deployment:
    """One deployment and the task that keeps it as it is wanted.

    Args:
        record: What is wanted.
        around: What it works with.
        over: Called when it was deleted and nothing of it is left.
        after: A deleted deployment of the same name, which must be over first.

    Attributes:
        record: What is wanted.
        deleted: True when it was deleted; it goes once nothing of it is left.
        metrics: What its requests and instances were like.
    """

    def __init__(
        self,
        record: DeploymentRecord,
        around: Surroundings,
        over: Callable[[Deployment], None],
        after: Deployment | None = None,
    ) -> None:
        self.record = record
        self.deleted = False
        self.metrics = Metrics()
        self._around = around
        self._over = over
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._target = self._read_target()
        self._provision = self._new_provision()
        self._failures = Failures()
        self._instances: dict[str, Instance] = {}
        self._failed: Instance | None = None
        self._load = Load()
        self._history = History()
        self._wanted = 0
        self._listening = False
        self._port_error = ""
        self._listen_again_at = 0.0
        self._last_cold_start: ColdStart | None = None
        self._told: DeploymentView | None = None
        self._told_at = 0.0
        self._event_id = around.events.last_id
        self._verdict = self._foresee()
        self._task = asyncio.create_task(self._work(after), name=f"deployment {record.name}")

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name

    # What comes in

    def record_changed(self, record: DeploymentRecord | None) -> None:
        """Somebody changed what is wanted; None = it was deleted."""
        if record is None:
            self.deleted = True
        else:
            before, blueprint = self.record, self._target.blueprint
            self.record = record
            self._target = self._read_target()
            if self._target.blueprint != blueprint:
                self._failures = Failures()
            if not self._target.blueprint.same_bento(blueprint):
                self._forget_provision()
            if record.revision_uid != before.revision_uid or (before.terminated and not record.terminated):
                self._failures.try_again()
                self._failed = None
                if self._provision.failure:
                    self._forget_provision()
        self._verdict = self._foresee()  # who has just changed it asks at once how it is
        self._changed.set()

    def received(self, message: dict[str, Any]) -> None:
        """The gateway says something about this deployment."""
        kind = message["op"]
        if kind == "load":
            self.metrics.load(message)
            if self._load.take(message):
                # They have kept the deployment awake, though none is there any more.
                self._decide(Observation(self._loop.time(), in_flight=1))
        elif kind == "wake":
            self._load.waiting = max(1, self._load.waiting)
        elif kind == "listening":
            self._listening, self._port_error = True, ""
        elif kind == "listen-failed":
            self._listening = False
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
        self.metrics.gateway_restarted()
        self._listening = False
        for instance in self._instances.values():
            if instance.state is InstanceState.DRAINING:
                instance.drained()
        self._changed.set()

    def image_changed(self) -> None:
        """Some image's state has changed."""
        self._changed.set()

    # What is asked

    def view(self) -> DeploymentView:
        """How it is now."""
        record, target, load = self.record, self._target, self._load
        shown = [*self._instances.values(), *([self._failed] if self._failed else [])]
        return DeploymentView(
            name=record.name,
            status=self._verdict.status,
            reason=self._verdict.reason,
            healthy=self._verdict.healthy,
            mode=mode_of(target.scaling.min),
            url=f"http://{self._around.settings.reachable_host}:{record.port}",
            endpoints=target.endpoints,
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
            image=self._provision.image,
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
        files = [self._provision.log] if self._provision.log else []
        folder = self._log_folder
        if folder.is_dir():
            logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
            files += [LogFile(path, path.stem) for path in logs]
        return files

    async def close(self) -> None:
        """End its instances, because the cloud ends; nothing about what is wanted changes."""
        self._task.cancel()
        self._provision.cancel()
        await asyncio.gather(*(instance.close() for instance in self._instances.values()))

    # What it does

    async def _work(self, after: Deployment | None) -> None:
        if after is not None:
            await asyncio.wait([after._task])
        self._changed.set()
        wake_at: float | None = None
        while True:
            timeout = None if wake_at is None else max(0.0, wake_at - self._loop.time())
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), timeout)
            self._changed.clear()
            try:
                wake_at = min(self._reconcile(), default=None)
            except Exception:
                logger.exception("deployment %s", self.name)
                wake_at = self._loop.time() + 1
            if self.deleted and not self._instances:
                self._end()
                return

    def _reconcile(self) -> list[float]:
        """Look at everything and act; gives the times at which to look again."""
        now = self._loop.time()
        self._collect(now)
        times = self._stop_all() if self._is_off else self._plan(now)
        self._verdict = self._judge()
        self._tell_gateway()
        if self._port_error:
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
            if instance.state is InstanceState.FAILED and self._is_current(instance):
                self._failed = instance
                self._failures.add(instance.reason, now, instance.ready_at)

    def _stop_all(self) -> list[float]:
        self._wanted, self._history = 0, History()
        for instance in self._instances.values():
            instance.drain("the deployment is terminated")
        return []

    def _plan(self, now: float) -> list[float]:
        """Start and stop instances; gives the times at which to look again."""
        again_at = self._decide(Observation(now, self._load.in_flight, self._load.waiting))
        times = [] if again_at is None else [again_at]
        self._provision.begin()
        current = [each for each in self._instances.values() if each.is_up and self._is_current(each)]
        ready_at = [each.ready_at for each in current if each.ready_at is not None]
        if ready_at:
            forget_at = self._failures.is_ready(now, max(ready_at))
            times += [] if forget_at is None else [forget_at]
            if not self._failures.count:
                self._failed = None
        self._replace_old(len(ready_at))
        for instance in self._surplus(current):
            instance.drain("fewer instances are needed")
        # The first instance of a blueprint shows whether it starts at all; the others follow it.
        missing = (self._wanted if self._failures.was_ready else min(self._wanted, 1)) - len(current)
        if missing <= 0 or not self._may_start:
            return times
        if now < self._failures.not_before:
            return [*times, self._failures.not_before]
        for _ in range(missing):
            self._start()
        return times

    def _decide(self, observation: Observation) -> float | None:
        policy = Policy.of(self._target.scaling, self._around.settings.idle_seconds)
        decision = decide(self._history, observation, policy, self._wanted)
        self._history, self._wanted = decision.history, decision.wanted
        return decision.again_at

    @property
    def _may_start(self) -> bool:
        if self._provision.result is None or self._failures.given_up:
            return False
        return not self._target.recreate or all(map(self._is_current, self._instances.values()))

    def _replace_old(self, ready: int) -> None:
        """End instances of earlier blueprints: once the new ones are ready, or first (Recreate)."""
        # While the new image cannot be had or the new instances do not start, the old ones go on answering.
        if self._provision.result is None or self._failures.given_up:
            return
        if self._target.recreate or ready >= self._wanted:
            for instance in self._instances.values():
                if not self._is_current(instance):
                    instance.drain(f"replaced by revision {self.record.revision}")

    def _surplus(self, current: list[Instance]) -> list[Instance]:
        """The instances to end: starting ones first, then those with the fewest requests, newest first."""

        def worth(each: Instance) -> tuple[bool, int, float]:
            in_flight = self._load.per_replica.get(each.id, 0)
            return each.state is InstanceState.READY, in_flight, -each.started

        return sorted(current, key=worth)[: max(0, len(current) - self._wanted)]

    def _start(self) -> None:
        if self._provision.result is None:
            return
        bento, python = self._provision.result
        blueprint = self._target.blueprint
        size = instance_size(blueprint.instance_type, instance_types())
        forget_old_logs(self._log_folder)
        spec = ReplicaSpec(
            id=self._new_id(),
            deployment=self.name,
            bento=bento,
            service=blueprint.service,
            python=python,
            envs=dict(blueprint.envs),
            cpu=size.cpu,
            memory_bytes=size.memory_bytes,
            instance_type=size.name,
        )
        self._instances[spec.id] = Instance(
            spec, blueprint, self._around.engine, self._instance_changed, restarts=self._failures.count
        )

    def _instance_changed(self, instance: Instance) -> None:
        if instance.state is InstanceState.READY:
            self._last_cold_start = instance.cold_start
            if instance.cold_start is not None:
                self.metrics.cold_start(instance.id, instance.cold_start)
        self._changed.set()

    def _new_id(self) -> str:
        while True:
            letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
            if not (self._log_folder / f"{self.name}-{letters}.log").exists():
                return f"{self.name}-{letters}"

    # Telling

    def _foresee(self) -> Verdict:
        """The status before anything was done about what has changed."""
        if self._is_off:
            self._wanted = 0
        else:
            self._decide(Observation(self._loop.time(), self._load.in_flight, self._load.waiting))
        return self._judge()

    def _judge(self) -> Verdict:
        current = [each for each in self._instances.values() if self._is_current(each)]
        ready = sum(each.state is InstanceState.READY for each in current)
        return judge(
            Facts(
                terminated=self._is_off,
                present=len(self._instances),
                ready=ready,
                starting=sum(each.state is InstanceState.STARTING for each in current),
                old_ready=self._count(InstanceState.READY) - ready,
                wanted=self._wanted,
                on_demand=self._target.scaling.min == 0,
                image=self._provision.status,
                image_reason=self._provision.failure,
                given_up=self._failures.given_up,
                failures=self._failures.count,
                last_failure=self._failures.reason,
                was_ready=self._failures.was_ready,
                listening=self._listening,
                port_error=self._port_error,
                revision=self.record.revision,
            )
        )

    def _tell_gateway(self) -> None:
        gateway, target = self._around.data_plane, self._target
        if self.deleted and not self._instances:
            gateway.remove(self.name)
            return
        settings = self._around.settings
        # Whoever brings a token is no web page of others, and what is open to the network is open to pages.
        guarded = settings.is_loopback and not target.protected
        ready = [each for each in self._instances.values() if each.state is InstanceState.READY]
        gateway.set_route(
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
                "hosts": list(settings.public_hosts) if guarded else None,
            },
        )
        for each in ready:
            each.offered = True
        gateway.set_replicas(self.name, [(each.id, each.socket) for each in ready if each.socket is not None])

    def _tell_listeners(self, now: float) -> list[float]:
        """Publish an event when something visible has changed; gives the time at which to do so later."""
        view = self.view()
        self.metrics.instances(view.ready)
        if self._told is not None and _without_counters(view) == _without_counters(self._told):
            if _counters(view) == _counters(self._told):
                return []
            if now < self._told_at + COUNTER_INTERVAL:
                return [self._told_at + COUNTER_INTERVAL]
            message = ""
        else:
            message = describe(self._told, view)
        event = self._around.events.publish(
            "deployment", self.name, message, reason=view.reason, revision=view.revision
        )
        self._event_id = event.id
        self._told, self._told_at = view, now
        return []

    def _end(self) -> None:
        self._provision.cancel()
        forget_logs(self._log_folder)
        self._over(self)
        self._around.events.publish("deployment-deleted", self.name, f"deployment {self.name} was deleted")

    # Small things

    @property
    def _is_off(self) -> bool:
        return self.record.terminated or self.deleted

    @property
    def _log_folder(self) -> Path:
        return self._around.settings.home.logs / "deployments" / self.name

    def _read_target(self) -> Target:
        name, _, version = self.record.bento.partition(":")
        bento = self._around.store.bentos.get(name, version)
        return read_target(self.record, bento, self._around.settings)

    def _new_provision(self) -> Provision:
        around = self._around
        return Provision(self.record.bento, around.store, around.images, self._changed.set)

    def _forget_provision(self) -> None:
        self._provision.cancel()
        self._provision = self._new_provision()

    def _is_current(self, instance: Instance) -> bool:
        return instance.blueprint == self._target.blueprint

    def _count(self, state: InstanceState) -> int:
        return sum(each.state is state for each in self._instances.values())


def _without_counters(view: DeploymentView) -> DeploymentView:
    nothing = {"in_flight": 0, "queued": 0, "requests": 0, "errors": 0, "event_id": 0}
    instances = [
        each.model_copy(update={"in_flight": 0, "memory_bytes": None, "cpu": None}) for each in view.instances
    ]
    return view.model_copy(update={**nothing, "instances": instances})


def _counters(view: DeploymentView) -> tuple[int, ...]:
    instances = (each.in_flight for each in view.instances)
    return (view.in_flight, view.queued, view.requests, view.errors, *instances)
