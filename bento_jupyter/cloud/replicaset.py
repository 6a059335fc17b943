"""One replica set: the instances of one service in one version of a deployment.

It decides when its deployment asks it to, in the deployment's task; nobody else starts or stops instances.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..spec import InstanceState, Status
from ..views import ColdStart, InstanceView, ReplicaSetView
from .autoscaler import History, Observation, Policy, decide
from .engines import ReplicaSpec
from .failures import Failures
from .health import Verdict
from .instance import DRAIN_TIMEOUT, TASK_DRAIN_TIMEOUT, Instance
from .load import Load
from .metrics import Metrics
from .provision import Provided, Provision
from .rollout import RECREATE, Stock, next_step
from .surroundings import Surroundings
from .target import Blueprint, SetTarget
from .utilisation import SETTLING, Utilisation

__all__ = ["ReplicaSet"]

logger = logging.getLogger(__name__)


class ReplicaSet:
    """The instances of one set.

    Args:
        deployment: Name of its deployment.
        target: What is wanted of it.
        around: What it works with.
        changed: Called on the event loop when an instance has changed.
        metrics: Those of the deployment, which cold starts are told to.

    Attributes:
        target: What is wanted of it.
        load: The requests that it has.
        failures: Of the instances of the wanted blueprint.
        wanted: Instances that there should be.
        failed: The newest instance that failed, while that matters.
        last_cold_start: The newest cold start.
        retired: It is no longer wanted: it goes once nothing of it is left.
        held: The other services of its version are not ready to take over: old instances go on answering.
    """

    def __init__(
        self,
        deployment: str,
        target: SetTarget,
        around: Surroundings,
        changed: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self.target = target
        self.load = Load()
        self.failures = Failures()
        self.wanted = 0
        self.failed: Instance | None = None
        self.last_cold_start: ColdStart | None = None
        self.retired = False
        self.held = False
        #: Now, or in an earlier revision whose instances may still be there.
        self._has_tasks = bool(target.tasks)
        self._deployment = deployment
        self._around = around
        self._changed = changed
        self._metrics = metrics
        self._instances: dict[str, Instance] = {}
        self._history = History()
        self._cpu = Utilisation()
        self._prepared: tuple[Provided, Blueprint] | None = None
        #: An instance has ended before it was ready since its image was last looked at.
        self._doubts = False
        self._renewals = 0

    @property
    def name(self) -> str:
        """Its name, unique in the deployment."""
        return self.target.name

    @property
    def instances(self) -> Sequence[Instance]:
        """Its instances, oldest first."""
        return list(self._instances.values())

    @property
    def ready(self) -> int:
        """Instances that are ready."""
        return len(self._ready())

    @property
    def current_ready(self) -> int:
        """Ready instances of the wanted blueprint."""
        return sum(map(self.is_current, self._ready()))

    @property
    def has_old(self) -> bool:
        """True while instances of earlier blueprints are up."""
        return any(each.is_up and not self.is_current(each) for each in self._instances.values())

    @property
    def can_take_over(self) -> bool:
        """True when its instances of the wanted blueprint can stand in for earlier ones."""
        return not self.has_old or self.current_ready > 0 or self.wanted == 0

    def is_current(self, instance: Instance) -> bool:
        """True when an instance is made as is wanted now."""
        return instance.blueprint == self.target.blueprint

    # What comes in

    def retarget(self, target: SetTarget) -> None:
        """Something else is wanted of it."""
        if target.blueprint != self.target.blueprint:
            self.failures = Failures()
        self.target, self.retired = target, False
        self._has_tasks |= bool(target.tasks)

    def try_again(self) -> None:
        """Somebody asked for it anew: failures do not count."""
        self.failures.try_again()
        self.failed = None

    def received(self, now: float, message: dict[str, Any]) -> None:
        """The gateway says something about this set."""
        kind = message["op"]
        if kind == "load":
            if self.load.take(message):
                # They have kept the set awake, though none is there any more.
                self.decide(Observation(now, in_flight=1))
        elif kind == "wake":
            self.load.waiting = max(1, self.load.waiting)
        elif kind == "drained":
            instance = self._instances.get(str(message["replica"]))
            if instance is not None:
                instance.drained()
        elif kind == "lost":
            logger.warning("deployment %s: the gateway lost %s", self._deployment, message["replica"])

    def gateway_restarted(self) -> None:
        """A new gateway process has taken over; requests of the old one are gone."""
        self.load.gateway_restarted()
        for instance in self._instances.values():
            if instance.state is InstanceState.DRAINING:
                instance.drained()

    # What it does

    def collect(self, now: float) -> bool:
        """Take note of instances that are over; False when there are none."""
        over = [each for each in self._instances.values() if each.is_over]
        for instance in over:
            del self._instances[instance.id]
            if instance.state is InstanceState.FAILED and self.is_current(instance):
                self.failed = instance
                self.failures.add(instance.reason, now, instance.ready_at)
                self._doubts = instance.ready_at is None
        return bool(over)

    def stop_all(self, reason: str) -> None:
        """End all instances, when they have answered what they were asked."""
        self.wanted, self._history, self._cpu = 0, History(), Utilisation()
        self._prepared = None
        self._around.engine.release(f"{self._deployment}/{self.name}")
        for instance in self._instances.values():
            instance.drain(reason, self._patience)

    def decide(self, observation: Observation) -> float | None:
        """Decide how many instances there should be; gives the time at which to do so again."""
        policy = Policy.of(self.target.scaling, self._around.settings.idle_seconds)
        observation = replace(observation, cpu=self._cpu.value, ready=self.ready)
        decision = decide(self._history, observation, policy, self.wanted)
        self._history, self.wanted = decision.history, decision.wanted
        return decision.again_at

    def plan(self, now: float, provision: Provision, revision: int) -> list[float]:
        """Start and stop instances; gives the times at which to look again.

        Args:
            now: Time of the loop's clock.
            provision: What its instances need to start.
            revision: Number of the wanted revision, for reasons.
        """
        look_at = self._look_at_cpu(now)
        again_at = self.decide(Observation(now, self.load.in_flight, self.load.waiting))
        times = [at for at in (again_at, look_at) if at is not None]
        provision.begin()
        if self._doubts:
            self._doubts = False
            provision.doubt()
        if provision.renewals != self._renewals:
            # What failed for want of the image says nothing about the Bento.
            self._renewals = provision.renewals
            self.try_again()
        current = [each for each in self._instances.values() if each.is_up and self.is_current(each)]
        ready_at = [each.ready_at for each in current if each.ready_at is not None]
        if ready_at:
            forget_at = self.failures.is_ready(now, max(ready_at))
            times += [] if forget_at is None else [forget_at]
            if not self.failures.count:
                self.failed = None
        for instance in self._surplus(current):
            instance.drain("fewer instances are needed", self._patience)
        # While the image cannot be had or the new instances do not start, the old ones go on answering.
        if provision.result is None or self.failures.given_up:
            return times
        start = self._roll(revision)
        if not start:
            if not any(each.state is InstanceState.STARTING for each in self._instances.values()):
                self._prepare(provision.result)  # not beside a start, which it would slow down
            return times
        if now < self.failures.not_before:
            return [*times, self.failures.not_before]
        for _ in range(start):
            self._start(provision.result)
        return times

    def to_offer(self) -> list[tuple[str, Path, Mapping[str, float]]]:
        """The instances that may get requests: id, socket, and seconds per phase of their start."""
        ready = self._ready()
        old = [each for each in ready if not self.is_current(each)]
        offered = old if self.held and old else ready
        for each in offered:
            each.offered = True
        return [
            (each.id, each.socket, each.cold_start.phases if each.cold_start else {})
            for each in offered
            if each.socket is not None
        ]

    async def close(self) -> None:
        """End all instances, because the cloud ends."""
        for instance in list(self._instances.values()):
            await instance.close()

    def _look_at_cpu(self, now: float) -> float | None:
        """Note how busy the instances are, where that decides how many to have; gives when to look again."""
        scaling, load = self.target.scaling, self.load
        if scaling.concurrency is not None or scaling.max <= max(1, scaling.min):
            self._cpu = Utilisation()
            return None

        def measure() -> float:
            settled = [each for each in self._ready() if now - (each.ready_at or now) >= SETTLING]
            # What it borrows of CPUs that nobody else uses is not its own.
            return sum(min(1.0, (each.view(0).cpu or 0.0) / each.spec.cpu) for each in settled)

        return self._cpu.look(now, load.admitted, busy=bool(load.in_flight + load.waiting), measure=measure)

    def _roll(self, revision: int) -> int:
        """End instances of earlier blueprints as the strategy says; gives how many new ones to start."""
        old = [each for each in self._instances.values() if each.is_up and not self.is_current(each)]
        old_ready = [each for each in old if each.state is InstanceState.READY]
        current = [each for each in self._instances.values() if each.is_up and self.is_current(each)]
        ready = sum(each.state is InstanceState.READY for each in current)
        ending = sum(not (each.is_up or self.is_current(each)) for each in self._instances.values())
        stock = Stock(
            ready=ready,
            starting=len(current) - ready,
            old=len(old_ready),
            ending=ending,
        )
        step = next_step(self.target.strategy, self.wanted, stock, proven=self.failures.was_ready)
        reason = f"replaced by revision {revision}"
        for instance in old:
            if instance.state is InstanceState.STARTING:
                instance.drain(reason, self._patience)
        if self.held and self.target.strategy != RECREATE:
            return max(0, min(self.wanted, 1) - len(current))
        for instance in sorted(old_ready, key=self._worth)[: step.drain]:
            instance.drain(reason, self._patience)
        return step.start

    @property
    def _patience(self) -> float:
        """Seconds that the requests of an instance get to finish when others take its place."""
        # A request may take as long as requests here may; a task longer, unless new instances wait for it.
        if self._has_tasks and self.target.strategy != RECREATE:
            return max(TASK_DRAIN_TIMEOUT, self.target.traffic.timeout)
        return max(DRAIN_TIMEOUT, self.target.traffic.timeout)

    def _surplus(self, current: list[Instance]) -> list[Instance]:
        """The instances to end: starting ones first, then those with the fewest requests, newest first."""
        return sorted(current, key=self._worth)[: max(0, len(current) - self.wanted)]

    def _worth(self, each: Instance) -> tuple[bool, int, float]:
        in_flight = self.load.per_replica.get(each.id, 0)
        return each.state is InstanceState.READY, in_flight, -each.started

    def _ready(self) -> list[Instance]:
        return [each for each in self._instances.values() if each.state is InstanceState.READY]

    def _prepare(self, provided: Provided) -> None:
        """Have the engine get ready for instances of this set."""
        prepared = (provided, self.target.blueprint)
        # Secrets may have changed since; all else is in the blueprint.
        if prepared != self._prepared or self.target.blueprint.secrets:
            self._prepared = prepared
            self._around.engine.prepare(f"{self._deployment}/{self.name}", self._spec(provided))

    def _start(self, provided: Provided) -> None:
        spec = self._spec(provided, self._new_id())
        self._instances[spec.id] = Instance(
            spec,
            self.target.blueprint,
            self._around.engine,
            self._instance_changed,
            restarts=self.failures.count,
        )

    def _spec(self, provided: Provided, instance: str = "") -> ReplicaSpec:
        blueprint = self.target.blueprint
        size = self._around.instance_types.size(blueprint.instance_type)
        given = self._around.store.secrets.resolve(blueprint.secrets, "runtime")
        return ReplicaSpec(
            id=instance,
            deployment=self._deployment,
            bento=provided.bento,
            service=blueprint.service,
            python=provided.python,
            image=provided.image,
            envs={**given.envs, **dict(blueprint.envs)},
            files=given.files,
            cpu=size.cpu,
            memory_bytes=size.memory_bytes,
            instance_type=size.name,
            gpus=size.gpu,
            remotes={service: self._socket_of(name) for service, name in blueprint.remotes},
        )

    def _instance_changed(self, instance: Instance) -> None:
        if instance.state is InstanceState.READY:
            self.last_cold_start = instance.cold_start
            if instance.cold_start is not None:
                self._metrics.cold_start(instance.id, instance.cold_start)
        self._changed()

    def _new_id(self) -> str:
        while True:
            letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
            if not (self._log_folder / f"{self._deployment}-{letters}.log").exists():
                return f"{self._deployment}-{letters}"

    @property
    def _log_folder(self) -> Path:
        return self._around.engine.logs(self._deployment)

    # How it is reached and shown

    @property
    def socket(self) -> Path | None:
        """Unix socket where the other services of its version call it; None for an entry service."""
        return None if self.target.is_entry else self._socket_of(self.name)

    def _socket_of(self, name: str) -> Path:
        # The path of a socket may have 103 bytes, hence the digest.
        digest = hashlib.sha256(f"{self._deployment}/{name}".encode()).hexdigest()[:16]
        return self._around.settings.home.sockets / f"{digest}.sock"

    def instance_views(self) -> list[InstanceView]:
        """How its instances are shown; the one that failed last among them while that matters."""
        shown = [*self._instances.values(), *([self.failed] if self.failed else [])]
        named = {"version": self.target.version, "service": self.target.blueprint.service}
        return [
            each.view(self.load.per_replica.get(each.id, 0)).model_copy(update=named)
            for each in sorted(shown, key=lambda each: each.started)
        ]

    def view(self, weight: float | None, verdict: Verdict | None) -> ReplicaSetView:
        """How it is shown.

        Args:
            weight: Percentage of the deployment's requests that it gets; None = only other services call it.
            verdict: Its status; None = not known yet.
        """
        target, load = self.target, self.load
        return ReplicaSetView(
            version=target.version,
            service=target.blueprint.service,
            bento=target.blueprint.bento,
            weight=weight,
            scaling=target.scaling,
            instance_type=target.blueprint.instance_type,
            status=verdict.status if verdict else Status.UNKNOWN,
            reason=verdict.reason if verdict else "",
            ready=self.ready,
            wanted=self.wanted,
            in_flight=load.in_flight,
            queued=load.waiting,
            requests=load.requests,
            errors=load.errors,
        )
