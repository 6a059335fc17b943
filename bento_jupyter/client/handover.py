"""Push to a cloud on the same machine, without sending bytes.

Each Bento and model is registered as the `bentoml` client does it; then its folder is named, and the cloud
copies and hashes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

__all__ = ["HandoverRefused", "hand_over"]

#: Seconds that the copying of one Bento or model may take.
COPY_TIMEOUT = 3600.0


class HandoverRefused(Exception):
    """The cloud takes no folders, or cannot see this one: its bytes must be sent."""


def hand_over(bento: Any, rest: Any, http: httpx.Client, progress: Callable[[str], None]) -> None:
    """Push a Bento of the local store with its models.

    Args:
        bento: The Bento.
        rest: The `bentoml` client's `RestApiClient`.
        http: Its session.
        progress: Called with a line for each step.

    Raises:
        HandoverRefused: Its bytes must be sent. What was done until then does no harm.
        BentoMLException: The cloud says no to anything else, as the client puts it.
        httpx.TransportError: The cloud does not answer.
    """
    from _bentoml_sdk.models import BentoModel, HuggingFaceModel
    from bentoml._internal.cloud.schemas.modelschemas import LabelItemSchema
    from bentoml._internal.cloud.schemas.schemasv1 import (
        CreateBentoRepositorySchema,
        CreateBentoSchema,
        CreateModelRepositorySchema,
        UpdateBentoSchema,
    )

    for info in bento.info.all_models:
        elsewhere = info.registry == "huggingface"
        model = (HuggingFaceModel if elsewhere else BentoModel).from_info(info)
        if not elsewhere and model.stored is None:
            continue
        tag = model.to_info().tag
        known = rest.v1.get_model(tag.name, tag.version)
        if known is not None and (elsewhere or known.upload_status == "success"):
            continue
        if known is None:
            rest.v1.create_model_repository(CreateModelRepositorySchema(name=tag.name, description=""))
            rest.v1.create_model(tag.name, model.to_create_schema())
        if not elsewhere:
            _name_folder(http, f"models/{tag.name}/{tag.version}", model.stored.path)
            progress(f"model {tag} is in the cloud")
    tag, info = bento.tag, bento.info
    described: dict[str, Any] = {
        "description": bento.doc,
        "manifest": bento.get_manifest(),
        "labels": [LabelItemSchema(key=key, value=value) for key, value in info.labels.items()],
    }
    if rest.v1.get_bento(tag.name, tag.version) is None:
        rest.v1.create_bento_repository(CreateBentoRepositorySchema(name=tag.name, description=""))
        created = CreateBentoSchema(version=tag.version, build_at=info.creation_time, **described)
        rest.v1.create_bento(tag.name, created)
    else:
        rest.v1.update_bento(tag.name, tag.version, UpdateBentoSchema(**described))
    _name_folder(http, f"bentos/{tag.name}/{tag.version}", bento.path)
    progress(f"Bento {tag} is in the cloud")


def _name_folder(http: httpx.Client, what: str, path: str) -> None:
    import os

    from bentoml.exceptions import CloudRESTApiClientError

    answer = http.put(
        f"/api/bj/v1/{what}/content", json={"path": os.path.realpath(path)}, timeout=COPY_TIMEOUT
    )
    if answer.status_code in (400, 401, 403, 404):
        raise HandoverRefused(answer.text)
    if answer.status_code != 200:
        raise CloudRESTApiClientError(answer.text, error_code=answer.status_code)
