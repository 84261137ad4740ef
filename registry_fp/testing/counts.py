"""What the registry saw: totals, and the newest requests one by one.

Tests assert on traffic with it: how often, how many bytes, on how many connections. A request is counted before the
first byte of its answer leaves, so whoever has the answer also finds it here.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from multidict import CIMultiDict, CIMultiDictProxy

from registry_fp.testing.routes import Route

__all__ = ["Counts", "Ledger", "SeenRequest", "Visit"]


@final
@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as the registry saw it, without anything secret.

    `endpoint` is the specification's id (`end-1` .. `end-14` with its letter, `catalog`, or `unknown`). `path` has no
    query. `status` is None where the connection ended before an answer. `bytes_in` is the part of the body that the
    registry read. Of `headers` that carry credentials only the first word is kept (`Basic`, `Bearer`).
    """

    method: str
    path: str
    endpoint: str
    status: int | None
    bytes_in: int
    headers: CIMultiDictProxy[str]

    @property
    def authorized(self) -> bool:
        """Whether the request carried an Authorization header."""
        return "Authorization" in self.headers

    @property
    def content_length(self) -> int | None:
        """The declared length of the body, in bytes; None where none was declared."""
        text = self.headers.get("Content-Length")
        return None if text is None else int(text)

    @property
    def transfer_encoding(self) -> str | None:
        """The Transfer-Encoding header, which is `chunked` for a streamed body of unknown length."""
        return self.headers.get("Transfer-Encoding")


@final
@dataclass(frozen=True, slots=True)
class Counts:
    """A snapshot of the totals since the start, or since `reset_counts`; it does not change any more.

    Bytes are body bytes; `uploads_open` and `in_flight` are as of now, `peak_in_flight` is the most requests that were
    under way at one moment, `connections` are the TCP connections accepted.
    """

    requests: int
    by_method: Mapping[str, int]
    by_endpoint: Mapping[str, int]
    by_status: Mapping[int, int]
    blob_bytes_in: int
    blob_bytes_out: int
    manifest_bytes_in: int
    manifest_bytes_out: int
    connections: int
    in_flight: int
    peak_in_flight: int
    uploads_open: int


@final
@dataclass(slots=True)
class Visit:
    """One request while it is under way: how many body bytes came in, and what the ledger has heard of its end."""

    method: str
    path: str
    route: Route
    headers: CIMultiDictProxy[str]
    bytes_in: int = 0
    seen: bool = False
    over: bool = False


@final
class Ledger:
    """The registry's own running totals. Other threads may take snapshots at any time."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._log: deque[SeenRequest] = deque(maxlen=limit)
        self._methods: Counter[str] = Counter()
        self._endpoints: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._amounts: Counter[str] = Counter()
        self._in_flight = 0
        self._peak = 0

    def connected(self) -> None:
        """A connection was accepted."""
        with self._lock:
            self._amounts["connections"] += 1

    def arrive(self, method: str, path: str, route: Route, headers: CIMultiDictProxy[str]) -> Visit:
        """A request has begun."""
        with self._lock:
            self._in_flight += 1
            self._peak = max(self._peak, self._in_flight)
        return Visit(method, path, route, headers)

    def took(self, visit: Visit, count: int) -> None:
        """So many bytes of the request's body were read."""
        visit.bytes_in += count
        with self._lock:
            self._amounts[f"{_content(visit.route)} in"] += count

    def gave(self, visit: Visit, count: int) -> None:
        """So many bytes of the answer's body are about to be sent."""
        with self._lock:
            self._amounts[f"{_content(visit.route)} out"] += count

    def write_down(self, visit: Visit, status: int | None) -> None:
        """What became of the request is known; only the first word counts."""
        if visit.seen:
            return
        visit.seen = True
        endpoint, headers = visit.route.endpoint, _without_secrets(visit.headers)
        with self._lock:
            self._log.append(SeenRequest(visit.method, visit.path, endpoint, status, visit.bytes_in, headers))
            self._methods[visit.method] += 1
            self._endpoints[endpoint] += 1
            if status is not None:
                self._statuses[status] += 1

    def leave(self, visit: Visit) -> None:
        """The request is over; only the first word counts."""
        self.write_down(visit, None)
        with self._lock:
            self._in_flight -= not visit.over
        visit.over = True

    def requests(self) -> tuple[SeenRequest, ...]:
        """The newest requests, oldest first."""
        with self._lock:
            return tuple(self._log)

    def counts(self, uploads_open: int) -> Counts:
        """The totals as of now."""
        with self._lock:
            return Counts(
                requests=self._methods.total(),
                by_method=MappingProxyType(dict(self._methods)),
                by_endpoint=MappingProxyType(dict(self._endpoints)),
                by_status=MappingProxyType(dict(self._statuses)),
                blob_bytes_in=self._amounts["blob in"],
                blob_bytes_out=self._amounts["blob out"],
                manifest_bytes_in=self._amounts["manifest in"],
                manifest_bytes_out=self._amounts["manifest out"],
                connections=self._amounts["connections"],
                in_flight=self._in_flight,
                peak_in_flight=self._peak,
                uploads_open=uploads_open,
            )

    def reset(self) -> None:
        """Count and log anew; what is under way stays under way."""
        with self._lock:
            self._log.clear()
            for counter in (self._methods, self._endpoints, self._statuses, self._amounts):
                counter.clear()
            self._peak = self._in_flight


def _content(route: Route) -> str:
    return "blob" if route.kind in {"blob", "upload", "uploads"} else route.kind


def _without_secrets(headers: CIMultiDictProxy[str]) -> CIMultiDictProxy[str]:
    shown = CIMultiDict(headers)
    for name in ("Authorization", "Proxy-Authorization"):
        if name in shown:
            scheme, space, _ = shown[name].partition(" ")
            shown[name] = scheme if space else ""
    if "Cookie" in shown:
        shown["Cookie"] = ""
    return CIMultiDictProxy(shown)
