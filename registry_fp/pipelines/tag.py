"""Tag: one more name for what has one already, without moving a byte of it."""

from __future__ import annotations

from dataclasses import replace

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import NotConfirmed, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference, parse_tag
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.manifests import get_manifest, put_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.operations.shown import is_shown
from registry_fp.transport.port import Client

__all__ = ["tag"]


def tag(client: Client, name: str | Reference, new_tag: str) -> Op[Descriptor]:
    """Give a manifest of a registry another tag in its repository: the same bytes, so the same digest.

    A tag that is there already moves. No blob is asked for. Fails with `BadReference`, `NotFound`, `NotConfirmed` where
    the registry does not show the tag afterwards, `Refused`, `Denied`, `DigestMismatch`, or as the transport does.
    Source: end-3, end-7a.
    """
    chosen = FutureResult.from_result(parse_tag(new_tag).alt(lambda error: replace(error, doing="tag")))
    return chosen.bind(
        lambda text: reference_noun("tag", name).bind(
            lambda source: get_manifest(client.at_origin(), source).bind(
                lambda manifest: _stored(client, Reference(source.repository, text), manifest)
            )
        )
    )


@operation
async def _stored(client: Client, target: Reference, manifest: RawManifest) -> Result[Descriptor, RegistryError]:
    put = await settle(put_manifest(client, target, manifest))
    if isinstance(put, Err):
        return Failure(put.error)
    shown = await settle(is_shown(client, target, manifest))
    if isinstance(shown, Err):
        return Failure(shown.error)
    if not shown.value:
        return Failure(RegistryError("tag", str(target), NotConfirmed(f"the tag {target.tag}")))
    return Success(manifest.descriptor)
