"""umoci: makes and changes OCI layouts, layer by layer."""

import os
import random
from pathlib import Path

from tests.real.debian import Prefix
from tests.real.tool import Tool

_EPOCH = 1_700_000_000


def umoci_tool(prefix: Prefix, home: Path) -> Tool:
    """Return umoci with an empty `home`."""
    home.mkdir(parents=True, exist_ok=True)
    return Tool((str(prefix.program("umoci")),), {**prefix.environment(), "HOME": str(home), "TMPDIR": str(home)})


async def write_layout(umoci: Tool, folder: Path) -> str:
    """Make `umoci-oci` in `folder`: an image of three layers, with a link, a program and a deletion; return `path:tag`.

    The first two layers come from `umoci insert`, whose tar lacks padding and end marker; the third from `repack`.
    """
    image, bundle = f"{folder / 'umoci-oci'}:1.0", folder / "bundle"
    await umoci("init", "--layout", folder / "umoci-oci")
    await umoci("new", "--image", image)
    await umoci("insert", "--rootless", "--image", image, _application(folder / "app"), "/app")
    await umoci("insert", "--rootless", "--image", image, _library(folder / "lib"), "/lib")
    await umoci("unpack", "--rootless", "--image", image, bundle)
    (bundle / "rootfs" / "lib" / "words.txt").unlink()
    (bundle / "rootfs" / "app" / "notes.txt").write_text("the third layer\n", encoding="utf-8")
    await umoci("repack", "--image", image, bundle)
    await umoci(
        *("config", "--image", image, "--created", "2024-01-01T00:00:00Z", "--architecture", "amd64", "--os", "linux"),
        *("--config.entrypoint", "/app/run.sh", "--config.env", "STAGE=test", "--author", "tester"),
    )
    await umoci("gc", "--layout", folder / "umoci-oci")
    return image


def _application(folder: Path) -> Path:
    """Write a program and a link to it."""
    folder.mkdir()
    (folder / "run.sh").write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
    (folder / "run.sh").chmod(0o755)
    (folder / "start").symlink_to("run.sh")
    return _dated(folder)


def _library(folder: Path) -> Path:
    """Write one file that compresses well and one that does not."""
    folder.mkdir()
    (folder / "words.txt").write_text("".join(f"word {n}\n" for n in range(20_000)), encoding="utf-8")
    (folder / "noise.bin").write_bytes(random.Random(1).randbytes(256 * 1024))  # noqa: S311 - bytes, not secrets
    return _dated(folder)


def _dated(folder: Path) -> Path:
    """Give everything in a folder one date, so that equal content makes equal layers."""
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (_EPOCH, _EPOCH), follow_symlinks=False)
    return folder
