"""What each idea adds to `explore` with `builtin`: one is switched off at a time.

    python benchmarks/ablation.py --data FOLDER --library FOLDER
        [--all] [--limit N] [--only NAME ...] [--save]

The questions are those with pages by hand and those that the documents do not answer, or all of
them; scores as in answers.py. Won and lost count questions with a citation on a gold page, or a
right refusal, against the whole machine.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import answers

import pagehop
from pagehop.agents.explorer import Explorer
from pagehop.agents.moves import Call, SubQuestion
from pagehop.rules.question import Question
from pagehop.rules.scope import Scope

TABLE = Path(__file__).parent.parent / "docs" / "benchmarks" / "ablation.md"
WHOLE = "nothing"


@dataclass(frozen=True)
class Idea:
    """Something the machine does, and how to keep it from doing so."""

    source: str
    off: dict[str, Callable[..., Any]]
    """What stands in for a function of the roles, by its dotted name."""
    effort: str = "medium"


def _searches(kept: str) -> Callable[..., list[Call]]:
    whole = Explorer._searches

    def searches(*given: Any) -> list[Call]:
        return [call for call in whole(*given) if call.tool == kept]

    return searches


def _one_part(question: Question, scope: Scope) -> tuple[SubQuestion, ...]:
    return (SubQuestion("Q1", question.text, documents=scope.documents),)


def _nothing(*given: Any, **named: Any) -> list[Any]:
    return []


def _everywhere(function: str, stand_in: Callable[..., Any], *modules: str) -> dict[str, Any]:
    return {f"pagehop.agents.{module}.{function}": stand_in for module in modules}


_EXPLORER = "pagehop.agents.explorer.Explorer"
IDEAS = {
    WHOLE: Idea("", {}),
    "the question split into parts": Idea(
        "Self-Ask, IRCoT",
        _everywhere("decompose", _one_part, "planner", "answerer"),
    ),
    "the documents meant picked first": Idea(
        "document routing", _everywhere("read_scope", lambda *given: Scope(), "desk")
    ),
    "keyword search": Idea("MARAG-R1", {f"{_EXPLORER}._searches": _searches("semantic_search")}),
    "semantic search": Idea("MARAG-R1", {f"{_EXPLORER}._searches": _searches("keyword_search")}),
    "the walk along references": Idea("MoLoRAG", {f"{_EXPLORER}._walks": _nothing}),
    "calculation over quoted numbers": Idea(
        "ours",
        _everywhere("solutions", _nothing, "explorer", "answerer", "reflector", "summarizer"),
    ),
    "refusal by rules": Idea(
        "ours", _everywhere("refused", lambda *given: "", "answerer", "reflector")
    ),
    "rounds after the first (effort low)": Idea("GoldEn, Baleen", {}, effort="low"),
}


def main() -> None:
    """Ask all questions once with each idea switched off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of PDFs and questions")
    parser.add_argument("--library", type=Path, required=True, help="a library over them")
    parser.add_argument("--limit", type=int, help="only the first N questions")
    parser.add_argument("--all", action="store_true", help="also those without pages by hand")
    parser.add_argument("--only", action="append", default=[], choices=list(IDEAS))
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--save", action="store_true", help=f"write docs/benchmarks/{TABLE.name}")
    args = parser.parse_args()
    chosen = argparse.Namespace(**vars(args), questions=None, set=[], half=None, human=not args.all)
    questions = answers.chosen(chosen)
    lines = [
        "| switched off | first citation right | any | refused, unanswerable | refused, answerable "
        "| numbers right | won | lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    whole: list[answers.Outcome] = []
    with pagehop.Library(args.library) as library:
        for name in [WHOLE, *(args.only or [n for n in IDEAS if n != WHOLE])]:
            found = asked(library, questions, IDEAS[name], args.concurrency)
            whole = whole or found
            lines.append(row(name, found, whole))
            print(lines[-1], flush=True)
    table = "\n".join(lines)
    print(table)
    if args.save:
        command = "python benchmarks/ablation.py " + " ".join(sys.argv[1:])
        TABLE.write_text(f"# Ablation of explore\n\n{date.today()}: `{command}`\n\n{table}\n")


def asked(
    library: pagehop.Library, questions: Sequence[dict[str, Any]], idea: Idea, concurrency: int
) -> list[answers.Outcome]:
    """Ask every question without one idea."""
    with ExitStack() as stack:
        for name, stand_in in idea.off.items():
            stack.enter_context(patch(name, stand_in))
        return asyncio.run(answers.ask_all(library, questions, concurrency, idea.effort))


def good(outcome: answers.Outcome) -> bool:
    """Whether a question was refused rightly, or answered from a gold page."""
    return outcome.status == "unanswerable" if outcome.answerable is False else bool(outcome.any)


def row(name: str, found: Sequence[answers.Outcome], whole: Sequence[answers.Outcome]) -> str:
    """Return one line of the table."""
    pairs = [(good(now), good(before)) for now, before in zip(found, whole, strict=True)]
    won = sum(now and not before for now, before in pairs)
    lost = sum(before and not now for now, before in pairs)
    no = [o for o in found if o.answerable is False]
    yes = [o for o in found if o.answerable is not False]
    cells = (
        answers.share(o.first for o in yes),
        answers.share(o.any for o in yes),
        answers.share(o.status == "unanswerable" for o in no),
        answers.share(o.status == "unanswerable" for o in yes),
        answers.share(o.numeric for o in yes),
        str(won),
        str(lost),
    )
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
