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
from registry_fp.transport.account import Keychain
from registry_fp.transport.clock import SYSTEM_CLOCK, Clock
from registry_fp.transport.credential import with_credentials
from registry_fp.transport.docker_keychain import docker_keychain
from registry_fp.transport.http import http_exchange
from registry_fp.transport.limit import with_host_limit
from registry_fp.transport.port import Client, Exchange
from registry_fp.transport.redirect import with_redirects
from registry_fp.transport.repeat import patience, with_retry
from registry_fp.transport.settings import Settings, read_settings

__all__ = ["connect"]


@asynccontextmanager
async def connect(
    settings: Settings | None = None, *, keychain: Keychain | None = None, clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[Client]:
    """A client, for as long as the block lasts; nothing is connected to before the first operation.

    Without `settings` the environment decides (`REGISTRY_FP_*`); if a variable there has no valid value, this raises
    `RegistryFailed`. Without `keychain` it is `docker_keychain()`, which is asked where a registry wants to know.
    """
    chosen = settings if settings is not None else _from_environment()

    def policy() -> RetryPolicy[RegistryError]:
        return patience(chosen.retries, random.random)

    async with http_exchange(chosen, clock) as one:
        limited = with_host_limit(one, per_host=chosen.connections_per_host, clock=clock)
        tokens = with_retry(limited, policy=policy, clock=clock)

        def exchange_for(known: Keychain) -> Exchange:
            realms = chosen.trusted_realms
            authorised = with_credentials(limited, known, clock=clock, tokens=tokens, trusted_realms=realms)
            return with_retry(with_redirects(authorised), policy=policy, clock=clock)

        async with layer_memory(chosen) as memory:
            pairs = asyncio.Semaphore(max(1, min(chosen.connections, chosen.connections_per_host) // 2))
            exchange = exchange_for(keychain or docker_keychain())
            yield Client(exchange, chosen, policy, clock, memory, SingleFlight(), pairs, exchange_for)


def _from_environment() -> Settings:
    read = read_settings()
    if is_successful(read):
        return read.unwrap()
    raise RegistryFailed(read.failure())
