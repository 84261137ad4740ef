"""Notices: what a registry says besides reaches whoever did the work, once, and changes nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from registry_fp import (
    Client,
    Settings,
    anonymous,
    connect,
    copy,
    docker_save,
    get_blob,
    oci_layout,
    ping,
    pull,
    push,
    push_all,
    unwrap,
)
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import RateLimited
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.protocol.quota import Quota
from registry_fp.testing import EmbeddedRegistry, sample_image, write_docker_save
from registry_fp.transport.notices import NO_NOTICES, NOTICES_LIMIT, HostQuota, NoticeBook, Notices, RegistryWarning
from tests.cli.shell import run
from tests.rate.labels import Labels, labelled
from tests.tokens.server import serving
from tests.transport.clocks import InstantClock

WARNING = 'This repository will be "closed" on Friday.'
SAID = {
    "Warning": '299 - "This repository will be \\"closed\\" on Friday.", 110 - "Response is Stale"',
    "RateLimit-Limit": "100;w=21600",
    "RateLimit-Remaining": "76;w=21600",
}
QUOTA = Quota(100, 76, 21600)
SETTINGS = Settings(cache=False, retries=0)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An image to push."""
    return write_docker_save(tmp_path / "app.tar", sample_image("app:1", mebibytes=1)).path


@pytest.fixture
def upstream(request: pytest.FixtureRequest, kind: str) -> str:
    """A registry that says nothing besides."""
    fixture = {"embedded": "embedded_registry", "docker-registry": "real_registry"}[kind]
    host: str = request.getfixturevalue(fixture).host
    return host


def of(host: str) -> Notices:
    """What the labelled registry says."""
    return Notices((RegistryWarning(host, WARNING),), (HostQuota(host, QUOTA),))


@pytest.mark.parametrize("kind", ["embedded", "docker-registry"])
async def test_whoever_moved_an_image_is_told_what_the_registry_said(
    upstream: str, archive: Path, tmp_path: Path
) -> None:
    """On the result, beside the digest: a service can pass it on, and need not read a log."""
    async with labelled(upstream, Labels(SAID)) as labels:
        name = f"{labels.host}/team/app-{tmp_path.name.lower()}:1"
        async with connect(SETTINGS) as client:
            pushed = await unwrap(push(client, docker_save(archive), name))
            assert pushed.notices == of(labels.host)
            again = await unwrap(push(client, docker_save(archive), name))
            assert again.notices == Notices((), of(labels.host).quotas)
            assert client.notices.notices == of(labels.host)
            assert client.notices.quota(labels.host) == QUOTA
        async with connect(SETTINGS) as client:
            pulled = await unwrap(pull(client, name, oci_layout(tmp_path / "layout")))
            assert pulled.notices == of(labels.host)


async def test_a_copy_tells_what_both_registries_said(embedded_registry: EmbeddedRegistry, archive: Path) -> None:
    """Each under its own name."""
    async with (
        EmbeddedRegistry() as there,
        labelled(embedded_registry.host, Labels(SAID)) as source,
        labelled(there.host, Labels(SAID)) as target,
        connect(SETTINGS) as client,
    ):
        await unwrap(push(client, docker_save(archive), f"{embedded_registry.host}/team/app:1"))
        copied = await unwrap(copy(client, f"{source.host}/team/app:1", f"{target.host}/team/app:1"))
        assert {each.host for each in copied.notices.warnings} == {source.host, target.host}
        assert {each.host for each in copied.notices.quotas} == {source.host, target.host}


async def test_every_image_of_an_archive_tells(embedded_registry: EmbeddedRegistry, archive: Path) -> None:
    """Also where many are pushed at once."""
    async with labelled(embedded_registry.host, Labels(SAID)) as labels, connect(SETTINGS) as client:
        (pushed,) = await unwrap(push_all(client, docker_save(archive), labels.host))
        assert pushed.notices == of(labels.host)


async def test_what_another_registry_said_meanwhile_is_not_on_the_result(
    embedded_registry: EmbeddedRegistry, archive: Path
) -> None:
    """One client, many hosts: everybody hears of their own."""
    async with labelled(embedded_registry.host, Labels(SAID)) as loud, connect(SETTINGS) as client:
        quiet = push(client, docker_save(archive), f"{embedded_registry.host}/team/app:1")
        pushed, _ = await asyncio.gather(settle(quiet), settle(ping(client, loud.host)))
        assert isinstance(pushed, Ok)
        assert pushed.value.notices == NO_NOTICES
        assert client.notices.notices == of(loud.host)


async def test_notices_cost_no_request(embedded_registry: EmbeddedRegistry, archive: Path) -> None:
    """What is said besides is heard, and never asked for."""
    counted: list[list[tuple[str, str]]] = []
    for number, headers in enumerate(({}, SAID)):
        async with labelled(embedded_registry.host, Labels(headers)) as labels, connect(SETTINGS) as client:
            await unwrap(push(client, docker_save(archive), f"{labels.host}/team/app-{number}:1"))
            counted.append(labels.asked)
    silent, told = ([method for method, _ in each] for each in counted)
    assert sorted(silent) == sorted(told)


async def test_the_quota_of_a_refusal_is_known(embedded_registry: EmbeddedRegistry) -> None:
    """It is the answer that one wants to know it from."""
    labels = Labels({**SAID, "RateLimit-Remaining": "0;w=21600"}, statuses=[429])
    async with labelled(embedded_registry.host, labels), connect(SETTINGS, clock=InstantClock().clock) as client:
        out = await settle(ping(client, labels.host))
        assert isinstance(out, Err)
        assert out.error.reason == RateLimited()
        assert client.notices.quota(labels.host) == Quota(100, 0, 21600)


async def test_what_a_server_says_that_was_only_redirected_to_is_not_the_registrys_word() -> None:
    """Storage behind a registry has warnings and limits of its own, for others to read."""
    content = b"of the storage"

    async def storage(_asked: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=content, headers=SAID)

    async with serving(storage) as elsewhere:

        async def registry(_asked: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": f"http://{elsewhere}/blob"})

        async with serving(registry) as host, connect(SETTINGS) as client:
            assert await settle(get_blob(client, f"{host}/app", digest_of(content))) == Ok(content)
            assert client.notices.notices == NO_NOTICES


async def test_known_by_another_name_the_book_is_the_same(embedded_registry: EmbeddedRegistry) -> None:
    """Another keychain makes no other registry."""
    async with labelled(embedded_registry.host, Labels(SAID)) as labels, connect(SETTINGS) as client:
        other: Client = client.known_by(anonymous)
        await unwrap(ping(other, labels.host))
        assert client.notices.notices == of(labels.host)


def test_a_book_has_an_end() -> None:
    """A registry that has a new warning for every answer fills no memory."""
    book = NoticeBook()
    for number in range(3 * NOTICES_LIMIT):
        book.hear(f"host-{number}", QUOTA, (f"warning {number}",))
    said = book.notices
    assert (len(said.warnings), len(said.quotas)) == (NOTICES_LIMIT, NOTICES_LIMIT)
    assert said.warnings[-1] == RegistryWarning("host-2999", "warning 2999")
    assert book.quota("host-0") is None


@pytest.mark.parametrize("form", ["text", "json", "quiet"])
async def test_the_command_line_warns_once_and_not_among_the_results(
    form: str, embedded_registry: EmbeddedRegistry, archive: Path
) -> None:
    """Whoever reads the digest from a pipe gets the digest, and whoever sits before it gets the warning."""
    async with labelled(embedded_registry.host, Labels(SAID)) as labels:
        name = f"{labels.host}/team/app:1"
        pushed = await asyncio.to_thread(run, "push", str(archive), name, "-o", form, "--no-progress")
        assert pushed.code == 0, pushed.err
        assert pushed.err == f"warning: {labels.host}: {WARNING}\n"
        assert WARNING not in pushed.text
        tags = await asyncio.to_thread(run, "tags", f"{labels.host}/team/app", "-v")
        assert tags.text == "1\n"
        assert tags.err.count(f"warning: {labels.host}: {WARNING}\n") == 1
        assert f"quota: {labels.host}: 76 of 100 left in 21600 s\n" in tags.err


async def test_the_command_line_warns_also_where_it_fails(embedded_registry: EmbeddedRegistry) -> None:
    """A warning may well be the reason."""
    async with labelled(embedded_registry.host, Labels(SAID)) as labels:
        failed = await asyncio.to_thread(run, "digest", f"{labels.host}/team/none:1")
    assert failed.code == 66
    assert failed.err.startswith(f"warning: {labels.host}: {WARNING}\nerror: ")
