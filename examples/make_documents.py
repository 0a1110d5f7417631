"""Write the example documents and their questions.

Everything in them is fictional and comes from one model of the figures (`making/figures.py`) and
the texts in `making/text/`. The bytes depend only on this folder and on the versions of reportlab,
pillow and zlib, which `made_with.json` names.

    python examples/make_documents.py [--out FOLDER]
"""

import argparse
import json
import zlib
from pathlib import Path

import PIL
import reportlab
from making.figures import quellmark, sustainability, tarnwick
from making.letters import audit_letter, board_minutes, press_release
from making.paper import paper
from making.quellmark import annual_report as quellmark_report
from making.questions import write_questions
from making.supplier_code import code
from making.sustainability import report as sustainability_report
from making.tarnwick import annual_report

HERE = Path(__file__).parent


def main() -> None:
    """Write documents and questions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE)
    out = parser.parse_args().out
    t, q, s = tarnwick(), quellmark(), sustainability()
    files = {
        "Tarnwick_Annual_Report_2022.pdf": annual_report(t, 2022),
        "Tarnwick_Annual_Report_2023.pdf": annual_report(t, 2023),
        "Quellmark_Annual_Report_2023.pdf": quellmark_report(q),
        "Tarnwick_Sustainability_Report_2023.pdf": sustainability_report(s, t),
        "SC-2023-04_Supplier_Code.pdf": code(),
        "Varkonyi_2022_Drift_Compensation.pdf": paper(),
        "Audit_Letter_2023.pdf": audit_letter(t),
        "Board_Minutes_2023-09-21.pdf": board_minutes(t),
        "Press_Release_2023-06-14_Corvane.pdf": press_release(t),
    }
    folder = out / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    versions = {
        "reportlab": reportlab.Version,
        "pillow": PIL.__version__,
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }
    (out / "made_with.json").write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")
    (out / "questions.jsonl").write_text(write_questions(files, t, q, s), encoding="utf-8")


if __name__ == "__main__":
    main()
