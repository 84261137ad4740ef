"""Any layers: the tar of an image is what its layers make when they are unpacked one over the other."""

import asyncio
import posixpath
import tarfile
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from returns.pipeline import is_successful

from registry_fp import Settings, connect, list_files, unwrap
from registry_fp.archive.export_plan import ExportPlan, plan_export
from registry_fp.archive.layer_listing import LayerListing, merged
from registry_fp.archive.layer_scan import LayerScan
from registry_fp.archive.source import DockerSave
from registry_fp.pipelines.export import export_files
from tests.export.trees import is_real, lay, members, tree, unpacked
from tests.inspect.layers import OPAQUE, file, folder, hardlink, saved, symlink, tar

_NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
_THINGS = st.one_of(
    st.binary(max_size=8).map(lambda content: ("file", content)),
    st.just(("folder", b"")),
    st.sampled_from(["a", "b", "a/b", "/a/b", "../c"]).map(lambda target: ("symlink", target.encode())),
    _NAMES.map(lambda target: ("hardlink", target.encode())),
    _NAMES.map(lambda target: ("hardlink", target.encode())),
    st.just(("removed", b"")),
    st.just(("emptied", b"")),
)
_Layer = dict[str, tuple[str, bytes]]
_LAYERS = st.lists(st.dictionaries(_NAMES, _THINGS, max_size=6), min_size=1, max_size=4)


def _sound(layer: _Layer) -> _Layer:
    """Every entry has its folders, and nothing lies in what is no folder."""
    made: _Layer = {}
    for path in sorted(layer):
        above = [path.rsplit("/", count)[0] for count in range(path.count("/"), 0, -1)]
        if all(made.get(each, ("folder", b""))[0] in {"folder", "emptied"} for each in above):
            for each in above:
                made.setdefault(each, ("folder", b""))
            made[path] = layer[path]
    return made


def _member(path: str, kind: str, content: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    above, _, name = path.rpartition("/")
    match kind:
        case "file":
            return [file(path, content)]
        case "symlink":
            return [symlink(path, content.decode())]
        case "hardlink":
            return [hardlink(path, content.decode())]
        case "removed":
            return [file(posixpath.join(above, f".wh.{name}"))]
        case "emptied":
            return [folder(path), file(f"{path}/{OPAQUE}")]
        case _:
            return [folder(path)]


def _laid(root: Path, layer: _Layer) -> bytes:
    """The layer as a tar, and unpacked; a hard link that has nothing to link to is a file."""
    kept = [_member(path, *thing)[-1:] for path, thing in layer.items() if thing[0] in {"removed", "emptied"}]
    lay(root, tar(*(each for some in kept for each in some)))
    for path, (kind, content) in layer.items():
        if kind != "removed":
            chosen = "folder" if kind == "emptied" else kind
            if kind == "hardlink" and not _can_be_linked(root, path, content.decode()):
                chosen = "file"
            made = _member(path, chosen, content)
            lay(root, tar(*made))
            kept.append(made)
    return tar(*(each for some in kept for each in some))


def _can_be_linked(root: Path, path: str, target: str) -> bool:
    """Whether a file is there, that is not gone when the link takes its place; links out of the root are left alone."""
    at = root / target
    there = is_real(root, posixpath.dirname(target)) and (at.is_symlink() or at.is_file())
    return there and not f"{target}/".startswith(f"{path}/")


@given(layers=_LAYERS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_layers_are_exported_as_they_unpack(layers: list[_Layer], tmp_path: Path) -> None:
    """Kinds, contents, targets, permissions, and which names are one file: the operating system's own view of both."""
    with tempfile.TemporaryDirectory(dir=tmp_path) as place:
        root = Path(place) / "root"
        root.mkdir()
        tars = [_laid(root, _sound(layer)) for layer in layers]
        asyncio.run(_compare(root, saved(Path(place) / "app.tar", *tars), Path(place)))


async def _compare(root: Path, source: DockerSave, place: Path) -> None:
    async with connect(Settings(cache=False)) as client:
        done = await unwrap(export_files(client, source, place / "root.tar"))
        listed = await unwrap(list_files(client, source))
    assert unpacked(place / "root.tar", place / "ours") == tree(root)
    assert set(members(place / "root.tar")) == {entry.path for entry in listed}
    assert done.entries == len(listed)


def _listings(layers: list[_Layer], *, sound: bool) -> list[LayerListing]:
    found = []
    for position, layer in enumerate(layers):
        scan = LayerScan(position)
        chosen = _sound(layer) if sound else layer
        assert scan.feed(tar(*(each for path, thing in chosen.items() for each in _member(path, *thing)))) is None
        found.append(scan.finish().unwrap())
    return found


def _names(plan: ExportPlan) -> list[str]:
    return [*plan.made, *(name for layer in plan.layers for names in layer.values() for name in names)]


@given(layers=_LAYERS)
@settings(max_examples=300, deadline=None)
def test_any_plan_names_every_path_once_and_only_what_is_there(layers: list[_Layer]) -> None:
    """Also of layers that no builder writes; nothing lies beneath what is no folder, and no member is invented."""
    listings = _listings(layers, sound=False)
    planned = plan_export(listings)
    if not is_successful(planned):
        return
    plan = planned.unwrap()
    names = _names(plan)
    assert len(names) == len(set(names))
    for listing, survivors in zip(listings, plan.layers, strict=True):
        assert set(survivors) <= set(listing.entries)
    folders = {
        name
        for listing, survivors in zip(listings, plan.layers, strict=True)
        for path, given in survivors.items()
        if listing.entries[path].kind == "folder"
        for name in given
    } | set(plan.made)
    assert {posixpath.dirname(name) for name in names} - {""} <= folders


@given(layers=_LAYERS)
@settings(max_examples=300, deadline=None)
def test_a_plan_has_the_paths_of_the_listing(layers: list[_Layer]) -> None:
    """What `list_files` shows of sound layers is what the tar has: two ways to one answer."""
    listings = _listings(layers, sound=True)
    planned = plan_export(listings)
    if is_successful(planned):
        assert sorted(_names(planned.unwrap())) == [entry.path for entry in merged(listings)]
