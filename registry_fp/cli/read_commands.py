"""The commands that read: what they take, and what their help says. Their work is in other files."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from registry_fp.cli.options import (
    ANY_REGISTRY,
    AS_TEXT,
    HostName,
    ReferenceName,
    RemoteOptions,
    RepositoryName,
    Selector,
    ShowOptions,
)

__all__ = ["blob", "config", "digest", "inspect", "manifest", "ping", "referrers", "repos", "tags"]


def ping(host: HostName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Ask whether a registry answers, and lets us in."""
    from registry_fp.cli.read import ask_ping

    return ask_ping(host, remote, show)


def repos(host: HostName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """List the repositories of a registry."""
    from registry_fp.cli.read import ask_repositories

    return ask_repositories(host, remote, show)


def tags(repository: RepositoryName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """List the tags of a repository."""
    from registry_fp.cli.read import ask_tags

    return ask_tags(repository, remote, show)


def inspect(
    reference_or_archive: Annotated[
        str, Parameter(help="A reference; or an archive: a file that is there, or a name that ends like one.")
    ],
    /,
    *,
    image: Selector = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Show what an image is made of, in a registry or in an archive."""
    from registry_fp.cli.inspection import ask_inspect

    return ask_inspect(reference_or_archive, image, remote, show)


def manifest(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the exact bytes of a manifest."""
    from registry_fp.cli.content import ask_manifest

    return ask_manifest(reference, remote, show)


def config(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the exact bytes of an image's configuration."""
    from registry_fp.cli.content import ask_config

    return ask_config(reference, remote, show)


def digest(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the digest that a name stands for."""
    from registry_fp.cli.read import ask_digest

    return ask_digest(reference, remote, show)


def blob(
    reference: Annotated[str, Parameter(help="[HOST[:PORT]/]NAME@DIGEST.")],
    /,
    *,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Write the exact bytes of a blob to standard output, proven against its digest."""
    from registry_fp.cli.blob import write_blob

    return write_blob(reference, remote, show)


def referrers(
    reference: ReferenceName,
    /,
    *,
    artifact_type: Annotated[
        str | None, Parameter(metavar="TYPE", help="Only those of one type, such as application/spdx+json.")
    ] = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """List what refers to a manifest: signatures, bills of materials."""
    from registry_fp.cli.referrers import ask_referrers

    return ask_referrers(reference, artifact_type, remote, show)
