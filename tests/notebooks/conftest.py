"""A real kernel on an embedded cloud of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kernels import FITTED, Kernel, Workplace, make_workplace

from bento_jupyter.client import embedded


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Homes of this module's own; the cloud in it is stopped at the end and leaves no process."""
    place = make_workplace(tmp_path_factory.mktemp("workplace"))
    yield place
    embedded.stop(place.home)
    assert place.processes() == []


@pytest.fixture(scope="module")
def kernel(workplace: Workplace) -> Iterator[Kernel]:
    """A kernel with a fitted model."""
    running = workplace.kernel()
    try:
        running.run(FITTED)
        yield running
    finally:
        running.client.stop_channels()
        running.manager.shutdown_kernel(now=True)
