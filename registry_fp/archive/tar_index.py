"""Where everything is in a tar: one pass over its headers, after which each member is a byte range.

Contents are never read, and what a hostile archive can cost is bounded by the limits below, not by what its headers
claim. Names are resolved inside the archive only: a link leads to a member or nowhere, and never to the host's files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.tar_header import brief, plain_name, shown_name
from registry_fp.domain.errors import InvalidImage

__all__ = ["LINK_LIMIT", "Member", "MemberKind", "TarIndex"]

LINK_LIMIT: Final = 40
"""How many links may stand between a name and its content."""

MemberKind: TypeAlias = Literal["file", "symlink", "hardlink", "directory", "sparse file", "other"]
"""What a member is; "other" covers devices, named pipes and what no format defines."""


@final
@dataclass(frozen=True, slots=True)
class Member:
    """One member; a file's content is `size` bytes at `offset`, a link's `target` is as it is written."""

    name: str
    kind: MemberKind
    offset: int
    size: int
    target: str = ""


@final
@dataclass(frozen=True, slots=True)
class TarIndex:
    """Every member in the archive's order; `trailing_garbage` if there is more than zeros behind the end marker.

    Made by `TarScan`.
    """

    members: tuple[Member, ...] = field(repr=False)
    trailing_garbage: bool = False
    _by_name: Mapping[str, tuple[Member, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name: dict[str, list[Member]] = {}
        for member in self.members:
            by_name.setdefault(member.name, []).append(member)
        object.__setattr__(self, "_by_name", {name: tuple(found) for name, found in by_name.items()})

    def __contains__(self, name: object) -> bool:
        """Whether a member has this name; links are not followed."""
        return name in self._by_name

    def find(self, name: str) -> Result[tuple[Member, ...], InvalidImage]:
        """The regular files that a name stands for, links followed: none, one, or several to choose from by content.

        A symbolic link starts from its own folder, a hard link from the archive's root, and it names an earlier
        member; the size of a link means nothing. Fails with `InvalidImage`: "bad name", "link leaves the archive",
        "link cycle", "broken link", "not a regular file", or "duplicate member" where one name is several kinds.
        """
        at = _named(name)
        for step in range(LINK_LIMIT + 1):
            if not is_successful(at):
                return Failure(at.failure())
            found = self._by_name.get(at.unwrap(), ())
            if not found:
                return Success(()) if step == 0 else Failure(_broken(name, at.unwrap()))
            first = found[0]
            if any((other.kind, other.target) != (first.kind, first.target) for other in found):
                return Failure(InvalidImage("duplicate member", brief(first.name), "it is there as several kinds"))
            match first.kind:
                case "file":
                    return Success(found)
                case "symlink" | "hardlink":
                    at = self._target(first)
                case "directory" | "sparse file" | "other":
                    return Failure(InvalidImage("not a regular file", brief(name), f"it is a {_A_KIND[first.kind]}"))
        return Failure(InvalidImage("link cycle", brief(name), f"more than {LINK_LIMIT} links"))

    def _target(self, link: Member) -> Result[str, InvalidImage]:
        if link.kind == "symlink":
            return _from_folder(link)
        if link.target.startswith("/") or ".." in link.target.split("/"):
            return Failure(InvalidImage("link leaves the archive", brief(link.name), f"to {brief(link.target)}"))
        target = _named(link.target)
        earlier = self._by_name.get(target.value_or(""), ())
        if earlier and earlier[0].offset > link.offset:
            return Failure(
                InvalidImage(
                    "broken link", brief(link.name), f"the hard link names a later member: {brief(link.target)}"
                )
            )
        return target


_A_KIND: Final[dict[MemberKind, str]] = {
    "directory": "folder",
    "sparse file": "sparse file",
    "other": "device, a pipe or something unknown",
}


def _named(name: str) -> Result[str, InvalidImage]:
    raw = name.encode("utf-8", "surrogatepass")
    return plain_name(raw).alt(lambda why: InvalidImage("bad name", shown_name(raw), why))


def _from_folder(link: Member) -> Result[str, InvalidImage]:
    """Where a symbolic link leads, from the folder that it is in."""
    outside = InvalidImage("link leaves the archive", brief(link.name), f"to {brief(link.target)}")
    if link.target.startswith("/"):
        return Failure(outside)
    path = link.name.split("/")[:-1]
    for part in link.target.split("/"):
        if part == "..":
            if not path:
                return Failure(outside)
            path.pop()
        elif part not in {"", "."}:
            path.append(part)
    return _named("/".join(path))


def _broken(name: str, target: str) -> InvalidImage:
    return InvalidImage("broken link", brief(name), f"it leads to {brief(target)}, which is not there")
