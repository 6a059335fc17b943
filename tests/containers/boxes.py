"""A world of containers for tests: podman with a storage of its own, and a base image for Bentos.

Nothing is fetched from a registry. The base image is a small Debian made by mmdebstrap from where this
machine's apt gets its packages, with what Python and uv need to get packages from where this machine gets
them. All of it is below `build/`, so it is made once.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import bentoml
from uv import find_uv_bin

BUILD = Path(__file__).resolve().parents[2] / "build" / "containers"
#: What BentoML names as the base of Bentos that name none; here it is the image made below.
PLAIN_BASE = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
BASE = f"docker.io/library/{PLAIN_BASE}"
#: No limits that a machine without CAP_SYS_RESOURCE cannot set; and the runtime that knows all cgroups.
CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=10000:10000", "nproc=30000:30000"]
[engine]
runtime = "runc"
"""
STORAGE_CONF = """
[storage]
driver = "overlay"
graphroot = "{build}/storage"
runroot = "{build}/run"
"""
#: How packages are found, which a build has to know as this machine does.
TOLD = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
CONTAINERFILE = """
FROM localhost/bento-jupyter-tests/debian:1
COPY uv certificates.pem /usr/local/bin/
ENV {envs}
RUN ln -sf python3 /usr/bin/python && uv venv -q /tmp/warm && \\
    uv pip install -q --python /tmp/warm/bin/python bentoml=={bentoml} && rm -r /tmp/warm
"""


def lacking() -> str:
    """Why there can be no containers here; "" when there can."""
    if sys.platform != "linux":
        return "instances run in containers on Linux only"
    if os.getuid() != 0:
        return "the base image of these tests is made by root"
    missing = [name for name in ("podman", "runc", "mmdebstrap", "docker-registry") if not shutil.which(name)]
    if missing:
        return f"not found: {', '.join(missing)} (tests/install_programs.py installs them)"
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME")
    if platform.freedesktop_os_release().get("ID") != "debian" or codename != "bookworm":
        return "the base image of these tests has the Python of Debian 12"
    if sys.version_info[:2] != (3, 11):
        return "the base image of these tests has Python 3.11"
    return ""


def open_world() -> dict[str, str]:
    """The variables with which podman works in the tests' own storage, with logins of their own."""
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "containers.conf").write_text(CONTAINERS_CONF)
    (BUILD / "storage.conf").write_text(STORAGE_CONF.format(build=BUILD))
    (BUILD / "auth.json").write_text("{}")
    return {
        "CONTAINERS_CONF": str(BUILD / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(BUILD / "storage.conf"),
        "REGISTRY_AUTH_FILE": str(BUILD / "auth.json"),
        "BENTO_JUPYTER_BUILDER": "podman",
    }


def as_docker(folder: Path, registry: str) -> dict[str, str]:
    """Settings for podman's socket that make it what docker is to its users.

    Builds are on this machine's network, as this one's podman is told to be, and registries on this machine
    may have no TLS.
    """
    (folder / "containers.conf").write_text(
        CONTAINERS_CONF.replace("[containers]", '[containers]\nnetns = "host"')
    )
    (folder / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    return {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
    }


def ask(*command: str, timeout: float = 300) -> str:
    """What a program says; its failure is the test's."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def has_image(reference: str) -> bool:
    """Whether podman has an image."""
    return subprocess.run(["podman", "image", "exists", reference], check=False).returncode == 0


def make_base() -> str:
    """Make the base image, unless that has been done; gives what keeps this machine from it, or ""."""
    envs = {name: os.environ[name] for name in TOLD if os.environ.get(name)}
    envs |= dict.fromkeys(CERTIFICATES, "/usr/local/bin/certificates.pem")
    recipe = CONTAINERFILE.format(
        envs=" ".join(f'{name}="{value}"' for name, value in envs.items()), bentoml=bentoml.__version__
    )
    made = BUILD / f"base-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if made.exists() and has_image(BASE):
        return ""
    try:
        debian = BUILD / "debian.tar"
        if not debian.exists():
            sources = [
                str(path) for path in (Path("/etc/apt/sources.list.d/debian.sources"),) if path.exists()
            ]
            aside = debian.with_suffix(".part.tar")
            ask(
                *("mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,ca-certificates"),
                *("bookworm", str(aside), *sources),
            )
            aside.rename(debian)
        ask("podman", "import", "--quiet", str(debian), "localhost/bento-jupyter-tests/debian:1")
        context = BUILD / "context"
        context.mkdir(exist_ok=True)
        shutil.copy(find_uv_bin(), context / "uv")
        certificates = os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt"
        shutil.copy(certificates, context / "certificates.pem")
        (context / "Containerfile").write_text(recipe)
        ask("podman", "build", "--network=host", "--tag", BASE, str(context))
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        return f"the base image cannot be made here: {str(error)[-300:]}"
    made.touch()
    return ""
