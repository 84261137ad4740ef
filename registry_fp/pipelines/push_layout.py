"""Push a layout: the image that it lists goes to a registry as it is, with all its platforms.

    choose -> what is there -> transfer

Nothing is compressed or written anew, so every digest stays; the one exception is an index of which only a part is
there, where that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from returns.future import FutureResult
from returns.result import Success

from registry_fp.archive.layout import OpenLayout, chosen_entry
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.platform import Platform, parse_platform
from registry_fp.domain.reference import Reference
from registry_fp.effect.operation import Op
from registry_fp.pipelines.event import ManifestStored, OnEvent, emit, ignore
from registry_fp.pipelines.image_choice import one_image
from registry_fp.pipelines.layout_presence import Missing, PresentImage, find_present
from registry_fp.pipelines.layout_store import LayoutOrigin
from registry_fp.pipelines.repository_store import RepositoryStore
from registry_fp.pipelines.transfer import Transferred, transfer
from registry_fp.transport.port import Client

__all__ = ["PushedLayout", "push_layout"]


@final
@dataclass(frozen=True, slots=True)
class PushedLayout:
    """What was moved, and the entries of indexes that were left out because their content is not in the layout."""

    transferred: Transferred
    dropped: tuple[Descriptor, ...] = field(default=())


def push_layout(  # noqa: PLR0913  one argument for each thing that a push has chosen
    client: Client,
    layout: OpenLayout,
    target: Reference,
    *,
    limit: int,
    missing: Missing = "strict",
    platform: str | Platform | None = None,
    on_event: OnEvent = ignore,
) -> Op[PushedLayout]:
    """Push the image that an open layout's source chooses, or one platform of it, under a tag.

    Fails before any request with `BadReference` (the platform), `InvalidImage`, `NoSuchPlatform` and `MissingContent`;
    then as `transfer`.
    """
    origin = LayoutOrigin(layout.files)
    wanted = FutureResult.from_result(Success(None) if platform is None else parse_platform(platform))
    return wanted.bind(
        lambda chosen: (
            FutureResult.from_result(chosen_entry(layout))
            .bind(origin.manifest)
            .bind(lambda root: one_image("read_image", origin, origin.name, root, chosen, strict=platform != "local"))
            .bind(lambda root: find_present(origin, root, missing=missing))
            .bind(lambda image: _moved(client, image, target, limit, on_event))
        )
    )


def _moved(client: Client, image: PresentImage, target: Reference, limit: int, on_event: OnEvent) -> Op[PushedLayout]:
    destination = RepositoryStore(client, target.repository)

    def stored(done: Transferred) -> PushedLayout:
        emit(on_event, ManifestStored(target, done.manifest))
        return PushedLayout(done, image.dropped)

    return transfer(image.root, image, destination, tag=target.tag, limit=limit, on_event=on_event).map(stored)
