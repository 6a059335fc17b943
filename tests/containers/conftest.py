"""What tests of containers share: podman, ready to build images of Bentos.

Its storage and its logins are one for all: of the modules here only one may be part of `make test`, whose
modules run side by side.
"""

from __future__ import annotations

from collections.abc import Iterator

import boxes
import pytest


@pytest.fixture(scope="session")
def podman() -> Iterator[None]:
    """podman works in a storage of the tests' own, in which the base image of Bentos is."""
    reason = boxes.lacking()
    if reason:
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in boxes.open_world().items():
            patch.setenv(name, value)
        reason = boxes.make_base()
        if reason:
            pytest.skip(reason)
        yield
        left = boxes.ask("podman", "ps", "--all", "--quiet").split()
        images = boxes.ask("podman", "images", "--format", "{{.Repository}}:{{.Tag}}").split()
        made = [image for image in images if image.startswith(("localhost/bento-jupyter/", "127.0.0.1:"))]
        if made:
            boxes.ask("podman", "rmi", "--force", *made)
        assert left == [], "containers are left"


@pytest.fixture(autouse=True)
def podman_for_all(podman: None) -> None:
    """No test in this folder works without."""
