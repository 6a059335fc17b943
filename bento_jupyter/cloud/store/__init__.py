"""The store: the only code that touches the cloud's database and blobs."""

from __future__ import annotations

from .database import says_disk_is_full
from .records import (
    ApiTokenRecord,
    BentoRecord,
    DeploymentRecord,
    ModelRecord,
    PackageRecord,
    RepositoryRecord,
    RevisionRecord,
    SecretItem,
    SecretRecord,
)
from .store import Store

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
    "Store",
    "says_disk_is_full",
]
