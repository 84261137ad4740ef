"""Archives like those of `docker save`, made from nothing: for demonstrations and tests, here and in your own project.

The same arguments always give the same bytes. The content resembles a small Linux image (configuration files,
programs, an application), so that it compresses as real layers do.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, final

from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.media_type import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST

__all__ = [
    "Repeats",
    "SampleArchive",
    "SampleImage",
    "SavedLayout",
    "sample_image",
    "sample_layer",
    "write_docker_save",
]

SavedLayout: TypeAlias = Literal["legacy", "oci"]
"""Docker up to 24 writes "legacy" archives, later versions "oci" ones: an OCI layout with a `manifest.json`."""

Repeats: TypeAlias = Literal["symlink", "hardlink", "copy"]
"""How a "legacy" archive holds a layer for the second time; Docker writes a symlink."""

_CREATED: Final = "2024-05-01T12:00:00Z"
_MTIME: Final = 1_714_564_800  # the same moment
_MEBIBYTE: Final = 1024 * 1024
_WORDS: Final = """the of and to in is for this that with default server value option path file set address user group
 name port enable allow listen module system service network log level format directory version if not when true false
 return import def class self none raise error request response header length content type""".split()  # noqa: SIM905  sixty quoted words read worse


@final
@dataclass(frozen=True, slots=True)
class SampleImage:
    """One image: the exact bytes of its configuration, its layers as plain tars (oldest first), its tags."""

    config: bytes = field(repr=False)
    layers: tuple[bytes, ...] = field(repr=False)
    tags: tuple[str, ...]

    @property
    def config_digest(self) -> Digest:
        """The image's id."""
        return digest_of(self.config)

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        """The digests of the plain layers."""
        return tuple(digest_of(layer) for layer in self.layers)


@final
@dataclass(frozen=True, slots=True)
class SampleArchive:
    """What was written, and where."""

    path: Path
    images: tuple[SampleImage, ...]


def sample_layer(files: Mapping[str, bytes]) -> bytes:
    """A layer's tar with these files and the folders above them.

    >>> len(sample_layer({"etc/hostname": b"sample"})) % 512
    0
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        folders: set[str] = set()
        for name, content in files.items():
            for folder in reversed([str(parent) for parent in Path(name).parents][:-1]):
                if folder not in folders:
                    folders.add(folder)
                    _add(tar, f"{folder}/", kind=tarfile.DIRTYPE)
            _add(tar, name, content)
    return out.getvalue()


def sample_image(
    *tags: str,
    layers: Sequence[bytes] | None = None,
    mebibytes: int = 6,
    seed: int = 0,
    labels: Mapping[str, str] | None = None,
) -> SampleImage:
    """An image with a configuration that fits its layers; without `layers`, a small system with an application on it.

    `mebibytes` is about the size of that system; `seed` changes the application and leaves the lower layers alone,
    so that images with different seeds share them.

    >>> sample_image("app:1.0", mebibytes=1).diff_ids[0] == sample_image("app:2.0", mebibytes=1, seed=2).diff_ids[0]
    True
    """
    chosen = (*_system(mebibytes), _application(seed)) if layers is None else tuple(layers)
    return SampleImage(_config(chosen, labels or {}), chosen, tags)


def write_docker_save(
    path: str | os.PathLike[str],
    *images: SampleImage,
    layout: SavedLayout = "oci",
    compressed: bool = False,
    repeats: Repeats = "symlink",
) -> SampleArchive:
    """Write an archive as `docker save` does, without Docker; without images it holds one, tagged `app:1.0`.

    `compressed` gzips the layers of an "oci" archive, as Docker does with the containerd image store.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_docker_save(f"{folder}/app.tar", sample_image("app:1.0", mebibytes=1), layout="legacy")
    >>> written.images[0].tags
    ('app:1.0',)
    """
    chosen = images or (sample_image("app:1.0"),)
    with tarfile.open(path, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        members = _Members(tar)
        if layout == "legacy":
            _write_legacy(members, chosen, repeats)
        else:
            _write_oci(members, chosen, compressed=compressed)
        members.add("repositories", _json(_repositories(chosen)))
    return SampleArchive(Path(path), chosen)


@final
class _Members:
    """Adds each name once; remembers where a content was first."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._names: set[str] = set()
        self._first: dict[Digest, str] = {}

    def add(self, name: str, content: bytes) -> None:
        if name not in self._names:
            self._names.add(name)
            _add(self._tar, name, content)

    def add_layer(self, name: str, content: bytes, repeats: Repeats) -> None:
        """A layer, or a link to the same one."""
        first = self._first.setdefault(digest_of(content), name)
        if first == name or repeats == "copy":
            self.add(name, content)
        elif name not in self._names:
            self._names.add(name)
            symbolic = repeats == "symlink"
            kind = tarfile.SYMTYPE if symbolic else tarfile.LNKTYPE
            _add(self._tar, name, kind=kind, target=f"../{first}" if symbolic else first)


def _write_legacy(members: _Members, images: Sequence[SampleImage], repeats: Repeats) -> None:
    entries: list[dict[str, Any]] = []
    for image in images:
        names: list[str] = []
        for folder, layer in zip(_chain(image), image.layers, strict=True):
            members.add(f"{folder}/VERSION", b"1.0")
            members.add(f"{folder}/json", _json({"id": folder, "created": _CREATED, "os": "linux"}))
            names.append(f"{folder}/layer.tar")
            members.add_layer(names[-1], layer, repeats)
        config = f"{image.config_digest.hex}.json"
        members.add(config, image.config)
        entries.append({"Config": config, "RepoTags": list(image.tags) or None, "Layers": names})
    members.add("manifest.json", _json(entries))


def _write_oci(members: _Members, images: Sequence[SampleImage], *, compressed: bool) -> None:
    entries: list[dict[str, Any]] = []
    listed: list[dict[str, Any]] = []

    def blob(media_type: str, content: bytes) -> dict[str, Any]:
        digest = digest_of(content)
        members.add(f"blobs/sha256/{digest.hex}", content)
        return {"mediaType": media_type, "digest": str(digest), "size": len(content)}

    for image in images:
        layers = [
            blob(OCI_LAYER_GZIP, gzip.compress(layer, compresslevel=1, mtime=0))
            if compressed
            else blob(OCI_LAYER, layer)
            for layer in image.layers
        ]
        config = blob(OCI_CONFIG, image.config)
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}
        listed.append(blob(OCI_MANIFEST, _json(manifest)))
        entries.append(
            {
                "Config": _blob_name(config),
                "RepoTags": list(image.tags) or None,
                "Layers": [_blob_name(layer) for layer in layers],
                "LayerSources": {str(d): layer for d, layer in zip(image.diff_ids, layers, strict=True)},
            }
        )
    members.add("index.json", _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}))
    members.add("manifest.json", _json(entries))
    members.add("oci-layout", _json({"imageLayoutVersion": "1.0.0"}))


def _blob_name(descriptor: Mapping[str, Any]) -> str:
    return f"blobs/{str(descriptor['digest']).replace(':', '/')}"


def _chain(image: SampleImage) -> list[str]:
    """The ids of Docker's version 1: each from its layer and the one below, the top one from the configuration too."""
    ids = [""]
    for diff_id in image.diff_ids[:-1]:
        ids.append(digest_of(f"{ids[-1]} {diff_id}".encode()).hex)
    top = [digest_of(f"{ids[-1]} {image.config_digest}".encode()).hex] if image.layers else []
    return ids[1:] + top


def _repositories(images: Iterable[SampleImage]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for image in images:
        for tag in image.tags:
            name, _, version = tag.rpartition(":")
            found.setdefault(name, {})[version] = _chain(image)[-1] if image.layers else ""
    return found


def _config(layers: Sequence[bytes], labels: Mapping[str, str]) -> bytes:
    steps = [{"created": _CREATED, "created_by": f"COPY layer-{number} / # buildkit"} for number in range(len(layers))]
    return _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": _CREATED,
            "author": "registry_fp.testing",
            "config": {
                "User": "app",
                "ExposedPorts": {"8080/tcp": {}},
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"],
                "Entrypoint": ["/app/bin/serve"],
                "Cmd": ["--port", "8080"],
                "WorkingDir": "/app",
                "Labels": {"org.opencontainers.image.title": "sample", **labels},
            },
            "rootfs": {"type": "layers", "diff_ids": [str(digest_of(layer)) for layer in layers]},
            "history": [*steps, {"created": _CREATED, "created_by": 'CMD ["--port" "8080"]', "empty_layer": True}],
        }
    )


@cache
def _system(mebibytes: int) -> tuple[bytes, ...]:
    """Two layers: a base with configuration and programs, and packages on it."""
    rng = random.Random(mebibytes)  # noqa: S311  the same every time, and no secret
    share = max(1, mebibytes * _MEBIBYTE // 16)
    base = {
        "etc/os-release": b'PRETTY_NAME="Sample GNU/Linux 1 (sandpiper)"\nID=sample\n',
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/app:/bin/false\n",
        **{f"etc/conf.d/{name}.conf": _text(rng, share // 8) for name in ("net", "log", "tls", "users")},
        **{f"usr/bin/{name}": _binary(rng, share) for name in ("sh", "ls", "tar", "sed", "awk")},
        **{f"usr/lib/lib{name}.so.6": _binary(rng, share) for name in ("c", "m", "crypt")},
    }
    packages = {
        **{f"usr/share/doc/package-{number}/README": _text(rng, share // 2) for number in range(6)},
        **{f"usr/lib/package-{number}.so": _binary(rng, share) for number in range(4)},
    }
    return sample_layer(base), sample_layer(packages)


@cache
def _application(seed: int) -> bytes:
    rng = random.Random(f"application {seed}")  # noqa: S311  the same every time, and no secret
    return sample_layer(
        {
            "app/bin/serve": _binary(rng, 128 * 1024),
            **{f"app/src/module_{number}.py": _text(rng, 16 * 1024) for number in range(12)},
            "app/VERSION": f"{seed}\n".encode(),
        }
    )


def _text(rng: random.Random, size: int) -> bytes:
    lines = [" ".join(rng.choices(_WORDS, k=rng.randint(3, 12))) for _ in range(400)]
    numbered = (f"{line} {rng.randrange(10_000)}" for line in rng.choices(lines, k=size // 24 + 1))
    return "\n".join(numbered).encode()[:size]


def _binary(rng: random.Random, size: int) -> bytes:
    """Like a program: a few thousand instructions that come again, and something that does not."""
    instructions = [rng.randbytes(6) for _ in range(3000)]
    code = b"".join(rng.choices(instructions, k=size // 7))
    return b"\x7fELF\x02\x01\x01" + code + rng.randbytes(max(0, size - 7 - len(code)))


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _add(
    tar: tarfile.TarFile, name: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, target: str = ""
) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.mtime, member.linkname = kind, len(content), _MTIME, target
    member.mode = 0o755 if kind == tarfile.DIRTYPE or "bin/" in name else 0o644
    tar.addfile(member, io.BytesIO(content))
