"""Content: the exact bytes of a manifest, or of a configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, final

from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    Descriptor,
    Err,
    ImageIndex,
    RawManifest,
    RegistryError,
    Unsupported,
    get_blob,
    get_manifest,
    operation,
    parse_reference,
    settle,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.document import ConfigDocument, ManifestDocument
from registry_fp.cli.noun import host_of
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.session import Question, ask

__all__ = ["ask_config", "ask_manifest"]


@final
@dataclass(frozen=True, slots=True)
class _Config:
    descriptor: Descriptor
    raw: bytes


def ask_manifest(reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """What are the exact bytes of a manifest?"""

    def answer(found: RawManifest) -> Answer:
        digest, size = str(found.digest), len(found.raw)
        document = ManifestDocument(reference, digest, found.media_type, size, _parsed(found.raw))
        return Answer(document, found.raw, found.raw)

    question = Question("get_manifest", reference, host_of(reference), lambda client: get_manifest(client, reference))
    return ask(question, answer, remote, show)


def ask_config(reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """What are the exact bytes of an image's configuration?"""

    def answer(found: _Config) -> Answer:
        named = found.descriptor
        document = ConfigDocument(reference, str(named.digest), named.media_type, named.size, _parsed(found.raw))
        return Answer(document, found.raw, found.raw)

    question = Question("get_config", reference, host_of(reference), lambda client: _get_config(client, reference))
    return ask(question, answer, remote, show)


@operation
async def _get_config(client: Client, reference: str) -> Result[_Config, RegistryError]:
    manifest = await settle(get_manifest(client, reference))
    if isinstance(manifest, Err):
        return Failure(manifest.error)
    model = manifest.value.model
    if isinstance(model, ImageIndex):
        several = Unsupported("the configuration of an index; name one of its manifests by digest, see `inspect`")
        return Failure(RegistryError("get_config", reference, several))
    name = parse_reference(reference).unwrap()  # or there would be no manifest
    raw = await settle(get_blob(client, name.repository, model.config.digest))
    return Failure(raw.error) if isinstance(raw, Err) else Success(_Config(model.config, raw.value))


def _parsed(raw: bytes) -> Any:
    """The document as JSON; null where it is none, as an artifact's configuration may be."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
