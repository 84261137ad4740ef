"""What is chosen for a host is found by whatever looks for it, also where one of the two names says the usual port."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr
from returns.result import Result
from yarl import URL

from registry_fp import HostSettings, Settings
from registry_fp.domain.errors import Misconfigured, RegistryError
from registry_fp.effect.exits import Ok, settle
from registry_fp.effect.operation import Op, deferred
from registry_fp.protocol.message import Incoming, Request, held_body
from registry_fp.transport.clock import SYSTEM_CLOCK
from registry_fp.transport.limit import connections_to, with_host_limit
from registry_fp.transport.port import Receive, collect
from registry_fp.transport.profile_book import ProfileBook
from registry_fp.transport.route import route_of
from registry_fp.transport.settings_keychain import settings_keychain
from registry_fp.transport.tls import TlsContexts

T = TypeVar("T")

NAMES = ["ghcr.io", "ghcr.io:443"]

pytestmark = [pytest.mark.parametrize("chosen", NAMES), pytest.mark.parametrize("asked", NAMES)]


def _request(name: str) -> Request:
    return Request("ping", name, "GET", URL(f"https://{name}/v2/"))


async def test_its_limit_of_connections(chosen: str, asked: str) -> None:
    """A registry that takes one at a time gets one at a time."""
    settings = Settings(hosts={chosen: HostSettings(connections=1)})
    assert connections_to(settings, asked) == 1
    under_way, most = 0, 0

    def wire(_request: Request, receive: Receive[T], /) -> Op[T]:
        async def body() -> Result[T, RegistryError]:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1
            async with held_body(b"").opened() as chunks:
                return await receive(Incoming(200, {}, _request.url, chunks))

        return deferred(body)

    wanted = _request(asked)
    exchange = with_host_limit(wire, settings, clock=SYSTEM_CLOCK)

    async def receive(incoming: Incoming) -> Result[int, RegistryError]:
        return (await collect(incoming, wanted)).map(lambda answer: answer.status)

    assert await asyncio.gather(*(settle(exchange(wanted, receive)) for _ in range(3))) == [Ok(200)] * 3
    assert most == 1


def test_its_proxy(chosen: str, asked: str) -> None:
    """And where that is none, it is named by the setting that says so."""
    proxied = Settings(hosts={chosen: HostSettings(proxy=SecretStr("proxy.example:3128"))})
    proxy = route_of(_request(asked), proxied).unwrap().proxy
    assert proxy is not None
    assert proxy.name == "proxy.example:3128"
    broken = Settings(hosts={chosen: HostSettings(proxy=SecretStr("socks5://proxy.example"))})
    reason = route_of(_request(asked), broken).failure()
    assert isinstance(reason, Misconfigured)
    assert reason.setting == f"hosts.{chosen}.proxy"


async def test_what_is_chosen_about_tls(chosen: str, asked: str, tmp_path: Path) -> None:
    """Its authorities, beside what a list says of the same host."""
    settings = Settings(
        hosts={chosen: HostSettings(ca=tmp_path / "absent.pem")}, insecure=frozenset(NAMES), certs_dirs=()
    )
    out = await TlsContexts(settings).tls_for(_request(asked))
    assert out.failure().setting == f"hosts.{chosen}.ca"


async def test_its_profile_and_its_account(chosen: str, asked: str) -> None:
    """Both are looked for by the name that references have."""
    host = HostSettings(profile="harbor", token=SecretStr("s3cret"))
    settings = Settings(hosts={chosen: host})
    assert ProfileBook(settings).of(asked).name == "harbor"
    known = await settle(settings_keychain(settings)(f"{asked}/team/app"))
    assert isinstance(known, Ok)
    assert known.value is not None


def test_the_profile_that_its_name_tells(chosen: str, asked: str) -> None:
    """The port that goes without saying makes no other kind of registry of it."""
    assert ProfileBook(Settings(hosts={chosen: HostSettings()})).of(asked).name == "ghcr"
