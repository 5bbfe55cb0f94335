"""The documentation site: `sphinx-build -W docs docs/_build`, of the mcgen that is installed."""

from __future__ import annotations

import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

import mcgen

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from pictures import program_digest  # noqa: E402

project = "mcgen"
author = "The mcgen developers"
project_copyright = "The mcgen developers"
version = release = mcgen.__version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx-mathjax-offline",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "myst_nb",
    "generated",
    "links",
    "pictures",
]
exclude_patterns = ["_build", "_ext", "_generated", "**.ipynb_checkpoints"]
nitpicky = False
suppress_warnings = ["mystnb.unknown_mime_type"]

# pages
smartquotes = False  # two dashes are an option
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
nb_execution_mode = "cache"
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_execution_in_temp = True  # what they write is no source
nb_merge_streams = True
nb_execution_cache_path = str(HERE / "_build" / "notebooks" / program_digest()[:16])  # another program, another run
bibtex_bibfiles = [str(Path(mcgen.__file__).parent / "base" / "references.bib"), "references.bib"]
bibtex_default_style = "unsrt"
numpydoc_show_class_members = False
autodoc_typehints = "none"  # the docstrings say shapes and units
autodoc_member_order = "bysource"

# a terminal's $ is not copied
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True

# look
html_theme = "pydata_sphinx_theme"
html_title = f"mcgen {version}"
html_static_path = ["_static"]
html_css_files = ["mcgen.css"]
html_sidebars = {"index": [], "start": [], "own-experiment": [], "gallery": []}
html_show_sourcelink = False
html_theme_options = {
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "secondary_sidebar_items": {"**": ["page-toc"]}  # notebooks have one heading and wide lines
    | {f"notebooks/{path.stem}": [] for path in (HERE / "notebooks").glob("*.ipynb")},
}


def _examples(_app: object, _context: object, lines: list[str]) -> None:
    """Examples of a command's help as code: sphinx-click has them as lines of text."""
    shown = [(line[2:], True) if line.startswith("| ") else (line, False) for line in lines]
    lines.clear()
    before = False
    for line, code in shown:
        if code and not before:
            lines += ["", ".. code-block:: console", ""]
        lines.append(f"   {line}" if code else line)
        before = code


def setup(app: Sphinx) -> None:
    """Let sphinx-click show the examples, and tables be blocks of code."""
    app.connect("sphinx-click-process-description", _examples)
    app.add_lexer("csv", TextLexer)
