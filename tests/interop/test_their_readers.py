"""What we push, Debian's skopeo reads: the digests it sees are ours, and the copy it makes is whole."""

import hashlib
import json
import uuid
from pathlib import Path

import pytest

from registry_fp import Compression, PushOptions, Settings, connect, docker_save, push, unwrap
from tests.acceptance.images import SHAPES
from tests.acceptance.reader import OCI, read_archive
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("shape", SHAPES)
async def test_skopeo_copies_what_we_pushed_without_changing_a_byte(
    shape: str, compression: Compression, skopeo: Tool, real_registry: RealRegistry, tmp_path: Path
) -> None:
    """Skopeo is built on the library of podman and CRI-O: what it can read, they can run."""
    archive, folder = tmp_path / "app.tar", tmp_path / "copy"
    SHAPES[shape](archive)
    target = f"{real_registry.host}/team-{uuid.uuid4().hex[:12]}/app:1.0"
    async with connect(Settings(small_blob=64 * 1024)) as client:
        options = PushOptions(compression=compression)
        pushed = await unwrap(push(client, docker_save(archive), target, options=options))
    seen = json.loads((await skopeo("inspect", "--tls-verify=false", f"docker://{target}")).stdout)
    layers = [str(blob.descriptor.digest) for blob in pushed.blobs[1:]]
    assert (seen["Digest"], seen["Layers"]) == (str(pushed.digest), [*layers, layers[0]])
    assert (seen["Architecture"], seen["Os"]) == ("amd64", "linux")
    config = await skopeo("inspect", "--config", "--raw", "--tls-verify=false", f"docker://{target}")
    assert config.stdout.encode() == read_archive(archive)[0].config
    faithful = ("copy", "--src-tls-verify=false", "--preserve-digests", "--dest-oci-accept-uncompressed-layers")
    await skopeo(*faithful, f"docker://{target}", f"dir:{folder}")
    raw = (folder / "manifest.json").read_bytes()
    assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == str(pushed.digest)
    if json.loads(raw)["mediaType"] == OCI:  # the other family would be converted on its way into a layout
        await skopeo(*faithful, f"docker://{target}", f"oci:{folder / 'oci'}:1.0")
        (listed,) = json.loads((folder / "oci" / "index.json").read_bytes())["manifests"]
        assert listed["digest"] == str(pushed.digest)


@pytest.mark.parametrize("shape", ["OCI", "OCI with gzip"])
async def test_umoci_unpacks_what_we_pushed(
    shape: str, skopeo: Tool, umoci: Tool, real_registry: RealRegistry, tmp_path: Path
) -> None:
    """A runtime compares every layer with its diff_id once more before it runs anything."""
    archive, layout = tmp_path / "app.tar", tmp_path / "layout"
    SHAPES[shape](archive)
    target = f"{real_registry.host}/team-{uuid.uuid4().hex[:12]}/app:1.0"
    async with connect() as client:
        await unwrap(push(client, docker_save(archive), target))
    await skopeo("copy", "--src-tls-verify=false", f"docker://{target}", f"oci:{layout}:1.0")
    await umoci("unpack", "--rootless", "--image", f"{layout}:1.0", tmp_path / "bundle")
    assert (tmp_path / "bundle" / "rootfs" / "app" / "VERSION").read_text() == "0\n"
