"""The documentation as a site: make docs. Sphinx reads pages where they are, the READMEs beside the code among them."""

project = "Voltbus"
html_title = "Voltbus"
copyright = "the authors of Voltbus"
extensions = ["myst_parser"]
# The source folder is the project's, so that links between pages and to the code are what they are on disk.
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "services/**/README.md", "voltbus/**/README.md", "deploy/**/README.md"]
exclude_patterns = [".*", "build", "node_modules"]
# Headings can be linked to as on GitHub.
myst_heading_anchors = 4

html_theme = "furo"
html_extra_path = ["site"]
html_copy_source = False
