"""Whether trying again can help."""

from __future__ import annotations

from typing import assert_never

from registry_fp.domain import errors as why
from registry_fp.domain.errors import RegistryError

__all__ = ["is_transient", "lacks_content", "was_answered"]

_NEVER_HEALS = frozenset({501, 505})  # "not here", not "not now" (RFC 9110, 15.6)


def is_transient(error: RegistryError) -> bool:
    """True if the same operation may succeed later with nothing changed on our side.

    >>> is_transient(RegistryError("ping", "ghcr.io", why.RateLimited(after=2.0)))
    True
    >>> is_transient(RegistryError("ping", "ghcr.io", why.Denied()))
    False
    """
    match error.reason:
        case why.ServerFault(status=status):
            return status not in _NEVER_HEALS
        case why.DnsFailed(temporary=temporary):
            return temporary
        case why.ConnectFailed() | why.TimedOut() | why.ConnectionLost() | why.RateLimited():
            return True
        case why.UploadLost() | why.RangeRejected() | why.Conflict():
            return True
        case why.SeveralFailed(errors=errors):
            return all(is_transient(one) for one in errors)
        case why.TlsFailed() | why.DeadlineExceeded() | why.Unauthenticated() | why.Denied():
            return False
        case why.NotFound() | why.Refused() | why.ProtocolViolation() | why.PolicyRefused() | why.NotConfirmed():
            return False
        case why.DigestMismatch() | why.SizeMismatch() | why.LimitExceeded() | why.MalformedDocument():
            return False
        case why.AmbiguousManifest() | why.MediaTypeMismatch() | why.Unsupported() | why.BadReference():
            return False
        case why.NoSuchPlatform() | why.MissingContent() | why.TagNotDeletable():
            return False
        case why.TarUnreadable() | why.InvalidImage() | why.SourceChanged() | why.LocalIo() | why.Misconfigured():
            return False
        case _:
            assert_never(error.reason)


def was_answered(error: RegistryError) -> bool:
    """False if the other side never said anything: then the next question gets no answer either.

    >>> was_answered(RegistryError("ping", "ghcr.io", why.Denied()))
    True
    """
    return not isinstance(
        error.reason, why.DnsFailed | why.ConnectFailed | why.TlsFailed | why.TimedOut | why.ConnectionLost
    )


def lacks_content(error: RegistryError) -> bool:
    """True if a registry refuses a manifest because it does not have what that points at (MANIFEST_BLOB_UNKNOWN).

    >>> lacks_content(RegistryError("put_manifest", "ghcr.io/team/app:1", why.Refused(400)))
    False
    """
    match error.reason:
        case why.NotFound(problems=problems) | why.Refused(problems=problems):
            return error.doing == "put_manifest" and any(each.code == "MANIFEST_BLOB_UNKNOWN" for each in problems)
        case _:
            return False
