"""Install Debian's Chromium for the browser tests, where it is missing and we are allowed to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> int:
    """Install it if need be; a machine without it runs all tests but those of the browser."""
    if any(shutil.which(name) for name in NAMES) or os.environ.get("CHROMIUM"):
        return 0
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        command = [
            "apt-get",
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "chromium",
            "fonts-dejavu-core",
        ]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL).returncode
    print("no Chromium found: the browser tests will be skipped (set CHROMIUM=/path/to/it to run them)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
