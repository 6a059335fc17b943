"""What a deployment and its replica sets work with."""

from __future__ import annotations

from dataclasses import dataclass

from .dataplane import DataPlane
from .engines import Engine
from .events import EventFeed
from .images import Images
from .instance_types import InstanceTypes
from .settings import CloudSettings
from .store import Store

__all__ = ["Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """What a deployment works with.

    Attributes:
        settings: The cloud's settings.
        store: Its store.
        engine: What runs instances.
        instance_types: The sizes that these have.
        images: What builds environments.
        data_plane: The gateway.
        events: The change feed.
    """

    settings: CloudSettings
    store: Store
    engine: Engine
    instance_types: InstanceTypes
    images: Images
    data_plane: DataPlane
    events: EventFeed
