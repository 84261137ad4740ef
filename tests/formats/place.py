"""A repository to work in, and raw requests to it that know nothing of the product."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import tarfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from registry_fp.testing import EmbeddedRegistry

__all__ = ["DOCKER", "DOCKER_LIST", "OCI", "OCI_INDEX", "Place", "fresh", "layer_tar", "sha256"]

DOCKER: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_TYPES: Final = {
    DOCKER: ("application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    OCI: ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
}


def fresh() -> str:
    """A repository path that nobody else uses."""
    return f"team-{uuid.uuid4().hex[:12]}/app"


def sha256(content: bytes) -> str:
    """The digest of these bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer_tar(files: Mapping[str, bytes]) -> bytes:
    """A layer's tar with these files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Place:
    """A repository, and the registry's counters where it is an embedded one."""

    host: str
    path: str
    registry: EmbeddedRegistry | None = None

    @property
    def repository(self) -> str:
        """As it stands in a reference."""
        return f"{self.host}/{self.path}"

    def neighbour(self) -> Place:
        """Another repository of the same registry."""
        return Place(self.host, fresh(), self.registry)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        """One request on a connection of its own; header names are in lower case."""
        connection = http.client.HTTPConnection(self.host, timeout=20.0)
        try:
            target = path if path.startswith(("/", "http")) else f"/v2/{self.path}/{path}"
            connection.request(method, target, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def has(self, content: bytes) -> dict[str, Any]:
        """Store a blob; its digest and size."""
        status, headers, _ = self.ask("POST", "blobs/uploads/")
        assert status == 202
        location = headers["location"]
        joint = "&" if "?" in location else "?"
        status, _, told = self.ask("PUT", f"{location}{joint}digest={sha256(content)}", content)
        assert status == 201, told
        return {"digest": sha256(content), "size": len(content)}

    def put(self, name: str, raw: bytes, kind: str) -> dict[str, Any]:
        """Store a manifest; its descriptor."""
        status, _, told = self.ask("PUT", f"manifests/{name}", raw, Content_Type=kind)
        assert status == 201, told
        return {"mediaType": kind, "digest": sha256(raw), "size": len(raw)}

    def image(
        self,
        name: str | None,
        *,
        kind: str = OCI,
        architecture: str = "amd64",
        layers: Sequence[bytes] = (b"one", b"two"),
        config: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Store an image under a tag (None: under its digest alone); its descriptor, with a platform."""
        config_type, layer_type = _TYPES[kind]
        document = {
            "architecture": architecture,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [sha256(b"content of " + layer) for layer in layers]},
            "x-unknown": {"b": 1, "a": [None, 1.5]},
            **(config or {}),
        }
        raw = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": kind,
                "config": {"mediaType": config_type, **self.has(json.dumps(document).encode())},
                "layers": [{"mediaType": layer_type, **self.has(layer)} for layer in layers],
                **more,
            },
            indent=3,
        ).encode()
        descriptor = self.put(name or sha256(raw), raw, kind)
        return {**descriptor, "platform": {"architecture": architecture, "os": "linux"}}

    def index(self, name: str, entries: Sequence[Mapping[str, Any]], *, kind: str = OCI_INDEX, **more: Any) -> str:
        """Store an index; its digest."""
        raw = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": list(entries), **more}).encode()
        return str(self.put(name, raw, kind)["digest"])

    def manifest(self, name: str) -> tuple[dict[str, Any], bytes, str]:
        """A manifest as it is stored: the document, its bytes and its media type; proven."""
        accepted = ", ".join((OCI, OCI_INDEX, DOCKER, DOCKER_LIST))
        status, headers, raw = self.ask("GET", f"manifests/{name}", Accept=accepted)
        assert status == 200, raw
        assert headers["docker-content-digest"] == sha256(raw)
        return json.loads(raw), raw, headers["content-type"]

    def blob(self, descriptor: Mapping[str, Any]) -> bytes:
        """A blob as it is stored; proven."""
        status, _, raw = self.ask("GET", f"blobs/{descriptor['digest']}")
        assert (status, sha256(raw), len(raw)) == (200, descriptor["digest"], descriptor["size"])
        return raw
