"""What the store keeps: the schema, packages, deployments, events and tokens."""

from __future__ import annotations

import io
import shutil
import tarfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from bento_jupyter.cloud.ports import bind_control_plane, free_deployment_port
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.cloud.store import Store
from bento_jupyter.cloud.store.database import Database
from bento_jupyter.cloud.store.events import Events
from bento_jupyter.cloud.store.tables import Base
from bento_jupyter.errors import ConflictError, InvalidRequestError, NotFoundError
from bento_jupyter.home import Home
from bento_jupyter.spec import utc_now


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def store(home):
    opened = Store.open(home)
    yield opened
    opened.close()


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "any.db")
    yield opened
    opened.close()


def tar_of(**files: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("_yaml", ".yaml"))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content.encode()))
    return target.getvalue()


def push(packages, name: str, version: str, content: bytes, manifest: dict | None = None):
    packages.create_repository(name)
    if packages.get(name, version) is None:
        packages.create(name, version, manifest=manifest or {})
    with packages.receive() as upload:
        upload.write(content)
        return packages.store_content(name, version, upload)


def deploy(store, name: str, port: int = 21000, **config):
    return store.deployments.create(name=name, bento="b:v1", config=config, port=port, creator="me")


# The schema


def test_the_migrations_come_to_the_tables_of_the_code(database):
    with database.engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_database_is_kept_safe_by_its_pragmas(database):
    with database.read() as session:
        found = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10000}


def test_threads_that_write_at_once_all_succeed(store):
    def append(thread: int) -> None:
        for number in range(25):
            store.events.append("cloud", str(thread), str(number))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = store.events.since(0)
    assert [event.id for event in written] == list(range(1, 101))
    for thread in range(4):
        assert [event.message for event in written if event.name == str(thread)] == [
            str(n) for n in range(25)
        ]


# Packages


def test_a_push_is_there_whole_after_a_reopen(home, store):
    push(store.bentos, "iris", "v1", tar_of(bento_yaml="b"), {"service": "s:S"})
    store.close()
    again = Store.open(home)
    record = again.bentos.require_content("iris", "v1")
    assert (record.tag, record.manifest, len(record.digest)) == ("iris:v1", {"service": "s:S"}, 64)
    assert again.bentos.archive("iris", "v1").file.read_bytes() == tar_of(bento_yaml="b")
    again.close()


def test_a_refused_upload_leaves_no_trace_on_the_disk(home, store):
    with pytest.raises(InvalidRequestError):
        push(store.bentos, "iris", "v1", tar_of(other="x"))
    assert list(home.cloud.glob("incoming/*")) == list(home.cloud.glob("blobs/*")) == []
    assert store.bentos.require("iris", "v1").upload_status == "failed"
    assert push(store.bentos, "iris", "v1", tar_of(bento_yaml="b")).is_complete


def test_new_content_replaces_the_old_and_the_old_blob_goes_at_the_next_opening(home, store):
    old = push(store.bentos, "iris", "v1", tar_of(bento_yaml="old"))
    running_from = store.bentos.directory("iris", "v1")
    handle = (running_from / "bento.yaml").open()
    new = push(store.bentos, "iris", "v1", tar_of(bento_yaml="new"))
    assert (store.bentos.directory("iris", "v1") / "bento.yaml").read_text() == "new"
    with handle:
        assert handle.read() == "old"
    store.close()
    Store.open(home).close()
    assert {path.stem for path in home.cloud.glob("blobs/*.tar")} == {new.digest}
    assert old.digest != new.digest


def test_the_same_content_again_leaves_the_folder_alone(store):
    push(store.bentos, "iris", "v1", tar_of(bento_yaml="b"))
    before = store.bentos.directory("iris", "v1").stat().st_ino
    push(store.bentos, "iris", "v1", tar_of(bento_yaml="b"))
    assert store.bentos.directory("iris", "v1").stat().st_ino == before


def test_a_lost_folder_is_unpacked_again(store):
    push(store.bentos, "iris", "v1", tar_of(bento_yaml="b"))
    shutil.rmtree(store.bentos.directory("iris", "v1"))
    assert (store.bentos.directory("iris", "v1") / "bento.yaml").read_text() == "b"


def test_versions_are_listed_newest_build_first(store):
    store.bentos.create_repository("iris")
    now = utc_now()
    for version, age in (("old", 3), ("new", 1), ("middle", 2)):
        store.bentos.create("iris", version, manifest={}, build_at=now - timedelta(hours=age))
    assert [record.version for record in store.bentos.all("iris")] == ["new", "middle", "old"]


def test_a_servable_folder_has_the_models_and_the_newest_is_the_latest(store):
    now = utc_now()
    store.models.create_repository("clf")
    for version, age in (("m2", 1), ("m1", 2)):
        store.models.create("clf", version, manifest={}, build_at=now - timedelta(hours=age))
        push(store.models, "clf", version, tar_of(model_yaml="m", weights=version))
    push(store.bentos, "iris", "v1", tar_of(bento_yaml="b"), {"models": ["clf:m2", "clf:m1"]})
    for _ in range(2):
        folder = store.bento_directory("iris", "v1")
        assert (folder / "bento.yaml").is_file()
        assert (folder / "models/clf/m1/weights").read_text() == "m1"
        assert (folder / "models/clf/latest").read_text() == "m2"
        assert {path.name for path in (folder / "models/clf").iterdir()} == {"m1", "m2", "latest"}


def test_a_bento_without_its_model_cannot_be_served(store):
    push(store.bentos, "iris", "v1", tar_of(bento_yaml="b"), {"models": ["clf:m1"]})
    with pytest.raises(NotFoundError, match="clf:m1"):
        store.bento_directory("iris", "v1")
    store.models.create_repository("clf")
    store.models.create("clf", "m1", manifest={})
    with pytest.raises(ConflictError, match="not uploaded"):
        store.require_servable("iris", "v1")


def test_a_model_of_another_registry_is_never_waited_for(store):
    store.models.create_repository("llm")
    store.models.create("llm", "m1", manifest={"metadata": {"registry": "huggingface"}})
    push(store.bentos, "iris", "v1", tar_of(bento_yaml="b"), {"models": ["llm:m1"]})
    assert not (store.bento_directory("iris", "v1") / "models").exists()


# Deployments


def test_a_deployment_keeps_its_port_and_uid_over_revisions(store):
    first = deploy(store, "iris", labels=[])
    second = store.deployments.update("iris", bento="b:v2", config={"labels": [1]})
    assert (first.revision, second.revision) == (1, 2)
    assert (second.uid, second.port, second.created_at) == (first.uid, first.port, first.created_at)
    assert (second.bento, second.config) == ("b:v2", {"labels": [1]})
    assert second.revision_uid != first.revision_uid
    assert second.updated_at > first.updated_at
    assert store.deployments.all() == [second]


def test_a_terminated_deployment_is_started_as_it_was_or_by_an_update(store):
    before = deploy(store, "iris")
    assert store.deployments.terminate("iris").terminated
    again = store.deployments.start("iris")
    assert (again.terminated, again.revision_uid) == (False, before.revision_uid)
    store.deployments.terminate("iris")
    assert not store.deployments.update("iris", bento="b:v1", config={}).terminated


def test_names_are_unique_and_free_again_after_deletion(store):
    first = deploy(store, "iris")
    with pytest.raises(ConflictError):
        deploy(store, "iris", 21001)
    store.deployments.delete("iris")
    assert store.deployments.get("iris") is None
    second = deploy(store, "iris")
    assert (second.revision, second.uid != first.uid) == (1, True)
    for action in ("terminate", "start", "delete"):
        with pytest.raises(NotFoundError):
            getattr(store.deployments, action)("nobody")


def test_ports_are_free_and_differ(home):
    settings = CloudSettings(home=home, first_deployment_port=21500, last_deployment_port=21503)
    taken: set[int] = set()
    home.create()
    with bind_control_plane(CloudSettings(home=home)) as listener:
        bound = listener.getsockname()[1]
        alone = CloudSettings(home=home, first_deployment_port=bound, last_deployment_port=bound)
        with pytest.raises(ConflictError):
            free_deployment_port(alone, set())
        with pytest.raises(ConflictError, match="cannot listen"):
            bind_control_plane(CloudSettings(home=home, port=bound))
    while True:
        try:
            port = free_deployment_port(settings, taken)
        except ConflictError:
            break
        assert port not in taken
        assert 21500 <= port <= 21503
        taken.add(port)
    assert taken


# Events and tokens


def test_event_ids_grow_and_the_oldest_events_go(database):
    events = Events(database, keep=10)
    ids = [events.append("cloud", "", str(number)).id for number in range(25)]
    assert ids == list(range(1, 26))
    assert [event.id for event in events.since(0)] == list(range(16, 26))
    assert [event.id for event in events.since(23)] == [24, 25]
    assert (events.forgotten, events.last_id()) == (15, 25)
    assert Events(database, keep=10).forgotten == 15


def test_of_events_that_only_count_the_newest_of_a_deployment_is_kept(database):
    events = Events(database, keep=10)
    first = events.append("deployment", "iris", "running", revision=1)
    for _ in range(50):
        events.append("deployment", "iris", "")
        events.append("deployment", "other", "")
    assert [(event.name, event.message) for event in events.since(0)] == [
        ("iris", "running"),
        ("iris", ""),
        ("other", ""),
    ]
    assert events.forgotten == 0
    again = Events(database, keep=10)
    again.append("deployment", "iris", "")
    assert len(again.since(0)) == 3
    assert again.of("iris", first.at, 10) == [first]
    assert again.of("iris", first.at + timedelta(seconds=1), 10) == []


def test_revisions_are_kept_with_why_they_were_made(store):
    deploy(store, "iris", envs=[])
    store.deployments.update("iris", bento="b:v2", config={"envs": []}, note="because")
    assert [
        (each.number, each.bento, each.active, each.note) for each in store.deployments.revisions("iris")
    ] == [
        (1, "b:v1", False, ""),
        (2, "b:v2", True, "because"),
    ]
    with pytest.raises(NotFoundError):
        store.deployments.revisions("nobody")


def test_deployments_are_read_in_pages_newest_first(store):
    for number in range(5):
        deploy(store, f"iris-{number}", 21000 + number)
    deploy(store, "100%_sure", 22000)
    store.deployments.update("iris-3", bento="b:v2", config={})
    records, total = store.deployments.page(1, 2)
    assert ([record.name for record in records], total) == (["iris-4", "iris-3"], 6)
    assert records[1].bento == "b:v2"
    assert store.deployments.page(0, 0) == ([], 6)
    assert [record.name for record in store.deployments.page(0, 9, "%_")[0]] == ["100%_sure"]
    store.deployments.terminate("iris-0")
    assert (store.deployments.count(terminated=True), store.deployments.count(terminated=False)) == (1, 5)
    assert store.deployments.ports() == {*range(21000, 21005), 22000}


def test_a_restart_is_counted_and_starts_what_was_terminated(store):
    deploy(store, "iris")
    store.deployments.terminate("iris")
    record = store.deployments.restart("iris")
    assert (record.restarts, record.terminated, record.revision) == (1, False, 1)


def test_an_event_id_is_never_used_twice(database):
    events = Events(database)
    last = events.append("cloud", "", "").id
    with database.write() as session:
        session.execute(text("DELETE FROM events"))
    assert events.append("cloud", "", "").id == last + 1


def test_the_owners_token_is_made_once_and_always_good(home, store):
    token = home.token_file.read_text()
    owner = store.tokens.verify(token)
    assert owner is not None
    assert owner.scopes == ("api",)
    assert store.tokens.verify(token[:-1]) is None
    assert store.tokens.verify("") is None
    store.close()
    again = Store.open(home)
    assert home.token_file.read_text() == token
    assert again.tokens.verify(token) is not None
    again.close()


def test_a_token_that_has_expired_opens_nothing(store):
    record, value = store.tokens.create(name="soon", expired_at=utc_now() + timedelta(milliseconds=50))
    deadline = threading.Event()
    while utc_now() <= record.expired_at:
        deadline.wait(0.01)
    assert store.tokens.verify(value) is None
    assert len(store.tokens.hashes()) == 1


def test_only_tokens_with_access_to_endpoints_are_given_to_the_gateway(store):
    store.tokens.create(name="reader", scopes=["read_organization"])
    assert len(store.tokens.hashes()) == 1
    record, value = store.tokens.create(name="caller", scopes=["read_cluster"])
    assert len(store.tokens.hashes()) == 2
    verified = store.tokens.verify(value)
    assert verified is not None
    assert (verified.uid, verified.ending) == (record.uid, value[-4:])
    store.tokens.delete(record.uid)
    assert len(store.tokens.hashes()) == 1


def test_migrations_are_files_of_the_package():
    import bento_jupyter.cloud.store.migrations as package

    versions = Path(package.__file__).parent / "versions"
    assert sorted(path.name for path in versions.glob("0*.py"))[0] == "0001_first.py"
