"""One cloud, embedded or BentoCloud: registry and deployments through the real `bentoml` client.

What BentoCloud's API has no call for (reasons, instances, logs, metrics, revisions, the change feed) is
asked of `/api/bj/v1`, which only the embedded cloud has; there the views are complete, elsewhere they hold
what the wire says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import (
    CloudError,
    CloudUnreachableError,
    ConflictError,
    NotFoundError,
    NotLoggedInError,
)
from ..home import Home
from ..insight import MetricsView, RevisionView
from ..views import DeploymentView, Event, ImageView, InstanceType, InstanceView, LogLine, PushStep
from .local import stored
from .refusals import cloud_refusal
from .spinner import quiet_spinner
from .wire import read_bytes, read_cpus, read_spec, read_view

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from ..insight import GarbageView
    from ..spec import DeploymentSpec

__all__ = ["Cloud"]

#: Seconds for one call of the control plane; the client's own default.
TIMEOUT = 60
#: Items of a list that are asked for at a time.
PAGE = 100


class Cloud:
    """A control plane one is logged in to.

    Args:
        name: What to call it in messages, e.g. the context's name.
        endpoint: Base URL of the control plane.
        token: API token; never shown.
        embedded: True for the embedded cloud.

    Example:
        >>> import bento_jupyter as bj
        >>> bj.connect().deployments()  # doctest: +SKIP
        []
    """

    def __init__(self, name: str, endpoint: str, token: str, *, embedded: bool = False) -> None:
        self.name = name
        self.endpoint = endpoint.rstrip("/")
        self.embedded = embedded
        self._token = token

    def __repr__(self) -> str:
        kind = "embedded cloud" if self.embedded else "cloud"
        return f"<{kind} {self.name!r} at {self.endpoint}>"

    @property
    def token(self) -> str:
        """The token that this cloud's protected endpoints take in `Authorization: Bearer`."""
        return self._token

    # --- transport ---------------------------------------------------------------------------

    @cached_property
    def rest(self) -> Any:
        """The `bentoml` client's `RestApiClient` for this cloud."""
        import httpx
        from bentoml._internal.cloud.client import RestApiClient

        client = RestApiClient(self.endpoint, self._token, timeout=TIMEOUT)
        verify = Home.default().trust(self.endpoint)
        if verify is not True or urlsplit(self.endpoint).hostname in ("127.0.0.1", "localhost", "::1"):
            # httpx would send even loopback requests through HTTP_PROXY.
            direct = httpx.Client(
                base_url=self.endpoint,
                timeout=TIMEOUT,
                headers=client.session.headers,
                trust_env=False,
                verify=verify,
            )
            client.session.close()
            client.session = client.v1.session = client.v2.session = direct
        return client

    def warm(self) -> None:
        """Load the `bentoml` client's modules, about half a second, before they are needed."""
        import bentoml._internal.cloud.bento
        import bentoml._internal.cloud.schemas.schemasv2  # noqa: F401

        _ = self.rest

    @property
    def _http(self) -> httpx.Client:
        session: httpx.Client = self.rest.session
        return session

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Translate what the client raises into our tree; `what` names the thing that was asked for."""
        import httpx
        from bentoml.exceptions import BentoMLException, CloudRESTApiClientError, NotFound

        try:
            yield
        except NotFound as error:
            raise NotFoundError(
                f"{self.name} has no {what}", hint="%bento_list shows what there is", status_code=404
            ) from error
        except CloudRESTApiClientError as error:
            raise cloud_refusal(self.name, what, int(error.error_code), str(error)) from error
        except httpx.TransportError as error:
            hint = "%bento_cloud start" if self.embedded else "is the address right, is there a network?"
            raise CloudUnreachableError(
                f"{self.name} does not answer at {self.endpoint}", hint=hint
            ) from error
        except BentoMLException as error:
            raise CloudError(f"{what}: {error}") from error

    def _get(self, path: str, what: str, **params: Any) -> Any:
        """GET of one of our own additions."""
        with self._errors(what):
            response = self._http.get(f"/api/bj/v1{path}", params=params)
            if response.status_code != 200:
                raise cloud_refusal(self.name, what, response.status_code, response.text)
            return response.json()

    def ping(self) -> str:
        """Check endpoint and token; returns who one is logged in as.

        Raises:
            NotLoggedInError: The token is not accepted.
            CloudUnreachableError: Nobody answers.
        """
        with self._errors("user"):
            user = self.rest.v1.get_current_user()
        if user is None:
            raise NotLoggedInError(f"{self.name} does not know this token", hint="%bento_login ENDPOINT")
        return str(user.email or user.name)

    # --- registry ----------------------------------------------------------------------------

    def push(self, tag: str, *, progress: Callable[[str], None] | None = None) -> bool:
        """Push a Bento of the local store, with its models.

        Args:
            tag: Tag `name:version` or `name` (newest).
            progress: Called with a line for each step of the client.

        Returns:
            False when the cloud had it already.

        Raises:
            NotFoundError: The local store has no such Bento.
            CloudError: The cloud did not take it.
        """
        from bentoml._internal.cloud.bento import BentoAPI

        bento = stored(tag)
        if self._has(bento.tag):
            return False
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                with self._errors(f"Bento {tag}"):
                    if not self._hand_over(bento, progress):
                        BentoAPI(self.rest, quiet_spinner(progress)).push(bento)
            except ConflictError:  # somebody else pushes the same just now
                time.sleep(0.2)
                if self._has(bento.tag):
                    return False
                if time.monotonic() > deadline:
                    raise
            else:
                return True

    def _hand_over(self, bento: Any, progress: Callable[[str], None] | None) -> bool:
        """Push to the cloud of this machine by naming the folder; False when the bytes must be sent."""
        if not self.embedded:
            return False
        from .handover import HandoverRefused, hand_over

        try:
            hand_over(bento, self.rest, self._http, progress or (lambda _line: None))
        except HandoverRefused:
            return False
        return True

    def _has(self, tag: Any) -> bool:
        with self._errors(f"Bento {tag}"):
            known = self.rest.v1.get_bento(tag.name, tag.version)
        return known is not None and known.upload_status == "success"

    def bento(self, tag: str) -> dict[str, Any]:
        """Name, version and manifest of a Bento in the cloud's registry.

        Args:
            tag: `name:version`, or `name` / `name:latest` for the newest.

        Raises:
            NotFoundError: The cloud has no such Bento.
        """
        name, _, version = tag.partition(":")
        with self._errors(f"Bento {tag}"):
            if version in ("", "latest"):
                found = self.rest.v1.list_bentos(name)
                item = found.items[0] if found is not None and found.items else None
            else:
                item = self.rest.v1.get_bento(name, version)
        if item is None or item.upload_status != "success":
            raise NotFoundError(
                f"{self.name} has no Bento {tag}", hint="%bento_push TAG sends one of the local store"
            )
        manifest = item.manifest
        entry = manifest.entry_service if manifest else ""
        if not entry and manifest and manifest.services:
            entry = manifest.services[0].name
        return {
            "tag": f"{name}:{item.version}",
            "service": entry or name,
            "schema": dict(manifest.schema) if manifest else {},
        }

    def bentos(self) -> list[dict[str, Any]]:
        """Bentos in the cloud's registry: tag, size in bytes, when pushed and when built; newest first."""
        from bentoml._internal.cloud.schemas.schemasv1 import BentoWithRepositoryListSchema

        return self._listed("Bentos", "/api/v1/bentos", BentoWithRepositoryListSchema)

    def models(self) -> list[dict[str, Any]]:
        """Models in the cloud's registry: tag, size in bytes, when they were pushed; newest first."""
        from bentoml._internal.cloud.schemas.schemasv1 import ModelWithRepositoryListSchema

        return self._listed("models", "/api/v1/models", ModelWithRepositoryListSchema)

    def _listed(self, what: str, path: str, kind: type[Any]) -> list[dict[str, Any]]:
        """All of a list that comes in pages; the client's own calls take the first for the whole."""
        from bentoml._internal.cloud.schemas.utils import schema_from_object

        items: list[Any] = []
        while True:
            with self._errors(what):
                response = self._http.get(path, params={"start": len(items), "count": PAGE})
                self.rest.v1._check_resp(response)
                page = schema_from_object(response.json(), kind)
            items += page.items
            if not page.items or len(items) >= page.total:
                break
        return [
            {
                "tag": f"{item.repository.name}:{item.version}",
                "size": item.manifest.size_bytes if item.manifest else None,
                "created_at": item.created_at,
                "built_at": item.build_at,
            }
            for item in items
        ]

    def instance_types(self) -> list[InstanceType]:
        """Sizes of instances that the cloud offers."""
        with self._errors("instance types"):
            found = self.rest.v2.list_instance_types()
        types = []
        for item in found:
            requests = item.config.resources.requests
            types.append(
                InstanceType(
                    name=item.name,
                    description=item.description,
                    cpu=read_cpus(requests.cpu if requests else None),
                    memory_bytes=read_bytes(requests.memory if requests else None),
                    gpu=int((requests.gpu if requests else None) or 0),
                    price=str(item.config.price or ""),
                )
            )
        return types

    # --- deployments -------------------------------------------------------------------------

    def deployments(self) -> list[DeploymentView]:
        """All deployments, newest first."""
        if self.embedded:
            body = self._get("/deployments", "deployments")
            return [DeploymentView.model_validate(item) for item in body["deployments"]]
        with self._errors("deployments"):
            total = self.rest.v2.list_deployment(all=True).total
            found = self.rest.v2.list_deployment(all=True, count=total)
            return [self.view(item.name) for item in found.items]

    def view(self, name: str) -> DeploymentView:
        """A deployment as it is now.

        Raises:
            NotFoundError: There is no deployment of this name.
        """
        if self.embedded:
            return DeploymentView.model_validate(self._get(f"/deployments/{name}", f"deployment {name!r}"))
        document = self._document(name)
        if document is None:
            raise NotFoundError(
                f"{self.name} has no deployment {name!r}",
                hint="%bento_list shows what there is",
                status_code=404,
            )
        return read_view(document)

    def spec(self, name: str) -> DeploymentSpec | None:
        """What a deployment was asked to be; None when there is none of this name."""
        document = self._document(name)
        return None if document is None else read_spec(document)

    def _document(self, name: str) -> dict[str, Any] | None:
        """A deployment as the wire says it: the client's schemas would drop what they do not know."""
        with self._errors(f"deployment {name!r}"):
            response = self._http.get(f"/api/v2/deployments/{name}")
            if self.rest.v2._is_not_found(response):
                return None
            self.rest.v2._check_resp(response)
            document: dict[str, Any] = response.json()
            return document

    def create(self, spec: DeploymentSpec, service: str) -> None:
        """Create a deployment.

        Args:
            spec: What is wanted; `spec.bento` is a tag that the cloud has.
            service: Name of the Bento's entry service.

        Raises:
            ConflictError: The name is taken.
            InvalidRequestError: The cloud refuses a value.
        """
        # The client's schemas would drop what they do not know.
        with self._errors(f"deployment {spec.name!r}"):
            self.rest.v2._check_resp(self._http.post("/api/v2/deployments", json=spec.to_wire(service)))

    def update(self, spec: DeploymentSpec, service: str) -> None:
        """Replace the configuration of an existing deployment: a new revision.

        Args:
            spec: What is wanted now, whole.
            service: Name of the Bento's entry service.
        """
        body = {key: value for key, value in spec.to_wire(service).items() if key not in ("name", "dev")}
        with self._errors(f"deployment {spec.name!r}"):
            self.rest.v2._check_resp(self._http.put(f"/api/v2/deployments/{spec.name}", json=body))

    def terminate(self, name: str) -> None:
        """Stop a deployment; its revisions and its address are kept, `start` brings it back."""
        with self._errors(f"deployment {name!r}"):
            self.rest.v2.terminate_deployment(name)

    def start(self, name: str) -> None:
        """Start a terminated deployment again.

        The client's own `deployment start` never reaches a server (its `verify()` fails first), so the
        call it means to make is made here.
        """
        with self._errors(f"deployment {name!r}"):
            self.rest.v2.void_update_deployment(name, None)

    def delete(self, name: str) -> None:
        """Delete a deployment with its revisions, logs and address."""
        with self._errors(f"deployment {name!r}"):
            self.rest.v2.delete_deployment(name)

    # --- seeing ------------------------------------------------------------------------------

    def logs(
        self,
        name: str,
        *,
        lines: int = 100,
        source: str = "",
        q: str = "",
        regex: bool = False,
        since: datetime | None = None,
    ) -> list[LogLine]:
        """Last lines of a deployment's logs, oldest first.

        Args:
            name: Name of the deployment.
            lines: How many.
            source: Instance id or `image`; "" = all.
            q: Only lines that hold this text, whatever the case; "" = all.
            regex: `q` is a regular expression (of RE2).
            since: Only lines from then on, with zone.

        Raises:
            InvalidRequestError: `q` is no regular expression.
        """
        params = _log_params(source, q, regex=regex, since=since)
        body = self._ours(name, "logs", lines=lines, **params)
        return [LogLine.model_validate(item) for item in body["lines"]]

    def instances(self, name: str) -> list[InstanceView]:
        """Instances of a deployment with state, age, memory and CPU, newest last."""
        return [InstanceView.model_validate(item) for item in self._ours(name, "instances")["instances"]]

    def metrics(self, name: str, *, step: int = 1) -> MetricsView:
        """How a deployment has met its requests.

        Args:
            name: Name of the deployment.
            step: Seconds per point: 1 (the last 15 minutes) or 60 (the last day).
        """
        return MetricsView.model_validate(self._ours(name, "metrics", step=step))

    def revisions(self, name: str) -> list[RevisionView]:
        """Revisions of a deployment with what changed, newest first."""
        return [RevisionView.model_validate(item) for item in self._ours(name, "revisions")["revisions"]]

    def deployment_events(self, name: str, *, count: int = 100) -> list[Event]:
        """What happened to a deployment, newest first."""
        return [Event.model_validate(item) for item in self._ours(name, "events", count=count)["events"]]

    def rollback(self, name: str, revision: int) -> DeploymentView:
        """Make a new revision that asks for what an earlier one asked for.

        Raises:
            NotFoundError: There is no such deployment or revision.
            ConflictError: That revision is the active one.
        """
        return self._act(name, "rollback", {"revision": revision})

    def restart(self, name: str) -> DeploymentView:
        """Replace all instances by new ones; the old ones answer until the new ones are ready."""
        return self._act(name, "restart")

    def images(self) -> list[ImageView]:
        """The environments that Bentos run in, newest first."""
        self._needs_embedded("images")
        return [ImageView.model_validate(item) for item in self._get("/images", "images")["images"]]

    def push_image(self, name: str, destination: str) -> Iterator[PushStep]:
        """Have the OCI image of a deployment's Bento sent to a registry; gives what happens, as it does.

        Args:
            name: Name of the deployment.
            destination: `REGISTRY/REPOSITORY:TAG`.

        Raises:
            CloudError: It cannot be built, or the registry did not take it.
        """
        self._needs_embedded("images to push")
        path, body = f"/deployments/{name}/image/push", {"to": destination}
        for line in self._stream(path, f"deployment {name!r}", body=body):
            step = PushStep.model_validate_json(line)
            if step.error:
                raise CloudError(step.error, hint=step.hint)
            yield step

    def secrets(self) -> list[str]:
        """Names of the cloud's secrets."""
        if self.embedded:
            return [str(name) for name in self._get("/secrets", "secrets")["items"]]
        with self._errors("secrets"):
            total = self.rest.v1.list_secrets(count=1).total  # without a count the client gets ten
            found = self.rest.v1.list_secrets(count=max(total, 1))
        return [item.name for item in found.items]

    def _ours(self, name: str, what: str, **params: Any) -> Any:
        """GET of what the embedded cloud tells of a deployment besides BentoCloud's answers."""
        self._needs_embedded(what)
        return self._get(f"/deployments/{name}/{what}", f"deployment {name!r}", **params)

    def _act(self, name: str, action: str, body: dict[str, Any] | None = None) -> DeploymentView:
        self._needs_embedded(action)
        what = f"deployment {name!r}"
        with self._errors(what):
            response = self._http.post(f"/api/bj/v1/deployments/{name}/{action}", json=body)
            if response.status_code != 200:
                raise cloud_refusal(self.name, what, response.status_code, response.text)
            return DeploymentView.model_validate(response.json())

    def follow_logs(
        self,
        name: str,
        *,
        lines: int = 100,
        source: str = "",
        q: str = "",
        regex: bool = False,
        since: datetime | None = None,
    ) -> Iterator[LogLine]:
        """The last lines of a deployment's logs, then new ones as they are written, without end.

        Args:
            name: Name of the deployment.
            lines: How many of the last lines come first.
            source: Instance id or `image`; "" = all.
            q: As of `logs`, and so are `regex` and `since`.
            regex: See there.
            since: See there.
        """
        self._needs_embedded("logs")
        params = {"follow": "true", "lines": str(lines), **_log_params(source, q, regex=regex, since=since)}
        for line in self._stream(f"/deployments/{name}/logs", f"deployment {name!r}", params):
            yield LogLine.model_validate_json(line)

    def events(self, after: int | None = None, *, until: threading.Event | None = None) -> Iterator[Event]:
        """The change feed, without end.

        Args:
            after: Id of the newest event already seen; None = from now on.
            until: Ends it when set, within the ten seconds between two signs of life of the cloud.
        """
        self._needs_embedded("a change feed")
        params = {} if after is None else {"after": str(after)}
        for line in self._stream("/events", "events", params, until):
            yield Event.model_validate_json(line)

    def garbage(self, *, delete: bool) -> GarbageView:
        """What the cloud keeps that nobody needs.

        Args:
            delete: Delete it; else it is only looked for.
        """
        from ..insight import GarbageView

        self._needs_embedded("a look at its garbage")
        with self._errors("garbage"):
            answer = self._http.request("DELETE" if delete else "GET", "/api/bj/v1/garbage", timeout=600)
            if answer.status_code != 200:
                raise cloud_refusal(self.name, "garbage", answer.status_code, answer.text)
        return GarbageView.model_validate_json(answer.content)

    def _stream(
        self,
        path: str,
        what: str,
        params: dict[str, str] | None = None,
        until: threading.Event | None = None,
        body: dict[str, Any] | None = None,
    ) -> Iterator[str]:
        method = "GET" if body is None else "POST"
        with (
            self._errors(what),
            self._http.stream(method, f"/api/bj/v1{path}", params=params, json=body, timeout=30) as response,
        ):
            if response.status_code != 200:
                response.read()
                raise cloud_refusal(self.name, what, response.status_code, response.text)
            for line in response.iter_lines():
                if until is not None and until.is_set():
                    return
                if line.strip():
                    yield line

    def _needs_embedded(self, what: str) -> None:
        if not self.embedded:
            raise CloudError(
                f"BentoCloud's API offers no {what}", hint=f"see its console: {self.endpoint}/deployments"
            )


def _log_params(source: str, q: str, *, regex: bool, since: datetime | None) -> dict[str, str]:
    """What a query for log lines says."""
    params = {"source": source, "q": q}
    if regex:
        params["regex"] = "true"
    if since is not None:
        params["since"] = since.isoformat()
    return params
