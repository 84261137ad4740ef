"""Every kind of registry that something is known of: what is found is what the kind is, and nothing is left there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from registry_fp import PROFILES, Client, HostSettings, RegistryProfile, Settings, Topic, Verdict, anonymous, connect
from registry_fp.protocol.profile import LocationShape
from registry_fp.testing import running_registry
from tests.doctor.ward import examined, files, found, seen, stocked
from tests.profiles.kind import kind

_ALWAYS: tuple[Topic, ...] = ("reach", "registry", "clock", "realm", "credentials", "access", "pull", "push", "tags")


def _expected(profile: RegistryProfile) -> dict[Topic, Verdict]:
    """What a doctor should find."""
    hidden = profile.absent_status != 404
    deletes: Verdict = "no" if not profile.delete else "unknown" if hidden else "yes"
    expected: dict[Topic, Verdict] = {
        **dict.fromkeys(_ALWAYS, "yes"),
        "delete": deletes,
        "delete blob": deletes,
        "catalog": _verdict(profile.catalog),
        "head": _verdict(profile.head_digest and profile.head is None),
        "referrers": _verdict(profile.referrers),
        "upload status": _verdict(profile.status),
        "chunks": _verdict(profile.accepts_chunked),
        "upload cancel": "yes",
        "traces": "yes",
    }
    if deletes == "yes":
        expected |= {
            "single put": "yes",
            "ranges": "yes",
            "mount": _verdict(profile.mount == "mounts"),
            "delete tag": _verdict(profile.tag_delete),
        }
    return expected


def _verdict(works: bool) -> Verdict:
    return "yes" if works else "no"


async def _check(root: Path, profile: RegistryProfile, client: Client) -> None:
    with running_registry(root) as plain:  # which everybody can talk to
        stocked(plain.host)
    with kind(root, profile) as there:
        before = files(root)
        diagnosis = await examined(client, f"{there.host}/team/app")
        assert seen(diagnosis) == _expected(profile)
        assert diagnosis.ills == ()
        assert files(root) == before
        assert there.registry.counts().uploads_open == 0


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
async def test_what_is_found_is_what_the_kind_is(profile: RegistryProfile, client: Client, tmp_path: Path) -> None:
    """A finding that is wrong is worse than none; and whoever asks how a registry is must not change it."""
    await _check(tmp_path / "there", profile, client)


@pytest.mark.parametrize(
    "facts",
    [
        {"head": 403},
        {"head": 404},
        {"head": 405},
        {"mount": "opens"},
        {"mount": "denied"},
        {"mount": "absent"},
        {"absent_status": 401},
        {"absent_status": 403},
        {"absent_status": 403, "head_digest": False},
        {"delete": False, "referrers": False, "head_digest": False},
        {"status": False, "accepts_chunked": False},
        {"patch_status": 204},
        {"patch_status": 201, "range_of": "chunk"},
        {"min_chunk": 200_000},
        {"cookies": True, "gzip": True},
        {"catalog": False, "api_version": False, "page_max": 1, "link": "none"},
        *({"location": shape} for shape in get_args(LocationShape)),
    ],
    ids=lambda facts: ", ".join(f"{name}={value}" for name, value in facts.items()),
)
async def test_each_fact_is_found_by_itself(facts: dict[str, Any], client: Client, tmp_path: Path) -> None:
    """What one kind has along with something else could be found for the wrong reason."""
    await _check(tmp_path / "there", replace(RegistryProfile(), **facts), client)


async def test_a_registry_that_does_not_say_how_far_it_is_leaves_that_open(client: Client, tmp_path: Path) -> None:
    """Nobody can tell whether a second piece has come to the first, and so nobody says it."""
    with kind(tmp_path / "there", range_of="none", status=False) as there:
        diagnosis = await examined(client, stocked(there.host))
    assert found(diagnosis, "chunks").verdict == "unknown"


async def test_pieces_that_are_very_large_are_not_tried(client: Client, tmp_path: Path) -> None:
    """A diagnosis costs next to nothing, whatever a registry asks for."""
    with kind(tmp_path / "there", min_chunk=5 * 1024 * 1024) as there:
        place = stocked(there.host)
        there.registry.reset_counts()
        diagnosis = await examined(client, place)
        assert there.registry.counts().blob_bytes_in <= 64
    assert "5242880" in found(diagnosis, "chunks").told


async def test_a_repository_that_is_not_there_is_not_made(client: Client, tmp_path: Path) -> None:
    """No registry has a way to remove a repository again."""
    with kind(tmp_path / "there") as there:
        stocked(there.host)
        before = files(there.root)
        diagnosis = await examined(client, f"{there.host}/team/other")
        assert files(there.root) == before
        assert there.registry.counts().uploads_open == 0
    assert "there is no" in found(diagnosis, "pull").told
    assert found(diagnosis, "traces").hint == "push something there, and ask again"
    assert (diagnosis.about("single put"), diagnosis.ills) == ((), ())


async def test_a_host_alone_is_asked_about_itself_alone(client: Client, tmp_path: Path) -> None:
    """Without a repository there is nothing to write to."""
    with kind(tmp_path / "there") as there:
        diagnosis = await examined(client, there.host)
        assert set(there.registry.counts().by_method) == {"GET"}
    assert list(seen(diagnosis)) == ["reach", "registry", "clock", "realm", "credentials", "access", "catalog"]
    assert (diagnosis.host, diagnosis.url, diagnosis.repository) == (there.host, f"http://{there.host}", None)


async def test_who_wants_nothing_written_gets_nothing_written(client: Client, tmp_path: Path) -> None:
    """A registry in production is looked at by people who may not touch it."""
    with kind(tmp_path / "there") as there:
        place = stocked(there.host)
        there.registry.reset_counts()
        diagnosis = await examined(client, place, writes=False)
        assert set(there.registry.counts().by_method) == {"GET", "HEAD"}
    assert found(diagnosis, "referrers").verdict == "yes"
    assert not set(seen(diagnosis)) & {"push", "delete", "delete blob", "chunks", "traces"}


async def test_the_kind_that_was_chosen_is_named(tmp_path: Path) -> None:
    """Whoever reads a diagnosis wants to know what this client takes the registry for."""
    with kind(tmp_path / "there") as there:
        settings = Settings(hosts={there.host: HostSettings(profile="zot")}, cache=False)
        async with connect(settings, keychain=anonymous) as client:
            diagnosis = await examined(client, there.host)
    assert diagnosis.profile == "zot"
    assert "known as zot" in found(diagnosis, "registry").told
