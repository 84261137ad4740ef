"""The composition root: the one place where the wrappers around a request are put together."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from returns.pipeline import is_successful

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import RegistryError
from registry_fp.effect.exits import RegistryFailed
from registry_fp.effect.retry import RetryPolicy
from registry_fp.effect.single_flight import SingleFlight
from registry_fp.pipelines.memory import layer_memory
from registry_fp.transport.account import Keychain, first_of
from registry_fp.transport.answer import with_answers
from registry_fp.transport.clock import SYSTEM_CLOCK, Clock
from registry_fp.transport.credential import with_credentials
from registry_fp.transport.docker_keychain import docker_keychain
from registry_fp.transport.http import http_exchange
from registry_fp.transport.limit import fewest_connections, with_host_limit
from registry_fp.transport.mirror import MirrorBook
from registry_fp.transport.notices import NoticeBook
from registry_fp.transport.port import Client, Exchange, Memory
from registry_fp.transport.profile_book import ProfileBook
from registry_fp.transport.redirect import with_redirects
from registry_fp.transport.repeat import patience, with_retry
from registry_fp.transport.settings import Settings, read_settings
from registry_fp.transport.settings_keychain import settings_keychain
from registry_fp.transport.wire_log import with_wire_log

__all__ = ["compose", "connect"]


@asynccontextmanager
async def connect(
    settings: Settings | None = None, *, keychain: Keychain | None = None, clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[Client]:
    """A client, for as long as the block lasts; nothing is connected to before the first operation.

    Without `settings` the environment (`REGISTRY_FP_*`) and the settings file decide; if a value there is not valid,
    this raises `RegistryFailed`. Without `keychain` they are asked where a registry wants to know who we are, and after
    them `docker_keychain()`.
    """
    chosen = settings if settings is not None else await asyncio.to_thread(_from_environment)

    async with http_exchange(chosen) as innermost, layer_memory(chosen) as memory:
        yield compose(innermost, chosen, keychain=keychain, clock=clock, memory=memory)


def compose(
    innermost: Exchange, settings: Settings, *, keychain: Keychain | None, clock: Clock, memory: Memory
) -> Client:
    """The client over any innermost exchange, which is to send a request as it is, and nothing besides.

    From the inside out: the wire log, limits of a host, credentials, redirects, and trying again. Token servers are
    asked below the credentials, and no redirect of theirs is followed.
    """

    def policy() -> RetryPolicy[RegistryError]:
        return patience(settings.retries, random.random)

    wire = with_wire_log(innermost, clock) if settings.wire_log else innermost
    notices = NoticeBook()
    limited = with_host_limit(with_answers(wire, notices=notices, clock=clock), settings, clock=clock)
    tokens = with_retry(limited, policy=policy, clock=clock)

    def exchange_for(known: Keychain | None) -> Exchange:
        if known is None:
            return with_retry(with_redirects(limited), policy=policy, clock=clock)
        realms = settings.trusted_realms
        authorised = with_credentials(limited, known, clock=clock, tokens=tokens, trusted_realms=realms)
        return with_retry(with_redirects(authorised), policy=policy, clock=clock)

    pairs = asyncio.Semaphore(max(1, fewest_connections(settings) // 2))
    chosen = keychain or first_of(settings_keychain(settings), docker_keychain())
    exchange = exchange_for(chosen)
    mirrors = MirrorBook(clock.now)
    profiles = ProfileBook(settings, clock.now)
    flights: SingleFlight[Descriptor] = SingleFlight()
    return Client(
        exchange, settings, policy, clock, memory, flights, pairs, exchange_for, profiles, notices, mirrors, chosen
    )


def _from_environment() -> Settings:
    read = read_settings()
    if is_successful(read):
        return read.unwrap()
    raise RegistryFailed(read.failure())
