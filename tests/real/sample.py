"""Sample images, written by other people's tools."""

from pathlib import Path

from tests.real.skopeo import write_skopeo_archives
from tests.real.tool import Tool
from tests.real.umoci import write_layout


async def write_sample_archives(folder: Path, umoci: Tool, skopeo: Tool) -> dict[str, Path]:
    """Write one three-layer image in every form that umoci and skopeo know; each name begins with its writer's.

    The forms: `umoci-oci` (layout), `skopeo.tar` and `skopeo-two-tags.tar` (docker archives, uncompressed layers),
    `skopeo-oci.tar` (OCI archive, gzip), `skopeo-zstd-oci` (layout, zstd). The tag is 1.0, of example.test/team/app.
    """
    image = await write_layout(umoci, folder)
    archives = await write_skopeo_archives(skopeo, f"oci:{image}", folder)
    return {"umoci-oci": folder / "umoci-oci", **archives}
