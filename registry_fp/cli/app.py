"""The commands: what they are called, what they take, and what their help says. Their work is in other files."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from registry_fp.cli.options import ANY_REGISTRY, AS_TEXT, Codec, RemoteOptions, ShowOptions, Timeout

__all__ = ["app", "call"]

app: Final = App(
    name="registry-fp",
    help="Push, read and inspect container images, without a Docker daemon.",
    version=lambda: version("registry-fp"),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
"""The command line."""

Selector: TypeAlias = Annotated[
    str | None, Parameter(name="--image", help="Which image of the archive: a tag, a position, or an id.")
]


def call(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; arguments that make no sense give 2."""
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as misuse:
        command = " ".join(misuse.command_chain or ())
        print(f"error: {misuse}", file=sys.stderr)
        print(f"hint: see `registry-fp {f'{command} ' if command else ''}--help`", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code if isinstance(code, int) else 0


@app.command(sort_key=1)
def demo(
    archive: str | None = None,
    /,
    *,
    image: Selector = None,
    timeout: Timeout = None,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Show what it does: push, push again, read back and prove, against a registry of its own.

    Needs neither a network nor Docker, leaves nothing behind, and takes seconds.

    Parameters
    ----------
    archive
        A `docker save` archive; without one, a small one is made.
    """
    from registry_fp.cli.demo import demonstrate

    return demonstrate(archive, image, timeout, show)


@app.command(sort_key=2)
def push(  # noqa: PLR0913  options, each with a default
    archive: str,
    reference: str | None = None,
    /,
    *,
    all_tags: Annotated[str | None, Parameter(name="--all-tags")] = None,
    image: Selector = None,
    compression: Codec | None = None,
    level: int | None = None,
    concurrency: Annotated[int | None, Parameter(validator=Number(gte=1, lte=64))] = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Push a `docker save` archive, and print REFERENCE@DIGEST.

    Blobs that the registry has are not sent; success means that the image is stored, and was confirmed to be.

    Parameters
    ----------
    archive
        A `docker save` archive, plain or compressed.
    reference
        Where to: [HOST[:PORT]/]NAME[:TAG].
    all_tags
        Instead of REFERENCE: push every image under its own tags, to this HOST[:PORT][/PREFIX].
    compression
        What layers become that are not compressed; gzip unless set otherwise.
    level
        The compression level; the codec's fast default unless set otherwise.
    concurrency
        How many blobs are under way at once; 4 unless set otherwise.
    """
    from registry_fp.cli.push import PushChoices, push_archive, push_every_tag

    choices = PushChoices(compression, level, concurrency)
    match reference, all_tags:
        case str(), None:
            return push_archive(archive, reference, image, choices, remote, show)
        case None, str() if image is None:
            return push_every_tag(archive, all_tags, choices, remote, show)
        case None, str():
            return _misused("--image chooses one image, and --all-tags takes every one", "push")
        case _:
            return _misused("give either a REFERENCE or --all-tags HOST", "push")


@app.command(sort_key=3)
def ping(host: str, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Ask whether a registry answers, and lets us in.

    Parameters
    ----------
    host
        HOST[:PORT].
    """
    from registry_fp.cli.read import ask_ping

    return ask_ping(host, remote, show)


@app.command(sort_key=4)
def repos(host: str, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """List the repositories of a registry.

    Parameters
    ----------
    host
        HOST[:PORT].
    """
    from registry_fp.cli.read import ask_repositories

    return ask_repositories(host, remote, show)


@app.command(sort_key=5)
def tags(repository: str, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """List the tags of a repository.

    Parameters
    ----------
    repository
        [HOST[:PORT]/]NAME.
    """
    from registry_fp.cli.read import ask_tags

    return ask_tags(repository, remote, show)


@app.command(sort_key=6)
def inspect(
    image_or_archive: str,
    /,
    *,
    image: Selector = None,
    remote: RemoteOptions = ANY_REGISTRY,
    show: ShowOptions = AS_TEXT,
) -> int:
    """Show what an image is made of, in a registry or in an archive.

    Parameters
    ----------
    image_or_archive
        A reference, or a `docker save` archive: a file that is there, or a name that ends like one.
    """
    from registry_fp.cli.inspection import ask_inspect

    return ask_inspect(image_or_archive, image, remote, show)


@app.command(sort_key=7)
def manifest(reference: str, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the exact bytes of a manifest.

    Parameters
    ----------
    reference
        [HOST[:PORT]/]NAME[:TAG][@DIGEST].
    """
    from registry_fp.cli.content import ask_manifest

    return ask_manifest(reference, remote, show)


@app.command(sort_key=8)
def config(reference: str, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the exact bytes of an image's configuration.

    Parameters
    ----------
    reference
        [HOST[:PORT]/]NAME[:TAG][@DIGEST].
    """
    from registry_fp.cli.content import ask_config

    return ask_config(reference, remote, show)


@app.command(sort_key=9)
def digest(reference: str, /, *, remote: RemoteOptions = ANY_REGISTRY, show: ShowOptions = AS_TEXT) -> int:
    """Print the digest that a name stands for.

    Parameters
    ----------
    reference
        [HOST[:PORT]/]NAME[:TAG][@DIGEST].
    """
    from registry_fp.cli.read import ask_digest

    return ask_digest(reference, remote, show)


@app.command(sort_key=10)
def serve(
    *,
    root: Path | None = None,
    listen: Annotated[str, Parameter(help="HOST:PORT; port 0 is any that is free.")] = "127.0.0.1:5000",
    show: ShowOptions = AS_TEXT,
) -> int:
    """Serve a registry for trying things out, until Ctrl-C; it is a test kit.

    Parameters
    ----------
    root
        Keep everything in this folder; without it, in memory.
    """
    from registry_fp.cli.serve import serve_registry

    return serve_registry(root, listen, show)


def _misused(why: str, command: str) -> int:
    print(f"error: {why}", file=sys.stderr)
    print(f"hint: see `registry-fp {command} --help`", file=sys.stderr)
    return 2
