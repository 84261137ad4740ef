"""Addresses: where a registry leads us is connected to only if it is no nearer to us than the registry itself.

Everything here is on loopback, and `0.0.0.0` is another zone that ends at the same servers: what is refused would have
been answered.
"""

from __future__ import annotations

import dataclasses

import pytest
from yarl import URL

from registry_fp import Client, RegistryError, Settings, anonymous, connect, get_blob, list_tags, ping
from registry_fp.domain import errors as why
from registry_fp.domain.digest import digest_of
from registry_fp.effect.exits import Err, Ok, settle, unwrap
from registry_fp.protocol.message import Request
from registry_fp.testing import EmbeddedRegistry
from tests.network.names import Names, client_with
from tests.tokens.server import TokenServer, token_server
from tests.tokens.test_tokens import TESTER, known_as
from tests.transport.chaos import Chaos, Script, answer, chaos, say
from tests.transport.clocks import InstantClock
from tests.transport.sending import request, sent

BLOB = b"somewhere"
SETTINGS = Settings(cache=False, retries=0)
LOOPBACK = "127.0.0.1"


def elsewhere(host: str, scheme: str = "http") -> Script:
    """Send everybody to the same blob of another host."""
    return answer("307 Temporary Redirect", Location=f"{scheme}://{host}/signed?secret=1")


def blob(closing: bool = False) -> Script:
    """The blob, on a connection that is kept or not."""
    length = f"Content-Length: {len(BLOB)}\r\nConnection: close\r\n\r\n".encode()
    return say(b"HTTP/1.1 200 OK\r\n" + length, BLOB) if closing else answer(body=BLOB)


async def pulled(client: Client, host: str) -> Ok[bytes] | Err[RegistryError]:
    """What becomes of a blob of this registry."""
    return await settle(get_blob(client, f"{host}/app", digest_of(BLOB)))


def refused(out: object, zone: str) -> bool:
    """Whether something ended because it leads to this zone, and tells nothing that is secret."""
    assert isinstance(out, Err), out
    reason = out.error.reason
    assert isinstance(reason, why.PolicyRefused), reason
    assert "secret" not in repr(out)
    return reason.rule == f"an answer from elsewhere never leads to a {zone} address"


def port_of(server: Chaos) -> str:
    """The port of a server."""
    return server.host.rpartition(":")[2]


@pytest.mark.parametrize("host", [LOOPBACK, "localhost", "LOCALHOST", "[::ffff:127.0.0.1]", "0x7f.1"])
async def test_a_registry_leads_to_its_neighbours(host: str) -> None:
    """A registry and its storage on one machine, or in one network, are how most people have them."""
    async with chaos(blob()) as storage, chaos(elsewhere(f"{host}:{port_of(storage)}")) as registry:
        async with connect(SETTINGS, keychain=anonymous) as client:
            out = await pulled(client, registry.host)
        assert isinstance(out, Ok), out
        assert out.value == BLOB
        assert storage.visits == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "0", "0x0", "[::]", "[::ffff:0.0.0.0]"])  # noqa: S104
async def test_a_registry_leads_no_nearer_than_it_is(host: str) -> None:
    """It would use us to reach what it cannot reach itself; a number that is no address to aiohttp is refused, too."""
    async with chaos(blob()) as storage, chaos(elsewhere(f"{host}:{port_of(storage)}")) as registry:
        async with connect(SETTINGS, keychain=anonymous) as client:
            out = await pulled(client, registry.host)
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.PolicyRefused)
        assert (registry.visits, storage.visits) == (1, 0)


async def test_what_people_name_themselves_is_not_judged() -> None:
    """The rule is about where answers lead, and not about where a registry is."""
    async with chaos(blob()) as server:
        host = f"0.0.0.0:{port_of(server)}"
        settings = SETTINGS.model_copy(update={"plain_http": frozenset({host})})
        async with connect(settings, keychain=anonymous) as client:
            assert await pulled(client, host) == Ok(BLOB)


async def test_a_host_of_our_own_network_can_be_allowed() -> None:
    """A registry on the internet whose storage is inside our network is rare, and ours to know."""
    async with chaos(blob()) as storage, chaos(elsewhere(f"0.0.0.0:{port_of(storage)}")) as registry:
        settings = SETTINGS.model_copy(update={"private_hosts": frozenset({f"0.0.0.0:{port_of(storage)}"})})
        async with connect(settings, keychain=anonymous) as client:
            assert await pulled(client, registry.host) == Ok(BLOB)


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("10.0.0.1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("fd12::1", "private"),
        ("100.64.0.1", "shared"),
        ("169.254.7.7", "link-local"),
        ("224.0.0.1", "multicast"),
        ("192.0.2.1", "reserved"),
        ("0.0.0.0", "unspecified"),  # noqa: S104
    ],
)
async def test_a_name_is_judged_by_its_address(address: str, zone: str) -> None:
    """A name can mean anything, and who owns it decides."""
    names = Names({"storage.test": [[address]]})
    async with chaos(elsewhere("storage.test:81")) as registry, client_with(names, SETTINGS) as client:
        assert refused(await pulled(client, registry.host), zone)
        assert names.asked == ["storage.test"]


@pytest.mark.parametrize("name", ["storage.test", "STORAGE.test", "storage.test.", "xn--strage-4xa.test"])
async def test_every_spelling_of_a_name_passes_the_same_gate(name: str) -> None:
    """What a server writes is not what is judged."""
    names = Names({each: [["10.0.0.1"]] for each in ("storage.test", "xn--strage-4xa.test")})
    async with chaos(elsewhere(f"{name}:81")) as registry, client_with(names, SETTINGS) as client:
        assert refused(await pulled(client, registry.host), "private")


async def test_a_name_that_changes_its_address_is_judged_again() -> None:
    """A name that was on the internet when it was asked about, and is our own machine when it is connected to."""
    names = Names({"storage.test": [[LOOPBACK], ["0.0.0.0"]]})  # noqa: S104
    async with chaos(blob()) as one, chaos(blob()) as two:
        first, second = elsewhere(f"storage.test:{port_of(one)}"), elsewhere(f"storage.test:{port_of(two)}")
        async with chaos(first) as before, chaos(second) as after, client_with(names, SETTINGS) as client:
            assert await pulled(client, before.host) == Ok(BLOB)
            assert refused(await pulled(client, after.host), "unspecified")
            assert (one.visits, two.visits, len(names.asked)) == (1, 0, 2)


async def test_of_several_addresses_those_that_are_allowed_are_used() -> None:
    """A name with an address inside and one outside is reached by the one outside."""
    names = Names({"storage.test": [["0.0.0.0", "10.0.0.1", LOOPBACK]]})  # noqa: S104
    async with chaos(blob()) as storage, chaos(elsewhere(f"storage.test:{port_of(storage)}")) as registry:
        async with client_with(names, SETTINGS) as client:
            assert await pulled(client, registry.host) == Ok(BLOB)
        assert storage.visits == 1


async def test_a_connection_that_is_open_already_is_no_way_around() -> None:
    """What we opened for ourselves is not for whoever leads us to the same place."""
    async with chaos(blob()) as storage, chaos(elsewhere(f"0.0.0.0:{port_of(storage)}")) as registry:
        host = f"0.0.0.0:{port_of(storage)}"
        settings = SETTINGS.model_copy(update={"plain_http": frozenset({host})})
        async with connect(settings, keychain=anonymous) as client:
            assert await pulled(client, host) == Ok(BLOB)
            assert refused(await pulled(client, registry.host), "unspecified")
        assert (storage.visits, len(storage.heads)) == (1, 1)


@pytest.mark.parametrize("sender", [None, "8.8.8.8", "10.0.0.1", "169.254.169.254"])
async def test_a_connection_of_one_sender_is_not_used_for_another(sender: str | None) -> None:
    """A neighbour's connection is kept open, and whoever is no neighbour does not get it."""
    async with chaos(blob()) as storage, connect(SETTINGS, keychain=anonymous) as client:
        stray = dataclasses.replace(request(storage.host), stray=True, sender=LOOPBACK)
        for _ in range(2):
            assert isinstance(await settle(sent(client, stray)), Ok)
        assert refused(await settle(sent(client, dataclasses.replace(stray, sender=sender))), "loopback")
        assert (storage.visits, len(storage.heads)) == (1, 2)


async def test_each_hop_is_held_against_the_one_before() -> None:
    """Who was led to can lead on, but no nearer than it is itself."""
    async with chaos(blob()) as storage, chaos(elsewhere(f"0.0.0.0:{port_of(storage)}")) as second:
        async with chaos(elsewhere(second.host)) as first, connect(SETTINGS, keychain=anonymous) as client:
            assert refused(await pulled(client, first.host), "unspecified")
        assert (second.visits, storage.visits) == (1, 0)


async def test_a_list_that_was_led_to_goes_on_where_it_is() -> None:
    """The second page of a list comes from the neighbour that the first one came from."""
    tags = b'{"name": "app", "tags": ["a", "b"]}'
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(tags)}\r\n"
    first = say(f"{head}Link: </v2/app/tags/list?last=b>; rel=next\r\n\r\n".encode(), tags)
    async with chaos(first, answer(body=b'{"name": "app", "tags": ["c"]}')) as second:
        moved = answer("307 Temporary Redirect", Location=f"http://{second.host}/v2/app/tags/list")
        async with chaos(moved) as registry, connect(SETTINGS, keychain=anonymous) as client:
            assert await unwrap(list_tags(client, f"{registry.host}/app")) == ("a", "b", "c")


def challenge(realm: str) -> Script:
    """A registry that asks for a token of this realm."""
    return answer("401 Unauthorized", WWW_Authenticate=f'Bearer realm="{realm}",service="tests"')


@pytest.mark.parametrize(
    ("realm", "zone"),
    [
        ("https://0.0.0.0:{port}/token?secret", "unspecified"),
        ("https://169.254.169.254/latest/meta-data/?secret", "metadata"),
        ("https://[fd00:ec2::254]/token", "metadata"),
        ("https://10.0.0.1/token", "private"),
        ("https://tokens.test:{port}/token", "link-local"),
    ],
)
async def test_a_token_server_is_no_nearer_than_its_registry(realm: str, zone: str) -> None:
    """A realm is a URL that a stranger chose, asked by us, from inside (google/go-containerregistry#2292)."""
    names = Names({"tokens.test": [["169.254.7.7"]]})
    async with chaos(blob()) as tokens, chaos(challenge(realm.format(port=port_of(tokens)))) as registry:
        async with client_with(names, SETTINGS) as client:
            assert refused(await pulled(client, registry.host), zone)
        assert (registry.visits, tokens.visits) == (1, 0)


async def test_a_token_server_that_was_chosen_may_be_anywhere() -> None:
    """Who names it in the settings knows where it is."""
    async with chaos(answer(body=b'{"token": "t"}')) as tokens:
        realm = f"0.0.0.0:{port_of(tokens)}"
        refusal = f'HTTP/1.1 401 X\r\nWWW-Authenticate: Bearer realm="http://{realm}/token"\r\nContent-Length: 0\r\n'
        first = say(f"{refusal}Connection: close\r\n\r\n".encode())
        async with chaos(first, blob()) as registry:
            settings = SETTINGS.model_copy(update={"trusted_realms": frozenset({realm})})
            async with connect(settings, keychain=anonymous) as client:
                assert await pulled(client, registry.host) == Ok(BLOB)
        assert tokens.visits == 1


async def test_who_named_a_token_server_is_remembered() -> None:
    """The next token is asked for before there is a new challenge, and from no further away than the first."""
    clock = InstantClock()
    server = TokenServer(now=lambda: clock.passed, life=60.0)
    async with (
        token_server(server),
        EmbeddedRegistry(gate=server.gate) as registry,
        connect(SETTINGS, keychain=known_as(TESTER), clock=clock.clock) as client,
    ):
        server.realm = server.realm.replace(LOOPBACK, "localhost")
        for _ in range(3):
            assert await settle(ping(client, registry.host)) == Ok(None)
            clock.passed += 100.0
    assert (server.refused, len(server.asked)) == (1, 3)


async def test_an_answer_tells_where_it_came_from() -> None:
    """Also one without a body, whose connection is given back at once."""
    async with chaos(answer(body=b"")) as server, connect(SETTINGS, keychain=anonymous) as client:
        out = await settle(sent(client, Request("test", "x", "GET", URL(f"http://{server.host}/"))))
        assert isinstance(out, Ok)
        assert out.value.peer == LOOPBACK


async def test_a_registry_that_leads_to_itself_is_held_against_where_it_was() -> None:
    """The same name, and another address by now: with it the registry would reach what is near to us."""
    redirect = answer("307 Temporary Redirect", Location="/signed?secret=1", repeatedly=False)
    async with chaos(redirect, blob()) as registry:
        host = f"registry.test:{port_of(registry)}"
        settings = SETTINGS.model_copy(update={"plain_http": frozenset({host})})
        steady = Names({"registry.test": [[LOOPBACK]]})
        async with client_with(steady, settings) as client:
            assert await pulled(client, host) == Ok(BLOB)
    async with chaos(redirect, blob()) as registry:
        host = f"registry.test:{port_of(registry)}"
        settings = SETTINGS.model_copy(update={"plain_http": frozenset({host})})
        moved = Names({"registry.test": [[LOOPBACK], ["0.0.0.0"]]})  # noqa: S104
        async with client_with(moved, settings) as client:
            assert refused(await pulled(client, host), "unspecified")
        assert registry.visits == 1


async def test_a_token_server_on_the_registrys_own_host_is_held_against_where_that_was() -> None:
    """Unless we named it ourselves."""
    async with chaos(answer(body=b'{"token": "t0ken"}')) as tokens:
        realm = f"registry.test:{port_of(tokens)}"
        asks = answer("401 Unauthorized", WWW_Authenticate=f'Bearer realm="http://{realm}/token"', repeatedly=False)
        for trusted, visits in ((frozenset[str](), 0), (frozenset({realm}), 1)):
            async with chaos(asks, blob()) as registry:
                host = f"registry.test:{port_of(registry)}"
                chosen = {"plain_http": frozenset({host}), "trusted_realms": trusted}
                moved = Names({"registry.test": [[LOOPBACK], ["0.0.0.0"]]})  # noqa: S104
                async with client_with(moved, SETTINGS.model_copy(update=chosen)) as client:
                    out = await pulled(client, host)
                assert out == Ok(BLOB) if trusted else refused(out, "unspecified")
            assert tokens.visits == visits
