"""Rows A1-A4 of the contract: logging in, and who one is."""

from __future__ import annotations


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
