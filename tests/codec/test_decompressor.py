"""Decompression: everything that is content, nothing else, and never more memory than asked for."""

from __future__ import annotations

import gzip
import lzma
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp.codec.decompressor import BadStream, new_decompressor
from registry_fp.codec.engines import WINDOW_LIMIT
from registry_fp.codec.sniff import Encoding
from tests.codec.streams import COMPRESSED, CONTENT, cut, packed, seeded, unpacked

SMALL = CONTENT[:40] + bytes(200)
SKIPPABLE = b"\x5a\x2a\x4d\x18\x04\x00\x00\x00abcd"


@pytest.mark.parametrize("encoding", ["none", *COMPRESSED])
@given(
    members=st.lists(st.binary(max_size=2000), min_size=1, max_size=4),
    sizes=st.lists(st.integers(0, 300), max_size=12),
    max_length=st.integers(1, 5000),
)
def test_members_in_any_pieces_are_one_content(
    encoding: Encoding, members: list[bytes], sizes: list[int], max_length: int
) -> None:
    """pigz, zstd -T and `cat a.gz b.gz` write several members; where a read ends is chance."""
    stream = b"".join(packed(encoding, member) for member in members)
    assert unpacked(encoding, cut(stream, sizes), max_length) == b"".join(members)


@pytest.mark.parametrize("encoding", COMPRESSED)
@given(stream=st.binary(max_size=300))
def test_arbitrary_bytes_end_in_content_or_a_reason(encoding: Encoding, stream: bytes) -> None:
    """A download that went wrong is no traceback."""
    assert isinstance(unpacked(encoding, [stream]), bytes | BadStream)


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_stream_that_ends_anywhere_too_early_is_refused(encoding: Encoding) -> None:
    """Half a layer decompresses without complaint, except for its end."""
    whole = packed(encoding, SMALL) + packed(encoding, SMALL)
    first = len(packed(encoding, SMALL))
    accepted = {end for end in range(len(whole)) if isinstance(unpacked(encoding, [whole[:end]]), bytes)}
    assert accepted == {first}


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_flipped_bit_is_found_or_changes_nothing(encoding: Encoding) -> None:
    """Disks and memory flip bits; the checksum is what stands between them and a registry."""
    whole = packed(encoding, SMALL)
    found = 0
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        out = unpacked(encoding, [bytes(damaged)])
        assert out == SMALL or isinstance(out, BadStream), position
        found += isinstance(out, BadStream)
    assert found > len(whole) // 2


@pytest.mark.parametrize("encoding", COMPRESSED)
@pytest.mark.parametrize("behind", [b"garbage, and enough of it to be no header", b"\x01", bytes(512)])
def test_something_behind_the_stream_is_refused(encoding: Encoding, behind: bytes) -> None:
    """Two readers could differ on whether it counts, and one of them runs the image."""
    out = unpacked(encoding, [packed(encoding, SMALL) + behind])
    if encoding == "xz" and not any(behind):
        assert out == SMALL  # padding is a part of that format
    else:
        assert isinstance(out, BadStream)


def test_padding_of_xz_has_a_length_that_divides_by_four() -> None:
    """The format says so (2.2), and `xz` refuses another."""
    one = packed("xz", SMALL)
    assert unpacked("xz", cut(one + bytes(8) + one + bytes(4), [len(one) + 3])) == SMALL + SMALL
    assert isinstance(unpacked("xz", [one + bytes(5) + one]), BadStream)
    assert isinstance(unpacked("xz", [one + bytes(6)]), BadStream)


def test_skippable_frames_of_zstd_are_skipped_wherever_they_are() -> None:
    """Lazily pulled images (zstd:chunked) carry their table of contents in one."""
    one = packed("zstd", SMALL)
    assert unpacked("zstd", cut(SKIPPABLE + one + SKIPPABLE + one + SKIPPABLE, [3])) == SMALL + SMALL


def test_a_zstd_window_larger_than_the_limit_is_refused() -> None:
    """A frame of a hundred bytes can ask its reader for gigabytes."""
    # RFC 8878, 3.1.1: magic, descriptor without content size, window descriptor of 2^(10 + 20) bytes, an empty block.
    asks = b"\x28\xb5\x2f\xfd\x00" + bytes((20 << 3,)) + b"\x01\x00\x00"
    fits = b"\x28\xb5\x2f\xfd\x00" + bytes(((WINDOW_LIMIT.bit_length() - 1 - 10) << 3,)) + b"\x01\x00\x00"
    assert isinstance(unpacked("zstd", [asks]), BadStream)
    assert unpacked("zstd", [fits]) == b""


def test_an_xz_dictionary_larger_than_the_limit_is_refused() -> None:
    """The same, for a format whose largest dictionary is 4 GiB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2 * WINDOW_LIMIT}]
    out = unpacked("xz", [lzma.compress(b"x", filters=filters)])
    assert isinstance(out, BadStream)
    assert "memory" in out.why.lower()


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "xz"])
def test_a_bomb_gives_no_more_than_was_asked_for(encoding: Encoding) -> None:
    """32 KiB can hold 32 MiB of zeros; the reader decides how much of it it wants at once."""
    stream = new_decompressor(encoding).unwrap()
    part = stream.decompress(packed(encoding, bytes(32 << 20)), max_length=1000)
    assert part.unwrap() == bytes(1000)
    assert not stream.needs_input


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_megabyte_of_empty_members_is_read_in_linear_time(encoding: Encoding) -> None:
    """Each engine copies what lies behind its member; given everything at once that is quadratic."""
    empty = packed(encoding, b"")
    stream = empty * ((1 << 20) // len(empty))
    started = time.perf_counter()
    assert unpacked(encoding, [stream]) == b""
    assert time.perf_counter() - started < 10  # about one second; quadratic takes minutes


def test_a_fault_is_told_again_whatever_comes_later() -> None:
    """A caller that reads on after a failure must not get content that looks sound."""
    stream = new_decompressor("gzip").unwrap()
    first = stream.decompress(b"\x1f\x8b\x08\x00 this is no gzip at all", max_length=100)
    assert stream.decompress(gzip.compress(b"sound"), max_length=100) == first
    assert stream.finish().failure() == first.failure()


def test_input_before_it_is_asked_for_is_kept() -> None:
    """The contract asks callers to wait; one that does not loses nothing."""
    stream = new_decompressor("gzip").unwrap()
    rng = seeded(3)
    members = [rng.randbytes(2000) for _ in range(3)]
    out = [stream.decompress(packed("gzip", member), max_length=100).unwrap() for member in members]
    while not stream.needs_input:
        out.append(stream.decompress(b"", max_length=100).unwrap())
    assert b"".join(out) == b"".join(members)
    assert stream.finish().unwrap() is None


@pytest.mark.parametrize("encoding", ["none", *COMPRESSED])
def test_a_stream_begins_by_asking_for_input(encoding: Encoding) -> None:
    """A caller reads only when it is asked to."""
    stream = new_decompressor(encoding).unwrap()
    assert stream.needs_input
    assert stream.decompress(b"", max_length=10).unwrap() == b""
    assert stream.needs_input
    assert is_successful(stream.finish()) == (encoding == "none")
