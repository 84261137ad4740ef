"""The published schema: it is what the documents are, and what the commands write."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from registry_fp.cli.options import ANY_REGISTRY, ShowOptions
from registry_fp.cli.schema import show_schema
from registry_fp.cli.tree import ask_tree
from tests.cli.conftest import Shelf, archive, registry, shelf
from tests.cli.shell import call
from tests.schema.made import FILE, documents, schema

Capture = pytest.CaptureFixture[bytes]
JSON = ShowOptions(output="json")

__all__ = ["archive", "registry", "shelf"]


def test_the_schema_is_that_of_the_documents() -> None:
    """A field that changes changes the file, and whoever reviews it sees that: `python -m tests.schema` writes it."""
    assert FILE.read_text("utf-8") == schema()


def _check(document: Any, schema: Any, whole: Any) -> None:
    """As much of JSON schema as ours uses, and nothing else passes."""
    unknown = set(schema) - {"$ref", "anyOf", "type", "properties", "required", "items", "const", "enum"}
    assert unknown <= {"title", "description", "additionalProperties", "default"}, unknown
    if "$ref" in schema:
        _check(document, whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    if "anyOf" in schema:
        assert any(_fits(document, each, whole) for each in schema["anyOf"]), document
    if "const" in schema:
        assert document == schema["const"]
    kinds: dict[str, Any] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    kinds["number"] = (int, float)
    if "type" in schema and schema["type"] != "null":
        assert isinstance(document, kinds[schema["type"]]), (document, schema)
    if schema.get("type") == "null":
        assert document is None
    if "properties" in schema:
        assert set(schema["required"]) <= set(document) <= set(schema["properties"])
        for name, value in document.items():
            _check(value, schema["properties"][name], whole)
    for item in document if "items" in schema else ():
        _check(item, schema["items"], whole)


def _fits(document: Any, schema: Any, whole: Any) -> bool:
    try:
        _check(document, schema, whole)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("inspect {repository}:1.0", "ImageDocument"),
        ("inspect {repository}:many", "IndexDocument"),
        ("inspect {archive}", "ImageDocument"),
        ("tags {repository}", "TagsDocument"),
        ("repos {host}", "RepositoriesDocument"),
        ("ping {host}", "PingDocument"),
        ("digest {repository}:1.0", "DescriptorDocument"),
        ("manifest {repository}:1.0", "ManifestDocument"),
        ("config {repository}:1.0", "ConfigDocument"),
        ("push {archive} {repository}:new", "PushedDocument"),
        ("demo {archive}", "DemoDocument"),
        ("validate {archive}", "ValidatedDocument"),
        ("validate {repository}:many", "ValidatedDocument"),
    ],
)
def test_what_a_command_writes_fits_its_schema(command: str, name: str, shelf: Shelf, capfdbinary: Capture) -> None:
    """Whoever generates code from the schema can read every answer with it."""
    words = [
        word.format(repository=shelf.repository, host=shelf.host, archive=shelf.archive) for word in command.split()
    ]
    document = call(capfdbinary, *words, "-o", "json").document
    whole = json.loads(FILE.read_text("utf-8"))
    _check(document, whole["$defs"][name], whole)
    assert (
        TypeAdapter(documents()[name]).dump_python(
            TypeAdapter(documents()[name]).validate_python(document), mode="json"
        )
        == document
    )


def test_an_error_fits_its_schema(shelf: Shelf, capfdbinary: Capture) -> None:
    """Programs meet errors too."""
    refused = call(capfdbinary, "digest", f"{shelf.repository}:none", "-o", "json")
    whole = json.loads(FILE.read_text("utf-8"))
    _check(json.loads(refused.err)["error"], whole["$defs"]["FailureDocument"], whole)


def test_a_tree_fits_its_schema(shelf: Shelf, capfdbinary: Capture) -> None:
    """A document that holds itself."""
    assert ask_tree(f"{shelf.repository}:many", ANY_REGISTRY, JSON) == 0
    document = json.loads(capfdbinary.readouterr().out)
    whole = json.loads(FILE.read_text("utf-8"))
    _check(document, whole["$defs"]["TreeDocument"], whole)
    assert document["root"]["children"][0]["platform"] == "linux/amd64"


def test_the_schema_is_shown_whole_or_from_one_document_on(capfdbinary: Capture) -> None:
    """One command, so that no file has to be looked for."""
    assert show_schema(None, ShowOptions()) == 0
    assert json.loads(capfdbinary.readouterr().out) == json.loads(FILE.read_text("utf-8"))
    assert show_schema("ImageDocument", JSON) == 0
    shown = json.loads(capfdbinary.readouterr().out)
    assert shown["$ref"] == "#/$defs/ImageDocument"
    assert show_schema("NoDocument", JSON) == 2
    assert show_schema(None, ShowOptions(output="quiet")) == 0
    assert "TreeDocument" in capfdbinary.readouterr().out.decode().split()


def test_the_schema_is_in_the_package() -> None:
    """Beside the code that it describes."""
    assert Path(FILE).parent.name == "cli"
