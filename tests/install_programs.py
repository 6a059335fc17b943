"""Install what the tests need beside Python, where it is missing and we are allowed to.

That is Chromium, curl and nginx, and on Debian what containers are made with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Debian's package for each program, with other names under which the program may be there already.
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "curl": ("curl",),
    "nginx-light": ("nginx",),
}
#: What tests/containers need, which make an image of this Debian.
FOR_CONTAINERS = {
    "podman": ("podman",),
    "netavark": ("/usr/lib/podman/netavark",),
    "runc": ("runc",),
    "mmdebstrap": ("mmdebstrap",),
    "docker-registry": ("docker-registry",),
}


def main() -> int:
    """Install them if need be; a machine without them runs all tests but those that use them."""
    missing = lacking(PROGRAMS)
    if os.environ.get("CHROMIUM"):
        missing = [package for package in missing if package != "chromium"]
    boxes = lacking(FOR_CONTAINERS) if is_debian() else []
    if not (missing or boxes):
        return 0
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        print(f"not found: {', '.join([*missing, *boxes])}; the tests that need them are skipped")
        return 0
    apt("update")
    if boxes and apt("install", "-y", "--no-install-recommends", *boxes):
        print(f"not installed: {', '.join(boxes)}; the tests that need them are skipped")
    if not missing:
        return 0
    return apt("install", "-y", "--no-install-recommends", "fonts-dejavu-core", *missing)


def lacking(programs: Mapping[str, Sequence[str]]) -> list[str]:
    """The packages none of whose programs is there."""
    return [package for package, names in programs.items() if not any(map(shutil.which, names))]


def apt(*words: str) -> int:
    """Run apt-get; gives its exit code."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", *words]
    return subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode


def is_debian() -> bool:
    """Whether this is Debian itself."""
    release = Path("/etc/os-release")
    return release.exists() and "ID=debian" in release.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    sys.exit(main())
