"""What one run of the embedded cloud is told: its home, where it listens, and its defaults."""

from __future__ import annotations

import ipaddress
import os
import ssl
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from ..errors import InvalidRequestError
from ..home import Home

__all__ = ["CloudSettings"]


class CloudSettings(BaseModel):
    """Settings of one embedded cloud.

    Attributes:
        home: Where it keeps everything.
        host: Address that control plane and deployments listen at. Loopback unless told otherwise, and then
            with TLS, or `insecure`.
        port: Port of the control plane; 0 = the one it had last time, else a free one.
        public_hosts: Names besides addresses, `localhost` and `host` that the `Host` header of requests may
            carry. With an address of its own (`host`) or TLS, URLs name the first one.
        tls_cert: PEM file with the certificate (and its chain) that they show; None = plain HTTP.
        tls_key: PEM file with its key; None = it is in the same file.
        insecure: Plain HTTP at other addresses than loopback is meant: somebody else sees to it that nobody
            listens in (a proxy with TLS, a network of one's own).
        first_deployment_port: Lowest port given to a deployment.
        last_deployment_port: Highest port given to a deployment. The default range lies below the
            ephemeral ports of Linux (32768) and macOS (49152), which outgoing connections take.
        idle_seconds: Seconds without need after which an instance is stopped, for deployments that
            do not say.
        cold_start_timeout: Seconds a request waits for an instance, for deployments that do not say.
        transfer: How the client is told to send and fetch Bentos and models: `proxy` (one call of the control
            plane), `presigned` (a URL that is its own permission) or `multipart` (such URLs for parts).
        environments_limit: Bytes that environments may have together before those in nobody's use are
            deleted, the ones unused for longest first.
        builder: What builds OCI images: `docker`, `podman`, `buildah` or `nerdctl`; `auto` = the first of
            them that works; `none` = nothing does.
        zygotes: Whether instances are forked from processes that have imported what they need, where this
            machine can.
        engine: What runs instances: `processes` of this machine, `containers` on it, or the nodes of a `ray`
            cluster. With `processes`, too, a deployment that has an OCI image runs in containers.
        ray_address: URL of the Ray cluster's dashboard, `http://HEAD:8265`.
        ray_token: The cluster's token; "" = it asks for none.
        ray_tls: Whether this cloud and the nodes speak with TLS: requests, answers, and what instances get.
        ray_ca: PEM file with who signed the dashboard's certificate; None = as the system trusts.

    Example:
        >>> CloudSettings().host
        '127.0.0.1'
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    home: Home = Field(default_factory=Home.default)
    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)
    public_hosts: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    insecure: bool = False
    first_deployment_port: int = Field(21000, ge=1024, le=65535)
    last_deployment_port: int = Field(29999, ge=1024, le=65535)
    idle_seconds: float = Field(60, ge=0, le=3600)
    builder: Literal["auto", "docker", "podman", "buildah", "nerdctl", "none"] = "auto"
    zygotes: bool = True
    cold_start_timeout: float = Field(300, gt=0, allow_inf_nan=False)
    transfer: Literal["proxy", "presigned", "multipart"] = "proxy"
    environments_limit: int = Field(20 * 2**30, ge=0)
    engine: Literal["processes", "containers", "ray"] = "processes"
    ray_address: str = ""
    ray_token: SecretStr = SecretStr("")
    ray_ca: Path | None = None
    ray_tls: bool = False

    @model_validator(mode="after")
    def _is_guarded(self) -> CloudSettings:
        if self.tls_key is not None and self.tls_cert is None:
            raise ValueError("a TLS key without a certificate: --tls-cert FILE")
        if self.tls_cert is None and not self.is_loopback and not self.insecure:
            raise ValueError(
                f"at {self.host} others could listen in, and take the token: --tls-cert FILE --tls-key FILE, "
                "or --insecure where something else protects the connection"
            )
        return self

    @model_validator(mode="after")
    def _engine_is_whole(self) -> CloudSettings:
        if self.engine == "ray" and not self.ray_address.startswith(("http://", "https://")):
            raise ValueError("the engine ray needs the URL of the dashboard: --ray-address http://HEAD:8265")
        return self

    @classmethod
    def from_environment(cls, home: Home | None = None, **told: Any) -> CloudSettings:
        """The settings that the environment's variables ask for.

        No variable opens the cloud to others: a variable is easily inherited from somewhere.

        Args:
            home: The home; None = `Home.default()`.
            told: Settings that were asked for in words; they win.

        Returns:
            Defaults, with `BENTO_JUPYTER_PORT`, `BENTO_JUPYTER_PUBLIC_HOSTS` (names with commas between
            them), `BENTO_JUPYTER_IDLE_SECONDS`, `BENTO_JUPYTER_TRANSFER`, `BENTO_JUPYTER_ZYGOTES`,
            `BENTO_JUPYTER_BUILDER` and `BENTO_JUPYTER_ENVIRONMENTS_LIMIT` where they are set.

        Raises:
            ValueError: A variable's value does not fit (pydantic's `ValidationError`).
        """
        variables = {
            "port": "BENTO_JUPYTER_PORT",
            "idle_seconds": "BENTO_JUPYTER_IDLE_SECONDS",
            "builder": "BENTO_JUPYTER_BUILDER",
            "zygotes": "BENTO_JUPYTER_ZYGOTES",
            "transfer": "BENTO_JUPYTER_TRANSFER",
            "environments_limit": "BENTO_JUPYTER_ENVIRONMENTS_LIMIT",
        }
        named = {field: os.environ[name] for field, name in variables.items() if os.environ.get(name)}
        public = os.environ.get("BENTO_JUPYTER_PUBLIC_HOSTS", "").lower().replace(",", " ").split()
        return cls.model_validate({"home": home or Home.default(), "public_hosts": public, **named, **told})

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can reach what listens at `host`."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def tls(self) -> ssl.SSLContext | None:
        """How to serve TLS; None = it is not served.

        Raises:
            InvalidRequestError: Certificate or key cannot be used.
        """
        if self.tls_cert is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.tls_cert, self.tls_key, password="")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise InvalidRequestError(
                f"the certificate {self.tls_cert} or its key cannot be used: {error}",
                hint="PEM files, the key without a password",
            ) from error
        return context

    @property
    def tls_files(self) -> tuple[Path, Path] | None:
        """Absolute paths of certificate and key; None = TLS is not served."""
        if self.tls_cert is None:
            return None
        return self.tls_cert.absolute(), (self.tls_key or self.tls_cert).absolute()

    def url(self, port: int) -> str:
        """The URL of what listens at a port."""
        return f"{'http' if self.tls_cert is None else 'https'}://{self.reachable_host}:{port}"

    @property
    def reachable_host(self) -> str:
        """The address that URLs name: a public name, `host`, or loopback when it listens everywhere."""
        if self.public_hosts and (self.tls_cert is not None or not self.is_loopback):
            return self.public_hosts[0]
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return self.host
        if address.is_unspecified:
            return "127.0.0.1"
        return f"[{self.host}]" if address.version == 6 else self.host
