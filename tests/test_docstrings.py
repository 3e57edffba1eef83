"""Docstrings are the reference pages of the book: every one is sound markup."""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
import re

import pytest
from docutils.core import publish_doctree
from sphinx.ext.napoleon import Config, GoogleDocstring

import genutils

MODULES = ["genutils", *(m.name for m in pkgutil.walk_packages(genutils.__path__, "genutils."))]


def documented(module):
    """The docstrings of a module, its own functions and classes, and their methods."""
    yield module.__name__, inspect.getdoc(module)
    for name, thing in vars(module).items():
        if getattr(thing, "__module__", None) == module.__name__ and (
            inspect.isclass(thing) or inspect.isfunction(thing)
        ):
            yield f"{module.__name__}.{name}", inspect.getdoc(thing)
            for method, part in vars(thing).items() if inspect.isclass(thing) else ():
                if not method.startswith("_") and (inspect.isfunction(part) or isinstance(part, property)):
                    yield f"{module.__name__}.{name}.{method}", inspect.getdoc(part)


def complaints(text: str) -> list[str]:
    heard = io.StringIO()
    text = re.sub(r":(func|class|mod|meth|cite|doc|ref|py:\w+):", "", text)  # roles that Sphinx knows
    page = str(GoogleDocstring(text, Config(napoleon_use_param=True, napoleon_use_ivar=True)))
    publish_doctree(page, settings_overrides={"warning_stream": heard, "report_level": 2, "halt_level": 5})
    return heard.getvalue().splitlines()


@pytest.mark.parametrize("name", MODULES)
def test_markup_is_sound(name):
    found = {who: complaints(text) for who, text in documented(importlib.import_module(name)) if text}
    assert not {who: said for who, said in found.items() if said}


def test_a_stray_bar_is_noticed():
    assert complaints("log |det J| of a map") and not complaints("``log |det J|`` of a map")


def test_there_is_something_to_read():
    assert sum(1 for m in MODULES for _, text in documented(importlib.import_module(m)) if text) > 300
