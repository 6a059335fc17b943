"""Where things live, and who may look at them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from bento_jupyter.home import Home


def test_sockets_of_a_long_home_are_elsewhere_and_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    home = Home(tmp_path / ("long" * 20))
    assert home.sockets.parent == tmp_path
    home.sockets.mkdir(mode=0o755)
    with pytest.raises(PermissionError, match="others have access"):
        home.create()
    home.sockets.chmod(0o700)
    home.create()
