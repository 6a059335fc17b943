"""Push and deploy: from a Bento of the local store, or a live object, to a deployment that answers."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ..client.changing import (
    completed,
    expiry_label,
    read_services,
    refuse_embedded_only,
    same,
    send,
    spec_of,
)
from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..client.local import content_digest, stored
from ..client.session import chosen, pinned
from ..display.progress import Progress
from ..errors import BentoJupyterError, InvalidRequestError, MagicUsageError, NotFoundError
from ..service_spec import Canary, ServiceSpec
from ..spec import EXPIRES_LABEL, OWNER_LABEL, DeploymentSpec, Mode, Status
from ..views import DeploymentView
from .artifacts import BuiltBento, PushedBento
from .building import build
from .configuration import read_config
from .dryrun import DeployPlan, deploy_plan
from .owner import owner
from .steps import BUILD_STEPS, DEPLOY_STEPS, shown_by

__all__ = ["deploy", "push", "spec_of"]


def push(
    bento: BuiltBento | str, *, cloud: Cloud | str | None = None, progress: Progress | None = None
) -> PushedBento:
    """Send a Bento of the local store to a cloud, with its models.

    Args:
        bento: A built Bento or its tag.
        cloud: Where to: a cloud or the name of its context; None = the current one.
        progress: Where to show the step `push`; None = a display of its own.

    Raises:
        NotFoundError: The local store has no such Bento.
        CloudError: The cloud did not take it.
    """
    cloud = chosen(cloud)
    tag = bento.tag if isinstance(bento, BuiltBento) else str(stored(bento).tag)
    with shown_by(progress, f"Pushing {tag}", ["push"]) as shown, shown.step("push"):
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
    scale_up_seconds: int | None = None,
    queue: int | None = None,
    retries: bool | None = None,
    image: Literal["oci"] | None = None,
    services: Mapping[str, ServiceSpec | Mapping[str, Any]] | None = None,
    canary: Canary | Mapping[str, Any] | None = None,
    config: str | Path | Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    reset: Sequence[str] = (),
    expires: str | None = None,
    endpoints: Sequence[str] | None = None,
    prove: bool = True,
    allow_different: bool = False,
    dry_run: bool = False,
    wait: bool = True,
    cloud: Cloud | str | None = None,
    progress: Progress | None = None,
) -> Deployment | DeployPlan:
    """Deploy an object, a built Bento or a tag; builds, proves and pushes first where that is to be done.

    A deployment of this name that exists already gets the new Bento, and what is said here of its
    configuration; what is not said stays as it is, so a protected one stays protected. Where nothing differs
    nothing is done.

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
        scale_up_seconds: Seconds for which more instances must be wanted before they are started.
        queue: Requests that may wait, 429 above. Embedded cloud only.
        retries: A request whose instance is lost goes to another one. Embedded cloud only.
        image: `oci` = its instances run in containers, from an OCI image of the Bento; None = as the Bento
            needs. Embedded cloud only.
        services: Settings of single services of the Bento, by name: fields of `ServiceSpec`.
        canary: Versions beside the main one: fields of `Canary`; `{}` = none any more.
        config: A deployment file, as `bentoml deploy -f` takes it, or its content; what is said here wins.
        defaults: Fields for a deployment that is new, where neither this call nor the file says them.
        reset: Fields to be as if nobody had said them, of a deployment that exists.
        expires: When it ends by itself: `30m`, `2h`, `1d` or an ISO time; `never`. Embedded cloud only.
        endpoints: See `build`.
        prove: See `build`.
        allow_different: See `build`.
        dry_run: Only say what would be sent and what that would change; nothing is built, pushed or changed.
        wait: Return when it answers requests; False = as soon as the cloud has taken it.
        cloud: Where to: a cloud or the name of its context; None = the current one.
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
    cloud = target.cloud if cloud is None and isinstance(target, PushedBento) else pinned(cloud)
    given = read_config(config)
    target = given.pop("bento", None) if target is None else target
    if target is None:
        raise MagicUsageError(
            "nothing to deploy", hint="name an object or a Bento, or say `bento` in the config"
        )
    live = not isinstance(target, (str, BuiltBento, PushedBento))
    name = name or given.get("name")
    if live and name is None:
        raise MagicUsageError(
            "a live object needs a name", hint='bj.deploy(clf, name="iris", sample=X_test[:5])'
        )
    said = {
        "name": name or _name_of(target),
        "mode": mode,
        "min": min,
        "max": max,
        "concurrency": concurrency,
        "idle_seconds": idle_seconds,
        "scale_up_seconds": scale_up_seconds,
        "instance_type": instance_type,
        "envs": envs,
        "secrets": [secrets] if isinstance(secrets, str) else secrets,
        "labels": labels,
        "protected": protected,
        "strategy": strategy,
        "timeout": timeout,
        "cold_start_timeout": cold_start_timeout,
        "queue": queue,
        "retries": retries,
        "image": image,
        "canary": canary,
    }
    in_file = given.pop("services", {})
    unknown = [field for field in reset if field not in said or field == "name"]
    if unknown:
        known = ", ".join(field for field in said if field != "name")
        raise InvalidRequestError(f"reset: there is no field {unknown[0]!r}", hint=f"one of {known}")
    given |= {key: DeploymentSpec.default_of(key) for key in reset}
    given |= {key: value for key, value in said.items() if value is not None}
    given["services"] = _over(in_file, read_services(services))
    if expires not in (None, "never"):
        given["labels"] = {**(given.get("labels") or {}), EXPIRES_LABEL: expiry_label(str(expires))}
    spec = completed(None, given, "", "")
    if dry_run:
        return _foreseen(chosen(cloud), target, spec.name, given, defaults=defaults or {}, expires=expires)
    steps = [*((BUILD_STEPS if prove else BUILD_STEPS[:1]) if live else []), *DEPLOY_STEPS]
    with shown_by(progress, f"Deploying {spec.name}", steps) as shown:
        if spec.instance_type is not None:
            _check_instance_type(chosen(cloud), spec)
        if spec.embedded_only:
            refuse_embedded_only(chosen(cloud), spec)
        if live:
            # The cloud starts and its client is loaded while the Bento is built.
            threading.Thread(target=partial(_warm, cloud), daemon=True).start()
            target = build(
                spec.name,
                target,
                sample=sample,
                endpoints=endpoints,
                prove=prove,
                allow_different=allow_different,
                progress=shown,
            )
        cloud = chosen(cloud)
        before = cloud.spec(spec.name)
        if before is None:
            given = {**(defaults or {}), **given}
        if before is not None and isinstance(target, BuiltBento):
            target = _same_as_deployed(cloud, target, before.bento)
        tag, service = _in_cloud(cloud, target, shown)
        spec = _wanted(cloud, before, given, tag, service, expires=expires)
        return _rolled_out(cloud, spec, service, shown, before=before, wait=wait)


def _over(below: Mapping[str, ServiceSpec], above: Mapping[str, ServiceSpec]) -> dict[str, ServiceSpec]:
    """Settings of services, those of `above` over those of `below`."""
    merged = dict(below)
    for name, each in above.items():
        merged[name] = ServiceSpec(**{**merged.get(name, ServiceSpec()).said(), **each.said()})
    return merged


def _wanted(
    cloud: Cloud,
    before: DeploymentSpec | None,
    given: Mapping[str, Any],
    tag: str,
    service: str,
    *,
    expires: str | None,
) -> DeploymentSpec:
    """What is wanted, whole, with the label that says whose it is."""
    spec = completed(before, given, tag, service)
    labels = {**spec.labels, OWNER_LABEL: owner(short=not cloud.embedded)}
    if expires == "never":
        labels.pop(EXPIRES_LABEL, None)
    return spec.model_copy(update={"labels": labels})


def _foreseen(
    cloud: Cloud,
    target: Any,
    name: str,
    given: Mapping[str, Any],
    *,
    defaults: Mapping[str, Any],
    expires: str | None,
) -> DeployPlan:
    """What `deploy` would send; a live object has no Bento yet, and so no known name of its service."""
    before = cloud.spec(name)
    if before is None:
        given = {**defaults, **given}
    if isinstance(target, (str, BuiltBento, PushedBento)):
        tag, service = _found(cloud, target)
    else:
        tag, service = f"{name}:(to be built)", "(the service)"
        if before is not None:
            found = cloud.bento(before.bento)
            service = found["service"]
    spec = _wanted(cloud, before, given, tag, service, expires=expires)
    refuse_embedded_only(cloud, spec)
    if same(before, spec, service):
        assert before is not None
        spec = before
    return deploy_plan(cloud.name, before, spec, service)


def _found(cloud: Cloud, target: BuiltBento | PushedBento | str) -> tuple[str, str]:
    """Tag and entry service of a Bento in the local store, else in the cloud's registry."""
    tag = target if isinstance(target, str) else target.tag
    try:
        bento = stored(tag)
    except NotFoundError:
        found = cloud.bento(tag)
        return found["tag"], found["service"]
    return str(bento.tag), str(bento.info.entry_service)


def _same_as_deployed(cloud: Cloud, built: BuiltBento, deployed: str) -> BuiltBento | PushedBento:
    """The Bento that is deployed, where what was built holds the same files and models; else `built`."""
    try:
        present = stored(deployed)
    except NotFoundError:  # deployed from elsewhere: it cannot be compared
        return built
    if content_digest(stored(built.tag)) != content_digest(present):
        return built
    return PushedBento(deployed, cloud, sent=False)


def _name_of(target: BuiltBento | PushedBento | str) -> str:
    tag = target if isinstance(target, str) else target.tag
    return tag.partition(":")[0].replace("_", "-")


def _warm(cloud: Cloud | str) -> None:
    try:
        chosen(cloud).warm()
    except BentoJupyterError:
        pass  # the same call is made again where its error can be shown


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
    cloud: Cloud,
    spec: DeploymentSpec,
    service: str,
    progress: Progress,
    *,
    before: DeploymentSpec | None,
    wait: bool,
) -> Deployment:
    dep = Deployment(cloud, spec.name)
    building = {Status.IMAGE_BUILDING, Status.NON_DEPLOYED, Status.UNKNOWN}
    with progress.step("image"):
        changed = send(cloud, spec, service, before)
        undo = "%bento_terminate" if before is None else "%bento_rollback"
        progress.goes_on = f"{spec.name} goes on in {cloud.name}; {undo} {spec.name} takes that back"
        if not changed:
            progress.detail("unchanged: same Bento, same configuration")
        elif wait:
            dep.wait_past(building, progress=lambda view: progress.detail(_image_words(view)))
    with progress.step("deploy"):
        if wait:
            dep.wait(progress=lambda view: progress.detail(_deploy_words(view)))
        else:
            progress.detail("goes on in the cloud" if changed else "nothing to do")
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
