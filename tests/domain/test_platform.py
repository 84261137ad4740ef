"""Platforms: one name for each machine, and the image that it takes."""

from __future__ import annotations

import itertools
import platform as machine

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import BadReference
from registry_fp.domain.manifest import ImageIndex
from registry_fp.domain.media_type import OCI_MANIFEST
from registry_fp.domain.model import Annotations
from registry_fp.domain.platform import Platform, choose_platform, local_platform, parse_platform

# What containerd's platforms.Only matches, and what it does not (its own documentation and behaviour).
RUNS = {
    "linux/amd64": ["linux/amd64", "linux/386"],
    "linux/amd64/v2": ["linux/amd64/v2", "linux/amd64/v1", "linux/386"],
    "linux/amd64/v4": ["linux/amd64/v4", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386"],
    "linux/386": ["linux/386"],
    "linux/arm/v8": ["linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"],
    "linux/arm": ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"],
    "linux/arm/v6": ["linux/arm/v6", "linux/arm/v5"],
    "linux/arm/v5": ["linux/arm/v5"],
    "linux/arm64": ["linux/arm64/v8", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"],
    "linux/arm64/v8.2": ["linux/arm64/v8.2", "linux/arm64/v8.1", "linux/arm64", "linux/arm/v8", "linux/arm/v7"],
    "linux/arm64/v9": ["linux/arm64/v9", "linux/arm64/v8.5", "linux/arm64/v8.4", "linux/arm64", "linux/arm/v8"],
    "linux/arm64/v9.1": ["linux/arm64/v9.1", "linux/arm64/v9", "linux/arm64/v8.6", "linux/arm64/v8"],
    "linux/s390x": ["linux/s390x"],
    "windows/amd64": ["windows/amd64"],
}
NEVER = {
    "linux/amd64": ["linux/amd64/v2", "linux/arm/v7", "linux/arm64", "windows/amd64"],
    "linux/amd64/v2": ["linux/amd64/v3", "linux/arm64"],
    "linux/386": ["linux/amd64"],
    "linux/arm/v7": ["linux/arm/v8", "linux/arm64", "linux/arm/v4"],
    "linux/arm/v5": ["linux/arm", "linux/arm/v4", "linux/arm/v6"],
    "linux/arm64": ["linux/arm64/v8.1", "linux/arm64/v9", "linux/arm/v4", "linux/amd64"],
    "linux/arm64/v9": ["linux/arm64/v8.6", "linux/arm64/v9.1"],
    "linux/riscv64": ["linux/amd64", "linux/386"],
}
SAME = [
    ("linux/x86_64", "linux/amd64"),
    ("linux/x86-64", "linux/amd64"),
    ("Linux/AMD64", "linux/amd64"),
    ("linux/amd64/v1", "linux/amd64"),
    ("linux/aarch64", "linux/arm64"),
    ("linux/arm64/v8", "linux/arm64"),
    ("linux/arm64/8", "linux/arm64"),
    ("linux/arm64/v8.0", "linux/arm64"),
    ("linux/arm64/v9.0", "linux/arm64/v9"),
    ("linux/arm", "linux/arm/v7"),
    ("linux/arm/6", "linux/arm/v6"),
    ("linux/armhf", "linux/arm/v7"),
    ("linux/armel", "linux/arm/v6"),
    ("linux/i386", "linux/386"),
    ("macos/arm64", "darwin/arm64"),
    ("windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64"),
]
BAD = [
    "",
    "/",
    "linux/",
    "/amd64",
    "linux/amd64/v1/x",
    "linux/amd64/v1/x/y",
    "*",
    "linux/*",
    "linux amd64",
    "linux/amd64\n",
    "tempos",
    "all",
    "linux/amd64/../x",
    "windows(10.0/amd64",
    "amd64(10)",
    "linux/" + "a" * 1000,
    "lïnux/amd64",
]


def _platform(text: str) -> Platform:
    return parse_platform(text).unwrap()


def _entry(platform: Platform | None, *, name: str = "", attests: bool = False) -> Descriptor:
    annotations = Annotations({"vnd.docker.reference.type": "attestation-manifest"}) if attests else None
    digest = digest_of(f"{platform} {name}".encode())
    return Descriptor(media_type=OCI_MANIFEST, digest=digest, size=1, platform=platform, annotations=annotations)


def _index(*entries: Descriptor) -> ImageIndex:
    return ImageIndex(schema_version=2, manifests=entries)


def _windows(version: str | None, *features: str) -> Platform:
    return Platform(os="windows", architecture="amd64", os_version=version, os_features=features or None)


@pytest.mark.parametrize(("text", "canonical"), SAME)
def test_one_machine_has_one_name(text: str, canonical: str) -> None:
    """`uname`, Debian, Go and Windows spell the same processor differently, and an index uses one of them."""
    assert str(_platform(text)) == canonical
    assert _platform(canonical) == _platform(text)


def test_half_a_platform_is_completed_from_this_machine() -> None:
    """`--platform arm64` and `--platform linux` are what people type."""
    here = local_platform()
    assert _platform("local") == here
    assert (_platform("arm64").os, _platform("arm64").architecture) == (here.os, "arm64")
    assert (_platform("freebsd").os, _platform("freebsd").architecture) == ("freebsd", here.architecture)
    assert machine.system() != "Linux" or here.os == "linux"


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_platform_is_refused(text: str) -> None:
    """A mistyped platform must not mean "this machine", nor reach anything."""
    refused = parse_platform(text)
    assert not is_successful(refused)
    assert isinstance(refused.failure().reason, BadReference)
    assert len(repr(refused.failure())) < 1000


@pytest.mark.parametrize("wanted", RUNS)
def test_a_machine_takes_the_best_of_what_it_runs(wanted: str) -> None:
    """In whatever order the index lists them, and one after the other as the better ones are absent."""
    best_first = [_entry(_platform(text)) for text in RUNS[wanted]]
    others = [_entry(_platform(text)) for text in NEVER.get(wanted, ["plan9/sparc64"])]
    for gone in range(len(best_first)):
        index = _index(*others, *reversed(best_first[gone:]))
        assert choose_platform(index, _platform(wanted)).unwrap() == best_first[gone]


@pytest.mark.parametrize("wanted", NEVER)
def test_a_machine_never_takes_what_it_does_not_run(wanted: str) -> None:
    """A container that starts with "exec format error", or dies of an illegal instruction, is worse than a refusal."""
    index = _index(*(_entry(_platform(text)) for text in NEVER[wanted]))
    refused = choose_platform(index, _platform(wanted)).failure()
    assert refused.wanted == str(_platform(wanted))
    assert refused.available == tuple(str(_platform(text)) for text in NEVER[wanted])


def test_of_equals_the_first_is_taken() -> None:
    """Source: image-spec, image-index: "the first matching entry SHOULD be used"."""
    first, second = (_entry(_platform("linux/amd64"), name=name) for name in "ab")
    assert choose_platform(_index(first, second), _platform("linux/amd64")).unwrap() == first
    assert choose_platform(_index(second, first), _platform("linux/x86_64")).unwrap() == second


def test_an_attestation_is_never_chosen() -> None:
    """Buildkit writes them beside every image, mostly under the platform unknown/unknown."""
    unknown = Platform(os="unknown", architecture="unknown")
    image = _entry(_platform("linux/amd64"))
    about = (_entry(unknown), _entry(_platform("linux/amd64"), attests=True), _entry(None, attests=True))
    assert choose_platform(_index(*about, image), _platform("linux/amd64")).unwrap() == image
    refused = choose_platform(_index(*about), _platform("linux/amd64"))
    assert refused.failure().available == ()
    assert not is_successful(choose_platform(_index(*about), unknown))


def test_an_index_without_platforms_has_a_choice_only_if_it_has_one_image() -> None:
    """An OCI layout's index often names none; guessing between two would be a coin."""
    one, two = _entry(None, name="1"), _entry(None, name="2")
    wanted = _platform("linux/arm64")
    assert choose_platform(_index(one), wanted).unwrap() == one
    assert not is_successful(choose_platform(_index(one, two), wanted))
    assert not is_successful(choose_platform(_index(_entry(_platform("linux/amd64")), one), wanted))
    assert not is_successful(choose_platform(_index(), wanted))


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("10.0.17763.2000", "10.0.17763.5329"),  # Server 2019 runs its own build only, the newest of it
        ("10.0.20348.1", "10.0.20348.2227"),
        ("10.0.22621", "10.0.20348.2227"),  # Windows 11 runs Server 2022's images
        ("10.0.26100.1", "10.0.26100.1"),
        ("10.0.14393", None),
        ("6.1.17763", None),
        (None, "10.0.26100.1"),
    ],
)
def test_windows_takes_the_build_that_its_kernel_runs(host: str | None, taken: str | None) -> None:
    """Source: Microsoft, "Windows container version compatibility"; containerd, platforms."""
    versions = ["10.0.17763.999", "10.0.17763.5329", "10.0.20348.2227", "10.0.26100.1", "nonsense"]
    index = _index(*(_entry(_windows(version)) for version in versions))
    chosen = choose_platform(index, _windows(host))
    if taken is None:
        assert not is_successful(chosen)
        assert f"windows({versions[0]})/amd64" in chosen.failure().available
    else:
        found = chosen.unwrap().platform
        assert found is not None
        assert found.os_version == taken


def test_features_that_the_machine_lacks_are_not_taken() -> None:
    """An image for a special root file system does not start elsewhere; all of Windows has win32k."""
    plain = _entry(_platform("linux/amd64"))
    special = _entry(_platform("linux/amd64").model_copy(update={"os_features": ("erofs",)}))
    index = _index(special, plain)
    able = _platform("linux/amd64").model_copy(update={"os_features": ("erofs",)})
    assert choose_platform(index, _platform("linux/amd64")).unwrap() == plain
    assert choose_platform(_index(plain, special), able).unwrap() == special
    desktop = _entry(_windows("10.0.17763.1", "win32k"))
    assert choose_platform(_index(desktop), _windows("10.0.17763.1")).unwrap() == desktop


def test_names_that_the_index_spells_otherwise_are_understood() -> None:
    """Old builders wrote what `uname -m` said."""
    odd = _entry(Platform(os="Linux", architecture="aarch64", variant="8"))
    assert choose_platform(_index(odd), _platform("linux/arm64")).unwrap() == odd


_PARTS = st.tuples(
    st.sampled_from(["linux", "windows", "macos", "freebsd"]),
    st.sampled_from(["amd64", "x86_64", "arm64", "aarch64", "arm", "armhf", "386", "s390x", "riscv64", "ppc64le"]),
    st.sampled_from(["", "/v1", "/v5", "/v6", "/v7", "/8", "/v8", "/v8.3", "/v9.1"]),
)


@given(parts=_PARTS)
def test_a_platform_reads_back_as_it_is_written(parts: tuple[str, str, str]) -> None:
    """What is shown can be given to `--platform`, and is stable."""
    once = _platform(f"{parts[0]}/{parts[1]}{parts[2]}")
    assert _platform(str(once)) == once
    assert parse_platform(once).unwrap() == once


@given(parts=st.lists(_PARTS, min_size=1, max_size=6, unique=True), wanted=_PARTS)
def test_the_order_of_an_index_never_changes_which_platform_is_taken(
    parts: list[tuple[str, str, str]], wanted: tuple[str, str, str]
) -> None:
    """Only equals are told apart by their place."""
    entries = [_entry(_platform("{}/{}{}".format(*each)), name=str(each)) for each in parts]
    want = _platform("{}/{}{}".format(*wanted))
    taken = {
        str(chosen.unwrap().platform) if is_successful(chosen) else None
        for order in itertools.islice(itertools.permutations(entries), 24)
        for chosen in (choose_platform(_index(*order), want),)
    }
    assert len(taken) == 1


@given(text=st.text(max_size=40) | st.from_regex(r"[a-z0-9_()./-]{0,30}", fullmatch=True))
def test_any_text_is_a_platform_or_is_refused(text: str) -> None:
    """It comes from a command line: nothing in it may raise."""
    parsed = parse_platform(text)
    assert is_successful(parsed) or isinstance(parsed.failure().reason, BadReference)
