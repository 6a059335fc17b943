"""Rows A1-A4 of the contract: logging in, and who one is."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import sys

import httpx
import yaml


def test_the_client_is_told_who_it_is_and_where(cloud):
    """A3, A4."""
    user = cloud.http.get("/api/v1/auth/current").raise_for_status().json()
    assert {"name", "email", "first_name", "last_name"} <= set(user)
    assert cloud.http.get("/api/v1/current_org").raise_for_status().json()["name"]


def test_login_with_a_wrong_token_says_bad_credentials(cloud, bentoml, name):
    login = ("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", "wrong", "--context", name)
    done = bentoml(*login, check=False)
    assert done.returncode == 1
    assert "Bad credentials" in done.stdout + done.stderr


def test_the_context_that_is_logged_in_is_the_current_one(cloud, bentoml):
    assert cloud.endpoint in bentoml("cloud", "current-context").stdout


def test_contexts_are_listed_and_changed(cloud, bentoml, name):
    login = ("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", cloud.token)
    bentoml(*login, "--context", name)
    try:
        assert name in bentoml("cloud", "list-context").stdout
    finally:
        bentoml("cloud", "update-current-context", "default")


def test_the_browser_login_waits_for_the_page_and_gets_a_token_of_its_own(embedded, name, eventually):
    """A1, A2: the client asks for a code, sends the browser to a page, and polls until that allows it."""
    ours, theirs = pty.openpty()
    words = ("-m", "bentoml", "cloud", "login", "--endpoint", embedded.endpoint)
    environment = {**embedded.environment, "BENTOML_HOME": str(embedded.bentoml_home / name), "TERM": "xterm"}
    client = subprocess.Popen(
        [sys.executable, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        cwd=embedded.home,
    )
    os.close(theirs)
    said = ""

    def says(words: str) -> bool:
        nonlocal said
        if select.select([ours], [], [], 0.1)[0]:
            try:
                said += os.read(ours, 65536).decode(errors="replace")
            except OSError:  # it has ended
                return True
        return words in said

    def press(keys: bytes, then: str) -> None:
        """Press keys, again when the prompt was not ready: it throws away what came before it reads."""
        for patience in (3, 3, 3, 30):
            os.write(ours, keys)
            with contextlib.suppress(AssertionError):
                eventually(lambda: says(then), patience)
                return
        raise AssertionError(said)

    try:
        eventually(lambda: says("Paste an existing API token"), 30)
        press(b"\r", "in your browser?")
        press(b"n\r", "Waiting for authentication")
        code = re.search(r"/api_tokens\?code=([\w-]+)", said).group(1)
        allow(embedded, code)
        eventually(lambda: says("Configured BentoCloud credentials"), 30)
        assert client.wait(timeout=30) == 0, said
    finally:
        client.kill()
        client.wait()
        os.close(ours)
    (context,) = yaml.safe_load((embedded.bentoml_home / name / ".yatai.yaml").read_text())["contexts"]
    assert context["api_token"] not in ("", embedded.token)
    headers = {"X-YATAI-API-TOKEN": context["api_token"]}
    assert httpx.get(f"{embedded.endpoint}/api/v1/auth/current", headers=headers).status_code == 200


def allow(cloud, code: str) -> None:
    """What the owner does in the browser."""
    with httpx.Client(base_url=cloud.endpoint, trust_env=False, follow_redirects=True) as browser:
        page = browser.get("/api_tokens", params={"code": code})
        page = browser.post(page.url, data={**hidden(page.text), "token": cloud.token})
        page = browser.get("/api_tokens", params={"code": code})
        assert browser.post(page.url, data=hidden(page.text)).status_code == 200


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return {
        field.group(1): field.group(2)
        for field in re.finditer(
            r"""<input type=["']?hidden["']? name=["']?([\w-]+)["']? value=["']?([^"'>]*)""", page
        )
    }
