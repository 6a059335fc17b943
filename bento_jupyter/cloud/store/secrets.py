"""Secrets: values that deployments are given and nobody is shown again.

Values are in the database, which only the owner can read, and in what `resolve` gives to those who start
instances and build images. No other answer, event, error or log has them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import ConflictError, InvalidRequestError, NotFoundError
from ...spec import utc_now
from .database import Database
from .records import SecretItem, SecretRecord
from .tables import DeploymentRow, RevisionRow, SecretRow

__all__ = ["NO_SECRETS", "ResolvedSecrets", "Secrets", "require_secrets"]

Stage = Literal["build", "runtime"]

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: How `bentoml secret create --path` names the folder that files are put below. BentoCloud's images have it
#: in /home/bentoml, so paths that were written for those mean the same.
MOUNT_ROOTS = ("$BENTOML_HOME", "${BENTOML_HOME}", "/home/bentoml")
#: What BentoML itself keeps there.
BENTOML_FOLDERS = frozenset({"bentos", "envs", "models", "tmp", "task_result.db", ".yatai.yaml"})
#: The kernel takes no longer one into an environment (`MAX_ARG_STRLEN`, with its name and a NUL).
LONGEST_ENV = 128 * 1024 - 1
#: As Kubernetes bounds a secret.
LARGEST_SECRET = 1024 * 1024
MOST_ITEMS = 500


@dataclass(frozen=True)
class ResolvedSecrets:
    """What some secrets come to.

    Attributes:
        envs: Environment variables.
        files: Content by path below `BENTOML_HOME`.
    """

    envs: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


NO_SECRETS = ResolvedSecrets()


class Secrets:
    """All secrets of the cloud.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SecretRecord]:
        """All secrets, newest first."""
        with self._database.read() as session:
            rows = session.scalars(select(SecretRow).order_by(SecretRow.created_at.desc()))
            return [_record(row) for row in rows]

    def require(self, name: str) -> SecretRecord:
        """The secret of this name.

        Raises:
            NotFoundError: There is none.
        """
        with self._database.read() as session:
            return _record(_require(session, name))

    def create(
        self,
        name: str,
        *,
        kind: str,
        items: Sequence[SecretItem],
        path: str = "",
        stage: str = "runtime",
        description: str = "",
        creator: str = "",
    ) -> SecretRecord:
        """Make a secret.

        Args:
            name: Its name.
            kind: `env` or `mountfile`.
            items: Its keys with their values.
            path: Folder of its files, below `$BENTOML_HOME`.
            stage: Where it is given: `build`, `runtime` or `all`.
            description: In words.
            creator: Who makes it.

        Raises:
            ConflictError: The name is taken.
            InvalidRequestError: A key, path or value that cannot be.
        """
        if not NAME.fullmatch(name):
            raise InvalidRequestError(
                f"{name!r} cannot be a secret's name: letters, digits, '.', '_' and '-', at most 128, "
                "first and last a letter or digit"
            )
        _check_items(kind, path, items)
        with self._database.write() as session:
            if _find(session, name) is not None:
                raise ConflictError(
                    f"there is a secret {name!r} already", hint=f"change it: bentoml secret apply {name}"
                )
            row = SecretRow(
                name=name,
                kind=kind,
                items=_stored(items),
                path=path,
                stage=stage,
                description=description,
                creator=creator,
            )
            session.add(row)
            session.flush()
            return _record(row)

    def update(
        self,
        name: str,
        *,
        kind: str,
        items: Sequence[SecretItem],
        path: str = "",
        stage: str = "runtime",
        description: str | None = None,
    ) -> SecretRecord:
        """Give a secret other content. Instances that run keep what they have until they are started anew.

        Args:
            name: Its name.
            kind: `env` or `mountfile`.
            items: Its keys; a value None is kept as it is.
            path: Folder of its files, below `$BENTOML_HOME`.
            stage: Where it is given.
            description: In words; None = as it is.

        Raises:
            NotFoundError: There is none of this name.
            InvalidRequestError: A key, path or value that cannot be.
            ConflictError: A deployment has it together with another secret that says the same thing.
        """
        with self._database.write() as session:
            row = _require(session, name)
            kept = {item["key"]: item["value"] for item in row.items}
            items = [
                SecretItem(item.key, kept.get(item.key) if item.value is None else item.value, item.sub_path)
                for item in items
            ]
            _check_items(kind, path, items)
            row.kind, row.path, row.stage, row.items = kind, path, stage, _stored(items)
            if description is not None:
                row.description = description
            row.updated_at = utc_now()
            session.flush()
            for deployment, config in _users(session, name):
                try:
                    require_secrets(session, config)
                except InvalidRequestError as error:
                    raise ConflictError(f"deployment {deployment!r} uses it: {error.message}") from error
            return _record(row)

    def delete(self, name: str) -> None:
        """Forget a secret.

        Raises:
            NotFoundError: There is none of this name.
            ConflictError: A deployment uses it.
        """
        with self._database.write() as session:
            row = _require(session, name)
            users = sorted(deployment for deployment, _ in _users(session, name))
            if users:
                raise ConflictError(
                    f"secret {name!r} is used by deployment {', '.join(map(repr, users))}",
                    hint="update or delete the deployment first",
                )
            session.delete(row)

    def resolve(self, names: Sequence[str], stage: Stage) -> ResolvedSecrets:
        """What these secrets come to at one stage.

        Raises:
            InvalidRequestError: There is none of some name, or two say the same thing.
        """
        with self._database.read() as session:
            return _resolve(session, names, stage)


def require_secrets(session: Session, config: Mapping[str, Any]) -> None:
    """See to it that a deployment with this configuration can be given its secrets.

    Args:
        session: In whose transaction the deployment is written.
        config: Its wire config.

    Raises:
        InvalidRequestError: There is no such secret, two of them have the same environment variable or file,
            or its files would be looked for elsewhere.
    """
    envs = {str(env["name"]) for env in config.get("envs") or []}
    for service in (config.get("services") or {}).values():
        envs |= {str(env["name"]) for env in service.get("envs") or []}
    for names in _lists(config):
        found = [_resolve(session, names, stage) for stage in ("build", "runtime")]
        if "BENTOML_HOME" in envs and any(each.files for each in found):
            raise InvalidRequestError(
                "a secret's files are put below the BENTOML_HOME that the cloud gives to each instance",
                hint="leave the environment variable BENTOML_HOME out",
            )


def file_path(path: str, sub_path: str, key: str) -> str:
    """Where below `BENTOML_HOME` a key of a secret is put as a file: `<path>/<sub_path>/<key>`.

    Raises:
        InvalidRequestError: That is elsewhere.

    Example:
        >>> file_path("$BENTOML_HOME/demo", "secrets/password", "KEY")
        'demo/secrets/password/KEY'
    """
    for root in MOUNT_ROOTS:
        if path == root or path.startswith(f"{root}/"):
            path = path.removeprefix(root).strip("/")
            break
    if path.startswith(("/", "~")) or "$" in path:
        raise InvalidRequestError(
            f"path {path!r} is not below $BENTOML_HOME",
            hint="in a shell, write it in single quotes: --path '$BENTOML_HOME/folder'",
        )
    if "/" in key:
        raise InvalidRequestError(f"key {key!r} cannot be a file's name")
    whole = PurePosixPath(path, sub_path, key)
    parts = whole.parts
    if sub_path.startswith("/") or ".." in parts or not key or key == ".":
        raise InvalidRequestError(f"key {key!r} would not be a file below $BENTOML_HOME")
    if "\0" in str(whole) or any(len(part.encode()) > 255 for part in parts) or len(str(whole)) > 1024:
        raise InvalidRequestError(f"key {key!r} cannot be a file: its path is too long, or has a NUL")
    if parts[0] in BENTOML_FOLDERS:
        raise InvalidRequestError(f"$BENTOML_HOME/{parts[0]} is BentoML's own: choose another path")
    return str(whole)


def _check_items(kind: str, path: str, items: Sequence[SecretItem]) -> None:
    if not items:
        raise InvalidRequestError("a secret needs a key with a value")
    if len(items) > MOST_ITEMS:
        raise InvalidRequestError(f"a secret has at most {MOST_ITEMS} keys")
    seen: set[str] = set()
    size = 0
    for item in items:
        if item.value is None:
            raise InvalidRequestError(f"key {item.key!r} has no value")
        if kind == "env":
            _check_env(item.key, item.value)
            place = item.key
        else:
            place = file_path(path, item.sub_path, item.key)
        if place in seen:
            raise InvalidRequestError(f"key {item.key!r} is there twice")
        seen.add(place)
        size += len(item.value.encode())
    if kind != "env" and (nested := _nested(seen)):
        raise InvalidRequestError(f"{nested[0]!r} cannot be a file and the folder of {nested[1]!r}")
    if size > LARGEST_SECRET:
        raise InvalidRequestError(f"a secret's values have at most {LARGEST_SECRET // 1024} KiB together")


def _check_env(key: str, value: str) -> None:
    if not ENV_NAME.fullmatch(key):
        raise InvalidRequestError(f"{key!r} is not a name of an environment variable")
    if key == "BENTOML_HOME":
        raise InvalidRequestError("BENTOML_HOME is given to each instance by the cloud")
    if "\0" in value:
        raise InvalidRequestError(f"the value of {key} has a NUL; only a file can")
    if len(key) + 1 + len(value.encode()) > LONGEST_ENV:
        raise InvalidRequestError(
            f"the value of {key} is too long for an environment variable", hint="mount it as a file"
        )


def _nested(paths: Iterable[str]) -> tuple[str, str] | None:
    """A path that is a folder of another one, and that other one."""
    ordered = sorted(PurePosixPath(path).parts for path in paths)
    for one, other in itertools.pairwise(ordered):
        if other[: len(one)] == one:
            return "/".join(one), "/".join(other)
    return None


def _resolve(session: Session, names: Iterable[str], stage: str) -> ResolvedSecrets:
    envs: dict[str, str] = {}
    files: dict[str, bytes] = {}
    owners: dict[str, str] = {}
    for name in dict.fromkeys(names):
        row = _find(session, name)
        if row is None:
            raise InvalidRequestError(
                f"there is no secret {name!r}", hint=f"make it: bentoml secret create {name} KEY=VALUE"
            )
        if row.stage not in (stage, "all"):
            continue
        for item in row.items:
            if row.kind == "env":
                place = what = str(item["key"])
                envs[place] = str(item["value"])
            else:
                place = file_path(row.path, item["sub_path"], item["key"])
                what = f"$BENTOML_HOME/{place}"
                files[place] = str(item["value"]).encode()
            if owners.setdefault(what, name) != name:
                raise InvalidRequestError(f"secrets {owners[what]!r} and {name!r} both have {what}")
    if nested := _nested(files):
        of_one, of_other = (owners[f"$BENTOML_HOME/{place}"] for place in nested)
        raise InvalidRequestError(
            f"secrets {of_one!r} and {of_other!r} both have $BENTOML_HOME/{nested[0]}, as a file and a folder"
        )
    return ResolvedSecrets(envs, files)


def _lists(config: Mapping[str, Any]) -> Iterator[list[str]]:
    """The lists of secrets in a configuration: of the main version, and of others."""
    yield list(config.get("secrets") or [])
    versions = (config.get("canary") or {}).get("versions") or {}
    for version in versions.values():
        yield list(version.get("secrets") or [])


def _users(session: Session, name: str) -> list[tuple[str, dict[str, Any]]]:
    """The deployments that use a secret, with their configuration."""
    query = (
        select(DeploymentRow.name, RevisionRow.config)
        .join(RevisionRow, RevisionRow.deployment_uid == DeploymentRow.uid)
        .where(RevisionRow.active)
    )
    return [
        (deployment, config)
        for deployment, config in session.execute(query)
        if any(name in names for names in _lists(config))
    ]


def _find(session: Session, name: str) -> SecretRow | None:
    return session.scalars(select(SecretRow).where(SecretRow.name == name)).one_or_none()


def _require(session: Session, name: str) -> SecretRow:
    row = _find(session, name)
    if row is None:
        raise NotFoundError(f"there is no secret {name!r}")
    return row


def _stored(items: Sequence[SecretItem]) -> list[dict[str, Any]]:
    return [{"key": item.key, "value": item.value, "sub_path": item.sub_path} for item in items]


def _record(row: SecretRow) -> SecretRecord:
    return SecretRecord(
        uid=row.uid,
        name=row.name,
        description=row.description,
        kind=row.kind,
        path=row.path,
        stage=row.stage,
        items=tuple(SecretItem(item["key"], None, item["sub_path"]) for item in row.items),
        creator=row.creator,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
