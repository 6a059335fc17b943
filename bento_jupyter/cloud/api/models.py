"""Models on the wire (M1-M16 of the contract)."""

from __future__ import annotations

from typing import Any

from ..store import ModelRecord, RepositoryRecord, Store
from ..store.packages import Packages
from .exchange import parse
from .registry import Registry, package_fields, repository_fields
from .schemas import Model, ModelManifest, ModelRepository, ModelWithRepository

__all__ = ["MODELS", "routes"]


class ModelRegistry(Registry[ModelRecord]):
    """The calls about models."""

    package_model = Model
    full_model = ModelWithRepository
    repository_model = ModelRepository

    def packages(self, store: Store) -> Packages[ModelRecord]:
        """Where they are."""
        return store.models

    def require_manifest(self, manifest: dict[str, Any] | None) -> dict[str, Any]:
        """A manifest as it came."""
        parse(ModelManifest, manifest or {})
        return manifest or {}

    def package(self, record: ModelRecord) -> Model:
        """A model on the wire."""
        return Model.model_validate(package_fields(record))

    def package_with_repository(self, record: ModelRecord, store: Store) -> ModelWithRepository:
        """A model on the wire, with its repository."""
        repository = store.models.require_repository(record.name)
        return ModelWithRepository.model_validate(
            {**self.package(record).model_dump(), "repository": self.repository(repository, None)}
        )

    def repository(self, record: RepositoryRecord, latest: ModelRecord | None) -> ModelRepository:
        """A repository of models on the wire."""
        newest = None if latest is None else self.package(latest)
        return ModelRepository.model_validate({**repository_fields(record), "latest_model": newest})


MODELS = ModelRegistry("model")
routes = MODELS.routes()
