"""The commands: what they are called, what they take, and what their help says. Their work is in other files."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from registry_fp.cli.options import (
    ANY_REGISTRY,
    AS_TEXT,
    Codec,
    HostName,
    ReferenceName,
    RemoteOptions,
    RepositoryName,
    Selector,
    ShowOptions,
    Timeout,
)

__all__ = ["app", "call"]

app: Final = App(
    name="registry-fp",
    help="Push, read and inspect container images, without a Docker daemon.",
    version=lambda: version("registry-fp"),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
"""The command line."""


def call(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; arguments that make no sense give 2."""
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as misuse:
        return _misused(str(misuse), *(misuse.command_chain or ()))
    except KeyboardInterrupt:
        return 130
    return code if isinstance(code, int) else 0


@app.command(sort_key=1)
def demo(
    archive: Annotated[str | None, Parameter(help="A `docker save` archive; without one, a small one is made.")] = None,
    /,
    *,
    image: Selector = None,
    timeout: Timeout = None,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Push, push again, read back, prove: a show in seconds.

    It brings its own registry, needs neither a network nor Docker, and leaves nothing behind.
    """
    from registry_fp.cli.demo import demonstrate

    return demonstrate(archive, image, timeout, show)


@app.command(sort_key=2, usage="Usage: registry-fp push [OPTIONS] ARCHIVE (REFERENCE | --all-tags HOST)")
def push(  # noqa: PLR0913  options, each with a default
    archive: Annotated[str, Parameter(help="A `docker save` archive, plain or compressed.")],
    reference: Annotated[str | None, Parameter(help="Where to: [HOST[:PORT]/]NAME[:TAG].")] = None,
    /,
    *,
    all_tags: Annotated[
        str | None,
        Parameter(
            name="--all-tags",
            metavar="HOST",
            help="Instead of REFERENCE: every image, under its own tags, to HOST[:PORT][/PREFIX].",
        ),
    ] = None,
    image: Selector = None,
    compression: Annotated[
        Codec | None, Parameter(help="What layers become that are not compressed; gzip, if nothing is set.")
    ] = None,
    level: Annotated[int | None, Parameter(help="The compression level; a fast one, if nothing is set.")] = None,
    concurrency: Annotated[
        int | None,
        Parameter(validator=Number(gte=1, lte=64), help="How many blobs are under way at once; 6, if nothing is set."),
    ] = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Push a `docker save` archive, and print REFERENCE@DIGEST.

    Blobs that the registry has are not sent. Success means that the image is stored, and was confirmed to be.
    """
    from registry_fp.cli.push import PushChoices, push_archive, push_every_tag

    choices = PushChoices(archive, image, compression, level, concurrency)
    match reference, all_tags:
        case str(), None:
            return push_archive(choices, reference, remote, show)
        case None, str() if image is None:
            return push_every_tag(choices, all_tags, remote, show)
        case None, str():
            return _misused("--image chooses one image, and --all-tags takes every one.", "push")
        case _:
            return _misused("Give either a REFERENCE or --all-tags HOST.", "push")


@app.command(sort_key=3)
def ping(host: HostName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Ask whether a registry answers, and lets us in."""
    from registry_fp.cli.read import ask_ping

    return ask_ping(host, remote, show)


@app.command(sort_key=4)
def repos(host: HostName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """List the repositories of a registry."""
    from registry_fp.cli.read import ask_repositories

    return ask_repositories(host, remote, show)


@app.command(sort_key=5)
def tags(repository: RepositoryName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """List the tags of a repository."""
    from registry_fp.cli.read import ask_tags

    return ask_tags(repository, remote, show)


@app.command(sort_key=6)
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


@app.command(sort_key=7)
def manifest(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the exact bytes of a manifest."""
    from registry_fp.cli.content import ask_manifest

    return ask_manifest(reference, remote, show)


@app.command(sort_key=8)
def config(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the exact bytes of an image's configuration."""
    from registry_fp.cli.content import ask_config

    return ask_config(reference, remote, show)


@app.command(sort_key=9)
def digest(reference: ReferenceName, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the digest that a name stands for."""
    from registry_fp.cli.read import ask_digest

    return ask_digest(reference, remote, show)


@app.command(sort_key=10)
def serve(
    *,
    root: Annotated[
        Path | None, Parameter(metavar="DIR", help="Keep everything in this folder; without it, in memory.")
    ] = None,
    listen: Annotated[
        str, Parameter(metavar="HOST:PORT", help="Where; port 0 is any that is free.")
    ] = "127.0.0.1:5000",
    show: ShowOptions = AS_TEXT,
) -> int:
    """Serve a registry to try things with, until Ctrl-C.

    It is a test kit, and no production registry.
    """
    from registry_fp.cli.serve import serve_registry

    return serve_registry(root, listen, show)


def _misused(why: str, *command: str) -> int:
    print(f"error: {why}", file=sys.stderr)
    print(f"hint: see `{' '.join(('registry-fp', *command))} --help`", file=sys.stderr)
    return 2
