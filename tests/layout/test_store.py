"""A layout folder as a place to write to: nothing is lost, nothing is wrong, and nothing is left half-written."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import pytest
from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    ConnectionLost,
    DigestMismatch,
    Err,
    InvalidImage,
    LocalIo,
    Ok,
    RegistryError,
    settle,
    unwrap,
)
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import SizeMismatch
from registry_fp.domain.manifest import RawManifest, parse_manifest
from registry_fp.domain.reference import parse_repository
from registry_fp.effect.operation import Op
from registry_fp.pipelines.event import BlobDone, BlobMoved, BlobStarted, Event, ignore
from registry_fp.pipelines.layout_store import LayoutStore, layout_store
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.transfer import transfer
from registry_fp.protocol.message import Body
from tests.copy.made import Made, five_platforms, image, layer, put
from tests.layout.written import CONTAINERD, REF_NAME, blob, check_layout, check_names, listed, write_layout
from tests.place import Place
from tests.real.tool import Tool


class Bytes:
    """An origin of one blob, whose chunks are what a test says."""

    name = "a test"
    repository = None

    def __init__(self, *chunks: bytes | RegistryError | asyncio.Event) -> None:
        self._chunks = chunks
        self.opened = 0

    def manifest(self, wanted: Descriptor) -> Op[RawManifest]:
        """There is none."""
        raise NotImplementedError("one blob, and no manifest: placing a blob asks for none")

    def body(self, wanted: Descriptor) -> Body:
        """The chunks, one after the other; an event is set, and then nothing more comes."""
        return Body(self._given, wanted.size)

    async def _given(self) -> AsyncGenerator[Result[bytes, RegistryError], None]:
        self.opened += 1
        for chunk in self._chunks:
            match chunk:
                case bytes():
                    yield Success(chunk)
                case RegistryError():
                    yield Failure(chunk)
                case asyncio.Event():
                    chunk.set()
                    await asyncio.Event().wait()


def _named(content: bytes) -> Descriptor:
    return Descriptor(media_type="application/octet-stream", digest=digest_of(content), size=len(content))


def _raw(made: Made) -> RawManifest:
    return parse_manifest(made.raw, made.media_type).unwrap()


async def _store(path: Path) -> LayoutStore:
    return await unwrap(layout_store(path))


async def test_an_index_comes_from_a_registry_whole(client: Client, anywhere: Place, tmp_path: Path) -> None:
    """What lies in the folder is what another program finds there: every manifest, every blob, and one name."""
    made = five_platforms()
    put(anywhere.host, anywhere.path, made, "1.0")
    store = await _store(tmp_path / "deep" / "app")
    origin = RepositoryStore(client, parse_repository(anywhere.repository).unwrap())
    done = await unwrap(transfer(_raw(made), origin, store, tag="1.0", limit=4))
    check_layout(tmp_path / "deep" / "app", made)
    (entry,) = listed(tmp_path / "deep" / "app")
    assert entry == made.descriptor(annotations={REF_NAME: "1.0"})
    assert {blob.outcome for blob in done.blobs} == {"fetched"}
    assert done.moved == sum(map(len, made.content.values()))


async def test_the_second_time_nothing_is_fetched(client: Client, place: Place, tmp_path: Path) -> None:
    """What is there whole is told by the manifests and sizes of the folder, without a request for any content."""
    made = five_platforms()
    put(place.host, place.path, made, "1.0")
    origin = RepositoryStore(client, parse_repository(place.repository).unwrap())
    store = await _store(tmp_path / "app")
    await unwrap(transfer(_raw(made), origin, store, tag="1.0", limit=4))
    assert place.embedded is not None
    place.embedded.reset_counts()
    again = await unwrap(transfer(_raw(made), origin, await _store(tmp_path / "app"), tag="1.1", limit=4))
    assert (again.moved, place.embedded.counts().requests) == (0, 0)
    assert [entry["annotations"][REF_NAME] for entry in listed(tmp_path / "app")] == ["1.0", "1.1"]


@pytest.mark.parametrize("change", ["a blob is gone", "a blob is shorter", "a manifest is gone", "a manifest is wrong"])
async def test_what_was_damaged_is_fetched_again(change: str, tmp_path: Path) -> None:
    """A folder that lost something is not believed to hold the image, and the next run mends it."""
    made = five_platforms()
    origin = await _store(write_layout(tmp_path / "origin", made))
    store = await _store(tmp_path / "app")
    await unwrap(transfer(_raw(made), origin, store, tag="1.0", limit=4))
    hurt = made.listed[2].digest if "manifest" in change else next(iter(made.listed[2].blobs))
    path = blob(tmp_path / "app", hurt)
    if "gone" in change:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] if "shorter" in change else path.read_bytes().replace(b"2", b"3"))
    assert not await unwrap(store.holds(_raw(made).descriptor))
    await unwrap(transfer(_raw(made), origin, store, tag="1.0", limit=4))
    check_layout(tmp_path / "app", made)


# An origin proves what it gives, and says so as its last word.
_OTHER: Final = RegistryError("get_blob", "a test", DigestMismatch(digest_of(b"content!"), digest_of(b"12345678")))


@pytest.mark.parametrize(
    ("chunks", "kind"),
    [
        ((b"12345678", _OTHER), DigestMismatch),
        ((b"1234567",), SizeMismatch),
        ((b"1234567", b"89"), SizeMismatch),
        ((b"1234567", b"8" * 10_000_000), SizeMismatch),
        ((), SizeMismatch),
        ((b"1234", RegistryError("get_blob", "a test", ConnectionLost(4))), ConnectionLost),
    ],
)
async def test_other_bytes_never_become_a_blob(
    chunks: tuple[bytes | RegistryError, ...], kind: type, tmp_path: Path
) -> None:
    """Wrong, short, long, none, or cut: the origin's fault is named, and nothing is left in the folder."""
    store = await _store(tmp_path / "app")
    done = await settle(store.place(_named(b"content!"), Bytes(*chunks), ignore))
    assert isinstance(done, Err)
    assert isinstance(done.error.reason, kind)
    assert list((tmp_path / "app" / "blobs" / "sha256").iterdir()) == []
    assert isinstance(await settle(store.place(_named(b"content!"), Bytes(b"content!"), ignore)), Ok)
    check_names(tmp_path / "app")


async def test_a_cancelled_blob_leaves_nothing(tmp_path: Path) -> None:
    """Stopping is not a fault: what was written goes, and the descriptor is given back."""
    store = await _store(tmp_path / "app")
    begun = asyncio.Event()
    content = bytes(3_000_000)
    work = asyncio.create_task(settle(store.place(_named(content), Bytes(content[:2_000_000], begun), ignore)))
    await begun.wait()
    assert [path.suffix for path in (tmp_path / "app" / "blobs" / "sha256").iterdir()] == [".partial"]
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert list((tmp_path / "app" / "blobs" / "sha256").iterdir()) == []


async def test_what_two_ask_for_at_once_is_fetched_once(tmp_path: Path) -> None:
    """Two images of one push share layers; whoever comes second waits, and does the work if the first one fails."""
    store = await _store(tmp_path / "app")
    content = os.urandom(2_000_000)
    origin = Bytes(content)
    both = await asyncio.gather(*(settle(store.place(_named(content), origin, ignore)) for _ in range(5)))
    assert sorted(done.value.outcome for done in both if isinstance(done, Ok)) == [*["exists"] * 4, "fetched"]
    assert origin.opened == 1
    wrong, right = Bytes(b"wrong", _OTHER), Bytes(b"right")
    mixed = await asyncio.gather(*(settle(store.place(_named(b"right"), each, ignore)) for each in (wrong, right)))
    assert [type(done) for done in mixed] == [Err, Ok]
    check_names(tmp_path / "app")


async def test_two_stores_of_one_folder_do_not_write_into_one_file(tmp_path: Path) -> None:
    """Two programs that fetch the same blob each write a file of their own; one of them becomes the blob."""
    content = os.urandom(1_500_000)
    stores = [await _store(tmp_path / "app") for _ in range(4)]
    done = await asyncio.gather(*(settle(each.place(_named(content), Bytes(content), ignore)) for each in stores))
    assert all(isinstance(each, Ok) for each in done)
    assert blob(tmp_path / "app", str(digest_of(content))).read_bytes() == content
    check_names(tmp_path / "app")


async def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    """A name that nobody holds any more is written anew, and nothing gathers."""
    store = await _store(tmp_path / "app")
    folder = tmp_path / "app" / "blobs" / "sha256"
    content = os.urandom(100_000)
    (folder / f".{digest_of(content).hex}.0.partial").write_bytes(b"half of it" * 100_000)
    await unwrap(store.place(_named(content), Bytes(content), ignore))
    check_names(tmp_path / "app")
    (folder / f".{digest_of(content).hex}.0.partial").write_bytes(b"half of it")
    assert (await unwrap(store.place(_named(content), Bytes(), ignore))).outcome == "exists"


async def test_events_tell_of_every_byte(tmp_path: Path) -> None:
    """A bar that is drawn from them reaches its end."""
    store = await _store(tmp_path / "app")
    content = os.urandom(5_000_000)
    seen: list[Event] = []
    pieces = [content[start : start + 65_536] for start in range(0, len(content), 65_536)]
    await unwrap(store.place(_named(content), Bytes(*pieces), seen.append))
    name = str(digest_of(content))
    assert seen[0] == BlobStarted(name, len(content))
    assert seen[-1] == BlobDone(name, "fetched", digest_of(content), len(content), len(content))
    moved = [event.read for event in seen if isinstance(event, BlobMoved)]
    assert (moved, moved[-1]) == (sorted(moved), len(content))
    await unwrap(store.place(_named(content), Bytes(), seen.append))
    assert isinstance(seen[-1], BlobDone)
    assert (seen[-1].outcome, seen[-1].sent) == ("exists", 0)


async def test_the_index_of_others_is_kept(tmp_path: Path) -> None:
    """What other programs wrote (fields, entries, their order) is theirs; only the entry of the same name changes."""
    old, new = image(layer("old")), image(layer("new"))
    folder = write_layout(tmp_path / "app", old)
    entries = [
        old.descriptor(annotations={REF_NAME: "other", "x": "y"}, unknown={"a": [1.25]}),
        old.descriptor(annotations={REF_NAME: "1.0"}),
        old.descriptor(digest=f"sha256:{'0' * 64}"),
    ]
    document = {"z": 1, "schemaVersion": 2, "manifests": entries, "annotations": {"b": "c"}}
    (folder / "index.json").write_text(json.dumps(document))
    store = await _store(folder)
    await unwrap(store.store(_raw(new), "1.0"))
    await unwrap(store.enter(_raw(new).descriptor))
    await unwrap(store.enter(_raw(new).descriptor, "1.1", reference="docker.io/team/app:1.1"))
    after = json.loads((folder / "index.json").read_bytes())
    assert list(after) == list(document)
    assert after | {"manifests": []} == document | {"manifests": []}
    assert after["manifests"] == [
        entries[0],
        new.descriptor(annotations={REF_NAME: "1.0"}),
        entries[2],
        new.descriptor(annotations={REF_NAME: "1.1", CONTAINERD: "docker.io/team/app:1.1"}),
    ]


async def test_a_manifest_without_a_name_is_listed_once_and_gets_its_name_later(tmp_path: Path) -> None:
    """What was fetched by its digest has no name; the tag that is found for it names that entry."""
    made = image(layer("one"))
    store = await _store(tmp_path / "app")
    await unwrap(store.store(_raw(made), None))
    assert listed(tmp_path / "app") == []
    for _ in range(2):
        await unwrap(store.enter(_raw(made).descriptor))
    assert listed(tmp_path / "app") == [made.descriptor()]
    await unwrap(store.store(_raw(made), "1.0"))
    assert listed(tmp_path / "app") == [made.descriptor(annotations={REF_NAME: "1.0"})]


async def test_a_folder_that_holds_other_things_is_not_written_to(tmp_path: Path) -> None:
    """A mistyped path must not fill somebody's folder; what begins with a dot is nobody's content."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".keep").write_text("")
    refused = await settle(layout_store(tmp_path / "home"))
    assert isinstance(refused, Err)
    assert isinstance(refused.error.reason, InvalidImage)
    assert refused.error.reason.kind == "bad oci-layout"
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]
    assert isinstance(await settle(layout_store(tmp_path / "empty")), Ok)
    for path in (tmp_path / "home" / "letter.txt", "\0", ""):
        done = await settle(layout_store(path))
        assert isinstance(done, Err)
        assert isinstance(done.error.reason, LocalIo)


@pytest.mark.parametrize(("name", "content"), [("oci-layout", b'{"imageLayoutVersion":"9"}'), ("index.json", b"[]")])
async def test_a_layout_that_cannot_be_read_is_not_written_to(name: str, content: bytes, tmp_path: Path) -> None:
    """What we do not understand we would break."""
    folder = write_layout(tmp_path / "app", image(layer("one")))
    (folder / name).write_bytes(content)
    done = await settle(layout_store(folder))
    assert isinstance(done, Err)
    assert isinstance(done.error.reason, InvalidImage)
    assert (folder / name).read_bytes() == content


async def test_a_marker_that_was_cut_short_by_a_kill_is_written_again(tmp_path: Path) -> None:
    """Between making a file and filling it a process can end; the next one goes on from there."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "oci-layout").touch()
    await _store(tmp_path / "app")
    assert json.loads((tmp_path / "app" / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert stat.S_IMODE((tmp_path / "app" / "index.json").stat().st_mode) & 0o600 == 0o600


async def test_other_programs_read_what_we_write(tmp_path: Path, skopeo: Tool, umoci: Tool) -> None:
    """Skopeo and umoci find the image by its name, and skopeo reads it to its last byte."""
    made = image(layer("one"), layer("two"), platform="linux/amd64")
    origin = await _store(write_layout(tmp_path / "origin", made))
    store = await _store(tmp_path / "app")
    await unwrap(transfer(_raw(made), origin, store, tag="1.0", limit=4))
    listing = await umoci("ls", "--layout", tmp_path / "app")
    assert "1.0" in listing.stdout
    await skopeo("copy", "--preserve-digests", f"oci:{tmp_path / 'app'}:1.0", f"oci:{tmp_path / 'theirs'}:1.0")
    check_layout(tmp_path / "theirs", made)
