"""What a library shows of a folder of reports."""

import importlib
import re
from pathlib import Path

import pytest

from pagehop.errors import ConfigError, LibraryError
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import PageRef


def test_documents_are_named_after_their_files(view: View) -> None:
    assert [document.name for document in view.documents()] == [
        "Halden_2021_annual_report",
        "Halden_2022_annual_report",
        "Orrin_2021_annual_report",
        "Orrin_2022_annual_report",
    ]
    assert view.document("halden 2022 annual report.pdf").source == "Halden 2022 annual report.pdf"


def test_a_page_gives_its_words_with_boxes_in_reading_order(view: View) -> None:
    page = view.page(PageRef("Orrin_2022_annual_report", 2))
    assert "Revenue 231.8 203.4" in page.text
    assert " ".join(word.text for word in page.words) == page.text.replace("\n", " ")
    assert all(0 <= w.box[0] < w.box[2] <= 1 and 0 <= w.box[1] < w.box[3] <= 1 for w in page.words)


def test_errors_name_what_exists(view: View) -> None:
    with pytest.raises(
        LibraryError, match="page 41 does not exist; Halden_2021_annual_report has 4"
    ):
        view.page(PageRef("Halden_2021_annual_report", 41))
    with pytest.raises(LibraryError, match=r"nearest names: .*Halden_2021_annual_report"):
        view.document("Halden_2021_anual_report")


def test_status_says_that_everything_is_done(library: Library) -> None:
    status = library.status()
    assert status.complete
    assert (status.documents, status.pages, status.pages_read) == (4, 16, 16)
    assert status.embedded == 1.0 and status.passages > 16


@pytest.mark.parametrize("layer", ["library", "finding", "reading", "layout", "rules", "agents"])
def test_the_map_of_a_layer_names_every_module(layer: str) -> None:
    package = importlib.import_module(f"pagehop.{layer}")
    folder = Path(str(package.__file__)).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert modules <= set(re.findall(r"`(\w+)`", package.__doc__ or ""))


def test_a_library_is_not_made_below_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no folder"):
        Library(tmp_path / "mistyped" / "reports")
    assert not (tmp_path / "mistyped").exists()
    (tmp_path / "report.pdf").write_bytes(b"%PDF-")
    with pytest.raises(LibraryError, match=r"report\.pdf is no folder"):
        Library(tmp_path / "report.pdf")


def test_a_page_asked_for_by_its_text_is_refused_in_words(view: View) -> None:
    with pytest.raises(ConfigError, match="PageRef"):
        view.page("Halden_2021_annual_report:1")  # type: ignore[arg-type]
