"""What a deployment can be asked, for the playground: read from the schema that it tells itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import httpx

from ..errors import CloudUnreachableError
from ..examples import endpoints_of, example_of
from .payloads import AskedPart, Interface, InterfaceEndpoint

if TYPE_CHECKING:
    from .link import CloudLink

__all__ = ["interface_of", "read_interface"]

_TIMEOUT: Final = httpx.Timeout(30, connect=5)


async def interface_of(link: CloudLink, name: str) -> Interface:
    """The endpoints of a deployment, with an example of each request; wakes no instance.

    Args:
        link: The connection to the cloud.
        name: The deployment.

    Raises:
        CloudError: The cloud does not know the deployment, or that has no address yet.
        CloudUnreachableError: The deployment does not answer.
    """
    view, url, headers = await link.reached(name)
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT, **link.options(url)) as client:
            answer = await client.get(f"{url}/schema.json", headers=headers)
        answer.raise_for_status()
        return read_interface(answer.json())
    except (httpx.HTTPError, ValueError) as error:
        raise CloudUnreachableError(
            f"{name} does not say what it can be asked: {error or type(error).__name__}", hint=view.reason
        ) from error


def read_interface(schema: Mapping[str, Any]) -> Interface:
    """The endpoints in a service's `/schema.json`, `predict` first.

    Args:
        schema: What was answered there.
    """
    routes = {route.get("name"): route for route in schema.get("routes") or []}
    return Interface(
        endpoints=[
            InterfaceEndpoint(
                name=endpoint.name,
                route=endpoint.route + ("/submit" if routes[endpoint.name].get("is_task") else ""),
                example=_indented(endpoint.example),
                parts=list(_parts(routes[endpoint.name].get("input") or {})),
            )
            for endpoint in endpoints_of({"schema": schema})
        ]
    )


def _parts(asked: Mapping[str, Any]) -> Iterator[AskedPart]:
    """The parts of a form, or of a body that is one file; none where JSON is asked for."""
    if asked.get("type") == "file":
        yield AskedPart(name="", file=True)
        return
    fields: Mapping[str, Any] = asked.get("properties") or {}
    if not any(map(_is_file, fields.values())):
        return
    for name, field in fields.items():
        file = _is_file(field)
        example = "" if file else json.dumps(example_of(field, asked.get("$defs")))
        yield AskedPart(name=name, file=file, many=file and field.get("type") == "array", example=example)


def _is_file(field: Mapping[str, Any]) -> bool:
    return "file" in (field.get("type"), (field.get("items") or {}).get("type"))


def _indented(example: str) -> str:
    """An example as one edits it; long rows of numbers stay as they are."""
    if not example:
        return ""
    value = json.loads(example)
    if not isinstance(value, dict):
        return example
    rows = [f"  {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items()]
    return "{\n" + ",\n".join(rows) + "\n}" if rows else "{}"
