"""Learning: what a registry shows itself to be is known afterwards, and what is known is not tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_fp import (
    Client,
    ConnectionLost,
    Denied,
    Err,
    HostSettings,
    Ok,
    RangeRejected,
    Reason,
    Refused,
    Settings,
    UploadLost,
    anonymous,
    blob_size,
    connect,
    has_blob,
    parse_reference,
    put_blob,
    put_manifest,
    read_settings,
    settle,
    unwrap,
)
from registry_fp.domain.manifest import parse_manifest
from registry_fp.domain.media_type import OCI_INDEX
from registry_fp.operations.presence import confirmed_size
from registry_fp.operations.shown import is_shown
from registry_fp.protocol.profile import PROFILES, RegistryProfile, find_profile, named_profile
from registry_fp.protocol.way import (
    LARGEST_CHUNK,
    SMALLEST_CHUNK,
    Pieces,
    Stream,
    Verb,
    Way,
    Whole,
    chunk_size,
    first_way,
    next_way,
)
from registry_fp.testing import Answer, DropAfter, EmbeddedRegistry, Fault, running_registry
from registry_fp.transport.profile_book import LEARNED_SECONDS, ProfileBook
from tests.profiles.upload import KIB, blob, teach, uploaded
from tests.transport.clocks import InstantClock

LIMIT: Final = 192 * KIB
INDEX: Final = b'{"schemaVersion":2,"manifests":[]}'

HOSTS: Final = {
    "docker.io": "docker-hub",
    "ghcr.io": "ghcr",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com": "ecr",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn": "ecr",
    "public.ecr.aws": "ecr",
    "team.azurecr.io": "acr",
    "europe-docker.pkg.dev": "gar",
    "eu.gcr.io": "gar",
    "quay.io": "quay",
    "team.jfrog.io": "artifactory",
    "registry.gitlab.com": "gitlab",
    "registry.access.redhat.com": "redhat",
    "registry.cn-hangzhou.aliyuncs.com": "aliyun",
    "localhost:5000": "plain",
    "ghcr.io.evil.example": "plain",
    "notghcr.io": "plain",
}


@pytest.mark.parametrize(("host", "name"), HOSTS.items())
def test_a_public_registry_is_known_by_its_name(host: str, name: str) -> None:
    """And by no other name that only looks like it."""
    assert find_profile(host).name == name


def test_each_profile_has_a_name_of_its_own() -> None:
    """There are a dozen and more, and the first of them differs from the specification in nothing."""
    assert len({each.name for each in PROFILES}) == len(PROFILES) >= 13
    assert PROFILES[0] == RegistryProfile()
    assert all(named_profile(each.name) is each for each in PROFILES)


def test_a_profile_is_chosen_for_a_host_by_its_name() -> None:
    """Where the name of the host does not tell, as behind a company's own name."""
    book = ProfileBook(Settings(hosts={"registry.example:5000": HostSettings(profile="harbor")}))
    assert book.of("registry.example:5000").name == "harbor"
    assert book.of("registry.example").name == "plain"


def test_a_profile_that_nobody_knows_is_a_setting_that_is_wrong() -> None:
    """It is said which there are, before anything is sent."""
    refused = read_settings(hosts={"registry.example": {"profile": "harbour"}}).failure()
    assert "not one of plain, docker-hub" in str(refused.reason)


def test_a_book_forgets_before_it_grows_without_end() -> None:
    """A service that is told hosts by strangers keeps a thousand of them."""
    book = ProfileBook(Settings())
    book.learn("first.example", RegistryProfile(max_body=1))
    for number in range(1100):
        book.of(f"{number}.example")
    assert book.of("first.example") == RegistryProfile()
    assert len(book._known) <= 1024


REFUSALS: Final[Mapping[str, dict[str, Any]]] = {
    "413": {"max_body": LIMIT},
    "416": {"max_body": LIMIT, "too_large": 416},
}


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_the_second_blob_is_not_refused(refusal: str, client: Client) -> None:
    """The first one pays for what is learned; it is learned of this host alone."""
    async with EmbeddedRegistry(profile=RegistryProfile(**REFUSALS[refusal])) as registry:
        assert await uploaded(client, registry.host, blob(3 * LIMIT, 1)) == Ok("uploaded")
        assert any(each.status == int(refusal) for each in registry.requests)
        registry.reset_counts()
        assert await uploaded(client, registry.host, blob(3 * LIMIT, 2)) == Ok("uploaded")
        assert not any(each.status == int(refusal) for each in registry.requests)
    assert client.profiles.of("localhost:5000") == RegistryProfile()


async def test_a_plain_registry_is_asked_for_nothing_that_a_profile_would_need(client: Client) -> None:
    """One question, one session, one body: profiles cost a plain registry no request."""
    async with EmbeddedRegistry() as registry:
        assert await uploaded(client, registry.host, blob(3 * LIMIT)) == Ok("uploaded")
        assert [each.endpoint for each in registry.requests] == ["end-2", "end-4a", "end-6"]


async def test_a_registry_that_mixes_chunks_up_is_given_the_blob_as_one(client: Client) -> None:
    """Its answers say that all is well; that it is not comes out at the digest (aws/containers-roadmap#2831)."""
    profile = RegistryProfile(accepts_chunked=False, patch_status=201)
    cut = Fault(DropAfter(100 * KIB), endpoint="end-6", nth=(1,))
    async with EmbeddedRegistry(profile=profile, faults=[cut]) as registry:
        assert await uploaded(client, registry.host, blob(3 * LIMIT)) == Ok("uploaded")
        ends = [(each.endpoint, each.status) for each in registry.requests if each.endpoint in {"end-5", "end-6"}]
        assert ends == [("end-6", None), ("end-5", 201), ("end-5", 201), ("end-6", 400), ("end-6", 201)]
        assert not client.profiles.of(registry.host).accepts_chunked
        assert registry.counts().uploads_open == 0


async def test_a_registry_without_head_is_asked_for_one_byte(client: Client) -> None:
    """And from then on at once, so that a question costs one request again."""
    one = blob(LIMIT)
    with running_registry(profile=RegistryProfile(head=405)) as registry:
        repository = f"{registry.host}/app"
        assert await unwrap(has_blob(client, repository, one.descriptor.digest)) is False
        await unwrap(put_blob(client, repository, one.content))
        registry.reset_counts()
        assert await unwrap(blob_size(client, repository, one.descriptor.digest)) == LIMIT
        assert [(each.method, each.headers.get("Range")) for each in registry.requests] == [("GET", "bytes=0-0")]
        await unwrap(put_blob(client, repository, b""))
        assert await unwrap(blob_size(client, repository, blob(0).descriptor.digest)) == 0


@pytest.mark.parametrize("head", [403, 404, 405])
async def test_a_refused_head_is_no_word_about_a_blob(head: Any, client: Client) -> None:
    """What is there is found by GET: a denial of HEAD alone is not believed, and sending does not depend on it."""
    one = blob(LIMIT)
    async with EmbeddedRegistry(profile=RegistryProfile(head=head)) as registry:
        assert await uploaded(client, registry.host, one) == Ok("uploaded")
        if head != 404:
            assert await unwrap(has_blob(client, f"{registry.host}/app", one.descriptor.digest)) is True
            assert client.profiles.of(registry.host).head == head


async def test_a_blob_that_is_denied_stays_denied(client: Client) -> None:
    """GET says the same as HEAD, so that it is true (google/go-containerregistry#1691)."""
    async with EmbeddedRegistry(profile=RegistryProfile(absent_status=403)) as registry:
        out = await settle(has_blob(client, f"{registry.host}/app", blob(1).descriptor.digest))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, Denied)
        assert client.profiles.of(registry.host).head is None


async def test_one_slow_replica_does_not_take_head_away(client: Client) -> None:
    """HEAD costs nothing of a quota, and GET does: that both differ once may be the moment, and not the registry."""
    one, made = blob(LIMIT), parse_manifest(INDEX, OCI_INDEX).unwrap()
    late = Fault(Answer(404), method="HEAD", nth=(1,))
    async with EmbeddedRegistry() as registry:
        name = parse_reference(f"{registry.host}/app:1").unwrap()
        assert await uploaded(client, registry.host, one) == Ok("uploaded")
        await unwrap(put_manifest(client, name, made))
        registry.set_faults(late)
        assert await unwrap(confirmed_size(client, name.repository, one.descriptor.digest)) == LIMIT
        assert client.profiles.of(registry.host).head is None
        registry.set_faults(late)
        assert await unwrap(is_shown(client, name, made)) is True
        assert client.profiles.of(registry.host).head is None


@pytest.mark.parametrize("of", ["blob", "manifest"])
async def test_a_head_that_never_finds_anything_is_not_asked_again(of: str, client: Client) -> None:
    """It says no where GET says yes, and says so again."""
    one, made = blob(LIMIT), parse_manifest(INDEX, OCI_INDEX).unwrap()
    async with EmbeddedRegistry(profile=RegistryProfile(head=404)) as registry:
        name = parse_reference(f"{registry.host}/app:1").unwrap()
        assert await uploaded(client, registry.host, one) == Ok("uploaded")
        await unwrap(put_manifest(client, name, made))
        if of == "blob":
            assert await unwrap(confirmed_size(client, name.repository, one.descriptor.digest)) == LIMIT
        else:
            assert await unwrap(is_shown(client, name, made)) is True
        assert client.profiles.of(registry.host).head == 404


async def test_what_others_learn_meanwhile_is_kept(client: Client) -> None:
    """Two lessons at once, of one registry, are two lessons."""
    made = parse_manifest(INDEX, OCI_INDEX).unwrap()
    async with EmbeddedRegistry(profile=RegistryProfile(head=404)) as registry:
        name = parse_reference(f"{registry.host}/app:1").unwrap()
        await unwrap(put_manifest(client, name, made))
        registry.reset_counts()
        asking = asyncio.ensure_future(settle(is_shown(client, name, made)))
        while len(registry.requests) < 2:  # noqa: ASYNC110  a registry sets no event of ours
            await asyncio.sleep(0)
        teach(client, registry.host, max_body=LIMIT)
        assert await asking == Ok(True)
        known = client.profiles.of(registry.host)
        assert (known.head, known.max_body) == (404, LIMIT)


async def test_one_odd_answer_does_not_last(client: Client) -> None:
    """A proxy that says 413 once, on a bad day, costs an hour of chunks, and not the life of a service."""
    clock = InstantClock()
    async with (
        connect(Settings(small_blob=32 * KIB), keychain=anonymous, clock=clock.clock) as waiting,
        EmbeddedRegistry(faults=[Fault(Answer(413), endpoint="end-6", nth=(1,))]) as registry,
    ):
        assert await uploaded(waiting, registry.host, blob(3 * LIMIT, 1)) == Ok("uploaded")
        for chunked in (True, False):
            registry.reset_counts()
            assert await uploaded(waiting, registry.host, blob(3 * LIMIT, 2 + chunked)) == Ok("uploaded")
            assert ("end-5" in {each.endpoint for each in registry.requests}) is chunked
            clock.passed += LEARNED_SECONDS


def test_what_is_learned_is_forgotten_all_together() -> None:
    """However often something is added, the first lesson is not older than that; what the name tells stays."""
    clock = InstantClock()
    book = ProfileBook(Settings(), clock.clock.now)
    book.learn("ghcr.io", replace(book.of("ghcr.io"), head=404))
    clock.passed = LEARNED_SECONDS - 1
    book.learn("ghcr.io", replace(book.of("ghcr.io"), max_body=1))
    assert (book.of("ghcr.io").head, book.of("ghcr.io").max_body) == (404, 1)
    clock.passed = LEARNED_SECONDS
    assert book.of("ghcr.io") == find_profile("ghcr.io")
    book.learn("ghcr.io", replace(book.of("ghcr.io"), head=403))
    clock.passed += LEARNED_SECONDS - 1
    assert book.of("ghcr.io").head == 403


LENGTHS = st.one_of(st.none(), st.integers(0, 10 * LARGEST_CHUNK))
LIMITS = st.one_of(st.none(), st.integers(SMALLEST_CHUNK, 2 * LARGEST_CHUNK))
KINDS = st.builds(
    RegistryProfile,
    max_body=LIMITS,
    max_chunk=LIMITS,
    min_chunk=st.integers(0, 2 * LARGEST_CHUNK),
    accepts_chunked=st.booleans(),
    needs_length=st.booleans(),
)
REASONS: Final[tuple[Reason, ...]] = (
    Refused(400),
    Refused(411),
    Refused(413),
    RangeRejected(0, None),
    RangeRejected(5, 1),
    ConnectionLost(0),
    ConnectionLost(10**6),
    UploadLost(10**6),
    Denied(),
)


@given(KINDS, LENGTHS, st.sampled_from(["PUT", "PATCH"]), st.lists(st.sampled_from(REASONS), min_size=60, max_size=60))
def test_what_is_learned_ends(profile: RegistryProfile, length: int | None, verb: Verb, reasons: list[Reason]) -> None:
    """Whatever a registry answers, in whatever order, there are few ways to try at once, and each is another."""
    way: Way = first_way(profile, length, verb)
    turns = 0
    for reason in reasons:
        turn = next_way(way, reason, profile, length, verb)
        if turn is not None:
            assert turn.way != way or turn.profile != profile
            turns += turn.at_once
            way, profile = turn.way, turn.profile
    assert turns <= 16


@given(KINDS, LENGTHS, st.sampled_from(["PUT", "PATCH"]))
def test_the_first_way_keeps_to_what_is_known(profile: RegistryProfile, length: int | None, verb: Verb) -> None:
    """No body that is known to be refused, and no chunk that memory has no room for."""
    way = first_way(profile, length, verb)
    match way:
        case Whole():
            assert length is not None
            assert profile.max_body is None or length <= profile.max_body
        case Stream():
            assert not profile.needs_length
            assert verb == "PATCH" or length is None
        case Pieces(size):
            assert size == chunk_size(profile) <= LARGEST_CHUNK
            assert size >= min(profile.min_chunk, LARGEST_CHUNK)
