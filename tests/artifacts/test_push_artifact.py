"""Pushing files: what the registry holds afterwards, down to the byte, and what cannot be pushed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from registry_fp import (
    BadReference,
    Client,
    Descriptor,
    Err,
    InvalidImage,
    LocalIo,
    NotFound,
    SourceChanged,
    digest_of,
    settle,
    unwrap,
)
from registry_fp.domain.artifact import EMPTY_DESCRIPTOR, render_artifact
from registry_fp.domain.errors import Misconfigured, Unsupported
from registry_fp.domain.model import Annotations
from registry_fp.pipelines.artifact import ArtifactOptions, push_artifact
from registry_fp.pipelines.artifact_file import ArtifactFile
from registry_fp.pipelines.artifact_pull import PullArtifactOptions, pull_artifact
from registry_fp.pipelines.event import BlobDone, BlobMoved, BlobStarted, Event, ImageRead
from tests.acceptance.reader import OCI, Reader
from tests.artifacts.conftest import Site
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool

CREATED = {"org.opencontainers.image.created": "2020-01-01T00:00:00Z"}


async def test_the_registry_holds_every_file_under_its_title(site: Site, client: Client, files: list[Path]) -> None:
    """Proven by a reader that uses none of our code: manifest, config and each layer."""
    pushed = await unwrap(push_artifact(client, files, f"{site.repository}:1"))
    got = await site.get("manifests/1", Accept=OCI)
    assert str(pushed.digest) == f"sha256:{hashlib.sha256(got.body).hexdigest()}"
    manifest = json.loads(got.body)
    assert manifest["artifactType"] == "application/vnd.unknown.artifact.v1"
    assert [layer["annotations"]["org.opencontainers.image.title"] for layer in manifest["layers"]] == [
        "report.json",
        "empty",
        "large.bin",
    ]
    for layer, file in zip(manifest["layers"], files, strict=True):
        blob = await site.get(f"blobs/{layer['digest']}")
        assert (blob.body, layer["size"]) == (file.read_bytes(), file.stat().st_size)
    assert (await site.get(f"blobs/{manifest['config']['digest']}")).body == b"{}"
    assert pushed.sent == 2 + sum(file.stat().st_size for file in files)


async def test_the_same_files_again_send_nothing(site: Site, client: Client, files: list[Path]) -> None:
    """No time is written into the manifest, so the same files are the same artifact."""
    first = await unwrap(push_artifact(client, files, f"{site.repository}:1"))
    second = await unwrap(push_artifact(client, files, f"{site.repository}:2"))
    assert (second.digest, second.sent) == (first.digest, 0)
    assert await site.tags() == {"1", "2"}


async def test_whoever_watches_is_told_of_every_blob_before_it_moves(
    site: Site, client: Client, files: list[Path], tmp_path: Path
) -> None:
    """A terminal draws a line for each blob that it was told of, and has none for another."""
    seen: list[Event] = []
    name = f"{site.repository}:1"
    await unwrap(push_artifact(client, files, name, options=ArtifactOptions(on_event=seen.append)))
    options = PullArtifactOptions(on_event=seen.append)
    await unwrap(pull_artifact(client, name, tmp_path / "pulled", options=options))
    known: set[str] = set()
    for event in seen:
        if isinstance(event, ImageRead):
            known = {blob for blob, _ in event.blobs}
        elif isinstance(event, BlobStarted | BlobMoved | BlobDone):
            assert event.blob in known
    assert [event.target for event in seen if isinstance(event, ImageRead)] == [name, str(tmp_path / "pulled")]


def test_the_bytes_are_written_down() -> None:
    """What `oras push` writes for this, recorded: a change of one byte is another digest for everybody's artifacts."""
    layer = Descriptor(
        media_type="application/vnd.oci.image.layer.v1.tar",
        digest=digest_of(b"hello\n"),
        size=6,
        annotations=Annotations({"org.opencontainers.image.title": "a.txt"}),
    )
    written = render_artifact(
        "application/vnd.example", EMPTY_DESCRIPTOR, (layer,), annotations={"z": "<&>é\u2028", **CREATED}
    )
    assert (
        written.unwrap().raw.decode() == '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",'
        '"artifactType":"application/vnd.example","config":{"mediaType":"application/vnd.oci.empty.v1+json",'
        '"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},'
        '"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",'
        '"digest":"sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03","size":6,'
        '"annotations":{"org.opencontainers.image.title":"a.txt"}}],'
        '"annotations":{"org.opencontainers.image.created":"2020-01-01T00:00:00Z",'
        '"z":"\\u003c\\u0026\\u003eé\\u2028"}}'
    )


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["--artifact-type", "application/vnd.example"], ArtifactOptions(artifact_type="application/vnd.example")),
        ([], ArtifactOptions()),
        (["--annotation", "a=<&>é\u2028\t"], ArtifactOptions(annotations={"a": "<&>é\u2028\t"})),
        (
            ["--config", "config.json:application/vnd.c"],
            ArtifactOptions(config=b'{"x":1}', config_type="application/vnd.c"),
        ),
        (
            ["--config", "config.json", "--artifact-type", "a/b"],
            ArtifactOptions(config=b'{"x":1}', artifact_type="a/b"),
        ),
    ],
    ids=["type", "no type", "annotation", "typed config", "config"],
)
@pytest.mark.parametrize("named", [("a.txt", "sub/b.bin:application/x-b"), ()], ids=["files", "no files"])
async def test_the_digest_is_the_one_of_oras(  # noqa: PLR0917  fixtures and parameters
    arguments: list[str],
    options: ArtifactOptions,
    named: tuple[str, ...],
    tmp_path: Path,
    oras: Tool,
    real_registry: RealRegistry,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever pushes the same files, by this library or by the reference tool, pushes the same artifact."""
    host = real_registry.host
    repository = f"{host}/oras-{os.urandom(6).hex()}"
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_bytes(b"hello\n")
    (tmp_path / "sub/b.bin").write_bytes(b"\0\1\2")
    (tmp_path / "config.json").write_bytes(b'{"x":1}')
    monkeypatch.chdir(tmp_path)
    created = [word for pair in CREATED.items() for word in ("--annotation", "=".join(pair))]
    await oras("push", "--plain-http", *created, *arguments, f"{repository}:theirs", *named)
    ours = ArtifactOptions(
        artifact_type=options.artifact_type,
        annotations={**options.annotations, **CREATED},
        config=options.config,
        config_type=options.config_type,
    )
    listed = [
        ArtifactFile(name, media_type=kind) if kind else name for name, _, kind in (n.partition(":") for n in named)
    ]
    pushed = await unwrap(push_artifact(client, listed, f"{repository}:ours", options=ours))
    path = repository.partition("/")[2]
    theirs = Reader(host).get(f"{path}/manifests/theirs", Accept=OCI)
    assert Reader(host).get(f"{path}/manifests/ours", Accept=OCI).body == theirs.body
    assert str(pushed.digest) == theirs.headers["Docker-Content-Digest"]


async def test_oras_pulls_what_was_pushed(
    site: Site, client: Client, files: list[Path], tmp_path: Path, oras: Tool
) -> None:
    """An artifact is for other tools to read."""
    await unwrap(push_artifact(client, files, f"{site.repository}:1"))
    await oras("pull", "--plain-http", "--output", tmp_path / "theirs", f"{site.repository}:1")
    for file in files:
        assert (tmp_path / "theirs" / file.name).read_bytes() == file.read_bytes()


async def test_the_bytes_of_the_files_are_told_while_they_move(gated: Site, client: Client, files: list[Path]) -> None:
    """Who watches can draw a bar."""
    seen: list[Event] = []
    await unwrap(push_artifact(client, files, f"{gated.repository}:1", options=ArtifactOptions(on_event=seen.append)))
    moved: Mapping[str, int] = {event.blob: event.sent for event in seen if isinstance(event, BlobMoved)}
    assert max(moved.values()) == files[2].stat().st_size


@pytest.mark.parametrize("moment", ["before it is sent", "while it is sent"])
async def test_a_file_that_changes_on_its_way_is_no_artifact(
    moment: str, gated: Site, client: Client, files: list[Path]
) -> None:
    """The digest was of other bytes; nobody gets half of the one and half of the other."""
    assert gated.gate is not None
    assert gated.embedded is not None

    def written() -> None:
        with files[2].open("r+b") as file:
            file.write(b"changed")

    async def before(method: str, path: str) -> None:
        if method == "POST":
            written()

    def while_moving(event: Event) -> None:
        if isinstance(event, BlobMoved) and event.sent == 1024 * 1024:
            written()

    if moment == "before it is sent":
        gated.gate.before = before
    options = ArtifactOptions(on_event=while_moving if moment == "while it is sent" else lambda _: None)
    out = await settle(push_artifact(client, files[2], f"{gated.repository}:1", options=options))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, SourceChanged)
    assert await gated.tags() == set()
    assert gated.embedded.counts().uploads_open == 0


@pytest.mark.parametrize(
    ("files", "options", "reason"),
    [
        ("none", ArtifactOptions(), LocalIo),
        (".", ArtifactOptions(), InvalidImage),
        ([ArtifactFile("a", title="../a")], ArtifactOptions(), InvalidImage),
        ([ArtifactFile("a", title="x"), ArtifactFile("b", title="./x")], ArtifactOptions(), InvalidImage),
        ([ArtifactFile("a", media_type="tar")], ArtifactOptions(), Misconfigured),
        ([], ArtifactOptions(artifact_type="sbom"), Misconfigured),
        ([], ArtifactOptions(config_type="a/b"), Misconfigured),
        ([], ArtifactOptions(concurrency=0), Misconfigured),
        ("/dev/null", ArtifactOptions(), Unsupported),
        ("a\0b", ArtifactOptions(), InvalidImage),
        ([ArtifactFile("a\0b", title="x")], ArtifactOptions(), LocalIo),
        ([ArtifactFile("\udcff\ud800", title="x")], ArtifactOptions(), LocalIo),
    ],
    ids=lambda value: None,
)
async def test_what_cannot_be_pushed_is_refused_before_any_request(
    files: str | list[str | ArtifactFile], options: ArtifactOptions, reason: type, gated: Site, client: Client
) -> None:
    """A mistake costs no traffic, and leaves nothing behind."""
    assert gated.embedded is not None
    out = await settle(push_artifact(client, files, f"{gated.repository}:1", options=options))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, reason), out
    assert gated.embedded.requests == ()


async def test_a_pipe_is_refused_and_does_not_wait_for_its_writer(gated: Site, client: Client, tmp_path: Path) -> None:
    """It could be read only once, and a push reads twice."""
    os.mkfifo(tmp_path / "pipe")
    out = await settle(push_artifact(client, tmp_path / "pipe", f"{gated.repository}:1"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unsupported)


async def test_a_push_names_a_tag(gated: Site, client: Client) -> None:
    """The digest is what comes out of it."""
    out = await settle(push_artifact(client, [], f"{gated.repository}@sha256:{'0' * 64}"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, BadReference)


async def test_a_subject_is_in_the_same_repository_and_there(gated: Site, client: Client) -> None:
    """Who points elsewhere points nowhere: referrers are listed by repository."""
    for name, reason in ((f"{gated.host}/other:1", BadReference), (f"{gated.repository}:none", NotFound)):
        out = await settle(push_artifact(client, [], f"{gated.repository}:1", options=ArtifactOptions(subject=name)))
        assert isinstance(out, Err)
        assert isinstance(out.error.reason, reason)


async def test_a_cancelled_push_leaves_no_upload_open(gated: Site, client: Client, files: list[Path]) -> None:
    """A registry keeps what it got of an upload until somebody gives it up."""
    assert gated.gate is not None
    assert gated.embedded is not None
    begun = asyncio.Event()

    async def stop(method: str, path: str) -> None:
        if method == "PUT":
            begun.set()
            await asyncio.Event().wait()

    gated.gate.before = stop
    job = asyncio.ensure_future(settle(push_artifact(client, files[2], f"{gated.repository}:1")))
    await begun.wait()
    gated.gate.before = None
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert gated.embedded.counts().uploads_open == 0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has such files")
async def test_a_file_that_has_more_than_it_says_is_refused(gated: Site, client: Client) -> None:
    """The files of /proc are 0 bytes long and are not empty; an empty blob in their place would be no success."""
    out = await settle(push_artifact(client, Path("/proc/self/status"), f"{gated.repository}:1"))
    assert isinstance(out, Err)
    assert isinstance(out.error.reason, Unsupported)
    assert gated.embedded is not None
    assert gated.embedded.requests == ()
