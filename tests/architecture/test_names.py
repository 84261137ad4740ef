"""Names: what is public says so, has a docstring, and is called what it is."""

from __future__ import annotations

import importlib
import inspect
import re
import sys

import registry_fp
from registry_fp._homes import HOMES
from tests.architecture.source import DOORS, Module, modules

BANNED = {
    *["process", "handle", "handler", "manager", "util", "utils", "common", "helper", "helpers", "info", "data", "do"]
}
LONGEST = 350


def test_a_module_says_what_it_is_about() -> None:
    """The first sentence of a file is where reading starts."""
    first = {module.name: module.docstring.partition("\n\n")[0] for module in modules()}
    assert {name: said for name, said in first.items() if not said.endswith((".", "?", ":"))} == {}


def test_every_file_exports_exactly_what_it_defines() -> None:
    """Without `__all__` every import of a file is part of its interface, and users come to rely on it."""
    wrong = {
        module.name: set(module.exported or ()) ^ {each.name for each in module.defined if not each.is_command}
        for module in modules()
        if module.name not in DOORS and not module.name.endswith(".__main__")
    }
    assert {name: names for name, names in wrong.items() if names} == {}


def test_what_is_exported_is_sorted_and_stands_once() -> None:
    """Constants, then classes, then functions, each by the alphabet: a name is found without searching."""
    for module in modules():
        names = list(module.exported or ())
        assert names == sorted(set(names), key=_order), module.name


def _order(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_only_the_doors_re_export() -> None:
    """A name has one home: where it is defined, and the door."""
    for module in modules():
        if module.name == registry_fp.__name__:  # it loads what is asked for, when it is asked for
            assert set(module.exported or ()) == set(HOMES)
        elif module.name in DOORS:
            assert set(module.exported or ()) == module.imported_at_once, module.name
        else:
            assert module.imported_at_once.isdisjoint(module.exported or ()), module.name


def test_a_layer_has_no_code_of_its_own() -> None:
    """A package's `__init__` is the paragraph that is its law; whoever imports one file must not load the others."""
    layers = [module for module in modules() if module.is_package and module.name not in DOORS]
    assert [module.name for module in layers if module.statements != 1 and module.name != "registry_fp.cli"] == []


def test_the_entry_point_of_the_script_loads_nothing_that_may_be_missing() -> None:
    """Without its extra the command line must still start, to say how to install it."""
    [entry] = [module for module in modules() if module.name == "registry_fp.cli"]
    assert {definition.name for definition in entry.defined} == {"main"}
    assert {name.partition(".")[0] for name in entry.loaded_at_once} <= sys.stdlib_module_names


def test_a_file_is_short_or_says_why_it_is_not() -> None:
    """A file is read in one sitting."""
    long = {module.name: module.lines for module in modules() if module.lines > LONGEST and not _is_explained(module)}
    assert long == {}


def _is_explained(module: Module) -> bool:
    return "This file is long because" in module.docstring


def test_nothing_is_called_by_a_word_that_says_nothing() -> None:
    """`data`, `info`, `handle`: such a name is a place where a better one was not looked for."""
    names = {module.name for module in modules()} | {
        f"{module.name}.{definition.name}"
        for module in modules()
        for definition in module.defined
        if definition.kind != "value"
    }
    assert {name: words for name in names if (words := _words(name) & BANNED)} == {}


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def test_every_name_of_a_door_has_a_docstring_of_its_own() -> None:
    """Whoever hovers over a name in an editor reads a sentence."""
    documented = {
        (module.name, definition.name)
        for module in modules()
        for definition in module.defined
        if definition.docstring.strip()
    }
    offered = {
        (home, name)
        for module in modules()
        if module.name in DOORS
        for home, name in module.imports
        if home.startswith("registry_fp.") and name != "HOMES"
    }
    assert offered - documented == set()


def test_every_public_function_and_class_has_a_docstring() -> None:
    """Who maintains a file is a reader too."""
    silent = {
        f"{module.name}.{definition.name}"
        for module in modules()
        for definition in module.defined
        if definition.kind != "value" and not definition.docstring
    }
    assert silent == set()


def test_every_public_method_of_the_door_has_a_docstring() -> None:
    """A class is used through its methods."""
    silent = [
        f"{name}.{member}"
        for name in registry_fp.__all__
        if inspect.isclass(kind := getattr(registry_fp, name)) and kind.__module__.startswith("registry_fp")
        for member, value in vars(kind).items()
        if not member.startswith("_")
        and inspect.isfunction(value)
        and value.__qualname__.startswith(f"{kind.__qualname__}.")
        and not value.__doc__
    ]
    assert silent == []


def test_every_name_of_the_doors_can_be_imported() -> None:
    """`from registry_fp import *` is how a session at the prompt begins."""
    for name in DOORS:
        door = importlib.import_module(name)
        assert [missing for missing in door.__all__ if not hasattr(door, missing)] == []
