"""The schema, made from the documents as the code has them."""

import dataclasses
import json
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

import registry_fp.cli

FILE = Path(registry_fp.cli.__file__).with_name("documents.schema.json")
_MODE: JsonSchemaMode = "serialization"


def documents() -> dict[str, type]:
    """Every document of the command line, by name."""
    names = sorted(each.name for each in pkgutil.iter_modules(registry_fp.cli.__path__))
    modules = [import_module(f"registry_fp.cli.{name}") for name in names if "document" in name or name == "failure"]
    found = {
        name: kind
        for module in modules
        for name in module.__all__
        if isinstance(kind := getattr(module, name), type) and dataclasses.is_dataclass(kind)
    }
    return dict(sorted(found.items()))


def schema() -> str:
    """The text of the file."""
    every: list[tuple[type, JsonSchemaMode, TypeAdapter[Any]]] = [
        (kind, _MODE, TypeAdapter(kind)) for kind in documents().values()
    ]
    _, made = TypeAdapter.json_schemas(every, ref_template="#/$defs/{model}", title="Documents of registry-fp")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
    return json.dumps(whole, indent=2, sort_keys=True) + "\n"
