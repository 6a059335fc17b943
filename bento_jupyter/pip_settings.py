"""Where packages come from: what the user told pip, told to uv.

uv does not read pip's configuration. A kernel whose packages came from a company's index or from a folder of
wheels gets its environments from the same places, through variables of the uv process: URLs may hold
credentials, and a command line can be read by everybody on the machine.

Files, sections and their precedence: https://pip.pypa.io/en/stable/topics/configuration/. Variables of uv:
https://docs.astral.sh/uv/reference/environment/.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["Sources", "pip_options", "sources"]

#: Variables and settings of uv that name sources; where the user has one of them, pip's are not asked.
UV_SOURCES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_CONFIG_FILE",
)
UV_TOML_SOURCES = re.compile(
    r"^\s*(\[\[)?\s*(pip\.)?(index|index-url|extra-index-url|find-links|no-index)\b", re.M
)
#: Sections that count for `pip install`; the later one wins.
SECTIONS = ("global", "install")
TRUE = frozenset({"1", "true", "yes", "y", "t", "on"})
#: User name and password in a URL.
USERINFO = re.compile(r"(?<=://)[^/\s@'\"]+@")
#: A part of a URL's path that some package hosts take as the password.
TOKEN = re.compile(r"(?<=/)(?=[\w-]*\d)[\w-]{16,}(?=/)")


@dataclass(frozen=True)
class Sources:
    """What to give to uv.

    Attributes:
        envs: Variables for its process; may hold credentials.
        options: Words for its command line; never hold credentials.
    """

    envs: dict[str, str] = field(default_factory=dict, repr=False)
    options: tuple[str, ...] = ()

    def redacted(self, line: str) -> str:
        """A line of output without the credentials that URLs may hold.

        Example:
            >>> Sources().redacted("looked at https://me:secret@pypi.example/simple/")
            'looked at https://****@pypi.example/simple/'
        """
        line = USERINFO.sub("****@", line)
        for token in TOKEN.findall(" ".join(self.envs.values())):
            line = line.replace(token, "****")
        return line


def sources(environ: Mapping[str, str] | None = None) -> Sources:
    """What uv has to know to find packages where pip finds them.

    Args:
        environ: Variables of the user's process; None = those of this one.

    Returns:
        Only what the user has not told uv already.

    Example:
        >>> sources({"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "https://pypi.example/simple"}).envs
        {'UV_DEFAULT_INDEX': 'https://pypi.example/simple'}
    """
    environ = os.environ if environ is None else environ
    options = pip_options(environ)
    envs = connection(options, environ)
    words: list[str] = []
    if not tells_uv(environ):
        extra = options.get("extra-index-url", "").split()
        links = [link for given in options.get("find-links", "").split() if (link := link_of(given))]
        if options.get("no-index", "").lower() in TRUE:
            words.append("--no-index")
        else:
            if index := options.get("index-url") or options.get("pypi-url"):
                envs["UV_DEFAULT_INDEX"] = index
            if extra:
                envs["UV_INDEX"] = " ".join(extra)
                # pip looks at all indexes, uv only at the first that has the package.
                envs["UV_INDEX_STRATEGY"] = "unsafe-best-match"
        if links:
            envs["UV_FIND_LINKS"] = ",".join(links)
    return Sources({name: value for name, value in envs.items() if name not in environ}, tuple(words))


def connection(options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """How to connect: certificates, trusted hosts, proxy, patience."""
    envs: dict[str, str] = {}
    cert = options.get("cert") or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    if cert and "SSL_CERT_DIR" not in environ:
        cert = os.path.abspath(os.path.expanduser(cert))
        envs["SSL_CERT_DIR" if os.path.isdir(cert) else "SSL_CERT_FILE"] = cert
    if client := options.get("client-cert"):
        envs["SSL_CLIENT_CERT"] = os.path.abspath(os.path.expanduser(client))
    if hosts := options.get("trusted-host", "").split():
        envs["UV_INSECURE_HOST"] = " ".join(hosts)
    if proxy := options.get("proxy"):
        envs["HTTPS_PROXY"] = envs["HTTP_PROXY"] = proxy
    timeout = options.get("timeout") or options.get("default-timeout") or ""
    if re.fullmatch(r"\d+(\.\d+)?", timeout):
        envs["UV_HTTP_TIMEOUT"] = str(max(1, round(float(timeout))))
    if options.get("keyring-provider") == "subprocess":
        envs["UV_KEYRING_PROVIDER"] = "subprocess"
    return envs


def link_of(given: str) -> str:
    """A place of `--find-links` as uv takes it; "" for a folder that is not there, which pip passes over."""
    if given.startswith("file:"):
        path = Path(unquote(urlsplit(given).path))
    elif "://" in given:
        return given.replace(",", "%2C")
    else:
        path = Path(given).expanduser().absolute()
    if not path.exists():
        return ""
    return path.as_uri().replace(",", "%2C") if "," in str(path) else str(path)


def tells_uv(environ: Mapping[str, str]) -> bool:
    """True when the user has told uv itself where packages come from."""
    if any(environ.get(name) for name in UV_SOURCES):
        return True
    home = Path(environ.get("HOME") or Path.home())
    folders = [
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config"),
        *map(Path, filter(None, environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep))),
        Path("/etc"),
    ]
    return any(UV_TOML_SOURCES.search(text_of(folder / "uv" / "uv.toml")) for folder in folders)


def pip_options(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The options of `pip install` as its files and variables set them, by their long names.

    Args:
        environ: Variables of the user's process; None = those of this one.
    """
    environ = os.environ if environ is None else environ
    sections: dict[str, dict[str, str]] = {name: {} for name in SECTIONS}
    for file in config_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text_of(file))
        except configparser.Error:
            continue  # pip itself says so, to those who use it
        for name in SECTIONS:
            if parser.has_section(name):
                sections[name].update((normal(key), value) for key, value in parser.items(name))
    given = {
        normal(name.removeprefix("PIP_")): value
        for name, value in environ.items()
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE"
    }
    merged: dict[str, str] = {}
    for source in (*sections.values(), given):
        merged.update((key, value.strip()) for key, value in source.items() if value.strip())
    return merged


def config_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Files with pip's configuration, the weakest first; they need not exist."""
    own = environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    library = home / "Library" / "Application Support" / "pip"
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    else:
        for folder in environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep):
            if folder:
                yield Path(folder) / "pip" / "pip.conf"
        yield Path("/etc/pip.conf")
    if not (own and Path(own).exists()):
        yield home / ".pip" / "pip.conf"
        if sys.platform == "darwin" and library.is_dir():
            yield library / "pip.conf"
        else:
            yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if own:
        yield Path(own)


def normal(key: str) -> str:
    """An option's name as pip compares it."""
    return key.lower().replace("_", "-").removeprefix("--")


def text_of(file: Path) -> str:
    """The text of a file; "" when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
