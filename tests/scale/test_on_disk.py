"""Very many images, and very many layers, from a registry to the disk and back."""

from pathlib import Path

import pytest

from registry_fp import Client, docker_save, push, unwrap
from registry_fp.archive.source import oci_layout
from registry_fp.pipelines.pull import PullOptions, pull
from registry_fp.testing import running_registry, sample_image, sample_layer, write_docker_save
from tests.acceptance.reader import Reader, read_archive
from tests.place import Place, fresh
from tests.scale import filled
from tests.scale.traffic import connections, reset, traffic

EVERY = PullOptions(platform="all")
DEEP = 127
"""The most layers that Docker's overlay2 driver mounts over one another."""


@pytest.mark.parametrize("count", [10, 1_000])
async def test_every_image_of_an_index_costs_one_read_on_its_way_to_a_layout(
    count: int, client: Client, there: Place, tmp_path: Path
) -> None:
    """One request for its manifest and one for its blob; from there to a registry all are the same bytes again."""
    whole, layout = filled.index(count), oci_layout(tmp_path / "layout")
    with running_registry() as embedded:
        here = Place(embedded.host, fresh(), embedded)
        filled.put(here.host, here.path, whole, "1.0")
        reset(here)
        first = await unwrap(pull(client, f"{here.repository}:1.0", layout, options=EVERY))
        assert traffic(here) == {"GET end-3": count + 1, "GET end-2": count + 1}
        assert connections(here) <= client.settings.concurrency
        reset(here)
        again = await unwrap(pull(client, f"{here.repository}:1.0", layout, options=EVERY))
        assert (again.digest, again.moved, traffic(here)) == (first.digest, 0, {"GET end-3": 1})
    await unwrap(push(client, layout, f"{there.repository}:1.0"))
    filled.check(there.host, there.path, whole, "1.0")


async def test_an_image_of_very_many_layers_is_the_same_after_a_docker_archive(
    client: Client, here: Place, there: Place, tmp_path: Path
) -> None:
    """What `docker load` gets is what was pushed, layer by layer."""
    tars = [sample_layer({f"etc/{number}": b"x" * number}) for number in range(DEEP)]
    saved = write_docker_save(tmp_path / "app.tar", sample_image("app:1.0", layers=tars)).path
    first = await unwrap(push(client, docker_save(saved), f"{here.repository}:1.0"))
    pulled = docker_save(tmp_path / "pulled.tar")
    await unwrap(pull(client, f"{here.repository}:1.0", pulled, options=PullOptions(platform="linux/amd64")))
    assert [image.diff_ids for image in read_archive(Path(pulled.path))] == [read_archive(saved)[0].diff_ids]
    second = await unwrap(push(client, pulled, f"{there.repository}:1.0"))
    assert [each.descriptor.digest for each in second.blobs] == [each.descriptor.digest for each in first.blobs]
    Reader(there.host).prove(there.path, "1.0", read_archive(saved)[0])
