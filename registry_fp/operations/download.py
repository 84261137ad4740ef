"""Downloads: the bytes of a blob as a stream that goes on where it broke, and that ends by proving itself.

A connection that ends, stalls or drips in the middle of a blob costs the bytes that were under way, and not those that
have come: the rest is asked for by `Range`. What comes then is taken only where it is the rest of the same blob; from a
registry that knows no ranges the whole is taken again, and what is here already is passed over.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal, TypeAlias, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, Hasher, new_hasher
from registry_fp.domain.embedded import embedded
from registry_fp.domain.errors import (
    ConnectionLost,
    DigestMismatch,
    LimitExceeded,
    ProtocolViolation,
    RegistryError,
    SizeMismatch,
    TimedOut,
)
from registry_fp.domain.reference import Repository
from registry_fp.effect.aside import aside
from registry_fp.effect.exits import Ok, settle
from registry_fp.effect.hand_over import Hand, handed_over
from registry_fp.effect.operation import Op
from registry_fp.protocol import blob as wire
from registry_fp.protocol.blob_part import BRINGS_A_PART, Known, Part, part_of
from registry_fp.protocol.message import Chunks, Incoming, Request
from registry_fp.protocol.refusal import refusal
from registry_fp.transport.port import Client, collect

__all__ = ["AHEAD", "UNPROMISED", "blob_chunks"]

AHEAD: Final = 1024 * 1024
"""How many bytes of a blob may wait for whoever uses them; while it is more, the connection waits."""

UNPROMISED: Final = 1024 * 1024 * 1024 * 1024
"""How many bytes are taken of a blob whose size no descriptor promised, unless something else is said."""

_WORTH_A_THREAD: Final = 128 * 1024  # bytes: less is hashed before a thread has begun
_STEPS: Final = 10_000  # a stream that breaks all the time makes 50,000 requests at most, whatever its size
_STEP: Final = 16 * 1024  # and where nobody says how large it is, at least 2 KiB a second
_MIRROR_STEPS: Final = 16  # a mirror has to be better than that, because there is another place to ask
_MIRROR_STEP: Final = 1024 * 1024

_Next: TypeAlias = Literal["done", "more"]


async def blob_chunks(  # noqa: PLR0913  options, each with a default
    client: Client,
    repository: Repository,
    wanted: Digest | Descriptor,
    *,
    start: int = 0,
    seen: Hasher | None = None,
    limit: int = UNPROMISED,
    idle: float | None = None,
) -> Chunks:
    """The bytes of a blob from `start` on, as they come: they are the blob's if no failure is the last item.

    Who has its first `start` bytes already hands in the hasher that has `seen` them; it is used up. A stream that
    breaks goes on by itself, and only failures in a row without progress count against the client's policy. Fails with
    `DigestMismatch`, with `SizeMismatch` where a descriptor promised another size, with `LimitExceeded` beyond `limit`
    bytes where none promised any, with `NotFound`, or as the transport does. It holds one connection, and a few times
    `AHEAD` bytes, until it is closed (`aclosing`), and then nothing. What a descriptor carries itself is not asked for.
    With `idle`, it goes on already where nothing came for so many seconds, if that is less than the client's limit.
    Source: end-2; RFC 9110, 14; image-spec, descriptor, "Embedded Content".
    """
    digest, size = (wanted.digest, wanted.size) if isinstance(wanted, Descriptor) else (wanted, None)
    carried = embedded(wanted) if isinstance(wanted, Descriptor) else Success(None)
    if not is_successful(carried):
        yield Failure(RegistryError("get_blob", f"{repository}@{digest}", carried.failure()))
        return
    content = carried.unwrap()
    if content is not None:
        yield Success(content[start:])
        return
    hasher = new_hasher(digest.algorithm) if seen is None else seen
    begun = client.clock.now()
    download = _Download(client, repository, digest, Known(start, size), begun, size=size, limit=limit, idle=idle)
    async with (
        aside(partial(_hash, hasher), ahead=AHEAD) as hashing,
        aclosing(handed_over(download.run, ahead=AHEAD)) as parts,
    ):
        async for part in parts:
            if not is_successful(part):
                yield part
                return
            new = part.unwrap()
            if hashing.is_begun or len(new) >= _WORTH_A_THREAD:
                await hashing.give(new)
            else:
                hasher.update(new)
            yield part
        await hashing.end()
    actual = Digest(digest.algorithm, hasher.hexdigest())
    if actual != digest:
        download.distrust()
        yield Failure(download.counted(download.request.failed(DigestMismatch(digest, actual))))


def _hash(hasher: Hasher, part: bytes) -> Result[None, RegistryError]:
    hasher.update(part)
    return Success(None)


@final
@dataclass(slots=True)
class _Download:
    """A download under way: how far it has come, and after how many requests.

    `size` is what was promised of it. `place` is the mirror that the last answer came from (None for the registry), and
    `mirror` the one that answers now.
    """

    client: Client
    repository: Repository
    digest: Digest
    known: Known
    begun: float
    ranges: bool = True
    attempts: int = 0
    size: int | None = None
    limit: int = UNPROMISED
    idle: float | None = None
    place: str | None = None
    mirror: str | None = None
    gave: set[str] = field(default_factory=set)
    without: frozenset[str] = frozenset()

    @property
    def request(self) -> Request:
        """What asks for the rest. It is repeated here, and nowhere else."""
        origin = self.client.origin(self.repository.host)
        start = self.known.done if self.ranges else 0
        return replace(wire.get_blob(origin, self.repository, self.digest, start=start), repeat="never")

    @property
    def step(self) -> int:
        """How many bytes are progress: not so few that a blob could take for ever."""
        steps, least = (_STEPS, _STEP) if self.mirror is None else (_MIRROR_STEPS, _MIRROR_STEP)
        return least if self.known.size is None else max(1, self.known.size // steps)

    def counted(self, error: RegistryError) -> RegistryError:
        """The error with all requests and all the time of the download."""
        return replace(error, attempts=max(1, self.attempts), elapsed=self.client.clock.now() - self.begun)

    async def run(self, hand: Hand) -> Result[None, RegistryError]:
        """Ask until everything was given, or until asking again does not help."""
        if self.known.size is not None and self.known.done > self.known.size:
            return Failure(self.request.failed(SizeMismatch(self.known.size, self.known.done)))
        policy, failures, mark = self.client.policy(), 0, self.known.done
        while self.known.done == 0 or self.known.done != self.known.size:
            await hand.emptied()  # what a connection brings is lost if it ends while nobody has room for it
            self.attempts += 1
            out = await settle(self._once(hand))
            if isinstance(out, Ok):
                if out.value == "done":
                    break
                continue
            is_progress = self.known.done - mark >= self.step
            if is_progress:
                policy, failures, mark = self.client.policy(), 0, self.known.done
            if self._is_passed_over(out.error, useful=is_progress and policy.should_retry(out.error)):
                policy, failures, mark = self.client.policy(), 0, self.known.done
                continue
            if failures == len(policy.delays) or not policy.should_retry(out.error):
                return Failure(self.counted(out.error))
            await self.client.clock.sleep(max(policy.delays[failures], policy.delay_hint(out.error) or 0.0))
            failures += 1
        return Success(None)

    def distrust(self) -> None:
        """Whatever mirror gave any of the bytes is not asked for a while."""
        if self.client.mirrors is not None:
            for mirror in self.gave:
                self.client.mirrors.distrust(mirror)

    def _is_passed_over(self, error: RegistryError, *, useful: bool) -> bool:
        """Whether it was a mirror that failed, and so that the next place is to go on where it broke."""
        if self.mirror is None or useful:
            return False
        self.without |= {self.mirror}
        self.ranges = True
        if isinstance(error.reason, SizeMismatch) and self.client.mirrors is not None:
            self.client.mirrors.distrust(self.mirror)
        return True

    def _once(self, hand: Hand) -> Op[_Next]:
        self.mirror = None
        request = self.request
        ranged = self.ranges and self.known.done > 0

        async def receive(incoming: Incoming) -> Result[_Next, RegistryError]:
            self.mirror = incoming.mirror
            if incoming.mirror != self.place:  # another place may call the same content otherwise
                self.place, self.known = incoming.mirror, Known(self.known.done, self.size)
            if incoming.status not in BRINGS_A_PART or (incoming.status == 416 and not ranged):
                answer = await collect(incoming, request)
                return answer.bind(lambda got: Failure(request.failed(refusal(got, "blob"))))
            found = part_of(incoming, self.known, ranged=ranged)
            if not is_successful(found):
                return Failure(request.failed(found.failure()))
            part = found.unwrap()
            if part is not None:
                return await self._taken(incoming, part, request, hand)
            if not ranged:
                return Failure(request.failed(ProtocolViolation("a part of a blob came instead of the whole")))
            self.ranges = False
            return Success("more")

        return self.client.content(self.repository.host, without=self.without)(request, receive)

    async def _taken(
        self, incoming: Incoming, part: Part, request: Request, hand: Hand
    ) -> Result[_Next, RegistryError]:
        self.known = part.known
        size, before, skipped = part.known.size, part.known.done, 0
        while (chunk := await self._next(incoming, request)) is not None:
            if not is_successful(chunk):
                return Failure(chunk.failure())
            whole = chunk.unwrap()
            passed = min(part.skip - skipped, len(whole))
            skipped += passed
            new = whole[passed:]  # no copy where nothing was passed over
            done = self.known.done + len(new)
            if size is not None and done > size:
                return Failure(request.failed(SizeMismatch(size, done)))
            if self.size is None and done > self.limit:
                return Failure(request.failed(LimitExceeded("bytes of a blob", self.limit)))
            if new:
                if self.mirror is not None:
                    self.gave.add(self.mirror)
                self.known = replace(self.known, done=done)
                await hand.give(new)
        reason = part.end(self.known.done, skipped)
        if reason is not None:
            return Failure(request.failed(reason))
        if size is None or self.known.done == size:
            return Success("done")
        if self.known.done - before < self.step:
            return Failure(request.failed(ConnectionLost(self.known.done - before)))
        return Success("more")

    async def _next(self, incoming: Incoming, request: Request) -> Result[bytes, RegistryError] | None:
        if self.idle is None:
            return await anext(incoming.chunks, None)
        scope = asyncio.timeout(self.idle)
        try:
            async with scope:
                return await anext(incoming.chunks, None)
        except TimeoutError:
            if not scope.expired():  # a TimeoutError of anybody else's is a bug
                raise
            return Failure(request.failed(TimedOut("read", self.idle)))
