"""A pull over a line that breaks all the time."""

import random
from pathlib import Path

import pytest

from registry_fp import ImageSource, Settings, connect, docker_save, oci_layout, pull, push, unwrap
from registry_fp.testing import DropAfter, EmbeddedRegistry, Fault
from tests.copy import made
from tests.transport.clocks import InstantClock

_LAYER = 6_000_000
_CUTS = 100


@pytest.mark.parametrize("kind", ["docker archive", "layout archive", "layout folder"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_pull_that_is_cut_a_hundred_times_is_byte_exact_and_fetches_little_twice(
    kind: str, seed: int, embedded_registry: EmbeddedRegistry, tmp_path: Path
) -> None:
    """At random places; what has come is kept, and only the rest is asked for."""
    chance = random.Random(seed)  # noqa: S311  no secret
    image = made.image(made.layer(f"large {seed}", _LAYER), made.layer("small"))
    made.put(embedded_registry.host, "app", image, "1.0")
    large = max(image.blobs, key=lambda digest: len(image.blobs[digest]))
    cuts = [DropAfter(chance.randrange(1_000, 2 * _LAYER // _CUTS // 3)) for _ in range(_CUTS)]
    embedded_registry.set_faults(
        *(Fault(cut, method="GET", path=large, nth=(nth,)) for nth, cut in enumerate(cuts, start=1))
    )
    embedded_registry.reset_counts()
    targets: dict[str, ImageSource] = {
        "docker archive": docker_save(tmp_path / "app.tar"),
        "layout archive": oci_layout(tmp_path / "layout.tar"),
        "layout folder": oci_layout(tmp_path / "layout"),
    }
    async with connect(Settings(cache=False), clock=InstantClock().clock) as client:
        await unwrap(pull(client, f"{embedded_registry.host}/app:1.0", targets[kind]))
        counts = embedded_registry.counts()
        assert counts.by_method["GET"] >= _CUTS
        assert counts.blob_bytes_out <= 1.1 * sum(map(len, image.content.values()))
        embedded_registry.set_faults()
        pushed = await unwrap(push(client, targets[kind], f"{embedded_registry.host}/again:1.0"))
    if kind != "docker archive":  # which holds the layers unpacked
        made.check(embedded_registry.host, "again", image, "1.0")
    assert {str(blob.descriptor.digest) for blob in pushed.blobs} >= {_config(image)}


def _config(image: made.Made) -> str:
    return next(digest for digest, content in image.blobs.items() if content.startswith(b"{"))
