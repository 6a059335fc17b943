"""The store as a whole: one database, one folder of blobs, one owner."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from ...errors import NotFoundError
from ...home import Home
from .archives import Archives
from .codespaces import Codespaces
from .database import Database
from .deployments import Deployments
from .events import Events
from .packages import Packages
from .parts import Parts
from .records import BentoRecord, ModelRecord
from .secrets import Secrets
from .tables import BentoRepositoryRow, BentoRow, ModelRepositoryRow, ModelRow
from .tokens import Tokens

__all__ = ["Store"]


class Store:
    """Everything that the embedded cloud keeps.

    Only one process may have it open (the holder of `home.lock_file`). Its calls are short and
    synchronous; those that move content block on the disk and say so. Threads may share it.

    Attributes:
        bentos: Bentos.
        models: Models.
        parts: Uploads in parts that are on their way.
        deployments: Deployments.
        codespaces: Files of codespaces.
        events: The change feed.
        secrets: Values that deployments are given.
        tokens: Who may do what.

    Args:
        home: Where it is.

    Example:
        >>> store = Store.open(Home.default())  # doctest: +SKIP
        >>> store.bento_directory("iris", "v1")  # doctest: +SKIP
        PosixPath('.../cloud/bentos/iris/v1')
    """

    def __init__(self, home: Home) -> None:
        home.create()
        self._database = Database(home.cloud / "cloud.db")
        archives = Archives(home.cloud)
        self.bentos: Packages[BentoRecord] = Packages(
            self._database,
            archives,
            home.cloud / "bentos",
            kind="bento",
            marker="bento.yaml",
            grown="models",
            repositories=BentoRepositoryRow,
            versions=BentoRow,
            record=BentoRecord,
        )
        self.models: Packages[ModelRecord] = Packages(
            self._database,
            archives,
            home.cloud / "models",
            kind="model",
            marker="model.yaml",
            repositories=ModelRepositoryRow,
            versions=ModelRow,
            record=ModelRecord,
        )
        self.parts = Parts(archives)
        self.deployments = Deployments(self._database)
        self.codespaces = Codespaces(home.cloud / "codespaces")
        self.codespaces.sweep(record.uid for record in self.deployments.all() if record.dev)
        self.events = Events(self._database)
        self.secrets = Secrets(self._database)
        self.tokens = Tokens(self._database, home)
        self._archives = archives
        self.tidy()  # nothing runs yet

    @classmethod
    def open(cls, home: Home) -> Store:
        """Open the store of a home, made or migrated as needed."""
        return cls(home)

    def close(self) -> None:
        """Close it."""
        self._database.close()

    def tidy(self) -> None:
        """Delete the blobs and trees that no Bento and no model refers to. Blocks on the disk."""
        for blob in self.unused_blobs():
            self.remove_unused_blob(blob)
        for packages in (self.bentos, self.models):
            for tree in packages.unused_trees():
                packages.remove_unused_tree(tree)

    def unused_blobs(self) -> list[Path]:
        """Blobs that no Bento and no model refers to."""
        used = self.bentos.digests() | self.models.digests()
        return [blob for blob in self._archives.blobs() if blob.stem not in used]

    def remove_unused_blob(self, blob: Path) -> None:
        """Delete such a blob, if nobody has come to refer to it meanwhile."""
        with self.bentos.placing, self.models.placing:
            if blob in self.unused_blobs():
                blob.unlink(missing_ok=True)

    @property
    def incoming(self) -> Path:
        """Folder of what is on its way in."""
        return self._archives.incoming

    def remove_incoming(self, path: Path) -> None:
        """Delete something that has been given up on its way in."""
        if path.is_dir():
            self._archives.discard(path)
        else:
            path.unlink(missing_ok=True)

    def require_servable(self, name: str, version: str) -> BentoRecord:
        """The Bento, when it and all models it needs are uploaded.

        Raises:
            NotFoundError: The Bento or one of its models is not there.
            ConflictError: One of them has no content.
        """
        bento = self.bentos.require_content(name, version)
        self._models_of(bento)
        return bento

    def bento_directory(self, name: str, version: str) -> Path:
        """A folder that BentoML can serve: the Bento, with its models below `models/`.

        BentoML prefers the models of that folder to its global store
        (`bentoml._internal.service.loader._load_bento`). Models are linked, not copied; calling it
        again mends what is missing.

        Raises:
            NotFoundError: The Bento or one of its models is not there.
            ConflictError: One of them has no content.
        """
        bento = self.bentos.require_content(name, version)
        folder = self.bentos.directory(name, version)
        self._link_models(bento, folder)
        return folder

    def require_described(self, name: str, version: str) -> BentoRecord:
        """The Bento of a codespace: it has no content of its own, but all models it needs are uploaded.

        Raises:
            NotFoundError: The Bento or one of its models is not there.
            ConflictError: A model has no content.
        """
        bento = self.bentos.require(name, version)
        self._models_of(bento)
        return bento

    def codespace_directory(self, uid: str, name: str, version: str, python: str) -> Path:
        """A folder that BentoML can serve: the files of a codespace, with the models it needs.

        Args:
            uid: Id of its deployment.
            name: Name of the Bento that describes it.
            version: Version of that Bento.
            python: Version of Python that it runs with, e.g. "3.11".

        Raises:
            NotFoundError: The Bento or one of its models is not there.
            ConflictError: A model has no content.
        """
        bento = self.require_described(name, version)
        folder = self.codespaces.bento_directory(uid, bento, python)
        self._link_models(bento, folder)
        return folder

    def _link_models(self, bento: BentoRecord, folder: Path) -> None:
        for model in self._models_of(bento):
            content = self.models.directory(model.name, model.version)
            place = folder / "models" / model.name
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            link, destination = place / model.version, os.path.relpath(content, place)
            if not link.is_symlink() or os.readlink(link) != destination:
                aside = _aside(link)
                aside.symlink_to(destination)
                os.replace(aside, link)
            latest = place / "latest"
            aside = _aside(latest)
            aside.write_text(model.version, encoding="utf-8")
            os.replace(aside, latest)

    def _models_of(self, bento: BentoRecord) -> list[ModelRecord]:
        """The models of a Bento that are uploaded, oldest build first."""
        found = []
        for tag in bento.models:
            name, _, version = tag.partition(":")
            model = self.models.get(name, version)
            if model is None:
                raise NotFoundError(
                    f"bento {bento.tag} needs model {tag}, which is not in this cloud",
                    hint=f"push it: bentoml models push {tag}",
                )
            if not model.lives_elsewhere:
                found.append(self.models.require_content(name, version))
        return sorted(found, key=lambda model: model.build_at or model.created_at)


def _aside(path: Path) -> Path:
    """A name beside `path` that nobody else uses."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")
