"""Conversions, edits and detachments of what a hostile registry shows: refused before anything is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from registry_fp import (
    Client,
    DigestMismatch,
    ImageEdit,
    IndexEdit,
    LimitExceeded,
    MalformedDocument,
    MediaTypeMismatch,
    SizeMismatch,
    connect,
    convert,
    detach,
    edit_image,
    edit_index,
    settle,
)
from registry_fp.domain.errors import BadReference, Conflict
from registry_fp.effect.exits import Err
from registry_fp.effect.operation import Op
from registry_fp.pipelines.fallback import ROUNDS_LIMIT
from registry_fp.testing import EmbeddedRegistry
from tests.attacks.hostile import INDEX, Answering, Said, honest, hostile
from tests.copy import made
from tests.copy.made import Made
from tests.faults.image import settings
from tests.transport.clocks import InstantClock

AMD, ARM = (made.image(made.layer(name), platform=name) for name in ("linux/amd64", "linux/arm64"))
OTHER = made.image(made.layer("other"), platform="linux/amd64")
MANY = made.index(AMD, ARM)

WORK: dict[str, Callable[[Client, str, str], Op[Any]]] = {
    "convert": lambda client, name, goal: convert(client, name, goal, to="docker"),
    "edit": lambda client, name, goal: edit_image(client, name, goal, ImageEdit(env={"A": "b"})),
    "index edit": lambda client, name, goal: edit_index(client, name, goal, IndexEdit(annotations={"a": "b"})),
}


def _listing(*entries: dict[str, Any]) -> Made:
    """An index of exactly these entries."""
    return Made(INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)}).encode())


def _instead(answering: Answering, digest: str, **said: Any) -> Answering:
    """Something else is said wherever this digest is asked for."""
    return lambda method, path: Said(**said) if path.endswith(digest) else answering(method, path)


def _config(image: Made) -> str:
    digest: str = json.loads(image.raw)["config"]["digest"]
    return digest


def _sized(image: Made, size: int) -> Made:
    """The image, whose configuration is said to be so large."""
    document = json.loads(image.raw)
    document["config"]["size"] = size
    return Made(image.media_type, json.dumps(document).encode(), image.blobs, (), image.platform)


_PRETENDING = {"Content-Type": AMD.media_type, "Docker-Content-Digest": AMD.digest}
_HUGE = _listing(*({**OTHER.descriptor(), "size": 2**40, "digest": f"sha256:{n:064x}"} for n in range(3)))
LIES: dict[str, tuple[Answering, type]] = {
    "another image under the digest": (
        _instead(honest(MANY), AMD.digest, body=OTHER.raw, headers=_PRETENDING),
        DigestMismatch,
    ),
    "another index under the tag": (
        _instead(honest(MANY), "/1.0", body=MANY.raw, headers={**_PRETENDING, "Content-Type": INDEX}),
        DigestMismatch,
    ),
    "an index where an image was promised": (
        honest(
            _listing({**MANY.descriptor(), "mediaType": AMD.media_type, "platform": {"os": "a", "architecture": "b"}}),
            MANY,
        ),
        MediaTypeMismatch,
    ),
    "an image of another size than was promised": (
        honest(_listing({**AMD.descriptor(), "size": len(AMD.raw) - 1}), AMD),
        SizeMismatch,
    ),
    "images of a tebibyte": (honest(_HUGE), LimitExceeded),
}


@pytest.mark.parametrize("work", ["convert", "edit"])
@pytest.mark.parametrize("lie", LIES)
async def test_what_is_not_what_it_is_called_becomes_nothing(work: str, lie: str) -> None:
    """A rewritten image has a digest of its own, so nobody could tell afterwards what it was made of."""
    answering, kind = LIES[lie]
    await _refused(work, answering, kind)


async def _refused(work: str, answering: Answering, kind: type) -> None:
    async with (
        hostile(answering) as registry,
        EmbeddedRegistry() as target,
        connect(settings(), clock=InstantClock().clock) as client,
    ):
        out = await settle(WORK[work](client, f"{registry.host}/app:1.0", f"{target.host}/goal:1.0"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, kind)
        counts = target.counts()
        assert set(counts.by_method) <= {"GET", "HEAD"}
        assert registry.writes == []
        assert len(registry.asked) <= 20


async def test_an_index_that_is_edited_is_the_one_that_was_named() -> None:
    """Its entries stay as they are, so that it is the index itself that must be proven."""
    await _refused("index edit", *LIES["another index under the tag"])


@pytest.mark.parametrize(
    ("answering", "kind"),
    [
        (_instead(honest(AMD), _config(AMD), body=b" " * len(AMD.blobs[_config(AMD)])), DigestMismatch),
        (_instead(honest(AMD), _config(AMD), body=b"{}"), SizeMismatch),
        (honest(_sized(AMD, 2**40)), LimitExceeded),
    ],
    ids=["of another content", "too short", "of a tebibyte"],
)
async def test_a_configuration_that_is_not_the_image_s_is_not_edited(answering: Answering, kind: type) -> None:
    """It says what runs."""
    await _refused("edit", answering, kind)


ABOUT = made.artifact(AMD, "application/x-signature", b"signed")
_TAG = AMD.digest.replace(":", "-")
_KEPT = _listing(ABOUT.descriptor(artifactType="application/x-signature"))
_ATTACHED: Answering = honest(ABOUT, AMD)
DETACHED: dict[str, tuple[Answering, type]] = {
    "another manifest under the digest": (
        _instead(_ATTACHED, ABOUT.digest, body=OTHER.raw, headers={"Content-Type": OTHER.media_type}),
        DigestMismatch,
    ),
    "a list that is an image": (
        _instead(_ATTACHED, _TAG, body=AMD.raw, headers={"Content-Type": AMD.media_type}),
        MalformedDocument,
    ),
    "a list of another digest than is said": (
        _instead(_ATTACHED, _TAG, body=_KEPT.raw, headers={**_PRETENDING, "Content-Type": INDEX}),
        DigestMismatch,
    ),
    "a list that is no JSON": (
        _instead(_ATTACHED, _TAG, body=b"{" * 10_000, headers={"Content-Type": INDEX}),
        MalformedDocument,
    ),
}


@pytest.mark.parametrize("lie", DETACHED)
async def test_nothing_is_detached_by_what_is_not_proven(lie: str) -> None:
    """What is deleted is gone: the list of everybody's attachments, or a manifest that was never meant."""
    answering, kind = DETACHED[lie]
    async with hostile(answering) as registry, connect(settings(), clock=InstantClock().clock) as client:
        out = await settle(detach(client, f"{registry.host}/app@{ABOUT.digest}"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, kind)
        assert registry.writes == []


async def test_an_image_is_not_detached() -> None:
    """It is attached to nothing, whoever lists it."""
    async with hostile(_ATTACHED) as registry, connect(settings(), clock=InstantClock().clock) as client:
        out = await settle(detach(client, f"{registry.host}/app@{AMD.digest}"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, BadReference)
        assert registry.writes == []


async def test_a_list_that_cannot_be_changed_is_left_after_a_while() -> None:
    """The registry thanks for every new list, and shows the old one for ever."""

    def answer(method: str, path: str) -> Said | None:
        if method == "PUT":
            return Said(201)
        if method == "DELETE":
            return Said(202)
        if path.endswith(_TAG):
            return Said(200, _KEPT.raw, {"Content-Type": INDEX, "Docker-Content-Digest": _KEPT.digest})
        return _ATTACHED(method, path)

    async with hostile(answer) as registry, connect(settings(), clock=InstantClock().clock) as client:
        out = await settle(detach(client, f"{registry.host}/app@{ABOUT.digest}"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, Conflict)
        assert len(registry.asked) <= 4 * (ROUNDS_LIMIT + 2)
