"""Changing a deployment: what is said is put over what it was asked to be, and sent when that differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from ..errors import ConflictError, InvalidRequestError, NotFoundError
from ..service_spec import HIDDEN, Canary, CanaryVersion, ServiceSpec
from ..spec import EXPIRES_LABEL, FAILED_STATUSES, OWNER_LABEL, DeploymentSpec, Mode, Status, mode_of, utc_now

if TYPE_CHECKING:
    from .cloud import Cloud

__all__ = [
    "completed",
    "expiry_label",
    "promote_canary",
    "read_services",
    "refuse_embedded_only",
    "refused",
    "same",
    "send",
    "spec_of",
    "update",
    "with_canary",
]

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def spec_of(**fields: Any) -> DeploymentSpec:
    """A checked `DeploymentSpec`.

    Raises:
        InvalidRequestError: A field is wrong; the message names it.
    """
    try:
        return DeploymentSpec(**fields)
    except ValidationError as error:
        raise refused(error, "deployment") from error


def read_services(services: Mapping[str, Any] | None) -> dict[str, ServiceSpec]:
    """Settings of services, by name, checked.

    Raises:
        InvalidRequestError: A field is wrong; the message names it.
    """
    try:
        return {
            name: each if isinstance(each, ServiceSpec) else ServiceSpec(**each)
            for name, each in (services or {}).items()
        }
    except ValidationError as error:
        raise refused(error, "service") from error


def refused(error: ValidationError, what: str) -> InvalidRequestError:
    """The error that names each wrong field and what is wrong with it, but not its value.

    Args:
        error: What pydantic found.
        what: What the fields are of.
    """
    said = "; ".join(
        f"{'.'.join(map(str, item['loc'])) or what}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()
    )
    return InvalidRequestError(said, hint="%bento_deploy? explains the options")


def expiry_label(expires: str) -> str:
    """The time that `expires` means, as its label says it: in UTC.

    Args:
        expires: A span from now (`90s`, `30m`, `2h`, `1d`), or an ISO time.

    Raises:
        InvalidRequestError: It is neither, or is over already.
    """
    try:
        if found := _SPAN.fullmatch(expires.strip()):
            at = utc_now() + timedelta(**{_UNITS[found.group(2)]: float(found.group(1))})
        else:
            at = datetime.fromisoformat(expires.strip().replace("Z", "+00:00")).astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(
            f"expires: {expires[:40]!r} is no time", hint="e.g. 30m, 2h, 1d, or 2030-01-31T18:00"
        ) from error
    if at <= utc_now():
        raise InvalidRequestError(f"expires: {expires!r} is over already")
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def completed(
    before: DeploymentSpec | None, given: Mapping[str, Any], tag: str, entry: str
) -> DeploymentSpec:
    """What is wanted, whole: what is `given` over what was asked for before.

    Args:
        before: What the deployment was asked to be; None = there is none yet.
        given: Fields of `DeploymentSpec`. What `services` says of the entry service counts like a field of
            the deployment, unless that is given, too.
        tag: Tag of the Bento.
        entry: Name of its entry service.

    Raises:
        InvalidRequestError: A field is wrong; the message names it.
    """
    _refuse_hidden(given, before)
    fields = {**given, "bento": tag}
    if "mode" in fields and fields["mode"] not in tuple(Mode):
        raise InvalidRequestError(
            f"mode: {fields['mode']!r} is none", hint=f"one of {', '.join(mode.value for mode in Mode)}"
        )
    services = read_services(fields.pop("services", None))
    own = services.pop(entry, ServiceSpec()).said()
    rest = ServiceSpec(envs=own.pop("envs", {}), other=own.pop("other", {}))
    if rest.said():
        services[entry] = rest
    if "min" in own and "min" not in fields:
        if "mode" not in fields:
            fields["mode"] = mode_of(own["min"])
        elif mode_of(own["min"]) is not Mode(fields["mode"]):
            del own["min"]
    fields = {**own, **fields}
    if before is None:
        return spec_of(**{**fields, "services": services})
    if "labels" in fields:
        kept = {key: before.labels[key] for key in (EXPIRES_LABEL, OWNER_LABEL) if key in before.labels}
        fields["labels"] = {**kept, **fields["labels"]}
    merged = dict(before.services)
    for name, each in services.items():
        merged[name] = ServiceSpec(**{**merged.get(name, ServiceSpec()).said(), **each.said()})
    return spec_of(**{**before.changed_by(fields), "services": merged})


def _refuse_hidden(given: Mapping[str, Any], before: DeploymentSpec | None) -> None:
    """Refuse what stands for the value of a variable in code that is shown, unless that is the value."""
    meant = set(_hidden(before))
    for name in _hidden(given):
        if name not in meant:
            raise InvalidRequestError(
                f"environment variable {name}: {HIDDEN!r} stands for a value that is not shown",
                hint="put the value in its place",
            )


def _hidden(value: Any, place: tuple[str, ...] = ()) -> Iterator[str]:
    """Names of the variables without a value; whatever else may be in it is checked later."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _hidden(each, (*place, str(key)))
    elif "envs" in place[:-1] and isinstance(value, str) and value == HIDDEN:
        yield place[-1]


def same(before: DeploymentSpec | None, spec: DeploymentSpec, entry: str) -> bool:
    """Whether `spec` asks for what was asked for before; who asks makes no difference."""
    return before is not None and _asked(before, entry) == _asked(spec, entry)


def _asked(spec: DeploymentSpec, entry: str) -> dict[str, Any]:
    labels = {key: value for key, value in spec.labels.items() if key != OWNER_LABEL}
    return spec.model_copy(update={"labels": labels}).to_wire(entry)


def refuse_embedded_only(cloud: Cloud, spec: DeploymentSpec) -> None:
    """Refuse what this cloud would pass over.

    Raises:
        InvalidRequestError: Something is asked for that only the embedded cloud offers.
    """
    if not cloud.embedded and spec.embedded_only:
        raise InvalidRequestError(
            f"{cloud.name} does not offer {', '.join(spec.embedded_only)}: only the embedded cloud does",
            hint="leave it out, or deploy with --cloud embedded",
        )


def send(cloud: Cloud, spec: DeploymentSpec, entry: str, before: DeploymentSpec | None) -> bool:
    """Ask the cloud for `spec`; False when it was asked for that already and goes by it.

    Raises:
        InvalidRequestError: The cloud does not offer something of it; nothing has been changed.
    """
    refuse_embedded_only(cloud, spec)
    if before is None:
        cloud.create(spec, entry)
        return True
    status = cloud.view(spec.name).status
    if same(before, spec, entry) and status not in FAILED_STATUSES:
        return False
    cloud.update(spec, entry)
    if status is Status.TERMINATED and cloud.view(spec.name).status is Status.TERMINATED:
        cloud.start(spec.name)  # after the update: what runs is what was asked for, or nothing
    return True


def update(cloud: Cloud, name: str, given: Mapping[str, Any], bento: str | None = None) -> bool:
    """Change a deployment; False when it is like that already.

    Args:
        cloud: The cloud it is in.
        name: Its name.
        given: Fields of `DeploymentSpec`; what is not given stays.
        bento: Tag of another Bento that the cloud has.

    Raises:
        NotFoundError: There is no such deployment or Bento.
        ConflictError: It is terminated; changing it would start it.
        InvalidRequestError: A field is wrong; nothing has been changed.
    """
    before = _require(cloud, name)
    if cloud.view(name).status is Status.TERMINATED:
        raise ConflictError(f"{name!r} is terminated", hint=f"%bento_start {name} first, or deploy it anew")
    found = cloud.bento(bento or before.bento)
    return send(cloud, completed(before, given, found["tag"], found["service"]), found["service"], before)


def with_canary(
    cloud: Cloud, name: str, bento: str, *, canary: str, weight: float | None, by: str | None, key: str | None
) -> Canary:
    """The canaries of a deployment with this one more, or with this one changed.

    Args:
        cloud: The cloud it is in.
        name: Name of the deployment.
        bento: Tag of the canary's Bento.
        canary: Name of the canary.
        weight: Percentage of the requests it gets; None = as it is, 10 for a new one.
        by: `random`, `header` or `query`; None = as it is.
        key: Name of that header or parameter.
    """
    present = _require(cloud, name).canary
    known = present.versions.get(canary)
    try:
        fields = known.model_dump() if known else {"weight": 10.0}
        fields |= {"bento": cloud.bento(bento)["tag"]} | ({} if weight is None else {"weight": weight})
        versions = {**present.versions, canary: CanaryVersion(**fields)}
        by, key = (present.by, present.key) if by is None else (by, key)
        return Canary(by=by, key=key, versions=versions)
    except ValidationError as error:
        raise refused(error, "canary") from error


def promote_canary(cloud: Cloud, name: str, canary: str | None) -> bool:
    """Make a canary the main version: its Bento, and what it has of its own; the others stay.

    Raises:
        NotFoundError: There is no such canary.
        ConflictError: There are several, and none is named.
    """
    before = _require(cloud, name)
    versions = dict(before.canary.versions)
    if canary is None and len(versions) > 1:
        raise ConflictError(f"{name!r} has several canaries", hint=f"name one: {', '.join(versions)}")
    chosen = versions.pop(canary or next(iter(versions), ""), None)
    if chosen is None:
        raise NotFoundError(
            f"{name!r} has no canary{f' {canary!r}' if canary else ''}",
            hint=f"it has: {', '.join(versions) or 'none'}",
        )
    given: dict[str, Any] = {"canary": before.canary.model_copy(update={"versions": versions})}
    given |= {key: value for key in ("envs", "secrets") if (value := getattr(chosen, key)) is not None}
    if chosen.services:
        given["services"] = chosen.services
    return update(cloud, name, given, chosen.bento)


def _require(cloud: Cloud, name: str) -> DeploymentSpec:
    spec = cloud.spec(name)
    if spec is None:
        raise NotFoundError(f"{cloud.name} has no deployment {name!r}", hint="%bento_list deployments")
    return spec
