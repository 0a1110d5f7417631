"""Published recipes as rewards of an episode, and our own for documents.

Their tags become what an episode records: the answer, valid calls, pages shown. Constants are
theirs. Where a recipe has a judge and none is given, the best of F1, ANLS and numeric stands in.
"""

import re

from pagehop.scoring import words
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards import answers, behaviour, citations, pages, process
from pagehop.trajectories.rewards.composite import Term, composite
from pagehop.trajectories.rewards.reading import (
    abstained,
    answer_text,
    answered,
    gold_pages,
    golds,
    looks,
)
from pagehop.trajectories.rewards.reward import Reward, Scored

MANY_WORDS = 10
"""Longest answer of R1-Searcher's rules, in words."""
_CJK = re.compile(r"[\u4e00-\u9fff]")
_NO_GOLD = Scored(None, "no gold answer is known")


def documents_default(judge: Reward | None = None, most: int = 8) -> Reward:
    """Our own for documents, not tuned by any training yet.

    R = gate * (.60 answer + .15 page_recall + .15 citation_f1 + .10 citation_grounded)
        - .05 * max(0, n - most) / most - .05 * share of malformed calls.

    The gate is shut by a broken form, and by an answer where the documents hold none.
    """
    return composite(
        "documents",
        (
            Term(judge or answers.answer_right(), 0.60, answer=True),
            Term(pages.page_recall(), 0.15),
            Term(citations.citation_f1(), 0.15),
            Term(citations.citation_grounded(), 0.10),
        ),
        costs=(Term(_over_budget(most), 0.05), Term(_malformed_share(), 0.05)),
        gate=Reward("gate", _gate),
    )


def vrag_rl(judge: Reward | None = None) -> Reward:
    """VRAG-RL: 0 without a search and an answer, else .7 judge + .1 + .2 nDCG of pages shown.

    Source: Alibaba-NLP/VRAG, its reward function (arXiv 2505.22019, section 3.3).
    """

    def pattern(episode: Episode) -> Scored:
        searched = any(call.retrieval is not None and call.valid for call in episode.tool_calls)
        kept = searched and answered(episode)
        return Scored(float(kept), "a search and an answer" if kept else "no search or no answer")

    asked = Reward("pattern", pattern)
    terms = (
        Term(judge or answers.answer_right(), 0.7, answer=True),
        Term(asked, 0.1),
        Term(pages.retrieval_ndcg(), 0.2),
    )
    return composite("vrag_rl", terms, gate=asked)


def search_r1() -> Reward:
    """Search-R1: exact match of the answer, 0 or 1 (arXiv 2503.09516, section 3.4)."""

    def rule(episode: Episode) -> Scored:
        match = words.exact_match(answer_text(episode), golds(episode))
        return _NO_GOLD if match is None else Scored(match, "exact match" if match else "no match")

    return Reward("search_r1", rule)


def search_r1_v03(structure: float = 0.2, final: float = 0.1, retrieval: float = 0.0) -> Reward:
    """Search-R1 v0.3: exact match and form.

    Right: 1 in good form, 1 - structure otherwise. Wrong: structure in good form (+ retrieval when
    a gold answer stands in what the tools showed), else `final` for having answered, else 0.

    Source: PeterGriffinJin/Search-R1, its format reward; the script's constants.
    """

    def rule(episode: Episode) -> Scored:
        match = words.exact_match(answer_text(episode), golds(episode))
        if match is None:
            return _NO_GOLD
        valid = bool(behaviour.score_format(episode).value)
        if match:
            return Scored(1.0 if valid else 1.0 - structure, f"right, form {valid}")
        if valid:
            found = retrieval if _retrieved(episode) else 0.0
            return Scored(structure + found, "wrong in good form")
        return Scored(final if answered(episode) else 0.0, "wrong in bad form")

    settings = {"structure": structure, "final": final, "retrieval": retrieval}
    return Reward("search_r1_v03", rule, settings=settings)


def r1_searcher_1() -> Reward:
    """R1-Searcher, stage 1: cover match +1 or -1, .5 for a valid search, .5 for the form."""

    def rule(episode: Episode) -> Scored:
        cover = words.cover_match(answer_text(episode), golds(episode))
        if cover is None:
            return _NO_GOLD
        searched = any(call.retrieval is not None and call.valid for call in episode.tool_calls)
        form = behaviour.score_format(episode).value or 0.0
        parts = {"cover": 1.0 if cover else -1.0, "search": 0.5 * searched, "format": 0.5 * form}
        return Scored(sum(parts.values()), "cover, search, format", parts)

    return Reward("r1_searcher_1", rule, low=-1.0, high=2.0)


def r1_searcher_2() -> Reward:
    """R1-Searcher, stage 2: F1 of words, minus 1 where the form is broken."""
    return _f1_less("r1_searcher_2", 1.0, strict=False)


def r1_searcher_zero() -> Reward:
    """R1-Searcher from a base model: F1, minus 2 where the form is broken.

    An answer of more than ten words or with Chinese characters breaks it too.
    """
    return _f1_less("r1_searcher_zero", 2.0, strict=True)


def research() -> Reward:
    """ReSearch: 0 for broken form or a run that did not end, F1 where above 0, else .1."""

    def rule(episode: Episode) -> Scored:
        f1 = words.token_f1(answer_text(episode), golds(episode))
        if f1 is None:
            return _NO_GOLD
        if not behaviour.score_format(episode).value:
            return Scored(0.0, "broken form, or no end")
        return Scored(f1 or 0.1, "F1" if f1 else "wrong, in good form")

    return Reward("research", rule)


def deepresearcher() -> Reward:
    """DeepResearcher: -1 for broken form or no answer, else F1 of the sets of words."""

    def rule(episode: Episode) -> Scored:
        if not golds(episode):
            return _NO_GOLD
        if not (behaviour.score_format(episode).value and answered(episode)):
            return Scored(-1.0, "broken form or no answer")
        ours = set(words.normalise(answer_text(episode)).split())
        return Scored(
            max(_set_f1(ours, set(words.normalise(g).split())) for g in golds(episode)),
            "F1 of word sets",
        )

    return Reward("deepresearcher", rule, low=-1.0)


def alden() -> Reward:
    """ALDEN, turn by turn: one value for each tool call, and the last for the answer.

    1. Search: 1 when its first page is gold and new; fetch: 1 for gold, else .3 exp(-distance / 2);
       -1 when that page was shown before; -1 for a malformed call.
    2. Answer: -1 for broken form; 5 F1 where it can be answered, -5 for abstaining; where it
       cannot, 5 for abstaining, -2 for an answer.

    Source: gipplab/ALDEN (arXiv 2510.25668); differs: one list of pages a search, where it has one
    of pictures and one of texts.
    """

    def rule(episode: Episode) -> list[Scored]:
        seen, scored = set[str](), []
        gold = gold_pages(episode)
        for call in episode.tool_calls:
            if not call.valid:
                scored.append(Scored(-1.0, "malformed", scope="tool_call", target=call.id))
                continue
            first = call.pages[0] if call.pages else ""
            if first and (call.retrieval is not None or call.tool in pages.FETCHES):
                value, reason = _alden_turn(first, gold, seen, search=call.retrieval is not None)
                scored.append(Scored(value, reason, scope="tool_call", target=call.id))
            seen |= set(call.pages)
        return [*scored, _alden_answer(episode)]

    return Reward("alden", rule, low=-5.0, high=5.0)


def marag_r1(most: int = 8) -> Reward:
    """MARAG-R1: F1 of the answer, coverage of documents, calls up to a sensible number.

    CAVEAT: the weights are ours (.6, .25, .15). The paper's were not readable here and no code is
    public; check arXiv 2510.27569 before comparing numbers.
    """
    terms = (
        Term(answers.answer_f1(), 0.60, answer=True),
        Term(pages.doc_coverage(), 0.25),
        Term(behaviour.tool_budget(most), 0.15),
    )
    return composite("marag_r1", terms)


def im_rag() -> Reward:
    """IM-RAG: after each tool call how much nearer the evidence came, and at the end F1.

    Source: arXiv 2405.13021, its Progress Tracker; differs: see `process.progress`.
    """

    def rule(episode: Episode) -> list[Scored]:
        steps = [one for one in process.progress().score(episode) if one.value is not None]
        scored = [Scored(one.value, one.reason, {}, one.scope, one.target) for one in steps]
        f1 = words.token_f1(answer_text(episode), golds(episode))
        return [*scored, _NO_GOLD if f1 is None else Scored(f1, "F1 of the answer")]

    return Reward("im_rag", rule, high=2.0)


def _alden_turn(page: str, gold: list[str], seen: set[str], *, search: bool) -> tuple[float, str]:
    again = 1.0 if page in seen else 0.0
    if search:
        found = 1.0 if page in gold and not again else 0.0
        return found - again, f"found {page}" + (" again" if again else "")
    return pages.proximity(page, gold) - again, f"fetched {page}" + (" again" if again else "")


def _alden_answer(episode: Episode) -> Scored:
    if not (answered(episode) or abstained(episode)):
        return Scored(-1.0, "no answer")
    if episode.task.answerable is False:
        right = abstained(episode)
        return Scored(5.0 if right else -2.0, "abstained rightly" if right else "nothing to answer")
    if abstained(episode):
        return Scored(-5.0, "abstained, though there is an answer")
    f1 = words.token_f1(answer_text(episode), golds(episode))
    return _NO_GOLD if f1 is None else Scored(5 * f1, f"5 * F1 of {f1:.3f}")


def _f1_less(name: str, fine: float, *, strict: bool) -> Reward:
    def rule(episode: Episode) -> Scored:
        text = answer_text(episode)
        f1 = words.token_f1(text, golds(episode))
        if f1 is None:
            return _NO_GOLD
        broken = not behaviour.score_format(episode).value
        if strict:
            broken = broken or len(text.split()) > MANY_WORDS or bool(_CJK.search(text))
        return Scored(f1 - fine * broken, "F1, form broken" if broken else "F1")

    return Reward(name, rule, low=-fine, high=1.0)


def _retrieved(episode: Episode) -> bool:
    """Say whether a gold answer stands in what the tools showed."""
    shown = " ".join(call.result for call in episode.tool_calls)
    return bool(words.sub_match(shown, golds(episode)))


def _set_f1(ours: set[str], gold: set[str]) -> float:
    shared = len(ours & gold)
    return 2 * shared / (len(ours) + len(gold)) if shared else 0.0


def _gate(episode: Episode) -> Scored:
    if episode.task.answerable is False and answered(episode):
        return Scored(0.0, "nothing answers this")
    return behaviour.score_format(episode)


def _over_budget(most: int) -> Reward:
    def rule(episode: Episode) -> Scored:
        n = len(looks(episode))
        return Scored(max(0, n - most) / most, f"{n} tool calls, {most} are free")

    return Reward("over_budget", rule, high=float("inf"), settings={"most": most})


def _malformed_share() -> Reward:
    def rule(episode: Episode) -> Scored:
        share = behaviour.format_share().value(episode)
        return Scored(1 - (share if share is not None else 1.0), "share of malformed calls")

    return Reward("malformed", rule)
