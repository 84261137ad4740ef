"""Referrers stored: a manifest that is about another one is put, and can be found from there."""

from __future__ import annotations

from typing import Literal, TypeAlias

from returns.result import Failure, Result, Success

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.pipelines.fallback import list_in_fallback
from registry_fp.protocol import manifest as wire
from registry_fp.transport.port import Client, send

__all__ = ["ListedBy", "store_referrer"]

ListedBy: TypeAlias = Literal["registry", "fallback tag"]
"""Who keeps the list of what points at a manifest: the registry itself, or its clients, under a tag."""


@operation
async def store_referrer(
    client: Client, name: Reference, manifest: RawManifest
) -> Result[ListedBy | None, RegistryError]:
    """Put a manifest; if it has a subject and the registry does not say that it saw it, list it under the fallback tag.

    None is a manifest without a subject. Doing it again does no harm. Fails as `put_manifest`, and as
    `list_in_fallback`. Source: end-7a; distribution-spec, "Pushing Manifests with Subject".
    """
    request = wire.put_manifest(client.origin(name.repository.host), name, manifest)
    put: Op[bool] = send(client, request, lambda response: wire.decode_put_subject(manifest, response))
    noted = await settle(put)
    if isinstance(noted, Err):
        return Failure(noted.error)
    subject = manifest.model.subject
    if subject is None:
        return Success(None)
    if noted.value:
        return Success("registry")
    listed = await settle(list_in_fallback(client, name.repository, subject.digest, manifest))
    return Failure(listed.error) if isinstance(listed, Err) else Success("fallback tag")
