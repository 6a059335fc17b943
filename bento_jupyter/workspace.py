"""The verbs: build -> prove -> push -> deploy -> call. Every face calls these and nothing below them.

```
obj --build--> BuiltBento --push--> PushedBento --deploy--> Deployment --call--> answer
```
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from .client.cloud import Cloud
from .client.deployment import Deployment
from .client.local import local_bentos, stored
from .client.session import connect, current
from .display.progress import Progress
from .errors import (
    BentoJupyterError,
    BuildError,
    InvalidRequestError,
    MagicUsageError,
    NotFoundError,
)
from .home import Home
from .spec import DeploymentSpec, DeploymentView, InstanceType, Mode, Status

if TYPE_CHECKING:
    from .capture import Plan, Proof

__all__ = [
    "BuiltBento",
    "PushedBento",
    "bentos",
    "build",
    "connect",
    "current",
    "deploy",
    "deployment",
    "deployments",
    "instance_types",
    "local_bentos",
    "models",
    "prove",
    "push",
    "spec_of",
]


@dataclass(frozen=True)
class BuiltBento:
    """A Bento in the local store, built from an object of the notebook.

    Attributes:
        tag: `name:version`.
        path: Its folder in the store.
        project: The readable project it was built from.
        plan: What went in and why; None when it was built elsewhere.
        proof: That it answers as the object did; None when not proven.
    """

    tag: str
    path: Path
    project: Path | None = field(default=None, repr=False)
    plan: Plan | None = field(default=None, repr=False)
    proof: Proof | None = field(default=None, repr=False)

    def prove(self) -> Proof:
        """Run it in its own environment and compare its answers with the object's."""
        return prove(self)

    def push(self) -> PushedBento:
        """Send it to the current cloud."""
        return push(self)

    def deploy(self, **options: Any) -> Deployment:
        """Deploy it; options as of `bento_jupyter.deploy`."""
        return deploy(self, **options)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from .display.builds import built_card

        return built_card(self.tag, self.plan, self.proof, self.project)


@dataclass(frozen=True)
class PushedBento:
    """A Bento in a cloud's registry.

    Attributes:
        tag: `name:version`.
        cloud: The cloud that has it.
        sent: False when the cloud had it already.
    """

    tag: str
    cloud: Cloud
    sent: bool = True

    def __repr__(self) -> str:
        return f"<Bento {self.tag} in {self.cloud.name}{'' if self.sent else ', was there already'}>"

    def deploy(self, **options: Any) -> Deployment:
        """Deploy it; options as of `bento_jupyter.deploy`."""
        return deploy(self, **options)


# --- build and prove -----------------------------------------------------------------------------

BUILD_STEPS = ["build", "prove"]
DEPLOY_STEPS = ["push", "image", "deploy"]


def build(
    name: str,
    obj: Any,
    *,
    sample: Any = None,
    endpoints: Sequence[str] | None = None,
    prove: bool = True,
    progress: Progress | None = None,
) -> BuiltBento:
    """Build a Bento from an object of the notebook, and prove that it answers as the object does.

    Args:
        name: Name of the Bento: small letters, digits, `-` and `_`.
        obj: A fitted scikit-learn estimator or Pipeline.
        sample: Input like those that will come: 2-d array or DataFrame. Types and proof are taken from it.
        endpoints: Methods to serve; None = all that the object has.
        prove: Run the Bento in its own environment, send it the sample, compare the answers.
        progress: Where to show the steps `build` and `prove`; None = a display of its own.

    Returns:
        The Bento, in the local BentoML store.

    Raises:
        BuildError: The object or the sample cannot be built from; nothing has been written.
        ProofError: The Bento answers otherwise than the object; it has been removed again.

    Example:
        >>> built = build("iris", clf, sample=X_test[:5])  # doctest: +SKIP
        >>> built.proof.line                               # doctest: +SKIP
        '2 endpoints, 5 rows each, max difference 0'
    """
    from . import capture

    plan = capture.make_plan(name, obj, sample=sample, endpoints=endpoints)
    home = _home()
    steps = BUILD_STEPS if prove else BUILD_STEPS[:1]
    cancelled = threading.Event()
    with _shown(progress, f"Building {name}", steps) as shown, ThreadPoolExecutor(1) as pool:
        # The stage of the proof does not depend on the Bento, so both are made at the same time.
        setting = pool.submit(capture.set_stage, plan, home, cancelled=cancelled) if prove else None
        built = None
        try:
            with shown.step("build"):
                shown.detail(f"{', '.join(point.name for point in plan.endpoints)}")
                built = capture.build_project(plan, home)
                shown.detail(built.tag)
            proof = None
            if setting is not None:
                with shown.step("prove"):
                    shown.detail("its own environment")
                    stage = setting.result()
                    proof = capture.prove(built.path, home=home, stage=stage, progress=shown.detail)
                    shown.detail(proof.line)
        except BaseException:
            cancelled.set()
            if built is not None:
                capture.discard(built)
            raise
        finally:
            if setting is not None and setting.exception() is None:
                setting.result().close()
    return BuiltBento(built.tag, built.path, built.project, plan, proof)


def prove(bento: BuiltBento | str, *, progress: Progress | None = None) -> Proof:
    """Run a Bento of the local store in its own environment and compare its answers with the object's.

    Args:
        bento: A built Bento or its tag.
        progress: Where to show the step `prove`; None = a display of its own.

    Raises:
        ProofError: An answer differs, or the Bento holds no proof sample.
        NotFoundError: The local store has no such Bento.
    """
    from . import capture

    tag = bento if isinstance(bento, str) else bento.tag
    path = stored(tag).path if isinstance(bento, str) else bento.path
    home = _home()
    with _shown(progress, f"Proving {tag}", ["prove"]) as shown, shown.step("prove"):
        proof = capture.prove(Path(path), home=home, progress=shown.detail)
        shown.detail(proof.line)
    return proof


def _home() -> Home:
    home = Home.default()
    try:
        home.create()
    except OSError as error:
        raise BuildError(
            f"nothing can be written in {home.root}: {error}",
            hint="BENTO_JUPYTER_HOME names the folder to use",
        ) from error
    return home


# --- push and deploy -----------------------------------------------------------------------------


def push(
    bento: BuiltBento | str, *, cloud: Cloud | None = None, progress: Progress | None = None
) -> PushedBento:
    """Send a Bento of the local store to a cloud, with its models.

    Args:
        bento: A built Bento or its tag.
        cloud: Where to; None = the current cloud.
        progress: Where to show the step `push`; None = a display of its own.

    Raises:
        NotFoundError: The local store has no such Bento.
        CloudError: The cloud did not take it.
    """
    cloud = cloud or current()
    tag = bento.tag if isinstance(bento, BuiltBento) else str(stored(bento).tag)
    with _shown(progress, f"Pushing {tag}", ["push"]) as shown, shown.step("push"):
        sent = cloud.push(tag, progress=shown.detail)
        shown.detail(f"{tag} in {cloud.name}" if sent else f"{cloud.name} has it already")
    return PushedBento(tag, cloud, sent)


def deploy(
    target: Any,
    *,
    name: str | None = None,
    sample: Any = None,
    mode: str | Mode | None = None,
    min: int | None = None,  # noqa: A002 - the words of the magic and of BentoCloud
    max: int | None = None,  # noqa: A002
    concurrency: int | None = None,
    idle_seconds: int | None = None,
    instance_type: str | None = None,
    envs: Mapping[str, str] | None = None,
    secrets: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    protected: bool | None = None,
    strategy: str | None = None,
    timeout: float | None = None,
    cold_start_timeout: int | None = None,
    endpoints: Sequence[str] | None = None,
    prove: bool = True,
    wait: bool = True,
    cloud: Cloud | None = None,
    progress: Progress | None = None,
) -> Deployment:
    """Deploy an object, a built Bento or a tag; builds, proves and pushes first where that is to be done.

    A deployment of this name that exists already gets the new Bento, and what is said here of its
    configuration; what is not said stays as it is, so a protected one stays protected.

    Args:
        target: A live object (then `name` and `sample` are needed), a `BuiltBento`, a `PushedBento`, or the
            tag of a Bento in the local store or in the cloud.
        name: Name of the deployment; None = that of the Bento.
        sample: See `build`.
        mode: `online` (Online Service: always at least one instance) or `on-demand` (On-Demand Function:
            from zero, requests wait meanwhile); None = online.
        min: Fewest instances; None = 1 online, 0 on demand.
        max: Most instances; None = the larger of 1 and `min`.
        concurrency: Requests that an instance works on at a time; None = no limit online, 8 on demand.
        idle_seconds: Seconds without need after which an instance stops; None = the cloud's default.
        instance_type: See `instance_types()`; None = the cloud's default.
        envs: Environment variables.
        secrets: Names of the cloud's secrets.
        labels: Labels.
        protected: Callers need `Authorization: Bearer <token>`; None = they do not.
        strategy: Rollout strategy: RollingUpdate, Recreate, RampedSlowRollout, BestEffortControlledRollout.
        timeout: Seconds a request may take; None = what the Bento says.
        cold_start_timeout: Seconds a request waits for an instance; None = the cloud's default.
        endpoints: See `build`.
        prove: See `build`.
        wait: Return when it answers requests; False = as soon as the cloud has taken it.
        cloud: Where to; None = the current cloud.
        progress: Where to show the steps; None = a display of its own.

    Returns:
        The deployment.

    Raises:
        InvalidRequestError: A value is wrong; nothing has been changed.
        BuildError, ProofError: See `build`.
        DeploymentError: It did not come up; reason and log are in the error.

    Example:
        >>> dep = deploy(clf, name="iris", sample=X_test[:5], mode="on-demand")  # doctest: +SKIP
    """
    live = not isinstance(target, (str, BuiltBento, PushedBento))
    if live and name is None:
        raise MagicUsageError(
            "a live object needs a name", hint='bj.deploy(clf, name="iris", sample=X_test[:5])'
        )
    fields = {
        "name": name or _name_of(target),
        "mode": mode,
        "min": min,
        "max": max,
        "concurrency": concurrency,
        "idle_seconds": idle_seconds,
        "instance_type": instance_type,
        "envs": envs,
        "secrets": [secrets] if isinstance(secrets, str) else secrets,
        "labels": labels,
        "protected": protected,
        "strategy": strategy,
        "timeout": timeout,
        "cold_start_timeout": cold_start_timeout,
    }
    given = {key: value for key, value in fields.items() if value is not None}
    spec = spec_of(**given)
    steps = [*((BUILD_STEPS if prove else BUILD_STEPS[:1]) if live else []), *DEPLOY_STEPS]
    with _shown(progress, f"Deploying {spec.name}", steps) as shown:
        if spec.instance_type is not None:
            _check_instance_type(_cloud_for(target, cloud), spec)
        if live:
            # The cloud starts and its client is loaded while the Bento is built.
            threading.Thread(target=partial(_warm, cloud), daemon=True).start()
            target = build(spec.name, target, sample=sample, endpoints=endpoints, prove=prove, progress=shown)
        cloud = _cloud_for(target, cloud)
        before = cloud.spec(spec.name)
        if before is not None:
            spec = spec_of(**before.changed_by(given))
        tag, service = _in_cloud(cloud, target, shown)
        spec = spec.model_copy(update={"bento": tag})
        return _rolled_out(cloud, spec, service, shown, is_new=before is None, wait=wait)


def _shown(progress: Progress | None, title: str, steps: list[str]) -> AbstractContextManager[Progress]:
    """The caller's progress as it is, or one of our own for as long as the context lasts."""
    return nullcontext(progress) if progress is not None else Progress(title, steps)


def spec_of(**fields: Any) -> DeploymentSpec:
    """A checked `DeploymentSpec`.

    Raises:
        InvalidRequestError: A field is wrong; the message names it.
    """
    try:
        return DeploymentSpec(**fields)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'deployment'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise InvalidRequestError(said) from error


def _name_of(target: BuiltBento | PushedBento | str) -> str:
    tag = target if isinstance(target, str) else target.tag
    return tag.partition(":")[0].replace("_", "-")


def _warm(cloud: Cloud | None) -> None:
    try:
        (cloud or current()).warm()
    except BentoJupyterError:
        pass  # the same call is made again where its error can be shown


def _cloud_for(target: Any, cloud: Cloud | None) -> Cloud:
    return cloud or (target.cloud if isinstance(target, PushedBento) else current())


def _check_instance_type(cloud: Cloud, spec: DeploymentSpec) -> None:
    known = [item.name for item in cloud.instance_types()]
    if spec.instance_type not in known:
        raise InvalidRequestError(
            f"{cloud.name} has no instance type {spec.instance_type!r}", hint=f"it offers: {', '.join(known)}"
        )


def _in_cloud(cloud: Cloud, target: BuiltBento | PushedBento | str, progress: Progress) -> tuple[str, str]:
    """Tag and entry service of the target in the cloud's registry, pushed there if need be."""
    with progress.step("push"):
        tag = target if isinstance(target, str) else target.tag
        pushed = isinstance(target, PushedBento)
        if not pushed:
            try:
                tag = str(stored(tag).tag)
            except NotFoundError:
                pass  # not in the local store: it may be in the cloud's
            else:
                pushed = True
                cloud.push(tag, progress=progress.detail)
        try:
            found = cloud.bento(tag)
        except NotFoundError as error:
            if pushed:
                raise
            raise NotFoundError(
                f"neither the local store nor {cloud.name} has a Bento {tag}",
                hint="%bento_list bentos shows those there are",
                status_code=404,
            ) from error
        progress.detail(f"{found['tag']} in {cloud.name}")
    return found["tag"], found["service"]


def _rolled_out(
    cloud: Cloud, spec: DeploymentSpec, service: str, progress: Progress, *, is_new: bool, wait: bool
) -> Deployment:
    dep = Deployment(cloud, spec.name)
    building = {Status.IMAGE_BUILDING, Status.NON_DEPLOYED, Status.UNKNOWN}
    progress.goes_on = f"{spec.name} goes on in the cloud; %bento_delete {spec.name} takes it back"
    with progress.step("image"):
        if is_new:
            cloud.create(spec, service)
        else:
            if dep.status().status is Status.TERMINATED:
                cloud.start(spec.name)
            cloud.update(spec, service)
        if wait:
            dep.wait_past(building, progress=lambda view: progress.detail(_image_words(view)))
    with progress.step("deploy"):
        if wait:
            dep.wait(progress=lambda view: progress.detail(_deploy_words(view)))
        else:
            progress.detail("goes on in the cloud")
    return dep


def _image_words(view: DeploymentView) -> str:
    if view.image is None:
        return view.reason or view.status.value
    return "there already" if view.image.cached else (view.image.reason or view.image.status)


def _deploy_words(view: DeploymentView) -> str:
    words = view.status.value
    if view.status is Status.DEPLOYING and view.reason:
        words += f": {view.reason}"
    return f"{words}, {view.url}" if view.url else words


# --- see -----------------------------------------------------------------------------------------


def deployment(name: str, *, cloud: Cloud | None = None) -> Deployment:
    """The deployment called `name`.

    Raises:
        NotFoundError: There is none; the hint has the names that are close.
    """
    cloud = cloud or current()
    try:
        cloud.view(name)
    except NotFoundError as error:
        from difflib import get_close_matches

        names = [view.name for view in cloud.deployments()]
        close = get_close_matches(str(name), names)
        known = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(names) or 'none'}"
        raise NotFoundError(
            f"{cloud.name} has no deployment {name!r}", hint=known, status_code=404
        ) from error
    return Deployment(cloud, name)


def deployments(*, cloud: Cloud | None = None) -> Any:
    """All deployments of a cloud, as a table.

    Args:
        cloud: Which; None = the current one.
    """
    from .display.cards import deployments_table

    return deployments_table((cloud or current()).deployments())


def bentos(*, cloud: Cloud | None = None) -> list[dict[str, Any]]:
    """Bentos in a cloud's registry, newest first."""
    return (cloud or current()).bentos()


def models(*, cloud: Cloud | None = None) -> list[dict[str, Any]]:
    """Models in a cloud's registry, newest first."""
    return (cloud or current()).models()


def instance_types(*, cloud: Cloud | None = None) -> list[InstanceType]:
    """Sizes of instances that a cloud offers."""
    return (cloud or current()).instance_types()
