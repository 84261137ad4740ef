"""Trees on this machine, made from layers by the standard library and from tars by GNU tar, without any of our code."""

import io
import json
import os
import posixpath
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.copy.made import Made
from tests.inspect.layers import OPAQUE


@dataclass(frozen=True, slots=True)
class Seen:
    """What is at one path; `names` are all that the file has."""

    kind: str
    content: bytes | str
    mode: int
    names: frozenset[str]


def tree(root: Path) -> dict[str, Seen]:
    """Everything beneath a folder."""
    paths = {str(path.relative_to(root)): path for path in root.rglob("*")}
    named: dict[int, set[str]] = {}
    for name, path in paths.items():
        named.setdefault(path.lstat().st_ino, set()).add(name)
    return {name: _seen(path, frozenset(named[path.lstat().st_ino])) for name, path in paths.items()}


def _seen(path: Path, names: frozenset[str]) -> Seen:
    mode = path.lstat().st_mode & 0o777
    if path.is_symlink():
        return Seen("symlink", str(path.readlink()), 0, names)
    if path.is_dir():
        return Seen("folder", b"", mode, frozenset())
    return Seen("file", path.read_bytes(), mode, names)


def unpacked(path: Path, root: Path) -> dict[str, Seen]:
    """The tree that a tar makes in a new folder."""
    root.mkdir()
    # A time is rounded to a second by whoever wrote the layer, so what was just made can be of the next one.
    command = ["tar", "--warning=no-timestamp", "-xpf", str(path), "-C", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return tree(root)


def unpacked_by_nobody(path: Path, root: Path) -> str:
    """What GNU tar says when someone without privileges unpacks a tar into a folder of its own."""
    command = ["tar", "-xf", "-"]
    if os.geteuid() == 0:
        os.chown(root, 65534, 65534)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    with path.open("rb") as file:
        done = subprocess.run(command, stdin=file, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def members(path: Path) -> dict[str, tarfile.TarInfo]:
    """What stands in a tar, by name, in its order; every name stands there once."""
    with tarfile.open(path, "r:") as tar:
        found = tar.getmembers()
    by_name = {member.name: member for member in found}
    assert len(by_name) == len(found)
    return by_name


def content(path: Path, name: str) -> bytes:
    """What a name of a tar holds; a hard link, what it links to."""
    with tarfile.open(path, "r:") as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def lay(root: Path, layer: bytes) -> None:
    """Unpack a layer over older ones, as a runtime does: marks first, and whatever is in the way goes."""
    with tarfile.open(fileobj=io.BytesIO(layer), mode="r:") as tar:
        for member in tar:
            folder, name = posixpath.split(member.name)
            if not is_real(root, folder):
                continue  # this layer has a folder there itself, and nothing older is seen beneath it
            if name == OPAQUE:
                clear(root / folder)
                (root / folder).mkdir()
            elif name.startswith(".wh."):
                clear(root / folder / name.removeprefix(".wh."))
        for member in tar:
            at = root / member.name
            if posixpath.basename(member.name).startswith(".wh."):
                continue
            if not (member.isdir() and at.is_dir() and not at.is_symlink()):
                clear(at)
            if member.islnk():
                os.link(root / member.linkname, at, follow_symlinks=False)
            else:
                tar.extract(member, root, filter="fully_trusted")


def is_real(root: Path, path: str) -> bool:
    """Whether there is a folder at a path, and no symbolic link on the way to it."""
    steps = [root.joinpath(*path.split("/")[:count]) for count in range(1, path.count("/") + 2)] if path else []
    return all(step.is_dir() and not step.is_symlink() for step in steps)


def clear(path: Path) -> None:
    """Remove whatever is at a path."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_layout(folder: Path, image: Made) -> Path:
    """An OCI image layout of one image, called 1.0."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    kept: Mapping[str, bytes] = {**image.blobs, image.digest: image.raw}
    for digest, blob in kept.items():
        (blobs / digest.partition(":")[2]).write_bytes(blob)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    named = {"annotations": {"org.opencontainers.image.ref.name": "1.0"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [image.descriptor(**named)]}))
    return folder
