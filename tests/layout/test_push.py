"""A layout is pushed as it is: every platform, every byte, every digest."""

import asyncio
import gzip
import lzma
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from registry_fp import (
    BadReference,
    Client,
    DigestMismatch,
    Err,
    InvalidImage,
    LocalIo,
    Misconfigured,
    NoSuchPlatform,
    Ok,
    PushOptions,
    Reason,
    docker_save,
    push,
    settle,
    unwrap,
)
from registry_fp.archive.source import ImageSource, OciLayout, any_archive, oci_layout
from registry_fp.domain.errors import SizeMismatch
from registry_fp.pipelines.event import BlobDone, BlobMoved, Event, ImageRead, ManifestStored
from registry_fp.testing import sample_image, write_docker_save
from tests.copy.made import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    FOREIGN,
    PLATFORMS,
    check,
    five_platforms,
    image,
    index,
    layer,
)
from tests.copy.made import request as ask
from tests.layout.written import CONTAINERD, blob, entry, pack, write_layout
from tests.place import Place

FORMS: dict[str, Callable[[Path, Path], Path]] = {
    "a folder": lambda folder, _path: folder,
    "a tar": pack,
    "a tar with gzip": lambda folder, path: pack(folder, path, "w:gz"),
    "a tar with xz": lambda folder, path: pack(folder, path, "w:xz"),
}


async def _reason(client: Client, source: ImageSource, place: Place, **options: object) -> Reason:
    """Why a push failed; the registry was not asked anything."""
    assert place.embedded is not None
    place.embedded.reset_counts()
    done = await settle(push(client, source, f"{place.repository}:1.0", options=PushOptions(**options)))  # type: ignore[arg-type]
    assert isinstance(done, Err)
    assert place.embedded.counts().requests == 0
    return done.error.reason


@pytest.mark.parametrize("form", FORMS)
async def test_a_layout_of_five_platforms_arrives_byte_for_byte(
    form: str, client: Client, anywhere: Place, tmp_path: Path
) -> None:
    """An index, its images and their blobs keep their digests, so that signatures stay valid."""
    made = five_platforms()
    path = FORMS[form](write_layout(tmp_path / "app", made), tmp_path / "app.tar")
    pushed = await unwrap(push(client, oci_layout(path), f"{anywhere.repository}:1.0"))
    check(anywhere.host, anywhere.path, made, "1.0")
    assert (str(pushed.digest), pushed.manifest.size) == (made.digest, len(made.raw))
    assert {str(blob.descriptor.digest) for blob in pushed.blobs} == set(made.content)
    assert pushed.sent == sum(map(len, made.content.values()))


async def test_a_second_push_of_a_layout_sends_nothing(client: Client, place: Place, tmp_path: Path) -> None:
    """What a registry has is not sent again."""
    source = oci_layout(write_layout(tmp_path / "app", five_platforms()))
    await unwrap(push(client, source, f"{place.repository}:1.0"))
    assert place.embedded is not None
    place.embedded.reset_counts()
    again = await unwrap(push(client, source, f"{place.repository}:1.1"))
    counts = place.embedded.counts()
    assert (again.sent, counts.blob_bytes_in, counts.uploads_open) == (0, 0, 0)
    check(place.host, place.path, five_platforms(), "1.1")


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("1.0", 0),
        ("two", 1),
        ("docker.io/library/two:latest", 1),
        ("library/two", 1),
        (1, 1),
        ("0", 0),
        ("<digest>", 1),
        ("<beginning>", 1),
    ],
)
async def test_one_of_several_images_is_chosen(
    wanted: str | int, number: int, client: Client, place: Place, tmp_path: Path
) -> None:
    """By its ref name, by containerd's name however it is spelt, by its position, or by its digest."""
    images = image(layer("one")), image(layer("two"))
    entries = entry(images[0], "1.0"), entry(images[1], **{CONTAINERD: "docker.io/library/two:latest"})
    folder = write_layout(tmp_path / "app", *images, entries=entries)
    names: dict[str | int, str] = {"<digest>": images[1].digest, "<beginning>": images[1].digest[7:19]}
    pushed = await unwrap(push(client, oci_layout(folder, image=names.get(wanted, wanted)), f"{place.repository}:1.0"))
    assert str(pushed.digest) == images[number].digest


async def test_several_images_without_a_choice_are_named(client: Client, place: Place, tmp_path: Path) -> None:
    """The message is the list that the choice is made from."""
    images = image(layer("one")), image(layer("two"))
    folder = write_layout(tmp_path / "app", *images, entries=[entry(images[0], "1.0"), entry(images[1])])
    reason = await _reason(client, oci_layout(folder), place)
    assert reason == InvalidImage("several images", detail=f"0: 1.0, 1: sha256:{images[1].digest[7:19]}")
    reason = await _reason(client, oci_layout(folder, image="3.0"), place)
    assert isinstance(reason, InvalidImage)
    assert reason.kind == "no such image"
    assert reason.detail.startswith("3.0; there are these: 0: 1.0, ")


async def test_one_image_under_two_names_needs_no_choice(client: Client, place: Place, tmp_path: Path) -> None:
    """A tag more does not make it ambiguous what is pushed."""
    made = image(layer("one"))
    folder = write_layout(tmp_path / "app", made, entries=[entry(made, "1.0"), entry(made, "latest")])
    assert isinstance(await settle(push(client, oci_layout(folder), f"{place.repository}:1.0")), Ok)


async def test_one_platform_is_pushed_alone(client: Client, place: Place, tmp_path: Path) -> None:
    """Where one image is wanted, its manifest is what the tag stands for."""
    made = five_platforms()
    source = oci_layout(write_layout(tmp_path / "app", made))
    pushed = await unwrap(push(client, source, f"{place.repository}:1.0", options=PushOptions(platform="linux/arm64")))
    check(place.host, place.path, made.listed[1], "1.0")
    assert str(pushed.digest) == made.listed[1].digest
    reason = await _reason(client, source, place, platform="linux/riscv64")
    assert isinstance(reason, NoSuchPlatform)
    assert len(reason.available) == len(PLATFORMS)
    assert isinstance(await _reason(client, source, place, platform="a/b/c/d"), BadReference)


async def test_docker_media_types_in_a_layout_stay(client: Client, anywhere: Place, tmp_path: Path) -> None:
    """Skopeo and containerd keep Docker's manifests in layouts as they came."""
    images = (image(layer(name), platform=name, media_type=DOCKER_MANIFEST) for name in PLATFORMS[:2])
    made = index(*images, media_type=DOCKER_INDEX)
    await unwrap(push(client, oci_layout(write_layout(tmp_path / "app", made)), f"{anywhere.repository}:1.0"))
    check(anywhere.host, anywhere.path, made, "1.0")


async def test_a_foreign_layer_stays_a_reference(client: Client, place: Place, tmp_path: Path) -> None:
    """A layer that may not be distributed need not be in the layout, and is not asked for."""
    ours, theirs = layer("ours"), layer("theirs")
    made = image(ours, theirs)
    document = made.raw.replace(
        b'"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",\n      "digest": "%b"'
        % next(digest for digest, content in made.blobs.items() if content == theirs).encode(),
        b'"urls": ["https://example.test/layer"], "mediaType": "%b",\n      "digest": "%b"'
        % (FOREIGN.encode(), next(digest for digest, content in made.blobs.items() if content == theirs).encode()),
    )
    assert document != made.raw
    kept = {digest: content for digest, content in made.blobs.items() if content != theirs}
    foreign = type(made)(made.media_type, document, kept)
    pushed = await unwrap(push(client, oci_layout(write_layout(tmp_path / "app", foreign)), f"{place.repository}:1.0"))
    check(place.host, place.path, foreign, "1.0")
    assert [blob.outcome for blob in pushed.blobs].count("referenced") == 1


async def test_a_path_is_looked_at(client: Client, place: Place, tmp_path: Path) -> None:
    """`any_archive` takes whatever lies there: a layout in a folder or a tar, or what `docker save` wrote."""
    made = image(layer("one"))
    folder = write_layout(tmp_path / "app", made)
    for path in (folder, pack(folder, tmp_path / "app.tar"), pack(folder, tmp_path / "app.tar.gz", "w:gz")):
        pushed = await unwrap(push(client, any_archive(path), f"{place.repository}:1.0"))
        assert str(pushed.digest) == made.digest
    write_docker_save(tmp_path / "saved.tar", sample_image("app:1.0"))
    saved = await unwrap(push(client, any_archive(tmp_path / "saved.tar"), f"{place.repository}:1.0"))
    same = await unwrap(push(client, docker_save(tmp_path / "saved.tar"), f"{place.repository}:1.0"))
    assert saved.digest == same.digest
    assert isinstance(await _reason(client, any_archive(tmp_path / "nothing"), place), LocalIo)
    assert isinstance(await _reason(client, any_archive("\0"), place), LocalIo)


async def test_a_layout_made_of_links_is_read(client: Client, place: Place, tmp_path: Path) -> None:
    """Build tools write layouts whose blobs are links into their caches."""
    made = five_platforms()
    folder = write_layout(tmp_path / "app", made)
    shutil.move(folder / "blobs" / "sha256", tmp_path / "cache")
    (folder / "blobs" / "sha256").mkdir()
    for path in (tmp_path / "cache").iterdir():
        (folder / "blobs" / "sha256" / path.name).symlink_to(path)
    await unwrap(push(client, oci_layout(folder), f"{place.repository}:1.0"))
    check(place.host, place.path, made, "1.0")


async def test_a_pipe_in_place_of_a_blob_is_refused(client: Client, place: Place, tmp_path: Path) -> None:
    """Opening it would wait for somebody to write to it."""
    made = image(layer("one"))
    folder = write_layout(tmp_path / "app", made)
    blob(folder, made.digest).unlink()
    os.mkfifo(blob(folder, made.digest))
    reason = await _reason(client, oci_layout(folder), place)
    assert isinstance(reason, InvalidImage)
    assert reason.kind == "not a regular file"


@pytest.mark.parametrize(
    "broken",
    [
        ("oci-layout", None, "bad oci-layout"),
        ("oci-layout", b"", "bad oci-layout"),
        ("oci-layout", b"[]", "bad oci-layout"),
        ("oci-layout", b'{"imageLayoutVersion": 1}', "bad oci-layout"),
        ("oci-layout", b'{"imageLayoutVersion": "1.1.0"}', "bad oci-layout"),
        ("index.json", None, "bad index.json"),
        ("index.json", b"{", "bad index.json"),
        ("index.json", b"[]", "bad index.json"),
        ("index.json", b'{"schemaVersion": 2}', "no images"),
        ("index.json", b'{"manifests": null}', "no images"),
        ("index.json", b'{"manifests": {}}', "bad index.json"),
        ("index.json", b'{"manifests": [], "manifests": []}', "bad index.json"),
        ("index.json", b'{"manifests": [{"mediaType": "a", "size": 1, "digest": "sha256:../x"}]}', "bad index.json"),
        ("index.json", b'{"manifests": [{"mediaType": "a", "size": -1}]}', "bad index.json"),
    ],
)
@pytest.mark.parametrize("form", ["a folder", "a tar"])
async def test_a_layout_that_is_none_is_refused_by_name(
    form: str, broken: tuple[str, bytes | None, str], client: Client, place: Place, tmp_path: Path
) -> None:
    """Nothing is guessed, and the registry is not asked."""
    name, content, kind = broken
    folder = write_layout(tmp_path / "app", image(layer("one")))
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    reason = await _reason(client, oci_layout(FORMS[form](folder, tmp_path / "app.tar")), place)
    assert isinstance(reason, InvalidImage)
    assert reason.kind == kind


async def test_a_manifest_with_other_bytes_is_refused(client: Client, place: Place, tmp_path: Path) -> None:
    """A name is a promise: a manifest that is not what it is called is not looked into."""
    made = image(layer("one"))
    folder = write_layout(tmp_path / "app", made)
    blob(folder, made.digest).write_bytes(made.raw.replace(b"gzip", b"zstd"))
    assert isinstance(await _reason(client, oci_layout(folder), place), DigestMismatch)
    blob(folder, made.digest).write_bytes(made.raw + b" ")
    assert isinstance(await _reason(client, oci_layout(folder), place), SizeMismatch)


@pytest.mark.parametrize("form", FORMS)
async def test_a_damaged_blob_never_becomes_an_image(form: str, client: Client, place: Place, tmp_path: Path) -> None:
    """One bit of a layer is enough: the blob is not committed, and nothing is tagged."""
    content = layer("one", 3_000_000)
    made = image(content)
    folder = write_layout(tmp_path / "app", made)
    damaged = next(path for path in (folder / "blobs" / "sha256").iterdir() if path.stat().st_size == len(content))
    with damaged.open("r+b") as file:
        file.seek(len(content) // 2)
        file.write(bytes([content[len(content) // 2] ^ 1]))
    source = oci_layout(FORMS[form](folder, tmp_path / "app.tar"))
    done = await settle(push(client, source, f"{place.repository}:1.0"))
    assert isinstance(done, Err)
    assert isinstance(done.error.reason, DigestMismatch)
    assert done.error.reason.expected.hex == damaged.name
    assert ask(place.host, "HEAD", f"/v2/{place.path}/manifests/1.0")[0] == 404
    assert ask(place.host, "HEAD", f"/v2/{place.path}/blobs/sha256:{damaged.name}")[0] == 404
    assert place.embedded is not None
    assert place.embedded.counts().uploads_open == 0


async def test_what_cannot_be_meant_is_refused(client: Client, place: Place, tmp_path: Path) -> None:
    """An option that would do nothing is a mistake, and says so."""
    source: OciLayout = oci_layout(write_layout(tmp_path / "app", image(layer("one"))))
    assert isinstance(await _reason(client, source, place, compression="zstd"), Misconfigured)
    assert isinstance(await _reason(client, source, place, concurrency=0), Misconfigured)
    write_docker_save(tmp_path / "saved.tar", sample_image("app:1.0"))
    saved = docker_save(tmp_path / "saved.tar")
    assert isinstance(await _reason(client, saved, place, platform="linux/amd64"), Misconfigured)


async def test_a_layout_within_a_bomb_or_rubbish_is_no_layout(client: Client, place: Place, tmp_path: Path) -> None:
    """A tar that is none, however it is wrapped, fails as every archive does."""
    for name, content in (("a.gz", gzip.compress(b"rubbish")), ("a.xz", lzma.compress(b"rubbish")), ("a", b"rubbish")):
        (tmp_path / name).write_bytes(content)
        reason = await _reason(client, oci_layout(tmp_path / name), place)
        assert type(reason).__name__ == "TarUnreadable"


@pytest.mark.parametrize("form", FORMS)
async def test_a_cancelled_push_leaves_nothing_open(form: str, client: Client, place: Place, tmp_path: Path) -> None:
    """In the middle of a layer: no task, no descriptor, no thread that reads, no session, and no tag."""
    made = image(layer("one", 6_000_000), layer("two", 6_000_000))
    source = oci_layout(FORMS[form](write_layout(tmp_path / "app", made), tmp_path / "app.tar"))
    moving = asyncio.Event()

    def watch(event: Event) -> None:
        if isinstance(event, BlobMoved) and event.read > 1_000_000:
            moving.set()

    options = PushOptions(on_event=watch)
    work = asyncio.create_task(settle(push(client, source, f"{place.repository}:1.0", options=options)))
    await moving.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert ask(place.host, "HEAD", f"/v2/{place.path}/manifests/1.0")[0] == 404
    assert place.embedded is not None
    assert place.embedded.counts().uploads_open == 0
    assert isinstance(await settle(push(client, source, f"{place.repository}:1.0")), Ok)
    check(place.host, place.path, made, "1.0")


async def test_an_image_of_another_platform_than_the_one_that_is_named_is_refused(
    client: Client, place: Place, tmp_path: Path
) -> None:
    """Also where no index says what it runs on: its configuration does."""
    source = oci_layout(write_layout(tmp_path / "app", image(layer("a"), platform="linux/amd64")))
    assert await _reason(client, source, place, platform="linux/arm64") == NoSuchPlatform(
        "linux/arm64", ("linux/amd64",)
    )
    assert isinstance(
        await settle(push(client, source, f"{place.repository}:1.0", options=PushOptions(platform="linux/amd64"))), Ok
    )


async def test_events_name_every_blob_and_the_manifest(client: Client, place: Place, tmp_path: Path) -> None:
    """What is announced is what is done: a bar for each blob, and the manifest last."""
    made = five_platforms()
    seen: list[Event] = []
    source = oci_layout(write_layout(tmp_path / "app", made))
    await unwrap(push(client, source, f"{place.repository}:1.0", options=PushOptions(on_event=seen.append)))
    first, last = seen[0], seen[-1]
    assert isinstance(first, ImageRead)
    assert isinstance(last, ManifestStored)
    assert dict(first.blobs) == {digest: len(content) for digest, content in made.content.items()}
    assert [event for event in seen if isinstance(event, ImageRead)] == [first]
    assert {event.blob for event in seen if isinstance(event, BlobDone)} == set(made.content)
    assert str(last.manifest.digest) == made.digest
