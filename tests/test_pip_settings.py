"""uv goes by the configuration of pip: files and variables in pip's order, nothing of it in a log."""

from __future__ import annotations

import ast
import base64
import functools
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from user_environment import pack

from bento_jupyter.environments import prepare
from bento_jupyter.errors import EnvironmentBuildError
from bento_jupyter.home import Home
from bento_jupyter.pip_settings import Sources, pip_options, sources

PASSWORD = "correct-horse"
TOKEN = "tok3n-in-the-path-of-the-url"


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home folder, without any setting of pip's or uv's of the machine's own user."""
    folder = tmp_path / "user"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith("PIP_") or (name.startswith("UV_") and name != "UV_CACHE_DIR"):
            monkeypatch.delenv(name)
    # uv's cache and interpreters stay where they are; only what is configured is the test's.
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(folder / "explicit.conf"))
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def said_by_pip() -> dict[str, str]:
    """The options of `pip install` as pip itself lists them."""
    lines = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in lines:
        key, _, value = line.partition("=")
        section, _, name = key.partition(".")
        if section in found:
            found[section][name] = ast.literal_eval(value)
    return {name: value for section in found.values() for name, value in section.items()}


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="pip is not installed here")
def test_files_and_variables_count_as_they_do_for_pip(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_CONFIG_FILE")
    write(
        tmp_path / "system/pip/pip.conf",
        "[global]\ntimeout = 10\nindex-url = https://system/simple\nproxy = p:1\n",
    )
    write(user / ".pip/pip.conf", "[global]\ntimeout = 20\ntrusted_host = old\n")
    write(
        user / ".config/pip/pip.conf",
        "[global]\nindex_url = https://user/simple\nextra-index-url =\n  https://a/simple\n  https://b/simple\n"
        "[install]\ntimeout = 30\n[freeze]\nproxy = no:2\n",
    )
    monkeypatch.setenv("PIP_TRUSTED_HOST", "new")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    ours, pips = pip_options(), said_by_pip()
    for name in ("timeout", "index-url", "proxy", "trusted-host", "extra-index-url", "find-links"):
        assert ours.get(name, "").split() == pips.get(name, "").split(), name
    assert ours["timeout"] == "30"
    assert ours["trusted-host"] == "new"
    write(user / "own.conf", "[global]\ntimeout = 40\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(user / "own.conf"))
    assert pip_options().get("extra-index-url") == said_by_pip().get("extra-index-url") is None
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert pip_options() == {"trusted-host": "new"}


def test_uv_is_told_all_of_it(user: Path, tmp_path: Path) -> None:
    links = tmp_path / "wheels, of ours"
    links.mkdir()
    write(
        user / "explicit.conf",
        "[global]\nindex-url = https://main/simple\nextra-index-url = https://a/simple https://b/simple\n"
        f"find-links =\n  {tmp_path / 'gone'}\n  {links.as_uri()}\n  https://c/links.html\n"
        "trusted-host = a b:8080\ntimeout = 99\nproxy = http://proxy:3128\ncert = ~/ca.pem\n",
    )
    told = sources(
        {name: value for name, value in os.environ.items() if "SSL" not in name and "PROXY" not in name}
    )
    assert told.options == ()
    assert told.envs == {
        "UV_DEFAULT_INDEX": "https://main/simple",
        "UV_INDEX": "https://a/simple https://b/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": f"{links.as_uri().replace(',', '%2C')},https://c/links.html",
        "UV_INSECURE_HOST": "a b:8080",
        "UV_HTTP_TIMEOUT": "99",
        "HTTPS_PROXY": "http://proxy:3128",
        "HTTP_PROXY": "http://proxy:3128",
        "SSL_CERT_FILE": str(user / "ca.pem"),
    }


def test_what_the_user_has_told_uv_goes_first(user: Path) -> None:
    write(user / "explicit.conf", "[global]\nindex-url = https://main/simple\n")
    assert "UV_DEFAULT_INDEX" in sources().envs
    assert not sources({**os.environ, "UV_INDEX": "https://other/simple"}).envs
    write(user / ".config/uv/uv.toml", 'python-preference = "system"\n')
    assert "UV_DEFAULT_INDEX" in sources().envs
    write(user / ".config/uv/uv.toml", '[[index]]\nurl = "https://other/simple"\ndefault = true\n')
    assert not sources().envs


def test_credentials_are_taken_out_of_lines() -> None:
    told = Sources({"UV_INDEX": f"https://host/{TOKEN}/simple https://me:{PASSWORD}@host/simple"})
    line = told.redacted(f"GET https://me:{PASSWORD}@host/simple/x and https://host/{TOKEN}/simple/x")
    assert line == "GET https://****@host/simple/x and https://host/****/simple/x"
    assert PASSWORD not in repr(told)


@pytest.mark.parametrize("how", ["file", "variable"])
def test_a_wheel_of_the_users_folder_is_found(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    pack(tmp_path / "wheels", "onlyhere", {"onlyhere.py": ""})
    home = Home(tmp_path / "home")
    if how == "file":
        write(user / "explicit.conf", f"[global]\nno-index = true\nfind-links = {tmp_path / 'wheels'}\n")
    else:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    made = prepare(home, "onlyhere==1.0")
    assert list(made.path.glob("lib/python*/site-packages/onlyhere.py"))


class Index(BaseHTTPRequestHandler):
    """A package index that wants a password."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
        if self.headers["Authorization"] != wanted:
            self.answer(401, b"who are you?")
        elif self.path == f"/{TOKEN}/simple/ofthecompany/":
            links = "".join(
                f'<a href="../../files/{file.name}">{file.name}</a>' for file in self.folder.iterdir()
            )
            self.answer(200, links.encode())
        elif self.path.startswith(f"/{TOKEN}/files/"):
            self.answer(200, (self.folder / self.path.rpartition("/")[2]).read_bytes())
        else:
            self.answer(404, b"")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if b"<a " in body else "application/octet-stream")
        self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing is written."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """URL of a company's index, with user and password."""
    pack(tmp_path / "index", "ofthecompany", {"ofthecompany.py": ""})
    server = HTTPServer(("127.0.0.1", 0), functools.partial(Index, tmp_path / "index"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://me:{PASSWORD}@127.0.0.1:{server.server_port}/{TOKEN}/simple"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_companys_index_is_asked_and_its_password_stays_secret(
    user: Path, tmp_path: Path, index: str
) -> None:
    write(user / "explicit.conf", f"[global]\nindex-url = {index}\n")
    home = Home(tmp_path / "home")
    lines: list[str] = []
    made = prepare(home, "ofthecompany==1.0", log=lines.append)
    assert list(made.path.glob("lib/python*/site-packages/ofthecompany.py"))
    with pytest.raises(EnvironmentBuildError) as caught:
        prepare(home, "ofthecompany==2.0", log=lines.append)
    written = "\n".join([*lines, str(caught.value), caught.value.log])
    assert "ofthecompany" in written
    assert PASSWORD not in written
    assert TOKEN not in written
    for file in made.path.rglob("*"):
        if file.is_file() and file.suffix in (".txt", ".cfg", ".json", ""):
            assert PASSWORD.encode() not in file.read_bytes(), file
