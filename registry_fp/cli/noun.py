"""Names as they are given: the host in one, the digest on one, and one that is a blob's."""

from __future__ import annotations

from returns.result import Failure, Result, Success

from registry_fp import BadReference, Reference, RegistryError, parse_reference

__all__ = ["blob_named", "host_of", "pinned"]


def host_of(reference: str) -> Result[str, RegistryError]:
    """The registry's host in a reference; fails with `BadReference`."""
    return parse_reference(reference).map(lambda name: name.repository.host)


def pinned(reference: str, digest: str) -> str:
    """A reference, pinned; one that is pinned already is not pinned twice."""
    return reference if reference.endswith(f"@{digest}") else f"{reference}@{digest}"


def blob_named(doing: str, reference: str) -> Result[Reference, RegistryError]:
    """The blob that `REPOSITORY@DIGEST` stands for, without a tag; fails with `BadReference`."""

    def blob(name: Reference) -> Result[Reference, RegistryError]:
        if name.digest is not None:
            return Success(Reference(name.repository, digest=name.digest))
        return Failure(RegistryError(doing, str(name), BadReference(str(name), "a blob is named REPOSITORY@DIGEST")))

    return parse_reference(reference).bind(blob)
