"""Make slides of the notebooks: a slide for each heading, and below it one for each further cell of text.

    python docs/slides.py [FOLDER]          (make slides calls it; FOLDER is docs/slides)

The notebooks carry no marks for slides: where one begins is said by their form, text and code by turns.
reveal.js comes from the network when the slides are opened. No cell is run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"


def slides(path: Path) -> str:
    """Return a notebook as one HTML page of slides."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = any(line.startswith("#") for line in cell.source.splitlines())
            cell.metadata.slideshow = {"slide_type": "slide" if heading else "subslide"}
    html: str = SlidesExporter(theme="simple").from_notebook_node(notebook)[0]
    return html


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "slides"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        (folder / f"{path.stem}.slides.html").write_text(slides(path), encoding="utf-8")
    print(f"made {len(list(folder.glob('*.html')))} of them in {folder}")


if __name__ == "__main__":
    main()
