"""Which image of an index a platform takes, as a manifest that was read and proven."""

from __future__ import annotations

from typing import Final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.errors import LimitExceeded, MediaTypeMismatch, NoSuchPlatform, Reason, RegistryError
from registry_fp.domain.image_config import CONFIG_LIMIT, parse_image_config
from registry_fp.domain.manifest import ImageIndex, ImageManifest, RawManifest
from registry_fp.domain.media_type import DOCKER_CONFIG, INDEX_TYPES, MANIFEST_TYPES, OCI_CONFIG
from registry_fp.domain.platform import Platform, choose_platform
from registry_fp.effect.exits import Err, settle
from registry_fp.effect.operation import operation
from registry_fp.pipelines.overlay import read_whole
from registry_fp.pipelines.store import Origin

__all__ = ["check_platform", "one_image"]

_DEPTH: Final = 16


@operation
async def one_image(  # noqa: PLR0913  what is looked at, for what, and who asks
    doing: str, origin: Origin, name: str, root: RawManifest, wanted: Platform | None, *, strict: bool
) -> Result[RawManifest, RegistryError]:
    """The image of `root` that runs on the platform `wanted`; with None it is `root` itself.

    An image that is in no index is taken as it is, or, if `strict`, only if its configuration says that it runs there.
    Fails with `NoSuchPlatform`, with `MediaTypeMismatch` where an index promises another kind of manifest, or as the
    origin does.
    """
    if wanted is None:
        return Success(root)
    if strict and isinstance(root.model, ImageManifest):
        checked = await _checked(origin, root, root.model, wanted)
        return checked.alt(lambda why: why if isinstance(why, RegistryError) else RegistryError(doing, name, why))
    chosen = root
    for _ in range(_DEPTH):
        if not isinstance(chosen.model, ImageIndex):
            return Success(chosen)
        entry = choose_platform(chosen.model, wanted)
        if not is_successful(entry):
            return Failure(RegistryError(doing, name, entry.failure()))
        promised = entry.unwrap()
        read = await settle(origin.manifest(promised))
        if isinstance(read, Err):
            return Failure(read.error)
        chosen = read.value
        if promised.media_type in INDEX_TYPES | MANIFEST_TYPES and chosen.media_type != promised.media_type:
            return Failure(RegistryError(doing, name, MediaTypeMismatch(promised.media_type, chosen.media_type)))
    return Failure(RegistryError(doing, name, LimitExceeded("indexes within each other", _DEPTH)))


async def _checked(
    origin: Origin, root: RawManifest, manifest: ImageManifest, wanted: Platform
) -> Result[RawManifest, RegistryError | Reason]:
    if manifest.config.media_type not in {DOCKER_CONFIG, OCI_CONFIG}:  # an artifact runs nowhere
        return Success(root)
    raw = await settle(read_whole(origin, manifest.config, limit=CONFIG_LIMIT))
    if isinstance(raw, Err):
        return Failure(raw.error)
    config = parse_image_config(raw.value)
    if not is_successful(config):
        return Failure(config.failure())
    alone = root.descriptor.model_copy(update={"platform": config.unwrap().platform})
    fits = check_platform(alone, wanted)
    return Success(root) if is_successful(fits) else Failure(fits.failure())


def check_platform(alone: Descriptor, wanted: Platform) -> Result[None, NoSuchPlatform]:
    """Whether an image that is in no index, described with its own platform, runs on the one that is `wanted`."""
    return choose_platform(ImageIndex(schema_version=2, manifests=(alone,)), wanted).map(lambda _: None)
