"""Bentos on the wire (B1-B16 of the contract)."""

from __future__ import annotations

from typing import Any

from ..store import BentoRecord, RepositoryRecord, Store
from ..store.packages import Packages
from .exchange import parse
from .registry import Registry, package_fields, repository_fields
from .schemas import Bento, BentoManifest, BentoRepository, BentoWithRepository

__all__ = ["BENTOS", "routes"]


class BentoRegistry(Registry[BentoRecord]):
    """The calls about Bentos."""

    package_model = Bento
    full_model = BentoWithRepository
    repository_model = BentoRepository

    def packages(self, store: Store) -> Packages[BentoRecord]:
        """Where they are."""
        return store.bentos

    def require_manifest(self, manifest: dict[str, Any] | None) -> dict[str, Any]:
        """A manifest as it came; the client may register a Bento without one."""
        if not manifest:
            return {}
        parse(BentoManifest, manifest)
        return manifest

    def package(self, record: BentoRecord) -> Bento:
        """A Bento on the wire. One without a manifest (registered only) goes without."""
        return Bento.model_validate({**package_fields(record), "manifest": record.manifest or None})

    def package_with_repository(self, record: BentoRecord, store: Store) -> BentoWithRepository:
        """A Bento on the wire, with its repository."""
        repository = store.bentos.require_repository(record.name)
        return BentoWithRepository.model_validate(
            {**self.package(record).model_dump(), "repository": self.repository(repository, None)}
        )

    def repository(self, record: RepositoryRecord, latest: BentoRecord | None) -> BentoRepository:
        """A repository of Bentos on the wire."""
        newest = None if latest is None else self.package(latest)
        return BentoRepository.model_validate({**repository_fields(record), "latest_bento": newest})


BENTOS = BentoRegistry("bento")
routes = BENTOS.routes()
