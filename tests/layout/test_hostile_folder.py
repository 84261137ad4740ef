"""Layout folders that somebody else has prepared: whoever adds to them is neither held up nor led elsewhere."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from registry_fp import settle, unwrap
from registry_fp.domain.errors import InvalidImage, LocalIo
from registry_fp.effect.exits import Err
from registry_fp.pipelines.event import ignore
from registry_fp.pipelines.layout_store import layout_store
from tests.layout.writer import Origin, named


async def _at_once(path: Path, pipe: Path) -> object:
    """What comes of opening a layout; if it waits for a pipe, the pipe is opened, so that the test ends."""
    job = asyncio.ensure_future(settle(layout_store(path)))
    done, _ = await asyncio.wait((job,), timeout=10)
    if not done:
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
        job.cancel()
        await asyncio.wait((job,))
        pytest.fail("a pipe was waited for")
    out = job.result()
    assert isinstance(out, Err)
    return out.error.reason


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
async def test_an_index_that_is_no_file_is_refused(make: Callable[[Path], None], tmp_path: Path) -> None:
    """A pipe would be waited for, by a thread that nobody can cancel and with the layout's lock in its hand."""
    await unwrap(layout_store(tmp_path / "layout"))
    index = tmp_path / "layout" / "index.json"
    index.unlink()
    make(index)
    assert await _at_once(tmp_path / "layout", index) == InvalidImage("not a regular file", "index.json")


async def test_a_pipe_in_the_place_of_the_next_index_is_not_waited_for(tmp_path: Path) -> None:
    """The name that an index is written under is known to everybody."""
    await unwrap(layout_store(tmp_path / "layout"))
    (tmp_path / "layout" / "index.json").unlink()
    pipe = tmp_path / "layout" / ".index.json.partial"
    os.mkfifo(pipe)
    assert isinstance(await _at_once(tmp_path / "layout", pipe), LocalIo)


async def test_a_marker_that_leads_elsewhere_makes_nothing_there(tmp_path: Path) -> None:
    """What is added to a folder is added to that folder."""
    await unwrap(layout_store(tmp_path / "layout"))
    marker = tmp_path / "layout" / "oci-layout"
    marker.unlink()
    marker.symlink_to(tmp_path / "elsewhere")
    out = await settle(layout_store(tmp_path / "layout"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, LocalIo)
    assert not (tmp_path / "elsewhere").exists()


async def test_a_pipe_in_the_place_of_an_empty_blob_is_replaced(tmp_path: Path) -> None:
    """It has the size of the blob, and reading it would never end."""
    store = await unwrap(layout_store(tmp_path / "layout"))
    blob = named(b"")
    path = tmp_path / "layout" / "blobs" / "sha256" / blob.digest.hex
    os.mkfifo(path)
    job = asyncio.ensure_future(settle(store.place(blob, Origin(b""), ignore)))
    done, _ = await asyncio.wait((job,), timeout=10)
    if not done:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        await asyncio.wait((job,))
    assert done
    assert path.is_file()
