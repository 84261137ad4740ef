"""`manifest.json`: which members make which image, and how the one that is meant is chosen.

Docker's format has no specification but its writers and readers: a list of objects with `Config` (a member), `Layers`
(members, the oldest first) and `RepoTags` (null for an image without a name). Source: moby, image/tarexport.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from pydantic import ConfigDict
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
    "name_of",
    "named_digest",
    "parse_manifest_json",
    "parse_repositories",
    "parse_tags",
    "pick_entry",
]

MANIFEST_JSON: Final = "manifest.json"
REPOSITORIES: Final = "repositories"

MANIFEST_JSON_LIMIT: Final = 4 * 1024 * 1024
"""The largest `manifest.json` that is read, in bytes."""

_LISTED: Final = 10


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


def parse_repositories(raw: bytes) -> Result[tuple[tuple[str, str], ...], Reason]:
    """The older `repositories` file as pairs of a name with its tag, and the id of the layer on top.

    Fails with `InvalidImage` ("bad tag") and `LimitExceeded`.

    >>> parse_repositories(b'{"app": {"1.0": "4f5e"}}').unwrap()
    (('app:1.0', '4f5e'),)
    """
    loaded = load_strict(raw, limit=MANIFEST_JSON_LIMIT)
    if not is_successful(loaded):
        fault = loaded.failure()
        limited = isinstance(fault, LimitExceeded)
        return Failure(fault if limited else InvalidImage("bad tag", REPOSITORIES, fault.why))
    document = loaded.unwrap()
    tags = document.items() if isinstance(document, dict) else ()
    pairs = [(name, tag, top) for name, tops in tags if isinstance(tops, dict) for tag, top in tops.items()]
    if not isinstance(document, dict) or not all(isinstance(top, str) for _, _, top in pairs):
        return Failure(InvalidImage("bad tag", REPOSITORIES, "it is no map of names and tags to layer ids"))
    return Success(tuple((f"{name}:{tag}", top) for name, tag, top in pairs))


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
