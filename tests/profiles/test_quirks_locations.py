"""Locations in every shape that registries were seen to give them: each is followed to the letter."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from registry_fp import (
    Client,
    Denied,
    Err,
    HostSettings,
    Settings,
    anonymous,
    connect,
    docker_save,
    get_blob,
    push,
    put_blob,
    settle,
    unwrap,
)
from registry_fp.protocol.profile import LocationShape
from registry_fp.testing import Answer, Fault
from tests.profiles.journey import round_trip
from tests.profiles.kind import kind, saved_image

SHAPES: tuple[LocationShape, ...] = get_args(LocationShape)


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_image_goes_there_and_back(shape: LocationShape, client: Client, tmp_path: Path) -> None:
    """Streams, single requests and mounts all have a Location to come back to (apple/swift-container-plugin#44)."""
    with kind(tmp_path / "there", location=shape) as there:
        await round_trip(there, client, tmp_path)
        digests = [found.digest for found in [await unwrap(put_blob(client, f"{there.host}/app", b"some bytes"))]]
        assert await unwrap(get_blob(client, f"{there.host}/app", digests[0])) == b"some bytes"
        used = {each.endpoint for each in there.registry.requests}
        assert {"end-4a", "end-5", "end-6", "end-11"} <= used


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_upload_that_is_given_up_is_cancelled(shape: LocationShape, client: Client, tmp_path: Path) -> None:
    """A registry keeps what nobody closes for days, and the way to close it is the Location too."""
    saved_image(tmp_path / "app.tar")
    with kind(tmp_path / "there", location=shape) as there:
        there.registry.set_faults(Fault(Answer(403), endpoint="end-6"))
        out = await settle(push(client, docker_save(tmp_path / "app.tar"), f"{there.host}/app:1"))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, Denied)
        assert there.registry.counts().by_endpoint["end-14"] > 0
        assert there.registry.counts().uploads_open == 0


async def test_the_port_of_the_scheme_may_be_written_out(tmp_path: Path) -> None:
    """`http://host:80/` is `http://host/`, and not another origin (oras-project/oras-go#177)."""
    with kind(tmp_path / "there", location="port") as there:
        # The name leads nowhere: whoever is asked to fetch `http://registry.example/` is the registry itself.
        settings = Settings(
            hosts={"registry.example": HostSettings(plain_http=True)},
            http_proxy=SecretStr(there.registry.url),
            small_blob=1024,
        )
        async with connect(settings, keychain=anonymous) as client:
            saved_image(tmp_path / "app.tar")
            await unwrap(push(client, docker_save(tmp_path / "app.tar"), "registry.example/team/app:1.0"))
        hosts = {each.headers["Host"] for each in there.registry.requests}
        assert hosts == {"registry.example"}
