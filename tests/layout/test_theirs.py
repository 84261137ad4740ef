"""Layouts that other programs write are pushed with every digest kept, and those programs can read the outcome."""

import json
import uuid
from pathlib import Path

import pytest

from registry_fp import connect, oci_layout, push, unwrap
from registry_fp.archive.source import any_archive
from registry_fp.pipelines.validate import validate
from tests.acceptance.reader import Reader
from tests.real.docker_registry import RealRegistry
from tests.real.tool import Tool


@pytest.mark.parametrize("name", ["umoci-oci", "skopeo-oci.tar", "skopeo-zstd-oci"])
async def test_a_layout_of_another_program_is_pushed_as_it_is(
    name: str, sample_archives: dict[str, Path], real_registry: RealRegistry, skopeo: Tool
) -> None:
    """The manifest that skopeo shows in the registry is, byte for byte, the one that it shows in the layout."""
    path = sample_archives[name]
    kind = "oci-archive" if path.is_file() else "oci"
    target = f"{real_registry.host}/team-{uuid.uuid4().hex[:12]}:1.0"
    async with connect() as client:
        pushed = await unwrap(push(client, oci_layout(path, image="1.0"), target))
        again = await unwrap(push(client, any_archive(path), target))
    theirs = await skopeo("inspect", "--raw", f"{kind}:{path}:1.0")
    ours = await skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{target}")
    assert ours.stdout == theirs.stdout
    assert (again.digest, again.sent) == (pushed.digest, 0)
    whole = await skopeo("inspect", "--tls-verify=false", f"docker://{target}")
    assert json.loads(whole.stdout)["Digest"] == str(pushed.digest)
    (image,) = await unwrap(validate(oci_layout(path)))
    assert image.manifest.digest == pushed.digest
    repository = target.removeprefix(f"{real_registry.host}/").removesuffix(":1.0")
    assert Reader(real_registry.host).tags(repository) == {"1.0"}
