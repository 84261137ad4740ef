"""The commands: what they are called, what they take, and what their help says. Their work is in other files."""

# ruff: noqa: PLC0415  each command loads what it needs, so that help and mistakes are answered at once

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Parameter

from registry_fp.cli import change_commands, move_commands, read_commands, rewrite_commands
from registry_fp.cli.artifact_commands import artifact
from registry_fp.cli.misuse import misused
from registry_fp.cli.options import (
    AS_TEXT,
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
        return misused(str(misuse), *(misuse.command_chain or ()))
    except KeyboardInterrupt:
        return 130
    except OSError as lost:
        return _unheard(lost)
    except SystemExit:  # so rich leaves where nobody reads
        return _unheard(BrokenPipeError())
    return code if isinstance(code, int) else 0


def _unheard(lost: OSError) -> int:
    """The exit code of help that did not arrive; commands see to their own results."""
    from registry_fp.cli.terminal import Terminal

    terminal = Terminal(AS_TEXT)
    terminal.lose(lost)
    return terminal.close(0)


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


_COMMANDS: Final[tuple[tuple[Callable[..., int], str | None], ...]] = (
    (move_commands.push, "Usage: registry-fp push [OPTIONS] ARCHIVE (REFERENCE | --all-tags HOST)"),
    (move_commands.pull, None),
    (move_commands.copy, None),
    (read_commands.ping, None),
    (read_commands.doctor, None),
    (read_commands.repos, None),
    (read_commands.tags, None),
    (read_commands.inspect, None),
    (read_commands.tree, None),
    (read_commands.ls, None),
    (read_commands.cat, None),
    (read_commands.export, None),
    (read_commands.validate, None),
    (read_commands.manifest, None),
    (read_commands.config, None),
    (read_commands.digest, None),
    (read_commands.blob, None),
    (read_commands.referrers, None),
    (change_commands.tag, None),
    (change_commands.attach, None),
    (change_commands.detach, None),
    (change_commands.delete, None),
    (rewrite_commands.convert, None),
    (rewrite_commands.edit, None),
    (rewrite_commands.append, None),
    (change_commands.login, None),
    (change_commands.logout, None),
    (read_commands.schema, None),
)

for _place, (_command, _usage) in enumerate(_COMMANDS, start=2):
    app.command(_command, sort_key=_place, usage=_usage)

app.command(rewrite_commands.index)
app.command(artifact)


@app.command(sort_key=30)
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
