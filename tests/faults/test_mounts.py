"""Mounts: a blob of the repository next door, or the session that a registry opens instead."""

from __future__ import annotations

from pathlib import Path

from registry_fp import connect
from registry_fp.effect.exits import Ok
from registry_fp.testing import Answer, EmbeddedRegistry, Fault, NotStored
from tests.faults.image import settings, write_mixed
from tests.faults.outcome import check
from tests.faults.test_one_fault import pushed
from tests.transport.clocks import InstantClock


async def test_what_a_neighbour_has_lost_is_sent_in_the_session_that_the_mount_opened(tmp_path: Path) -> None:
    """A 202 to a mount is an open session: it is used, and not forgotten (distribution-spec, end-11)."""
    archive = write_mixed(tmp_path / "app.tar")
    async with connect(settings(), clock=InstantClock().clock) as client:
        async with EmbeddedRegistry(tmp_path / "one") as registry:
            port = int(registry.host.rpartition(":")[2])
            assert isinstance(await pushed(client, archive, registry), Ok)
        # The same address, and another registry: whatever was remembered of it is wrong.
        async with EmbeddedRegistry(tmp_path / "two", port=port) as registry:
            out = await pushed(client, archive, registry, "next/door")
            counts = registry.counts()
            assert (counts.by_endpoint["end-11"], counts.by_endpoint.get("end-4a", 0)) == (4, 0)
            await check(registry, "next/door", archive.saved, out)


async def test_a_mount_that_is_refused_is_an_upload(tmp_path: Path) -> None:
    """Harbor answers 401 for a project it does not know, Quay wants another scope; the bytes are here."""
    archive = write_mixed(tmp_path / "app.tar")
    for status in (400, 401, 403, 404, 405, 500):
        async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
            assert isinstance(await pushed(client, archive, registry), Ok)
            registry.set_faults(Fault(Answer(status), endpoint="end-11"))
            out = await pushed(client, archive, registry, "next/door")
            assert isinstance(out, Ok), (status, out)
            await check(registry, "next/door", archive.saved, out)


async def test_a_mount_that_did_not_happen_is_found_out(tmp_path: Path) -> None:
    """A 201 is a promise; the registry is asked whether it has the blob."""
    archive = write_mixed(tmp_path / "app.tar")
    async with EmbeddedRegistry() as registry, connect(settings(), clock=InstantClock().clock) as client:
        assert isinstance(await pushed(client, archive, registry), Ok)
        registry.set_faults(Fault(NotStored(), endpoint="end-11"))
        out = await pushed(client, archive, registry, "next/door")
        assert isinstance(out, Ok), out
        await check(registry, "next/door", archive.saved, out)
