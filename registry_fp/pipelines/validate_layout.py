"""Validate a layout: is everything there that it lists, and is every byte of it what its descriptor says?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from returns.future import FutureResult

from registry_fp.archive.layout import OpenLayout, chosen_entry
from registry_fp.archive.layout_index import entry_name
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.manifest import RawManifest
from registry_fp.effect.operation import Op
from registry_fp.effect.traverse import traverse_all
from registry_fp.pipelines.layout_store import LayoutOrigin
from registry_fp.pipelines.proof import all_faults, prove

__all__ = ["LayoutImage", "validate_layout"]

_AT_ONCE: Final = 4


@final
@dataclass(frozen=True, slots=True)
class LayoutImage:
    """One entry of a layout: its name, its manifest (or index), and everything beneath it, each once.

    `foreign` are layers that may not be distributed; they are not looked for.
    """

    name: str
    manifest: Descriptor
    manifests: tuple[Descriptor, ...]
    blobs: tuple[Descriptor, ...]
    foreign: tuple[Descriptor, ...] = ()


def validate_layout(layout: OpenLayout) -> Op[tuple[LayoutImage, ...]]:
    """Read every image of a layout (or the one that is chosen), and prove every blob and the diff_id of every layer.

    Fails as `prove` does, and as the layout does.
    """
    origin, name = LayoutOrigin(layout.files), str(layout.source)

    def proven(entries: tuple[Descriptor, ...], roots: tuple[RawManifest, ...]) -> Op[tuple[LayoutImage, ...]]:
        return prove("validate", origin, name, roots, limit=_AT_ONCE).map(
            lambda graphs: tuple(
                LayoutImage(
                    entry_name(entry),
                    entry,
                    tuple(each.descriptor for each in graph.manifests),
                    graph.blobs,
                    graph.referenced,
                )
                for entry, graph in zip(entries, graphs, strict=True)
            )
        )

    return _meant(layout).bind(
        lambda entries: (
            traverse_all(entries, origin.manifest, limit=1)
            .alt(lambda errors: all_faults("validate", name, errors, len(entries)))
            .bind(lambda roots: proven(entries, roots))
        )
    )


def _meant(layout: OpenLayout) -> Op[tuple[Descriptor, ...]]:
    if layout.source.image is None and layout.listed:
        return FutureResult.from_value(tuple({entry.digest: entry for entry in layout.listed}.values()))
    return FutureResult.from_result(chosen_entry(layout)).map(lambda entry: (entry,))
