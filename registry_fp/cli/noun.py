"""Names of images as they are given: the host in one, and the digest on one."""

from __future__ import annotations

from returns.result import Result

from registry_fp import RegistryError, parse_reference

__all__ = ["host_of", "pinned"]


def host_of(reference: str) -> Result[str, RegistryError]:
    """The registry's host in a reference; fails with `BadReference`."""
    return parse_reference(reference).map(lambda name: name.repository.host)


def pinned(reference: str, digest: str) -> str:
    """A reference, pinned; one that is pinned already is not pinned twice."""
    return reference if reference.endswith(f"@{digest}") else f"{reference}@{digest}"
