"""What the build of an image has to know to find packages where this machine finds them.

An environment is made by a process of this machine. An image is built in a container, which has none of its
settings: index, password, certificate authority. They are given to it as secrets of the build
(`image_program`), so none is in the image.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..environments import redacted
from ..pip_settings import Sources, pip_options, sources
from .image_program import CERTIFICATES, SETTINGS, as_written, settings_script

__all__ = ["BuildSettings", "build_settings"]

#: Variables of this machine that mean the same in a build.
PASSED = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX\w*|EXTRA_INDEX_URL|FIND_LINKS|INSECURE_HOST|HTTP_TIMEOUT|NO_INDEX)"
    r"|PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST)"
)
#: Options of pip, and the variables of uv that say the same.
PIP_OPTIONS = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "trusted-host": ("UV_INSECURE_HOST",),
}
#: Variables that name the file of certificates, for uv, pip, and curl or git in commands of the Bento.
CERTIFICATE_ENVS = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
#: An index of uv may have a name, `name=https://...`, which pip does not know.
INDEX_NAME = re.compile(r"(?:(?<=\s)|^)[\w.-]+=(?=\w+://)")


@dataclass(frozen=True)
class BuildSettings:
    """What a build is told.

    Attributes:
        envs: Variables of its commands; may hold credentials.
        certificates: File of this machine with the authorities to trust; None = those of the image.
    """

    envs: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificates: Path | None = None

    @property
    def names(self) -> list[str]:
        """What it is told, without the values."""
        return [*self.envs, *(["certificates"] if self.certificates else [])]

    def write(self, folder: Path) -> dict[str, Path]:
        """Write the secrets of the build into a folder that is the user's alone; gives them by their ids."""
        files: dict[str, Path] = {}
        envs = dict(self.envs)
        if self.certificates is not None:
            files[CERTIFICATES] = self.certificates
            envs |= dict.fromkeys(CERTIFICATE_ENVS, f"/run/secrets/{CERTIFICATES}")
        if envs:
            files[SETTINGS] = folder / SETTINGS
            files[SETTINGS].write_text(settings_script(envs), encoding="utf-8")
        return files

    def cleaning(self, secrets: Mapping[str, str]) -> Callable[[str], str]:
        """What takes secrets, passwords of these settings and the telling itself out of a line of a log."""
        source = Sources({**self.envs})
        return lambda line: source.redacted(redacted(as_written(line), secrets.values()))


def build_settings(environ: Mapping[str, str], secrets: Mapping[str, str]) -> BuildSettings:
    """What a build is told of this machine.

    Folders of this machine (`find-links`, `file://`) are not in a build, and so not told.

    Args:
        environ: Variables of this process.
        secrets: Secrets of the build, which its commands have as variables.

    Example:
        >>> told = build_settings({"PIP_CONFIG_FILE": os.devnull, "UV_INDEX_URL": "https://a.example"}, {})
        >>> dict(told.envs)
        {'UV_INDEX_URL': 'https://a.example', 'PIP_INDEX_URL': 'https://a.example'}
    """
    known = {**environ, **secrets}
    found = sources(known).envs
    envs = {
        name: value
        for name, value in {**known, **found}.items()
        if PASSED.fullmatch(name) and value and is_reached(value)
    }
    options = pip_options(known)
    for option, names in PIP_OPTIONS.items():
        told = options.get(option) or next((envs[name] for name in names if name in envs), "")
        if told and is_reached(told):
            name = f"PIP_{option.upper().replace('-', '_')}"
            envs[name] = INDEX_NAME.sub("", " ".join(told.split()))
    certificates = known.get("SSL_CERT_FILE") or found.get("SSL_CERT_FILE") or ""
    file = Path(certificates).expanduser()
    return BuildSettings(
        {**envs, **{name: value for name, value in secrets.items() if name not in CERTIFICATE_ENVS}},
        file.absolute() if certificates and os.access(file, os.R_OK) and file.is_file() else None,
    )


def is_reached(value: str) -> bool:
    """Whether what a variable names is no folder of this machine."""
    return not any(each.startswith(("file:", "/", ".", "~")) for each in re.split(r"[\s,]+", value))
