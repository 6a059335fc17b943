"""Archives that nobody vouches for are unpacked inside, or refused."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bento_jupyter.cloud.store import unpacking
from bento_jupyter.cloud.store.unpacking import survey, unpack
from bento_jupyter.errors import InvalidRequestError


def write(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:") as tar:
        for member in members:
            content = b"content of " + member.name.encode() if member.isreg() else b""
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def file(name: str, mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode = mode
    info.mtime = 1_700_000_000
    return info


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def link(name: str, to: str) -> tarfile.TarInfo:
    return special(name, tarfile.SYMTYPE, to)


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def test_files_folders_and_links_that_stay_inside_are_unpacked(tmp_path, target):
    archive = write(
        tmp_path / "a.tar",
        special(".", tarfile.DIRTYPE),
        file("./bin/run", 0o755),
        file("./data"),
        special("./empty", tarfile.DIRTYPE),
        special("./same", tarfile.LNKTYPE, "./data"),
        link("./snapshots/model", "../data"),
    )
    unpack(archive, target)
    assert (target / "bin/run").read_bytes() == b"content of ./bin/run"
    assert os.access(target / "bin/run", os.X_OK)
    assert not os.access(target / "data", os.X_OK)
    assert (target / "data").stat().st_mtime == 1_700_000_000
    assert (target / "empty").is_dir()
    assert (target / "same").samefile(target / "data")
    assert (target / "snapshots/model").resolve() == target / "data"


@pytest.mark.parametrize(
    "members",
    [
        [file("../outside")],
        [file("a/../../outside")],
        [file("/outside")],
        [link("escape", "..")],
        [link("escape", "/etc/passwd")],
        [link("a/b", "../../outside")],
        # Two links that are harmless alone: the second leads through the first.
        [file("d/e/x"), link("d/e/up", "../.."), link("escape", "d/e/up/..")],
        [link("door", "."), file("door/../../outside")],
        [link("door", ".."), file("door/outside")],
        [special("hard", tarfile.LNKTYPE, "../outside")],
        [special("hard", tarfile.LNKTYPE, "/etc/passwd")],
        [special("device", tarfile.CHRTYPE)],
        [special("pipe", tarfile.FIFOTYPE)],
        [link("loop", "loop")],
        [link("nowhere", "missing")],
        [file("a"), file("a/b")],
    ],
    ids=lambda members: members[-1].name,
)
def test_whatever_leaves_or_does_not_belong_makes_the_archive_refused(tmp_path, target, members):
    (tmp_path / "outside").write_text("untouched")
    archive = write(tmp_path / "a.tar", *members)
    with pytest.raises(InvalidRequestError):
        unpack(archive, target)
    assert (tmp_path / "outside").read_text() == "untouched"
    assert everything_below(tmp_path) - {"outside", "a.tar"} <= {
        "target",
        *(f"target/{name}" for name in everything_below(target)),
    }


@given(
    names=st.lists(
        st.lists(st.sampled_from(["a", "b", "..", ".", "", "/", "c"]), min_size=1, max_size=5).map("/".join),
        min_size=1,
        max_size=4,
    ),
    links=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["a/b", "..", "../c", "b/..", "/", "."])),
        max_size=3,
    ),
)
@settings(max_examples=150, deadline=None)
def test_no_archive_changes_anything_outside(tmp_path_factory, names, links):
    folder = tmp_path_factory.mktemp("any")
    target = folder / "deep" / "target"
    target.mkdir(parents=True)
    members = [file(name) for name in names if name] + [link(f"x/{name}", to) for name, to in links]
    archive = write(folder / "a.tar", *members)
    before = {name for name in everything_below(folder) if not name.startswith("deep/target/")}
    try:
        unpack(archive, target)
    except InvalidRequestError:
        pass
    else:
        real = [path.resolve() for path in target.rglob("*")]
        assert all(path.is_relative_to(target.resolve()) for path in real)
    assert {name for name in everything_below(folder) if not name.startswith("deep/target/")} == before
    assert (folder / "a.tar").stat().st_nlink == 1


def pax(name: str, **headers: str) -> tarfile.TarInfo:
    info = file(name)
    info.pax_headers = headers
    return info


def take(archive: Path, target: Path) -> None:
    """What an upload goes through: only links have to be made to see whether they can be."""
    if not survey(archive).plain:
        unpack(archive, target)


def hard(name: str, to: str) -> tarfile.TarInfo:
    return special(name, tarfile.LNKTYPE, to)


@pytest.mark.parametrize(
    "members",
    [
        [special("nul", tarfile.SYMTYPE, "x\0y")],
        [file("x"), special("nul", tarfile.LNKTYPE, "x\0y")],
        [pax("time", mtime="inf")],
        [pax("time", mtime="nan")],
        [pax("time", mtime="1e300")],
        [pax("time", mtime="-1e18")],
        [file("n" * 256)],
        [file("/".join(["n" * 200] * 30))],
        [file("/".join(["n"] * 150))],
        [special("n" * 256, tarfile.DIRTYPE)],
        [pax("negative", size="-512")],
        [pax("huge", size="9" * 40)],
        [special("folder", tarfile.DIRTYPE), hard("to-a-folder", "folder")],
        [pax("long", comment="x" * 2 * 1024 * 1024)],
    ],
    ids=lambda members: f"{members[-1].name[:20]} {str(members[-1].pax_headers)[:40]}",
)
def test_a_member_that_could_never_be_unpacked_makes_the_archive_refused(tmp_path, target, members):
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w:", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            if "\0" in member.linkname:  # as only an extended header can say it
                member.pax_headers = {"linkpath": member.linkname}
                member.linkname = "x"
            tar.addfile(member)
    with pytest.raises(InvalidRequestError):
        take(archive, target)


def header(name: str, kind: bytes, size: int) -> bytes:
    info = special(name, kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def test_an_archive_has_bounds(tmp_path, monkeypatch):
    archive = tmp_path / "a.tar"
    archive.write_bytes(header("x", tarfile.XHDTYPE, 4 * 1024**3))
    with pytest.raises(InvalidRequestError, match="a header of more than 1 MiB"):
        survey(archive)
    archive.write_bytes(header("x", tarfile.GNUTYPE_LONGNAME, 2 * 1024**2))
    with pytest.raises(InvalidRequestError, match="a header of more than 1 MiB"):
        survey(archive)
    one = b"9 path=a\n".ljust(512, b"\0")
    archive.write_bytes((header("x", tarfile.XHDTYPE, 9) + one) * 3000)
    with pytest.raises(InvalidRequestError):
        survey(archive)
    archive.write_bytes(header("folder", tarfile.DIRTYPE, 0) * 5)
    assert survey(archive).plain
    monkeypatch.setattr(unpacking, "MOST_MEMBERS", 4)
    with pytest.raises(InvalidRequestError, match="more than 4 members"):
        survey(archive)


def test_a_torn_archive_is_refused(tmp_path, target):
    whole = write(tmp_path / "a.tar", file("a" * 50)).read_bytes()
    (tmp_path / "torn.tar").write_bytes(whole[:515])
    with pytest.raises(InvalidRequestError, match="not a whole tar archive"):
        unpack(tmp_path / "torn.tar", target)
