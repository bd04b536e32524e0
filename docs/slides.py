"""Make slides of the notebooks: a slide for each heading, and below it one for each further cell of text.

    python docs/slides.py [FOLDER]          (make slides calls it; FOLDER is docs/slides)

The notebooks carry no marks for slides: where one begins is said by their form, text and code by turns.
reveal.js comes from the network when the slides are opened. No cell is run. A slide is as wide as a
projector, for lines of 90 characters; what is too high for it is made smaller by a script in the page.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
WIDTH, HEIGHT = 1240, 700  # pixels of a slide, which reveal.js scales to the window
# reveal.js tells of a slide on the element of all slides, and places it anew when the window changes.
FIT = """
<style>
.reveal .slides section { overflow: hidden; }
.reveal .jp-Cell { padding: 0; }
</style>
<script>
for (const event of ["ready", "slidechanged"]) {
  document.querySelector(".reveal").addEventListener(event, ({ currentSlide: slide }) => {
    slide.style.zoom = "";
    const high = slide.scrollHeight / HEIGHT;
    if (high > 1) slide.style.zoom = 1 / high;
    dispatchEvent(new Event("resize"));
  });
}
</script>
</body>""".replace("HEIGHT", str(HEIGHT - 20))


def slides(path: Path) -> str:
    """Return a notebook as one HTML page of slides."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = any(line.startswith("#") for line in cell.source.splitlines())
            cell.metadata.slideshow = {"slide_type": "slide" if heading else "subslide"}
    exporter = SlidesExporter(
        theme="simple",
        reveal_width=str(WIDTH),
        reveal_height=str(HEIGHT),
        exclude_input_prompt=True,
    )
    html: str = exporter.from_notebook_node(notebook)[0]
    before, end, after = html.rpartition("</body>")
    return before + FIT + after if end else html


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "slides"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        (folder / f"{path.stem}.slides.html").write_text(slides(path), encoding="utf-8")
    print(f"made {len(list(folder.glob('*.html')))} of them in {folder}")


if __name__ == "__main__":
    main()
