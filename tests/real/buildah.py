"""buildah: builds images from a recipe, here without a daemon, network or root."""

from pathlib import Path

from tests.real.containers_home import containers_environment, storage_options
from tests.real.debian import Prefix
from tests.real.tool import Tool
from tests.real.user_namespace import enter_user_namespace

RECIPE = """\
FROM scratch
ENV STAGE=test
COPY one.txt /app/one.txt
COPY two.txt /app/two.txt
ENTRYPOINT ["/app/one.txt"]
"""


def buildah_tool(prefix: Prefix, home: Path) -> Tool:
    """Return buildah, keeping its images in `home`; skips where the kernel forbids user namespaces."""
    command = (*enter_user_namespace(), str(prefix.program("buildah")), *storage_options(home))
    return Tool(command, containers_environment(prefix, home))


def write_context(folder: Path, *, recipe: str = RECIPE) -> Path:
    """Write a build context with the recipe and the two files that it copies."""
    folder.mkdir(parents=True)
    (folder / "Containerfile").write_text(recipe, encoding="utf-8")
    (folder / "one.txt").write_text("one\n", encoding="utf-8")
    (folder / "two.txt").write_text("two\n" * 10_000, encoding="utf-8")
    return folder


async def write_buildah_archive(buildah: Tool, folder: Path) -> Path:
    """Build two layers (and two layerless steps) and write them as `buildah.tar`."""
    tag, archive = "example.test/team/app:1.0", folder / "buildah.tar"
    await buildah("build", "--layers", "--isolation", "chroot", "--tag", tag, write_context(folder / "context"))
    await buildah("push", tag, f"docker-archive:{archive}:{tag}")
    return archive
