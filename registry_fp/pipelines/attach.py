"""Attach: files are put beside a manifest, as an artifact that says what it is about; and taken away again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import BadReference, Misconfigured, RegistryError
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.manifests import delete_manifest, get_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.pipelines.artifact import ArtifactOptions, PushedArtifact, store_artifact
from registry_fp.pipelines.artifact_file import AnyFile
from registry_fp.pipelines.fallback import unlist_in_fallback
from registry_fp.transport.port import Client

__all__ = ["attach", "detach"]

_USUAL: Final = ArtifactOptions()


def attach(
    client: Client,
    subject: str | Reference,
    files: AnyFile | Sequence[AnyFile],
    *,
    options: ArtifactOptions = _USUAL,
) -> Op[PushedArtifact]:
    """Push files as an artifact about the manifest `subject`, where `list_referrers` finds it; it gets no tag.

    A registry without that list has it under the fallback tag, which every client keeps: nothing that others put there
    is lost as long as they look again after they wrote, as this does. Attaching the same again changes nothing. Fails
    like `push_artifact`, with `NotFound` for the subject, and with `Conflict` where others keep changing the list.
    Source: distribution-spec, "Pushing Manifests with Subject".
    """

    def beside(name: Reference) -> Op[PushedArtifact]:
        if options.subject is not None:
            reason = Misconfigured("subject", "what an artifact is attached to is its subject")
            return FutureResult.from_failure(RegistryError("attach", str(name), reason))
        return store_artifact(client, files, name.repository, None, options=replace(options, subject=name))

    return reference_noun("attach", subject).bind(beside).alt(_attaching)


def detach(client: Client, name: str | Reference) -> Op[None]:
    """Remove an artifact that is attached to a manifest, by its digest, and its entry under the fallback tag.

    A manifest that is about nothing is refused with `BadReference`, because then it is no attachment, and so is a tag.
    If it is interrupted it can be done again. Fails with `NotFound`, `Refused` (405 where deletion is switched off),
    `Conflict`, or as the transport does. Source: distribution-spec, "Deleting Manifests".
    """
    return reference_noun("detach", name).bind(lambda ref: _taken_away(client, ref))


@operation
async def _taken_away(client: Client, ref: Reference) -> Result[None, RegistryError]:
    if ref.digest is None:
        return _failed(ref, "an attachment is removed by its digest, not by a tag")
    pinned = Reference(ref.repository, None, ref.digest)
    shown = await settle(get_manifest(client.at_origin(), pinned))
    if isinstance(shown, Err):
        return Failure(replace(shown.error, doing="detach"))
    subject = shown.value.model.subject
    if subject is None:
        return _failed(ref, "it is attached to nothing; `delete` removes it")
    # Out of the list first: a manifest without its entry can be found and detached again, an entry without its
    # manifest cannot.
    done = await settle(
        unlist_in_fallback(client, ref.repository, subject.digest, ref.digest, lambda: delete_manifest(client, pinned))
    )
    return Failure(replace(done.error, doing="detach")) if isinstance(done, Err) else Success(None)


def _attaching(error: RegistryError) -> RegistryError:
    return replace(error, doing="attach") if error.doing == "push_artifact" else error


def _failed(name: Reference, why: str) -> Failure[RegistryError]:
    return Failure(RegistryError("detach", str(name), BadReference(str(name), why)))
