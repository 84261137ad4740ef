"""References and repositories: how an image is named.

    reference  = repository [":" tag] ["@" digest]
    repository = [host "/"] path
    host       = (name | "[" IPv6 "]") [":" port]     the first component, if it has a "." or ":" or an upper-case
                                                      letter, or is "localhost"
    path       = component *("/" component)           component = [a-z0-9]+ joined by "." "_" "__" or dashes
    tag        = [A-Za-z0-9_][A-Za-z0-9._-]{0,127}

The grammar is the distribution-spec's; what is left out is filled in as Docker does it (`nginx` is
`docker.io/library/nginx:latest`). Source: distribution-spec, "Pulling manifests"; distribution/reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import IPv6Address
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.digest import ALGORITHMS, Digest, parse_digest
from registry_fp.domain.errors import BadReference, RegistryError

__all__ = [
    "DOCKER_HUB",
    "Reference",
    "Repository",
    "canonical_host",
    "parse_host",
    "parse_reference",
    "parse_repository",
    "parse_tag",
]

DOCKER_HUB: Final = "docker.io"
_DOCKER_HUB_NAMES: Final = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_NAME_LIMIT: Final = 255  # distribution-spec: many implementations limit host, "/" and name together to 255
_COMPONENT: Final = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*", re.ASCII)
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST: Final = re.compile(
    rf"(?P<name>{_LABEL}(?:\.{_LABEL})*|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?", re.ASCII
)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_IMAGE_ID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_USER: Final = re.compile(r"(://).*@|^[^/@]+:[^/@]*@(?=.*/)", re.DOTALL)  # `user:password@` before a host


@final
@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """A host and a path: where blobs and manifests live. Made by `parse_repository`."""

    host: str
    path: str

    def __str__(self) -> str:
        """The full name, `host/path`."""
        return f"{self.host}/{self.path}"


@final
@dataclass(frozen=True, slots=True)
class Reference:
    """A manifest's name: a repository with a tag, a digest, or both (the digest decides). See `parse_reference`."""

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None

    def __str__(self) -> str:
        """The full name, `host/path[:tag][@digest]`."""
        tag = f":{self.tag}" if self.tag is not None else ""
        digest = f"@{self.digest}" if self.digest is not None else ""
        return f"{self.repository}{tag}{digest}"

    @property
    def identifier(self) -> str:
        """What stands in the URL: the digest where there is one, else the tag."""
        return str(self.digest) if self.digest is not None else self.tag or "latest"

    def at(self, digest: Digest) -> Reference:
        """The same name, pinned to a digest."""
        return replace(self, digest=digest)


def parse_reference(text: str) -> Result[Reference, RegistryError]:
    """A reference with everything that was left out filled in, as Docker does.

    Fails with `BadReference`.

    >>> str(parse_reference("nginx").unwrap())
    'docker.io/library/nginx:latest'
    >>> str(parse_reference("localhost:5000/app").unwrap())
    'localhost:5000/app:latest'
    >>> parse_reference("ghcr.io/team/App").failure().reason.why
    'a repository is lower case: team/App'
    """
    if "://" in text:
        return _bad("parse_reference", text, _scheme_fault(text))
    if _USER.search(text):
        return _bad("parse_reference", text, "leave out the user and the password")
    name, at, digest_text = text.partition("@")
    digest: Digest | None = None
    if at:
        found = parse_digest(digest_text)
        if not is_successful(found):
            reason = found.failure().reason
            return _bad("parse_reference", text, reason.why if isinstance(reason, BadReference) else "bad digest")
        digest = found.unwrap()
    # A colon after the last slash starts a tag; one before it belongs to the host's port.
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and _TAG.fullmatch(tag) is None:
        return _bad("parse_reference", text, _tag_fault(tag))
    if _IMAGE_ID.fullmatch(name):
        return _bad("parse_reference", text, "64 hex digits are an image id, not a name")
    chosen = tag if colon else None if digest is not None else "latest"
    split = _split(f"{head}{slash}{last}")
    if isinstance(split, str):
        return _bad("parse_reference", text, split)
    return Success(Reference(split, chosen, digest))


def parse_repository(text: str) -> Result[Repository, RegistryError]:
    """A repository, with Docker's default host; a tag or digest behind it is refused.

    Fails with `BadReference`.

    >>> str(parse_repository("alpine").unwrap())
    'docker.io/library/alpine'
    >>> parse_repository("alpine:3").failure().reason.why
    'a repository has no tag or digest'
    """
    if "://" not in text and ("@" in text or ":" in text.rpartition("/")[2]):
        return _bad("parse_repository", text, "a repository has no tag or digest")
    split = _split(text)
    return _bad("parse_repository", text, split) if isinstance(split, str) else Success(split)


def parse_host(text: str) -> Result[str, RegistryError]:
    """A registry's host, with its port if it has one; Docker Hub's names become `docker.io`.

    A bare word is no host, because in a reference it would be a part of the path. Fails with `BadReference`.

    >>> parse_host("localhost:5000").unwrap()
    'localhost:5000'
    >>> parse_host("https://ghcr.io").failure().reason.why
    'leave out https://'
    """
    if "@" in text:
        return _bad("parse_host", f"***@{text.rpartition('@')[2]}", "leave out the user and the password")
    why = _host_fault(text)
    if why is None and not _names_a_host(text):
        why = f"a host has a dot or a port, or is localhost: {text}:443"
    return _bad("parse_host", text, why) if why is not None else Success(canonical_host(text))


def parse_tag(text: str) -> Result[str, RegistryError]:
    """A tag: at most 128 of letters, digits, `.`, `_`, `-`, not starting with `.` or `-`.

    Fails with `BadReference`.
    """
    return Success(text) if _TAG.fullmatch(text) else _bad("parse_tag", text, _tag_fault(text))


def _split(name: str) -> Repository | str:
    """The repository, or what is wrong with its name."""
    if "://" in name:
        return _scheme_fault(name)
    first, slash, rest = name.partition("/")
    if slash and _names_a_host(first):
        host, path = first, rest
    else:
        host, path = DOCKER_HUB, name
    why = _host_fault(host)
    if why is not None:
        return why
    host = canonical_host(host)
    if host == DOCKER_HUB and path and "/" not in path:
        path = f"library/{path}"
    if len(host) + 1 + len(path) > _NAME_LIMIT:
        return f"host and repository together have at most {_NAME_LIMIT} characters, found {len(host) + 1 + len(path)}"
    return _path_fault(path) or Repository(host, path)


def _path_fault(path: str) -> str | None:
    if not path:
        return "the name is empty"
    for component in path.split("/"):
        if _COMPONENT.fullmatch(component):
            continue
        if not component:
            return "a component of the repository is empty"
        if component.lower() != component:
            return f"a repository is lower case: {path}"
        return f"not a component of a repository: {component}"
    return None


def _names_a_host(first: str) -> bool:
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def _scheme_fault(text: str) -> str:
    return f"leave out {text.partition('://')[0]}://"


def _host_fault(host: str) -> str | None:
    if "://" in host:
        return _scheme_fault(host)
    match = _HOST.fullmatch(host)
    if match is None:
        return f"not a host: {host}" if host else "the host is empty"
    if match["port"] is not None and not 0 < int(match["port"]) < 65536:
        return f"not a port: {match['port']}"
    return None if match["ipv6"] is None else _ipv6_fault(match["ipv6"])


def _ipv6_fault(address: str) -> str | None:
    try:
        IPv6Address(address)
    except ValueError:
        return f"not an IPv6 address: {address}"
    return None


def canonical_host(host: str) -> str:
    """The one spelling of a host: lower case, and `docker.io` for every name of Docker Hub.

    So each is one host to credentials, limits and caches.

    >>> canonical_host("Index.Docker.io")
    'docker.io'
    """
    match = _HOST.fullmatch(host)
    if match is None or not ("." in host or ":" in host or host.lower() == "localhost"):
        return host  # upper case is all that makes a bare word a host: without it, it is a part of a path
    name = match["name"].lower() if match["ipv6"] is None else f"[{IPv6Address(match['ipv6'])}]"
    lowered = name if match["port"] is None else f"{name}:{int(match['port'])}"
    return DOCKER_HUB if lowered in _DOCKER_HUB_NAMES else lowered


def _tag_fault(tag: str) -> str:
    if not tag:
        return "the tag is empty"
    if len(tag) > 128:
        return f"a tag has at most 128 characters, found {len(tag)}"
    return f"a tag is letters, digits, '.', '_' and '-', and starts with none of the last two: {tag}"


def _bad(doing: str, text: str, why: str) -> Failure[RegistryError]:
    # What was typed goes to a terminal and a log: bounded, without control characters, and without a password.
    last = text.rpartition("@")[2]
    digest = f"@{last}" if last.partition(":")[0] in ALGORITHMS else ""
    head, at, tail = text.removesuffix(digest).rpartition("@")
    shown = text
    if at and (":" in head or "/" in tail):
        shown, why = f"***@{tail}{digest}", "leave out the user and the password"
    shown = shown[:300].encode("unicode_escape").decode("ascii")
    plain = why[:300].encode("unicode_escape").decode("ascii")
    return Failure(RegistryError(doing, shown, BadReference(shown, plain)))
