"""The fallback: a list of referrers that clients keep under a tag, where the registry keeps none.

A tag has no lock: between one client's reading of the list and its writing, another may write, and is lost. So who
writes reads again after a while, and goes on until what it wrote, and everything that it has ever seen there and that
still exists, is in the list; and where the registry gives an ETag, it is asked to write only over what was read.
Older states of the list are left to the registry's own collection: to delete one by its digest could take away what
somebody has just written again. Source: distribution-spec, "Pushing Manifests with Subject", "Referrers Tag Schema".
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.digest import Digest, parse_digest
from registry_fp.domain.errors import Conflict, Denied, NotFound, Reason, Refused, RegistryError, Unauthenticated
from registry_fp.domain.manifest import RawManifest
from registry_fp.domain.reference import Reference, Repository
from registry_fp.domain.referrers_index import Entries, entries_of, entry_for, render_referrers
from registry_fp.domain.transient import is_transient, lacks_content
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.traverse import traverse
from registry_fp.operations.manifests import head_manifest
from registry_fp.protocol import manifest as wire
from registry_fp.protocol.message import Response
from registry_fp.protocol.referrer import referrers_tag
from registry_fp.transport.port import Client, send

__all__ = ["QUIET_SECONDS", "ROUNDS_LIMIT", "list_in_fallback", "unlist_in_fallback"]

QUIET_SECONDS: Final = 0.25
"""How long, at least, a list has to stay as it was written; longer where the registry is slow."""

ROUNDS_LIMIT: Final = 32
"""How many times a list is read before others are left to have their way."""

_STRONG: Final = re.compile(r'"[\x21\x23-\x7e]{1,256}"')  # a weak ETag is no condition for a write (RFC 9110, 13.1.1)


def list_in_fallback(client: Client, repository: Repository, subject: Digest, referrer: RawManifest) -> Op[None]:
    """Make sure that the list of what points at `subject` has this manifest, once, and all that others put there.

    The manifest is stored already. Entries of manifests that are there no more may go. Fails with `Conflict` where
    others keep writing over it, with `MalformedDocument` and the like where the tag is no list (it is left as it is
    then), with `Denied`, or as the transport does.
    """
    added = {str(referrer.digest): entry_for(referrer)}
    return _kept(client, _Wanted(Reference(repository, referrers_tag(subject)), added))


@operation
async def unlist_in_fallback(
    client: Client, repository: Repository, subject: Digest, referrer: Digest, leave: Callable[[], Op[None]]
) -> Result[None, RegistryError]:
    """Take a manifest out of the list of what points at `subject`, if there is one; let it `leave`; and look again.

    What leaves is the manifest itself: as long as it is there, others who see its entry vanish bring it back. Whoever
    is interrupted before that can begin anew. Fails as `leave`, and like `list_in_fallback`.
    """
    wanted = _Wanted(Reference(repository, referrers_tag(subject)), removed=frozenset({str(referrer)}))
    begun = client.clock.now()
    first = await settle(_round(client, wanted))
    if isinstance(first, Err):
        return Failure(first.error)
    left = await settle(leave())
    if isinstance(left, Err):
        return Failure(left.error)
    if first.value is None:
        return Success(None)
    await _quiet(client, begun)
    return result_of(await settle(_kept(client, first.value)))


@final
@dataclass(frozen=True, slots=True)
class _Shown:
    """What the tag stands for: a list or nothing, and how the registry calls this state of it."""

    index: RawManifest | None = None
    entries: Entries = field(default_factory=dict)
    etag: str | None = None


@final
@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a list is to have, and not to have; what was ever seen in it; and what was last written, and found."""

    name: Reference
    added: Entries = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    known: Entries = field(default_factory=dict)
    ours: Digest | None = None
    theirs: Digest | None = None
    failures: int = 0


@operation
async def _kept(client: Client, wanted: _Wanted) -> Result[None, RegistryError]:
    """Change the list, and look again, until it stays changed."""
    for _ in range(ROUNDS_LIMIT):
        begun = client.clock.now()
        out = await settle(_round(client, wanted))
        if isinstance(out, Err):
            return Failure(out.error)
        if out.value is None:
            return Success(None)
        wanted = out.value
        await _quiet(client, begun)
    return Failure(RegistryError("attach", str(wanted.name), Conflict(wanted.ours, wanted.theirs)))


async def _quiet(client: Client, begun: float) -> None:
    """Wait until whoever read the list before we wrote it has written it too."""
    least = max(QUIET_SECONDS, 4 * (client.clock.now() - begun))
    await client.clock.sleep(least * random.uniform(1, 2))  # noqa: S311  so that two do not keep in step


@operation
async def _round(client: Client, wanted: _Wanted) -> Result[_Wanted | None, RegistryError]:
    """Read the list, and write it if it is not as it should be; None where it is, else what is known by now."""
    async with _alone(client, wanted.name):
        read = await settle(_read(client, wanted))
        if isinstance(read, Err):
            return Failure(read.error)
        shown = read.value
        there = {*shown.entries, *wanted.added, *wanted.removed}
        lost = [each for each in wanted.known if each not in there]
        alive = await settle(_existing(client, wanted.name, lost))  # who was deleted is rightly gone
        if isinstance(alive, Err):
            return Failure(alive.error)
        known = {**shown.entries, **{each: wanted.known[each] for each in alive.value}}
        entries = {each: entry for each, entry in {**known, **wanted.added}.items() if each not in wanted.removed}
        if entries.keys() == shown.entries.keys():
            return Success(None)
        written = await settle(_write(client, wanted.name, shown, entries))
    found = None if shown.index is None else shown.index.digest
    after = replace(wanted, known=known, theirs=found)
    if isinstance(written, Err):
        return await _after_failure(client, after, written.error)
    return Success(replace(after, ours=written.value))


async def _after_failure(
    client: Client, wanted: _Wanted, error: RegistryError
) -> Result[_Wanted | None, RegistryError]:
    """What to write next where a write was refused or lost, if there is any sense in it."""
    if lacks_content(error):  # registries refuse a list of what they do not have
        listed = [each for each in wanted.known if each not in {*wanted.added, *wanted.removed}]
        alive = await settle(_existing(client, wanted.name, listed))
        if isinstance(alive, Err):
            return Failure(alive.error)
        dead = {*listed} - {*alive.value}
        return Success(replace(wanted, removed=wanted.removed | dead)) if dead else Failure(error)
    if is_transient(error) and wanted.failures < client.settings.retries:
        return Success(replace(wanted, failures=wanted.failures + 1))
    return Success(wanted) if _is_outrun(error.reason) else Failure(error)


@asynccontextmanager
async def _alone(client: Client, name: Reference) -> AsyncIterator[None]:
    """One task of this client at a time, so that only other clients are in the way."""
    key = ("referrers", name)
    while (landing := client.flights.take_off(key)) is not None:
        await landing
    try:
        yield
    finally:
        client.flights.land(key, None)


@operation
async def _read(client: Client, wanted: _Wanted) -> Result[_Shown, RegistryError]:
    name = wanted.name
    request = wire.get_manifest(client.origin(name.repository.host), name)

    def decode(response: Response) -> Result[_Shown, Reason]:
        etag = response.headers.get("etag", "")
        strong = etag if _STRONG.fullmatch(etag) is not None else None
        return wire.decode_manifest(name, response).bind(
            lambda index: entries_of(index).map(lambda entries: _Shown(index, entries, strong))
        )

    out = await settle(send(client, request, decode))
    if not isinstance(out, Err):
        return Success(out.value)
    if isinstance(out.error.reason, NotFound):
        return Success(_Shown())
    # Some registries say that we may not see what is not there; who may see the referrer may see the list, too.
    if isinstance(out.error.reason, Denied | Unauthenticated):
        seen = await settle(_existing(client, name, [*wanted.added, *wanted.removed][:1]))
        if not isinstance(seen, Err) and seen.value:
            return Success(_Shown())
    return Failure(out.error)


@operation
async def _write(client: Client, name: Reference, over: _Shown, wanted: Entries) -> Result[Digest, RegistryError]:
    rendered = render_referrers(over.index, wanted.values())
    if not is_successful(rendered):
        return Failure(RegistryError("put_manifest", str(name), rendered.failure()))
    index = rendered.unwrap()
    request = wire.put_manifest(client.origin(name.repository.host), name, index)
    if over.etag is not None:
        request = request.with_header("If-Match", over.etag)
    # Not again by itself: whatever became of it, the list has to be read again first.
    once = replace(request, repeat="never")
    out = await settle(send(client, once, lambda response: wire.decode_put(index, response)))
    return Failure(out.error) if isinstance(out, Err) else Success(index.digest)


@operation
async def _existing(client: Client, name: Reference, digests: list[str]) -> Result[tuple[str, ...], RegistryError]:
    """Those of the manifests that the repository has."""

    @operation
    async def asked(text: str) -> Result[str | None, RegistryError]:
        digest = parse_digest(text).unwrap()  # an entry of an index was parsed with it
        out = await settle(head_manifest(client, Reference(name.repository, None, digest)))
        if isinstance(out, Err):
            return Success(None) if isinstance(out.error.reason, NotFound) else Failure(out.error)
        return Success(text)

    found = await settle(traverse(digests, asked, limit=client.settings.concurrency))
    return Failure(found.error) if isinstance(found, Err) else Success(tuple(each for each in found.value if each))


def _is_outrun(reason: Reason) -> bool:
    """Whether a write was refused because the list is another one by now (RFC 9110, 15.5.13)."""
    return isinstance(reason, Refused) and reason.status == 412
