"""How hits, citations and answers show themselves."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pagehop.answers import Answer, Citation, Usage
from pagehop.errors import LibraryError
from pagehop.library.view import View
from pagehop.show import MAX_CROPS, picture, surroundings
from pagehop.types import FULL_PAGE, Box, Hit, Hits, PageRef

QUOTE = "Capital expenditure was 57.3 million crowns."


@pytest.fixture(scope="module")
def citation(view: View) -> Citation:
    ref = PageRef("Halden_2021_annual_report", 3)
    located = view.locate(ref, QUOTE)
    assert located is not None
    source = view.document(ref.name).source
    return Citation(source, ref.name, ref.page, located.box, located.text, True, "E1", view)


def answer_of(*citations: Citation, text: str = "It was 57.3 million crowns [1].") -> Answer:
    return Answer(
        question="What was capital expenditure?",
        text=text,
        status="answered",
        citations=citations,
        usage=Usage(tool_calls=7, steps=3, rounds=1, seconds=1.25),
        warnings=("Search is by words only.",),
    )


def pictures_in(html: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def test_an_answer_links_each_marker_to_its_citation(citation: Citation) -> None:
    html = answer_of(citation)._repr_html_()
    [target] = re.findall(r'<a href="#([^"]+)">\[1\]</a>', html)
    assert f'id="{target}"' in html


def test_two_answers_on_one_page_have_targets_of_their_own(citation: Citation) -> None:
    first, second = answer_of(citation), answer_of(citation, text="It was 57.3 [1], no less.")
    targets = [re.findall(r'id="([^"]+)"', a._repr_html_()) for a in (first, second)]
    assert targets[0] != targets[1]


def test_a_marker_without_a_citation_stays_text(citation: Citation) -> None:
    html = answer_of(citation, text="One [1], another [7].")._repr_html_()
    assert html.count("<a href") == 1 and "[7]" in html


def test_an_answer_shows_status_warnings_and_what_it_cost(citation: Citation) -> None:
    html = answer_of(citation)._repr_html_()
    assert ">answered<" in html
    assert "Search is by words only." in html
    assert "3 steps, 1 round, 7 tool calls, 1.2 s" in html


def test_a_failed_answer_shows_its_error() -> None:
    answer = Answer(question="Q", text="", status="failed", error="the disk is full")
    html = answer._repr_html_()
    assert ">failed<" in html and "the disk is full" in html


def test_the_html_needs_no_other_file_and_no_script(citation: Citation) -> None:
    html = answer_of(citation)._repr_html_()
    assert "<script" not in html and "http" not in html and "file:" not in html


def test_text_of_documents_is_escaped(citation: Citation) -> None:
    hostile = '<img src=x onerror=alert(1)> & "quoted" \u202e\x1b[2J'
    shown = replace(citation, quote=hostile, document=hostile)
    html = answer_of(shown, text=hostile)._repr_html_()
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quoted&quot;" in html
    assert "\u202e" not in html and "\x1b" not in html


def test_the_crop_shows_the_quote_marked(citation: Citation) -> None:
    [image] = pictures_in(citation._repr_html_())
    red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")), -1, 0)  # each (height, width)
    yellow = float(((red > 230) & (green > 210) & (blue < 200)).mean())
    share = _area(citation.box) / _area(surroundings(citation.box))
    assert 0.6 * share < yellow < 2.5 * share
    assert image.width > 600 and image.format == "JPEG"


def test_without_a_library_the_quote_shows_and_the_reason(citation: Citation) -> None:
    html = replace(citation, pictures=None)._repr_html_()
    assert QUOTE in html and "read from a record" in html and "<img" not in html


def test_a_page_that_cannot_be_rendered_leaves_quote_and_reason(citation: Citation) -> None:
    html = replace(citation, page=41)._repr_html_()
    assert QUOTE in html and "no picture" in html and "4 pages" in html


def test_a_citation_that_is_not_verified_says_so(citation: Citation) -> None:
    assert "not verified" in replace(citation, verified=False)._repr_html_()
    assert "not verified" not in citation._repr_html_()


def test_only_the_first_citations_of_a_long_answer_have_pictures(citation: Citation) -> None:
    html = answer_of(*[citation] * (MAX_CROPS + 2))._repr_html_()
    assert len(pictures_in(html)) == MAX_CROPS
    assert html.count(QUOTE) == MAX_CROPS + 2


def test_hits_show_their_pages_and_the_note_of_the_search(view: View) -> None:
    hit = Hit(
        "Halden 2021 annual report.pdf", "Halden_2021_annual_report", 2, (0.1, 0.1, 0.9, 0.4),
        "table", "Revenue 412.6 " * 100, 0.5, ("keyword", "semantic"), pictures=view,
    )  # fmt: skip
    html = Hits([hit], note="Vectors are missing.")._repr_html_()
    assert "1 page found" in html and "Vectors are missing." in html
    assert "Halden_2021_annual_report:2" in html and "by keyword and semantic" in html
    assert len(html.split("<img")[0]) < 4000, "a long region is cut"
    assert len(pictures_in(html)) == 1


def test_a_picture_without_a_library_is_refused(citation: Citation) -> None:
    with pytest.raises(LibraryError, match="without its library"):
        picture(replace(citation, pictures=None))


@pytest.mark.parametrize(
    "box", [FULL_PAGE, (0.0, 0.0, 0.01, 0.01), (0.97, 0.99, 1.0, 1.0), (0.2, 0.5, 0.7, 0.52)]
)
def test_surroundings_hold_the_box_and_stay_on_the_page(box: Box) -> None:
    x0, y0, x1, y1 = surroundings(box)
    assert 0 <= x0 <= box[0] and 0 <= y0 <= box[1]
    assert box[2] <= x1 + 1e-9 and x1 <= 1 and box[3] <= y1 <= 1


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
