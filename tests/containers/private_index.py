"""A package index of somebody's own: TLS by an authority that nobody else knows, and a password."""

from __future__ import annotations

import base64
import http.server
import ssl
import subprocess
import threading
from pathlib import Path
from types import TracebackType

__all__ = ["PASSWORD", "PrivateIndex"]

#: Nobody else's: what it guards is gone with the test.
PASSWORD = "not-for-images-7f3a"
USER = "builder"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


class PrivateIndex:
    """The index, while it is entered.

    Args:
        folder: Has the certificates; what is in its folder `simple` is served.

    Attributes:
        url: With user name and password.
        authority: The certificate to trust.
        asked: Paths that were asked for with the password.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "authority.pem"
        self.asked: list[str] = []
        make_certificates(folder)
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        asked = self.asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *given: object, **named: object) -> None:
                super().__init__(*given, directory=str(folder), **named)  # type: ignore[arg-type]

            def do_GET(self) -> None:
                if self.headers["Authorization"] != expected:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="tests"')
                    self.end_headers()
                    return
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *words: object) -> None:
                """Nobody reads it."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://{USER}:{PASSWORD}@localhost:{self._server.server_port}/simple"

    def __enter__(self) -> PrivateIndex:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def make_certificates(folder: Path) -> None:
    """An authority, and a certificate for `localhost` that it has signed."""
    signed = ("-CA", "authority.pem", "-CAkey", "authority.key")
    names = ("-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE")
    for subject, words in (("authority", ()), ("server", (*signed, *names))):
        command = ("openssl", "req", "-x509", *CURVE, "-subj", f"/CN={subject} of tests", *words)
        subprocess.run(
            [*command, "-keyout", f"{subject}.key", "-out", f"{subject}.pem"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
