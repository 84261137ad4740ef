"""A tar as one more layer: sent once, proven by others, and nothing beneath it moved."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry_fp import (
    BlobMoved,
    Client,
    Event,
    InvalidImage,
    LocalIo,
    Misconfigured,
    NotFound,
    Op,
    SourceChanged,
    Unsupported,
    unwrap,
)
from registry_fp.domain.edit import LayerNote
from registry_fp.domain.media_type import Compression
from registry_fp.effect.exits import Err, settle
from registry_fp.pipelines.edit import append_layer
from registry_fp.pipelines.rewritten import RewriteOptions
from tests.acceptance.reader import read_archive
from tests.formats.place import DOCKER, OCI, Place, fresh, layer_tar, sha256
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool

TAR = layer_tar({"etc/ssl/ca.pem": b"certificate" * 1000})
NOTE = LayerNote("2024-01-01T00:00:00Z", "append ca.pem", "ours")


async def _reason(op: Op[Any]) -> object:
    out = await settle(op)
    assert isinstance(out, Err), out
    return out.error.reason


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    """A layer on disk."""
    path = tmp_path / "layer.tar"
    path.write_bytes(TAR)
    return path


@pytest.mark.parametrize(("compression", "suffix"), [(None, "gzip"), ("gzip", "gzip"), ("none", "")])
@pytest.mark.parametrize("kind", [DOCKER, OCI])
async def test_the_layer_lies_on_top_and_the_configuration_knows_it(
    kind: str, compression: Compression | None, suffix: str, *, place: Place, client: Client, tar: Path
) -> None:
    """Its digest is the sent bytes', its diff_id the tar's, and the history says where it came from."""
    history = [{"created_by": "one"}, {"created_by": "two"}]
    place.image("1", kind=kind, config={"history": history})
    both = (f"{place.repository}:1", f"{place.repository}:2")
    done = await unwrap(append_layer(client, *both, tar, note=NOTE, compression=compression))
    before, after = place.manifest("1")[0], place.manifest("2")[0]
    assert {**after, "config": 0, "layers": after["layers"][:-1]} == {**before, "config": 0}
    top = after["layers"][-1]
    sent = place.blob(top)
    assert (gzip.decompress(sent) if suffix else sent) == TAR
    joint = "." if kind == DOCKER else "+"
    assert top["mediaType"].endswith(f"tar{joint}{suffix}" if suffix else ".tar")
    was, became = (json.loads(place.blob(each["config"])) for each in (before, after))
    assert became["rootfs"]["diff_ids"] == [*was["rootfs"]["diff_ids"], sha256(TAR)]
    line = {"created": NOTE.created, "created_by": NOTE.created_by, "comment": NOTE.comment}
    assert became["history"] == [*history, line]
    assert {**became, "rootfs": 0, "history": 0} == {**was, "rootfs": 0, "history": 0}
    assert done.moved == top["size"] + after["config"]["size"]


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda content: gzip.compress(content[:700]) + gzip.compress(content[700:])]
)
async def test_a_compressed_tar_is_sent_as_it_is(
    pack: Callable[[bytes], bytes], embedded: Place, client: Client, tar: Path
) -> None:
    """Somebody may know its digest already."""
    _write(tar, pack(TAR))
    embedded.image("1")
    await unwrap(append_layer(client, f"{embedded.repository}:1", f"{embedded.repository}:2", tar))
    image = embedded.manifest("2")[0]
    assert image["layers"][-1]["digest"] == sha256(pack(TAR))
    assert json.loads(embedded.blob(image["config"]))["rootfs"]["diff_ids"][-1] == sha256(TAR)


async def test_a_layer_that_is_there_is_not_sent_again(embedded: Place, client: Client, tar: Path) -> None:
    """The bytes are the same every time, so they have a name before they are sent."""
    assert embedded.registry is not None
    embedded.image("1")
    both = (f"{embedded.repository}:1", f"{embedded.repository}:2")
    first = await unwrap(append_layer(client, *both, tar))
    embedded.registry.reset_counts()
    second = await unwrap(append_layer(client, *both, tar))
    assert (second.digest, second.moved, embedded.registry.counts().blob_bytes_in) == (first.digest, 0, 0)


async def test_every_image_of_an_index_gets_the_layer_and_it_is_sent_once(
    embedded: Place, client: Client, tar: Path
) -> None:
    """Certificates, for example, are the same on every machine."""
    embedded.index("1", [embedded.image(None, architecture=name) for name in ("amd64", "arm64")])
    done = await unwrap(append_layer(client, f"{embedded.repository}:1", f"{embedded.repository}:2", tar))
    tops = {
        embedded.manifest(entry["digest"])[0]["layers"][-1]["digest"]
        for entry in embedded.manifest("2")[0]["manifests"]
    }
    assert len(tops) == 1
    assert [str(blob.descriptor.digest) in tops for blob in done.blobs if blob.outcome == "uploaded"].count(True) == 1


async def test_a_large_layer_is_compressed_again_while_it_is_sent(embedded: Place, client: Client, tar: Path) -> None:
    """It is not kept in memory until it is sent, and the second time gives the same bytes as the first."""
    content = layer_tar({"noise": random.Random(1).randbytes(20 * 1024 * 1024)})  # noqa: S311  bytes, not secrets
    _write(tar, content)
    embedded.image("1")
    await unwrap(append_layer(client, f"{embedded.repository}:1", f"{embedded.repository}:2", tar))
    top = embedded.manifest("2")[0]["layers"][-1]
    assert top["size"] > 16 * 1024 * 1024
    assert gzip.decompress(embedded.blob(top)) == content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", InvalidImage),
        (b"no tar at all" * 100, InvalidImage),
        (gzip.compress(b"no tar at all" * 100), InvalidImage),
        (gzip.compress(TAR)[:-9], InvalidImage),
        (gzip.compress(TAR) + b"something else", InvalidImage),
        (lzma.compress(TAR), Unsupported),
        (bz2.compress(TAR), Unsupported),
    ],
)
async def test_what_is_no_layer_is_refused_before_any_request(
    content: bytes, reason: type, embedded: Place, client: Client, tar: Path
) -> None:
    """Nothing is half done."""
    assert embedded.registry is not None
    _write(tar, content)
    both = (f"{embedded.repository}:1", f"{embedded.repository}:2")
    assert isinstance(await _reason(append_layer(client, *both, tar)), reason)
    assert embedded.registry.requests == ()


async def test_what_cannot_be_read_or_asked_for_is_refused_before_any_request(
    embedded: Place, client: Client, tar: Path, tmp_path: Path
) -> None:
    """A folder, a pipe, a path that is not there, a level that there is not, a note that cannot be written."""
    assert embedded.registry is not None
    both = (f"{embedded.repository}:1", f"{embedded.repository}:2")
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path, LocalIo), (tmp_path / "none", LocalIo), (tmp_path / "pipe", Unsupported)):
        assert isinstance(await _reason(append_layer(client, *both, path)), kind)
    assert isinstance(await _reason(append_layer(client, *both, tar, compression="gzip", level=77)), Misconfigured)
    assert isinstance(await _reason(append_layer(client, *both, tar, note=LayerNote(comment="\0"))), Misconfigured)
    assert embedded.registry.requests == ()
    assert isinstance(await _reason(append_layer(client, *both, tar)), NotFound)


async def test_zstd_goes_into_oci_and_not_into_docker(embedded: Place, client: Client, tar: Path) -> None:
    """Docker's manifests have no name for it."""
    embedded.image("oci")
    embedded.image("docker", kind=DOCKER)
    target = f"{embedded.repository}:2"
    await unwrap(append_layer(client, f"{embedded.repository}:oci", target, tar, compression="zstd"))
    top = embedded.manifest("2")[0]["layers"][-1]
    assert top["mediaType"] == "application/vnd.oci.image.layer.v1.tar+zstd"
    assert embedded.blob(top).startswith(bytes.fromhex("28b52ffd"))
    refused = await _reason(append_layer(client, f"{embedded.repository}:docker", target, tar, compression="zstd"))
    assert isinstance(refused, Unsupported)


async def test_skopeo_unpacks_the_image_with_its_new_layer(
    real_registry: RealRegistry, client: Client, skopeo: Tool, tar: Path, tmp_path: Path
) -> None:
    """Every layer is what the configuration says, to another reader."""
    place = Place(real_registry.host, fresh())
    base = layer_tar({"etc/motd": b"hello"})
    rootfs = {"type": "layers", "diff_ids": [sha256(base)]}
    place.image("1", layers=[gzip.compress(base)], config={"rootfs": rootfs})
    await unwrap(append_layer(client, f"{place.repository}:1", f"{place.repository}:2", tar, note=NOTE))
    archive = tmp_path / "image.tar"
    await skopeo("copy", "--src-tls-verify=false", f"docker://{place.repository}:2", f"docker-archive:{archive}:app:1")
    assert read_archive(archive)[0].diff_ids == (sha256(base), sha256(TAR))


async def test_a_tar_that_changes_while_it_is_sent_is_noticed(embedded: Place, client: Client, tar: Path) -> None:
    """What was sent would be neither the file that was nor the one that is; the tag stays what it was."""
    assert embedded.registry is not None
    _write(tar, layer_tar({"noise": random.Random(2).randbytes(24 * 1024 * 1024)}))  # noqa: S311  bytes, not secrets
    embedded.image("1")
    embedded.image("2", layers=[b"before"])
    before = embedded.manifest("2")[1]

    def meddle(event: Event) -> None:
        if isinstance(event, BlobMoved) and event.sent > 1024 * 1024:
            os.utime(tar, (1, 1))

    both = (f"{embedded.repository}:1", f"{embedded.repository}:2")
    op = append_layer(client, *both, tar, options=RewriteOptions(on_event=meddle))
    assert isinstance(await _reason(op), SourceChanged)
    assert embedded.manifest("2")[1] == before
    assert embedded.registry.counts().uploads_open == 0
