"""Wheels of what no index has: distributions installed from a folder, a repository, a file or a URL.

Other machines cannot get these by name and version, so the Bento carries them. A wheel is made of the files
that are installed, by the list that the installer kept; of an editable install, of the source folder that the
kernel imports from. Format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from bento_jupyter.errors import BuildError

from .editable import changed_since_import, source_roots
from .installed import Installed, canonical, installed

__all__ = ["local_distributions", "local_warnings", "make_wheel"]

#: Fixed time of all files in a wheel: the same files, the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
#: What the installer wrote about this machine, or will write anew.
LEFT_OUT = frozenset(
    {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
)
EXTENSIONS = (".so", ".pyd", ".dylib", ".dll")
#: Files of a source folder that are nobody's package data.
NO_PACKAGE_DATA = frozenset({".ipynb", ".pyc", ".pyo", ".pem", ".key", ".p12", ".pfx", ".kdbx", ".env"})
#: Bytes of a file in a source folder above which it is taken for data that only lies there.
LARGE = 50_000_000
#: BentoML adds itself to each Bento, also when it was installed from a folder.
NOT_OURS = frozenset({"bentoml"})


def local_distributions(names: Iterable[str]) -> dict[str, str]:
    """Those of the installed distributions that no index has, with the reason.

    Args:
        names: Names of installed distributions; those that are not installed are passed over.

    Returns:
        Reason by name, for people: "installed from a git repository". It names no folder and no URL.

    Example:
        >>> local_distributions(["packaging"])
        {}
    """
    there = installed()
    found = {}
    for name in names:
        item = there.get(canonical(name))
        if item is not None and canonical(name) not in NOT_OURS and (reason := why_local(item)):
            found[name] = reason
    return found


def why_local(item: Installed) -> str:
    """Why an index does not have this installed distribution; "" when it may be supposed to."""
    if item.project is not None:
        return "an editable install of a folder"
    if item.direct_url and not item.by_conda:
        vcs = item.direct_url.get("vcs_info", {}).get("vcs")
        if vcs:
            return f"installed from a {vcs} repository"
        if "dir_info" in item.direct_url:
            return "installed from a folder"
        return (
            "installed from a file" if item.direct_url["url"].startswith("file:") else "installed from a URL"
        )
    if not item.has_record and not item.by_conda:
        return "installed without pip"
    return ""


def local_warnings(names: Iterable[str]) -> list[str]:
    """What the user should know about distributions that are shipped as wheels.

    Args:
        names: Names of installed distributions, as of `local_distributions`.

    Returns:
        Sentences: modules whose files changed after the kernel imported them, large files that stay out.
    """
    there, said = installed(), []
    for name in names:
        item = there.get(canonical(name))
        if item is None or item.project is None:
            continue
        if changed := changed_since_import(item):
            said.append(
                f"{', '.join(changed)} of {item.name} changed on disk since the kernel imported it; "
                "the Bento gets what is on disk: restart the kernel, or reload it"
            )
        large = [
            path.name
            for root in source_roots(item).values()
            if root.is_dir()
            for path in packed(root)
            if not is_module(path.name) and path.stat().st_size > LARGE
        ]
        if large:
            said.append(f"{', '.join(sorted(large))} of {item.name} stays out: more than {LARGE // 10**6} MB")
    return said


def make_wheel(name: str, folder: Path) -> Path:
    """Make the wheel of an installed distribution.

    Args:
        name: Its name.
        folder: Where to write the wheel; made when need be.

    Returns:
        The wheel. The same files give the same bytes.

    Raises:
        BuildError: It is not installed, or some of its files are gone.
    """
    item = installed().get(canonical(name))
    if item is None:
        raise BuildError(f"{name} is not installed", hint=f"pip install {name}")
    escaped = re.sub(r"[-_.]+", "_", item.name)
    stem = f"{escaped}-{item.version.replace('-', '_')}"
    contents = dict(of_source(item) if item.project is not None else of_installed(item, stem))
    if not contents:
        raise BuildError(
            f"{item.name} {item.version} is {why_local(item)}, and no module of it was found",
            hint=f"install it once more, not editable: pip install --force-reinstall --no-deps {item.name}",
        )
    is_pure = not any(path.endswith(EXTENSIONS) for path in contents)
    tags = tags_of(item) or ["py3-none-any" if is_pure else this_platform()]
    info = f"{stem}.dist-info"
    contents[f"{info}/METADATA"] = metadata_of(item)
    contents[f"{info}/WHEEL"] = wheel_of(item, tags, is_pure)
    if item.project is not None or item.is_egg:
        for file in ("entry_points.txt", "top_level.txt"):
            if text := item.distribution.read_text(file):
                contents[f"{info}/{file}"] = text.encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-{compressed(tags)}.whl"
    write(path, contents, f"{info}/RECORD")
    return path


def write(path: Path, contents: dict[str, bytes], record: str) -> None:
    """Write a wheel; all that could differ from run to run is fixed."""
    lines = []
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(contents, key=lambda name: (".dist-info/" in name, name)):
            digest = base64.urlsafe_b64encode(hashlib.sha256(contents[name]).digest()).decode().rstrip("=")
            quoted = f'"{name}"' if "," in name else name
            lines.append(f"{quoted},sha256={digest},{len(contents[name])}\n")
            store(archive, name, contents[name], 0o755 if ".data/scripts/" in name else 0o644)
        store(archive, record, "".join([*lines, f"{record},,\n"]).encode(), 0o644)
    os.replace(unfinished, path)


def store(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    """Put a file into a wheel."""
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.external_attr = (0o100000 | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # as on Unix
    archive.writestr(entry, content)


def of_installed(item: Installed, stem: str) -> Iterator[tuple[str, bytes]]:
    """Files of an installed distribution, by their places in a wheel."""
    if not item.has_record:
        yield from of_folders({name: root for name in item.top_level() if (root := module_at(item, name))})
        return
    own = {script for group in ("console", "gui") for script in scripts(item, f"{group}_scripts")}
    for path, _ in item.files():
        parts = PurePosixPath(path).parts
        if "__pycache__" in parts or (
            parts[0] == item.info.name and parts[-1] in (*LEFT_OUT, "METADATA", "WHEEL")
        ):
            continue
        place = path
        if parts[0] == item.info.name:  # the folder may be spelled otherwise than the wheel's name has to be
            place = "/".join([f"{stem}.dist-info", *parts[1:]])
        elif parts[0] == ".." or path.startswith("/"):
            found = outside(item, path, stem)
            if found is None or PurePosixPath(found).name in own:
                continue  # an installer makes it anew
            place = found
        try:
            content = (item.site / path).read_bytes()
        except OSError as error:
            raise BuildError(
                f"the file {path} of {item.name} {item.version}, {why_local(item)}, cannot be read: {error}",
                hint=f"install it once more: pip install --force-reinstall --no-deps {item.name}",
            ) from error
        if ".data/scripts/" in place:
            content = re.sub(rb"\A#![^\n]*python[^\n]*", b"#!python", content)
        yield place, content


def outside(item: Installed, path: str, stem: str) -> str | None:
    """The place in a wheel of a file that was installed elsewhere than beside the modules."""
    full = os.path.normpath(item.site / path)
    for scheme in ("scripts", "include", "platinclude", "data"):
        base = sysconfig.get_path(scheme)
        if full.startswith(base + os.sep):
            kind = "headers" if "include" in scheme else scheme
            inner = os.path.relpath(full, base).replace(os.sep, "/")
            return f"{stem}.data/{kind}/{inner}"
    return None


def scripts(item: Installed, group: str) -> Iterator[str]:
    """Names of the programs that an installer makes of entry points."""
    for point in item.distribution.entry_points:
        if point.group == group:
            yield point.name


def of_source(item: Installed) -> Iterator[tuple[str, bytes]]:
    """Files of an editable install, by their places in a wheel."""
    yield from of_folders({name.replace(".", "/"): root for name, root in source_roots(item).items()})


def of_folders(roots: dict[str, Path]) -> Iterator[tuple[str, bytes]]:
    """The packages and modules in source folders, by their places in a wheel."""
    for place, root in sorted(roots.items()):
        if root.is_file():
            yield f"{place.rpartition('/')[0]}/{root.name}".lstrip("/"), root.read_bytes()
            continue
        for path in packed(root):
            if is_module(path.name) or path.stat().st_size <= LARGE:
                yield f"{place}/{path.relative_to(root).as_posix()}", path.read_bytes()


def packed(root: Path) -> Iterator[Path]:
    """The files of a package's source folder that are part of it."""
    tracked = without_ignored(root)
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name not in ("__pycache__", "node_modules")
        )
        for file in sorted(files):
            path = Path(folder, file)
            inner = path.relative_to(root).as_posix()
            if is_module(file) or (is_package_data(file) and (tracked is None or inner in tracked)):
                yield path


def is_module(file: str) -> bool:
    """True for what Python imports. It goes along even when version control is told to ignore it."""
    return not file.startswith(".") and file.endswith((".py", ".pyi", *EXTENSIONS))


def is_package_data(file: str) -> bool:
    """False for hidden files, notebooks, bytecode and keys."""
    return not file.startswith(".") and Path(file).suffix.lower() not in NO_PACKAGE_DATA


def without_ignored(root: Path) -> set[str] | None:
    """Files below a folder that git is not told to ignore, relative; None when it is in no repository."""
    if not any((parent / ".git").exists() for parent in (root, *root.parents)):
        return None
    try:
        listed = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, timeout=30, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return set(listed.decode("utf-8", errors="replace").split("\0"))


def module_at(item: Installed, name: str) -> Path | None:
    """The folder or file of a top-level module beside a distribution's metadata."""
    folder = item.site / name
    if folder.is_dir():
        return folder
    found = [path for path in item.site.glob(f"{name}.*") if path.suffix in (".py", *EXTENSIONS)]
    return found[0] if found else None


def metadata_of(item: Installed) -> bytes:
    """METADATA, with requirements by name only: a folder or URL of this machine is none of others.

    What was needed from there is a wheel in the same Bento.
    """
    text = next(
        text
        for file in ("METADATA", "PKG-INFO", "")
        if (text := item.distribution.read_text(file)) is not None
    ).replace("\r\n", "\n")
    head, blank, body = text.partition("\n\n")
    lines = []
    for line in head.split("\n"):
        name, _, value = line.partition(":")
        lines.append(f"{name}: {by_name(value.strip())}" if name == "Requires-Dist" else line)
    if item.is_egg and "\nRequires-Dist:" not in head:  # setuptools of old kept them in a file of its own
        lines += [f"Requires-Dist: {by_name(line)}" for line in item.distribution.requires or ()]
    return ("\n".join(lines) + (blank or "\n") + body).encode()


def by_name(requirement: str) -> str:
    """A requirement without the place it is to be had from.

    Example:
        >>> by_name('tool[x] @ file:///home/me/tool ; python_version > "3"')
        'tool[x] ; python_version > "3"'
    """
    match = re.match(r"^\s*([\w.-]+\s*(?:\[[^\]]*\])?)\s*@\s*\S+(.*)$", requirement)
    return f"{match[1].strip()}{match[2]}" if match else requirement


def wheel_of(item: Installed, tags: list[str], is_pure: bool) -> bytes:
    """WHEEL."""
    given = wheel_fields(item)
    pure = given.get("Root-Is-Purelib", ["true" if is_pure else "false"])[0]
    lines = ["Wheel-Version: 1.0", "Generator: bento_jupyter", f"Root-Is-Purelib: {pure}"]
    return "".join(f"{line}\n" for line in [*lines, *(f"Tag: {tag}" for tag in tags)]).encode()


def tags_of(item: Installed) -> list[str]:
    """The platforms that the installed wheel was for; of an editable one nothing follows."""
    return wheel_fields(item).get("Tag", [])


def wheel_fields(item: Installed) -> dict[str, list[str]]:
    """The fields of WHEEL as it was installed; empty for editable installs."""
    if item.project is not None:
        return {}
    fields: dict[str, list[str]] = {}
    for line in (item.distribution.read_text("WHEEL") or "").splitlines():
        name, _, value = line.partition(":")
        if value:
            fields.setdefault(name.strip(), []).append(value.strip())
    return fields


def compressed(tags: list[str]) -> str:
    """Tags as they are written in a file's name.

    Example:
        >>> compressed(["py2-none-any", "py3-none-any"])
        'py2.py3-none-any'
    """
    columns = zip(*(tag.split("-", 2) for tag in tags), strict=True)
    return "-".join(".".join(sorted(set(column))) for column in columns)


def this_platform() -> str:
    """The tag of a wheel that was compiled here, for this Python."""
    from packaging.tags import sys_tags

    tag = next(iter(sys_tags()))
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    if sys.platform == "darwin":
        platform = tag.platform
    return f"{tag.interpreter}-{tag.abi}-{platform}"
