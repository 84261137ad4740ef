"""The composition root: the one place where the wrappers around a request are put together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from returns.pipeline import is_successful

from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import RegistryFailed
from registry_fp.effect.retry import RetryPolicy
from registry_fp.effect.single_flight import SingleFlight
from registry_fp.pipelines.memory import layer_memory
from registry_fp.transport.clock import SYSTEM_CLOCK, Clock
from registry_fp.transport.credential import Keychain, anonymous, with_credentials
from registry_fp.transport.http import http_exchange
from registry_fp.transport.limit import with_host_limit
from registry_fp.transport.port import Client
from registry_fp.transport.redirect import with_redirects
from registry_fp.transport.repeat import patience, with_retry
from registry_fp.transport.settings import Settings, read_settings

__all__ = ["connect"]


@asynccontextmanager
async def connect(
    settings: Settings | None = None, *, keychain: Keychain = anonymous, clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[Client]:
    """A client, for as long as the block lasts; nothing is connected to before the first operation.

    Without `settings` the environment decides (`REGISTRY_FP_*`); if a variable there has no valid value, this raises
    `RegistryFailed`.
    """
    chosen = settings if settings is not None else _from_environment()

    def policy() -> RetryPolicy[RegistryError]:
        return patience(chosen.retries, random.random)

    async with http_exchange(chosen, clock) as one:
        limited = with_host_limit(one, per_host=chosen.connections_per_host, clock=clock)
        authorised = with_credentials(limited, keychain)
        followed = with_redirects(authorised)
        repeated = with_retry(followed, policy=policy, clock=clock)
        async with layer_memory(chosen) as memory:
            pairs = max(1, min(chosen.connections, chosen.connections_per_host) // 2)
            yield Client(repeated, chosen, policy, clock, memory, SingleFlight(), asyncio.Semaphore(pairs))


def _from_environment() -> Settings:
    read = read_settings()
    if is_successful(read):
        return read.unwrap()
    raise RegistryFailed(read.failure())
