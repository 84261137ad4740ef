"""Archives that are broken, incomplete, contradictory or hostile."""

import asyncio
import os
from errno import EACCES
from pathlib import Path
from typing import Any

import pytest

from registry_fp import (
    Client,
    Err,
    InvalidImage,
    LocalIo,
    Ok,
    Op,
    Reason,
    SeveralFailed,
    TarUnreadable,
    Unsupported,
    digest_of,
    docker_save,
    exit_code,
    explain,
    is_transient,
    list_repositories,
    push,
    push_all,
    settle,
    unwrap,
    validate,
)
from registry_fp.testing import EmbeddedRegistry, write_docker_save
from tests.acceptance.images import small
from tests.acceptance.reader import Reader, read_archive
from tests.input.corpus import GOOD, READ, SEEN, Bad


@pytest.mark.parametrize("name", [*SEEN, *READ])
async def test_a_bad_archive_is_refused_by_name_and_leaves_nothing_behind(
    name: str, registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """Whoever pushes learns what is wrong and what to do; the registry stays as it was, and mostly hears nothing."""
    bad = SEEN.get(name) or READ[name]
    path = tmp_path / "app.tar"
    bad.write(path)
    if name == "a path through a file":
        path.touch()
        path /= "app.tar"
    source = docker_save(path)
    await _refused(push(client, source, f"{registry.host}/team/app:1.0"), bad)
    await _refused(push_all(client, source, registry.host), bad)
    await _refused(validate(source), bad)
    if name in SEEN:
        assert registry.requests == ()


@pytest.mark.parametrize("name", READ)
async def test_a_client_goes_on_after_a_bad_archive(
    name: str, embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """One bad image among many must not spoil, or hold up, the good ones that share its layers."""
    good, damaged, target = tmp_path / "good.tar", tmp_path / "bad.tar", f"{embedded_registry.host}/app:1.0"
    good.write_bytes(bytes(GOOD))
    READ[name].write(damaged)
    await _refused(push(client, docker_save(damaged), target), READ[name])
    pushes = [push(client, docker_save(each), target) for each in (damaged, good, damaged)]
    outcomes = await asyncio.gather(*(settle(each) for each in pushes))
    # A damaged layer that the registry has in full need not be read; what is stored is true all the same.
    assert isinstance(outcomes[1], Ok)
    Reader(embedded_registry.host).prove("app", "1.0", read_archive(good)[0])
    assert embedded_registry.counts().uploads_open == 0


async def test_what_can_be_pushed_of_many_is_pushed_and_the_rest_is_named(
    embedded_registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """One damaged image in the archive of a whole machine must not keep the others from moving."""
    archive = tmp_path / "machine.tar"
    written = write_docker_save(archive, small("one:1"), small("two:1", text="2"), small("three:1", text="3"))
    raw, damaged = archive.read_bytes(), written.images[1].layers[0]
    at = raw.index(damaged) + 600
    archive.write_bytes(raw[:at] + b"!" + raw[at + 1 :])
    out = await settle(push_all(client, docker_save(archive), f"{embedded_registry.host}/many"))
    assert isinstance(out, Err)
    reason = out.error.reason
    assert isinstance(reason, SeveralFailed)
    assert (len(reason.errors), reason.total, exit_code(out.error)) == (1, 3, 1)
    assert "diff_id mismatch" in explain(reason.errors[0])
    held = set(await unwrap(list_repositories(client, embedded_registry.host)))
    assert {name for name in held if name.startswith("many/")} == {"many/library/one", "many/library/three"}


@pytest.mark.parametrize("choice", [None, "app:3.0", 7, -1, "sha256:0000", "", "not a name"])
async def test_an_image_that_is_not_chosen_is_not_guessed(
    choice: str | int | None, registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """The error lists what there is to choose from."""
    archive = tmp_path / "release.tar"
    write_docker_save(archive, small("app:1.0"), small("app:2.0", text="two"))
    out = await settle(push(client, docker_save(archive, image=choice), f"{registry.host}/app:1.0"))
    assert isinstance(out, Err)
    reason = out.error.reason
    assert isinstance(reason, InvalidImage)
    assert reason.kind == ("several images" if choice is None else "no such image")
    assert {"0: app:1.0", "1: app:2.0"} <= set(
        reason.detail.replace("there are these: ", "; ").replace(", ", "; ").split("; ")
    )
    assert (exit_code(out.error), registry.requests) == (65, ())


async def test_an_image_without_a_name_needs_one(registry: EmbeddedRegistry, client: Client, tmp_path: Path) -> None:
    """`docker save IMAGE-ID` keeps no tag: it can be pushed to a name, and to no other way."""
    archive = tmp_path / "nameless.tar"
    archive.write_bytes(bytes(GOOD.but(tags=None)))
    out = await settle(push_all(client, docker_save(archive), registry.host))
    assert isinstance(out, Err)
    assert out.error.reason == InvalidImage("no tags", f"sha256:{digest_of(GOOD.raw_config).short}")
    assert (exit_code(out.error), registry.requests) == (65, ())


async def test_two_images_are_not_pushed_under_one_name(
    registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """The hosts are left out of the new names; the second image would silently take the place of the first."""
    archive = tmp_path / "machine.tar"
    write_docker_save(archive, small("ghcr.io/team/app:1.0"), small("other:1"), small("quay.io/team/app:1.0", text="2"))
    out = await settle(push_all(client, docker_save(archive), registry.host))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, InvalidImage)
    assert (out.error.reason.kind, out.error.reason.member) == ("bad tag", "quay.io/team/app:1.0")
    assert "ghcr.io/team/app:1.0" in explain(out.error)
    assert (exit_code(out.error), registry.requests) == (65, ())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_an_archive_that_may_not_be_read_is_left_alone(
    registry: EmbeddedRegistry, client: Client, tmp_path: Path
) -> None:
    """The operating system's word, with the path."""
    archive = tmp_path / "app.tar"
    archive.write_bytes(bytes(GOOD))
    archive.chmod(0)
    await _refused(
        push(client, docker_save(archive), f"{registry.host}/app:1.0"), Bad(bytes, LocalIo(EACCES, str(archive)), 74)
    )
    assert registry.requests == ()


async def _refused(verb: Op[Any], bad: Bad) -> None:
    out = await settle(verb)
    assert isinstance(out, Err), out
    error = out.error
    assert _kind(error.reason, bad.reason) == _kind(bad.reason, bad.reason), error
    assert (exit_code(error), is_transient(error), error.attempts) == (bad.code, False, 1)
    line, hint = explain(error).split("\n")
    assert (line.isprintable(), len(line) < 600) == (True, True)
    assert hint.startswith("hint: ")


def _kind(reason: Reason, like: Reason) -> tuple[object, ...]:
    """What a program would decide by, and the member where it is pinned."""
    match reason, like:
        case TarUnreadable(kind=kind), _:
            return (TarUnreadable, kind)
        case InvalidImage(kind=kind, member=member), InvalidImage(member=pinned):
            return (InvalidImage, kind, pinned and member)
        case LocalIo(errno=number), _:
            return (LocalIo, number)
        case Unsupported(), _:
            return (Unsupported,)
        case _:
            return (reason,)
