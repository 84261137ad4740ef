"""`manifest.json`: which members make which image, and how the one that is meant is chosen.

Docker's format has no specification but its writers and readers: a list of objects with `Config` (a member), `Layers`
(members, the oldest first) and `RepoTags` (null for an image without a name). Source: moby, image/tarexport.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.tar_header import brief
from registry_fp.domain.digest import Digest, parse_digest
from registry_fp.domain.errors import BadReference, InvalidImage, LimitExceeded, Reason
from registry_fp.domain.model import Document, parse_model
from registry_fp.domain.reference import Reference, parse_reference
from registry_fp.domain.strict_json import load_strict

__all__ = [
    "MANIFEST_JSON",
    "MANIFEST_JSON_LIMIT",
    "REPOSITORIES",
    "SavedEntry",
    "blob_digest",
    "config_digest",
    "name_of",
    "parse_manifest_json",
    "parse_repositories",
    "parse_tags",
    "pick_entry",
    "with_repositories",
]

MANIFEST_JSON: Final = "manifest.json"
REPOSITORIES: Final = "repositories"

MANIFEST_JSON_LIMIT: Final = 4 * 1024 * 1024
"""The largest `manifest.json` that is read, in bytes."""

_LISTED: Final = 10  # of the images, in an error
_BLOB: Final = re.compile(r"blobs/(?P<algorithm>[a-z0-9]+)/(?P<hex>[0-9a-f]+)", re.ASCII)
_CONFIG: Final = re.compile(r"(?:sha256:)?(?P<hex>[0-9a-f]{64})(?:\.json)?", re.ASCII)
_ID: Final = re.compile(r"(?:sha256:)?[0-9a-f]{4,64}", re.ASCII)
_REPOSITORIES: Final = TypeAdapter(dict[str, dict[str, str]], config=ConfigDict(strict=True))


class SavedEntry(Document):
    """One image of `manifest.json`, as it is written; `LayerSources` and `Parent` are hints, and kept unread."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=lambda name: name.title().replace("_", ""))

    config: str
    repo_tags: tuple[str, ...] | None = None
    layers: tuple[str, ...] | None = None


def parse_manifest_json(raw: bytes) -> Result[tuple[SavedEntry, ...], Reason]:
    """The images of a `manifest.json`, in its order, and at least one.

    Fails with `InvalidImage` ("bad manifest.json", "no images") and with `LimitExceeded` (bytes, depth).

    >>> parse_manifest_json(b"null").failure().detail
    'it is no list of images'
    """
    loaded = _loaded(raw)
    if not is_successful(loaded):
        return Failure(loaded.failure())
    document = loaded.unwrap()
    if not isinstance(document, list):
        return Failure(_bad("it is no list of images"))
    if not document:
        return Failure(InvalidImage("no images", MANIFEST_JSON))
    entries: list[SavedEntry] = []
    for position, item in enumerate(document):
        entry = parse_model(SavedEntry, json.dumps(item).encode())
        if not is_successful(entry):
            return Failure(_bad(f"image {position}: {entry.failure().why}"))
        entries.append(entry.unwrap())
    return Success(tuple(entries))


def parse_repositories(raw: bytes) -> Result[Mapping[str, tuple[str, ...]], Reason]:
    """The older `repositories` file: the tags of an image, by the id of the layer on its top.

    Fails with `InvalidImage` ("bad tag") and `LimitExceeded`.

    >>> parse_repositories(b'{"app": {"1.0": "4f5e", "latest": "4f5e"}}').unwrap()
    {'4f5e': ('app:1.0', 'app:latest')}
    """
    loaded = load_strict(raw, limit=MANIFEST_JSON_LIMIT)
    if not is_successful(loaded):
        fault = loaded.failure()
        return Failure(fault if isinstance(fault, LimitExceeded) else InvalidImage("bad tag", REPOSITORIES, fault.why))
    try:
        names = _REPOSITORIES.validate_python(loaded.unwrap())
    except ValidationError:
        return Failure(InvalidImage("bad tag", REPOSITORIES, "it is no map of names and tags to layer ids"))
    tags: dict[str, tuple[str, ...]] = {}
    for name, tops in names.items():
        for tag, top in tops.items():
            tags[top] = (*tags.get(top, ()), f"{name}:{tag}")
    return Success(tags)


def with_repositories(entry: SavedEntry, tags: Mapping[str, tuple[str, ...]]) -> SavedEntry:
    """An image that `manifest.json` gives no tag, with those that the `repositories` file gives its top layer."""
    if entry.repo_tags or not entry.layers:
        return entry
    top = entry.layers[-1].removesuffix("/layer.tar").rpartition("/")[2]
    return entry.model_copy(update={"repo_tags": tags.get(top)})


def parse_tags(tags: Sequence[str]) -> Result[tuple[Reference, ...], Reason]:
    """The references that an image's tags are, each once, in their order; fails with `InvalidImage` ("bad tag").

    >>> [str(tag) for tag in parse_tags(["app:1.0", "localhost:5000/team/app:1.0"]).unwrap()]
    ['docker.io/library/app:1.0', 'localhost:5000/team/app:1.0']
    """
    found: dict[Reference, None] = {}
    for tag in tags:
        parsed = parse_reference(tag)
        if not is_successful(parsed):
            reason = parsed.failure().reason
            why = reason.why if isinstance(reason, BadReference) else ""
            return Failure(InvalidImage("bad tag", _plain(tag), why))
        if parsed.unwrap().digest is not None:
            return Failure(InvalidImage("bad tag", _plain(tag), "a tag has no digest"))
        found[parsed.unwrap()] = None
    return Success(tuple(found))


def blob_digest(name: str) -> Digest | None:
    """The digest that a member's name claims for its bytes; only `blobs/<algorithm>/<hex>` claims one.

    >>> blob_digest("4f5e/layer.tar") is None
    True
    """
    found = _BLOB.fullmatch(name)
    return None if found is None else parse_digest(f"{found['algorithm']}:{found['hex']}").value_or(None)


def config_digest(name: str) -> Digest | None:
    """The digest that a configuration's name claims: `<hex>.json`, `sha256:<hex>`, or a blob's name.

    >>> str(config_digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.json"))[:19]
    'sha256:e3b0c44298fc'
    """
    found = _CONFIG.fullmatch(name)
    return blob_digest(name) if found is None else Digest("sha256", found["hex"])


def name_of(entry: SavedEntry) -> str:
    """What people call an image: its first tag, or else the beginning of its id."""
    if entry.repo_tags:
        return _plain(entry.repo_tags[0])
    digest = config_digest(entry.config)
    return _plain(entry.config) if digest is None else f"{digest.algorithm}:{digest.short}"


def pick_entry(entries: Sequence[SavedEntry], image: str | int | None) -> Result[int, InvalidImage]:
    """The position of the image that is meant: by position, by tag, or by (the beginning of) its id.

    Without a choice it is the only one. Fails with `InvalidImage` ("several images", "no such image"), which lists
    what there is.
    """
    found = list(range(len(entries))) if image is None else _chosen(entries, image)
    if len(found) == 1:
        return Success(found[0])
    if found:
        return Failure(InvalidImage("several images", detail=_listing(entries)))
    return Failure(InvalidImage("no such image", detail=f"{_plain(str(image))}; there are these: {_listing(entries)}"))


def _chosen(entries: Sequence[SavedEntry], image: str | int) -> list[int]:
    text = str(image)
    if text.isdecimal() and text.isascii() and len(text) <= 9 and int(text) < len(entries):
        return [int(text)]
    if isinstance(image, int):
        return []
    wanted = parse_reference(text).value_or(None)
    if wanted is not None:
        tagged = [position for position, entry in enumerate(entries) if wanted in _references(entry)]
        if tagged:
            return tagged
    if _ID.fullmatch(text) is None:
        return []
    digits = text.removeprefix("sha256:")
    digests = [config_digest(entry.config) for entry in entries]
    return [position for position, digest in enumerate(digests) if digest and digest.hex.startswith(digits)]


def _references(entry: SavedEntry) -> set[Reference | None]:
    return {parse_reference(tag).value_or(None) for tag in entry.repo_tags or ()}


def _listing(entries: Sequence[SavedEntry]) -> str:
    shown = [f"{position}: {name_of(entry)}" for position, entry in enumerate(entries[:_LISTED])]
    more = len(entries) - len(shown)
    return ", ".join([*shown, f"and {more} more"] if more else shown)


def _loaded(raw: bytes) -> Result[Any, Reason]:
    return load_strict(raw, limit=MANIFEST_JSON_LIMIT).alt(
        lambda fault: fault if isinstance(fault, LimitExceeded) else _bad(fault.why)
    )


def _bad(why: str) -> InvalidImage:
    return InvalidImage("bad manifest.json", MANIFEST_JSON, why)


def _plain(text: str) -> str:
    return brief(text.encode("unicode_escape").decode("ascii"))
