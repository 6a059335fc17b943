"""Image: what a deployment runs in, and its OCI image sent to a registry."""

from __future__ import annotations

from itertools import groupby

from ..client.cloud import Cloud
from ..display.images import ImageCard
from ..display.progress import Progress
from ..errors import CloudError, NotFoundError
from .seeing import deployment
from .steps import shown_by

__all__ = ["image"]


def image(
    name: str,
    *,
    push: str | None = None,
    cloud: Cloud | str | None = None,
    progress: Progress | None = None,
) -> ImageCard:
    """The image of a deployment; with `push` its OCI image is sent to a registry.

    A deployment that runs in an environment of Python packages gets an OCI image for that; it goes on running
    as before. The registry asks for the credentials that podman, docker or nerdctl keep for the user.

    Args:
        name: The deployment.
        push: `REGISTRY/REPOSITORY:TAG`; None = nothing is sent.
        cloud: Cloud, or the name of its context; None = the current one. Embedded cloud only.
        progress: Where to show the steps `image` and `push`; None = a display of its own.

    Raises:
        NotFoundError: There is no such deployment, or it has no image yet.
        InvalidRequestError: `push` is not of that form, or nothing there builds OCI images.
        CloudError: The image could not be built, or the registry did not take it.

    Example:
        >>> image("iris", push="ghcr.io/me/iris:v1").digest  # doctest: +SKIP
        'sha256:0f2c...'
    """
    dep = deployment(name, cloud=cloud)
    if push is None:
        known = dep.cloud.view(name).image
        if known is None or not known.key:
            why = known.reason if known else "it is being fetched, or nothing has asked for it"
            raise NotFoundError(f"{name} has no image yet: {why}", hint=f"%bento_status {name}")
        found = next((each for each in dep.cloud.images() if each.key == known.key), known)
        return ImageCard(**found.model_dump(), deployment=name)
    with shown_by(progress, f"Pushing the image of {name}", ["image", "push"]) as shown:
        for stage, steps in groupby(dep.cloud.push_image(name, push), lambda step: step.stage):
            with shown.step(stage):
                for step in steps:
                    if step.image is not None:
                        return ImageCard(**step.image.model_dump(), deployment=name, pushed_to=push)
                    shown.detail(step.text)
    raise CloudError("the cloud ended while it was pushing", hint="try again")
