"""The one error of the library, and the closed set of reasons inside it.

A reason is a value that carries facts (a status, a digest, an offset), never a sentence: `explain` writes the
sentence. `Reason` is closed, so `match error.reason` ending in `assert_never` is exhaustive, and a new reason is
a type error everywhere until it is known whether it is transient, how it reads and which exit code it has.
Nothing here ever holds a credential, a query string or an upload location.

This file is long because the vocabulary is one: what can go wrong is read, and matched, as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, final

if TYPE_CHECKING:  # `parse_digest` fails with a RegistryError, so the two modules know each other
    from registry_fp.domain.digest import Digest

__all__ = [
    "AmbiguousManifest",
    "BadReference",
    "Conflict",
    "ConnectFailed",
    "ConnectionLost",
    "DeadlineExceeded",
    "Denied",
    "DigestMismatch",
    "DnsFailed",
    "ImageFault",
    "InvalidImage",
    "LimitExceeded",
    "LocalIo",
    "MalformedDocument",
    "MediaTypeMismatch",
    "Misconfigured",
    "MissingContent",
    "NoSuchPlatform",
    "NotConfirmed",
    "NotFound",
    "Phase",
    "PolicyRefused",
    "Problem",
    "ProtocolViolation",
    "RangeRejected",
    "RateLimited",
    "Reason",
    "Refused",
    "RegistryError",
    "ServerFault",
    "SeveralFailed",
    "SizeMismatch",
    "SourceChanged",
    "TagNotDeletable",
    "TarFault",
    "TarUnreadable",
    "TimedOut",
    "TlsFailed",
    "Unauthenticated",
    "Unsupported",
    "UploadLost",
]

Phase: TypeAlias = Literal["connect", "write", "response", "read", "rate"]
"""What a request was waiting for when its limit ran out; "rate" is a stream slower than the minimum rate."""

TarFault: TypeAlias = Literal[
    "empty",
    "not a tar",
    "truncated",
    "bad header",
    "hostile header",
    "too many members",
    "bad compression",
]
"""Why the container itself cannot be read."""

ImageFault: TypeAlias = Literal[
    "no manifest.json",
    "bad manifest.json",
    "bad oci-layout",
    "bad index.json",
    "no images",
    "several images",
    "no such image",
    "no tags",
    "bad tag",
    "bad name",
    "duplicate member",
    "missing config",
    "bad config",
    "missing layer",
    "bad layer",
    "bad blob",
    "layer count",
    "diff_id mismatch",
    "digest mismatch",
    "link leaves the archive",
    "link cycle",
    "broken link",
    "not a regular file",
    "manifests disagree",
]
"""Why a readable archive is not a valid image."""


@final
@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of a registry's error body (distribution-spec, error codes), bounded and escaped."""

    code: str
    message: str


@final
@dataclass(frozen=True, slots=True)
class DnsFailed:
    """The host has no address; `temporary` if the name server could not say for certain."""

    host: str
    temporary: bool = False


@final
@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """The host has an address, but nothing accepted the connection."""

    host: str
    why: str


@final
@dataclass(frozen=True, slots=True)
class TlsFailed:
    """The connection was accepted, but TLS could not be agreed, or the certificate is not trusted."""

    host: str
    why: str


@final
@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nothing moved for `seconds` while the request was in `phase`."""

    phase: Phase
    seconds: float


@final
@dataclass(frozen=True, slots=True)
class DeadlineExceeded:
    """The caller's own limit of `seconds` for the whole operation ran out."""

    seconds: float


@final
@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection broke after `bytes_done` bytes of the body under way (sent or received)."""

    bytes_done: int


@final
@dataclass(frozen=True, slots=True)
class ServerFault:
    """The registry answered 408 or 5xx; `after` is the pause in seconds that it asked for."""

    status: int
    problems: tuple[Problem, ...] = ()
    after: float | None = None


@final
@dataclass(frozen=True, slots=True)
class RateLimited:
    """The registry answered 429; `after` is the pause in seconds that it asked for."""

    after: float | None = None


@final
@dataclass(frozen=True, slots=True)
class Unauthenticated:
    """The registry wants credentials, or does not accept the ones it got (401)."""

    problems: tuple[Problem, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Denied:
    """The credentials are known and do not allow this (403)."""

    problems: tuple[Problem, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class NotFound:
    """The registry does not have it (404)."""

    what: Literal["registry", "repository", "manifest", "blob", "tag", "upload", "page", "file", "layer"]
    problems: tuple[Problem, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Refused:
    """The registry answered another 4xx: it understood, and will not."""

    status: int
    problems: tuple[Problem, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class UploadLost:
    """The registry forgot an upload session that was under way; starting again is the way on."""

    bytes_done: int


@final
@dataclass(frozen=True, slots=True)
class RangeRejected:
    """The registry holds `actual` bytes of an upload where we had sent `expected`."""

    expected: int
    actual: int | None


@final
@dataclass(frozen=True, slots=True)
class DigestMismatch:
    """Content does not have the digest that names it."""

    expected: Digest
    actual: Digest


@final
@dataclass(frozen=True, slots=True)
class SizeMismatch:
    """Content does not have the size, in bytes, that was promised."""

    expected: int
    actual: int


@final
@dataclass(frozen=True, slots=True)
class ProtocolViolation:
    """The registry's answer breaks the distribution specification; `rule` says which rule."""

    rule: str


@final
@dataclass(frozen=True, slots=True)
class PolicyRefused:
    """The registry asked for something this client does not do; `url` has neither query nor credentials."""

    rule: str
    url: str


@final
@dataclass(frozen=True, slots=True)
class LimitExceeded:
    """Something is larger than this client reads; the unit of `limit` is part of `what`."""

    what: str
    limit: int


@final
@dataclass(frozen=True, slots=True)
class MalformedDocument:
    """A JSON document is not what it should be: syntax, types, or a missing field."""

    why: str


@final
@dataclass(frozen=True, slots=True)
class AmbiguousManifest:
    """Two readers could read this document differently (CVE-2021-41190), so it is not read at all."""

    why: str


@final
@dataclass(frozen=True, slots=True)
class MediaTypeMismatch:
    """A document says that it is one thing and travels as another."""

    declared: str
    found: str


@final
@dataclass(frozen=True, slots=True)
class Unsupported:
    """The other side, or this installation, cannot do it."""

    what: str


@final
@dataclass(frozen=True, slots=True)
class BadReference:
    """A name breaks the grammar of references, repositories, tags or digests."""

    text: str
    why: str


@final
@dataclass(frozen=True, slots=True)
class TarUnreadable:
    """The container is broken: it cannot be read as a tar archive."""

    kind: TarFault
    member: str | None = None
    offset: int | None = None
    detail: str = ""


@final
@dataclass(frozen=True, slots=True)
class InvalidImage:
    """The container can be read, and what is in it is not a valid image."""

    kind: ImageFault
    member: str | None = None
    detail: str = ""


@final
@dataclass(frozen=True, slots=True)
class SourceChanged:
    """A file changed while it was being read, so what was sent proves nothing."""

    what: str


@final
@dataclass(frozen=True, slots=True)
class LocalIo:
    """The operating system refused a file operation; `errno` is its number."""

    errno: int
    path: str


@final
@dataclass(frozen=True, slots=True)
class Misconfigured:
    """A setting, from the environment or from code, has no valid value."""

    setting: str
    why: str


@final
@dataclass(frozen=True, slots=True)
class NotConfirmed:
    """The registry said that it stored something, and then could not show it."""

    what: str


@final
@dataclass(frozen=True, slots=True)
class NoSuchPlatform:
    """An index has no image for the platform `wanted`; `available` are the platforms that it has."""

    wanted: str
    available: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class MissingContent:
    """An image lists content that is not there: a layout or an archive that was saved only in part."""

    digests: tuple[Digest, ...]


@final
@dataclass(frozen=True, slots=True)
class TagNotDeletable:
    """The registry cannot remove a tag alone; to remove its manifest, `digest`, takes `siblings` (tags) along."""

    digest: Digest
    siblings: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody else changed it meanwhile: it was to be `expected`, and is `found` (None: it is not there)."""

    expected: Digest | None
    found: Digest | None


@final
@dataclass(frozen=True, slots=True)
class SeveralFailed:
    """`len(errors)` of `total` independent pieces of work failed; every one is listed."""

    errors: tuple[RegistryError, ...]
    total: int


Reason: TypeAlias = (
    DnsFailed
    | ConnectFailed
    | TlsFailed
    | TimedOut
    | DeadlineExceeded
    | ConnectionLost
    | ServerFault
    | RateLimited
    | Unauthenticated
    | Denied
    | NotFound
    | Refused
    | UploadLost
    | RangeRejected
    | DigestMismatch
    | SizeMismatch
    | ProtocolViolation
    | PolicyRefused
    | LimitExceeded
    | MalformedDocument
    | AmbiguousManifest
    | MediaTypeMismatch
    | Unsupported
    | BadReference
    | TarUnreadable
    | InvalidImage
    | SourceChanged
    | LocalIo
    | Misconfigured
    | NotConfirmed
    | NoSuchPlatform
    | MissingContent
    | TagNotDeletable
    | Conflict
    | SeveralFailed
)
"""Everything that can go wrong; closed, so that a `match` on it is exhaustive. A new one is a new minor version."""


@final
@dataclass(frozen=True, slots=True)
class RegistryError:
    """What was being done, to what, why it failed, after how many attempts and seconds.

    `doing` is the verb as the function is called, `target` names the noun without any credential or query.
    """

    doing: str
    target: str
    reason: Reason
    attempts: int = 1
    elapsed: float = 0.0
