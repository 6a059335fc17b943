"""Other clouds: one as BentoCloud is, a real one behind a relay that hides our additions to its API."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import yaml
from realcloud import RealCloud

__all__ = ["logged_in_to", "without_additions"]

OURS = "/api/bj/"


@contextlib.contextmanager
def logged_in_to(team: RealCloud, file: Path) -> Iterator[None]:
    """Logged in to a cloud as `team`, and as `bare` where it is like BentoCloud.

    Args:
        team: The cloud.
        file: The `bentoml` client's file of contexts; as it was afterwards.
    """
    before = file.read_text() if file.exists() else None
    with without_additions(team.state.endpoint) as bare:
        contexts = [
            {"name": name, "endpoint": endpoint, "api_token": team.state.token}
            for name, endpoint in (("team", team.state.endpoint), ("bare", bare))
        ]
        file.write_text(yaml.safe_dump({"contexts": contexts, "current_context_name": "team"}))
        yield
    if before is None:
        file.unlink()
    else:
        file.write_text(before)


@contextlib.contextmanager
def without_additions(
    endpoint: str,
    *,
    page: int = 2,
    unknown: tuple[int, bytes] = (404, b'{"error": "404 page not found"}'),
    broken: str = "",
) -> Iterator[str]:
    """Relay to a control plane; gives the relay's address.

    Args:
        endpoint: The control plane.
        page: Items of a list that come at once at most, whatever is asked for.
        unknown: Status and body of the answer to what it does not know.
        broken: A path that it fails on.
    """

    class Relay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def relay(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path.startswith(OURS):
                self.reply(*unknown)
                return
            if self.path.partition("?")[0] == broken:
                self.reply(500, b'{"error": "out of order"}')
                return
            headers = {"X-YATAI-API-TOKEN": self.headers.get("X-YATAI-API-TOKEN", "")}
            asked = httpx.URL(f"{endpoint}{self.path}")
            if "count" in asked.params:
                asked = asked.copy_set_param("count", page)
            answer = httpx.request(
                self.command, asked, headers=headers, content=sent, timeout=60, trust_env=False
            )
            if asked.path == "/api/v2/deployments" and self.command == "GET" and answer.is_success:
                listed = answer.json()
                for item in listed["items"]:  # which do not say where they are
                    item.pop("urls", None)
                self.reply(200, json.dumps(listed).encode())
                return
            self.reply(answer.status_code, answer.content)

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is said of what works."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Relay, f"do_{method}", Relay.relay)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
