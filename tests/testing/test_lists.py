"""Lists: end-8, end-12 and the catalog."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from registry_fp.testing import running_registry
from tests.testing.wire import OCI_INDEX, OCI_MANIFEST, Got, Wire, descriptor, image, sha256

BASE = image()


def next_of(got: Got) -> str | None:
    """The target of the Link header."""
    found = re.fullmatch(r'<(.+)>; rel="next"', got.headers.get("Link", ""))
    return None if found is None else found[1]


def referrer(kind: str, **more: Any) -> bytes:
    """An artifact of this kind, about `BASE`."""
    return image(subject=descriptor(BASE, OCI_MANIFEST), artifactType=kind, **more)


def test_tags_are_sorted_and_come_in_pages(wire: Wire) -> None:
    """A page is no whole: only the Link says that there is more."""
    query = "&".join(f"tag={tag}" for tag in ("b", "A", "a.1", "_x", "2"))
    wire.put_image("app", f"{sha256(BASE)}?{query}", BASE)
    pages, target = [], "/v2/app/tags/list?n=2"
    while True:
        page = wire.ask("GET", target)
        pages.append(page.json["tags"])
        following = next_of(page)
        if following is None:
            break
        target = following
    assert pages == [["2", "A"], ["_x", "a.1"], ["b"]]
    assert wire.ask("GET", "/v2/app/tags/list?last=A").json == {"name": "app", "tags": ["_x", "a.1", "b"]}


@pytest.mark.parametrize(("n", "status"), [("0", 200), ("-1", 400), ("x", 400), ("9" * 30, 400)])
def test_the_edges_of_n(wire: Wire, n: str, status: int) -> None:
    """Zero is an empty page without a Link; what is no number is refused."""
    wire.put_image("app", "v1", BASE)
    page = wire.ask("GET", f"/v2/app/tags/list?n={n}")
    assert (page.status, page.headers["Link"]) == (status, None)
    assert page.json.get("tags", []) == []


def test_the_tags_of_an_unknown_repository_are_unknown(wire: Wire) -> None:
    """An empty list would say that it exists."""
    unknown = wire.ask("GET", "/v2/nowhere/tags/list")
    assert (unknown.status, unknown.code) == (404, "NAME_UNKNOWN")


def test_the_catalog_is_sorted_and_comes_in_pages(wire: Wire) -> None:
    """It is outside the specification, and everybody asks for it."""
    for name in ("team/b", "a", "team/a"):
        wire.put_blob(name, b"x")
    page = wire.ask("GET", "/v2/_catalog?n=2")
    assert page.json == {"repositories": ["a", "team/a"]}
    assert wire.ask("GET", str(next_of(page))).json == {"repositories": ["team/b"]}


def test_a_referrer_is_listed_with_its_facts_whether_or_not_its_subject_is_there(wire: Wire) -> None:
    """A signature may arrive before what it signs."""
    raw = referrer("application/signature", annotations={"by": "me"})
    put = wire.put_image("app", "sig", raw)
    assert put.headers["OCI-Subject"] == sha256(BASE)
    listed = wire.ask("GET", f"/v2/app/referrers/{sha256(BASE)}")
    assert (listed.headers["Content-Type"], listed.json["mediaType"]) == (OCI_INDEX, OCI_INDEX)
    assert listed.json["manifests"] == [
        descriptor(raw, OCI_MANIFEST, artifactType="application/signature", annotations={"by": "me"})
    ]
    assert listed.headers["OCI-Filters-Applied"] is None


def test_without_an_artifact_type_the_config_tells_it(wire: Wire) -> None:
    """The rule of the specification for images that are about another."""
    raw = image(subject=descriptor(BASE, OCI_MANIFEST))
    wire.put_image("app", "about", raw)
    listed = wire.ask("GET", f"/v2/app/referrers/{sha256(BASE)}").json["manifests"]
    assert [entry["artifactType"] for entry in listed] == ["application/vnd.oci.image.config.v1+json"]


def test_referrers_are_filtered_by_type_and_the_answer_says_so(wire: Wire) -> None:
    """Without the header a client has to filter for itself."""
    for kind in ("application/sbom", "application/signature"):
        wire.put_image("app", kind.rpartition("/")[2], referrer(kind))
    listed = wire.ask("GET", f"/v2/app/referrers/{sha256(BASE)}?artifactType=application%2Fsbom")
    assert [entry["artifactType"] for entry in listed.json["manifests"]] == ["application/sbom"]
    assert listed.headers["OCI-Filters-Applied"] == "artifactType"


def test_a_deleted_referrer_is_no_longer_listed(wire: Wire) -> None:
    """And an unknown subject, or repository, has an empty list, never a 404."""
    raw = referrer("application/sbom")
    wire.put_image("app", "sbom", raw)
    wire.ask("DELETE", f"/v2/app/manifests/{sha256(raw)}")
    for name in ("app", "nowhere"):
        listed = wire.ask("GET", f"/v2/{name}/referrers/{sha256(BASE)}")
        assert (listed.status, listed.json["manifests"]) == (200, [])
    assert wire.ask("GET", "/v2/app/referrers/latest").code == "DIGEST_INVALID"


def test_a_page_limit_cuts_every_list(tmp_path: Path) -> None:
    """Registries cut lists that nobody asked to cut; a filter must survive the Link."""
    with running_registry(tmp_path, page_limit=1, relative_locations=True) as registry:
        wire = Wire(registry.host)
        for n in range(3):
            wire.put_image("app", f"v{n}", referrer("application/sbom", annotations={"n": str(n)}))
        first = wire.ask("GET", "/v2/app/tags/list?n=10")
        assert (first.json["tags"], next_of(first)) == (["v0"], "/v2/app/tags/list?n=1&last=v0")
        found, target = [], f"/v2/app/referrers/{sha256(BASE)}?artifactType=application/sbom"
        while target:
            page = wire.ask("GET", target)
            assert page.headers["OCI-Filters-Applied"] == "artifactType"
            found += [json.dumps(entry) for entry in page.json["manifests"]]
            target = next_of(page) or ""
        assert len(set(found)) == 3
        wire.connection.close()
