"""What each idea adds to `explore` with `builtin`: one is switched off at a time.

    python benchmarks/ablation.py --data FOLDER --library FOLDER
        [--all] [--limit N] [--only NAME ...] [--every] [--save]

The questions are those with pages by hand and those that the documents do not answer, or all of
them; scores as in answers.py. Won and lost count questions with a citation on a gold page, or a
right refusal, against the whole machine.

A run is a function of question and view. So where an idea only adds something (a walk, a number, a
reason to refuse), a question for which it added nothing in the whole machine would run the same
without it: it is not asked again, unless `--every` says so.
"""

import argparse
import asyncio
import pkgutil
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
    adds: bool = False
    """What its functions return is added; without it the machine does the same."""


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
    "the walk along references": Idea("MoLoRAG", {f"{_EXPLORER}._walks": _nothing}, adds=True),
    "calculation over quoted numbers": Idea(
        "ours",
        _everywhere("solutions", _nothing, "explorer", "answerer", "reflector", "summarizer"),
        adds=True,
    ),
    "refusal by rules": Idea(
        "ours", _everywhere("refused", lambda *given: "", "answerer", "reflector"), adds=True
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
    parser.add_argument("--every", action="store_true", help="ask every question of every idea")
    parser.add_argument("--save", action="store_true", help=f"write docs/benchmarks/{TABLE.name}")
    args = parser.parse_args()
    chosen = argparse.Namespace(**vars(args), questions=None, set=[], half=None, human=not args.all)
    questions = answers.chosen(chosen)
    lines = [
        "| switched off | first citation right | any | refused, unanswerable | refused, answerable "
        "| numbers right | won | lost | asked |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    names = args.only or [n for n in IDEAS if n != WHOLE]
    with pagehop.Library(args.library) as library:
        watched = {} if args.every else {n: IDEAS[n] for n in names if IDEAS[n].adds}
        whole, added = ask_whole(library, questions, watched, args.concurrency)
        lines.append(row(WHOLE, whole, whole, len(whole)))
        for name in names:
            left = [q for q in questions if name not in watched or str(q["id"]) in added[name]]
            again = {o.id: o for o in asked(library, left, IDEAS[name], args.concurrency)}
            lines.append(row(name, [again.get(o.id, o) for o in whole], whole, len(left)))
            print(lines[-1], flush=True)
    table = "\n".join(lines)
    print(table)
    if args.save:
        command = "python benchmarks/ablation.py " + " ".join(sys.argv[1:])
        TABLE.write_text(f"# Ablation of explore\n\n{date.today()}: `{command}`\n\n{table}\n")


def ask_whole(
    library: pagehop.Library,
    questions: Sequence[dict[str, Any]],
    watched: Mapping[str, Idea],
    concurrency: int,
) -> tuple[list[answers.Outcome], Mapping[str, set[str]]]:
    """Ask every question of the whole machine; tell for which each idea added something."""
    added: dict[str, set[str]] = defaultdict(set)

    def noting(idea: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any) -> Any:
            found = function(*given)
            if found:
                added[idea].add(answers.ASKED.get())
            return found

        return noted

    with ExitStack() as stack:
        for name, idea in watched.items():
            for place in idea.off:
                function = pkgutil.resolve_name(place)
                stack.enter_context(patch(place, noting(name, function)))
        whole = asyncio.run(answers.ask_all(library, questions, concurrency, IDEAS[WHOLE].effort))
    assert "" not in set().union(*added.values()), "a thread lost the question it is at"
    return whole, added


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


def row(
    name: str, found: Sequence[answers.Outcome], whole: Sequence[answers.Outcome], again: int
) -> str:
    """Return one line of the table; the last cell is how many were asked for it."""
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
        str(again),
    )
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
