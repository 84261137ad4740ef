"""A world of servers that answers at random, and as treacherously as it can; it writes down what every origin hears.

Which of them may hear which secret is decided here, by a few lines of its own and from how the world was made, so that
nothing that is tested has a say in it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from tests.secrets.sentinels import Sentinels

__all__ = ["BLOB", "DIGEST", "Account", "Answer", "World", "origin_of"]

BLOB = b"{}"
DIGEST = f"sha256:{sha256(BLOB).hexdigest()}"

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.", "[::1]")
_FAMILY = {"https://registry-1.docker.io:443": "https://auth.docker.io:443"}


def origin_of(url: str) -> str:
    """`scheme://host:port`, in one spelling."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{parts.port or _PORTS[parts.scheme]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Account:
    """What a keychain knows for a registry: which kind of credentials, and the secret."""

    kind: str
    secret: str


@dataclass(slots=True)
class World:
    """Every server that there is.

    `registries` are the origins with accounts (none for None); `origins` are all that locations lead to, and in a `far`
    world also names beside them, which belong to nobody.
    """

    dice: random.Random
    registries: Mapping[str, str | None]
    origins: tuple[str, ...]
    trusted: tuple[str, ...] = ()
    far: bool = True
    secrets: Sentinels = field(default_factory=Sentinels)
    accounts: dict[str, Account] = field(default_factory=dict)
    astray: list[tuple[str, str]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for origin, kind in self.registries.items():
            if kind is not None:
                servers = {each for each in self._token_servers() if self._is_token_server(origin, each)}
                heard_by = {origin} if kind == "registry" else servers if kind == "identity" else {origin, *servers}
                self.accounts[origin] = Account(kind, self.secrets.new(*heard_by))

    def _token_servers(self) -> set[str]:
        netlocs = {urlsplit(origin).netloc for origin in self.origins}
        usual = {f"{netloc.rpartition(':')[0]}:{port}" for netloc in netlocs for port in _PORTS.values()}
        return {f"{scheme}://{netloc}" for scheme in _PORTS for netloc in netlocs | usual}

    def _is_token_server(self, registry: str, realm: str) -> bool:
        """Whether a token server may know who we are at a registry."""
        ours, theirs = urlsplit(registry), urlsplit(realm)
        if theirs.scheme == "http" and ours.scheme == "https":
            return False
        chosen = {f"{theirs.hostname}:{theirs.port}"}
        if theirs.port == _PORTS[theirs.scheme]:
            chosen.add(theirs.hostname or "")
        both_here = all(each.netloc.startswith(_LOOPBACK) for each in (ours, theirs))
        is_chosen = not chosen.isdisjoint(self.trusted)
        return ours.hostname == theirs.hostname or both_here or is_chosen or _FAMILY.get(registry) == realm

    def heard(self, origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """A request as it stands on the wire, and what is answered to it."""
        lines = (f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()))
        raw = "\r\n".join((*lines, "", body.decode("latin-1")))
        self.astray.extend((origin, each) for each in self.secrets.astray(origin, raw))
        told = {name.lower(): value for name, value in headers.items()}.get("authorization", "")
        self._count(f"{told.partition(' ')[0] or 'nothing'} told")
        if target.startswith("/token/"):
            self._count("a token server asked")
            return self._token(target, body)
        return self._registry(origin, method, target, is_known=bool(told))

    def _count(self, what: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1

    def _token(self, target: str, body: bytes) -> Answer:
        draw = self.dice.random()
        if draw < 0.05:
            return Answer(302, {"Location": self._location(self.dice.choice(self.origins), "/token/0")})
        if draw < 0.15:
            return Answer(self.dice.choice((401, 403, 404, 405, 429)), {"WWW-Authenticate": self._challenge("")})
        registry = self.origins[int(target.partition("?")[0].split("/")[2])]
        token = self.secrets.new(registry)
        return Answer(200, {"Content-Type": "application/json"}, json.dumps({"token": token}).encode())

    def _registry(self, origin: str, method: str, target: str, *, is_known: bool) -> Answer:
        draw = self.dice.random()
        if draw < (0.1 if is_known else 0.6):
            self._count("a challenge")
            return Answer(401, {"WWW-Authenticate": self._challenge(origin)})
        if draw < 0.65 and is_known and self.dice.random() < 0.1:
            return Answer(403, {"WWW-Authenticate": self._challenge(origin)})
        if self.dice.random() < (0.3 if method in ("GET", "HEAD") else 0.05):
            self._count("a redirect")
            status = self.dice.choice((301, 302, 303, 307, 308))
            return Answer(status, {"Location": self._location(origin, target)})
        return self._content(origin, method, target)

    def _challenge(self, origin: str) -> str:
        number = self.origins.index(origin) if origin in self.origins else 0
        realm = self._location(origin or self.origins[0], f"/token/{number}")
        bearer = f'Bearer realm="{realm}",service="{self.dice.choice(("tests", "x y"))}",scope="repository:app:pull"'
        if self.dice.random() < 0.1:
            bearer += ',error="invalid_token"'
        return self.dice.choice((bearer, bearer, 'Basic realm="x"', f'Basic realm="x", {bearer}', f"{bearer}, Basic"))

    def _location(self, origin: str, target: str) -> str:
        """Anything that a server can write where a URL belongs."""
        parts, other = urlsplit(origin), self.dice.choice(self.origins)
        host, their_host = parts.netloc, urlsplit(other).netloc
        name, own, flipped = parts.hostname or "", origin + target, "http" if parts.scheme == "https" else "https"
        key = "realm" if target.startswith("/token/") else self.secrets.new()
        beside = (f"{parts.scheme}://{name}.{target}", f"{parts.scheme}://{name}.evil.example{target}")
        location: str = self.dice.choice(
            (
                own,
                own,
                target,
                target,
                other + target,
                other + target,
                other + target,
                other + target,
                *(beside if self.far else ()),
                f"//{their_host}{target}",
                f"{parts.scheme}://{host.upper()}{target}",
                f"{flipped}://{host}{target}",
                f"{flipped}://{name}{target}",
                f"{parts.scheme}://{name}{target}",
                f"{parts.scheme}://{host}@{their_host}{target}",
                f"{parts.scheme}://user:word@{host}{target}",
                *(
                    (f"{parts.scheme}://{name}.{target}", f"{parts.scheme}://{name}.evil.example{target}")
                    if self.far
                    else ()
                ),
                f"{parts.scheme}://{their_host}\\@{host}{target}",
                f"\\\\{their_host}{target}",
                f"{parts.scheme}:{target}",
                f"{other}{target}#{origin}",
                f"{other}/..{target}?_state={key}&digest=2",
                f"{own}/{key}",
                f"{other}/signed/{key}?X-Amz-Signature={key}",
                f"session?_state={key}",
                f"javascript:{target}",
                f"http://169.254.169.254{target}",
                "",
            )
        )
        return location

    def _content(self, origin: str, method: str, target: str) -> Answer:
        path = target.partition("?")[0]
        if method in ("POST", "PATCH"):
            self._count("an upload")
            session = f"{path}{self.secrets.new()}?_state={self.secrets.new()}"
            return Answer(202, {"Location": self._location(origin, session), "Range": "0-0"})
        if method == "PUT":
            stored = parse_qs(urlsplit(target).query).get("digest", [""])[0]
            return Answer(201, {"Location": self._location(origin, path), "Docker-Content-Digest": stored})
        if method == "DELETE":
            return Answer(202, {})
        if "/manifests/" in path:
            return self._manifest()
        if "/blobs/" in path:
            return (
                Answer(200, {"Content-Type": "application/octet-stream"}, BLOB) if method == "GET" else Answer(404, {})
            )
        if "/referrers/" in path:
            index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}
            return self._page(origin, target, index)
        return self._page(origin, target, {"name": "app", "tags": ["a", "b"], "repositories": ["app"]})

    def _page(self, origin: str, target: str, document: object) -> Answer:
        content_type = "application/vnd.oci.image.index.v1+json" if "/referrers/" in target else "application/json"
        link = f'<{self._location(origin, f"{target}&more=1" if "?" in target else target)}>; rel="next"'
        self._count("a page")
        headers = {"Content-Type": content_type, **({"Link": link} if self.dice.random() < 0.7 else {})}
        return Answer(200, headers, json.dumps(document).encode())

    def _manifest(self) -> Answer:
        urls = [self._location(self.dice.choice(self.origins), f"/v2/app/blobs/{DIGEST}") for _ in range(2)]
        layer = {"digest": DIGEST, "size": len(BLOB)}
        document = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", **layer},
            "layers": [
                {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", **layer},
                {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "urls": urls, **layer},
            ],
        }
        raw = json.dumps(document).encode()
        digest = f"sha256:{sha256(raw).hexdigest()}"
        return Answer(200, {"Content-Type": str(document["mediaType"]), "Docker-Content-Digest": digest}, raw)
