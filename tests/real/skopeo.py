"""skopeo: copies and inspects images between registries, archives and layouts."""

from pathlib import Path

from tests.real.containers_home import containers_environment
from tests.real.debian import Prefix
from tests.real.tool import Tool


def skopeo_tool(prefix: Prefix, home: Path) -> Tool:
    """Return skopeo, trusting every image and reading no configuration but its own in `home`."""
    return Tool((str(prefix.program("skopeo")), "--insecure-policy"), containers_environment(prefix, home))


async def write_skopeo_archives(skopeo: Tool, image: str, folder: Path) -> dict[str, Path]:
    """Write the image (as skopeo spells it: `oci:folder:tag`) as archives and layouts, keyed by file name."""
    names = ("skopeo.tar", "skopeo-two-tags.tar", "skopeo-oci.tar", "skopeo-zstd-oci")
    one, two, packed, layout = paths = [folder / name for name in names]
    await skopeo("copy", image, f"docker-archive:{one}:example.test/team/app:1.0")
    await skopeo(
        *("copy", "--additional-tag", "example.test/team/app:latest"),
        *(image, f"docker-archive:{two}:example.test/team/app:1.0"),
    )
    await skopeo("copy", image, f"oci-archive:{packed}:1.0")
    await skopeo("copy", "--dest-compress-format", "zstd", image, f"oci:{layout}:1.0")
    return dict(zip(names, paths, strict=True))
