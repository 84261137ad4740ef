"""Shown: whether a registry has under a name what was put there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from returns.result import Failure, Result, Success

from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import NotFound, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import operation
from registry_fp.operations.manifests import get_manifest, head_manifest
from registry_fp.transport.port import Client

__all__ = ["is_shown"]

_NOT_THERE: Final = 404


@operation
async def is_shown(client: Client, name: Reference, manifest: RawManifest) -> Result[bool, RegistryError]:
    """Whether the registry shows this manifest under this name; digests are compared by the registry's algorithm.

    A registry that answers HEAD as if there were nothing, GET with the manifest, and HEAD as before, has no HEAD, which
    is kept in mind. Fails as `head_manifest`, but not with `NotFound`. Source: end-3.
    """
    shown = await settle(head_manifest(client, name))
    if not isinstance(shown, Err):
        # A registry may name by sha256 what was put by sha512.
        return Success(shown.value.digest == digest_of(manifest.raw, shown.value.digest.algorithm))
    if not isinstance(shown.error.reason, NotFound):
        return Failure(shown.error)
    host = name.repository.host
    if client.profiles.of(host).head is not None:
        return Success(False)
    read = await settle(get_manifest(client.at_origin(), name))
    if isinstance(read, Err):
        return Success(False) if isinstance(read.error.reason, NotFound) else Failure(shown.error)
    again = await settle(head_manifest(client, name))  # who has copies may have asked one that was late
    if isinstance(again, Err) and isinstance(again.error.reason, NotFound):
        client.profiles.learn(host, replace(client.profiles.of(host), head=_NOT_THERE))
    return Success(read.value.raw == manifest.raw)
