"""Sends the cases of a proof to a running Bento, in each way that its callers have."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bento_jupyter.client.endpoint import Endpoints
from bento_jupyter.codec import CodecError, Descriptor, decode, decode_answer, descriptor_from_schema
from bento_jupyter.errors import CallError, ProofError

if TYPE_CHECKING:
    import httpx

__all__ = ["ARROW", "JSON", "TASK", "Exchange", "Outcome", "encoded_rows"]

#: The ways: a JSON body as curl sends it; our client, which sends tables as Arrow, and submits tasks.
JSON, ARROW, TASK = "JSON", "Arrow", "task"
#: Statuses that refuse a caller, not the values sent.
OTHER_REFUSALS = frozenset({401, 403, 404, 405, 408, 413, 429})


@dataclass(frozen=True)
class Outcome:
    """What became of a request.

    Attributes:
        status: HTTP status; 0 when the answer broke off.
        value: The decoded answer, when there was one.
        said: What the service said instead of an answer, in one line.
    """

    status: int
    value: Any = None
    said: str = ""

    @property
    def answered(self) -> bool:
        """True when there is a value."""
        return self.status == 200 and not self.said

    @property
    def refused(self) -> bool:
        """True when the service said that the values are the caller's mistake."""
        return 400 <= self.status < 500 and self.status not in OTHER_REFUSALS

    @property
    def failed(self) -> bool:
        """True when the service itself is at fault."""
        return self.status >= 500 or not self.status


class Exchange:
    """The endpoints of a running Bento.

    Args:
        client: HTTP client with the Bento's base URL.
        types: What goes in and out of each endpoint: `endpoints.json`.
        token: For `Authorization: Bearer`; None = none is sent.
    """

    def __init__(self, client: httpx.Client, types: Mapping[str, Any], token: str | None = None) -> None:
        self._client = client
        self._types = types
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._token = token

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The service's schema, as it publishes it.

        Raises:
            ProofError: It does not answer.
        """
        response = self._client.get("/schema.json", headers=self._headers)
        if response.status_code != 200:
            hints = {401: "this deployment is protected: give a token"}
            raise ProofError(
                f"{self._client.base_url} answered {response.status_code} to /schema.json: {said(response)}",
                hint=hints.get(response.status_code, ""),
            )
        schema: dict[str, Any] = response.json()
        return schema

    @cached_property
    def routes(self) -> dict[str, dict[str, Any]]:
        """The published schema of each endpoint."""
        return {route["name"]: route for route in self.schema["routes"]}

    @cached_property
    def _endpoints(self) -> Endpoints:
        """What remote callers use."""
        return Endpoints(str(self._client.base_url), self._token, self.schema, client=self._client)

    def ways(self, name: str) -> list[str]:
        """The ways to ask an endpoint."""
        types = self._types[name]
        if types.get("task"):
            return [JSON, TASK]
        return [JSON, ARROW] if not types.get("stream") and self._endpoints.takes_arrow(name) else [JSON]

    def promised(self, name: str) -> tuple[dict[str, Descriptor], Descriptor]:
        """Descriptors of an endpoint's inputs and answer, as the service publishes them."""
        route = self.routes[name]
        fields = route.get("input", {}).get("properties", {})
        return (
            {key: descriptor_from_schema(field) for key, field in fields.items()},
            descriptor_from_schema(route.get("output", {})),
        )

    def ask(self, name: str, inputs: Mapping[str, Any], way: str = JSON) -> Outcome:
        """Send inputs, encoded as they are in `cases.json`.

        Args:
            name: The endpoint.
            inputs: JSON by parameter.
            way: See `ways`.

        Raises:
            httpx.TransportError: There was no answer.
        """
        route = self.routes[name]
        if way != JSON:
            return self._by_client(name, inputs)
        if any(is_file(field) for field in route.get("input", {}).get("properties", {}).values()):
            return self._by_client(name, inputs)
        body = next(iter(inputs.values())) if route["input"].get("root_input") else dict(inputs)
        return self._outcome(name, self._client.post(route["route"], json=body, headers=self._headers))

    def _by_client(self, name: str, inputs: Mapping[str, Any]) -> Outcome:
        """Live values, as a remote caller has them, through the client that remote callers have."""
        import httpx

        known = self._types[name].get("inputs") or {}
        values = {key: decode(value, known.get(key) or {"kind": "json"}) for key, value in inputs.items()}
        try:
            if self.routes[name]["input"].get("root_input"):
                return Outcome(200, self._endpoints.call(name, *values.values()).value)
            return Outcome(200, self._endpoints.call(name, **values).value)
        except CallError as error:
            if isinstance(error.__cause__, httpx.TransportError):
                raise error.__cause__ from error
            # Without a status it is the client that found that the inputs do not fit.
            return Outcome(error.status_code or 400, said=error.message)

    def _outcome(self, name: str, response: httpx.Response) -> Outcome:
        if response.status_code != 200:
            return Outcome(response.status_code, said=said(response))
        try:
            return Outcome(200, self._decoded(name, response))
        except (CodecError, ValueError) as error:
            return Outcome(200, said=f"the answer is not what the schema promises: {error}")

    def _decoded(self, name: str, response: httpx.Response) -> Any:
        stream = self._types[name].get("stream")
        # Of a stream the schema says how its parts are sent, not what they are.
        descriptor = self._types[name].get("output") if stream else self.promised(name)[1]
        if stream:
            return stream_value(response.content, stream, descriptor or {"kind": "json"})
        assert descriptor is not None
        kind = response.headers.get("content-type", "").partition(";")[0]
        if kind == "application/json":
            return decode_answer(response.json(), descriptor)
        if descriptor["kind"] in ("bytes", "image"):
            return decode(base64.b64encode(response.content).decode("ascii"), descriptor)
        return response.text if kind.startswith("text/") else response.content


def stream_value(content: bytes, stream: str, descriptor: Descriptor) -> Any:
    """What a stream comes to: all its text or bytes, which have no seams; else the list of its parts."""
    if stream == "text":
        return content.decode("utf-8")
    if stream == "bytes":
        return content
    parts, rest = [], content.decode("utf-8").strip()
    while rest:
        part, end = json.JSONDecoder().raw_decode(rest)
        parts.append(decode_answer(part, descriptor))
        rest = rest[end:].strip()
    return parts


def is_file(schema: Mapping[str, Any]) -> bool:
    """Is a parameter sent as a file, not as JSON?"""
    return schema.get("type") == "file" or schema.get("items", {}).get("type") == "file"


def said(response: httpx.Response) -> str:
    """What a service says in an error, in one line."""
    try:
        detail = response.json()
    except ValueError:
        detail = response.text
    if isinstance(detail, list) and detail:
        detail = detail[0]
    if isinstance(detail, dict):
        places = detail.get("detail")
        if isinstance(places, list):
            words = (f"{'.'.join(map(str, at.get('loc', ())))}: {at.get('msg')}" for at in places)
            detail = "; ".join(words)
        else:
            detail = detail.get("error") or detail.get("message") or str(detail)
    return next(iter(str(detail).splitlines()), "")[:500]


def encoded_rows(value: Any, descriptor: Mapping[str, Any] | None) -> int:
    """Rows of an encoded input; 0 when it is no table."""
    tables = ("array", "frame", "series", "records")
    if not descriptor or descriptor.get("kind") not in tables:
        return 0
    listed = value.get("data") if isinstance(value, dict) else value  # with row labels beside it
    return len(listed) if isinstance(listed, list) else 0
