"""Any members make a tar that others read, and that is always the same."""

import asyncio
import errno
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success

from registry_fp.archive import tar_writer
from registry_fp.archive.layout_blob import PartialBlob
from registry_fp.archive.tar_header import BLOCK, parse_header, parse_pax
from registry_fp.archive.tar_writer import MovedFile, write_tar
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import LocalIo, SourceChanged
from registry_fp.domain.media_type import OCI_LAYER
from tests.pull.reading import names_in

PART = st.text("abcxyz0189-_", min_size=1, max_size=130)
NAMES = st.lists(PART, min_size=1, max_size=3).map("/".join)


@given(members=st.dictionaries(NAMES, st.binary(max_size=3000), max_size=6), in_files=st.booleans())
def test_every_reader_finds_what_was_written(
    members: dict[str, bytes], in_files: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Python's reader here, Go's and our own in other tests; long names go into pax headers."""
    folder = tmp_path_factory.mktemp("tar")
    given_members = _in_files(members, folder) if in_files else members
    above = {parent for name in members for parent in _parents(name)}
    if above & members.keys():
        return  # a file cannot be a folder
    done = asyncio.run(write_tar(str(folder / "one.tar"), given_members))
    assert done == Success((folder / "one.tar").stat().st_size)
    with tarfile.open(folder / "one.tar", "r:") as tar:
        found = {member.name: tar.extractfile(member) for member in tar}
        assert {name: file.read() for name, file in found.items() if file is not None} == members
        assert {name for name, file in found.items() if file is None} == above
    again = _in_files(members, folder) if in_files else members
    asyncio.run(write_tar(str(folder / "two.tar"), dict(reversed(list(again.items())))))
    assert (folder / "one.tar").read_bytes() == (folder / "two.tar").read_bytes()


def _in_files(members: dict[str, bytes], folder: Path) -> dict[str, MovedFile]:
    for number, content in enumerate(members.values()):
        (folder / str(number)).write_bytes(content)
    return {
        name: MovedFile(str(folder / str(number)), len(content))
        for number, (name, content) in enumerate(members.items())
    }


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def test_a_member_of_more_than_eight_gibibytes_says_its_size_in_a_pax_header() -> None:
    """A header has room for eleven octal digits, and model weights are larger."""
    size = 9 * 2**30
    raw = tar_writer._header("blobs/sha256/large", MovedFile("/nowhere", size))
    assert parse_pax(raw[BLOCK : BLOCK + parse_header(raw[:BLOCK]).unwrap().size]).unwrap()[b"size"] == b"%d" % size
    assert tarfile.TarInfo.frombuf(raw[-BLOCK:], "utf-8", "strict").name == "blobs/sha256/large"


@pytest.mark.parametrize("size", [4, 6])
async def test_a_file_that_is_not_as_long_as_it_was_leaves_no_tar(size: int, tmp_path: Path) -> None:
    """Its header is written already, and would lie."""
    (tmp_path / "source").write_bytes(b"12345")
    source = MovedFile(str(tmp_path / "source"), size)
    out = await write_tar(str(tmp_path / "app.tar"), {"a": b"first", "b": source})
    assert out == Failure(SourceChanged(source.path))
    assert names_in(tmp_path) == ["source"]


async def test_what_was_packed_does_not_lie_there_twice(tmp_path: Path) -> None:
    """Who pulls ten gigabytes has not always twenty: each file goes when it is packed, and not all at the end."""
    members = _in_files({"a": b"packed", "b": b"12345"}, tmp_path)
    members["b"] = MovedFile(str(tmp_path / "1"), 6)  # here it ends
    assert await write_tar(str(tmp_path / "app.tar"), members) == Failure(SourceChanged(str(tmp_path / "1")))
    assert names_in(tmp_path) == ["1"]


async def test_a_source_that_is_gone_leaves_no_tar(tmp_path: Path) -> None:
    """Every failure ends with nothing under the name."""
    out = await write_tar(str(tmp_path / "app.tar"), {"a": MovedFile(str(tmp_path / "gone"), 5)})
    assert out == Failure(LocalIo(2, str(tmp_path / "app.tar")))
    assert names_in(tmp_path) == []


async def test_where_the_kernel_does_not_copy_the_bytes_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other systems have no such calls, and between some file systems it does not work."""
    content = bytes(range(256)) * 80_000  # several steps
    await write_tar(str(tmp_path / "one.tar"), _in_files({"a": content}, tmp_path))
    monkeypatch.delattr("os.copy_file_range")
    monkeypatch.delattr("os.posix_fadvise")
    await write_tar(str(tmp_path / "two.tar"), _in_files({"a": content}, tmp_path))
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


@pytest.mark.parametrize("way", ["an archive", "a layout"])
async def test_a_large_file_is_on_its_way_to_the_disk_before_it_is_whole(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part once and in order, in whole pages; where a file system takes no advice it is left alone."""
    told: list[tuple[int, int]] = []

    def advised(_fd: int, begin: int, count: int, _advice: int) -> None:
        told.append((begin, count))
        raise OSError(errno.ESPIPE, "no advice here")

    monkeypatch.setattr("os.posix_fadvise", advised)
    content = bytes(30_000_000)
    if way == "an archive":
        await write_tar(str(tmp_path / "app.tar"), _in_files({"a": content}, tmp_path))
    else:
        blob = PartialBlob(str(tmp_path), Descriptor(media_type=OCI_LAYER, digest=digest_of(content), size=30_000_000))
        blob.begin()
        for at in range(0, len(content), 1_000_000):
            blob.write(content[at : at + 1_000_000])
        blob.commit()
        blob.close()
    assert len(told) >= 3
    assert [begin for begin, _ in told] == [0, *(begin + count for begin, count in told[:-1])]
    assert all(count >= 8 * 2**20 and count % 65_536 == 0 for _, count in told)
    assert sum(count for _, count in told) <= 30_000_000 + 512
