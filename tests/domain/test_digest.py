"""Digests: only the canonical spelling, because a digest becomes a URL and a path."""

from __future__ import annotations

import hashlib
import pickle
import re

from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import ALGORITHMS, Digest, digest_of, new_hasher, parse_digest
from registry_fp.domain.errors import BadReference

HEX = "0123456789abcdef" * 4

BAD = [
    "",
    "sha256",
    "sha256:",
    f":{HEX}",
    HEX,
    f"sha256:{HEX[:-1]}",
    f"sha256:{HEX}0",
    f"sha256:{HEX.upper()}",
    f"SHA256:{HEX}",
    f"sha256:{HEX[:-1]}g",
    "sha256:../../x",
    f"sha256:{'../' * 21}x",
    f"sha256:{HEX[:-1]}\n",
    f"sha256:{HEX}\n",
    f" sha256:{HEX}",
    f"sha256:{'٣' * 64}",
    f"sha256: {HEX[1:]}",
    f"sha256+b64:{HEX}",
    f"md5:{'0' * 32}",
    f"sha384:{'0' * 96}",
    f"sha512:{HEX}",
    f"sha256-{HEX}",
    f"sha256:{HEX}@{HEX}",
]


def test_every_other_spelling_is_refused() -> None:
    """A digest is put into paths and URLs: one that is not exactly hex travels no further (CVE-2024-3727)."""
    for text in BAD:
        parsed = parse_digest(text)
        assert not is_successful(parsed), text
        assert isinstance(parsed.failure().reason, BadReference)


@given(content=st.binary(max_size=64), algorithm=st.sampled_from(sorted(ALGORITHMS)))
def test_parsing_is_the_inverse_of_showing(content: bytes, algorithm: str) -> None:
    """A digest keeps its identity through text, pickle and JSON."""
    digest = digest_of(content, algorithm)
    assert parse_digest(str(digest)).unwrap() == digest
    assert pickle.loads(pickle.dumps(digest)) == digest  # noqa: S301  our own bytes
    blob = Descriptor(media_type="application/octet-stream", digest=digest, size=len(content))
    assert Descriptor.model_validate_json(blob.model_dump_json()).digest == digest


@given(text=st.text(max_size=80) | st.from_regex(r"(sha256|sha512|SHA256|md5)[:+]?[0-9a-fA-F]{62,66}", fullmatch=True))
def test_an_independent_reading_of_the_grammar_agrees(text: str) -> None:
    """The specification's grammar in one line, beside the one that explains what is wrong."""
    canonical = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII).fullmatch(text)
    assert is_successful(parse_digest(text)) == (canonical is not None)


@given(parts=st.lists(st.binary(max_size=32), max_size=6))
def test_a_hasher_fed_in_parts_gives_the_digest_of_the_whole(parts: list[bytes]) -> None:
    """A layer is hashed while it streams past, in chunks of whatever size arrives."""
    hasher = new_hasher()
    for part in parts:
        hasher.update(memoryview(part))
    assert Digest("sha256", hasher.hexdigest()) == digest_of(b"".join(parts))
    assert hasher.hexdigest() == hashlib.sha256(b"".join(parts)).hexdigest()


def test_what_is_shown_of_a_bad_digest_is_bounded() -> None:
    """A megabyte of nonsense in a header must not become a megabyte of log."""
    error = parse_digest("x" * 1_000_000).failure()
    assert len(repr(error)) < 2000


def test_the_short_form_is_the_first_twelve_digits() -> None:
    """What `docker images` shows, and people compare."""
    assert digest_of(b"").short == "e3b0c44298fc"
