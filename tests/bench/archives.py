"""What is pushed: real files of this machine, and holes that pretend to be gigabytes."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

CACHE = Path(__file__).parents[2] / ".cache" / "bench"
_PIECE = 1024 * 1024
_END = 1024


def real_archive(size: int, layers: int) -> Path:
    """An archive of files under /usr, in about equal layers; the same files always give the same bytes, once made."""
    found = _files(Path("/usr"), size // layers // 20)
    return _kept(f"usr-{size // 10**6}-{layers}", layers, lambda part: _write_layer(part, found, size // layers))


def random_archive(size: int, layers: int) -> Path:
    """An archive whose layers hold one file each that no codec makes smaller."""
    return _kept(f"random-{size // 10**6}-{layers}", layers, lambda part: _write_random(part, size // layers))


def _kept(name: str, layers: int, write_layer: Callable[[Path], None]) -> Path:
    """The archive of this name; made where it is not there yet."""
    path = CACHE / f"{name}.tar"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            diff_ids = []
            for number in range(layers):
                part = path.with_suffix(f".{number}")
                write_layer(part)
                with part.open("rb") as content:
                    diff_ids.append(hashlib.file_digest(content, "sha256").hexdigest())
                    content.seek(0)
                    tar.addfile(_member(f"{number}/layer.tar", part.stat().st_size), content)
                part.unlink()
            _write_image(tar, diff_ids)
        unfinished.rename(path)
    return path


def _write_random(path: Path, size: int) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar, Path("/dev/urandom").open("rb") as noise:
        tar.addfile(_member("noise", size), noise)


def sparse_archive(path: Path, sizes: Sequence[int]) -> Path:
    """An archive whose layers hold one file of zeros each, of so many bytes; the zeros are holes in the file system."""
    with path.open("wb") as file:
        diff_ids = []
        for number, size in enumerate(sizes):
            head, tail = _member(f"zeros-{number}", size).tobuf(), -size % 512 + _END
            hasher = hashlib.sha256(head)
            for piece in _zeros(size + tail):
                hasher.update(piece)
            diff_ids.append(hasher.hexdigest())
            length = len(head) + size + tail
            file.write(_member(f"{number}/layer.tar", length).tobuf() + head)
            file.seek(size + tail + -length % 512, os.SEEK_CUR)
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            _write_image(tar, diff_ids)
    return path


def _files(root: Path, largest: int) -> Iterator[Path]:
    """The regular files below a folder, in one order, without those that would make a layer too large."""
    for folder, names, files in os.walk(root):
        names.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= largest:
                yield path


def _write_layer(path: Path, found: Iterator[Path], size: int) -> None:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for each in found:
            with each.open("rb") as content:
                tar.addfile(_member(str(each)[1:], each.stat().st_size), content)
            if tar.offset >= size:
                return


def _write_image(tar: tarfile.TarFile, diff_ids: Sequence[str]) -> None:
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{diff_id}" for diff_id in diff_ids]}
    layers = [f"{number}/layer.tar" for number in range(len(diff_ids))]
    _add(tar, "config.json", {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs, "history": []})
    _add(tar, "manifest.json", [{"Config": "config.json", "RepoTags": ["bench:1.0"], "Layers": layers}])


def _add(tar: tarfile.TarFile, name: str, document: object) -> None:
    raw = json.dumps(document).encode()
    content: IO[bytes] = io.BytesIO(raw)
    tar.addfile(_member(name, len(raw)), content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = size, 1_700_000_000
    return member


def _zeros(size: int) -> Iterator[bytes]:
    piece = bytes(_PIECE)
    for _ in range(size // _PIECE):
        yield piece
    yield bytes(size % _PIECE)
