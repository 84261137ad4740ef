"""Events: whoever shows progress shows what happened."""

from pathlib import Path

import pytest

from registry_fp import (
    BlobDone,
    BlobMoved,
    BlobStarted,
    Client,
    Compression,
    Event,
    ImageRead,
    ManifestStored,
    PushOptions,
    docker_save,
    push,
    unwrap,
)
from tests.acceptance.conftest import Site
from tests.acceptance.images import SHAPES


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("shape", ["legacy", "OCI with gzip"])
async def test_the_bytes_that_the_events_tell_are_the_bytes_that_the_registry_received(
    shape: str, compression: Compression, site: Site, client: Client, tmp_path: Path
) -> None:
    """A bar that ends at 97 or 103 per cent is worse than none."""
    archive, seen = tmp_path / "app.tar", list[Event]()
    SHAPES[shape](archive)
    options = PushOptions(compression=compression, on_event=seen.append)
    pushed = await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0", options=options))
    assert isinstance(seen[0], ImageRead)
    assert seen[-1] == ManifestStored(pushed.reference, pushed.manifest)
    started = {event.blob: event.length for event in seen if isinstance(event, BlobStarted)}
    done = [event for event in seen if isinstance(event, BlobDone)]
    moved = {event.blob: event for event in seen if isinstance(event, BlobMoved)}
    assert dict(seen[0].blobs) == started
    assert {event.blob for event in done} == set(started)
    assert len(done) == len(started) == len(pushed.blobs)
    for event in done:
        assert event.blob not in moved or (moved[event.blob].read, moved[event.blob].sent) == (
            started[event.blob],
            event.sent,
        )
    assert sum(event.sent for event in done) == pushed.sent
    if site.embedded is not None:
        assert pushed.sent == site.embedded.counts().blob_bytes_in


async def test_a_watcher_that_fails_does_not_fail_the_push(site: Site, client: Client, tmp_path: Path) -> None:
    """A bug in a progress bar is not a reason to lose a release."""
    archive = tmp_path / "app.tar"
    SHAPES["legacy"](archive)

    def broken(event: Event) -> None:
        raise ZeroDivisionError(event)

    await unwrap(push(client, docker_save(archive), f"{site.repository}:1.0", options=PushOptions(on_event=broken)))
