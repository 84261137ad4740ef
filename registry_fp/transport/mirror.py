"""Mirrors: where the content of a host is looked for before the host itself is asked.

A mirror is a registry that stands for another one: a pull-through cache, or the part of a registry that is one. It is
asked for content alone, for manifests and blobs that are read; whatever is asked about the registry itself (its lists,
whether it holds something, whether something was stored) and everything that is written goes to the registry. A request
to a mirror is one to the mirror's own host: with what is chosen for that host, and with its credentials, so that no
secret of the registry goes there, and none of the mirror's to the registry.

Sources: distribution-spec, "Registry Proxying" (`ns`); containerd, docs/hosts.md; containers-registries.conf(5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar, final
from urllib.parse import quote

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain import errors as why
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.transient import was_answered
from registry_fp.effect.exits import Err, result_of, settle
from registry_fp.effect.log import log_of
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.location import with_parameter
from registry_fp.protocol.message import Incoming, Request
from registry_fp.protocol.refusal import refusal
from registry_fp.transport.limit import asked_pause
from registry_fp.transport.mirror_name import MirrorName, parse_mirror
from registry_fp.transport.port import Client, Exchange, Receive, collect

__all__ = ["DISTRUST_SECONDS", "REST_SECONDS", "MirrorBook", "mirrored"]

T = TypeVar("T")

REST_SECONDS: Final = 60.0
"""How long a mirror that cannot be reached is not asked, in seconds."""

DISTRUST_SECONDS: Final = 3600.0
"""How long a mirror that gave wrong bytes is not asked, in seconds."""

_log: Final = log_of(__name__)


@final
class MirrorBook:
    """What a client knows of the mirrors that its settings name. It belongs to one event loop.

    Rests are shared by every book that was made of one by `anew`.
    """

    __slots__ = ("_gave", "_now", "_rests", "_without")

    def __init__(
        self,
        now: Callable[[], float],
        rests: dict[str, float] | None = None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self._now = now
        self._rests: dict[str, float] = {} if rests is None else rests
        self._without = without
        self._gave: set[str] = set()

    @property
    def gave(self) -> frozenset[str]:
        """Those that content came from, by their names."""
        return frozenset(self._gave)

    def anew(self, without: frozenset[str] = frozenset()) -> MirrorBook:
        """The same for a piece of work to which none has given anything yet; these are not asked for it."""
        return MirrorBook(self._now, self._rests, self._without | without)

    def took(self, mirror: str) -> None:
        """Content came from it."""
        self._gave.add(mirror)

    def distrust(self, mirror: str) -> None:
        """Leave a mirror that gave wrong bytes alone for a while."""
        self.rest(mirror, DISTRUST_SECONDS)

    def rest(self, mirror: str, seconds: float) -> None:
        """Ask it nothing for so long, or for longer if that was known."""
        self._rests[mirror] = max(self._rests.get(mirror, 0.0), self._now() + seconds)

    def exchange(self, client: Client, host: str, without: frozenset[str]) -> Exchange:
        """The exchange for reading content of a host: its mirrors in their order, and then the host itself.

        A mirror that does not answer with content is passed over, and none is asked twice; one that cannot be reached,
        or asks for a pause, rests for a while. `Incoming.mirror` says whose answer it is. Where that breaks, a request
        that may be repeated goes to the next place, and any other one ends with the failure. Fails with `Misconfigured`
        where what is chosen for a mirror's host cannot be used, and else as the host does.
        """
        named = (parse_mirror(text) for text in client.settings.host(host).mirrors)
        known = (each.unwrap() for each in named if is_successful(each))  # the settings have none that is not
        places = [each for each in known if str(each) not in without and str(each) != host]
        if not places:
            return client.exchange

        def exchange(request: Request, receive: Receive[T], /) -> Op[T]:
            async def body() -> Result[T, RegistryError]:
                for mirror in (each for each in places if self._is_asked(str(each))):
                    asked = _Asked(str(mirror), mirrored(request, client.origin(mirror.host), mirror, host), self)
                    out = await settle(client.exchange(asked.request, asked.taking(receive)))
                    if isinstance(out, Err):
                        error = out.error
                    elif isinstance(out.value, _NoContent):
                        error = out.value.error
                    else:
                        return Success(out.value)
                    if isinstance(error.reason, why.Misconfigured) or (asked.taken and request.repeat == "never"):
                        return Failure(error)
                    asked.note(error)
                return result_of(await settle(client.exchange(request, receive)))

            return deferred(body)

        return exchange

    def _is_asked(self, mirror: str) -> bool:
        """Whether it is neither left out nor at rest."""
        return mirror not in self._without and self._rests.get(mirror, self._now()) <= self._now()


def mirrored(request: Request, origin: URL, mirror: MirrorName, host: str) -> Request:
    """The same question to a mirror, at its origin, once; it is told the registry that is meant (`ns`).

    >>> asked = Request("get_blob", "ghcr.io/app@sha256:0", "GET", URL("https://ghcr.io/v2/app/blobs/sha256:0"))
    >>> str(mirrored(asked, URL("https://m.example"), MirrorName("m.example", "gh"), "ghcr.io").url)
    'https://m.example/v2/gh/app/blobs/sha256:0?ns=ghcr.io'
    """
    path = request.url.raw_path.removeprefix("/v2/")
    url = URL(f"{origin}/v2/{mirror.path}/{path}" if mirror.path else f"{origin}/v2/{path}", encoded=True)
    if mirror.host != host:  # a host is not told its own name
        url = with_parameter(url, "ns", quote(host, safe=""))
    return replace(request, url=url, target=f"{mirror}/{request.target.partition('/')[2]}", repeat="never")


@dataclass(frozen=True, slots=True)
class _NoContent:
    error: RegistryError


@final
@dataclass(slots=True)
class _Asked:
    """A mirror that is asked once; `taken` when what it answers is what was asked for."""

    mirror: str
    request: Request
    book: MirrorBook
    taken: bool = False

    def taking(self, receive: Receive[T]) -> Receive[T | _NoContent]:
        async def look(incoming: Incoming) -> Result[T | _NoContent, RegistryError]:
            is_page = incoming.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html"
            if incoming.status not in (200, 206) or is_page:
                answer = await collect(incoming, self.request)
                return answer.map(lambda got: _NoContent(self.request.failed(refusal(got, "manifest"))))
            self.taken = True
            self.book.took(self.mirror)
            return (await receive(replace(incoming, mirror=self.mirror))).map(_widen)

        return look

    def note(self, error: RegistryError) -> None:
        """Keep what a failure teaches about the mirror."""
        _log.info("%s: passed over: %s", self.mirror, type(error.reason).__name__)
        if isinstance(error.reason, why.DigestMismatch | why.SizeMismatch):
            self.book.distrust(self.mirror)
        elif not self.taken and not was_answered(error):
            self.book.rest(self.mirror, REST_SECONDS)
        elif isinstance(error.reason, why.RateLimited) or asked_pause(error) is not None:
            self.book.rest(self.mirror, max(REST_SECONDS, asked_pause(error) or 0.0))


def _widen(value: T) -> T | _NoContent:
    return value
