"""What a process says about an error when it ends: the codes of sysexits.h, where one fits."""

from __future__ import annotations

from errno import ENOENT
from typing import assert_never

from registry_fp.domain import errors as why
from registry_fp.domain.errors import RegistryError

__all__ = ["exit_code"]


def exit_code(error: RegistryError) -> int:
    """The exit code of a command that ends in this error; the same reason always gives the same code.

    1 some of many failed; 2 usage; 65 bad archive, bad image or digest mismatch; 66 not found; 69 unreachable or
    server fault; 74 local I/O; 75 rate limited or timed out; 76 the registry broke the protocol, or a policy refused;
    77 unauthorized or denied; 78 configuration.

    >>> exit_code(RegistryError("push", "ghcr.io/team/app:1", why.Denied()))
    77
    """
    match error.reason:
        case why.SeveralFailed():
            return 1
        case why.BadReference():
            return 2
        case why.TarUnreadable() | why.InvalidImage() | why.DigestMismatch() | why.SizeMismatch():
            return 65
        case why.MalformedDocument() | why.AmbiguousManifest() | why.MediaTypeMismatch() | why.LimitExceeded():
            return 65
        case why.MissingContent():
            return 65
        case why.NotFound() | why.NoSuchPlatform():
            return 66
        case why.LocalIo(errno=number):
            return 66 if number == ENOENT else 74
        case why.SourceChanged():
            return 74
        case why.DnsFailed() | why.ConnectFailed() | why.TlsFailed() | why.ConnectionLost() | why.ServerFault():
            return 69
        case why.RateLimited() | why.TimedOut() | why.DeadlineExceeded() | why.UploadLost() | why.RangeRejected():
            return 75
        case why.Conflict():
            return 75
        case why.ProtocolViolation() | why.PolicyRefused() | why.Refused() | why.Unsupported():
            return 76
        case why.NotConfirmed() | why.TagNotDeletable():
            return 76
        case why.Unauthenticated() | why.Denied():
            return 77
        case why.Misconfigured():
            return 78
        case _:
            assert_never(error.reason)
