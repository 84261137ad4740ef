"""What a stream is compressed with, by its first bytes."""

from __future__ import annotations

import io
import tarfile

import pytest

from registry_fp.codec.sniff import SNIFF_LENGTH, Encoding, sniff
from tests.codec.streams import COMPRESSED, packed


@pytest.mark.parametrize("encoding", COMPRESSED)
@pytest.mark.parametrize("content", [b"", b"content"])
def test_every_stream_is_known_by_its_beginning(encoding: Encoding, content: bytes) -> None:
    """Names and media types lie; an empty stream has another beginning in some formats."""
    assert sniff(packed(encoding, content)[:SNIFF_LENGTH]) == encoding


@pytest.mark.parametrize(
    "head", [b"", b"\x1f", b"\x1f\x8b", b"BZh9 is how this file's name begins", b"(\xb5/", bytes(16)]
)
def test_what_only_resembles_a_beginning_is_plain(head: bytes) -> None:
    """A file in a layer may be called BZh9."""
    assert sniff(head) == "none"


@pytest.mark.parametrize("number", range(16))
def test_a_skippable_frame_begins_a_zstd_stream(number: int) -> None:
    """RFC 8878 has sixteen magic numbers for them."""
    assert sniff(bytes((0x50 + number,)) + b"\x2a\x4d\x18\x00\x00\x00\x00") == "zstd"


def test_a_tar_is_plain() -> None:
    """A layer that is not compressed begins with the name of its first member."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("BZh9 notes.txt"))
    assert sniff(out.getvalue()[:SNIFF_LENGTH]) == "none"
