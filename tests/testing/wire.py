"""A plain client on the standard library: what the registry is judged with."""

import hashlib
import http.client
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import quote, urlsplit

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Got:
    """An answer, read to its end."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The first error's code, in the specification's form."""
        return str(self.json["errors"][0]["code"])

    @property
    def location(self) -> str:
        """The Location, which must be there."""
        return str(self.headers["Location"])


def sha256(content: bytes) -> str:
    """The digest of the content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str = LAYER, **more: Any) -> dict[str, Any]:
    """What points at the content."""
    return {"mediaType": media_type, "digest": sha256(content), "size": len(content), **more}


def image(layers: Iterable[bytes] = (), config: bytes = b"{}", **more: Any) -> bytes:
    """An image manifest over these layers."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor(layer) for layer in layers],
        **more,
    }
    return json.dumps(document, indent=1).encode()


class Wire:
    """One connection to a registry."""

    def __init__(self, host: str, scheme: str = "http") -> None:
        self.origin = f"{scheme}://{host}"
        self.connection = http.client.HTTPConnection(host, timeout=20)

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Got:
        """One request; header names are written with underscores."""
        path = target.removeprefix(self.origin)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        self.connection.request(method, path, body=body, headers=named)
        answer = self.connection.getresponse()
        return Got(answer.status, answer.headers, answer.read())

    def start(self, name: str, query: str = "") -> Got:
        """Open an upload."""
        return self.ask("POST", f"/v2/{name}/blobs/uploads/{query}")

    def commit(self, location: str, digest: str, body: bytes = b"", **headers: str) -> Got:
        """Close an upload, with the last bytes."""
        sign = "&" if urlsplit(location).query else "?"
        return self.ask("PUT", f"{location}{sign}digest={quote(digest, safe='')}", body, **headers)

    def put_blob(self, name: str, content: bytes) -> str:
        """Upload content, and give its digest."""
        digest = sha256(content)
        assert self.commit(self.start(name).location, digest, content).status == 201
        return digest

    def put_image(self, name: str, reference: str, raw: bytes, *blobs: bytes, media_type: str = OCI_MANIFEST) -> Got:
        """Upload blobs and then a manifest; `{}` is the config of `image`, and always uploaded."""
        for blob in (b"{}", *blobs):
            self.put_blob(name, blob)
        return self.ask("PUT", f"/v2/{name}/manifests/{reference}", raw, Content_Type=media_type)


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether something that another thread brings about becomes true in time."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.002)
    return holds()
