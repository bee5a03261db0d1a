"""Facts through a template: a page for a browser, or a PDF.

Templates get finished text only, so both say the same. Facts reach them as values and never as markup: Jinja
escapes them, and Typst reads them as JSON. Typst sets any script, right to left where it is read so, with the
first font that has a character, and lets go of the interpreter meanwhile.
"""

from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from app.core.db import Row

if TYPE_CHECKING:
    from jinja2 import Environment
    from typst import Fonts

_TEMPLATES = Path(__file__).with_name("templates")
_FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")


def html(template: str, facts: Row) -> str:
    return _pages().get_template(f"{template}.html").render(facts)


def pdf(template: str, facts: Row, made_at: datetime) -> bytes:
    """The same bytes for the same facts and time."""
    from typst import Compiler

    compiler = Compiler(
        str(_TEMPLATES / f"{template}.typ"), str(_TEMPLATES), font_paths=_fonts(), ignore_system_fonts=True
    )
    inputs = {"facts": orjson.dumps(facts).decode()}
    made = compiler.compile(format="pdf", sys_inputs=inputs, timestamp=made_at.replace(microsecond=0))
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


@lru_cache(maxsize=1)
def _pages() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=1)
def _fonts() -> "Fonts":
    """The fonts' names and what they cover; a font itself is read when a document first needs it."""
    from typst import Fonts

    folders = [_folder(package) for package in _FONT_PACKAGES]
    return Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _folder(package: str) -> str:
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(package)
    return str(Path(found.origin).parent)
