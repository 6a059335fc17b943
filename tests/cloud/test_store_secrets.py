"""Secrets in the store: what can be one, who uses it, and what it comes to."""

from __future__ import annotations

import asyncio
import http.server
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bento_jupyter.cloud.images import Images, Recipe
from bento_jupyter.cloud.store import SecretItem, Store
from bento_jupyter.cloud.store.secrets import LARGEST_SECRET, LONGEST_ENV, ResolvedSecrets, file_path
from bento_jupyter.environments import environment_key, this_minor
from bento_jupyter.errors import ConflictError, EnvironmentBuildError, InvalidRequestError, NotFoundError
from bento_jupyter.home import Home


@pytest.fixture
def store(tmp_path):
    opened = Store.open(Home(tmp_path / "home"))
    yield opened
    opened.close()


def env(store: Store, name: str, **values: str) -> None:
    store.secrets.create(name, kind="env", items=[SecretItem(key, value) for key, value in values.items()])


def deploy(store: Store, name: str, *secrets: str, **config) -> None:
    store.deployments.create(
        name=name,
        bento="a:b",
        config={"secrets": list(secrets), **config},
        port=20000 + len(store.deployments.all()),
        creator="me",
    )


def test_a_secret_comes_to_its_values_at_its_stages(store):
    env(store, "a", KEY="1")
    store.secrets.create("b", kind="env", items=[SecretItem("TOKEN", "2")], stage="build")
    store.secrets.create("c", kind="mountfile", items=[SecretItem("k", "3", "s")], path="p", stage="all")
    both = ["a", "b", "c", "a"]
    assert store.secrets.resolve(both, "runtime") == ResolvedSecrets({"KEY": "1"}, {"p/s/k": b"3"})
    assert store.secrets.resolve(both, "build") == ResolvedSecrets({"TOKEN": "2"}, {"p/s/k": b"3"})


def test_a_record_and_what_it_prints_has_no_value(store):
    env(store, "a", KEY="a-value")
    assert store.secrets.require("a").items == (SecretItem("KEY", None),)
    assert "a-value" not in repr(store.secrets.resolve(["a"], "runtime"))
    assert "a-value" not in repr(SecretItem("KEY", "a-value"))


def test_a_deployment_cannot_have_a_secret_that_is_not_there(store):
    with pytest.raises(InvalidRequestError, match="there is no secret 'nope'"):
        deploy(store, "one", "nope")
    assert store.deployments.all() == []
    deploy(store, "two")
    with pytest.raises(InvalidRequestError, match="there is no secret 'nope'"):
        store.deployments.update("two", bento="a:b", config={"secrets": ["nope"]})
    canary = {"versions": {"next": {"secrets": ["nope"]}}}
    with pytest.raises(InvalidRequestError, match="there is no secret 'nope'"):
        store.deployments.update("two", bento="a:b", config={"secrets": [], "canary": canary})


def test_secrets_of_one_deployment_do_not_say_the_same_thing(store):
    env(store, "a", KEY="1")
    env(store, "b", KEY="1")
    store.secrets.create("file", kind="mountfile", items=[SecretItem("x", "1")], path="$BENTOML_HOME/k")
    store.secrets.create("below", kind="mountfile", items=[SecretItem("y", "1")], path="k/x")
    store.secrets.create("at-build", kind="env", items=[SecretItem("KEY", "1")], stage="build")
    with pytest.raises(InvalidRequestError, match="'a' and 'b' both have KEY"):
        deploy(store, "one", "a", "b")
    with pytest.raises(InvalidRequestError, match="'file' and 'below' both have"):
        deploy(store, "one", "file", "below")
    deploy(store, "one", "a", "at-build", "file")


def test_files_need_the_home_that_the_cloud_gives(store):
    store.secrets.create("file", kind="mountfile", items=[SecretItem("x", "1")])
    with pytest.raises(InvalidRequestError, match="BENTOML_HOME"):
        deploy(store, "one", "file", envs=[{"name": "BENTOML_HOME", "value": "/tmp"}])
    with pytest.raises(InvalidRequestError, match="BENTOML_HOME"):
        env(store, "b", BENTOML_HOME="/tmp")


def test_a_secret_that_is_used_stays(store):
    env(store, "a", KEY="1")
    deploy(store, "one", "a")
    deploy(store, "two", canary={"versions": {"next": {"secrets": ["a"]}}})
    with pytest.raises(ConflictError, match="'one', 'two'"):
        store.secrets.delete("a")
    store.deployments.terminate("one")
    store.deployments.delete("two")
    with pytest.raises(ConflictError, match="'one'"):
        store.secrets.delete("a")
    store.deployments.update("one", bento="a:b", config={"secrets": []})
    store.secrets.delete("a")
    with pytest.raises(NotFoundError):
        store.secrets.require("a")


def test_a_change_that_breaks_a_deployment_is_refused_and_changes_nothing(store):
    env(store, "a", KEY="1")
    env(store, "b", OTHER="2")
    deploy(store, "one", "a", "b")
    with pytest.raises(ConflictError, match=r"'one' uses it.*'a' and 'b'.*KEY"):
        store.secrets.update("b", kind="env", items=[SecretItem("KEY", "2")])
    assert store.secrets.resolve(["a", "b"], "runtime").envs == {"KEY": "1", "OTHER": "2"}


def test_a_value_that_is_not_sent_is_kept(store):
    env(store, "a", KEY="1", OTHER="2")
    store.secrets.update("a", kind="env", items=[SecretItem("KEY", None), SecretItem("NEW", "3")])
    assert store.secrets.resolve(["a"], "runtime").envs == {"KEY": "1", "NEW": "3"}
    with pytest.raises(InvalidRequestError, match="'GONE' has no value"):
        store.secrets.update("a", kind="env", items=[SecretItem("GONE", None)])


@pytest.mark.parametrize(
    ("kind", "items", "path"),
    [
        ("env", [], ""),
        ("env", [SecretItem("1KEY", "v")], ""),
        ("env", [SecretItem("KEY", "v\0")], ""),
        ("env", [SecretItem("KEY", "v"), SecretItem("KEY", "v")], ""),
        ("env", [SecretItem("KEY", "v" * LONGEST_ENV)], ""),
        ("env", [SecretItem("KEY", None)], ""),
        ("mountfile", [SecretItem("k", "v" * (LARGEST_SECRET + 1))], ""),
        ("mountfile", [SecretItem("k", "v"), SecretItem("b", "v", "k")], ""),
        ("mountfile", [SecretItem("models", "v")], ""),
        ("mountfile", [SecretItem("k", "v")], "$BENTOML_HOME/models/x"),
        ("mountfile", [SecretItem("k", "v")], "/etc"),
        ("mountfile", [SecretItem("k", "v")], "~/x"),
        ("mountfile", [SecretItem("k", "v")], "$HOME"),
        ("mountfile", [SecretItem("k", "v")], "$BENTOML_HOMEx"),
        ("mountfile", [SecretItem("k" * 300, "v")], ""),
        ("mountfile", [SecretItem("k\0", "v")], ""),
    ],
)
def test_what_cannot_be_given_to_an_instance_is_refused(store, kind, items, path):
    with pytest.raises(InvalidRequestError):
        store.secrets.create("a", kind=kind, items=items, path=path)
    assert store.secrets.all() == []


def test_the_longest_variable_can_be_given(store):
    env(store, "a", KEY="v" * (LONGEST_ENV - 4))


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "a" * 129, "ä", "a\n"])
def test_a_name_is_one_word(store, name):
    with pytest.raises(InvalidRequestError):
        env(store, name, KEY="1")


@pytest.mark.parametrize(
    ("path", "sub_path", "expected"),
    [
        ("$BENTOML_HOME/demo", "secrets/password", "demo/secrets/password/KEY"),
        ("$BENTOML_HOME", "", "KEY"),
        ("${BENTOML_HOME}/a/", "b/", "a/b/KEY"),
        ("/home/bentoml/a", "", "a/KEY"),
        ("a/./b", "", "a/b/KEY"),
        ("", "", "KEY"),
    ],
)
def test_where_a_file_is_put(path, sub_path, expected):
    assert file_path(path, sub_path, "KEY") == expected


PIECES = st.text(st.sampled_from("ab./~$\\\0 é"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["", "$BENTOML_HOME", "/home/bentoml", "${BENTOML_HOME}/"]), PIECES, PIECES, PIECES)
def test_a_file_is_below_the_home_or_refused(tmp_path_factory, root, path, sub_path, key):
    try:
        found = file_path(root + path, sub_path, key)
    except InvalidRequestError:
        return
    home = tmp_path_factory.getbasetemp()
    assert (home / found).resolve().is_relative_to(home.resolve())
    assert (home / found).resolve() != home.resolve()


def test_a_build_may_use_its_secrets_and_its_log_does_not_tell_them(tmp_path):
    """uv fills `${NAME}` in a requirements file with variables of its environment."""
    asked: list[str] = []

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    requirements = f"thing @ {address}/${{INDEX_TOKEN}}/thing-1.0-py3-none-any.whl\n"
    recipe = Recipe(environment_key(requirements, this_minor()), requirements, this_minor(), tmp_path)
    home = Home(tmp_path / "home")
    home.create()
    images = Images(home)
    secrets = ResolvedSecrets({"INDEX_TOKEN": "tok3n word"}, {"netrc": b"machine x"})
    try:
        with pytest.raises(EnvironmentBuildError) as caught:
            asyncio.run(images.ensure(recipe, secrets))
    finally:
        server.shutdown()
        server.server_close()
    assert any("tok3n%20word" in path or "tok3n word" in path for path in asked), asked
    log = images.log_path(recipe.key).read_text()
    for text in (log, caught.value.message, caught.value.log, images.view(recipe.key).reason):
        assert "tok3n" not in text
    assert "****" in log
