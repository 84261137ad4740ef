"""Where content is read from: mirrors in their order, then the registry; and everything else from the registry."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry_fp import (
    Client,
    ImageEdit,
    Op,
    copy,
    edit_image,
    get_manifest,
    has_blob,
    head_manifest,
    list_referrers,
    list_repositories,
    list_tags,
    oci_layout,
    ping,
    plan_delete,
    pull,
    settle,
    tag,
    unwrap,
)
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err
from registry_fp.testing import Answer, Drop, Fault, running_registry
from registry_fp.testing.faults import Action
from registry_fp.transport.host_settings import HostSettings
from registry_fp.transport.mirror import REST_SECONDS
from tests.copy.made import check, index
from tests.mirrors.conftest import IMAGE, OLD, PATH, Connecting, Places, fill, opened
from tests.mirrors.recorder import recording
from tests.pull.reading import files_of
from tests.real.certificates import Authority
from tests.transport.chaos import Visit, chaos
from tests.transport.clocks import InstantClock

BLOB = next(iter(IMAGE.blobs))


def holds_image(path: Path) -> bool:
    """Whether a layout has every byte of the image."""
    files = files_of(path)
    return all(files[f"blobs/{digest.replace(':', '/')}"] == content for digest, content in IMAGE.blobs.items())


async def test_content_is_read_from_the_first_mirror(places: Places, connecting: Connecting, tmp_path: Path) -> None:
    """That is what a mirror is for: the registry hears nothing of it, and counts nothing against its limits."""
    async with connecting() as client:
        await unwrap(pull(client, places.name, oci_layout(tmp_path / "app")))
    assert holds_image(tmp_path / "app")
    assert places.asked() == {"origin": 0, "first": 1 + len(IMAGE.blobs), "second": 0}


async def test_a_mirror_is_told_what_it_stands_for_and_the_registry_is_not(places: Places, clock: InstantClock) -> None:
    """A cache of several registries cannot tell them apart else; and a registry need not know the parameter (`ns`)."""
    async with recording(places.origin.host) as origin, recording(places.first.host) as mirror:
        places.first.set_faults(Fault(Answer(404), endpoint="end-2"))
        chosen = {origin.host: HostSettings(mirrors=(mirror.host,))}
        async with opened(clock, chosen) as client:
            await unwrap(copy(client, f"{origin.host}/{PATH}:1", f"{places.second.host}/copied:1"))
        assert {said.ns for said in mirror.requests} == {origin.host}
        assert {said.path for said in mirror.requests} >= {f"/v2/{PATH}/manifests/1", f"/v2/{PATH}/blobs/{BLOB}"}
        assert {said.ns for said in origin.requests} == {None}
        assert len(origin.requests) == len(IMAGE.blobs)
    await asyncio.to_thread(check, places.second.host, "copied", IMAGE, "1")


async def test_a_path_stands_before_the_repository(places: Places, connecting: Connecting, tmp_path: Path) -> None:
    """Harbor, Artifactory and the caches of clouds are a part of a registry, and not a host of their own."""
    fill(places.first, IMAGE, f"hub/cache/{PATH}")
    places.first.set_faults(Fault(Answer(404), path=f"^/v2/{PATH}/"))
    async with connecting(f"{places.first.host}/hub/cache/") as client:
        await unwrap(pull(client, places.name, oci_layout(tmp_path / "app")))
    assert holds_image(tmp_path / "app")
    assert places.asked()["origin"] == 0


FAILURES: dict[str, Action] = {
    "has it not": Answer(404),
    "wants a login": Answer(401, {"WWW-Authenticate": "Basic"}),
    "wants a token of nobody's": Answer(401, {"WWW-Authenticate": 'Bearer realm="http://127.0.0.1:1/token"'}),
    "lets nobody in": Answer(403),
    "is broken": Answer(500),
    "is away": Answer(503, {"Retry-After": "3600"}),
    "has had enough": Answer(429, {"Retry-After": "30"}),
    "hangs up": Drop(),
    "is a web page": Answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>log in</html>"),
    "leads nowhere": Answer(307, {"Location": "http://127.0.0.1:1/elsewhere"}),
    "leads in a circle": Answer(307, {"Location": "/v2/"}),
    "answers with nothing": Answer(204),
    "answers with something else": Answer(200, {"Content-Type": "application/json"}, b"{}"),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_a_mirror_that_fails_is_passed_over(
    places: Places, connecting: Connecting, clock: InstantClock, tmp_path: Path, case: str
) -> None:
    """In whichever way, at once, and without a word to the registry: the next one in the order is asked."""
    places.first.set_faults(Fault(FAILURES[case]))
    async with connecting() as client:
        await unwrap(pull(client, places.name, oci_layout(tmp_path / "app")))
    assert holds_image(tmp_path / "app")
    assert places.asked()["origin"] == 0
    assert places.asked()["second"] == 1 + len(IMAGE.blobs)
    assert clock.waits == [] or case == "wants a token of nobody's"  # whose server may be back in a moment


@pytest.mark.parametrize("case", FAILURES)
async def test_the_registry_is_asked_where_no_mirror_helps(
    places: Places, connecting: Connecting, tmp_path: Path, case: str
) -> None:
    """With mirrors that all fail everything is as it is without them."""
    for each in (places.first, places.second):
        each.set_faults(Fault(FAILURES[case]))
    async with connecting() as client:
        await unwrap(pull(client, places.name, oci_layout(tmp_path / "app")))
        await unwrap(pull(client, f"{places.repository}@{IMAGE.digest}", oci_layout(tmp_path / "again")))
    assert holds_image(tmp_path / "app")
    assert holds_image(tmp_path / "again")


async def test_where_nobody_has_it_the_registry_says_so(places: Places, connecting: Connecting) -> None:
    """Whatever a mirror said, the registry's word is the one that counts."""
    places.first.set_faults(Fault(Answer(403)))
    async with connecting() as client:
        out = await settle(get_manifest(client, f"{places.repository}:2"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.NotFound)
    assert out.error.target == f"{places.repository}:2"


async def test_a_registry_that_is_away_is_not_missed(places: Places, clock: InstantClock, tmp_path: Path) -> None:
    """What has been pulled once is in the cache, and that is enough."""
    closed = "127.0.0.1:1"
    async with opened(clock, {closed: HostSettings(mirrors=(places.first.host,))}) as client:
        await unwrap(pull(client, f"{closed}/{PATH}:1", oci_layout(tmp_path / "app")))
    assert holds_image(tmp_path / "app")


async def test_a_mirror_that_cannot_be_reached_rests(
    places: Places, connecting: Connecting, clock: InstantClock
) -> None:
    """Every blob would else wait until the connection is given up, which can take ten seconds each time."""

    async def away(visit: Visit) -> None:
        await visit.hear()
        visit.reset()

    async with chaos(away) as dead, connecting(dead.host, places.second.host) as client:
        for _ in range(3):
            await unwrap(get_manifest(client, places.name))
        assert dead.visits == 1
        clock.passed += REST_SECONDS
        for _ in range(3):
            await unwrap(get_manifest(client, places.name))
        assert dead.visits == 2
    assert places.asked() == {"origin": 0, "first": 0, "second": 6}


async def test_a_mirror_that_asks_for_a_pause_gets_it(
    places: Places, connecting: Connecting, clock: InstantClock
) -> None:
    """Nobody waits for it meanwhile: there are other places."""
    places.first.set_faults(Fault(Answer(429, {"Retry-After": "100"})))
    async with connecting() as client:
        for passed in (0, 99, 1):
            clock.passed += passed
            await unwrap(get_manifest(client, places.name))
    assert places.asked() == {"origin": 0, "first": 2, "second": 3}


async def test_a_mirror_that_has_not_one_thing_is_asked_for_the_next(places: Places, connecting: Connecting) -> None:
    """A cache that lacks an image, or denies one, is no worse for others."""
    places.first.set_faults(Fault(Answer(404), nth=(1,)))
    async with connecting() as client:
        await unwrap(get_manifest(client, places.name))
        await unwrap(get_manifest(client, places.name))
    assert places.asked() == {"origin": 0, "first": 2, "second": 1}


ABOUT: dict[str, Callable[[Client, Places], Op[Any]]] = {
    "ping": lambda client, places: ping(client, places.origin.host),
    "repositories": lambda client, places: list_repositories(client, places.origin.host),
    "tags": lambda client, places: list_tags(client, places.repository),
    "referrers": lambda client, places: list_referrers(client, places.name),
    "head": lambda client, places: head_manifest(client, places.name),
    "blob": lambda client, places: has_blob(client, places.repository, BLOB),
    "tagging": lambda client, places: tag(client, places.name, "2"),
    "planning": lambda client, places: plan_delete(client, places.name),
    "copying there": lambda client, places: copy(client, f"{places.second.host}/{PATH}:1", f"{places.origin.host}/b:1"),
}


@pytest.mark.parametrize("case", ABOUT)
async def test_what_is_asked_about_the_registry_is_asked_of_it(
    places: Places, connecting: Connecting, case: str
) -> None:
    """A cache does not know what the registry has now; and what is written to a cache is lost."""
    async with connecting(places.first.host) as client:
        await unwrap(ABOUT[case](client, places))
    assert places.asked()["first"] == 0
    assert places.asked()["origin"] > 0


async def test_what_a_registry_holds_is_not_believed_of_its_mirror(places: Places, connecting: Connecting) -> None:
    """Whether something is there already is a question about the registry, through every level of an index."""
    whole = index(index(IMAGE), OLD)
    for each in (places.first, places.second):
        fill(each, whole)
    async with connecting(places.first.host) as client:
        for _ in range(2):
            await unwrap(copy(client, f"{places.second.host}/{PATH}:1", f"{places.origin.host}/{PATH}:1"))
    assert places.asked()["first"] == 0
    check(places.origin.host, PATH, whole, "1")


@pytest.mark.parametrize("verb", ["tag", "edit"])
async def test_what_is_to_be_changed_is_not_read_from_a_mirror(
    places: Places, connecting: Connecting, verb: str
) -> None:
    """A cache may be behind: a change of what was would undo what somebody else has changed."""
    fill(places.first, OLD)
    async with connecting(places.first.host) as client:
        assert str((await unwrap(get_manifest(client, places.name))).digest) == OLD.digest
        if verb == "tag":
            assert str((await unwrap(tag(client, places.name, "2"))).digest) == IMAGE.digest
        else:
            edit = ImageEdit(labels={"a": "b"})
            done = await unwrap(edit_image(client, places.name, places.name, edit))
            assert str(done.source and done.source.digest) == IMAGE.digest
    assert places.second.requests == ()


async def test_what_is_chosen_for_the_host_of_a_mirror_holds_for_it(tmp_path: Path, clock: InstantClock) -> None:
    """A mirror within a company has the company's certificate, whatever the registry has."""
    authority = Authority(tmp_path / "authority")
    pair = authority.issue("mirror", "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.cert, pair.key)
    with running_registry() as origin, running_registry(tmp_path / "kept") as filled:
        for each in (origin, filled):
            fill(each, IMAGE)
        with running_registry(tmp_path / "kept", tls=tls) as mirror:
            hosts = {origin.host: HostSettings(mirrors=(mirror.host,)), mirror.host: HostSettings(ca=authority.ca)}
            async with opened(clock, hosts) as client:
                await unwrap(pull(client, f"{origin.host}/{PATH}:1", oci_layout(tmp_path / "app")))
            assert origin.counts().requests == 0
            wrong = {**hosts, mirror.host: HostSettings(ca=authority.issue("other", "x.example").cert)}
            async with opened(clock, wrong) as client:
                await unwrap(get_manifest(client, f"{origin.host}/{PATH}:1"))
            assert origin.counts().requests == 1
            missing = {**hosts, mirror.host: HostSettings(ca=tmp_path / "missing")}
            async with opened(clock, missing) as client:
                out = await settle(get_manifest(client, f"{origin.host}/{PATH}:1"))
    assert holds_image(tmp_path / "app")
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, why.Misconfigured)
