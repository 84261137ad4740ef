"""Images made by hand, and put into a registry by hand: none of our code takes part."""

import gzip
import hashlib
import http.client
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
PLATFORMS = ("linux/amd64", "linux/arm64/v8", "linux/arm/v7", "linux/s390x", "windows/amd64")


@dataclass(frozen=True, slots=True)
class Made:
    """A manifest's exact bytes, the blobs that it needs, and the manifests that it lists (before it)."""

    media_type: str
    raw: bytes
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    listed: tuple["Made", ...] = ()
    platform: str | None = None

    @property
    def digest(self) -> str:
        """The digest of the exact bytes."""
        return sha256(self.raw)

    def descriptor(self, **more: Any) -> dict[str, Any]:
        """The pointer to it."""
        pointer: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw)}
        if self.platform is not None:
            system, architecture, *variant = self.platform.split("/")
            pointer["platform"] = {"architecture": architecture, "os": system} | (
                {"variant": variant[0]} if variant else {}
            )
        return pointer | more

    def all(self) -> Iterable["Made"]:
        """It, and everything that it lists; what is listed comes first."""
        for each in self.listed:
            yield from each.all()
        yield self

    @property
    def content(self) -> dict[str, bytes]:
        """Every blob of it and of what it lists, by digest."""
        return {digest: blob for each in self.all() for digest, blob in each.blobs.items()}


def sha256(content: bytes) -> str:
    """A digest, as it stands in a descriptor."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(name: str, size: int = 20_000, seed: int = 0) -> bytes:
    """A gzipped tar with one file of random bytes."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = size
        tar.addfile(member, io.BytesIO(_random(f"{name}{seed}", size)))
    return gzip.compress(written.getvalue(), 1, mtime=0)


def image(
    *layers: bytes,
    platform: str | None = None,
    media_type: str = MANIFEST,
    indent: int | None = 2,
    **more: Any,
) -> Made:
    """An image of these layers, for a platform; `more` are further fields of its manifest."""
    system, architecture, *_ = (platform or "linux/amd64").split("/")
    diff_ids = [sha256(gzip.decompress(each)) for each in layers]
    config = json.dumps(
        {"os": system, "architecture": architecture, "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    ).encode()
    kind = CONFIG if media_type == MANIFEST else "application/vnd.docker.container.image.v1+json"
    layer_kind = LAYER if media_type == MANIFEST else "application/vnd.docker.image.rootfs.diff.tar.gzip"
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": pointer(kind, config),
        "layers": [pointer(layer_kind, each) for each in layers],
        **more,
    }
    blobs = {sha256(each): each for each in (config, *layers)}
    return Made(media_type, json.dumps(document, indent=indent).encode(), blobs, (), platform)


def index(*listed: Made, media_type: str = INDEX, indent: int | None = 3, **more: Any) -> Made:
    """An index of these manifests."""
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [each.descriptor() for each in listed],
        **more,
    }
    return Made(media_type, json.dumps(document, indent=indent).encode(), {}, listed)


def artifact(subject: Made, kind: str, content: bytes) -> Made:
    """Something that refers to a manifest."""
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": pointer("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [pointer("application/octet-stream", content)],
        "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": len(subject.raw)},
    }
    return Made(MANIFEST, json.dumps(document).encode(), {sha256(b"{}"): b"{}", sha256(content): content})


def five_platforms(seed: int = 0) -> Made:
    """One index, five platforms, one layer that all of them share."""
    shared = layer("shared", seed=seed)
    images = (image(shared, layer(name, seed=seed), platform=name) for name in PLATFORMS)
    return index(*images, annotations={"org.opencontainers.image.ref.name": "kept"})


def _random(seed: str, size: int) -> bytes:
    blocks = (hashlib.sha256(f"{seed}{number}".encode()).digest() for number in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def pointer(media_type: str, content: bytes) -> dict[str, Any]:
    """A descriptor."""
    return {"mediaType": media_type, "digest": sha256(content), "size": len(content)}


def put(host: str, repository: str, made: Made, tag: str | None = None) -> None:
    """Put an image, and everything that it lists, into a registry."""
    for digest, content in made.content.items():
        if request(host, "HEAD", f"/v2/{repository}/blobs/{digest}")[0] != 200:
            _, headers, _ = request(host, "POST", f"/v2/{repository}/blobs/uploads/")
            location = headers["Location"].partition(host)[2] or headers["Location"]
            joint = "&" if "?" in location else "?"
            done = request(host, "PUT", f"{location}{joint}digest={digest}", content)
            assert done[0] == 201, done
    for each in made.all():
        name = tag if each is made and tag is not None else each.digest
        done = request(host, "PUT", f"/v2/{repository}/manifests/{name}", each.raw, {"Content-Type": each.media_type})
        assert done[0] == 201, done


def check(host: str, repository: str, made: Made, tag: str | None = None) -> None:
    """A registry has an image with everything beneath it, byte for byte."""
    for each in made.all():
        for name in (each.digest, *((tag,) if each is made and tag is not None else ())):
            status, headers, body = request(
                host, "GET", f"/v2/{repository}/manifests/{name}", headers={"Accept": each.media_type}
            )
            assert (status, body, headers["Content-Type"]) == (200, each.raw, each.media_type)
    for digest, content in made.content.items():
        status, _, body = request(host, "GET", f"/v2/{repository}/blobs/{digest}")
        assert (status, sha256(body), body) == (200, digest, content)


def request(
    host: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(host, timeout=20.0)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, dict(answer.headers.items()), answer.read()
    finally:
        connection.close()
