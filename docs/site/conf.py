"""What Sphinx is told; see build.py."""

project = "task_thread"
html_title = "task_thread"
extensions = ["myst_parser", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
root_doc = "index"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["obstacle.js", "site.js"]
html_copy_source = False  # build.py puts the Markdown beside each page
html_show_sphinx = False
html_show_copyright = False
html_favicon = "_static/favicon.svg"
html_theme_options = {
    "source_view_link": "{filename}",  # furo puts it on each page
    "top_of_page_buttons": [],
}
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "markdown.html",
        "sidebar/scroll-end.html",
    ]
}
copybutton_selector = "div.highlight pre"
# A document of the project links to files that are no pages.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure", "toc.not_included"]
