"""The tar index: the same members as the standard library's reader sees, and an end to every hostile input."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.tar_header import parse_header, plain_name
from registry_fp.archive.tar_index import MemberKind, TarIndex
from registry_fp.archive.tar_scan import ScanLimits, TarScan, scan_tar
from registry_fp.domain.errors import InvalidImage, Reason, SourceChanged, TarFault, TarUnreadable
from tests.archive.tars import END, Save, header, long_name, member, pax

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
KINDS: dict[bytes, MemberKind] = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
    tarfile.FIFOTYPE: "other",
    tarfile.CHRTYPE: "other",
}

# Printable text without the separators, in components that are no `.` or `..`; some make names beyond 100 bytes.
component = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/"), min_size=1, max_size=12
).filter(lambda text: text not in {".", ".."} and text.isprintable())
names = st.lists(component, min_size=1, max_size=20).map("/".join)
entries = st.lists(
    st.tuples(names, st.sampled_from(sorted(KINDS)), st.binary(max_size=1200), names, st.sampled_from(["", "./"])),
    max_size=8,
)


def reading(content: bytes) -> Callable[[int, int], Result[bytes, Reason]]:
    """A file with this content, that must only be asked for what it has, and for little at once."""

    def read(offset: int, length: int) -> Result[bytes, Reason]:
        assert offset >= 0
        assert offset + length <= len(content)
        assert length <= 64 * 1024
        return Success(content[offset : offset + length])

    return read


def indexed(content: bytes, limits: ScanLimits | None = None) -> Result[TarIndex, Reason]:
    """The index of this content."""
    return scan_tar(reading(content), len(content), limits or ScanLimits())


def kind_of(found: Result[TarIndex, Reason]) -> TarFault:
    """Why a tar cannot be read."""
    reason = found.failure()
    assert isinstance(reason, TarUnreadable)
    return reason.kind


@pytest.mark.parametrize("version", FORMATS)
@given(entries=entries, global_comment=st.booleans())
def test_the_index_agrees_with_the_standard_library(
    version: str, entries: list[tuple[str, bytes, bytes, str, str]], *, global_comment: bool
) -> None:
    """Two readers that see different members see different images."""
    out = io.BytesIO()
    extra = {"comment": "sample"} if global_comment else None
    with tarfile.open(fileobj=out, mode="w", format=FORMATS[version], pax_headers=extra) as tar:
        for name, kind, content, target, before in entries:
            info = tarfile.TarInfo(before + name)
            # Before python/cpython#141707 a long name cut after a slash made an old-style file a folder.
            info.type = tarfile.REGTYPE if len((before + name).encode()) > 100 and kind == tarfile.AREGTYPE else kind
            info.linkname = target
            info.size = len(content) if KINDS[kind] == "file" else 0
            try:
                tar.addfile(info, io.BytesIO(content))
            except (ValueError, UnicodeEncodeError):  # too long for ustar
                continue
        tar.addfile(tarfile.TarInfo("last"))  # the standard library reads no archive that has only a global header
    raw = out.getvalue()
    with tarfile.open(fileobj=io.BytesIO(raw), encoding="utf-8") as tar:
        expected = [
            (
                plain_name(info.name.encode()).unwrap(),
                KINDS[info.type],
                info.offset_data,
                info.size,
                info.linkname if info.issym() or info.islnk() else "",
            )
            for info in tar
        ]
    found = indexed(raw).unwrap()
    assert [(one.name, one.kind, one.offset, one.size, one.target) for one in found.members] == expected
    assert not found.trailing_garbage


@given(content=st.binary(max_size=3000))
def test_arbitrary_bytes_end_in_a_reason(content: bytes) -> None:
    """Whatever a file holds, the answer is a value."""
    assert is_successful(indexed(content)) == (content[:512] == bytes(512))


valid_blocks = st.builds(
    header,
    name=st.binary(max_size=100),
    kind=st.sampled_from([bytes((code,)) for code in b"\x000123456LKxgXSDVMNZ\xff"]),
    size_field=st.one_of(st.integers(0, 3000).map(lambda size: b"%011o\0" % size), st.binary(min_size=12, max_size=12)),
    link=st.binary(max_size=100),
    prefix=st.binary(max_size=155),
    magic=st.sampled_from([b"ustar\x0000", b"ustar  \x00", bytes(8)]),
)
payloads = st.one_of(
    st.just(bytes(512)),
    st.binary(max_size=600).map(lambda raw: raw + bytes(-len(raw) % 512)),
    st.dictionaries(
        st.sampled_from(["path", "linkpath", "size", "GNU.sparse.name", "GNU.sparse.major", "comment"]),
        st.text(max_size=30),
    ).map(lambda records: pax(records)[512:]),
)


@settings(max_examples=300)
@given(st.lists(st.one_of(valid_blocks, valid_blocks, payloads), max_size=12).map(b"".join))
def test_headers_that_are_signed_and_say_anything_end_in_a_value(content: bytes) -> None:
    """A fuzzer that never gets the checksum right tests nothing behind it."""
    found = indexed(content)
    if is_successful(found):
        for one in found.unwrap().members:
            assert one.name.isprintable()
            assert not one.name.startswith("/")
            assert ".." not in one.name.split("/")
            assert 512 <= one.offset <= one.offset + one.size <= len(content)
        offsets = [one.offset for one in found.unwrap().members]
        assert offsets == sorted(set(offsets))
    else:
        assert isinstance(found.failure(), TarUnreadable | InvalidImage)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_archive_ends_in_a_value(data: st.DataObject) -> None:
    """Bits flip, and downloads end early."""
    content = bytearray(bytes(Save(before=long_name(b"n" * 200) + member("x") + pax({"path": "p"}) + member("y"))))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[position] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))
    found = indexed(bytes(content[:end]))
    assert is_successful(found) or isinstance(found.failure(), TarUnreadable | InvalidImage)


def test_a_pass_in_small_steps_sees_the_same() -> None:
    """Steps exist so that a cancellation need not wait for the whole."""
    content = bytes(Save())
    scan = TarScan(reading(content), len(content))
    steps = 0
    index = None
    while index is None:
        index = scan.step(1).unwrap()
        steps += 1
    assert index == indexed(content).unwrap()
    assert steps == len(index.members) + 1


def test_what_lies_behind_the_end_is_a_warning_and_no_member() -> None:
    """`cat a.tar b.tar` has a second archive that no reader looks at."""
    joined = indexed(bytes(Save()) + member("hidden") + END).unwrap()
    assert joined.trailing_garbage
    assert "hidden" not in joined
    assert not indexed(bytes(Save()) + bytes(10_000)).unwrap().trailing_garbage


def test_names_that_fill_memory_are_refused() -> None:
    """A small compressed file can hold a hundred thousand names of sixty kilobytes each."""
    one = long_name(b"n" * 60_000) + member("short")
    limits = ScanLimits(names=1_000_000)
    assert is_successful(indexed(one * 16, limits))
    assert kind_of(indexed(one * 17, limits)) == "hostile header"
    assert kind_of(indexed((header(b"l", kind=b"2", link=b"t" * 100)) * 10_000, limits)) == "hostile header"


def test_members_and_headers_are_counted() -> None:
    """An archive of headers only is small on disk and endless to a reader that keeps them all."""
    limits = ScanLimits(members=50)
    assert is_successful(indexed(member("m") * 50, limits))
    assert kind_of(indexed(member("m") * 51, limits)) == "too many members"
    assert is_successful(indexed(pax({}, b"g") * 200, limits))
    assert kind_of(indexed(pax({}, b"g") * 201, limits)) == "too many members"


def test_a_header_larger_than_the_limit_is_not_read() -> None:
    """The limit is on the claim: `reading` refuses to be asked for more."""
    assert is_successful(indexed(pax({"comment": "c" * 60_000}) + member("m")))
    assert kind_of(indexed(pax({"comment": "c" * 70_000}) + member("m"))) == "hostile header"


def test_a_failing_read_is_passed_on() -> None:
    """A disk error, or a file that became shorter, is not the archive's fault."""
    content = bytes(Save())
    broken = SourceChanged("app.tar")
    for bad in range(0, len(content) - 512, 512):

        def read(offset: int, length: int, bad: int = bad) -> Result[bytes, Reason]:
            return Failure(broken) if offset == bad else Success(content[offset : offset + length])

        found = scan_tar(read, len(content))
        assert found == indexed(content) if is_successful(found) else found.failure() == broken


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(b"a", "a"), (b"./a", "a"), (b"a//b/./c/", "a/b/c"), (b"./", "."), (b"..a/b..", "..a/b.."), (b"a\\b", "a\\b")],
)
def test_names_have_one_spelling(raw: bytes, expected: str) -> None:
    """`./manifest.json` is what `tar -C folder .` writes."""
    assert plain_name(raw).unwrap() == expected


@pytest.mark.parametrize(
    "raw", [b"/a", b"a/../b", b"..", b"a\0b", b"\xff", b"a\nb", "a\u202eb".encode(), b"\xed\xa0\x80"]
)
def test_names_that_mislead_are_refused(raw: bytes) -> None:
    """They escape a folder, end a line, or turn text around on a terminal."""
    assert not is_successful(plain_name(raw))


@pytest.mark.parametrize("name", ["é", "\x7f", "a"])
def test_an_old_checksum_of_signed_bytes_is_accepted(name: str) -> None:
    """Some tars of the eighties summed signed characters; the standard library reads them too."""
    block = bytearray(header(name.encode()))
    signed = 256 + sum(byte - 256 if byte > 127 else byte for byte in block[:148] + block[156:])
    block[148:156] = b"%06o\0 " % signed
    assert parse_header(bytes(block)).unwrap().name == name.encode()
    assert tarfile.TarInfo.frombuf(bytes(block), "utf-8", "strict").name == name


@pytest.mark.parametrize("field", [b"", b" " * 11, b"0", b"00000000000\0", b"\x80" + bytes(11)])
def test_a_size_that_is_blank_or_zero_is_zero(field: bytes) -> None:
    """Links and folders of some writers have no size at all."""
    assert parse_header(header(size_field=field)).unwrap().size == 0
    assert tarfile.TarInfo.frombuf(header(size_field=field), "utf-8", "strict").size == 0


def test_a_slash_makes_a_folder_only_of_the_oldest_kind_of_file() -> None:
    """Before there was a type for folders they were files whose name ends so (POSIX, "typeflag")."""
    found = indexed(header(b"old/", kind=b"\0") + header(b"old", kind=b"\0") + header(b"new/")).unwrap()
    assert [(one.name, one.kind) for one in found.members] == [("old", "directory"), ("old", "file"), ("new", "file")]


def test_a_sparse_map_may_be_the_last_thing_in_a_file() -> None:
    """A sparse file of nothing but holes has no content behind its map."""
    sparse = header(b"sparse", kind=b"S", tail=b"\x01" + bytes(29)) + bytes(512)
    (one,) = indexed(sparse).unwrap().members
    assert (one.kind, one.offset, one.size) == ("sparse file", 1024, 0)
    assert kind_of(indexed(sparse[:-1])) == "truncated"
