"""Loops: whatever leads back to itself, or on and on, comes to an end, and soon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from registry_fp import Client, CopyOptions, LimitExceeded, connect, copy, inspect, list_files, settle, tree, unwrap
from registry_fp.domain.errors import PolicyRefused
from registry_fp.effect.exits import Err
from registry_fp.effect.operation import Op
from registry_fp.testing import EmbeddedRegistry
from tests.attacks.hostile import INDEX, Answering, Said, honest, hostile
from tests.copy import made
from tests.copy.made import Made
from tests.faults.image import settings
from tests.transport.clocks import InstantClock

IMAGE = made.image(made.layer("a"), platform="linux/amd64")

READS: dict[str, Callable[[Client, str, str], Op[Any]]] = {
    "tree": lambda client, name, _: tree(client, name),
    "inspect": lambda client, name, _: inspect(client, name),
    "ls": lambda client, name, _: list_files(client, name),
    "copy": lambda client, name, goal: copy(client, name, goal, options=CopyOptions(referrers=True)),
}


def _away(answering: Answering, kind: str) -> Answering:
    """Redirects of one kind of thing, back and forth between two names for it, and never to it."""

    def answer(method: str, path: str) -> Said | None:
        if f"/{kind}/" not in path:
            return answering(method, path)
        return Said(307, b"", {"Location": path[:-5] if path.endswith("?back") else f"{path}?back"})

    return answer


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("kind", ["manifests", "blobs", "referrers"])
async def test_redirects_that_lead_in_a_circle_are_left(read: str, kind: str) -> None:
    """Each is followed a few times, and none of it is tried again."""
    async with (
        hostile(_away(honest(IMAGE), kind)) as registry,
        EmbeddedRegistry() as target,
        connect(settings(), clock=InstantClock().clock) as client,
    ):
        out = await settle(READS[read](client, f"{registry.host}/app:1.0", f"{target.host}/goal:1.0"))
        if any(f"/{kind}/" in path for _, path in registry.asked):
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, PolicyRefused)
        assert len(registry.asked) <= 40
        assert target.counts().uploads_open == 0


def _referrer(subject: Made, number: int) -> Made:
    return made.artifact(subject, f"application/x-{number}", b"content %d" % number)


def _listing(*referrers: Made) -> Said:
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [each.descriptor() for each in referrers]}
    return Said(200, json.dumps(document).encode(), {"Content-Type": INDEX})


def _endless(root: Made) -> Answering:
    """A registry in which something refers to everything; it is made when it is asked for."""
    known = {root.digest: root}
    everything = [root]

    def answer(method: str, path: str) -> Said | None:
        if "/referrers/" in path:
            subject = known[path.rpartition("/")[2]]
            one = _referrer(subject, len(known))
            known[one.digest] = one
            everything.append(one)
            return _listing(one)
        return honest(*everything)(method, path)

    return answer


async def test_referrers_of_referrers_without_end_are_refused() -> None:
    """Each of them is sound, and a signature of a signature of a signature is not what anybody has."""
    async with (
        hostile(_endless(IMAGE)) as registry,
        EmbeddedRegistry() as target,
        connect(settings(), clock=InstantClock().clock) as client,
    ):
        name = f"{registry.host}/app:1.0"
        options = CopyOptions(referrers=True)
        for read in (tree(client, name), copy(client, name, f"{target.host}/goal:1.0", options=options)):
            registry.asked.clear()
            out = await settle(read)
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, LimitExceeded)
            assert len(registry.asked) <= 120
        assert target.counts().uploads_open == 0


async def test_an_image_that_is_said_to_refer_to_itself_is_there_once() -> None:
    """And so is what is said to refer to what refers to it: a digest cannot lie about its subject, a list can."""
    one = _referrer(IMAGE, 1)
    stranger = _referrer(one, 2)
    lists = {IMAGE.digest: _listing(IMAGE, one, one, stranger), one.digest: _listing(IMAGE, one)}

    def answer(method: str, path: str) -> Said | None:
        if "/referrers/" in path:
            return lists.get(path.rpartition("/")[2], _listing())
        return honest(IMAGE, one, stranger)(method, path)

    async with (
        hostile(answer) as registry,
        EmbeddedRegistry() as target,
        connect(settings(), clock=InstantClock().clock) as client,
    ):
        name = f"{registry.host}/app:1.0"
        found = (await unwrap(tree(client, name))).root
        assert [str(each.descriptor.digest) for each in found.referrers] == [one.digest]
        assert [each.referrers for each in found.referrers] == [()]
        options = CopyOptions(referrers=True)
        copied = await unwrap(copy(client, name, f"{target.host}/goal:1.0", options=options))
        assert [str(each.digest) for each in copied.referrers] == [one.digest]
        await asyncio.to_thread(made.check, target.host, "goal", one)
        assert len(registry.asked) <= 40


async def test_indexes_within_each_other_come_to_an_end() -> None:
    """Twenty levels of one entry each: nothing is stored of what nobody looked through."""
    nested = IMAGE
    for _ in range(20):
        nested = made.index(nested)
    async with (
        hostile(honest(nested)) as registry,
        EmbeddedRegistry() as target,
        connect(settings(), clock=InstantClock().clock) as client,
    ):
        name = f"{registry.host}/app:1.0"
        for read in (tree(client, name, referrers=False), copy(client, name, f"{target.host}/goal:1.0")):
            out = await settle(read)
            assert isinstance(out, Err)
            assert isinstance(out.error.reason, LimitExceeded)
        assert target.counts().manifest_bytes_in == 0
        assert len(registry.asked) <= 60
