"""Install what the tests need beside Python, where it is missing and we are allowed to: Chromium and curl."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

#: Debian's package for each program, with other names under which the program may be there already.
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "curl": ("curl",),
    "nginx-light": ("nginx",),
}


def main() -> int:
    """Install them if need be; a machine without them runs all tests but those that use them."""
    missing = [package for package, names in PROGRAMS.items() if not any(map(shutil.which, names))]
    if os.environ.get("CHROMIUM"):
        missing = [package for package in missing if package != "chromium"]
    if not missing:
        return 0
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        print(f"not found: {', '.join(missing)}; the tests that need them are skipped")
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "fonts-dejavu-core", *missing]
    return subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
