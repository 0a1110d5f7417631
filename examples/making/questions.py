"""The questions about the example documents, their answers and the pages that hold them.

Gold pages are found, not written down: each piece of evidence names words that stand on exactly
one page of its document (several, joined by ` | `, must all stand on that page). Words that begin
with `all: ` may stand on several pages, each of which holds the answer and is gold.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import pymupdf

from making.figures import intensity
from making.scan import TOTAL

AR22, AR23 = "Tarnwick_Annual_Report_2022.pdf", "Tarnwick_Annual_Report_2023.pdf"
RIVAL = "Quellmark_Annual_Report_2023.pdf"
GREEN = "Tarnwick_Sustainability_Report_2023.pdf"
CODE, PAPER = "SC-2023-04_Supplier_Code.pdf", "Varkonyi_2022_Drift_Compensation.pdf"
LETTER, MINUTES = "Audit_Letter_2023.pdf", "Board_Minutes_2023-09-21.pdf"
PRESS = "Press_Release_2023-06-14_Corvane.pdf"
SCAN = "(scan)"
"""Stands for the words of a page that has none."""


@dataclass(frozen=True)
class Question:
    """One question of the set."""

    type: str
    text: str
    answers: tuple[str, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()
    """(document, words that stand on the gold page)."""
    hops: int = 1
    """Documents or places that must be combined."""
    calculation: str = ""
    """How the answer follows from numbers on the gold pages, when none of them states it."""


def find_pages(pages: list[str], words: str) -> list[int]:
    """Return the pages, from 1, on which all of the words stand: one, unless `all: ` is said.

    Args:
        pages: Text of each page with single spaces; empty for a scanned one.
        words: Pieces joined by ` | `, or SCAN for the only page without text.
    """
    several = words.startswith("all: ")
    if words == SCAN:
        found = [i for i, text in enumerate(pages, start=1) if not text]
    else:
        pieces = words.removeprefix("all: ").split(" | ")
        found = [i for i, text in enumerate(pages, 1) if all(piece in text for piece in pieces)]
    if len(found) != 1 and not (several and found):
        raise ValueError(f"{words!r} stands on pages {found}, not on one")
    return found


def page_texts(pdf: bytes) -> list[str]:
    """Return the text of each page with single spaces."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        return [" ".join(page.get_text().split()) for page in document]


def write_questions(
    files: Mapping[str, bytes], t: SimpleNamespace, q: SimpleNamespace, s: SimpleNamespace
) -> str:
    """Return the question file, one JSON object a line."""
    texts = {name: page_texts(pdf) for name, pdf in files.items()}
    lines = []
    for i, item in enumerate(questions(t, q, s), start=1):
        pages = dict.fromkeys(
            (name, page) for name, words in item.evidence for page in find_pages(texts[name], words)
        )
        how = {"calculation": item.calculation} if item.calculation else {}
        lines.append(
            {
                "id": f"ex-{i:02d}",
                "question": item.text,
                "answers": list(item.answers),
                "documents": list(dict.fromkeys(name for name, _ in pages)),
                "evidence": [{"document": name, "page": page} for name, page in pages],
                "answerable": item.type != "unanswerable",
                "scope": None,
                "tags": {
                    "set": "examples",
                    "type": item.type,
                    "hops": item.hops,
                    "pages": "generated",
                    **how,
                },
            }
        )
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in lines)


def questions(t: SimpleNamespace, q: SimpleNamespace, s: SimpleNamespace) -> list[Question]:
    """Return the questions, their answers computed from the model."""
    return [*_single(t, q), *_table(t), *_between(t, q, s), *_pictures(), *_unanswerable()]


def _single(t: SimpleNamespace, q: SimpleNamespace) -> list[Question]:
    return [
        Question(
            "single",
            "How much revenue did the Meridian 400 earn in its first ten months on sale?",
            (f"£{t.meridian[2023]:.1f} million", "22.7"),
            ((AR23, "in its first ten months"),),
        ),
        Question(
            "single",
            "Who is the audit partner of Tarnwick Instruments?",
            ("Gideon Marchetti",),
            ((AR23, "its audit partner is Gideon Marchetti"),),
        ),
        Question(
            "single",
            "Within how many days must a critical finding be corrected under the Supplier Code?",
            ("30 days", "30"),
            ((CODE, "to be corrected within 30 days"),),
        ),
        Question(
            "single",
            "What fixed coupon do the senior notes of Tarnwick carry?",
            ("5.85%",),
            ((AR23, "carry a fixed coupon of 5.85%"),),
        ),
        Question(
            "single",
            "Why did Quellmark write off software in 2023?",
            (
                "Two of the three large customers of Lumen Telemetry's software had "
                "given notice, so that "
                "its recoverable amount was nil",
                "recoverable amount was found to be nil",
            ),
            ((RIVAL, "Two of its three large customers"),),
        ),
    ]


def _table(t: SimpleNamespace) -> list[Question]:
    return [
        Question(
            "table",
            "What was the revenue of Tarnwick's Laboratory segment in 2023?",
            (f"£{t.laboratory[2023]:.1f} million", f"{t.laboratory[2023]:.1f}"),
            ((AR23, "all: Laboratory | 61.4"),),
        ),
        Question(
            "table",
            "How many people did Tarnwick employ on average at Pellworth in 2022?",
            (f"{t.staff_pellworth[2022]:.0f}",),
            ((AR22, "Average number of employees by site"),),
        ),
        Question(
            "table",
            "What were Tarnwick's inventories at 31 December 2023?",
            (f"£{t.inventories[2023]:.1f} million", f"{t.inventories[2023]:.1f}"),
            ((AR23, "Consolidated balance sheet, £ million"),),
        ),
        Question(
            "table",
            "What is the limit for cadmium in wetted parts?",
            ("20 mg/kg", "20"),
            ((CODE, "Restricted substances and their limits"),),
        ),
        Question(
            "arithmetic",
            "By what percentage did Tarnwick's revenue in the Americas grow from 2022 to 2023?",
            (f"{t.americas.growth[2023]:.1f}%",),
            ((AR23, "Revenue by destination"),),
            calculation=f"({t.americas[2023]} - {t.americas[2022]}) / {t.americas[2022]} * 100",
        ),
        Question(
            "arithmetic",
            "What was the total of Tarnwick's capital expenditure over 2022 and 2023?",
            (
                f"£{-t.capex[2022] - t.capex[2023]:.1f} million",
                f"{-t.capex[2022] - t.capex[2023]:.1f}",
            ),
            ((AR23, "all: (26.4) | (21.6)"),),
            calculation=f"{-t.capex[2022]} + {-t.capex[2023]}",
        ),
        Question(
            "arithmetic",
            "What share of the cost of closing the foundry line was still provided for at the "
            "end of 2023?",
            (f"{100 * t.restructuring[2023] / t.closure.plain[2023]:.1f}%",),
            ((AR23, "Closing the foundry line at Brackwater cost"),),
            calculation=f"{t.restructuring[2023]} / {t.closure.plain[2023]} * 100",
        ),
    ]


def _between(t: SimpleNamespace, q: SimpleNamespace, s: SimpleNamespace) -> list[Question]:
    over = s.lead_found - 1000
    mean = intensity(s.direct, t.revenue)
    return [
        Question(
            "comparison",
            "Which company spent more on research and development in 2023, Tarnwick or Quellmark?",
            (
                f"Tarnwick, £{t.research.plain[2023]:.1f} million against "
                f"£{q.research.plain[2023]:.1f} million",
                "Tarnwick",
            ),
            (
                (AR23, "all: esearch and development | 35.2"),
                (RIVAL, "all: esearch and development | 33.1"),
            ),
            hops=2,
        ),
        Question(
            "comparison",
            "Whose lost time injury rate was lower in 2023, Tarnwick's or Quellmark's?",
            (f"Tarnwick's: {s.injuries[2023]:.1f} against 2.6 per million hours", "Tarnwick"),
            ((GREEN, "all: ost time injur | 2.2"), (RIVAL, "lost time injury rate was 2.6")),
            hops=2,
        ),
        Question(
            "comparison",
            "Did Tarnwick's capital expenditure in 2023 stay within the range that it had given a "
            "year before?",
            (f"Yes: £{t.capex.plain[2023]:.1f} million, within £25 million to £28 million", "Yes"),
            (
                (AR22, "between £25 million and £28 million"),
                (AR23, "all: apital expenditure | 26.4"),
            ),
            hops=2,
        ),
        Question(
            "cross-document",
            "By how much did the lead found in Ferrolith's valve bodies exceed the limit for "
            "wetted parts in Annex B of the Supplier Code?",
            (f"By {over} mg/kg ({s.lead_found:,} against 1,000)", f"{over}"),
            (
                (GREEN, "milligrams of lead per kilogram"),
                (CODE, "Restricted substances and their limits"),
            ),
            hops=2,
            calculation=f"{s.lead_found} - 1000",
        ),
        Question(
            "cross-document",
            "How many points did Ferrolith Castings miss in its audit of May 2023 to avoid "
            "failing under the Supplier Code?",
            ("7 points (58 against 65)", "7"),
            ((GREEN, "scored 58 points"), (CODE, "fewer than 65 points has failed")),
            hops=2,
            calculation="65 - 58",
        ),
        Question(
            "cross-document",
            "How often must a Tier 1 supplier such as Ferrolith Castings be visited in the two "
            "years after a failed audit?",
            ("Every 6 months, half of 12 months", "6 months"),
            (
                (GREEN, "Tier 1 suppliers, from whom we buy metal castings"),
                (CODE, "Intervals between visits"),
            ),
            hops=2,
            calculation="12 / 2",
        ),
        Question(
            "bridge",
            "To what value did the mean drift at Lake Ansel fall in the field "
            "trial published by the "
            "person whom Tarnwick's board appointed as Chief Technology Officer in September 2023?",
            ("0.7% of reading", "0.7%"),
            (
                (MINUTES, "to appoint Dr Ilse Varkonyi"),
                (PAPER, "At Lake Ansel the mean drift fell"),
            ),
            hops=2,
        ),
        Question(
            "bridge",
            "How much goodwill arose on the purchase that Tarnwick announced on 14 June 2023?",
            (f"£{t.bought.goodwill:.1f} million", f"{t.bought.goodwill:.1f}"),
            ((PRESS, "has agreed to buy Corvane Sensing"), (AR23, "Fair values of the assets")),
            hops=2,
        ),
        Question(
            "bridge",
            "What is the total charge for the foundry line that the board decided to close at its "
            "meeting of 21 September 2023?",
            (f"£{t.closure.plain[2023]:.1f} million", f"{t.closure.plain[2023]:.1f}"),
            ((MINUTES, "to close the line by 31 December"), (AR23, "Exceptional items, £ million")),
            hops=2,
        ),
        Question(
            "bridge",
            "Which competitor lost the Port Ellery framework to Tarnwick, and how "
            "much revenue a year "
            "had it brought?",
            ("Quellmark, £7.8 million a year", "7.8"),
            (
                (RIVAL, "it had brought us £7.8 million a year"),
                (AR23, "Port Ellery Water ordered 6,400 units"),
            ),
            hops=2,
        ),
        Question(
            "bridge",
            "Who founded the company that Tarnwick bought for £64.0 million, and "
            "which site does that "
            "person lead now?",
            ("Dr Marit Okafor-Lund; Dunmere", "Okafor-Lund"),
            ((PRESS, "Founded in 2009"), (AR23, "stays with us as managing director")),
            hops=2,
        ),
        Question(
            "arithmetic",
            "How many times its revenue of 2022 did Tarnwick pay for Corvane Sensing?",
            (f"{t.bought.price / 33.8:.1f} times",),
            ((PRESS, "times the revenue of 2022"),),
        ),
        Question(
            "arithmetic",
            "How many tonnes of direct emissions did Tarnwick cause per million "
            "pounds of revenue in "
            "2023?",
            (f"{mean[2023]:.1f} tonnes", f"{mean[2023]:.1f}"),
            ((GREEN, "For every million pounds of revenue"),),
        ),
        Question(
            "comparison",
            "Was Quellmark's operating profit in 2023 higher than Tarnwick's, and by how much?",
            (
                f"Yes, by £{q.operating_profit[2023] - t.operating_profit[2023]:.1f} million",
                f"{q.operating_profit[2023] - t.operating_profit[2023]:.1f}",
            ),
            ((RIVAL, "all: perating profit | 56.3"), (AR23, "all: perating profit | 45.7")),
            hops=2,
            calculation=f"{q.operating_profit[2023]} - {t.operating_profit[2023]}",
        ),
        Question(
            "bridge",
            "Which note of the Annual Report 2023 explains the loans that paid for "
            "Corvane, and when do "
            "the senior notes fall due?",
            ("Note 8; 28 June 2030", "28 June 2030"),
            ((AR23, "fall due in one sum on 28 June 2030"),),
        ),
    ]


def _pictures() -> list[Question]:
    return [
        Question(
            "figure",
            "How much water did Eskmouth draw in 2023, according to the chart of "
            "withdrawal by site?",
            ("60 thousand cubic metres", "60"),
            ((GREEN, "Water withdrawal by site in 2023"),),
        ),
        Question(
            "figure",
            "Which Tarnwick site had the highest lost time injury frequency in "
            "2023, and what was it?",
            ("Dunmere, 4.0 per million hours", "Dunmere"),
            ((GREEN, "Lost time injury frequency by site in 2023"),),
        ),
        Question(
            "figure",
            "In which month of the trial at Lake Ansel was the drift with compensation lowest?",
            ("Month 10", "10"),
            ((PAPER, "Drift at Lake Ansel by month of the trial"),),
        ),
        Question(
            "scan",
            "What is the total of the uncorrected misstatements in the appendix to "
            "the auditor's letter?",
            (f"A reduction of profit by £0.3 million, {TOTAL}", "0.3"),
            ((LETTER, SCAN),),
        ),
        Question(
            "scan",
            "How many valve bodies were counted in store 7 on 3 January 2024?",
            ("1,140", "1140"),
            ((LETTER, SCAN),),
        ),
    ]


def _unanswerable() -> list[Question]:
    return [
        Question("unanswerable", text)
        for text in (
            "What was Tarnwick's revenue in 2019?",
            "What is the annual salary of Fenella Strang?",
            "How many Meridian 400 meters were sold in Japan in 2023?",
            "What price did Quellmark pay for Lumen Telemetry?",
            "What limit does Annex B of the Supplier Code set for benzene?",
            "What was the net profit of Ferrolith Castings in 2022?",
            "On which date did Hollis & Verrault sign its distribution agreement?",
            "What dividend did Corvane Sensing pay to its shareholders in 2022?",
        )
    ]
