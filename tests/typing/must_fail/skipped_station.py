"""A station of the railway that is left out: each takes only what the one before it gives."""

from registry_fp import Client, Op, Pushed, Reference
from registry_fp.archive.opened import OpenArchive
from registry_fp.pipelines.push import Uploaded, extract, put_manifest, upload_all, validate


def without_extract(client: Client, archive: OpenArchive, to: Reference) -> Op[Uploaded]:
    """Layers without byte ranges cannot be sent."""
    return validate(archive).bind(
        lambda image: upload_all(client, image, to),  # expect: mypy[arg-type] pyright[reportArgumentType]
    )


def without_upload(client: Client, archive: OpenArchive) -> Op[Pushed]:
    """A manifest before its blobs would point nowhere."""
    return (
        validate(archive)
        .bind(extract)
        .bind(
            lambda image: put_manifest(client, image),  # expect: mypy[arg-type] pyright[reportArgumentType]
        )
    )


def without_validate(archive: OpenArchive) -> object:
    """What was not looked at is not taken apart."""
    return extract(archive)  # expect: mypy[arg-type] pyright[reportArgumentType]


def without_a_manifest(sent: Op[Uploaded]) -> Op[Pushed]:
    """Blobs alone are no image."""
    return sent  # expect: mypy[return-value] pyright[reportReturnType]
