"""Modules for the classes that are made from specs, so that they can be imported and pickled by name.

`FooBarExtractor` lives in `qetch.extractors.foobar`: no file, but a module that asks the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

PACKAGE = "qetch.extractors"
OWN_MODULES = frozenset({"generic", "hosts", "index", "modules", "registry"})
"""The modules of the package that are files. A class whose module would be one of them lives in the package itself."""


def module_name(class_name: str) -> str:
    """The module of a class that is made from a spec.

    >>> module_name("FooBarExtractor")
    'qetch.extractors.foobar'
    """
    stem = class_name.removesuffix("Extractor").lower()
    return PACKAGE if stem in OWN_MODULES or not stem else f"{PACKAGE}.{stem}"


def class_names(module: str) -> list[str]:
    """The classes of a module that are made from specs."""
    from qetch.extractors.registry import registry

    return [entry.class_name for entry in registry().entries if module_name(entry.class_name) == module]


def find_class(module: str, name: str) -> type[Any]:
    """The class of that name in a module, made from its spec.

    Raises:
        AttributeError: No spec has a class of that name there.
        SpecError: The spec has become unreadable.
    """
    from qetch.extractors.registry import registry

    for entry in registry().entries:
        if entry.class_name == name and module in (PACKAGE, module_name(name)):
            return registry().extractor(entry.name)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


class SpecModules:
    """Finds the modules of specs for `import`; one instance stands last in `sys.meta_path`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A module of the package that is no file, and that a spec has a class for."""
        del path, target
        package, _, name = fullname.rpartition(".")
        if package != PACKAGE or name.startswith("_") or not class_names(fullname):
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(fullname, self, origin="a spec")  # type: ignore[arg-type]  # typeshed asks for the old load_module

    def create_module(self, spec: ModuleSpec) -> None:
        """The import machinery makes it."""

    def exec_module(self, module: ModuleType) -> None:
        """Its attributes are looked up when they are asked for, since the registry may change."""
        name = module.__name__
        module.__doc__ = "The extractor that is made from a spec."
        vars(module)["__getattr__"] = lambda attribute: find_class(name, attribute)
        vars(module)["__dir__"] = lambda: class_names(name)
