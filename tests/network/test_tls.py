"""TLS with real servers: whom we trust, what we show, and what is said when it fails."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry_fp import (
    Err,
    HostSettings,
    Ok,
    RegistryError,
    Settings,
    TlsFailed,
    connect,
    docker_save,
    explain,
    oci_layout,
    ping,
    pull,
    push,
    settle,
    unwrap,
)
from registry_fp.testing import sample_image, write_docker_save
from tests.real.certificates import Authority, Pair
from tests.real.docker_registry import RealRegistry, docker_registry
from tests.real.nginx import Front, serve_nginx

IDENTITIES = ("127.0.0.1", "::1", "localhost")
WANTS_ONE = "the server wants a client certificate"


@dataclass(frozen=True, slots=True)
class Site:
    """nginx before a docker-registry, by what is odd about each of its ports; and the certificates."""

    hosts: dict[str, str]
    ours: Authority
    mine: Pair
    stranger: Pair

    def settings(self, kind: str, **chosen: object) -> Settings:
        """Settings that trust our authority, with more chosen for the host of this kind."""
        host = HostSettings.model_validate({"ca": self.ours.ca, **chosen})
        return Settings(hosts={self.hosts[kind]: host}, retries=0, cache=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, real_registry: RealRegistry) -> Iterator[Site]:
    """One nginx for all tests here."""
    root = tmp_path_factory.mktemp("tls")
    ours, others = Authority(root / "ours"), Authority(root / "others")
    child = Authority(root / "child", ours)
    good = ours.issue("good", *IDENTITIES)
    before = real_registry.host
    verify = f"ssl_client_certificate {ours.ca}; ssl_verify_client"
    fronts = {
        "good": Front(good, before),
        "six": Front(good, before, address="::1"),
        "expired": Front(ours.issue("expired", *IDENTITIES, from_days=-9, days=-1), before),
        "young": Front(ours.issue("young", *IDENTITIES, from_days=1), before),
        "another name": Front(ours.issue("name", "registry.example", "10.0.0.1"), before),
        "unknown": Front(others.issue("other", *IDENTITIES), before),
        "child": Front(child.issue("leaf", *IDENTITIES), before),
        "wants": Front(good, before, f"{verify} on;"),
        "knows": Front(good, before, f"{verify} optional; if ($ssl_client_verify != SUCCESS) {{ return 403; }}"),
        "old": Front(good, before, "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"),
        "1.2": Front(good, before, "ssl_protocols TLSv1.2;"),
        "1.3": Front(good, before, "ssl_protocols TLSv1.3;"),
        "plain": Front(None, before),
    }
    mine, stranger = ours.issue("mine", "ci@example.org"), others.issue("stranger", "ci@example.org")
    with serve_nginx(root / "nginx", fronts) as hosts:
        yield Site(hosts, ours, mine, stranger)


async def _ping(settings: Settings, host: str) -> Ok[None] | Err[RegistryError]:
    async with connect(settings) as client:
        return await settle(ping(client, host))


async def _why(settings: Settings, host: str) -> str:
    out = await _ping(settings, host)
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, TlsFailed), out.error
    assert (out.error.reason.host, out.error.attempts) == (host, 1)
    return out.error.reason.why


@pytest.mark.parametrize("kind", ["good", "six", "1.2", "1.3"])
async def test_an_image_goes_through_tls_and_comes_back(site: Site, kind: str, tmp_path: Path) -> None:
    """The whole of a push and a pull, by IPv4 and IPv6, with an authority that only this registry has."""
    saved = write_docker_save(tmp_path / "app.tar", sample_image("app:1.0", mebibytes=3))
    name = f"{site.hosts[kind]}/tls/{kind.replace('.', '')}:1.0"
    async with connect(site.settings(kind)) as client:
        pushed = await unwrap(push(client, docker_save(saved.path), name))
        pulled = await unwrap(pull(client, name, oci_layout(tmp_path / "layout")))
        assert pulled.manifest.digest == pushed.digest
        assert client.origin(site.hosts[kind]).scheme == "https"


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("expired", "the certificate has expired"),
        ("young", "the certificate is not yet valid"),
        ("another name", "the certificate is for another name"),
        ("unknown", "unknown certificate authority"),
        ("old", "no version of TLS in common"),
        ("plain", "the other side does not speak TLS"),
    ],
)
async def test_what_is_wrong_is_said_and_no_second_attempt_made(site: Site, kind: str, why: str) -> None:
    """`SSL: CERTIFICATE_VERIFY_FAILED` sends people looking for hours; and it does not pass by itself."""
    settings = site.settings(kind).model_copy(update={"retries": 3})
    assert await _why(settings, site.hosts[kind]) == why


async def test_the_hint_says_what_to_do(site: Site) -> None:
    """Each of these is mended in another way."""
    out = await _ping(site.settings("plain"), site.hosts["plain"])
    assert isinstance(out, Err)
    assert explain(out.error).endswith("allow plain HTTP for this host: `--plain-http`")


async def test_without_the_authority_it_is_unknown(site: Site) -> None:
    """The system's authorities alone do not vouch for a registry at home."""
    host = site.hosts["good"]
    bare = Settings(hosts={host: HostSettings(min_tls="1.2")}, retries=0, cache=False)
    assert await _why(bare, host) == "unknown certificate authority"


@pytest.mark.parametrize("kind", ["expired", "young", "another name", "unknown"])
async def test_insecure_takes_any_certificate_from_the_host_alone(site: Site, kind: str) -> None:
    """It is chosen for one host by name; every other one is looked at as before."""
    host, other = site.hosts[kind], site.hosts["unknown" if kind != "unknown" else "expired"]
    settings = Settings(insecure=frozenset({host}), hosts={other: HostSettings(min_tls="1.2")}, retries=0, cache=False)
    assert await _ping(settings, host) == Ok(None)
    await _why(settings, other)


async def test_an_authority_between_can_be_trusted_by_itself(site: Site, tmp_path: Path) -> None:
    """Docker and podman do: who is given only the authority of a department need not know the company's."""
    between = site.ours.ca.parent.parent / "child" / "ca.crt"
    assert await _ping(site.settings("child", ca=between), site.hosts["child"]) == Ok(None)
    named = tmp_path / "ca.pem"
    named.write_bytes("# Zertifizierungsstelle für alle\n".encode() + between.read_bytes() + site.ours.ca.read_bytes())
    assert await _ping(site.settings("child", ca=named), site.hosts["child"]) == Ok(None)


async def test_an_authority_can_be_trusted_for_every_host(site: Site) -> None:
    """`ca` holds for the client, and what is chosen for a host goes before it."""
    host = site.hosts["good"]
    everywhere = Settings(ca=site.ours.ca, hosts={host: HostSettings(min_tls="1.3")}, retries=0, cache=False)
    assert await _ping(everywhere, host) == Ok(None)
    for_all = everywhere.model_copy(update={"hosts": {host: HostSettings(ca=site.stranger.cert)}})
    assert await _why(for_all, host) == "unknown certificate authority"


async def test_the_oldest_version_can_be_chosen(site: Site) -> None:
    """For the client and for a host, in both directions."""
    host = site.hosts["1.2"]
    assert await _why(site.settings("1.2", min_tls="1.3"), host) == "no version of TLS in common"
    strict = site.settings("1.2").model_copy(update={"min_tls": "1.3"})
    assert await _why(strict, host) == "no version of TLS in common"
    relaxed = site.settings("1.2", min_tls="1.2").model_copy(update={"min_tls": "1.3"})
    assert await _ping(relaxed, host) == Ok(None)
    assert await _ping(site.settings("1.3", min_tls="1.3"), site.hosts["1.3"]) == Ok(None)


async def test_tls_that_was_chosen_for_a_host_is_spoken_on_loopback_too(site: Site) -> None:
    """Loopback may do without TLS; where a registry there has it, what is chosen for it is not passed over."""
    async with connect(site.settings("good")) as client:
        assert client.origin(site.hosts["good"]).scheme == "https"
        assert client.origin(site.hosts["plain"]).scheme == "http"
    both = site.settings("plain", plain_http=True)
    assert await _ping(both, site.hosts["plain"]) == Ok(None)


@pytest.mark.parametrize("kind", ["wants", "knows"])
async def test_a_client_certificate_opens_the_door(site: Site, kind: str, tmp_path: Path) -> None:
    """From two files, from one that holds both, and from a folder as Docker has it."""
    host = site.hosts[kind]
    both = tmp_path / "both.pem"
    both.write_bytes(site.mine.key.read_bytes() + site.mine.cert.read_bytes())
    folder = tmp_path / "certs.d" / host
    folder.mkdir(parents=True)
    shutil.copy(site.ours.ca, folder / "ca.crt")
    shutil.copy(site.mine.cert, folder / "client.cert")
    shutil.copy(site.mine.key, folder / "client.key")
    for settings in (
        site.settings(kind, cert=site.mine.cert, key=site.mine.key),
        site.settings(kind, cert=both),
        site.settings(kind).model_copy(update={"cert": site.mine.cert, "key": site.mine.key}),
        Settings(
            certs_dirs=(tmp_path / "nowhere", tmp_path / "certs.d"),
            hosts={host: HostSettings(min_tls="1.2")},
            retries=0,
            cache=False,
        ),
    ):
        assert await _ping(settings, host) == Ok(None)


async def test_nginx_says_on_a_page_that_it_wants_a_certificate(site: Site) -> None:
    """It answers 400 with a page, which would be "the registry refused with 400"."""
    assert await _why(site.settings("wants"), site.hosts["wants"]) == WANTS_ONE
    stranger = site.settings("wants", cert=site.stranger.cert, key=site.stranger.key)
    assert await _why(stranger, site.hosts["wants"]) == "the server refuses the client certificate"


async def test_who_asks_a_server_without_tls_that_wants_it_is_told(site: Site, tmp_path: Path) -> None:
    """Nginx and Go answer 400 with words of their own, which would be "the registry refused with 400"."""
    good = site.ours.issue("for-plain", *IDENTITIES)
    tls = {"certificate": str(good.cert), "key": str(good.key)}
    plain = Settings(retries=0, cache=False)
    async with docker_registry(tmp_path, settings={"http": {"tls": tls}}) as registry:
        for host in (site.hosts["good"], registry.host):
            assert await _why(plain, host) == "the other side speaks TLS, and was asked without it"
    out = await _ping(plain, site.hosts["good"])
    assert isinstance(out, Err)
    assert "--ca FILE" in explain(out.error)


async def test_docker_registry_wants_a_certificate_after_the_handshake(site: Site, tmp_path: Path) -> None:
    """In TLS 1.3 the complaint comes where the answer should begin, and looks like a connection that broke."""
    good = site.ours.issue("for-docker", *IDENTITIES)
    tls = {"certificate": str(good.cert), "key": str(good.key), "clientcas": [str(site.ours.ca)]}
    async with docker_registry(tmp_path, settings={"http": {"tls": tls}}) as registry:
        ca = site.ours.ca
        for chosen, why in (
            (HostSettings(ca=ca), WANTS_ONE),
            (
                HostSettings(ca=ca, cert=site.stranger.cert, key=site.stranger.key),
                "the server refuses the client certificate",
            ),
        ):
            settings = Settings(hosts={registry.host: chosen}, retries=0, cache=False)
            assert await _why(settings, registry.host) == why
        right = HostSettings(ca=ca, cert=site.mine.cert, key=site.mine.key)
        assert await _ping(Settings(hosts={registry.host: right}, cache=False), registry.host) == Ok(None)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is the server")
@pytest.mark.parametrize(("version", "why"), [("-tls1_3", WANTS_ONE), ("-tls1_2", "the server refuses the handshake")])
async def test_openssl_wants_a_certificate(site: Site, version: str, why: str) -> None:
    """OpenSSL has an alert of its own for this in TLS 1.3, and only the most general one before."""
    good = site.ours.issue("for-openssl", *IDENTITIES)
    asks = ["-Verify", "1", "-verify_return_error", "-CAfile", str(site.ours.ca)]
    files = ["-cert", str(good.cert), "-key", str(good.key)]
    server = await asyncio.create_subprocess_exec(
        *["openssl", "s_server", "-accept", "127.0.0.1:0", version, "-www", *files, *asks],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    try:
        said = b""
        while not said.startswith(b"ACCEPT "):
            said = await server.stdout.readline()
            assert said, "openssl ended"
        host = said.split()[1].decode()
        chosen = HostSettings(ca=site.ours.ca)
        assert await _why(Settings(hosts={host: chosen}, retries=0, cache=False), host) == why
    finally:
        server.kill()
        await server.communicate()


@pytest.mark.parametrize("chosen", ["good", "insecure"])
@pytest.mark.parametrize("realm", ["unknown", "expired", "another name"])
async def test_what_holds_for_a_registry_does_not_hold_for_its_token_server(
    site: Site, tmp_path: Path, realm: str, chosen: str
) -> None:
    """CVE-2019-10214: whoever can read the question for a token has the password."""
    challenge = f"""'Bearer realm="https://{site.hosts[realm]}/token",service="registry"'"""
    asks = f"location / {{ add_header WWW-Authenticate {challenge} always; return 401; }}"
    fronts = {"asks": Front(site.ours.issue("asks", *IDENTITIES), directives=asks)}
    with serve_nginx(tmp_path / "nginx", fronts) as hosts:
        host = hosts["asks"]
        mine = HostSettings(insecure=True) if chosen == "insecure" else HostSettings(ca=site.ours.ca)
        settings = Settings(hosts={host: mine}, retries=0, cache=False)
        out = await _ping(settings, host)
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, TlsFailed), out.error
    assert out.error.reason.host == site.hosts[realm]


async def test_where_a_redirect_leads_nobody_is_shown_our_certificate_unasked(site: Site, tmp_path: Path) -> None:
    """Who we are is for the registry; storage that it redirects to learns it only if it was chosen by name."""
    storage = site.hosts["wants"]
    moved = f"return 307 https://{storage}$request_uri;"
    fronts = {"moves": Front(site.ours.issue("moves", *IDENTITIES), directives=moved)}
    with serve_nginx(tmp_path / "nginx", fronts) as hosts:
        host = HostSettings(ca=site.ours.ca)
        shown = {"cert": site.mine.cert, "key": site.mine.key}
        unasked = Settings(hosts={hosts["moves"]: host}, retries=0, cache=False, ca=site.ours.ca)
        out = await _ping(unasked.model_copy(update=shown), hosts["moves"])
        assert isinstance(out, Err)
        assert out.error.reason == TlsFailed(storage, WANTS_ONE)
        chosen = {hosts["moves"]: host, storage: host.model_copy(update=shown)}
        assert await _ping(unasked.model_copy(update={"hosts": chosen}), hosts["moves"]) == Ok(None)
