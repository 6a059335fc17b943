"""What the store gives out: frozen records, cut loose from the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = [
    "ApiTokenRecord",
    "BentoRecord",
    "DeploymentRecord",
    "ModelRecord",
    "PackageRecord",
    "RepositoryRecord",
    "RevisionRecord",
    "SecretItem",
    "SecretRecord",
]


@dataclass(frozen=True)
class RepositoryRecord:
    """All versions of one Bento or one model.

    Attributes:
        uid: Its id.
        name: Its name.
        description: In words.
        created_at: When it was made.
    """

    uid: str
    name: str
    description: str
    created_at: datetime


@dataclass(frozen=True)
class PackageRecord:
    """One version of a Bento or a model.

    Attributes:
        uid: Its id.
        name: Name of its repository.
        version: Its version.
        manifest: What the client said about it, verbatim.
        upload_status: pending, uploading, success or failed.
        created_at: When it was registered.
        updated_at: When it was changed last.
        upload_reason: Why the upload failed; "" otherwise.
        digest: SHA-256 (hex) of its uploaded archive; "" while there is none.
        size_bytes: Size of that archive.
        description: In words.
        labels: Labels.
        build_at: When it was built, with zone.
        upload_started_at: When its content began to come.
        upload_finished_at: When its content was there.
    """

    uid: str
    name: str
    version: str
    manifest: dict[str, Any]
    upload_status: str
    created_at: datetime
    updated_at: datetime
    upload_reason: str = ""
    digest: str = ""
    size_bytes: int = 0
    description: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    build_at: datetime | None = None
    upload_started_at: datetime | None = None
    upload_finished_at: datetime | None = None

    @property
    def tag(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"

    @property
    def is_complete(self) -> bool:
        """Whether its content is there."""
        return self.upload_status == "success"


@dataclass(frozen=True)
class BentoRecord(PackageRecord):
    """One version of a Bento."""

    @property
    def models(self) -> list[str]:
        """Tags of the models it needs."""
        return [str(tag) for tag in self.manifest.get("models") or []]

    @property
    def services(self) -> list[str]:
        """Names of its services, the entry service first."""
        entry = self.entry_service
        return [entry, *(name for name in self._service_names if name != entry)] if entry else []

    @property
    def entry_service(self) -> str:
        """Name of the service that has the endpoints; "" when the manifest does not say."""
        return str(self.manifest.get("entry_service") or next(iter(self._service_names), ""))

    @property
    def served(self) -> list[str]:
        """Names of the services that run for it, the entry service first.

        One that is called at a URL or in another deployment only does not run for this one.
        """
        found = [self.entry_service]
        for name in found:  # grows meanwhile
            for each in self._described(name).get("dependencies") or []:
                needed = {"service": each} if isinstance(each, str) else each
                called = str(needed.get("service") or "")
                if called and called not in found and not (needed.get("url") or needed.get("deployment")):
                    found.append(called)
        return found

    def config_of(self, service: str) -> dict[str, Any]:
        """What the code of one of its services says about it."""
        return dict(self._described(service).get("config") or {})

    def resources_of(self, service: str) -> dict[str, Any]:
        """`resources` that one of its services asks for."""
        return dict(self.config_of(service).get("resources") or {})

    @property
    def _service_names(self) -> list[str]:
        return [str(service["name"]) for service in self.manifest.get("services") or []]

    def _described(self, service: str) -> dict[str, Any]:
        described = self.manifest.get("services") or []
        return next((dict(each) for each in described if each["name"] == service), {})


@dataclass(frozen=True)
class ModelRecord(PackageRecord):
    """One version of a model."""

    @property
    def lives_elsewhere(self) -> bool:
        """Whether its files stay in another registry (HuggingFace) and are never uploaded."""
        return (self.manifest.get("metadata") or {}).get("registry") == "huggingface"


@dataclass(frozen=True)
class DeploymentRecord:
    """A deployment as it is wanted.

    Attributes:
        uid: Its id.
        name: Its name.
        port: Its port, from its creation to its deletion.
        bento: Tag `name:version` of the Bento of its active revision.
        config: Wire config of the active revision without gaps: `access_authorization`, `envs`, `labels`,
            `secrets`, `services` (every service of the Bento), `canary`.
        dev: Made as a codespace.
        terminated: Nothing of it should run.
        revision: Number of the active revision, from 1.
        revision_uid: Id of the active revision.
        created_at: When it was created.
        updated_at: When a user changed it last.
        creator: Who created it.
        restarts: How often a user had its instances replaced by new ones.
    """

    uid: str
    name: str
    port: int
    bento: str
    config: dict[str, Any]
    dev: bool
    terminated: bool
    revision: int
    revision_uid: str
    created_at: datetime
    updated_at: datetime
    creator: str
    restarts: int = 0


@dataclass(frozen=True)
class RevisionRecord:
    """What a deployment was asked to be at one time.

    Attributes:
        uid: Its id.
        number: From 1.
        bento: Tag `name:version`.
        config: As in `DeploymentRecord`.
        active: It is what the deployment should be now.
        note: Why it was made, in words; "" for a plain change.
        created_at: When it was made.
    """

    uid: str
    number: int
    bento: str
    config: dict[str, Any]
    active: bool
    note: str
    created_at: datetime


@dataclass(frozen=True)
class ApiTokenRecord:
    """A token that somebody was given; its value is known to nobody but them.

    Attributes:
        uid: Its id.
        name: What it is for.
        description: In words.
        scopes: What it may do (see `tokens.Tokens`).
        ending: Its last 4 characters, to tell it by.
        created_at: When it was made.
        expired_at: When it ends; None = never.
        last_used_at: When it was used last, to the minute; None = never.
    """

    uid: str
    name: str
    description: str
    scopes: tuple[str, ...]
    ending: str
    created_at: datetime
    expired_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class SecretItem:
    """One key of a secret.

    Attributes:
        key: Name of the environment variable, or of the file.
        value: Its value; None where it is not told.
        sub_path: Folder of the file below the secret's path.
    """

    key: str
    value: str | None = field(default=None, repr=False)
    sub_path: str = ""


@dataclass(frozen=True)
class SecretRecord:
    """A secret, without its values.

    Attributes:
        uid: Its id.
        name: Its name.
        description: In words.
        kind: `env` or `mountfile`.
        path: Folder of its files, below `$BENTOML_HOME`.
        stage: Where it is given: `build`, `runtime` or `all`.
        items: Its keys.
        creator: Who made it.
        created_at: When it was made.
        updated_at: When it was changed last.
    """

    uid: str
    name: str
    description: str
    kind: str
    path: str
    stage: str
    items: tuple[SecretItem, ...]
    creator: str
    created_at: datetime
    updated_at: datetime
