"""Compression: the same content gives the same bytes, and every reader can read them."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_fp.codec.compressor import GZIP_LEVELS, ZSTD_LEVELS, new_compressor
from registry_fp.domain.errors import Misconfigured
from registry_fp.domain.media_type import Compression
from tests.codec.streams import CONTENT, cut, seeded, squeezed, unpacked

# Larger than the pieces that ISA-L is fed with, and no multiple of them.
LONG = CONTENT * 9 + seeded(6).randbytes(123_457)


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@given(content=st.binary(max_size=5000), sizes=st.lists(st.integers(0, 900), max_size=6))
def test_what_was_compressed_comes_back(compression: Compression, content: bytes, sizes: list[int]) -> None:
    """A layer that a registry gives back must be the layer that was pushed."""
    assert unpacked(compression, [squeezed(compression, cut(content, sizes))]) == content


@pytest.mark.parametrize(
    ("compression", "level"),
    [("gzip", 1), ("gzip", 2), ("gzip", 3), ("gzip", 4), ("gzip", 9), ("zstd", 1), ("zstd", 3), ("zstd", 19)],
)
def test_the_bytes_do_not_depend_on_how_the_content_arrives(compression: Compression, level: int) -> None:
    """A digest that changes from push to push would send every layer again, and no build could be repeated."""
    rng = seeded(level)
    whole = squeezed(compression, [LONG], level)
    for _ in range(3):
        sizes = [rng.choice([1, 511, 512, 4096, 65_536, 262_144, 300_001]) for _ in range(40)]
        assert squeezed(compression, cut(LONG, sizes), level) == whole


def test_a_gzip_header_names_no_time_and_no_file() -> None:
    """The same layer compressed on another day has the same digest."""
    header = squeezed("gzip", [b"x"])[:10]
    assert header[:4] == b"\x1f\x8b\x08\x00"
    assert header[4:8] == bytes(4)


@pytest.mark.parametrize("level", GZIP_LEVELS)
def test_every_gzip_level_is_read_by_the_standard_library(level: int) -> None:
    """Two engines stand behind the levels, and both write gzip."""
    assert gzip.decompress(squeezed("gzip", [LONG], level)) == LONG


@pytest.mark.parametrize(
    ("compression", "level", "why"),
    [
        ("gzip", 0, "gzip has the levels 1 to 9, not 0"),
        ("gzip", 10, "gzip has the levels 1 to 9, not 10"),
        ("zstd", 0, "zstd has the levels 1 to 19, not 0"),
        ("zstd", 22, "zstd has the levels 1 to 19, not 22"),
        ("none", 1, "there is none without compression"),
    ],
)
def test_a_level_out_of_range_is_refused_with_the_range(compression: Compression, level: int, why: str) -> None:
    """A level that is silently clamped is a setting that does nothing."""
    assert new_compressor(compression, level).failure() == Misconfigured("level", why)


def test_the_best_levels_are_inside_the_ranges() -> None:
    """The ranges are part of the documentation."""
    assert (GZIP_LEVELS[0], GZIP_LEVELS[-1], ZSTD_LEVELS[0], ZSTD_LEVELS[-1]) == (1, 9, 1, 19)


def test_the_input_may_be_reused_at_once() -> None:
    """A reader fills one buffer again and again; the compressor must not look back at it."""
    compressor = new_compressor("gzip").unwrap()
    buffer = bytearray(LONG[:300_000])
    out = compressor.compress(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    out += compressor.flush()
    assert gzip.decompress(out) == LONG[:300_000]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_memory_does_not_depend_on_the_length_of_the_stream(compression: Compression) -> None:
    """Layers are larger than memory."""
    compressor = new_compressor(compression).unwrap()
    piece = bytes(1 << 20)
    compressor.compress(piece)
    tracemalloc.start()
    try:
        for _ in range(48):
            compressor.compress(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20


WITHOUT = """
import gzip, sys
sys.modules.update(dict.fromkeys(["isal", "isal.igzip_lib", "isal.isal_zlib", "backports.zstd", "compression.zstd"]))
from registry_fp.codec import engines
from tests.codec.streams import CONTENT, cut, packed, seeded, squeezed, unpacked
from registry_fp.codec.compressor import new_compressor
from registry_fp.codec.decompressor import new_decompressor
assert engines.ZSTD is None
rng = seeded(1)
whole = squeezed("gzip", [CONTENT])
assert whole == squeezed("gzip", cut(CONTENT, [1, 2, 3, 5000])) and gzip.decompress(whole) == CONTENT
for length in (1, 7, 512, 1 << 20):
    two = packed("gzip", CONTENT) + packed("gzip", b"tail")
    sizes = [rng.randrange(40) for _ in range(len(two) // 20)]
    assert unpacked("gzip", cut(two, sizes), length) == CONTENT + b"tail", length
for end in range(len(whole)):
    assert not isinstance(unpacked("gzip", [whole[:end]]), bytes), end
assert not isinstance(unpacked("gzip", [whole + b"garbage"]), bytes)
print(new_compressor("zstd").failure().what, new_decompressor("zstd").failure().what, sep="|")
"""


def test_without_the_fast_engines_gzip_still_works_and_zstd_says_what_to_install() -> None:
    """ISA-L and zstd have no wheel for some platforms; a push must not need them."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    missing = "zstd (the extra registry-fp[zstd] is not installed)"
    assert (done.stdout.strip(), done.stderr) == (f"{missing}|{missing}", "")
