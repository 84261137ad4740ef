"""Proxies at the edge: Debian's tinyproxy before a registry, and proxies that do what a bad one does."""

from __future__ import annotations

import logging
import ssl
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from registry_fp import (
    Settings,
    anonymous,
    connect,
    docker_save,
    explain,
    get_blob,
    list_tags,
    oci_layout,
    ping,
    pull,
    push,
    static_credentials,
)
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.effect.exits import Err, Ok, settle, unwrap
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.settings import read_settings
from tests.faults.image import write_mixed
from tests.network.names import Names, client_with
from tests.network.tunnel import tunnelling
from tests.real.certificates import Authority
from tests.real.docker_registry import RealRegistry, docker_registry
from tests.real.tinyproxy import serve_tinyproxy
from tests.transport.chaos import Script, answer, chaos, reset, say
from tests.transport.clocks import InstantClock

SETTINGS = Settings(cache=False, retries=0)
LOGIN = ("somebody", "s3cr3t-w0rd")
ENCODED = b"Basic c29tZWJvZHk6czNjcjN0LXcwcmQ="
BLOB = b"somewhere"


def url_of(proxy: str, login: tuple[str, str] | None = LOGIN) -> SecretStr:
    """The URL of a proxy, with who we are."""
    return SecretStr(f"http://{'' if login is None else f'{login[0]}:{login[1]}@'}{proxy}")


def through(host: str, chosen: HostSettings) -> Settings:
    """Settings with a proxy for this host, the only way to get one on loopback."""
    return SETTINGS.model_copy(update={"hosts": {host: chosen}})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate authority that nobody knows."""
    return Authority(tmp_path / "authority")


def server_side(authority: Authority, *names: str) -> ssl.SSLContext:
    """A server that has a certificate of this authority."""
    pair = authority.issue("server", *names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    return context


@pytest.fixture
async def registry_with_tls(tmp_path: Path, authority: Authority) -> AsyncIterator[RealRegistry]:
    """docker-registry with a certificate of this authority."""
    pair = authority.issue("registry", "127.0.0.1")
    tls = {"http": {"tls": {"certificate": str(pair.cert), "key": str(pair.key)}}}
    async with docker_registry(tmp_path / "registry", settings=tls) as registry:
        yield registry


async def test_an_image_goes_through_tinyproxy_in_the_clear(real_registry: RealRegistry, tmp_path: Path) -> None:
    """A registry without TLS is asked by the proxy itself, which must see every request and pass on every byte."""
    repository = f"{real_registry.host}/proxied-{uuid.uuid4().hex[:8]}/app"
    archive = write_mixed(tmp_path / "app.tar")
    with serve_tinyproxy(tmp_path / "proxy", login=LOGIN) as proxy:
        settings = through(real_registry.host, HostSettings(proxy=url_of(proxy.host)))
        async with connect(settings, keychain=anonymous) as client:
            pushed = await unwrap(push(client, docker_save(archive.path), f"{repository}:1"))
            assert await unwrap(list_tags(client, repository)) == ("1",)
            pulled = await unwrap(pull(client, f"{repository}:1", oci_layout(tmp_path / "layout")))
        passed = proxy.passed
    assert pulled.manifest.digest == pushed.digest
    assert {each.partition(" ")[0] for each in passed} == {"HEAD", "POST", "PUT", "GET"}
    assert all(f" http://{real_registry.host}/" in each for each in passed)


async def test_an_image_goes_through_a_tunnel_of_tinyproxy(
    registry_with_tls: RealRegistry, authority: Authority, tmp_path: Path
) -> None:
    """With TLS the proxy sees where it goes, and no more; the certificate is still the registry's."""
    archive = write_mixed(tmp_path / "app.tar")
    name = f"{registry_with_tls.host}/app:1"
    with serve_tinyproxy(tmp_path / "proxy", login=LOGIN) as proxy:
        settings = through(registry_with_tls.host, HostSettings(proxy=url_of(proxy.host), ca=authority.ca))
        async with connect(settings, keychain=anonymous) as client:
            pushed = await unwrap(push(client, docker_save(archive.path), name))
            pulled = await unwrap(pull(client, name, oci_layout(tmp_path / "layout")))
        passed = proxy.passed
    assert pulled.manifest.digest == pushed.digest
    assert set(passed) == {f"CONNECT {registry_with_tls.host}"}


async def test_a_certificate_is_judged_behind_a_proxy_as_before_it(
    registry_with_tls: RealRegistry, tmp_path: Path
) -> None:
    """A proxy is a way, and nobody to trust."""
    host = registry_with_tls.host
    with serve_tinyproxy(tmp_path / "proxy") as proxy:
        settings = through(host, HostSettings(proxy=SecretStr(f"http://{proxy.host}"), min_tls="1.2"))
        async with connect(settings, keychain=anonymous) as client:
            out = await settle(ping(client, host))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.TlsFailed)
    assert out.error.reason.host == host


@pytest.mark.parametrize(
    ("login", "is_tls"), [(None, True), (None, False), (("somebody", "wrong-s3cr3t"), True)], ids=str
)
async def test_a_proxy_that_wants_to_know_who_we_are_says_so(
    login: tuple[str, str] | None, is_tls: bool, tmp_path: Path
) -> None:
    """It is about the proxy, and no login at the registry would help; the password is told to nobody else."""
    host = "127.0.0.1:443"
    with serve_tinyproxy(tmp_path / "proxy", login=LOGIN) as proxy:
        chosen = HostSettings(proxy=url_of(proxy.host, login), min_tls="1.2" if is_tls else None)
        async with connect(through(host, chosen), keychain=anonymous) as client:
            out = await settle(ping(client, host))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.Misconfigured), out
    assert proxy.host in explain(out.error)
    assert "s3cr3t" not in explain(out.error) + repr(out) + repr(client.settings)


async def test_a_proxy_that_leads_elsewhere_only_is_named(tmp_path: Path) -> None:
    """Companies let CONNECT through to a few ports."""
    with serve_tinyproxy(tmp_path / "proxy", tunnels="443") as proxy:
        chosen = HostSettings(proxy=url_of(proxy.host), min_tls="1.2")
        async with connect(through("127.0.0.1:5000", chosen), keychain=anonymous) as client:
            out = await settle(ping(client, "127.0.0.1:5000"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.PolicyRefused), out
    assert proxy.host in out.error.reason.rule


async def test_a_name_that_only_the_proxy_knows_is_reached(authority: Authority, monkeypatch: Any) -> None:
    """Inside a company nothing else may know the internet's names; the variables are those of every program."""
    names = Names({})
    context = server_side(authority, "registry.test")
    async with chaos(answer(body=BLOB), tls=context) as registry:
        async with tunnelling({"registry.test:443": registry.host}, login=ENCODED) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", url_of(proxy.host).get_secret_value())
            settings = read_settings(cache=False, retries=0, ca=authority.ca).unwrap()
            async with client_with(names, settings) as client:
                for _ in range(3):
                    assert await settle(get_blob(client, "registry.test/app", digest_of(BLOB))) == Ok(BLOB)
            heads = b"".join(registry.heads)
        assert names.asked == []
        assert (proxy.visits, registry.visits) == (1, 1)
        assert b"Host: registry.test\r\n" in heads
        assert b"proxy" not in heads.lower()
        assert [head.split(b"\r\n")[0] for head in proxy.heads] == [b"CONNECT registry.test:443 HTTP/1.1"]


async def test_nothing_of_the_registry_is_told_to_a_proxy_for_tls(authority: Authority) -> None:
    """A password is for the registry, and goes through the tunnel only."""
    challenge = b"HTTP/1.1 401 X\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
    context = server_side(authority, "registry.test")
    async with chaos(say(challenge, then=answer()), tls=context) as registry:
        async with tunnelling({"registry.test:443": registry.host}) as proxy:
            settings = SETTINGS.model_copy(update={"https_proxy": url_of(proxy.host), "ca": authority.ca})
            known = static_credentials("registry.test", "ada", "r3g1stry")
            async with connect(settings, keychain=known) as client:
                assert await settle(ping(client, "registry.test")) == Ok(None)
        assert b"Authorization: Basic" in b"".join(registry.heads)
        assert b"Authorization" not in b"".join(proxy.heads).replace(b"Proxy-Authorization", b"")
        assert b"User-Agent: registry-fp/" in b"".join(proxy.heads)


async def test_what_a_proxy_leads_to_is_held_against_what_its_name_says(authority: Authority) -> None:
    """A redirect to an address inside is refused before the proxy hears of it; one to another name is the proxy's."""
    context = server_side(authority, "registry.test", "storage.test")
    inside = answer("307 Moved", Location="https://10.0.0.1/secret")
    async with chaos(inside, tls=context) as bad, chaos(answer(body=BLOB), tls=context) as storage:
        moved = answer("307 Moved", Location="https://storage.test/signed")
        async with chaos(moved, tls=context) as good:
            places = {"registry.test:443": good.host, "bad.test:443": bad.host, "storage.test:443": storage.host}
            places["registry.test:8443"] = bad.host
            async with tunnelling(places) as proxy:
                settings = SETTINGS.model_copy(update={"https_proxy": url_of(proxy.host), "ca": authority.ca})
                async with connect(settings, keychain=anonymous) as client:
                    assert await settle(get_blob(client, "registry.test/app", digest_of(BLOB))) == Ok(BLOB)
                    out = await settle(get_blob(client, "registry.test:8443/app", digest_of(BLOB)))
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, why.PolicyRefused), out
            asked = [head.split(b" ")[1] for head in proxy.heads]
            assert asked == [b"registry.test:443", b"storage.test:443", b"registry.test:8443"]


async def test_a_proxy_that_is_not_there_is_named() -> None:
    """Who reads that the registry refused a connection looks in the wrong place."""
    async with chaos(reset) as gone:
        host = gone.host
    settings = SETTINGS.model_copy(update={"https_proxy": url_of(host)})
    async with connect(settings, keychain=anonymous) as client:
        out = await settle(ping(client, "registry.test"))
    assert isinstance(out, Err)
    assert out.error.reason == why.ConnectFailed(host, "the proxy: connection refused")


async def test_a_proxy_that_has_no_address_is_named() -> None:
    """Of the registry's name nothing is known here, and nothing is said."""
    settings = SETTINGS.model_copy(update={"https_proxy": SecretStr("http://nobody.test:3128")})
    async with client_with(Names({}), settings) as client:
        out = await settle(ping(client, "registry.test"))
    assert isinstance(out, Err)
    assert out.error.reason == why.DnsFailed("nobody.test:3128")


async def test_a_proxy_that_cannot_reach_the_registry_is_asked_again() -> None:
    """A gateway's fault passes, and is told of the registry with the proxy's name."""
    async with tunnelling({}) as proxy:
        settings = SETTINGS.model_copy(update={"https_proxy": url_of(proxy.host), "retries": 2})
        async with connect(settings, keychain=anonymous, clock=InstantClock().clock) as client:
            out = await settle(ping(client, "registry.test"))
        assert isinstance(out, Err)
        assert out.error.reason == why.ConnectFailed("registry.test", f"the proxy {proxy.host} cannot (502)")
        assert (out.error.attempts, proxy.visits) == (3, 3)


@pytest.mark.parametrize("script", [reset, say(b"SSH-2.0-x\r\n\r\n"), say(b"")], ids=["reset", "ssh", "nothing"])
async def test_what_is_no_proxy_ends_in_a_reason(script: Script) -> None:
    """A port can be anything, and a tunnel that was never made must not leave a socket or a task."""
    async with chaos(script) as proxy:
        settings = SETTINGS.model_copy(update={"https_proxy": url_of(proxy.host)})
        async with connect(settings, keychain=anonymous) as client:
            out = await settle(ping(client, "registry.test"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.ConnectionLost | why.ProtocolViolation), out


async def test_loopback_is_reached_without_a_proxy(real_registry: RealRegistry) -> None:
    """A proxy would look for a registry on its own machine."""
    async with chaos(reset) as proxy:
        settings = SETTINGS.model_copy(update={"http_proxy": url_of(proxy.host), "https_proxy": url_of(proxy.host)})
        async with connect(settings, keychain=anonymous) as client:
            assert await settle(ping(client, real_registry.host)) == Ok(None)
        assert proxy.visits == 0


async def test_a_proxy_that_is_none_stops_everything_before_it_begins() -> None:
    """A request that was meant for a proxy must not go out without one."""
    names = Names({"registry.test": [["127.0.0.1"]]})
    settings = SETTINGS.model_copy(update={"https_proxy": SecretStr("socks5://ada:s3cr3t@proxy.test:1080")})
    async with client_with(names, settings) as client:
        out = await settle(ping(client, "registry.test"))
    assert isinstance(out, Err)
    assert out.error.reason == why.Misconfigured("https_proxy", "the proxy is no http:// one, but socks5://")
    assert names.asked == []
    assert "s3cr3t" not in repr(client.settings) + explain(out.error)


async def test_no_secret_of_a_proxy_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Logs are read by more people than settings are."""
    caplog.set_level(logging.DEBUG)
    async with tunnelling({}, login=b"nobody") as proxy:
        settings = SETTINGS.model_copy(update={"https_proxy": url_of(proxy.host), "wire_log": True})
        async with connect(settings, keychain=anonymous) as client:
            await settle(ping(client, "registry.test"))
        assert ENCODED in b"".join(proxy.heads)
    assert caplog.records
    assert LOGIN[1] not in caplog.text
    assert ENCODED.decode() not in caplog.text
