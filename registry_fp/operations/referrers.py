"""The referrers of a manifest: signatures, bills of materials, whatever says that it is about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Denied, MalformedDocument, NotFound, RegistryError, Unauthenticated
from registry_fp.domain.manifest import ImageIndex
from registry_fp.domain.media_type import MediaType
from registry_fp.domain.reference import Reference
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.operations.listing import Listing, Pages, list_entries
from registry_fp.operations.manifests import get_manifest, head_manifest
from registry_fp.operations.noun import reference_noun
from registry_fp.protocol import referrer as wire
from registry_fp.protocol.message import Request
from registry_fp.protocol.page import Page
from registry_fp.transport.port import Client, send

__all__ = ["list_referrers", "referrer_pages"]


def list_referrers(
    client: Client, name: str | Reference, *, artifact_type: MediaType | None = None
) -> Op[tuple[Descriptor, ...]]:
    """Every manifest whose subject is this one, or those of one artifact type; none is an empty tuple.

    Where the registry has no such list, it is the one that clients keep under the fallback tag. A tag in `name` is
    looked up first. Fails with `NotFound` for that, `Unauthenticated`, `Denied`, `LimitExceeded`, `ProtocolViolation`,
    `MalformedDocument`, or as the transport does. Source: distribution-spec, end-12.
    """
    return list_entries(lambda: _pages(client, name, artifact_type), lambda found: found.digest)


def referrer_pages(
    client: Client, name: str | Reference, *, artifact_type: MediaType | None = None
) -> AsyncIterator[Ok[Page[Descriptor]] | Err[RegistryError]]:
    """What `list_referrers` gives, page by page; an `Err` is the last item.

    Nothing is open between two pages. Fails like `list_referrers`. Source: distribution-spec, end-12.
    """
    return _pages(client, name, artifact_type)


def _pages(client: Client, name: str | Reference, artifact_type: MediaType | None) -> Pages[Descriptor]:
    return Pages(
        lambda: (
            reference_noun("list_referrers", name)
            .bind(lambda ref: _pinned(client, ref))
            .map(lambda subject: _listing(client, subject, artifact_type))
        )
    )


def _pinned(client: Client, ref: Reference) -> Op[tuple[Reference, Digest]]:
    if ref.digest is not None:
        return FutureResult.from_value((ref, ref.digest))
    return head_manifest(client, ref).map(lambda found: (ref, found.digest))


def _listing(client: Client, subject: tuple[Reference, Digest], artifact_type: MediaType | None) -> Listing[Descriptor]:
    repository, digest = subject[0].repository, subject[1]
    first = wire.list_referrers(client.origin(repository.host), repository, digest, artifact_type=artifact_type)

    def ask(request: Request) -> Op[Page[Descriptor]]:
        listed = send(client, request, lambda response: wire.decode_referrers(response, artifact_type))
        if request != first:  # who has told one page has the list
            return listed
        about = Reference(repository, None, digest)
        return listed.lash(
            lambda error: (
                _kept_by_clients(client, about, digest, artifact_type)
                if wire.lacks_referrers(error.reason)
                else FutureResult.from_failure(error)
            )
        )

    return Listing(first, ask)


@operation
async def _kept_by_clients(
    client: Client, about: Reference, digest: Digest, artifact_type: MediaType | None
) -> Result[Page[Descriptor], RegistryError]:
    """The list under the fallback tag; nobody has written one where the tag is not there.

    Some registries say of what is not there that we may not see it. Who may see the subject may see its list, too.
    """
    kept = Reference(about.repository, wire.referrers_tag(digest))
    out = await settle(get_manifest(client.at_origin(), kept))
    if isinstance(out, Err):
        absent = isinstance(out.error.reason, NotFound)
        if isinstance(out.error.reason, Denied | Unauthenticated):
            absent = not isinstance(await settle(head_manifest(client, about)), Err)
        return Success(Page(())) if absent else Failure(replace(out.error, doing="list_referrers"))
    if not isinstance(out.value.model, ImageIndex):
        reason = MalformedDocument("the tag of the referrers is no index")
        return Failure(RegistryError("list_referrers", str(kept), reason))
    return Success(Page(wire.of_type(out.value.model.manifests, artifact_type), size=len(out.value.raw)))
