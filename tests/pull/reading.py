"""Reading what was pulled: the standard library and nothing else, so that it cannot agree with the writer."""

import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

EMPTY_TAR: Final = bytes(10_240)
"""What `tar -cf EMPTY.tar -T /dev/null` writes: an archive that may be replaced."""


@dataclass(frozen=True, slots=True)
class SavedImage:
    """The one image of a docker archive, and what the archive calls it."""

    entry: Mapping[str, Any]
    config: bytes
    layers: tuple[bytes, ...]
    manifest: Mapping[str, Any]


def files_of(path: Path) -> dict[str, bytes]:
    """The files of a tar, or of a folder, by name; what is called by a digest has it."""
    found = _tar(path) if path.is_file() else _folder(path)
    for name, content in found.items():
        if name.startswith("blobs/"):
            algorithm, value = name.split("/")[1:]
            assert hashlib.new(algorithm, content).hexdigest() == value, name
    assert found["oci-layout"] == b'{"imageLayoutVersion":"1.0.0"}'
    return found


def _tar(path: Path) -> dict[str, bytes]:
    found = {}
    with tarfile.open(path, "r:") as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == sorted(member.name for member in members)
        for member in members:
            assert (member.mtime, member.uid, member.gid, member.uname) == (0, 0, 0, "")
            assert member.mode == (0o755 if member.isdir() else 0o644)
            file = tar.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
    return found


def _folder(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def listed(files: Mapping[str, bytes]) -> Mapping[str, Any]:
    """The one entry of a layout's `index.json`; what it names is there."""
    index = json.loads(files["index.json"])
    (entry,) = index["manifests"]
    assert len(files[blob(entry)]) == entry["size"]
    assert isinstance(entry, dict)
    return entry


def reachable(files: Mapping[str, bytes], descriptor: Mapping[str, Any]) -> dict[str, bytes]:
    """Every blob beneath a descriptor, whose size must be true."""
    content = files[blob(descriptor)]
    assert len(content) == descriptor["size"]
    found = {blob(descriptor): content}
    if "manifest" in descriptor["mediaType"] or "index" in descriptor["mediaType"]:
        document = json.loads(content)
        below = document.get("manifests") or [document["config"], *document["layers"]]
        for each in below:
            found |= reachable(files, each)
    return found


def read_saved(path: Path) -> SavedImage:
    """The image of a docker archive; its two tables of contents tell the same, and nothing else is in it."""
    files = files_of(path)
    (entry,) = json.loads(files["manifest.json"])
    config = files[entry["Config"]]
    layers = tuple(files[name] for name in entry["Layers"])
    diff_ids = json.loads(config)["rootfs"]["diff_ids"]
    assert [blob({"digest": diff_id}) for diff_id in diff_ids] == entry["Layers"]
    beneath = reachable(files, listed(files))
    manifest = json.loads(files[blob(listed(files))])
    assert [layer["digest"] for layer in manifest["layers"]] == diff_ids
    assert blob(manifest["config"]) == entry["Config"]
    assert {str(layer["digest"]): layer for layer in manifest["layers"]} == entry["LayerSources"]
    assert files.keys() - beneath.keys() == {"index.json", "manifest.json", "oci-layout", "repositories"}
    return SavedImage(entry, config, layers, manifest)


def names_in(folder: Path) -> list[str]:
    """What is in a folder, hidden things too; but for the cache that each test has."""
    return sorted(entry.name for entry in folder.iterdir() if entry.name != "cache")


def blob(descriptor: Mapping[str, Any]) -> str:
    """Where a layout keeps what a descriptor names."""
    return f"blobs/{descriptor['digest'].replace(':', '/')}"
