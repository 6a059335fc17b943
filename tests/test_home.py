"""Where things live, and who may look at them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from bento_jupyter.home import Home


def test_sockets_of_a_long_home_are_elsewhere_and_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / ("long" * 20))
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        assert home.sockets.parent == Path(short)
        home.sockets.mkdir(mode=0o755)
        with pytest.raises(PermissionError, match="others have access"):
            home.create()
        home.sockets.chmod(0o700)
        home.create()


def test_sockets_are_at_a_short_path_wherever_temporary_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 20)))
    assert len(str(Home(tmp_path / ("long" * 20)).sockets)) <= 60
