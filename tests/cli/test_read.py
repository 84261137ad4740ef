"""Reading commands: each of them, in each form."""

import hashlib
import json

import pytest

from registry_fp.testing import EmbeddedRegistry
from tests.cli.conftest import Shelf
from tests.cli.shell import call
from tests.copy import made

Capture = pytest.CaptureFixture[bytes]


def test_an_answer_is_all_that_is_printed(shelf: Shelf, capfdbinary: Capture) -> None:
    """What a shell script reads with `$(...)` has no decoration."""
    tags = call(capfdbinary, "tags", shelf.repository)
    assert (tags.code, tags.text, tags.err) == (0, "1.0\nlatest\nmany\n", "")
    assert call(capfdbinary, "ping", shelf.host).text == f"{shelf.host} answers\n"
    assert call(capfdbinary, "repos", shelf.host).text == "team/app\n"
    assert call(capfdbinary, "digest", f"{shelf.repository}:1.0").text == f"{shelf.image}\n"


def test_a_manifest_is_printed_byte_for_byte(shelf: Shelf, capfdbinary: Capture) -> None:
    """Its digest is over its bytes: not one may be added, not even a newline."""
    for form in ("text", "quiet"):
        shown = call(capfdbinary, "manifest", f"{shelf.repository}:1.0", "-o", form)
        assert (shown.code, shown.err) == (0, "")
        assert hashlib.sha256(shown.out).hexdigest() == shelf.image.hex


def test_a_configuration_is_printed_byte_for_byte(shelf: Shelf, capfdbinary: Capture) -> None:
    """It is the image's id, so the same holds."""
    manifest = call(capfdbinary, "manifest", f"{shelf.repository}:1.0").document
    shown = call(capfdbinary, "config", f"{shelf.repository}:1.0")
    assert f"sha256:{hashlib.sha256(shown.out).hexdigest()}" == manifest["config"]["digest"]


def test_json_says_what_a_manifest_and_a_configuration_are(shelf: Shelf, capfdbinary: Capture) -> None:
    """For whoever wants the facts and the content in one document."""
    name = f"{shelf.repository}:1.0"
    manifest = call(capfdbinary, "manifest", name, "-o", "json").document
    raw = call(capfdbinary, "manifest", name).out
    assert manifest.pop("manifest") == json.loads(raw)
    media_type = "application/vnd.oci.image.manifest.v1+json"
    assert manifest == {"reference": name, "digest": str(shelf.image), "media_type": media_type, "size": len(raw)}
    config = call(capfdbinary, "config", name, "-o", "ndjson").document
    assert config.pop("config")["os"] == "linux"
    assert list(config) == ["reference", "digest", "media_type", "size"]


def test_json_has_a_schema_for_each_small_answer(shelf: Shelf, capfdbinary: Capture) -> None:
    """Programs rely on these names."""
    tags = ["1.0", "latest", "many"]
    listed = call(capfdbinary, "tags", shelf.repository, "-o", "json").document
    assert listed == {"repository": shelf.repository, "tags": tags}
    known = call(capfdbinary, "repos", shelf.host, "-o", "json").document
    assert known == {"host": shelf.host, "repositories": ["team/app"]}
    assert call(capfdbinary, "ping", shelf.host, "-o", "json").document == {"host": shelf.host, "ok": True}
    found = call(capfdbinary, "digest", f"{shelf.repository}:many", "-o", "json").document
    assert found["digest"] == str(shelf.index)
    assert list(found) == ["reference", "digest", "media_type", "size", "platform"]


def test_ndjson_has_one_object_a_line(shelf: Shelf, capfdbinary: Capture) -> None:
    """A list is a stream of things, one on each line."""
    streamed = call(capfdbinary, "tags", shelf.repository, "-o", "ndjson").objects
    assert streamed == [{"repository": shelf.repository, "tag": tag} for tag in ("1.0", "latest", "many")]
    streamed = call(capfdbinary, "repos", shelf.host, "-o", "ndjson").objects
    assert streamed == [{"host": shelf.host, "repository": "team/app"}]


def test_quiet_prints_the_essential(shelf: Shelf, capfdbinary: Capture) -> None:
    """For ping that is nothing: the exit code says it."""
    assert call(capfdbinary, "ping", shelf.host, "-o", "quiet").out == b""
    assert call(capfdbinary, "tags", shelf.repository, "-o", "quiet").text == "1.0\nlatest\nmany\n"
    assert call(capfdbinary, "repos", shelf.host, "-o", "quiet").text == "team/app\n"
    assert call(capfdbinary, "digest", f"{shelf.repository}:1.0", "-o", "quiet").text == f"{shelf.image}\n"


def test_an_index_has_no_configuration(shelf: Shelf, capfdbinary: Capture) -> None:
    """It would be a guess which platform's was meant; the error says what to do instead."""
    refused = call(capfdbinary, "config", f"{shelf.repository}:many")
    assert (refused.code, refused.out) == (76, b"")
    assert "name one of its manifests by digest" in refused.err


def test_a_blob_is_taken_up_to_a_limit(registry: EmbeddedRegistry, capfdbinary: Capture) -> None:
    """Nobody has promised how large it is, and a disk is only so large."""
    content = made.layer("a", 300_000)
    made.put(registry.host, "app", made.image(content))
    name = f"{registry.host}/app@{made.sha256(content)}"
    assert call(capfdbinary, "blob", name, "--limit", str(len(content))).out == content
    refused = call(capfdbinary, "blob", name, "--limit", str(len(content) - 1))
    assert refused.code == 65
    assert f"{name}: LimitExceeded: " in refused.err
