"""What people do with a registry, proven by somebody else: an image goes there, and comes back."""

from __future__ import annotations

from pathlib import Path

from registry_fp import Client, Pushed, copy, docker_save, list_tags, oci_layout, pull, push, unwrap
from registry_fp.testing import running_registry
from tests.acceptance.reader import Reader, read_archive
from tests.profiles.kind import Kind, saved_image

__all__ = ["proven", "round_trip", "sent"]


async def round_trip(there: Kind, client: Client, folder: Path) -> Pushed:
    """Push an archive, copy it within the registry and to another one, pull it back; all of it is one image."""
    pushed = await sent(there, client, folder)
    name = f"{there.host}/team/app:1.0"
    with running_registry() as beyond:
        await unwrap(copy(client, name, f"{there.host}/team/other:1.0"))
        await unwrap(copy(client, name, f"{beyond.host}/app:1.0"))
        Reader(beyond.host).prove("app", "1.0", read_archive(folder / "app.tar")[0])
    for target in (docker_save(folder / "back.tar"), oci_layout(folder / "back")):
        assert (await unwrap(pull(client, name, target))).manifest.digest == pushed.digest
    assert await unwrap(list_tags(client, f"{there.host}/team/app")) == ("1.0",)
    return pushed


async def sent(there: Kind, client: Client, folder: Path) -> Pushed:
    """Push an archive; what the registry holds then is proven by a reader of its own, and no upload is left open."""
    saved_image(folder / "app.tar", there.limit)
    pushed = await unwrap(push(client, docker_save(folder / "app.tar"), f"{there.host}/team/app:1.0"))
    assert there.registry.counts().uploads_open == 0
    proven(there, folder, str(pushed.digest))
    return pushed


def proven(there: Kind, folder: Path, digest: str) -> None:
    """The archive of this folder is what the registry holds."""
    with there.seen_plainly() as plain:
        assert Reader(plain.host).prove("team/app", "1.0", read_archive(folder / "app.tar")[0]).digest == digest
