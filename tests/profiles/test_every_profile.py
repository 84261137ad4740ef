"""Every kind of registry that something is known of: what people do with a registry works, with no option set."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from registry_fp import (
    Client,
    Err,
    HostSettings,
    Refused,
    Settings,
    TagNotDeletable,
    anonymous,
    connect,
    copy,
    delete,
    docker_save,
    list_tags,
    oci_layout,
    pull,
    push,
    settle,
    tag,
    unwrap,
)
from registry_fp.protocol.profile import PROFILES, RegistryProfile
from registry_fp.testing import Manners, running_registry
from tests.acceptance.reader import read_archive
from tests.copy import made
from tests.profiles.journey import proven
from tests.profiles.kind import LIMIT, Kind, kind, saved_image, small

MEBIBYTE = 1024 * 1024

MANNERS: Mapping[str, Manners] = {
    "docker-hub": Manners({"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "99;w=21600"}),
    "ghcr": Manners(error_body=b"denied\n", error_type="text/plain"),
    "harbor": Manners(error_body=b'{"errors": [{"code": "UNKNOWN", "message": "not found"}]}'),
    "nexus": Manners(error_body=b"<html><body>Nexus</body></html>", error_type="text/html"),
    "artifactory": Manners(error_body=b'{"errors": [{"status": 403, "message": "Forbidden"}]}'),
    "quay": Manners({"Warning": '299 - "this registry is read by many"'}),
}
"""What else is seen of some of them."""


@pytest.fixture(params=PROFILES, ids=lambda profile: profile.name)
def profile(request: pytest.FixtureRequest) -> RegistryProfile:
    """One kind of registry, with limits that a small image meets."""
    chosen: RegistryProfile = request.param
    return small(chosen)


@pytest.fixture
def there(profile: RegistryProfile, tmp_path: Path) -> Iterator[Kind]:
    """A registry of this kind."""
    with kind(tmp_path / "there", profile, MANNERS.get(profile.name)) as running:
        yield running


async def test_an_archive_is_pushed_twice_and_pulled(there: Kind, client: Client, tmp_path: Path) -> None:
    """What is stored is proven by a reader of its own, and a second push finds it there."""
    saved_image(tmp_path / "app.tar", there.limit)
    name = f"{there.host}/team/app:1.0"
    pushed = await unwrap(push(client, docker_save(tmp_path / "app.tar"), name))
    there.registry.reset_counts()
    again = await unwrap(push(client, docker_save(tmp_path / "app.tar"), name))
    assert again.digest == pushed.digest
    for target in (docker_save(tmp_path / "back.tar"), oci_layout(tmp_path / "back")):
        assert (await unwrap(pull(client, name, target))).manifest.digest == pushed.digest
    assert read_archive(tmp_path / "back.tar")[0].config == read_archive(tmp_path / "app.tar")[0].config
    assert there.registry.counts().uploads_open == 0
    proven(there, tmp_path, str(pushed.digest))


async def test_an_index_is_copied_there_and_back(there: Kind, client: Client) -> None:
    """All platforms, from a plain registry and to another one, and not a byte changes."""
    large = made.layer("large", 3 * there.limit)
    index = made.index(*(made.image(large, made.layer(name), platform=name) for name in made.PLATFORMS[:3]))
    with running_registry() as here, running_registry() as beyond:
        made.put(here.host, "app", index, "1")
        copied = await unwrap(copy(client, f"{here.host}/app:1", f"{there.host}/team/app:1"))
        assert str(copied.manifest.digest) == index.digest
        await unwrap(copy(client, f"{there.host}/team/app:1", f"{there.host}/team/other:1"))
        await unwrap(copy(client, f"{there.host}/team/other:1", f"{beyond.host}/app:1"))
        made.check(beyond.host, "app", index, "1")
    assert there.registry.counts().uploads_open == 0
    with there.seen_plainly() as plain:
        made.check(plain.host, "team/app", index, "1")


async def test_tags_are_listed_made_and_deleted(there: Kind, profile: RegistryProfile, client: Client) -> None:
    """Five tags of two images on as many pages as the registry likes; where one cannot go alone, that is said."""
    with running_registry() as here:
        for number in range(2):
            made.put(here.host, "app", made.image(made.layer("x", seed=number)), str(number))
            await unwrap(copy(client, f"{here.host}/app:{number}", f"{there.host}/app:{number}"))
    for new in ("a", "b", "c"):
        await unwrap(tag(client, f"{there.host}/app:1", new))
    assert sorted(await unwrap(list_tags(client, f"{there.host}/app"))) == ["0", "1", "a", "b", "c"]
    gone = await settle(delete(client, f"{there.host}/app:b"))
    if isinstance(gone, Err):
        assert not (profile.delete and profile.tag_delete)
        assert isinstance(gone.error.reason, TagNotDeletable)
        assert gone.error.reason.siblings == ("1", "a", "c")
    assert ("b" in await unwrap(list_tags(client, f"{there.host}/app"))) == isinstance(gone, Err)
    digest = (await unwrap(tag(client, f"{there.host}/app:1", "d"))).digest
    whole = await settle(delete(client, f"{there.host}/app@{digest}"))
    if isinstance(whole, Err):
        assert not profile.delete
        assert isinstance(whole.error.reason, Refused)
    else:
        assert await unwrap(list_tags(client, f"{there.host}/app")) == ("0",)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
async def test_who_is_told_meets_no_refusal_of_a_body(profile: RegistryProfile, tmp_path: Path) -> None:
    """The name of a kind, chosen for a host, saves the request that would teach its limits."""
    limits = [limit for limit in (profile.max_body, profile.max_chunk) if limit is not None and limit < 32 * MEBIBYTE]
    saved_image(tmp_path / "app.tar", limits[0] // 2 if limits else LIMIT)
    with kind(tmp_path / "there", profile, MANNERS.get(profile.name)) as there:
        settings = Settings(hosts={there.host: HostSettings(profile=profile.name)})
        async with connect(settings, keychain=anonymous) as client:
            pushed = await unwrap(push(client, docker_save(tmp_path / "app.tar"), f"{there.host}/team/app:1.0"))
        assert {each.status for each in there.registry.requests}.isdisjoint({None, 400, 411, 413, 416})
        proven(there, tmp_path, str(pushed.digest))
