"""A Ray cluster's dashboard over plain HTTP: what there is, and jobs. Nothing of Ray is needed here.

The calls are those of Ray's own job client (`ray/dashboard/modules/job/sdk.py` of Ray 2.60) and of its state
API (`/api/v0/nodes`).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from ...errors import CloudError, CloudUnreachableError, InvalidRequestError, NotLoggedInError

__all__ = ["LEAST_VERSION", "Dashboard"]

#: Placement by `label_selector`, which keeps instances away from nodes that are silent, came with it.
LEAST_VERSION = (2, 49)
#: What is asked of a node.
NODE = ("node_id", "node_ip", "node_name", "is_head_node", "resources_total")
#: Seconds that an answer may take.
TIMEOUT = 10.0


class Dashboard:
    """The dashboard of one cluster. Its calls wait for their answer: make them in a thread.

    Args:
        address: Its URL, `http://HEAD:8265`.
        token: The cluster's token; "" = none.
        ca: PEM file with who signed its certificate; None = as the system trusts.

    Example:
        >>> Dashboard("http://127.0.0.1:8265").version()  # doctest: +SKIP
        '2.60.0'
    """

    def __init__(self, address: str, token: str = "", ca: Path | None = None) -> None:
        if not (token.isascii() and token.isprintable()):
            # No header can have it, and what says so would show it.
            raise InvalidRequestError(
                "the token of the Ray cluster has characters that no token has",
                hint="--ray-token-env VAR names the variable that has it (`ray get-auth-token` on the head)",
            )
        self.address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._has_token = bool(token)
        self._verify: ssl.SSLContext | bool = self.address.startswith("https://")
        if ca is not None:
            try:
                self._verify = ssl.create_default_context(cafile=str(ca))
            except (OSError, ValueError) as error:
                raise InvalidRequestError(f"{ca} has no certificates: {error}", hint="a PEM file") from error

    def version(self) -> str:
        """The cluster's version of Ray, checked.

        Raises:
            CloudUnreachableError: It cannot be reached.
        CloudError: It is no Ray cluster, or one that is too old.
            NotLoggedInError: It wants another token.
        """
        found = self._json("GET", "/api/version")
        version = str(found.get("ray_version") or "")
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if len(numbers) < 2:
            raise CloudError(
                f"what answers at {self.address} is no Ray cluster",
                hint="--ray-address is the URL of the dashboard, by default at port 8265 of the head",
            )
        if numbers < LEAST_VERSION:
            raise CloudError(
                f"the Ray cluster at {self.address} runs Ray {version}: too old",
                hint=f"Ray {'.'.join(map(str, LEAST_VERSION))} or newer is needed",
            )
        return version

    def nodes(self) -> list[dict[str, Any]]:
        """The nodes that are alive: `node_id`, `node_ip`, `node_name`, `is_head_node`, `resources_total`."""
        found = self._json("GET", "/api/v0/nodes", params={"detail": "1", "limit": "10000"})
        try:
            rows = found["data"]["result"]["result"]
            return [{key: row[key] for key in NODE} for row in rows if row["state"] == "ALIVE"]
        except (KeyError, TypeError, IndexError) as error:
            raise self._not_understood("its nodes") from error

    def upload(self, name: str, package: bytes) -> str:
        """Put a package into the cluster's store, unless it is there; gives its URI."""
        path = f"/api/packages/gcs/{name}"
        if self._call("GET", path).status_code != 200:
            self._checked(self._call("PUT", path, content=package, timeout=60))
        return f"gcs://{name}"

    def submit(self, entrypoint: str, submission_id: str, working_dir: str) -> None:
        """Run a command on the cluster's head."""
        body = {
            "entrypoint": entrypoint,
            "submission_id": submission_id,
            "runtime_env": {"working_dir": working_dir},
            "metadata": {"name": "bento-jupyter"},
        }
        self._checked(self._call("POST", "/api/jobs/", json=body, timeout=60))

    def job_status(self, submission_id: str) -> tuple[str, str]:
        """Status of a job (`PENDING`, `RUNNING`, `STOPPED`, `SUCCEEDED`, `FAILED`; "" = unknown) and why."""
        answer = self._call("GET", f"/api/jobs/{submission_id}")
        if answer.status_code == 404:
            return "", ""
        try:
            found = self._checked(answer).json()
            return str(found.get("status") or ""), str(found.get("message") or "")
        except (ValueError, AttributeError) as error:
            raise self._not_understood("a job") from error

    def job_log(self, submission_id: str) -> str:
        """What a job has written."""
        return str(self._json("GET", f"/api/jobs/{submission_id}/logs").get("logs") or "")

    def stop_job(self, submission_id: str) -> None:
        """End a job."""
        self._call("POST", f"/api/jobs/{submission_id}/stop")

    def _not_understood(self, what: str) -> CloudError:
        return CloudError(
            f"what the Ray cluster at {self.address} says of {what} is not understood",
            hint="is it the dashboard that answers there, or something before it?",
        )

    def _json(self, method: str, path: str, **more: Any) -> Mapping[str, Any]:
        try:
            found = self._checked(self._call(method, path, **more)).json()
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {}

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = httpx.request(
                method,
                self.address + path,
                headers=self._headers,
                verify=self._verify,
                trust_env=False,
                **{"timeout": TIMEOUT, **more},
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise CloudUnreachableError(
                f"the Ray cluster at {self.address} does not answer: {str(error) or type(error).__name__}",
                hint="--ray-address is the URL of the dashboard (`ray start --head --dashboard-host ...`); "
                "does the head run, and may this machine reach it?",
            ) from error
        if answer.status_code in (401, 403):
            known = "the token is not the cluster's" if self._has_token else "it wants a token"
            raise NotLoggedInError(
                f"the Ray cluster at {self.address} lets nobody in: {known}",
                hint="--ray-token-env VAR names the variable that has it (`ray get-auth-token` on the head)",
            )
        return answer

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code >= 400:
            lines = answer.text.strip().splitlines()
            raise CloudError(
                f"the Ray cluster at {self.address} refused: "
                + (lines[-1][:300] if lines else f"status {answer.status_code}")
            )
        return answer
