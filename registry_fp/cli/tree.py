"""Trees: what a name leads to, for people."""

from __future__ import annotations

from rich.text import Text

from registry_fp import Tree, TreeNode, tree
from registry_fp.cli.answer import Answer
from registry_fp.cli.inspection import source_of
from registry_fp.cli.noun import host_of
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.printable import printable
from registry_fp.cli.session import Question, ask
from registry_fp.cli.size import human_size
from registry_fp.cli.tree_document import tree_document, tree_lines

__all__ = ["ask_tree"]


def ask_tree(noun: str, remote: RemoteOptions, show: ShowOptions, *, referrers: bool = True) -> int:
    """What does this name lead to, and what refers to that?"""
    on_disk = source_of(noun, None)
    host = None if on_disk is not None else host_of(noun)
    question = Question("tree", noun, host, lambda client: tree(client, on_disk or noun, referrers=referrers))
    return ask(question, _answer, remote, show)


def _answer(found: Tree) -> Answer:
    document = tree_document(found)
    lines = [Text.assemble((printable(found.name), "bold"), f"  {human_size(found.size)} in all")]
    lines += [Text.assemble((lead, "dim"), *_told(node)) for lead, node in tree_lines(found)]
    digests = "\n".join(dict.fromkeys(str(node.descriptor.digest) for node in found.root.nodes))
    return Answer(document, Text("\n").join(lines), digests)


def _told(node: TreeNode) -> tuple[str | tuple[str, str], ...]:
    found = node.descriptor
    about = [
        None if found.platform is None or node.role == "attestation" else printable(str(found.platform)),
        None if node.artifact_type is None else printable(node.artifact_type),
    ]
    told = " ".join(part for part in about if part is not None)
    size = human_size(found.size) if node.present else "not there"
    name = f"{found.digest.algorithm}:{found.digest.short}"
    return (node.role, f" {told}" if told else "", " ", (name, "cyan"), f" {size}")
