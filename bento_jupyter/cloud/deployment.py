"""One deployment: brings what there is to what is wanted, and says how it is.

Everything happens on the event loop. What comes in (a changed record, a message of the gateway, an
instance that has changed, a time that has come) is noted, then one task looks at all of it and acts: that
task is the only one that starts and stops instances, each in its replica set.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from ..environments import this_minor
from ..spec import EXPIRES_LABEL, OWNER_LABEL, InstanceState, Status, expiry_of, mode_of, utc_now
from ..views import DeploymentView
from .autoscaler import Observation
from .happenings import describe
from .health import Facts, Verdict, combine, in_development, judge, with_canaries
from .logs import LogFile, forget_logs, forget_old_logs
from .metrics import Metrics
from .provision import Provision
from .replicaset import ReplicaSet
from .store import BentoRecord, DeploymentRecord
from .surroundings import Surroundings
from .target import MAIN, SetTarget, Target, VersionTarget, read_target, tags_of, unreadable_target

__all__ = ["Deployment"]

logger = logging.getLogger(__name__)

#: Seconds between tries to listen on a port that somebody else has.
LISTEN_RETRY = 2.0
#: Seconds between looks at which tokens have expired.
TOKEN_INTERVAL = 60.0
#: Longest time between two looks at whether a deployment that ends by itself has to.
EXPIRY_INTERVAL = 600.0
#: Seconds between two events that tell of counters only.
COUNTER_INTERVAL = 0.25


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
        self._provisions: dict[str, Provision] = {}
        self._sets: dict[str, ReplicaSet] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._follow_target()
        self._listening = False
        self._port_error = ""
        #: Set once the gateway has said whether it has the port.
        self._heard = asyncio.Event()
        self._listen_again_at = 0.0
        self._idle_view: DeploymentView | None = None
        self._told: DeploymentView | None = None
        self._told_at = 0.0
        self._event_id = around.events.last_id
        self._verdict = self._foresee()
        self._task = asyncio.create_task(self._work(after), name=f"deployment {record.name}")

    @property
    def name(self) -> str:
        """Its name."""
        return self.record.name

    @property
    def instances_up(self) -> int:
        """Instances that are starting, ready, or finish their requests."""
        return sum(not instance.is_over for each in self._sets.values() for instance in each.instances)

    @property
    def bentos(self) -> set[str]:
        """Tags of the Bentos that it runs."""
        return set(tags_of(self.record))

    # What comes in

    def record_changed(self, record: DeploymentRecord | None) -> None:
        """Somebody changed what is wanted; None = it was deleted."""
        self._idle_view = None
        if record is None:
            self.deleted = True
        else:
            before, earlier = self.record, self._target
            self.record = record
            self._target = self._read_target()
            self._follow_target(earlier)
            if record.revision_uid != before.revision_uid or (before.terminated and not record.terminated):
                for each in self._sets.values():
                    each.try_again()
                for version in self._target.versions:
                    if self._provisions[version.name].failure:
                        self._provide(version)
        self._verdict = self._foresee()  # who has just changed it asks at once how it is
        self._changed.set()

    def received(self, message: dict[str, Any]) -> None:
        """The gateway says something about this deployment."""
        self._idle_view = None
        kind = message["op"]
        known = self._sets.get(message["set"])
        if kind == "load" and known is not None and known.target.is_entry:
            self.metrics.load(message, message["set"])
        if kind == "listening" and message["port"] is not None:
            self._listening, self._port_error = True, ""
        elif kind == "listen-failed" and message["port"] is not None:
            self._listening = False
            self._port_error = f"port {message['port']} is taken ({message['error']})"
            self._listen_again_at = self._loop.time() + LISTEN_RETRY
        elif kind == "listen-failed":
            logger.error("deployment %s: services cannot call %s: %s", self.name, message["set"], message)
        elif known is not None:
            known.received(self._loop.time(), message)
        if kind in ("listening", "listen-failed") and message["port"] is not None:
            self._heard.set()
        self._changed.set()

    def gateway_restarted(self) -> None:
        """A new gateway process has taken over; requests of the old one are gone."""
        self.metrics.gateway_restarted()
        self._idle_view = None
        self._listening = False
        for each in self._sets.values():
            each.gateway_restarted()
        self._changed.set()

    def image_changed(self, key: str) -> None:
        """An image's state has changed."""
        if any(provision.key == key for provision in self._provisions.values()):
            self._changed.set()

    # What is asked

    def view(self) -> DeploymentView:
        """How it is now."""
        if self._idle_view is None:
            view = self._view()
            # Without instances nothing of it is measured, and nothing changes unless something comes in.
            self._idle_view = None if self._has_instances else view
            return view
        return self._idle_view

    def _view(self) -> DeploymentView:
        record, target = self.record, self._target
        entry = target.main.entry
        sets = list(self._sets.values())
        called = [each for each in sets if each.target.is_entry]
        cold_starts = [each.last_cold_start for each in sets if each.last_cold_start]
        instances = [view for each in sets for view in each.instance_views()]
        weights = {version.name: version.weight for version in target.versions}
        return DeploymentView(
            name=record.name,
            status=self._verdict.status,
            reason=self._verdict.reason,
            healthy=self._verdict.healthy,
            mode=mode_of(entry.scaling.min),
            url=self._around.settings.url(record.port),
            endpoints=target.endpoints,
            bento=record.bento,
            protected=target.protected,
            ready=sum(each.ready for each in sets),
            wanted=sum(each.wanted for each in sets),
            scaling=entry.scaling,
            instance_type=entry.blueprint.instance_type,
            envs=[name for name, _ in entry.blueprint.envs],
            labels=self._labels,
            in_flight=sum(each.load.in_flight for each in called),
            queued=sum(each.load.waiting for each in called),
            requests=sum(each.load.requests for each in called),
            errors=sum(each.load.errors for each in called),
            last_cold_start=max(cold_starts, key=lambda each: each.at, default=None),
            image=self._provisions[MAIN].image,
            instances=sorted(instances, key=lambda each: each.started_at),
            sets=[
                each.view(
                    weights.get(each.target.version, 0.0) if each.target.is_entry else None,
                    self._verdicts.get(each.name),
                )
                for each in sets
                if not each.retired
            ],
            revision=record.revision,
            created_at=record.created_at,
            updated_at=record.updated_at,
            creator=record.creator,
            owner=self._labels.get(OWNER_LABEL, ""),
            expires_at=self._expires_at,
            last_request_at=max((at for each in called if (at := each.load.last_at)), default=None),
            event_id=self._event_id,
        )

    def log_files(self) -> list[LogFile]:
        """Its logs: of the images it runs in, and of its instances that are kept, oldest first."""
        logs = [provision.log for provision in self._provisions.values()]
        files = list(dict.fromkeys(log for log in logs if log))
        folder = self._log_folder
        if folder.is_dir():
            found = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
            files += [LogFile(path, path.stem) for path in found]
        return files

    async def heard(self) -> None:
        """Return when it is known whether callers can reach it, whatever they are answered."""
        await self._heard.wait()

    async def close(self) -> None:
        """End its instances, because the cloud ends; nothing about what is wanted changes."""
        self._task.cancel()
        self._cancel_provisions()
        await asyncio.gather(*(each.close() for each in self._sets.values()))

    # What it does

    async def _work(self, after: Deployment | None) -> None:
        if after is not None:
            await asyncio.wait([after._task])
        self._changed.set()
        wake_at: float | None = None
        while True:
            # Not `wait_for`, which loses a cancellation that meets a change (before Python 3.12).
            alarm = None if wake_at is None else self._loop.call_at(wake_at, self._changed.set)
            await self._changed.wait()
            if alarm is not None:
                alarm.cancel()
            self._changed.clear()
            try:
                wake_at = min(self._reconcile(), default=None)
            except Exception:
                logger.exception("deployment %s", self.name)
                wake_at = self._loop.time() + 1
            if self.deleted and not self._has_instances:
                self._end()
                return

    def _reconcile(self) -> list[float]:
        """Look at everything and act; gives the times at which to look again."""
        self._idle_view = None
        now = self._loop.time()
        expires_in = self._expires_in()
        if expires_in is not None and expires_in <= 0:
            self._expire()
        ended = False
        for each in self._sets.values():
            ended |= each.collect(now)
        if ended:
            in_use = {instance.id for each in self._sets.values() for instance in each.instances}
            forget_old_logs(self._log_folder, in_use=in_use)
        times = self._stop_all() if self._is_idle else self._plan(now)
        self._verdict = self._judge()
        self._tell_gateway()
        if self._port_error:
            if now >= self._listen_again_at:
                self._listen_again_at = now + LISTEN_RETRY
                self._around.data_plane.listen_again(self.name, MAIN)
            times.append(self._listen_again_at)
        if self._target.protected:
            times.append(now + min(TOKEN_INTERVAL, self._around.store.tokens.seconds_to_expiry()))
        if expires_in is not None and expires_in > 0:
            # The loop's clock stands still while the machine sleeps.
            times.append(now + min(expires_in, EXPIRY_INTERVAL))
        return times + self._tell_listeners(now)

    def _stop_all(self) -> list[float]:
        for each in self._sets.values():
            each.stop_all("the deployment is terminated" if self._is_off else self._target.problem)
        return []

    def _plan(self, now: float) -> list[float]:
        if self._waits_for_files:
            return []
        times = []
        for version in self._target.versions:
            sets = [self._sets[each.name] for each in version.sets]
            # Services of one version speak to each other: the new ones take over together.
            held = not all(each.can_take_over for each in sets)
            for each in sets:
                each.held = held and len(sets) > 1
                times += each.plan(now, self._provisions[version.name], self.record.revision)
        versions = {version.name for version in self._target.versions}
        for each in self._sets.values():
            # A service that the new Bento lacks is called until the old instances of the others are gone.
            others = (other for other in self._sets.values() if other.target.version == each.target.version)
            if each.retired and (
                each.target.version not in versions
                or not any(other.has_old for other in others if not other.retired)
            ):
                each.stop_all(f"revision {self.record.revision} has no such service or version")
        return times

    def _follow_target(self, earlier: Target | None = None) -> None:
        """Let there be a provision per version, and a replica set per service of each."""
        before = {version.name: version for version in earlier.versions} if earlier else {}
        for version in self._target.versions:
            known = before.get(version.name)
            if known is None or known.image_of != version.image_of:
                self._provide(version)
        wanted = {each.name: each for each in self._target.sets}
        for name, target in wanted.items():
            if name in self._sets:
                self._sets[name].retarget(target)
            else:
                self._sets[name] = self._new_set(target)
        for name, each in self._sets.items():
            each.retired = name not in wanted
        # In the order of the target, those that are to go last: that is how they are shown.
        self._sets = {name: self._sets[name] for name in [*wanted, *(self._sets.keys() - wanted.keys())]}

    def _new_set(self, target: SetTarget) -> ReplicaSet:
        return ReplicaSet(self.name, target, self._around, self._changed.set, self.metrics)

    def _provide(self, version: VersionTarget) -> None:
        """Get the folder and the image of a version's Bento (anew)."""
        around, former = self._around, self._provisions.get(version.name)
        if former is not None:
            former.cancel()
        name, _, tag = version.bento.partition(":")
        if self.record.dev:
            get = partial(around.store.codespace_directory, self.record.uid, name, tag, this_minor())
        else:
            get = partial(around.store.bento_directory, name, tag)
        self._provisions[version.name] = Provision(
            version.bento,
            get,
            around.store,
            around.images,
            self._changed.set,
            secrets=version.secrets,
            oci=version.oci,
        )

    # Telling

    def _foresee(self) -> Verdict:
        """The status before anything was done about what has changed."""
        for each in self._sets.values():
            if self._is_idle or each.retired:
                each.wanted = 0
            else:
                each.decide(Observation(self._loop.time(), each.load.in_flight, each.load.waiting))
        return self._judge()

    def _judge(self) -> Verdict:
        self._verdicts = {name: self._judge_set(each) for name, each in self._sets.items()}
        if self._target.problem and not self._is_off:
            return Verdict(Status.FAILED, self._target.problem, closed=self._target.problem)
        versions = [
            combine([(each.blueprint.service, self._verdicts[each.name]) for each in version.sets])
            for version in self._target.versions
        ]
        names = [version.name for version in self._target.versions]
        verdict = with_canaries(versions[0], list(zip(names[1:], versions[1:], strict=True)))
        if self._is_off and self._has_expired:
            return replace(
                verdict, reason=f"its time is over: it was to end at {self._labels[EXPIRES_LABEL]}"
            )
        if not self.record.dev or self._is_off:
            return verdict
        return in_development(verdict, waits_for_files=self._waits_for_files)

    def _judge_set(self, each: ReplicaSet) -> Verdict:
        provision = self._provisions[each.target.version]
        current = [instance for instance in each.instances if each.is_current(instance)]
        return judge(
            Facts(
                terminated=self._is_off or each.retired,
                present=len(each.instances),
                ready=each.current_ready,
                starting=sum(instance.state is InstanceState.STARTING for instance in current),
                old_ready=each.ready - each.current_ready,
                wanted=each.wanted,
                on_demand=each.target.scaling.min == 0,
                image=provision.status,
                image_reason=provision.failure,
                given_up=each.failures.given_up,
                failures=each.failures.count,
                last_failure=each.failures.reason,
                was_ready=each.failures.was_ready,
                listening=self._listening,
                port_error=self._port_error,
                waits_for=next((each.waits_for for each in current if each.waits_for), ""),
                revision=self.record.revision,
            )
        )

    def _tell_gateway(self) -> None:
        if self.deleted and not self._has_instances:
            self._forget_sets(list(self._sets))
            return
        for name, each in self._sets.items():
            self._around.data_plane.set_route(self.name, name, self._route(each))
            self._around.data_plane.set_replicas(self.name, name, each.to_offer())
        self._forget_sets([name for name, each in self._sets.items() if each.retired and not each.instances])

    def _forget_sets(self, names: Iterable[str]) -> None:
        for name in names:
            self._around.data_plane.remove(self.name, name)
            each = self._sets[name]
            if each.retired:
                del self._sets[name]
                self.metrics.forget(name)
                if each.target.version not in {other.target.version for other in self._sets.values()}:
                    self._provisions.pop(each.target.version).cancel()

    def _route(self, each: ReplicaSet) -> dict[str, Any]:
        """How a set is to be reached, as the gateway is told."""
        target, settings = self._target, self._around.settings
        entered = each.target.is_entry
        protected = target.protected and entered
        # Whoever brings a token is no web page of others, and what is open to the network is open to pages.
        guarded = settings.is_loopback and entered and not protected
        is_main = each.name == MAIN
        return {
            "port": self.record.port if is_main else None,
            "concurrency": each.target.scaling.concurrency,
            "queue": each.target.traffic.queue,
            "timeout": each.target.traffic.timeout,
            "cold_start_timeout": each.target.traffic.cold_start_timeout,
            "protected": protected,
            "tokens": self._around.store.tokens.hashes() if protected else [],
            "closed": (self._verdict if is_main else self._verdicts[each.name]).closed,
            "hosts": list(settings.public_hosts) if guarded else None,
            "socket": str(each.socket) if each.socket else None,
            "split": self._split if is_main else None,
            "owner": self.record.uid,
            "tasks": list(each.target.tasks),
            "content": f"{each.target.blueprint.bento}@{each.target.blueprint.bento_digest}",
            "schema": each.target.schema,
            "retries": each.target.retries,
            "cors": each.target.cors,
        }

    @property
    def _split(self) -> dict[str, Any]:
        """The canaries' shares; one that would not answer gets none: its requests go to the main version."""
        shares = [
            (version.name, version.weight)
            for version in self._target.versions[1:]
            if all(self._verdicts[each.name].healthy for each in version.sets)
        ]
        return {"by": self._target.route_type, "key": self._target.route_by, "shares": shares}

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
        self._idle_view = None
        return []

    def _end(self) -> None:
        self._cancel_provisions()
        forget_logs(self._log_folder)
        self._around.store.codespaces.forget(self.record.uid)
        self._over(self)
        self._around.events.publish("deployment-deleted", self.name, f"deployment {self.name} was deleted")

    # Its own end

    @property
    def _labels(self) -> dict[str, str]:
        labels = self.record.config.get("labels") or []
        return {str(label["key"]): str(label["value"]) for label in labels}

    @property
    def _expires_at(self) -> datetime | None:
        return expiry_of(self._labels, self.record.updated_at)

    def _expires_in(self) -> float | None:
        """Seconds until it ends by itself; None = it does not, or has ended."""
        at = None if self._is_off else self._expires_at
        return None if at is None else (at - utc_now()).total_seconds()

    @property
    def _has_expired(self) -> bool:
        """It was terminated when its time was over, by nobody else."""
        at = expiry_of(self._labels)
        return at is not None and at <= self.record.updated_at < at + timedelta(seconds=2 * EXPIRY_INTERVAL)

    def _expire(self) -> None:
        """Terminate it, as a user would."""
        at = self._labels[EXPIRES_LABEL]
        self.record_changed(self._around.store.deployments.terminate(self.name))
        self._around.events.publish("deployment", self.name, f"its time is over: it was to end at {at}")

    # Small things

    @property
    def _is_off(self) -> bool:
        return self.record.terminated or self.deleted

    @property
    def _is_idle(self) -> bool:
        """True when nothing of it is to run."""
        return self._is_off or bool(self._target.problem)

    @property
    def _waits_for_files(self) -> bool:
        """True for a codespace whose client has not sent all its files yet."""
        return self.record.dev and not self._around.store.codespaces.is_ready(self.record.uid)

    @property
    def _has_instances(self) -> bool:
        return any(each.instances for each in self._sets.values())

    @property
    def _log_folder(self) -> Path:
        return self._around.engine.logs(self.name)

    def _read_target(self) -> Target:
        try:
            around = self._around
            return read_target(self.record, self._find_bento, around.settings, around.instance_types)
        except Exception as error:  # whatever is stored, it is the trouble of this deployment alone
            logger.exception("deployment %s cannot be read", self.name)
            problem = f"what is stored of it or of its Bento cannot be read: {type(error).__name__}: {error}"
            return unreadable_target(self.record, problem)

    def _find_bento(self, tag: str) -> BentoRecord | None:
        name, _, version = tag.partition(":")
        store = self._around.store
        bento = store.bentos.get(name, version)
        if bento is not None and self.record.dev:
            return replace(bento, digest=store.codespaces.digest(self.record.uid))
        return bento

    def _cancel_provisions(self) -> None:
        for provision in self._provisions.values():
            provision.cancel()


_NO_COUNTERS = {"in_flight": 0, "queued": 0, "requests": 0, "errors": 0}


def _without_counters(view: DeploymentView) -> DeploymentView:
    instances = [
        each.model_copy(update={"in_flight": 0, "memory_bytes": None, "cpu": None}) for each in view.instances
    ]
    sets = [each.model_copy(update=_NO_COUNTERS) for each in view.sets]
    return view.model_copy(
        update={**_NO_COUNTERS, "last_request_at": None, "event_id": 0, "instances": instances, "sets": sets}
    )


def _counters(view: DeploymentView) -> tuple[int, ...]:
    of_sets = [
        count for each in view.sets for count in (each.in_flight, each.queued, each.requests, each.errors)
    ]
    return (
        view.in_flight,
        view.queued,
        view.requests,
        view.errors,
        *of_sets,
        *(each.in_flight for each in view.instances),
    )
