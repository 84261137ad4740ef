"""Archives that lie, and archives that change: nothing is committed, nothing tagged, nothing left open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from registry_fp import BlobMoved, Event, PushOptions, Settings, connect, docker_save, push
from registry_fp.domain import errors as why
from registry_fp.effect.exits import Err, Ok, settle
from registry_fp.testing import Answer, EmbeddedRegistry, Fault
from registry_fp.testing.sample_archive import sample_image, sample_layer, write_docker_save
from tests.faults.image import settings, write_mixed
from tests.faults.outcome import TAG, Outcome, check
from tests.transport.clocks import InstantClock


def untouched(registry: EmbeddedRegistry) -> None:
    """No blob was committed, no manifest sent, and every session given up."""
    counts = registry.counts()
    assert (counts.by_endpoint.get("end-6", 0), counts.by_endpoint.get("end-7a", 0), counts.uploads_open) == (0, 0, 0)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("spoil", [{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 1, 2}], ids=str)
async def test_a_layer_that_is_not_its_diff_ids_keeps_all_others_out(
    tmp_path: Path, spoil: set[int], concurrency: int
) -> None:
    """Whoever pulls it would run something else than what the configuration says; also if it is compressed already."""
    archive = write_mixed(tmp_path / "app.tar", spoil=frozenset(spoil))
    async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
        options = PushOptions(concurrency=concurrency)
        out = await settle(push(client, docker_save(archive.path), f"{registry.host}/app:{TAG}", options=options))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.InvalidImage)
        assert (out.error.reason.kind, out.error.attempts) == ("diff_id mismatch", 1)
        assert out.error.reason.member in {f"{n}/layer.tar" for n in spoil}
        untouched(registry)


@pytest.mark.parametrize("spoil", [{0}, {1}, {2}], ids=str)
async def test_a_lie_about_a_layer_that_is_there_already_changes_no_image(tmp_path: Path, spoil: set[int]) -> None:
    """What was learnt from a good archive must not vouch for a bad one: the right image comes of it, or none."""
    good = write_mixed(tmp_path / "good.tar")
    bad = write_mixed(tmp_path / "bad.tar", spoil=frozenset(spoil))
    async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
        assert isinstance(await settle(push(client, docker_save(good.path), f"{registry.host}/app:good")), Ok)
        out: Outcome = await settle(push(client, docker_save(bad.path), f"{registry.host}/app:{TAG}"))
        await check(registry, "app", good.saved, out)


async def test_an_acknowledgement_before_the_end_of_a_layer_is_none(tmp_path: Path) -> None:
    """A registry, or a proxy before it, that says yes without reading has not got the layer; nor has it been proven."""
    large = sample_image("app:1.0", layers=[sample_layer({"usr/lib/large": os.urandom(24 * 1024 * 1024)})])
    write_docker_save(tmp_path / "app.tar", large)
    async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
        registry.set_faults(Fault(Answer(202), method="PATCH"))
        options = PushOptions(compression="none")
        source = docker_save(tmp_path / "app.tar")
        out = await settle(push(client, source, f"{registry.host}/app:{TAG}", options=options))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.ProtocolViolation)
        untouched(registry)


def _truncate(path: Path) -> None:
    os.truncate(path, 60_000)


def _rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(120_000)
        file.write(os.urandom(60_000))


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(10_240))


CHANGES: dict[str, Callable[[Path], object]] = {
    "truncated": _truncate,
    "rewritten": _rewrite,
    "replaced": _replace,
    "grown": _grow,
    "deleted": Path.unlink,
    "touched": Path.touch,
}


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("small_blob", [16 * 1024, 1024 * 1024], ids=["streamed", "held"])
@pytest.mark.parametrize("change", CHANGES)
async def test_an_archive_that_changes_while_it_is_pushed_is_said_to(
    tmp_path: Path, change: str, small_blob: int, concurrency: int
) -> None:
    """A build that writes its archive again is no broken image, and half of each must never become one."""
    archive = write_mixed(tmp_path / "app.tar")
    os.utime(archive.path, (1_000_000_000, 1_000_000_000))
    changed: list[str] = []

    def watch(event: Event) -> None:
        if not changed and (isinstance(event, BlobMoved) or small_blob > 16 * 1024):
            changed.append(change)
            CHANGES[change](archive.path)

    chosen: Settings = settings(small_blob=small_blob)
    async with EmbeddedRegistry() as registry, connect(chosen, clock=InstantClock().clock) as client:
        options = PushOptions(concurrency=concurrency, on_event=watch)
        out = await settle(push(client, docker_save(archive.path), f"{registry.host}/app:{TAG}", options=options))
        assert changed == [change]
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, why.SourceChanged)
        untouched(registry)
