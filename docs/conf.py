"""The documentation as a site: make docs. Sphinx reads the pages where they are, READMEs beside the code among them."""

project = "Voltbus"
author = "The Voltbus authors"
copyright = "the Voltbus authors"
extensions = ["myst_parser"]
root_doc = "docs/index"
# The source folder is the project's, so that links between pages and into the code are what they are on disk.
include_patterns = ["*.md", "docs/**.md", "services/**/README.md", "voltbus/**/README.md", "deploy/**/README.md"]
exclude_patterns = [".*", "build", "node_modules"]

myst_heading_anchors = 4
suppress_warnings: list[str] = []

html_theme = "furo"
html_title = "Voltbus"
html_extra_path = ["site"]
html_copy_source = False
