"""End-points: every one of the specification has its function, and every request knows which one it is."""

from __future__ import annotations

import re

from tests.architecture.source import modules

# distribution-spec, "Endpoints".
ENDPOINTS = {
    "end-1": {"ping"},
    "end-2": {"head_blob", "get_blob"},
    "end-3": {"head_manifest", "get_manifest"},
    "end-4a": {"begin_upload"},
    "end-4b": {"put_in_one"},
    "end-4c": {"begin_upload"},
    "end-5": {"send_chunk"},
    "end-6": {"commit_upload"},
    "end-7a": {"put_manifest"},
    "end-7b": {"put_manifest_tags"},
    "end-8a": {"list_tags"},
    "end-8b": {"list_tags"},
    "end-9": {"delete_manifest"},
    "end-10": {"delete_blob"},
    "end-11": {"mount_blob"},
    "end-12a": {"list_referrers"},
    "end-12b": {"list_referrers"},
    "end-13": {"upload_status"},
    "end-14": {"cancel_upload"},
}

# Requests outside the specification's table: the catalogue is Docker's, and a later page is named by the server.
OUTSIDE = {"list_repositories", "following_page"}


def _requests() -> dict[str, str]:
    """The functions of the protocol that make a request, with their docstrings."""
    return {
        definition.name: definition.docstring
        for module in modules()
        if module.layer == "protocol"
        for definition in module.defined
        if definition.returns == "Request"
    }


def _cited(docstring: str) -> set[str]:
    """The ids that a docstring begins its clauses with: "end-8a: GET ...; end-8b: with ..."."""
    return set(re.findall(r"(?:^|; )(end-\d+[a-c]?)(?=[:,])", docstring))


def test_every_end_point_is_cited_by_its_function_and_by_no_other() -> None:
    """From the specification to the code and back in one search."""
    found: dict[str, set[str]] = {}
    for name, docstring in _requests().items():
        for cited in _cited(docstring):
            found.setdefault(cited, set()).add(name)
    assert found == ENDPOINTS


def test_every_request_says_which_end_point_it_is() -> None:
    """A request that nobody specified would be our invention."""
    assert {name for name, docstring in _requests().items() if not _cited(docstring)} == OUTSIDE


def test_a_request_begins_its_docstring_with_the_id() -> None:
    """Where a reader looks first."""
    assert [
        name
        for name, docstring in _requests().items()
        if name not in OUTSIDE and not re.match(r"end-\d+[a-c]?: ", docstring)
    ] == []
