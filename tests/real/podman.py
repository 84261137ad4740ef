"""podman: the `docker save` of those who have no docker."""

from pathlib import Path

from tests.real.buildah import write_context
from tests.real.containers_home import containers_environment, storage_options
from tests.real.debian import Prefix
from tests.real.tool import Tool
from tests.real.user_namespace import enter_user_namespace

_OTHER = "FROM scratch\nCOPY one.txt /other/one.txt\n"


def podman_tool(prefix: Prefix, home: Path) -> Tool:
    """Return podman, keeping its images in `home`; skips where the kernel forbids user namespaces."""
    command = (*enter_user_namespace(), str(prefix.program("podman")), *storage_options(home))
    return Tool(command, containers_environment(prefix, home))


async def write_podman_archives(podman: Tool, folder: Path) -> dict[str, Path]:
    """Write two images with three tags as one archive, and one image as an OCI archive, keyed by file name."""
    app, other = "example.test/team/app", "example.test/team/other"
    many, packed = folder / "podman-two-images.tar", folder / "podman-oci.tar"
    build = ("build", "--layers", "--isolation", "chroot", "--tag")
    await podman(*build, f"{app}:1.0", write_context(folder / "app"))
    await podman(*build, f"{other}:2.0", write_context(folder / "other", recipe=_OTHER))
    await podman("tag", f"{app}:1.0", f"{app}:latest")
    await podman("save", "--multi-image-archive", "--output", many, f"{app}:1.0", f"{app}:latest", f"{other}:2.0")
    await podman("save", "--format", "oci-archive", "--output", packed, f"{app}:1.0")
    return {many.name: many, packed.name: packed}
