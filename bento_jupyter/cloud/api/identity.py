"""Who and where: one owner, one organization, one cluster, which is this machine."""

from __future__ import annotations

import functools
import getpass
import os
from datetime import datetime, timezone

from ...errors import NotFoundError
from .schemas import Cluster, Organization, User

__all__ = ["CLUSTER_NAME", "ORGANIZATION_NAME", "cluster", "organization", "owner", "require_cluster"]

ORGANIZATION_NAME = "default"
CLUSTER_NAME = "default"
_EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)


@functools.cache
def owner() -> User:
    """The owner: whose account on this machine runs the cloud."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        name = f"user-{os.getuid()}"
    return User(name=name, email=f"{name}@localhost")


@functools.cache
def organization() -> Organization:
    """The one organization."""
    return Organization(
        uid="organization", name=ORGANIZATION_NAME, description="embedded cloud", created_at=_EPOCH
    )


@functools.cache
def cluster() -> Cluster:
    """The one cluster."""
    return Cluster(
        uid="cluster",
        name=CLUSTER_NAME,
        description="this machine",
        organization_name=ORGANIZATION_NAME,
        creator=owner(),
        created_at=_EPOCH,
    )


def require_cluster(name: str | None) -> None:
    """Check a `?cluster=`; absent ones come empty.

    Raises:
        NotFoundError: It names a cluster that there is not.
    """
    if name and name != CLUSTER_NAME:
        raise NotFoundError(f"there is no cluster {name!r}; this cloud has one: {CLUSTER_NAME!r}")
