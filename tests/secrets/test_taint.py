"""A secret reaches the origin that it is for, and its token server, and nobody else: whatever servers answer."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from pathlib import Path
from random import Random

from registry_fp.client import compose, connect
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.settings import Settings
from tests.real.certificates import Authority
from tests.secrets.in_memory import Forgetful, exchange_with
from tests.secrets.journey import keychain_of, travel
from tests.secrets.sockets import served_origins
from tests.secrets.world import World
from tests.transport.clocks import InstantClock

GRAPHS = 10_000
GRAPHS_ON_SOCKETS = 500

KINDS = ("basic", "basic", "identity", "registry", None)
"""What a keychain may know of a registry."""

LOOPBACK = (
    ("http", "127.0.0.1", "127.0.0.1"),
    ("http", "127.0.0.2", "127.0.0.2"),
    ("http", "127.0.0.1", "localhost"),
    ("https", "127.0.0.1", "127.0.0.1"),
    ("https", "127.0.0.1", "localhost"),
)

NAMES = {
    "https://one.example:443": "one.example",
    "https://one.example:8443": "one.example:8443",
    "https://two.example:443": "two.example",
    "http://plain.example:5000": "plain.example:5000",
    "http://one.example:80": "one.example:80",
    "https://registry-1.docker.io:443": "docker.io",
}
"""Registries, and what references and keychains call them."""

STORES = (
    "https://store.example:443",
    "https://auth.docker.io:443",
    "http://store.example:80",
    "https://one.example.:443",
)


def world_of(seed: int) -> World:
    """The world of this number."""
    dice = Random(seed)  # noqa: S311  a world is the same each time
    registries = {origin: dice.choice(KINDS) for origin in dice.sample(sorted(NAMES), 3)}
    trusted = dice.choice(((), (), (), ("store.example",), ("two.example", "one.example:8443")))
    return World(dice, registries, (*registries, *dice.sample(STORES, 2)), trusted)


async def _journey(world: World) -> None:
    settings = Settings(
        retries=0, cache=False, plain_http=frozenset({"plain.example:5000"}), trusted_realms=frozenset(world.trusted)
    )
    hosts = tuple(NAMES[origin] for origin in world.registries if not origin.endswith(":80"))
    client = compose(
        exchange_with(world),
        settings,
        keychain=keychain_of(world, NAMES),
        clock=InstantClock().clock,
        memory=Forgetful(),
    )
    await travel(client, world.dice, hosts or ("one.example",), steps=3)


def test_no_secret_goes_astray_in_ten_thousand_worlds() -> None:
    """Redirects, realms, upload locations, pages and foreign layers: each is a way that passwords were stolen by."""
    seen: Counter[str] = Counter()
    with asyncio.Runner() as runner:
        for seed in range(GRAPHS):
            world = world_of(seed)
            runner.run(_journey(world))
            assert world.astray == [], f"world {seed}"
            seen.update(world.seen)
    # The law is empty where nothing is ever told.
    assert seen["Basic told"] > GRAPHS / 10
    assert seen["Bearer told"] > GRAPHS / 10
    assert min(seen["a redirect"], seen["a token server asked"], seen["an upload"], seen["a page"]) > GRAPHS / 10


async def test_no_secret_goes_astray_over_real_sockets(tmp_path: Path) -> None:
    """The same over http and https, on one pool of connections: what aiohttp adds to a request counts as well."""
    authority = Authority(tmp_path / "authority")
    pair = authority.issue("server", "localhost", "127.0.0.1", "127.0.0.2")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert, pair.key)
    worlds: list[World] = []
    seen: Counter[str] = Counter()
    async with served_origins(LOOPBACK, tls, lambda: worlds[-1]) as origins:
        names = {origin: origin.partition("://")[2] for origin in origins}
        plain = frozenset(name for origin, name in names.items() if origin.startswith("http:"))
        hosts = {name: HostSettings(plain_http=name in plain) for name in names.values()}
        settings = Settings(retries=0, cache=False, ca=authority.ca, hosts=hosts)
        async with connect(settings, clock=InstantClock().clock) as client:
            for seed in range(GRAPHS_ON_SOCKETS):
                dice = Random(seed)  # noqa: S311  a world is the same each time
                kinds = {origin: dice.choice(KINDS) for origin in dice.sample(origins, 3)}
                world = World(dice, kinds, origins, far=False)
                worlds.append(world)
                known = client.known_by(keychain_of(world, names))
                await travel(known, dice, tuple(names[origin] for origin in kinds), steps=3)
                assert world.astray == [], f"world {seed}"
                seen.update(world.seen)
    assert min(seen["Basic told"], seen["Bearer told"], seen["a redirect"]) > GRAPHS_ON_SOCKETS / 10
