"""The way to a registry: whatever is wrong with it is said as what it is, with what mends it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry_fp import (
    Client,
    Diagnosis,
    Err,
    HostSettings,
    RegistryError,
    RegistryProfile,
    Settings,
    Topic,
    anonymous,
    connect,
    doctor,
    settle,
)
from registry_fp.domain.errors import BadReference
from registry_fp.testing import Answer, EmbeddedRegistry, Fault, Manners, running_registry
from tests.doctor.ward import examined, found, seen
from tests.real.certificates import Authority, Pair
from tests.real.docker_registry import RealRegistry
from tests.real.nginx import Front, serve_nginx
from tests.transport.chaos import OK, Visit, chaos
from tests.transport.clocks import InstantClock

IDENTITIES = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Site:
    """nginx before a docker-registry, by what is odd about each of its ports."""

    hosts: dict[str, str]
    authority: Authority

    async def diagnosis(self, kind: str, **chosen: object) -> Diagnosis:
        """With our authority trusted, and more chosen for the host."""
        host = HostSettings.model_validate({"ca": self.authority.ca, **chosen})
        settings = Settings(hosts={self.hosts[kind]: host}, retries=0, cache=False)
        async with connect(settings, keychain=anonymous) as client:
            return await examined(client, self.hosts[kind])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, real_registry: RealRegistry) -> Iterator[Site]:
    """One nginx for all tests here."""
    root = tmp_path_factory.mktemp("doctor")
    ours, others = Authority(root / "ours"), Authority(root / "others")
    good, before = ours.issue("good", *IDENTITIES), real_registry.host
    fronts = {
        "good": Front(good, before),
        "soon": Front(ours.issue("soon", *IDENTITIES, days=3), before),
        "expired": Front(ours.issue("expired", *IDENTITIES, from_days=-9, days=-1), before),
        "another name": Front(ours.issue("name", "registry.example"), before),
        "unknown": Front(others.issue("other", *IDENTITIES), before),
        "wants": Front(good, before, f"ssl_client_certificate {ours.ca}; ssl_verify_client on;"),
        "plain": Front(None, before),
    }
    with serve_nginx(root / "nginx", fronts) as hosts:
        yield Site(hosts, ours)


async def test_good_tls_is_shown_with_its_authority(site: Site) -> None:
    """Which version, whose certificate, and for how long: nobody likes to be surprised by the end of one."""
    diagnosis = await site.diagnosis("good")
    told = found(diagnosis, "tls").told
    assert (told.startswith("TLS 1.3, with a certificate by trustme"), "good for 364 days" in told) == (True, True)
    assert found(diagnosis, "reach").told == "it answers from 127.0.0.1"
    assert (found(diagnosis, "tls").hint, diagnosis.ills) == (None, ())


async def test_a_certificate_that_ends_soon_is_told(site: Site) -> None:
    """While there is time."""
    tls = found(await site.diagnosis("soon"), "tls")
    assert (tls.verdict, tls.hint) == ("yes", "the registry needs a new certificate soon")


async def test_any_certificate_is_no_good_idea(site: Site) -> None:
    """It works, and there is something better."""
    tls = found(await site.diagnosis("unknown", insecure=True), "tls")
    assert (tls.verdict, "--ca FILE" in (tls.hint or "")) == ("yes", True)


@pytest.mark.parametrize(
    ("kind", "told", "hint"),
    [
        ("expired", "the certificate has expired", "clock"),
        ("another name", "the certificate is for another name", "name"),
        ("unknown", "unknown certificate authority", "--ca FILE"),
        ("wants", "the server wants a client certificate", "--cert FILE --key FILE"),
        ("plain", "the other side does not speak TLS", "--plain-http"),
    ],
)
async def test_what_is_wrong_with_tls_is_said(kind: str, told: str, hint: str, site: Site) -> None:
    """And nothing more is asked of a registry that is not trusted."""
    diagnosis = await site.diagnosis(kind)
    assert list(seen(diagnosis)) == ["tls"]
    assert (told in found(diagnosis, "tls").told, hint in (found(diagnosis, "tls").hint or "")) == (True, True)
    assert diagnosis.ills == diagnosis.findings


async def test_a_certificate_authority_that_cannot_be_read_is_about_tls(tmp_path: Path) -> None:
    """A file that was named and is not there."""
    settings = Settings(hosts={"localhost:1": HostSettings(ca=tmp_path / "nothing.pem")}, retries=0, cache=False)
    async with connect(settings, keychain=anonymous) as client:
        diagnosis = await examined(client, "localhost:1")
    assert "nothing.pem" in found(diagnosis, "tls").told


async def test_a_server_that_says_that_it_wants_tls_is_understood(client: Client, site: Site) -> None:
    """Nginx answers a request without TLS with a page that says so."""
    diagnosis = await examined(client, site.hosts["good"])
    assert "speaks TLS, and was asked without it" in found(diagnosis, "tls").told
    assert "--ca FILE" in (found(diagnosis, "tls").hint or "")


async def test_a_server_that_hangs_up_because_it_wants_tls_is_understood(client: Client, tmp_path: Path) -> None:
    """Others say nothing, so that it takes a second look; nothing of ours is told to them."""
    pair = Authority(tmp_path).issue("good", *IDENTITIES)
    async with EmbeddedRegistry(tls=_server(pair)) as registry:
        diagnosis = await examined(client, registry.host)
        assert registry.requests == ()
    assert "speaks TLS" in found(diagnosis, "tls").told


def _server(pair: Pair) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.cert, pair.key)
    return context


@pytest.mark.parametrize(
    ("host", "told"),
    [("localhost:1", "connection refused"), ("registry.invalid:5000", "no address for registry.invalid")],
)
async def test_nothing_there_is_a_diagnosis_too(host: str, told: str, client: Client) -> None:
    """Not a failure: it is what was asked for."""
    diagnosis = await examined(client, f"{host}/team/app")
    assert list(seen(diagnosis)) == ["reach"]
    assert (found(diagnosis, "reach").verdict, told in found(diagnosis, "reach").told) == ("no", True)


@pytest.mark.parametrize(
    ("answer", "topic"),
    [
        (Answer(404, body=b"404 page not found"), "registry"),
        (Answer(200, {"Content-Type": "text/html"}, b"<html>log in to the wireless network</html>"), "registry"),
        (Answer(401), "registry"),
        (Answer(503), "registry"),
        (Answer(429, {"Retry-After": "1"}), "registry"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else value,
)
async def test_what_is_no_registry_is_not_examined_as_one(answer: Answer, topic: Topic, client: Client) -> None:
    """A captive portal, a web site, a server that is down."""
    with running_registry(profile=RegistryProfile(api_version=False)) as registry:
        registry.set_faults(Fault(answer))
        diagnosis = await examined(client, f"{registry.host}/team/app")
        assert registry.counts().requests == 1
    assert (found(diagnosis, topic).verdict, [each.topic for each in diagnosis.ills]) == ("no", [topic])


async def test_a_server_that_is_no_web_server_is_told(client: Client) -> None:
    """Another service on that port."""

    async def script(visit: Visit) -> None:
        await visit.hear()
        await visit.say(b"220 mail.example ESMTP\r\n")

    async with chaos(script) as running:
        diagnosis = await examined(client, running.host)
    assert found(diagnosis, "reach").verdict == "no"


async def test_a_registry_that_falls_silent_is_not_asked_for_ever() -> None:
    """A diagnosis ends: after two questions in a row that nobody answered, no more are asked."""

    async def script(visit: Visit) -> None:
        while (await visit.hear()).startswith(b"GET /v2/ "):
            await visit.say(OK)
        await visit.gone()

    settings = Settings(cache=False, retries=0, answer_timeout=0.1)
    async with chaos(script) as running, connect(settings, keychain=anonymous) as client:
        diagnosis = await examined(client, f"{running.host}/team/app")
    assert len([head for head in running.heads if not head.startswith(b"GET /v2/ ")]) == 2
    assert {found(diagnosis, topic).verdict for topic in ("catalog", "pull", "tags", "push")} == {"unknown"}


async def test_a_clock_that_is_wrong_is_told() -> None:
    """Tokens and certificates are judged by it, and everything else looks right."""
    with running_registry() as registry:
        async with connect(Settings(cache=False), keychain=anonymous, clock=InstantClock().clock) as client:
            diagnosis = await examined(client, registry.host)
    assert (found(diagnosis, "clock").verdict, "behind" in found(diagnosis, "clock").told) == ("no", True)


async def test_a_proxy_that_is_not_there_is_what_is_wrong() -> None:
    """The registry is not to blame, and the setting is named."""
    host = HostSettings(proxy="http://user:s3cret@localhost:1")  # type: ignore[arg-type]
    async with connect(Settings(hosts={"ghcr.io": host}, retries=0, cache=False), keychain=anonymous) as client:
        diagnosis = await examined(client, "ghcr.io")
    assert (list(seen(diagnosis)), "localhost:1" in found(diagnosis, "proxy").told) == (["proxy"], True)
    assert "s3cret" not in repr(diagnosis)


async def test_mirrors_are_asked_whether_they_are_there() -> None:
    """One that is not there is passed over without a word otherwise."""
    with running_registry() as registry, running_registry() as mirror:
        mirrors = (mirror.host, "localhost:1/hub")
        settings = Settings(hosts={registry.host: HostSettings(mirrors=mirrors)}, cache=False, retries=0)
        async with connect(settings, keychain=anonymous) as client:
            diagnosis = await examined(client, registry.host)
        assert mirror.counts().requests == 1
    assert [each.verdict for each in diagnosis.about("mirror")] == ["yes", "no"]
    assert ("passed over" in (diagnosis.about("mirror")[1].hint or ""), diagnosis.ills) == (True, ())


async def test_quotas_and_warnings_are_told(client: Client) -> None:
    """What a registry says beside its answers, where people look for it."""
    manners = Manners(
        {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0", "Warning": '299 - "ends on Friday"'}
    )
    with running_registry(manners=manners) as registry:
        diagnosis = await examined(client, registry.host)
    assert found(diagnosis, "quota").told == "0 of 100 requests are left in 21600 s"
    assert (found(diagnosis, "quota").verdict, diagnosis.ills) == ("no", ())
    assert "Friday" in found(diagnosis, "warning").told


@pytest.mark.parametrize("place", ["app", "ghcr.io/Team", "https://ghcr.io", "ghcr.io/app:1", "", "user:pw@ghcr.io/x"])
async def test_a_bad_name_is_the_only_failure(place: str, client: Client) -> None:
    """It is known before anything is sent."""
    out = await settle(doctor(client, place))
    assert isinstance(out, Err)
    error: RegistryError = out.error
    assert (error.doing, type(error.reason)) == ("doctor", BadReference)
