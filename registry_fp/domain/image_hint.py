"""What most often mends an image that is none."""

from __future__ import annotations

from typing import assert_never

from registry_fp.domain.errors import ImageFault

__all__ = ["image_hint"]


def image_hint(kind: ImageFault, detail: str) -> str:
    """What most often mends an `InvalidImage` of this kind, with this detail.

    >>> image_hint("bad name", "a.txt: it stands twice")
    'each file needs a name of its own'
    """
    match kind:
        case "no manifest.json":
            return "make the archive with `docker save`, `podman save` or `skopeo copy ... docker-archive:`"
        case "several images" | "no such image":
            return "choose one by tag or position (`image`, --image), or push every one (`push_all`, --all-tags)"
        case "no tags":
            return "the archive names no tag for it; push it by itself, to a reference of your own"
        case "bad tag":
            return "save the image again under another name, or push the other images one by one"
        case "diff_id mismatch" | "digest mismatch":
            return "the image is damaged; save or build it again"
        case "bad layer":
            return "a layer is a tar, plain or compressed, and this is none that can be read; save or build it again"
        case "bad oci-layout":
            return "give a `docker save` archive; or an OCI layout: a folder, or a tar, with the file oci-layout"
        case "bad manifest.json" | "bad index.json" | "bad config" | "bad blob":
            return "the archive is damaged, or its writer is at fault; save the image again"
        case "link leaves the archive" | "link cycle" | "broken link" | "duplicate member":
            return "no image tool writes archives like this; do not trust where it comes from"
        case "bad name":
            return _name_hint(detail)
        case "no images":
            return "the archive is empty; save it again with the name of an image"
        case "missing config" | "missing layer":
            return "the archive is not complete; save the image again"
        case "not a regular file":
            return "name a regular file; an archive that keeps its content in anything else is not to be trusted"
        case "layer count" | "manifests disagree":
            return "the image contradicts itself; save or build it again"
        case _:
            assert_never(kind)


def _name_hint(detail: str) -> str:
    match detail:
        case _ if detail.startswith("no layer has a title"):
            return "an image is written to disk by `pull`; only what was pushed as files comes back as files"
        case _ if detail.endswith("it stands twice"):
            return "each file needs a name of its own"
        case _ if detail.endswith("is a symbolic link"):
            return "choose a folder without symbolic links in it"
        case _:
            return "no image tool writes names like this; do not trust where it comes from"
