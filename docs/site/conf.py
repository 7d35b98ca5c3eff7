"""The settings of Sphinx; `make docs` calls it."""

from importlib.resources import files
from pathlib import Path

from minidl import __version__

project = "minidl"
author = "the minidl authors"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.viewcode", "docs.site.extension"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 4
root_doc = "index"
html_theme = "furo"
html_title = "minidl"
html_math_renderer = "mathml"
html_static_path = ["static", str(Path(str(files("ziamath"))) / "fonts")]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}
highlight_language = "none"
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
viewcode_follow_imported_members = True
smartquotes = False
html_show_search_summary = False  # an excerpt is fetched, which a browser refuses for pages that are files
html_search_scorer = str(Path(__file__).parent / "scorer.js")
suppress_warnings = ["ref.python"]  # of the two trainers an annotation may mean either
