"""The document of `tree`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from registry_fp import Tree, TreeNode

__all__ = ["TreeDocument", "TreeNodeDocument", "tree_document", "tree_lines"]


@final
@dataclass(frozen=True, slots=True)
class TreeNodeDocument:
    """One part of a tree: `role` is index, image, artifact, attestation, config, layer or unknown.

    `children` are what it lists, `referrers` what refers to it; `present` is false for what is listed and not there.
    """

    role: str
    digest: str
    media_type: str
    artifact_type: str | None
    size: int
    platform: str | None
    present: bool
    annotations: Mapping[str, str]
    children: tuple[TreeNodeDocument, ...]
    referrers: tuple[TreeNodeDocument, ...]


@final
@dataclass(frozen=True, slots=True)
class TreeDocument:
    """`tree`; `size` counts once what is in it several times."""

    name: str
    size: int
    root: TreeNodeDocument


def tree_document(tree: Tree) -> TreeDocument:
    """A tree."""
    return TreeDocument(tree.name, tree.size, _node(tree.root))


def tree_lines(tree: Tree) -> Iterator[tuple[str, TreeNode]]:
    """Each part in reading order, behind the lines that show what it belongs to."""
    yield "", tree.root
    yield from _beneath(tree.root, "")


def _beneath(node: TreeNode, indent: str) -> Iterator[tuple[str, TreeNode]]:
    parts = [(each, "") for each in node.children] + [(each, "<- ") for each in node.referrers]
    for position, (each, mark) in enumerate(parts):
        last = position == len(parts) - 1
        yield f"{indent}{'└── ' if last else '├── '}{mark}", each
        yield from _beneath(each, indent + ("    " if last else "│   "))


def _node(node: TreeNode) -> TreeNodeDocument:
    found = node.descriptor
    return TreeNodeDocument(
        role=node.role,
        digest=str(found.digest),
        media_type=found.media_type,
        artifact_type=node.artifact_type,
        size=found.size,
        platform=None if found.platform is None else str(found.platform),
        present=node.present,
        annotations=dict(found.annotations or {}),
        children=tuple(_node(each) for each in node.children),
        referrers=tuple(_node(each) for each in node.referrers),
    )
