"""How the site is built: `make docs`, without network and without warnings.

Pages in Markdown read well on GitHub too; those in reStructuredText are made of docstrings. Scripts of examples/ are
run in the build. NOISEPRUNE_INTERSPHINX=1 links to the documentation of NumPy, SciPy and others, which needs the network.
"""

from __future__ import annotations

import importlib.util
import os
import re
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

import noiseprune

mpl.use("agg")
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")

HERE = Path(__file__).parent
TORCH = importlib.util.find_spec("torch") is not None

project = "noiseprune"
author = "The noiseprune developers"
project_copyright = author
version = release = noiseprune.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "gallery/*.ipynb", "gallery/*.json", "gallery/*.py"]
templates_path = ["_templates"]
default_role = "py:obj"  # `prune` in a docstring is a link where there is something to link to
html_math_renderer = "mathml"  # browsers draw it themselves; MathJax would come from another server
suppress_warnings = ["config.cache"]  # functions in sphinx_gallery_conf

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3  # the anchors that GitHub makes

autodoc_typehints = "none"  # they stand in the docstrings, with shapes and units
autodoc_mock_imports = [] if TORCH else ["torch"]
autosummary_generate = True
autosummary_ignore_module_all = False
numpydoc_show_class_members = False  # the template lists them
numpydoc_xref_param_type = False

if os.environ.get("NOISEPRUNE_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "matplotlib": ("https://matplotlib.org/stable", None),
        "networkx": ("https://networkx.org/documentation/stable", None),
        "torch": ("https://docs.pytorch.org/docs/stable", None),
    }

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/\d\d_",  # trained_rnn.py needs a file that the reader brings
    "ignore_pattern": r"trained_rnn\.py" if TORCH else r"trained_|_trained",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
    "download_all_examples": False,
    "write_computation_times": False,  # its page asks other servers for scripts
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "plot_gallery": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "noiseprune"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": [], "start": []}
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "show_toc_level": 2,
}


def inline_math(translator: Any, node: nodes.math) -> None:
    """Write a formula inside a sentence as MathML."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def display_math(translator: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own as MathML, which scrolls inside itself where it is wide."""
    translator.body.append(f'<div class="formula">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


LITERAL = re.compile(r"(``.*?``|`.*?`)")


def escape_bars(_app: Sphinx, _what: str, _name: str, _it: Any, _options: Any, lines: list[str]) -> None:
    """Keep absolute values, abs(W) between bars, from being read as substitutions."""
    for k, line in enumerate(lines):
        parts = LITERAL.split(line)
        parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
        lines[k] = "".join(parts)


def setup(app: Sphinx) -> None:
    """Tell Sphinx of our formulae."""
    app.add_html_math_renderer("mathml", inline_renderers=(inline_math, None), block_renderers=(display_math, None))
    app.connect("autodoc-process-docstring", escape_bars)
