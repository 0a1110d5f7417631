"""Small real PDFs of two fictional companies, and a library made of them.

Session fixtures: `write_page` (makes a PDF), `pdf_folder` (four annual reports), `library` (that
folder, with vectors of the packaged encoder), `view` (all of it). They are shared: tests that
write make their own.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from pagehop.library.library import Library
from pagehop.library.view import View

# A suite started in the background of a shell has interrupts switched off, and so would have the
# processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.setdefault("PAGEHOP_OCR__ENGINE", "none")  # seconds a page; test_ocr switches it on
os.environ.setdefault("PAGEHOP_INGEST__WORKERS", "1")  # starting two takes longer than one page
STYLES = getSampleStyleSheet()


@dataclass(frozen=True)
class Report:
    """The figures of one annual report, in millions of crowns."""

    company: str
    year: int
    seat: str
    revenue: tuple[float, float]
    """This year and the year before."""
    expenditure: tuple[float, float]
    staff: int
    project: str
    debt: float


REPORTS = (
    Report("Halden Marine", 2021, "Bergen", (412.6, 388.1), (57.3, 49.8), 1840, "Skarvoy", 120.5),
    Report("Halden Marine", 2022, "Bergen", (455.9, 412.6), (61.4, 57.3), 1925, "Tungenes", 98.0),
    Report("Orrin Textiles", 2021, "Porto", (203.4, 219.7), (18.2, 22.6), 960, "Aveiro", 41.7),
    Report("Orrin Textiles", 2022, "Porto", (231.8, 203.4), (25.9, 18.2), 1012, "Braga", 55.3),
)


FILLER = "The parties keep the premises in good order and tell each other of any damage at once."
LEASES = (
    ("Alder", "Norway", 1200, 2021),
    ("Birch", "Norway", 900, 2022),
    ("Cedar", "Peru", 700, 2022),
)


def write_report(report: Report, path: Path) -> None:
    """Write a report of four pages: overview, results with a table, notes, outlook."""
    template = SimpleDocTemplate(
        str(path), pagesize=A4, title=f"{report.company} Annual Report {report.year}"
    )
    template.build(
        [
            *_overview(report),
            PageBreak(),
            *_results(report),
            PageBreak(),
            *_notes(report),
            PageBreak(),
            *_outlook(report),
        ]
    )


def _write_page(path: Path, *paragraphs: str, title: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    template = SimpleDocTemplate(str(path), pagesize=A4, title=title or path.stem)
    template.build([_text(words) for words in paragraphs])


@pytest.fixture(scope="session")
def pdf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four annual reports: two companies, 2021 and 2022."""
    folder = tmp_path_factory.mktemp("reports")
    for report in REPORTS:
        name = report.company.split()[0]
        write_report(report, folder / f"{name} {report.year} annual report.pdf")
    return folder


@pytest.fixture(scope="session")
def write_page() -> Callable[..., None]:
    """Write a PDF of one page: `write_page(path, *paragraphs, title="")`."""
    return _write_page


@pytest.fixture(scope="session")
def library(pdf_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The four reports, read and embedded."""
    with Library(tmp_path_factory.mktemp("library")) as made:
        report = made.add(pdf_folder)
        assert not report.failed and not report.warnings, report
        yield made


@pytest.fixture(scope="session")
def view(library: Library) -> View:
    """Everything in the library."""
    return library.view()


@pytest.fixture(scope="session")
def leases(tmp_path_factory: pytest.TempPathFactory, write_page: Callable[..., None]) -> View:
    """A view over three leases, a letter that states nothing, and a secret lease."""
    folder = tmp_path_factory.mktemp("leases")
    for name, law, fee, year in LEASES:
        write_page(
            folder / f"{name}.pdf",
            "Lease Agreement",
            f"This lease is made on 3 May {year} by the owners of {name} Hall.",
            f"The annual fee is EUR {fee:,} and falls due in May.",
            f"It is governed by the laws of {law}.",
            FILLER,
        )
    write_page(folder / "Letter.pdf", "The hall was painted.", FILLER)
    secret = tmp_path_factory.mktemp("secret")
    write_page(secret / "Dale.pdf", "It is governed by the laws of Norway.", FILLER)
    library = Library(tmp_path_factory.mktemp("library"))
    assert not library.add(folder).failed
    assert not library.add(secret, labels={"secret"}).failed
    return library.view(labels=())


@pytest.fixture(scope="session")
def made_engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete library of two documents beside its files."""
    folder = tmp_path_factory.mktemp("made")
    _write_page(folder / "in" / "alpha.pdf", "The alpha engine runs on hydrogen, see Note 3.")
    _write_page(folder / "in" / "beta.pdf", "The beta engine runs on ammonia.")
    with Library(folder) as made:
        made.add(folder / "in")
    return folder


@pytest.fixture
def engines(made_engines: Path, tmp_path: Path) -> Path:
    """A copy of that library that a test may break."""
    return Path(shutil.copytree(made_engines, tmp_path / "copy"))


def _heading(words: str, level: int = 1) -> Paragraph:
    return Paragraph(words, STYLES[f"Heading{level}"])


def _text(words: str) -> Paragraph:
    return Paragraph(words, STYLES["BodyText"])


def _overview(report: Report) -> list[Flowable]:
    change = "rose" if report.revenue[0] > report.revenue[1] else "fell"
    return [
        Paragraph(f"{report.company} Annual Report {report.year}", STYLES["Title"]),
        _heading("1. Overview"),
        _text(
            f"{report.company} has its seat in {report.seat} and employed {report.staff} people at "
            f"the end of {report.year}. Revenue {change} to {report.revenue[0]} million crowns, "
            f"from {report.revenue[1]} million crowns in {report.year - 1}; see Table 1 on page 2."
        ),
        _text(
            f"The largest project of the year was the new plant at {report.project}. Its cost is "
            "part of capital expenditure, see Note 3."
        ),
    ]


def _results(report: Report) -> list[Flowable]:
    year = report.year
    table = Table(
        [
            ["Million crowns", str(year), str(year - 1)],
            ["Revenue", *map(str, report.revenue)],
            ["Capital expenditure", *map(str, report.expenditure)],
            ["Operating income", *(f"{r * 0.11:.1f}" for r in report.revenue)],
        ],
        style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)],
    )
    return [
        _heading("2. Results"),
        _text(f"Table 1. Key figures of {report.company}, {year} and {year - 1}."),
        table,
        Spacer(1, 12),
        _text(
            "Operating income follows revenue closely because most costs vary with the volume of "
            "orders. Interest on debt is described in Note 4."
        ),
    ]


def _notes(report: Report) -> list[Flowable]:
    return [
        _heading("3. Notes"),
        _heading("Note 3. Capital expenditure", 2),
        _text(
            f"Capital expenditure was {report.expenditure[0]} million crowns. About half of it "
            f"went into the plant at {report.project}, which opened in October {report.year}."
        ),
        _heading("Note 4. Debt", 2),
        _text(
            f"Long-term debt was {report.debt} million crowns at the end of {report.year}. It "
            "falls due in 2027 and carries interest of 3.2 percent."
        ),
    ]


def _outlook(report: Report) -> list[Flowable]:
    return [
        _heading("4. Outlook"),
        _text(
            f"For {report.year + 1} the board of {report.company} expects orders to grow. Key "
            "figures of this year are in Table 1; the plant is described in Section 1."
        ),
    ]
