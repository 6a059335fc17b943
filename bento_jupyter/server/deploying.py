"""The Deploy dialog: a form that is made from `DeploymentSpec`, what it would do, and doing it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..client.changing import completed
from ..client.wire import read_spec
from ..errors import BentoJupyterError, ConflictError, InvalidRequestError, NotFoundError
from ..service_spec import STRATEGIES
from ..spec import OWNER_LABEL, DeploymentSpec, Mode, free_name, masked
from ..spelling import to_line
from ..views import DeploymentView
from .payloads import (
    Difference,
    FieldProblem,
    Form,
    InstanceTypes,
    Packages,
    Plan,
    Refusal,
    SecretNames,
    Wanted,
)

if TYPE_CHECKING:
    from .link import CloudLink

__all__ = [
    "FIELDS",
    "deploy",
    "form_of",
    "form_schema",
    "masked_line",
    "plan_of",
    "problems_of",
    "refusal_of",
]

#: The fields of a `DeploymentSpec` that the dialog has, in its order; the rest stays as it is.
FIELDS = (
    "name",
    "bento",
    "mode",
    "min",
    "max",
    "concurrency",
    "instance_type",
    "envs",
    "secrets",
    "protected",
    "idle_seconds",
    "timeout",
    "cold_start_timeout",
    "queue",
    "strategy",
    "image",
)


async def form_of(link: CloudLink, name: str, bento: str) -> Form:
    """The form of a new deployment, or of one that is to be updated.

    Args:
        link: The connection to the cloud.
        name: The deployment; "" = a new one.
        bento: The Bento that is chosen at first; "" = the newest, or the one that the deployment runs.

    Raises:
        CloudError: The cloud does not know the deployment, or does not answer.
    """
    packages, types, secrets, views = await asyncio.gather(
        link.get(Packages, "/bentos"),
        link.get(InstanceTypes, "/instance_types"),
        link.get(SecretNames, "/secrets"),
        link.overview(),
    )
    newest = sorted(packages.items, key=lambda item: item.created_at, reverse=True)
    bentos = [item.tag for item in newest if item.status == "success"]
    if name:
        spec, _ = await _asked(link, name)
        data = {
            key: value
            for key in FIELDS
            if (value := getattr(spec, key)) is not None and value not in ({}, [])
        }
        data["mode"] = spec.mode.value
        data["envs"] = dict.fromkeys(spec.envs)
        data["bento"] = bento or spec.bento
        del data["name"]
        bentos += [tag for tag in (spec.bento,) if tag not in bentos]
    else:
        chosen = bento or next(iter(bentos), "")
        taken = {view.name for view in views.deployments}
        data = {"name": free_name(chosen, taken), "bento": chosen, "mode": Mode.ONLINE.value, "envs": {}}
    schema = form_schema(bentos, [item.name for item in types.items], secrets.items, new=not name)
    return Form(name=name, schema_=schema, data=data)


def form_schema(
    bentos: Sequence[str], types: Sequence[str], secrets: Sequence[str], *, new: bool
) -> dict[str, Any]:
    """The JSON schema of the form: that of `DeploymentSpec`, with what this cloud has to choose from.

    Args:
        bentos: Tags of its Bentos.
        types: Names of its instance types.
        secrets: Names of its secrets.
        new: Whether a name is asked for.
    """
    whole = DeploymentSpec.model_json_schema()
    choices: dict[str, Sequence[str]] = {"bento": bentos, "instance_type": types, "strategy": STRATEGIES}
    properties: dict[str, Any] = {}
    for field in FIELDS:
        if (field == "name" and not new) or (field == "secrets" and not secrets):
            continue
        said = dict(whole["properties"][field])
        # None means "as by default", which a form says by an empty field.
        choice = [one for one in said.pop("anyOf", []) if one.get("type") != "null"]
        said |= next(iter(choice), {})
        if "$ref" in said:
            said = dict(whole["$defs"][said["$ref"].rpartition("/")[2]])
        for word in ("default", "title", "description"):
            said.pop(word, None)
        if "const" in said:
            said["enum"] = [said.pop("const")]
        if choices.get(field):
            said["enum"] = list(choices[field])
        if field == "secrets":
            said |= {"items": {"type": "string", "enum": list(secrets)}, "uniqueItems": True}
        properties[field] = said
    required = [field for field in ("name", "bento", "mode") if field in properties]
    return {"type": "object", "properties": properties, "required": required}


async def plan_of(link: CloudLink, wanted: Wanted) -> Plan:
    """What the dialog would do as it is filled in; what is wrong with it is part of the answer.

    Raises:
        CloudError: The cloud does not know the deployment, or does not answer.
    """
    from ..workspace.dryrun import deploy_plan

    try:
        before, spec, entry = await _resolved(link, wanted)
    except InvalidRequestError as error:
        if problems := problems_of(error):
            return Plan(action="nothing", problems=problems)
        raise
    plan = deploy_plan(link.name, before, spec, entry)
    problems = []
    if before is None and any(view.name == spec.name for view in (await link.overview()).deployments):
        problems.append(FieldProblem(field="name", message=f"there is a deployment {spec.name} already"))
    return Plan(
        action=plan.action,
        line=masked_line(spec, link.context),
        changes=[Difference(field=field, before=old, after=new) for field, old, new in plan.changes],
        problems=problems,
    )


async def deploy(link: CloudLink, wanted: Wanted) -> DeploymentView:
    """Create the deployment, or give it what the dialog says; how it is then.

    Raises:
        InvalidRequestError: A field is wrong, or the cloud refuses a value.
        ConflictError: The name is taken.
        CloudError: The cloud does not answer.
    """
    before, spec, entry = await _resolved(link, wanted)
    body = spec.to_wire(entry)
    if before is None:
        await link.request("POST", "/api/v2/deployments", body=body)
    else:
        body = {key: value for key, value in body.items() if key not in ("name", "dev")}
        await link.request("PUT", f"/api/v2/deployments/{spec.name}", body=body)
    return await link.deployment(spec.name)


def problems_of(error: BentoJupyterError) -> list[FieldProblem]:
    """Which fields an error is about; none when that cannot be said."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        return [
            FieldProblem(
                # A rule about several fields is told at the first of them.
                field=str(item["loc"][0]) if item["loc"] else "min",
                message=item["msg"].removeprefix("Value error, "),
            )
            for item in cause.errors()
        ]
    if isinstance(error, ConflictError):
        return [FieldProblem(field="name", message=error.message)]
    return []


def refusal_of(error: BentoJupyterError) -> Refusal:
    """An error in words, and where in the form it belongs."""
    return Refusal(message=error.message, hint=error.hint, problems=problems_of(error))


def masked_line(spec: DeploymentSpec, context: str = "") -> str:
    """The line of the magic that asks for the same, without the values of variables; "" if no line can.

    Args:
        spec: What is asked for.
        context: Of which cloud; "" = of the embedded one.
    """
    labels = {key: value for key, value in spec.labels.items() if not key.startswith("bento-jupyter.")}
    try:
        return to_line(masked(spec.model_copy(update={"labels": labels})), cloud=context)
    except ValueError:
        return ""


async def _resolved(link: CloudLink, wanted: Wanted) -> tuple[DeploymentSpec | None, DeploymentSpec, str]:
    """What was asked for before, what is wanted now, and the entry service of its Bento."""
    unknown = wanted.fields.keys() - {*FIELDS}
    if unknown:
        raise InvalidRequestError(f"{min(unknown)}: the dialog has no such field", status_code=400)
    before, entry = (await _asked(link, wanted.update)) if wanted.update else (None, "")
    defaults = {"mode": Mode.ONLINE, "envs": {}, "secrets": [], "protected": False}
    given = {field: wanted.fields.get(field, defaults.get(field)) for field in FIELDS}
    tag = str(given.pop("bento") or "")
    given["name"] = wanted.update or given["name"] or ""
    given["envs"] = _variables(given["envs"], before)
    if before is None and wanted.owner:
        given["labels"] = {OWNER_LABEL: wanted.owner}
    if before is None or tag != before.bento:
        entry = await _entry(link, tag)
    return before, completed(before, given, tag, entry), entry


def _variables(given: Any, before: DeploymentSpec | None) -> dict[str, Any]:
    """The variables with their values; those without one keep what they have."""
    if not isinstance(given, Mapping):
        raise InvalidRequestError("envs: an object is wanted", status_code=400)
    known = before.envs if before else {}
    return {key: known.get(key, "") if value is None else value for key, value in given.items()}


async def _asked(link: CloudLink, name: str) -> tuple[DeploymentSpec, str]:
    """What a deployment was asked to be, with the values of its variables, and its entry service."""
    document, view = await asyncio.gather(
        link.request("GET", f"/api/v2/deployments/{name}"), link.deployment(name)
    )
    spec = read_spec(document.json())
    entry = next((part.service for part in view.sets if part.version == "main"), "")
    return spec, entry or await _entry(link, spec.bento)


async def _entry(link: CloudLink, tag: str) -> str:
    """The entry service of a Bento of the registry."""
    name, _, version = tag.partition(":")
    if not (name and version):
        raise InvalidRequestError("choose a Bento", hint="%bento_push brings one here", status_code=400)
    try:
        answer = await link.request("GET", f"/api/v1/bento_repositories/{name}/bentos/{version}")
    except NotFoundError as error:
        raise InvalidRequestError(
            f"the cloud has no Bento {tag}", hint=f"%bento_push {tag}", status_code=400
        ) from error
    manifest = answer.json().get("manifest") or {}
    first: dict[str, Any] = next(iter(manifest.get("services") or []), {})
    return str(manifest.get("entry_service") or first.get("name") or name)
