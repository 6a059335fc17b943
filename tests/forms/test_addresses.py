"""Addresses and tokens as they are typed: what is none is said before anything is sent, and not repeated."""

from __future__ import annotations

import traceback

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bento_jupyter as bj
from bento_jupyter.client import contexts
from bento_jupyter.client.addresses import checked_endpoint, checked_token
from bento_jupyter.errors import CloudUnreachableError, ConflictError, InvalidRequestError
from bento_jupyter.forms.login_form import LoginForm


@pytest.mark.parametrize(
    ("typed", "used"),
    [
        ("https://cloud.bentoml.com", "https://cloud.bentoml.com"),
        (" HTTPS://Cloud.BentoML.com/ ", "https://cloud.bentoml.com/"),
        ("http://127.0.0.1:8265", "http://127.0.0.1:8265"),
        ("http://[::1]:80/a", "http://[::1]/a"),
        ("https://hub.example/user/ada/cloud", "https://hub.example/user/ada/cloud"),
    ],
)
def test_an_address_is_used_as_it_is_meant(typed: str, used: str) -> None:
    assert checked_endpoint(typed) == used


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "nonsense",
        "cloud.bentoml.com",
        "https://",
        "http:// x",
        "https://a b",
        "https://a/b c",
        "https://a\nb",
        "https://a:b",
        "https://[v1.a]",
        "https://a%2Fb",
        "https://a:99999",
        "ftp://a",
        "https://user:s3cret@a",
        "https://:s3cret@a",
        "https://s3cret@a",
        "https://a?token=s3cret",
        "https://a#s3cret",
        "https://[::1",
        "https://user:s3cret",
        "https://user:s3cret@\u2100.example",
        "https://a..example",
        "https://.",
        f"https://{'a' * 64}.example",
        "https://\u0640.example",
        "https://xn--a",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(InvalidRequestError, match="not the address of a cloud") as refused:
        bj.connect(typed, token="t0ken")
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))


@given(st.text("aü.-_[]:%@/1 \u0640", max_size=20) | st.text(max_size=20))
def test_an_address_that_is_taken_can_be_asked_and_is_taken_again(typed: str) -> None:
    try:
        used = checked_endpoint(f"https://{typed}")
    except InvalidRequestError:
        return
    assert checked_endpoint(used) == used
    httpx.URL(used).raw_host.decode("ascii").encode("idna")


def test_a_cloud_is_known_however_its_address_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = contexts.Context("Up", "HTTP://LocalHost:9/", "t0ken")
    monkeypatch.setattr(contexts, "known", lambda: [kept])
    for context in (None, "Up"):
        with pytest.raises(CloudUnreachableError):  # not: there is no token, or the name is taken
            bj.connect("http://localhost:9", context=context)
    with pytest.raises(ConflictError):
        bj.connect("http://localhost:10", context="Up")


@pytest.mark.parametrize("token", ["t0ken\nin lines", "t0k\u00e9n"])
def test_a_token_that_is_kept_and_cannot_be_one_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr(contexts, "known", lambda: [contexts.Context("odd", "http://127.0.0.1:9", token)])
    with pytest.raises(InvalidRequestError, match="no token has") as refused:
        bj.connect(context="odd")
    assert token not in str(refused.value)


@pytest.mark.parametrize("typed", ["two words", "line\nbreak", "ümlaut", "nul\0", "tab\there"])
def test_what_can_be_no_token_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(InvalidRequestError, match="no token has") as refused:
        bj.connect("http://127.0.0.1:9", token=typed)
    assert typed not in str(refused.value)


@given(st.text(max_size=20))
def test_a_token_that_is_taken_can_be_sent(typed: str) -> None:
    try:
        token = checked_token(typed)
    except InvalidRequestError:
        return
    assert token.isascii()
    assert token == "".join(token.split())


def test_the_login_form_shows_code_only_of_what_can_be_done_and_no_secret() -> None:
    form = LoginForm()
    try:
        form.which.value = "embedded"
        assert (form.line, form.call) == ("%bento_login", "bj.connect()")
        form.which.value = ""
        for typed in ("nonsense", "https://user:s3cret@a.example"):
            form.endpoint.value = typed
            assert (form.line, form.call, form.submit.disabled) == ("", "", True)
            assert "s3cret" not in repr(form.rows()) + form.code.value + form.endpoint.problem
        form.endpoint.value = "HTTPS://A.example"
        assert (form.line, form.call) == (
            "%bento_login https://a.example",
            "bj.connect('https://a.example')",
        )
        assert not form.submit.disabled
        form.token.widget.set_state({"value": "s3cret with a space"})
        assert "no token has" in form.token.problem
        assert form.submit.disabled
        form.token.widget.set_state({"value": "s3cret"})
        assert form.call.endswith("token=getpass('API token: '), context='a.example')")
        compile(form.call, "call", "exec")
        assert not form.submit.disabled
    finally:
        form.close()
    assert form.token.value == ""
