"""Manifests: read, asked for, written and removed."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from returns.future import FutureResult

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import BadReference, Denied, RegistryError
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference
from registry_fp.effect.operation import Op
from registry_fp.operations.noun import reference_noun
from registry_fp.protocol import manifest as wire
from registry_fp.transport.port import Client, send

__all__ = ["delete_manifest", "get_manifest", "head_manifest", "put_manifest", "untag"]

T = TypeVar("T")


def get_manifest(client: Client, name: str | Reference) -> Op[RawManifest]:
    """The manifest of this name: its exact bytes, proven against its digest, and the model that reads them.

    The host's mirrors are asked first, for a tag as well. Fails with `NotFound`, `DigestMismatch`,
    `MalformedDocument`, `AmbiguousManifest`, `MediaTypeMismatch`, `Unsupported` (schema 1, unknown kinds),
    `LimitExceeded`, or as the transport does. Source: end-3.
    """
    return reference_noun("get_manifest", name).bind(
        lambda ref: send(
            client,
            wire.get_manifest(client.origin(ref.repository.host), ref),
            lambda response: wire.decode_manifest(ref, response),
            through=client.content(ref.repository.host),
        )
    )


def head_manifest(client: Client, name: str | Reference) -> Op[Descriptor]:
    """What the manifest of this name is, without its bytes; where a registry's HEAD leaves that open, by a GET.

    The digest is the registry's own word, and not a mirror's; only `get_manifest` proves it. A HEAD that is denied may
    be one that is not known. Fails like `get_manifest`. Source: end-3.
    """

    def asked(ref: Reference) -> Op[Descriptor]:
        known = client.profiles.of(ref.repository.host)
        if known.head is not None:
            return _by_get(client, ref)
        request = wire.head_manifest(client.origin(ref.repository.host), ref)
        shown = send(client, request, lambda response: wire.decode_head(ref, response)).bind(
            lambda found: _found(found) if found is not None else _by_get(client, ref)
        )
        return shown if known.absent_status == 403 else shown.lash(lambda error: _unless_denied(client, ref, error))

    return reference_noun("head_manifest", name).bind(asked)


def put_manifest(client: Client, name: str | Reference, manifest: RawManifest) -> Op[Descriptor]:
    """Store these exact bytes under a tag, or under their digest.

    Fails with `BadReference` where the name is pinned to another digest, `DigestMismatch` where the registry answers
    with one, `NotFound`, `Refused` (a blob is missing; too large; not accepted), `Denied`, or as the transport does.
    Source: end-7a.
    """

    def sent(ref: Reference) -> Op[Descriptor]:
        if ref.digest is not None and ref.digest != manifest.digest:
            reason = BadReference(str(ref), f"the manifest's digest is {manifest.digest}")
            return FutureResult.from_failure(RegistryError("put_manifest", str(ref), reason))
        request = wire.put_manifest(client.origin(ref.repository.host), ref, manifest)
        return send(client, request, lambda response: wire.decode_put(manifest, response))

    return reference_noun("put_manifest", name).bind(sent)


def delete_manifest(client: Client, name: str | Reference) -> Op[None]:
    """Remove a manifest, and with it every tag that points there; the name must be a digest.

    A tag is refused with `BadReference`, because registries differ on what else its removal takes along. Fails with
    `NotFound`, `Refused` (405 where deletion is switched off), `Denied`, or as the transport does. Source: end-9.
    """

    def gone(ref: Reference) -> Op[None]:
        if ref.digest is None:
            reason = BadReference(str(ref), "a manifest is deleted by its digest, not by a tag")
            return FutureResult.from_failure(RegistryError("delete_manifest", str(ref), reason))
        return send(client, wire.delete_manifest(client.origin(ref.repository.host), ref), wire.decode_delete)

    return reference_noun("delete_manifest", name).bind(gone)


def untag(client: Client, name: Reference) -> Op[None]:
    """Ask for the removal of a tag, and believe the answer; `delete_tag` looks before and behind it.

    Many registries refuse it, with 400 or 405. Fails with `NotFound`, `Refused`, `Denied`, or as the transport does.
    Source: end-9.
    """
    asked = wire.delete_manifest(client.origin(name.repository.host), Reference(name.repository, name.tag))
    return send(client, replace(asked, doing="delete_tag"), wire.decode_delete)


def _by_get(client: Client, ref: Reference) -> Op[Descriptor]:
    return get_manifest(client.at_origin(), ref).map(lambda raw: raw.descriptor)


def _unless_denied(client: Client, ref: Reference, error: RegistryError) -> Op[Descriptor]:
    """What a GET shows where only HEAD is denied, which is then kept in mind; else the denial."""
    if not isinstance(error.reason, Denied):
        return FutureResult.from_failure(error)
    host = ref.repository.host

    def learned(descriptor: Descriptor) -> Descriptor:
        client.profiles.learn(host, replace(client.profiles.of(host), head=403))
        return descriptor

    return _by_get(client, ref).map(learned).lash(lambda _: FutureResult.from_failure(error))


def _found(descriptor: Descriptor) -> Op[Descriptor]:
    return FutureResult.from_value(descriptor)
