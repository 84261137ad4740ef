"""`push`: what it prints, what it says meanwhile, and what its options do."""

import json
from pathlib import Path

import pytest

from registry_fp.testing import Answer, EmbeddedRegistry, Fault, sample_image, write_docker_save
from tests.cli.shell import call, run
from tests.copy.made import image, layer
from tests.layout.written import blob, containerd_index, entry, write_layout

Capture = pytest.CaptureFixture[bytes]


def test_a_push_prints_the_reference_and_its_digest(
    registry: EmbeddedRegistry, archive: Path, capfdbinary: Capture
) -> None:
    """One line, ready for `docker pull`; and in a build's log plain lines, even where colour is forced."""
    name = f"{registry.host}/team/app:1.0"
    pushed = run("push", str(archive), name, env={"FORCE_COLOR": "1", "CI": "true"})
    digest = call(capfdbinary, "digest", name).text.strip()
    assert (pushed.code, pushed.text) == (0, f"{name}@{digest}\n")
    told = pushed.err.splitlines()
    assert told[0] == f"{name}: 4 blobs, 1.3 MiB"
    assert told[-1] == "  manifest      stored, and confirmed"
    assert len(told) == 6
    assert sum("uploaded" in line for line in told) == 4
    assert "\x1b" not in pushed.err
    assert "\r" not in pushed.err


def test_json_tells_the_fate_of_every_blob(registry: EmbeddedRegistry, archive: Path, capfdbinary: Capture) -> None:
    """The schema is an interface; sent is what went over the wire, and the second time that is nothing."""
    name = f"{registry.host}/team/app:1.0"
    first = call(capfdbinary, "push", str(archive), name, "-o", "json")
    document = first.document
    assert first.err == ""
    assert list(document) == ["reference", "digest", "media_type", "size", "sent", "blobs"]
    assert [list(blob) for blob in document["blobs"]] == [
        ["name", "digest", "size", "media_type", "outcome", "sent"]
    ] * 4
    assert document["sent"] == sum(blob["sent"] for blob in document["blobs"]) == registry.counts().blob_bytes_in
    again = call(capfdbinary, "push", str(archive), name, "-o", "json").document
    assert (again["digest"], again["sent"]) == (document["digest"], 0)
    assert {blob["outcome"] for blob in again["blobs"]} == {"exists"}


def test_ndjson_streams_what_happens(registry: EmbeddedRegistry, archive: Path, capfdbinary: Capture) -> None:
    """One object for each event, and the last is the pushed image."""
    name = f"{registry.host}/team/app:1.0"
    events = call(capfdbinary, "push", str(archive), name, "-o", "ndjson").objects
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-2:]) == ("image_read", ["manifest_stored", "pushed"])
    assert kinds.count("blob_started") == kinds.count("blob_done") == len(events[0]["blobs"]) == 4
    assert events[-1]["digest"] == events[-2]["digest"]


def test_quiet_prints_the_digest_and_says_nothing(
    registry: EmbeddedRegistry, archive: Path, capfdbinary: Capture
) -> None:
    """`DIGEST=$(registry-fp push -o quiet ...)`."""
    name = f"{registry.host}/team/app:1.0"
    pushed = call(capfdbinary, "push", str(archive), name, "-o", "quiet")
    assert (pushed.text, pushed.err) == (call(capfdbinary, "digest", name).text, "")


def test_no_progress_leaves_only_the_result(registry: EmbeddedRegistry, archive: Path, capfdbinary: Capture) -> None:
    """Some logs are read by people who pay for each line."""
    pushed = call(capfdbinary, "push", str(archive), f"{registry.host}/team/app:1.0", "--no-progress")
    assert (pushed.code, pushed.err, pushed.text.count("\n")) == (0, "", 1)


@pytest.mark.parametrize(("compression", "suffix"), [("gzip", "+gzip"), ("zstd", "+zstd"), ("none", ".tar")])
def test_compression_is_chosen(
    compression: str, suffix: str, registry: EmbeddedRegistry, archive: Path, capfdbinary: Capture
) -> None:
    """What was asked for is what the manifest says."""
    name = f"{registry.host}/team/app:1.0"
    options = ("--compression", compression, "--concurrency", "2", *(() if compression == "none" else ("--level", "2")))
    assert call(capfdbinary, "push", str(archive), name, *options).code == 0
    manifest = call(capfdbinary, "manifest", name).document
    assert all(layer["mediaType"].endswith(suffix) for layer in manifest["layers"])


@pytest.fixture
def two_images(tmp_path: Path) -> Path:
    """An archive of two images that share layers; one has two tags."""
    first = sample_image("team/app:1", "team/app:2", mebibytes=1)
    return write_docker_save(tmp_path / "two.tar", first, sample_image("web:1", mebibytes=1, seed=1)).path


def test_all_tags_pushes_every_image_under_its_own_names(
    registry: EmbeddedRegistry, two_images: Path, capfdbinary: Capture
) -> None:
    """One line for each tag; in JSON one document for all."""
    to = f"{registry.host}/mirror"
    pushed = call(capfdbinary, "push", str(two_images), "--all-tags", to)
    names = [f"{to}/team/app:1", f"{to}/team/app:2", f"{to}/library/web:1"]
    assert [line.partition("@")[0] for line in pushed.text.splitlines()] == names
    again = call(capfdbinary, "push", str(two_images), "--all-tags", to, "-o", "json").document
    assert [each["reference"] for each in again["pushed"]] == names
    streamed = call(capfdbinary, "push", str(two_images), "--all-tags", to, "-o", "ndjson").objects
    assert [event["reference"] for event in streamed if event["event"] == "pushed"] == names


def test_where_some_of_many_fail_the_others_are_results_and_each_failure_has_its_line(
    registry: EmbeddedRegistry, two_images: Path, capfdbinary: Capture
) -> None:
    """Exit code 1 means: look at both streams."""
    registry.set_faults(Fault(Answer(403), method="PUT", path="/web/manifests/"))
    pushed = call(capfdbinary, "push", str(two_images), "--all-tags", registry.host, "--no-progress")
    assert pushed.code == 1
    assert [line.partition("@")[0] for line in pushed.text.splitlines()] == [
        f"{registry.host}/team/app:1",
        f"{registry.host}/team/app:2",
    ]
    total, failed, hint = pushed.err.splitlines()
    assert total == f"error: push_all {two_images}: 1 of 2 failed"
    assert failed.startswith(f"error: put_manifest {registry.host}/library/web:1: Denied: ")
    assert hint.startswith("hint: check that the account may write")


def test_several_failures_are_several_errors_in_json(
    registry: EmbeddedRegistry, two_images: Path, capfdbinary: Capture
) -> None:
    """One object, and each failure is in it."""
    registry.set_faults(Fault(Answer(403), method="PUT", endpoint="end-7"))
    pushed = call(capfdbinary, "push", str(two_images), "--all-tags", registry.host, "-o", "json")
    assert (pushed.code, pushed.out) == (1, b"")
    error = json.loads(pushed.err)["error"]
    assert (error["reason"], error["exit_code"]) == ("SeveralFailed", 1)
    assert [inner["reason"] for inner in error["errors"]] == ["Denied", "Denied"]


def test_all_tags_of_a_layout_and_what_of_it_is_left_out_is_said(
    registry: EmbeddedRegistry, tmp_path: Path, capfdbinary: Capture
) -> None:
    """Of an index of which a part is there that part is pushed, where it is asked for; nobody takes it for all."""
    part = containerd_index(image(layer(name), platform=name) for name in ("linux/amd64", "linux/arm64"))
    folder = write_layout(tmp_path / "all", part, entries=[entry(part, "app:1"), entry(part, "app:2")])
    blob(folder, part.listed[1].digest).unlink()
    to = f"{registry.host}/mirror"
    refused = call(capfdbinary, "push", str(folder), "--all-tags", to, "--no-progress")
    assert (refused.code, refused.text) == (65, "")
    pushed = call(capfdbinary, "push", str(folder), "--all-tags", to, "--present", "--no-progress")
    names = [line.partition("@")[0] for line in pushed.text.splitlines()]
    assert (pushed.code, names) == (0, [f"{to}/library/app:1", f"{to}/library/app:2"])
    left_out = [
        f"warning: left out of the index, because it is not all there: {platform}, {part.listed[at].digest}"
        for platform, at in (("linux/arm64", 1), ("unknown/unknown", 3))
    ]
    assert sorted(pushed.err.splitlines()) == sorted(left_out)
    one = call(capfdbinary, "push", str(folder), f"{to}:1", "--present", "-o", "quiet")
    assert (one.code, sorted(one.err.splitlines())) == (0, sorted(left_out))
