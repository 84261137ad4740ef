"""A registry with an image in it, two mirrors of it, and clients that know of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from registry_fp import Client, Settings, connect
from registry_fp.testing import EmbeddedRegistry, running_registry
from registry_fp.transport.host_settings import HostSettings
from tests.copy.made import Made, image, layer, put
from tests.transport.clocks import InstantClock

PATH = "team/app"
IMAGE = image(layer("etc", 400_000), layer("usr", 900_000), platform="linux/amd64")
OLD = image(layer("old"), platform="linux/amd64")


@dataclass(frozen=True, slots=True)
class Places:
    """The registry that names mean, and the mirrors in their order; nothing is counted yet."""

    origin: EmbeddedRegistry
    first: EmbeddedRegistry
    second: EmbeddedRegistry

    @property
    def name(self) -> str:
        """The image."""
        return f"{self.origin.host}/{PATH}:1"

    @property
    def repository(self) -> str:
        """Its repository."""
        return f"{self.origin.host}/{PATH}"

    def asked(self) -> dict[str, int]:
        """How many requests each has seen."""
        return {name: len(getattr(self, name).requests) for name in ("origin", "first", "second")}

    def reset(self) -> None:
        """Count anew."""
        for each in (self.origin, self.first, self.second):
            each.reset_counts()


Connecting: TypeAlias = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def places() -> Iterator[Places]:
    """All three have the image, and none has anything else."""
    with running_registry() as origin, running_registry() as first, running_registry() as second:
        for each in (origin, first, second):
            fill(each, IMAGE)
        yield Places(origin, first, second)


def fill(registry: EmbeddedRegistry, made: Made, path: str = PATH, tag: str = "1") -> None:
    """Put an image into a registry."""
    put(registry.host, path, made, tag)
    registry.reset_counts()


@pytest.fixture
def clock() -> InstantClock:
    """The client's clock."""
    return InstantClock()


@asynccontextmanager
async def opened(clock: InstantClock, hosts: dict[str, HostSettings], **more: Any) -> AsyncIterator[Client]:
    """A client for which this is chosen."""
    async with connect(Settings(cache=False, hosts=hosts), clock=clock.clock, **more) as client:
        yield client


@pytest.fixture
def connecting(places: Places, clock: InstantClock) -> Connecting:
    """A client that looks into both mirrors, or into those that are given."""

    @asynccontextmanager
    async def looking(
        *mirrors: str, hosts: dict[str, HostSettings] | None = None, **more: Any
    ) -> AsyncIterator[Client]:
        chosen = HostSettings(mirrors=mirrors or (places.first.host, places.second.host))
        async with opened(clock, {**(hosts or {}), places.origin.host: chosen}, **more) as client:
            yield client

    return looking
