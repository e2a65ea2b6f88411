"""The documentation as a site: make docs. Sphinx reads pages where they are, the READMEs beside the code among them."""

from pathlib import Path

from docutils.nodes import document
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

project = "Voltbus"
html_title = "Voltbus"
copyright = "the authors of Voltbus"
extensions = ["myst_parser"]
# The source folder is the project's, so that links between pages and to the code are what they are on disk.
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/**.md",
    "services/**/README.md",
    "voltbus/README.md",
    "voltbus/**/README.md",
    "deploy/**/README.md",
    "tests/**/README.md",
]
exclude_patterns = [".*", "build", "node_modules"]
# Headings can be linked to as on GitHub.
myst_heading_anchors = 4

html_theme = "furo"
html_extra_path = ["site"]
html_copy_source = False


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", unlink_folders)


def unlink_folders(app: Sphinx, page: document) -> None:
    """A link to a folder, for which the site has no page, becomes its text."""
    for link in list(page.findall(pending_xref)):
        if Path(app.env.relfn2path(link["reftarget"])[1]).is_dir():
            link.replace_self(link.children)
