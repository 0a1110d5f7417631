"""Draw docs/img/layout_*.png: pages of the examples with their regions, as LAYOUT.md shows them.

python docs/img/make_layout.py [--library FOLDER]
"""

import argparse
import tempfile
from pathlib import Path

import pagehop
from pagehop.interfaces.region_drawing import draw_regions
from pagehop.types import FULL_PAGE, PageRef

PAGES = {
    "paper": "Varkonyi_2022_Drift_Compensation:2",
    "statement": "Tarnwick_Annual_Report_2023:12",
    "chart": "Tarnwick_Annual_Report_2023:6",
    "report": "Tarnwick_Sustainability_Report_2023:3",
    "tables": "Quellmark_Annual_Report_2023:5",
    "letter": "Board_Minutes_2023-09-21:1",
}
WIDTH = 620
COLOURS = 48
"""Enough for type and outlines; the files stay small."""


def main() -> None:
    """Draw all pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=Path, help="library of the examples; else a new one")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = pagehop.Library(args.library or folder)
        library.add(Path(__file__).parents[2] / "examples" / "documents")
        view = library.view()
        for name, text in PAGES.items():
            ref = PageRef.parse(text)
            image = view.crop(ref, FULL_PAGE, max_pixels=1_600_000)
            regions = [r for r in view.regions(ref) if r.kind != "passage"]
            draw_regions(image, regions, FULL_PAGE)
            size = WIDTH, round(WIDTH * image.height / image.width)
            small = image.resize(size).quantize(COLOURS)
            small.save(Path(__file__).parent / f"layout_{name}.png", optimize=True)
        library.close()


if __name__ == "__main__":
    main()
