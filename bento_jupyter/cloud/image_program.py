"""The program that builds an image: `bentoml containerize`, which is told where packages come from.

Commands in a build know nothing of this machine. What pip and uv know here (an index with its password, a
certificate authority) is mounted into each command as a secret of the build: it is there while the command
runs, and in no layer, no history and no cache of the image. The Dockerfile that BentoML has made is changed
for that just before the build, for which BentoML lets others register builders
(`bentoml.container.register_backend`).
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shlex
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["CERTIFICATES", "SETTINGS", "as_written", "main", "settings_script", "tell_commands"]

#: Ids of the secrets: a script with variables, and the certificates that one of these names.
SETTINGS, CERTIFICATES = "bento-jupyter-settings", "bento-jupyter-certificates"
#: A command of a Dockerfile: what is before the options that it has, these, and the begin of the rest.
RUN = re.compile(
    r"^(?P<run>[ \t]*RUN[ \t]+)(?P<options>(?:--\S+(?:[ \t]|\\\n)+)*)(?P<rest>\[|<<)?", re.M | re.I
)
#: What a command has besides when it is told.
TOLD = re.compile(
    rf"--mount=type=secret,id=(?:{SETTINGS}|{CERTIFICATES}),mode=0444 |\. /run/secrets/{SETTINGS}; "
)


def settings_script(envs: Mapping[str, str]) -> str:
    """The shell script that sets variables, unless the image has its own.

    Example:
        >>> print(settings_script({"UV_HTTP_TIMEOUT": "60"}), end="")
        [ -n "${UV_HTTP_TIMEOUT:-}" ] || export UV_HTTP_TIMEOUT=60
    """
    return "".join(
        f'[ -n "${{{name}:-}}" ] || export {name}={shlex.quote(value)}\n' for name, value in envs.items()
    )


def tell_commands(dockerfile: str, secrets: list[str]) -> str:
    r"""A Dockerfile whose commands have the secrets, and the variables of `SETTINGS`.

    Args:
        dockerfile: Its text.
        secrets: Ids of the secrets.

    Example:
        >>> print(tell_commands("RUN pip install uv", ["settings"]))
        RUN --mount=type=secret,id=settings,mode=0444 . /run/secrets/bento-jupyter-settings; pip install uv
    """
    mounts = "".join(f"--mount=type=secret,id={each},mode=0444 " for each in secrets)

    def told(found: re.Match[str]) -> str:
        # What is no line of a shell cannot read the script, but has the files.
        script = "" if found["rest"] else f". /run/secrets/{SETTINGS}; "
        return f"{found['run']}{mounts}{found['options']}{script}{found['rest'] or ''}"

    return RUN.sub(told, dockerfile)


def as_written(line: str) -> str:
    """A line of a builder's log with the command that it names as the Dockerfile had it.

    Example:
        >>> as_written("STEP 1: " + tell_commands("RUN make", [SETTINGS, CERTIFICATES]))
        'STEP 1: RUN make'
    """
    return TOLD.sub("", line)


def end_with_starter() -> None:
    """End with all that runs for it, when the process that has started it is gone, however that ended."""
    os.read(sys.stdin.fileno(), 1)  # not by the file: the interpreter does not end while a thread reads that
    os.killpg(0, signal.SIGTERM)


def main() -> None:
    """Build the image of a Bento in the store at `BENTOML_HOME`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bento")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--image-tag", required=True)
    parser.add_argument("--opt", action="append", default=[])
    parser.add_argument("--tell", action="append", default=[], metavar="ID=FILE")
    parser.add_argument("--scratch", required=True, metavar="FOLDER")
    told = parser.parse_args()
    # BentoML writes the Bento there once more, and secrets of the build.
    tempfile.tempdir = told.scratch
    threading.Thread(target=end_with_starter, daemon=True).start()
    from bentoml import container

    # What the builder says comes by these loggers, as `bentoml containerize` has them shown.
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.getLogger("bentoml").setLevel(logging.INFO)

    backend = container.get_backend(told.backend)
    files = dict(each.split("=", 1) for each in told.tell)

    def arguments(**wanted: Any) -> Any:
        file = Path(wanted["file"])
        file.write_text(tell_commands(file.read_text(encoding="utf-8"), list(files)), encoding="utf-8")
        given = wanted.pop("secret", ())
        sources = tuple(f"id={name},src={path}" for name, path in files.items())
        return backend.construct_build_args(secret=(*given, *sources), **wanted)

    if files:
        container.register_backend(
            "told",
            binary=backend.binary,
            build_cmd=backend.build_cmd,
            buildkit_support=backend.enable_buildkit,
            env=backend.env,
            health=backend.health,
            construct_build_args=arguments,
        )
    options = dict(each.split("=", 1) for each in told.opt)
    built = container.build(
        told.bento, "told" if files else told.backend, image_tag=(told.image_tag,), **options
    )
    sys.exit(built is None)


if __name__ == "__main__":
    os.umask(0o077)
    main()
