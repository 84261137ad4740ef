"""The commands that change what is there: what they take, and what their help says. Their work is in other files."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from registry_fp.cli.misuse import misused
from registry_fp.cli.options import (
    ANY_REGISTRY,
    AS_TEXT,
    FileNames,
    HostName,
    Pairs,
    ReferenceName,
    RemoteOptions,
    ShowOptions,
)
from registry_fp.cli.pairs import pairs_of

__all__ = ["attach", "delete", "detach", "login", "logout", "tag"]


def tag(
    reference: ReferenceName,
    new_tag: Annotated[str, Parameter(help="The tag that it gets too, in the same repository.")],
    /,
    *,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Give an image another tag; no byte of it is moved."""
    from registry_fp.cli.change import ask_tag

    return ask_tag(reference, new_tag, remote, show)


def attach(  # noqa: PLR0913  options, each with a default
    reference: ReferenceName,
    files: FileNames,
    /,
    *,
    artifact_type: Annotated[str, Parameter(metavar="TYPE", help="What the files are, such as application/spdx+json.")],
    annotation: Pairs = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Attach files to an image: a bill of materials, a signature, whatever is about it."""
    from registry_fp.cli.artifact import ArtifactChoices, attach_files

    return attach_files(ArtifactChoices(reference, tuple(files), artifact_type, pairs_of(annotation)), remote, show)


def detach(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Remove what was attached to an image, by its digest (`referrers` lists it)."""
    from registry_fp.cli.change import ask_detach

    return ask_detach(reference, remote, show)


def delete(
    reference: ReferenceName,
    /,
    *,
    dry_run: Annotated[
        bool, Parameter(negative="", show_default=False, help="Only show what would go; nothing is changed.")
    ] = False,
    blob: Annotated[
        bool, Parameter(negative="", show_default=False, help="NAME@DIGEST is a blob; images that need it break.")
    ] = False,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Delete a tag alone; or, by its digest, a manifest with all its tags.

    Where a registry cannot delete a tag alone it stays, and the tags that would have gone with it are named.
    """
    from registry_fp.cli.change import ask_delete, ask_delete_blob, ask_plan

    if blob and dry_run:
        return misused("--dry-run is about a tag or a manifest; what a blob is, `blob -o json` tells", "delete")
    return (ask_plan if dry_run else ask_delete_blob if blob else ask_delete)(reference, remote, show)


def login(host: HostName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Prove an account to a registry, and keep it where Docker and podman keep theirs.

    Without --username and --password-stdin it is asked for at a terminal.
    """
    from registry_fp.cli.login import ask_login

    return ask_login(host, remote, show)


def logout(host: HostName, /, *, show: ShowOptions = AS_TEXT) -> int:
    """Forget an account, wherever it is kept."""
    from registry_fp.cli.login import ask_logout

    return ask_logout(host, show)
