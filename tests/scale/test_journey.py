"""A journey: registry, registry, layout, registry; whatever the manifest looks like, it arrives as it was written."""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings

from registry_fp import Settings, connect, push, unwrap
from registry_fp.archive.source import OciLayout, oci_layout
from registry_fp.pipelines.copy import copy
from registry_fp.pipelines.pull import PullOptions, pull
from registry_fp.testing import running_registry
from tests.copy.made import Made
from tests.place import fresh
from tests.scale import filled
from tests.scale.documents import trees


@dataclass(frozen=True, slots=True)
class Route:
    """Three registries on the way."""

    first: str
    second: str
    third: str


@pytest.fixture
def route(tmp_path: Path) -> Iterator[Route]:
    """Two registries in memory, and one in a directory between them."""
    with (
        running_registry() as one,
        running_registry(tmp_path / "store") as two,
        running_registry() as end,
    ):
        yield Route(one.host, two.host, end.host)


@settings(max_examples=40)
@given(whole=trees())
def test_any_manifest_survives_registry_to_registry_to_layout_to_registry(whole: Made, route: Route) -> None:
    """A digest is over bytes: no order of keys, white space, escape or unknown field may be written anew."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_journey(whole, route, oci_layout(Path(folder, "layout"))))


@settings(max_examples=10)
@given(whole=trees())
def test_any_manifest_survives_a_layout_in_a_tar(whole: Made, route: Route) -> None:
    """The same in one file, as people carry it over."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_journey(whole, route, oci_layout(Path(folder, "layout.tar"))))


async def _journey(whole: Made, route: Route, layout: OciLayout) -> None:
    path = fresh()
    filled.put(route.first, path, whole, "1.0")
    async with connect(Settings(cache=False)) as client:
        await unwrap(copy(client, f"{route.first}/{path}:1.0", f"{route.second}/{path}:1.0"))
        pulled = await unwrap(pull(client, f"{route.second}/{path}:1.0", layout, options=PullOptions(platform="all")))
        pushed = await unwrap(push(client, layout, f"{route.third}/{path}:1.0"))
    assert (str(pulled.digest), str(pushed.digest)) == (whole.digest, whole.digest)
    filled.check(route.third, path, whole, "1.0")
