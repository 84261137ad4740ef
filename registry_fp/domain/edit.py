"""Edits: what is to be different about an image, and its configuration and manifest with that difference.

Everything is pure. The parsed JSON is edited and never a model, so that unknown fields and the order of all of them
stay; what is not mentioned stays; and an edit that changes nothing gives the bytes that were there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.conversion import family_of
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import Misconfigured, Reason, Unsupported
from registry_fp.domain.image_config import CONFIG_LIMIT, parse_image_config
from registry_fp.domain.manifest import MANIFEST_LIMIT, RawManifest, parse_manifest
from registry_fp.domain.rewriting import Changes, changed, checked_text, described, pointed, rewrite, with_field

__all__ = ["ImageEdit", "LayerNote", "append_to_config", "check_edit", "check_note", "edit_config", "edit_manifest"]


@final
@dataclass(frozen=True, slots=True)
class ImageEdit:
    """What is to be different about an image. None leaves a thing as it is; an empty text or list removes it.

    `env`, `labels` and `annotations` set names to texts, and remove names by None; `annotations` are the manifest's.
    `created` is a date as RFC 3339 writes it.
    """

    env: Changes = field(default_factory=dict)
    labels: Changes = field(default_factory=dict)
    annotations: Changes = field(default_factory=dict)
    entrypoint: Sequence[str] | None = None
    cmd: Sequence[str] | None = None
    user: str | None = None
    working_dir: str | None = None
    stop_signal: str | None = None
    author: str | None = None
    created: str | None = None


@final
@dataclass(frozen=True, slots=True)
class LayerNote:
    """What an image's history says of a layer: when it was made (RFC 3339), by what, and a comment."""

    created: str | None = None
    created_by: str | None = None
    comment: str | None = None


def check_edit(edit: ImageEdit) -> Result[None, Reason]:
    """Whether an edit can stand in a configuration at all; fails with `Misconfigured`.

    >>> check_edit(ImageEdit(env={"A=B": "1"})).failure().why
    "not the name of a variable: 'A=B'"
    """
    for name in edit.env:
        if not name or "=" in name:
            return Failure(Misconfigured("env", f"not the name of a variable: {name[:64]!r}"))
    if "" in edit.labels or "" in edit.annotations:
        return Failure(Misconfigured("labels", "a label and an annotation have a name"))
    texts: Mapping[str, Sequence[str | None]] = {
        "env": (*edit.env, *edit.env.values()),
        "labels": (*edit.labels, *edit.labels.values()),
        "annotations": (*edit.annotations, *edit.annotations.values()),
        "entrypoint": edit.entrypoint or (),
        "cmd": edit.cmd or (),
        "image": (edit.user, edit.working_dir, edit.stop_signal, edit.author, edit.created),
    }
    for setting, said in texts.items():
        checked = checked_text(setting, *said)
        if not is_successful(checked):
            return checked
    return Success(None)


def check_note(note: LayerNote) -> Result[None, Reason]:
    """Whether a note can stand in a history; fails with `Misconfigured`."""
    return checked_text("note", note.created, note.created_by, note.comment)


def edit_config(raw: bytes, edit: ImageEdit) -> Result[bytes, Reason]:
    """A configuration with the edit.

    Fails with `Misconfigured` for what cannot stand in one, with `MalformedDocument`, or with `LimitExceeded`.

    >>> raw = b'{"architecture":"arm64","os":"linux","rootfs":{"type":"layers"}}'
    >>> edit_config(raw, ImageEdit(env={"A": "1"})).unwrap()[-26:]
    b',"config":{"Env":["A=1"]}}'
    """
    return check_edit(edit).bind(lambda _: _rewritten(raw, lambda document: _edited(document, edit)))


def append_to_config(raw: bytes, diff_id: Digest, note: LayerNote) -> Result[bytes, Reason]:
    """A configuration with one more layer on top, and a line of history where every other layer has one.

    Fails as `edit_config` does.
    """
    return check_note(note).bind(lambda _: _rewritten(raw, lambda document: _with_layer(document, diff_id, note)))


def edit_manifest(
    manifest: RawManifest,
    *,
    config: Descriptor | None = None,
    layers: Sequence[Descriptor] = (),
    annotations: Changes | None = None,
) -> Result[RawManifest, Reason]:
    """An image's manifest that points at another configuration, with more layers on top, and other annotations.

    Fails with `Unsupported` for annotations on a Docker manifest, which has none, with `Misconfigured`, and with
    `LimitExceeded`.
    """
    changes = annotations or {}
    if changes and family_of(manifest.media_type) == "docker":
        return Failure(Unsupported("annotations on a Docker manifest; convert it to OCI first"))

    def change(document: dict[str, Any]) -> dict[str, Any]:
        written = with_field(document, "annotations", changed(document.get("annotations"), changes))
        if config is not None and str(config.digest) != document["config"]["digest"]:
            written["config"] = pointed(document["config"], config)
        if layers:
            written["layers"] = [*document["layers"], *map(described, layers)]
        return written

    sound = checked_text("annotations", *changes, *changes.values())
    return sound.bind(lambda _: rewrite(manifest.raw, change, limit=MANIFEST_LIMIT)).bind(
        lambda raw: (
            Success(manifest)
            if raw == manifest.raw
            else parse_manifest(raw, manifest.media_type, algorithm=manifest.digest.algorithm)
        )
    )


def _rewritten(raw: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Result[bytes, Reason]:
    """A configuration that was one before and is one afterwards."""
    before = parse_image_config(raw)
    if not is_successful(before):
        return Failure(before.failure())
    written = rewrite(raw, change, limit=CONFIG_LIMIT)
    if not is_successful(written):
        return Failure(written.failure())
    after = parse_image_config(written.unwrap())
    return written if is_successful(after) else Failure(after.failure())


def _edited(document: dict[str, Any], edit: ImageEdit) -> dict[str, Any]:
    before = document.get("config")
    running = dict(before or {})
    running = with_field(running, "Env", _environment(running.get("Env"), edit.env))
    running = with_field(running, "Labels", changed(running.get("Labels"), edit.labels))
    lists = {"Entrypoint": edit.entrypoint, "Cmd": edit.cmd}
    for name, words in lists.items():
        running = running if words is None else with_field(running, name, list(words))
    texts = {"User": edit.user, "WorkingDir": edit.working_dir, "StopSignal": edit.stop_signal}
    for name, text in texts.items():
        running = running if text is None else with_field(running, name, text)
    written = dict(document) if running == (before or {}) else {**document, "config": running}
    for name, text in {"author": edit.author, "created": edit.created}.items():
        written = written if text is None else with_field(written, name, text)
    return written


def _environment(pairs: Sequence[str] | None, changes: Changes) -> list[str]:
    """The variables after the changes, each in its place; one that stood twice and is changed stands once."""
    left = dict(changes)
    kept: list[str] = []
    for pair in pairs or ():
        name = pair.partition("=")[0]
        if name not in changes:
            kept.append(pair)
        elif (value := left.pop(name, None)) is not None:
            kept.append(f"{name}={value}")
    return kept + [f"{name}={value}" for name, value in left.items() if value is not None]


def _with_layer(document: dict[str, Any], diff_id: Digest, note: LayerNote) -> dict[str, Any]:
    rootfs = document["rootfs"]
    diff_ids = rootfs.get("diff_ids") or []
    written = {**document, "rootfs": {**rootfs, "diff_ids": [*diff_ids, str(diff_id)]}}
    history = document.get("history") or []
    if len(diff_ids) != sum(not line.get("empty_layer") for line in history):
        return written  # a history with gaps: whose layer a new line is could not be told
    said = {"created": note.created, "created_by": note.created_by, "comment": note.comment}
    line = {name: text for name, text in said.items() if text is not None}
    return {**written, "history": [*history, line]}
