"""`pagehop demo`: three multi-hop questions over the example documents, with their cited crops."""

import time
from collections.abc import Sequence
from pathlib import Path

from pagehop.interfaces.api import stream
from pagehop.interfaces.crops import save_crops
from pagehop.interfaces.terminal import DONE, FAILED, WRONG_INPUT, follow, print_answer, say, tell
from pagehop.library.library import Library

QUESTIONS = (
    "Which company spent more on research and development in 2023, Tarnwick or Quellmark?",
    "How much goodwill arose on the purchase that Tarnwick announced on 14 June 2023?",
    "By how much did the lead found in Ferrolith's valve bodies exceed the limit for wetted "
    "parts in Annex B of the Supplier Code?",
)
"""A comparison of two companies, a bridge, one document's finding against another's limit."""


def run_demo(
    out: Path,
    *,
    documents: Path | None = None,
    questions: Sequence[str] = QUESTIONS,
    home: Path | None = None,
) -> int:
    """Index the example documents, ask the questions and save what the answers cite as PNG.

    Args:
        out: Folder for the library and the pictures; created; a second run finds its library there.
        documents: Folder to index; None looks for the examples.
        questions: What to ask.
        home: Where this module is installed, as `find_examples` takes it.

    Returns:
        0 when all were answered with verified citations, 1 when not, 2 without documents.

    Raises:
        LibraryError: The folder cannot be written.
    """
    documents = documents or find_examples(home)
    if documents is None:
        tell(
            "Error: the example documents come with the repository, not with the package. Run "
            "`pagehop demo` in a clone of it, or ask about documents of your own: "
            'pagehop ask FOLDER "question"',
            "red",
        )
        return WRONG_INPUT
    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    library = Library(out / "library")
    try:
        report = library.add(documents, progress=True)
        status = library.status()
        fresh = len(report.added) + len(report.updated)
        say(
            f"Indexed {fresh} of {status.documents} documents ({status.pages} pages, "
            f"{status.passages} passages) in {time.monotonic() - started:.1f} s."
        )
        good = [
            _ask(question, number, library, out) for number, question in enumerate(questions, 1)
        ]
    finally:
        library.close()
    say("")
    say(
        f"{sum(good)} of {len(good)} questions answered with verified citations in "
        f"{time.monotonic() - started:.1f} s. Cited crops: {out / '*.png'}",
        "bold",
    )
    return DONE if all(good) else FAILED


def find_examples(home: Path | None = None) -> Path | None:
    """Return the folder of the example documents: of this clone, else below the current folder.

    Args:
        home: Where this module is installed, two levels below the clone; None takes its file.
    """
    clone = (home or Path(__file__)).resolve().parents[1]
    for root in (clone, Path.cwd()):
        folder = root / "examples" / "documents"
        if any(folder.glob("*.pdf")):
            return folder
    return None


def _ask(question: str, number: int, library: Library, out: Path) -> bool:
    say("")
    say(f"{number}. {question}", "bold cyan")
    answer = follow(stream(question, library), library.view(), show=True)
    print_answer(answer)
    for path in save_crops(answer, out, prefix=f"{number}-"):
        say(f"saved {path}", "dim")
    return (
        answer.status == "answered"
        and bool(answer.citations)
        and all(citation.verified for citation in answer.citations)
    )
