"""An independent reader: what a registry holds, and whether it is the image of an archive.

It is the standard library and nothing else, so that it cannot agree with the product by construction.
"""

import base64
import gzip
import hashlib
import http.client
import json
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from posixpath import normpath
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"

_CONFIG_OF = {
    DOCKER: "application/vnd.docker.container.image.v1+json",
    OCI: "application/vnd.oci.image.config.v1+json",
}
_LAYER_OF = {
    (DOCKER, "none"): "application/vnd.docker.image.rootfs.diff.tar",
    (DOCKER, "gzip"): "application/vnd.docker.image.rootfs.diff.tar.gzip",
    (OCI, "none"): "application/vnd.oci.image.layer.v1.tar",
    (OCI, "gzip"): "application/vnd.oci.image.layer.v1.tar+gzip",
    (OCI, "zstd"): "application/vnd.oci.image.layer.v1.tar+zstd",
}


@dataclass(frozen=True, slots=True)
class Got:
    """An answer, read to its end."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Saved:
    """One image of a docker archive: its tags, the exact bytes of its configuration, and its diff_ids."""

    tags: tuple[str, ...]
    config: bytes

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digests of the uncompressed layers, oldest first."""
        return tuple(json.loads(self.config)["rootfs"]["diff_ids"])


@dataclass(frozen=True, slots=True)
class Stored:
    """One image of a registry, proven: its manifest, and how its layers are compressed."""

    digest: str
    manifest: Mapping[str, Any]
    config: bytes
    codecs: tuple[str, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """The digests of the layers as they are stored."""
        return tuple(layer["digest"] for layer in self.manifest["layers"])


def read_archive(path: Path) -> tuple[Saved, ...]:
    """The images of a docker archive, in its order; the archive may be compressed."""
    with tarfile.open(path) as archive:
        members = {normpath(member.name): member for member in archive}

        def content(name: str) -> bytes:
            file = archive.extractfile(members[name])
            assert file is not None
            return file.read()

        listed = json.loads(content("manifest.json"))
        return tuple(Saved(tuple(each["RepoTags"] or ()), content(each["Config"])) for each in listed)


class Reader:
    """One registry, asked over plain HTTP."""

    def __init__(self, host: str, login: tuple[str, str] | None = None) -> None:
        self._host = host
        self._headers: dict[str, str] = {}
        if login is not None:
            self._headers["Authorization"] = f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"

    def get(self, path: str, **headers: str) -> Got:
        """One GET on a connection of its own."""
        connection = http.client.HTTPConnection(self._host, timeout=20.0)
        try:
            connection.request("GET", f"/v2/{path}", headers={**self._headers, **headers})
            answer = connection.getresponse()
            return Got(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def tags(self, repository: str) -> set[str]:
        """The tags of a repository, of which there may be none."""
        got = self.get(f"{repository}/tags/list")
        return set(json.loads(got.body).get("tags") or ()) if got.status == 200 else set()

    def prove(self, repository: str, tag: str, saved: Saved) -> Stored:
        """Read an image to the last byte of every layer; it must be the saved one, and true in every descriptor."""
        got = self.get(f"{repository}/manifests/{tag}", Accept=f"{DOCKER}, {OCI}")
        assert got.status == 200, got
        manifest = json.loads(got.body)
        kind = manifest["mediaType"]
        assert (manifest["schemaVersion"], got.headers["Content-Type"]) == (2, kind)
        digest = _digest(got.body)
        assert got.headers["Docker-Content-Digest"] == digest
        assert self.get(f"{repository}/manifests/{digest}", Accept=kind).body == got.body
        config = self._blob(repository, manifest["config"])
        assert config == saved.config
        assert manifest["config"]["mediaType"] == _CONFIG_OF[kind]
        contents = [self._blob(repository, layer) for layer in manifest["layers"]]
        for content, diff_id in zip(contents, saved.diff_ids, strict=True):
            assert _digest(_unpacked(content), diff_id.partition(":")[0]) == diff_id
        codecs = tuple(_codec(content) for content in contents)
        assert [layer["mediaType"] for layer in manifest["layers"]] == [_LAYER_OF[kind, codec] for codec in codecs]
        return Stored(digest, manifest, config, codecs)

    def _blob(self, repository: str, descriptor: Mapping[str, Any]) -> bytes:
        got = self.get(f"{repository}/blobs/{descriptor['digest']}")
        assert got.status == 200, got
        assert (len(got.body), _digest(got.body)) == (descriptor["size"], descriptor["digest"])
        return got.body


def _codec(content: bytes) -> str:
    if content.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if content.startswith(b"\x28\xb5\x2f\xfd") else "none"


def _unpacked(content: bytes) -> bytes:
    match _codec(content):
        case "gzip":
            return gzip.decompress(content)
        case "zstd":
            return zstd.decompress(content)
        case _:
            return content


def _digest(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
