"""Layouts written and read by hand: none of our code takes part."""

import hashlib
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.copy.made import INDEX, Made, image, layer

MARKER = b'{"imageLayoutVersion": "1.0.0"}'
REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD = "io.containerd.image.name"


def entry(made: Made, name: str | None = None, **annotations: str) -> dict[str, Any]:
    """What `index.json` says of an image."""
    named = ({} if name is None else {REF_NAME: name}) | annotations
    return made.descriptor() | ({"annotations": named} if named else {})


def write_layout(folder: Path, *images: Made, entries: Iterable[dict[str, Any]] | None = None) -> Path:
    """A layout folder with these images; without entries, each is listed without a name."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "oci-layout").write_bytes(MARKER)
    listed = [entry(each) for each in images] if entries is None else list(entries)
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": listed}))
    for each in images:
        for one in each.all():
            blob(folder, one.digest).write_bytes(one.raw)
        for digest, content in each.content.items():
            blob(folder, digest).write_bytes(content)
    return folder


def pack(folder: Path, path: Path, mode: str = "w") -> Path:
    """A layout as a tar, whose names begin with `./`."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # the mode is a value here
        tar.add(folder, ".")
    return path


def blob(folder: Path, digest: str) -> Path:
    """Where a blob is."""
    return folder / "blobs" / digest.replace(":", "/")


def listed(folder: Path) -> list[dict[str, Any]]:
    """The entries of `index.json`."""
    entries: list[dict[str, Any]] = json.loads((folder / "index.json").read_bytes())["manifests"]
    return entries


def check_layout(folder: Path, made: Made) -> None:
    """A layout folder has an image and everything beneath it, byte for byte, and no file that is wrongly named."""
    for each in made.all():
        assert blob(folder, each.digest).read_bytes() == each.raw
    for digest, content in made.content.items():
        assert blob(folder, digest).read_bytes() == content
    check_names(folder)


def check_names(folder: Path) -> None:
    """Every blob is what it is called, and nothing is left half-written."""
    for path in (folder / "blobs").rglob("*"):
        if path.is_file():
            assert hashlib.new(path.parent.name, path.read_bytes()).hexdigest() == path.name
    assert {path.name for path in folder.iterdir()} == {"blobs", "index.json", "oci-layout"}


def attestation(about: Made) -> Made:
    """What buildkit puts beside an image: a manifest that is listed as unknown/unknown."""
    return image(layer(f"attestation of {about.platform}", 100), platform="unknown/unknown")


def containerd_index(images: Iterable[Made], **more: Any) -> Made:
    """An index as buildx writes it: each image, and then the attestation of each."""
    every = tuple(images)
    attested = tuple(attestation(each) for each in every)
    notes = [
        {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": each.digest}
        for each in every
    ]
    manifests = [each.descriptor() for each in every]
    manifests += [each.descriptor(annotations=note) for each, note in zip(attested, notes, strict=True)]
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, **more}
    return Made(INDEX, json.dumps(document, indent=3).encode(), {}, (*every, *attested))
