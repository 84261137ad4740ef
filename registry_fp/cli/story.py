"""The story of the demonstration: push, push again, read back, prove."""

from __future__ import annotations

import time
from typing import Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    Digest,
    DigestMismatch,
    DockerSave,
    Err,
    Event,
    ImageIndex,
    ImageRead,
    Pushed,
    PushOptions,
    Reference,
    RegistryError,
    SizeMismatch,
    Unsupported,
    digest_of,
    get_blob,
    get_manifest,
    operation,
    parse_image_config,
    push,
    settle,
    traverse,
)
from registry_fp.cli.demo_document import DemoDocument, ShownBlob
from registry_fp.cli.progress import watched
from registry_fp.cli.proof import prove_layer
from registry_fp.cli.size import human_size
from registry_fp.cli.terminal import Terminal
from registry_fp.testing import EmbeddedRegistry

__all__ = ["tell_story"]

_AT_ONCE: Final = 4
"""How many layers are read back at once."""


@operation
async def tell_story(
    client: Client, registry: EmbeddedRegistry, source: DockerSave, target: str, terminal: Terminal
) -> Result[DemoDocument, RegistryError]:
    """Every step, and what came of it; the registry's own counters say what it received.

    Fails as `push`, `get_manifest` and `consume_blob` do, or with what could not be proven.
    """
    begun = time.monotonic()
    archived: dict[str, int] = {}
    registry.reset_counts()
    with watched(terminal) as watch:

        def on_event(event: Event) -> None:
            if isinstance(event, ImageRead):
                archived.update(event.blobs)
            watch(event)

        first = await settle(push(client, source, target, options=PushOptions(on_event=on_event)))
    if isinstance(first, Err):
        return Failure(first.error)
    received = registry.counts().blob_bytes_in

    registry.reset_counts()
    again = await settle(push(client, source, target))
    if isinstance(again, Err):
        return Failure(again.error)
    received_again = registry.counts().blob_bytes_in
    if received_again:
        return Failure(RegistryError("push", target, SizeMismatch(0, received_again)))
    terminal.step(f"push again: the registry received {human_size(received_again)} of blobs")

    proven = await settle(_read_back(client, first.value))
    if isinstance(proven, Err):
        return Failure(proven.error)
    diff_ids = proven.value
    terminal.step(f"read back: the manifest, the configuration and {len(diff_ids)} layers, all proven")
    blobs = tuple(
        ShownBlob(
            name=one.name,
            digest=str(one.descriptor.digest),
            diff_id=str(diff_ids[one.descriptor.digest]) if one.descriptor.digest in diff_ids else None,
            archived=archived[one.name],
            size=one.descriptor.size,
            first=one.outcome,
            again=two.outcome,
        )
        for one, two in zip(first.value.blobs, again.value.blobs, strict=True)
    )
    return Success(
        DemoDocument(
            archive=str(source),
            reference=str(first.value.reference),
            digest=str(first.value.digest),
            received=received,
            received_again=received_again,
            blobs=blobs,
            proven_digests=2 + len(diff_ids),
            proven_diff_ids=len(diff_ids),
            seconds=round(time.monotonic() - begun, 3),
        )
    )


@operation
async def _read_back(client: Client, pushed: Pushed) -> Result[dict[Digest, Digest], RegistryError]:
    """The image as the registry gives it, proven; the digest of each layer, and its diff_id."""
    name = pushed.reference
    manifest = await settle(get_manifest(client, name))
    if isinstance(manifest, Err):
        return Failure(manifest.error)
    if digest_of(manifest.value.raw) != pushed.digest:
        return _differs(name, pushed.digest, manifest.value.raw)
    model = manifest.value.model
    if isinstance(model, ImageIndex):
        return Failure(RegistryError("get_manifest", str(name), Unsupported("an index where an image was pushed")))
    raw = await settle(get_blob(client, name.repository, model.config.digest))
    if isinstance(raw, Err):
        return Failure(raw.error)
    if digest_of(raw.value) != model.config.digest:
        return _differs(name, model.config.digest, raw.value)
    config = parse_image_config(raw.value)
    if not is_successful(config):
        return Failure(RegistryError("get_blob", str(name), config.failure()))
    paired = zip(model.layers, config.unwrap().rootfs.diff_ids, strict=True)
    layers = {layer.digest: (layer, diff_id) for layer, diff_id in paired}
    prove = (prove_layer(client, name.repository, layer, diff_id) for layer, diff_id in layers.values())
    done = await settle(traverse(prove, lambda proof: proof, limit=_AT_ONCE))
    if isinstance(done, Err):
        return Failure(done.error)
    return Success({digest: diff_id for digest, (_, diff_id) in layers.items()})


def _differs(name: Reference, expected: Digest, found: bytes) -> Failure[RegistryError]:
    return Failure(RegistryError("read_back", str(name), DigestMismatch(expected, digest_of(found))))
