"""Where things live on this machine: one folder, its layout, and the state file of the embedded cloud.

Everything that the embedded cloud keeps is below `BENTO_JUPYTER_HOME` (default: the platform's data
folder for the user), so several clouds can live side by side, each with a home of its own.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import ssl
import stat
import tempfile
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["CloudState", "Home"]


@dataclass(frozen=True)
class CloudState:
    """What a running embedded cloud says about itself (`cloud.json`, mode 0600).

    Attributes:
        endpoint: Base URL of the control plane, `http://127.0.0.1:<port>`.
        token_file: File (mode 0600) that holds the owner's token.
        pid: Process id of the control plane.
        started_at: Seconds since the epoch.
        version: Version of bento_jupyter that runs it.
        tls_cert: File of the certificate that it shows; "" = it speaks plain HTTP.
    """

    endpoint: str
    token_file: str
    pid: int
    started_at: float
    version: str
    tls_cert: str = ""

    @property
    def token(self) -> str:
        """The owner's token, read from `token_file`."""
        return Path(self.token_file).read_text(encoding="ascii").strip()


@dataclass(frozen=True)
class Home:
    """The layout below one `BENTO_JUPYTER_HOME`.

    Example:
        >>> Home(Path("/tmp/h")).state_file.name
        'cloud.json'
    """

    root: Path

    @classmethod
    def default(cls) -> Home:
        """The home named by `BENTO_JUPYTER_HOME`, else the platform's data folder for the user."""
        named = os.environ.get("BENTO_JUPYTER_HOME")
        if named:
            return cls(Path(named).expanduser().resolve())
        from platformdirs import user_data_path

        return cls(user_data_path("bento_jupyter", appauthor=False))

    @property
    def state_file(self) -> Path:
        """State file of the running cloud; absent when none runs."""
        return self.root / "cloud.json"

    @property
    def lock_file(self) -> Path:
        """Held by the running cloud for as long as it lives."""
        return self.root / "cloud.lock"

    @property
    def token_file(self) -> Path:
        """The owner's token, 0600."""
        return self.root / "token"

    @property
    def environments(self) -> Path:
        """Content-addressed uv environments, one folder per key."""
        return self.root / "environments"

    @property
    def images(self) -> Path:
        """Records of the OCI images that the embedded cloud has built, one file per key."""
        return self.root / "images"

    @property
    def instance_types(self) -> Path:
        """File with the sizes of instances that the embedded cloud offers, made by the user, if at all."""
        return self.root / "instance_types.json"

    @property
    def projects(self) -> Path:
        """Generated Bento projects."""
        return self.root / "projects"

    @property
    def proofs(self) -> Path:
        """How proofs of Bentos came out (`proofs.py`)."""
        return self.root / "proofs"

    @property
    def cloud(self) -> Path:
        """Database, blobs and unpacked Bentos of the embedded cloud."""
        return self.root / "cloud"

    @property
    def logs(self) -> Path:
        """Logs of the cloud, its images and its instances."""
        return self.root / "logs"

    @property
    def sockets(self) -> Path:
        """Folder for Unix sockets; short, since a socket's path may have 103 bytes on macOS."""
        inside = self.root / "run"
        if len(os.fsencode(inside)) <= 60:
            return inside
        name = f"bento-jupyter-{os.getuid()}-{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:10]}"
        among_temporary = Path(tempfile.gettempdir()) / name
        if len(os.fsencode(among_temporary)) <= 60:
            return among_temporary
        return Path("/tmp") / name  # noqa: S108 - `create` sees to it that it is ours

    def create(self) -> None:
        """Make the folders, readable by the owner only.

        Raises:
            OSError: They cannot be made, or belong to somebody else.
        """
        for folder in (self.root, self.environments, self.projects, self.cloud, self.logs, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(self.root, 0o700)
        if self.sockets.parent != self.root:  # among temporary files, where anybody may have been first
            status = os.lstat(self.sockets)
            if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
                raise PermissionError(errno.EACCES, "others have access to this folder", str(self.sockets))

    def read_state(self) -> CloudState | None:
        """The state file's content; None when there is none that can be read."""
        path = self.state_file
        try:
            found = path.stat()
            return _state(path, found.st_ino, found.st_mtime_ns)
        except (OSError, ValueError, TypeError):
            return None

    def trust(self, url: str) -> ssl.SSLContext | bool:
        """How a client on this machine knows that it speaks to the cloud of this home (httpx: `verify`).

        The certificate is known here, so whoever shows it and has its key is the cloud, whatever name it was
        made out to and whoever has signed it.

        Args:
            url: What the client is about to call.

        Returns:
            True, which is as usual, for the URLs of others and without TLS.
        """
        state = self.read_state()
        if state is None or not state.tls_cert or not url.startswith("https://"):
            return True
        if urlsplit(url).hostname != urlsplit(state.endpoint).hostname:
            return True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(state.tls_cert)
        except OSError:  # moved away; what the system trusts may do
            return True
        return context

    def write_state(self, state: CloudState) -> None:
        """Write the state file at once (rename) and 0600."""
        write_private(self.state_file, json.dumps(asdict(state), indent=1))


@lru_cache(maxsize=8)
def _state(path: Path, inode: int, changed: int) -> CloudState:
    """The content of a state file, which is replaced as a whole and never written into: read once."""
    return CloudState(**json.loads(path.read_text(encoding="utf-8")))


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` by rename, readable by the owner only from the first byte on."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    os.replace(temporary, path)
