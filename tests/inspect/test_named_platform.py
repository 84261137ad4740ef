"""A platform that was named is the one that is looked into, or nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry_fp import Client, inspect, list_files, oci_layout, read_file, settle, unwrap
from registry_fp.domain.errors import NoSuchPlatform
from registry_fp.effect.exits import Err
from registry_fp.pipelines.image_view import ImageNoun
from tests.copy.made import image, layer, put
from tests.inspect.layers import file, saved, tar
from tests.layout.written import write_layout
from tests.place import Place

ONE = image(layer("one"), platform="linux/s390x")
KINDS = ["registry", "layout", "archive"]


def _noun(kind: str, place: Place, folder: Path) -> ImageNoun:
    if kind == "registry":
        put(place.host, place.path, ONE, "1.0")
        return f"{place.repository}:1.0"
    if kind == "layout":
        return oci_layout(write_layout(folder / "app", ONE))
    return saved(folder / "app.tar", tar(file("one")))  # for linux/amd64


@pytest.mark.parametrize("kind", KINDS)
async def test_a_single_image_of_another_platform_is_not_shown_for_it(
    kind: str, place: Place, client: Client, tmp_path: Path
) -> None:
    """Who asks what runs on a mainframe must not be told what runs elsewhere, because nothing else was there."""
    noun = _noun(kind, place, tmp_path)
    own = "linux/amd64" if kind == "archive" else "linux/s390x"
    for question in (
        list_files(client, noun, platform="windows/amd64"),
        read_file(client, noun, "one", platform="windows/amd64"),
        inspect(client, noun, platform="windows/amd64"),
    ):
        out = await settle(question)
        assert isinstance(out, Err)
        assert out.error.reason == NoSuchPlatform("windows/amd64", (own,))
    assert [each.path for each in await unwrap(list_files(client, noun, platform=own))] == ["one"]
    assert [each.path for each in await unwrap(list_files(client, noun))] == ["one"]  # nobody has named a platform
