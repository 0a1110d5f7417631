"""A model as judge: is the answer right, do its citations bear on the question, do they support it.

1. Each verdict is one call with a prompt of its own and a JSON reply. A reply that is no verdict is
   answered once with what was wrong; after that, as after an error of the endpoint, there is no
   verdict: None, counted, never 0.
2. Verdicts are kept by a digest of all that they depend on (model, prompt, question, gold, answer),
   so that a comparison that goes on, or is reported again, does not ask twice.
3. How far a judge can be trusted is measured on answers that people labelled: `agreement`.

Source: relevancy and correctness as in RAG-Check (Mortaheb et al. 2025, arXiv 2501.03995): a score
of (query, item) and one of (statement, evidence); differs: a chat model gives them, not two trained
ones. The scale 0, 0.5, 1 of answers is that of M3SciQA.
"""

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from pagehop.agents.prompting import shipped
from pagehop.agents.replies import read_json, text_of
from pagehop.errors import ConfigError
from pagehop.evaluation.observed import Observed
from pagehop.evaluation.questions import Question
from pagehop.evaluation.scores import Parts
from pagehop.evaluation.summary import Judged

Aspect = Literal["correct", "relevant", "supports"]
SCALES: Mapping[Aspect, tuple[float, ...]] = {
    "correct": (0.0, 0.5, 1.0),
    "relevant": (0.0, 1.0),
    "supports": (0.0, 1.0),
}
TRIES = 2
_MOST_CITATIONS = 10
_MARK = re.compile(r"<(?=\s*/?\s*(?:question|gold|answer|passage|statement|quote)\b)", re.I)


@dataclass(frozen=True)
class Verdict:
    """What a judge said."""

    score: float
    reason: str = ""


@dataclass
class Judge:
    """A chat model that gives verdicts."""

    model: BaseChatModel
    name: str
    """What the reports call it; part of what its verdicts are kept by."""
    kept: Path | None = None
    """File of verdicts; None keeps them for this judge only."""
    failed: Counter[str] = field(default_factory=Counter)
    """Why there was no verdict, and how often."""
    _verdicts: dict[str, Verdict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the verdicts that there are; damaged lines are passed over."""
        if self.kept is None or not self.kept.exists():
            return
        for line in self.kept.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                record = json.loads(line)
                self._verdicts[record["key"]] = Verdict(record["score"], record["reason"])
            except (ValueError, KeyError, TypeError):
                continue

    async def correct(self, question: str, golds: Sequence[str], answer: str) -> Verdict | None:
        """Judge an answer by gold answers: 0, 0.5 or 1; None without a verdict."""
        gold = (_marked("gold", one) for one in golds)
        told = "\n".join((_marked("question", question), *gold, _marked("answer", answer)))
        return await self._judge("correct", told)

    async def relevant(self, question: str, item: str) -> Verdict | None:
        """Judge whether a passage helps to answer a question: 0 or 1; None without a verdict."""
        told = f"{_marked('question', question)}\n{_marked('passage', item)}"
        return await self._judge("relevant", told)

    async def supports(self, statement: str, quote: str) -> Verdict | None:
        """Judge whether a quote supports a statement: 0 or 1; None without a verdict."""
        told = f"{_marked('statement', statement)}\n{_marked('quote', quote)}"
        return await self._judge("supports", told)

    async def _judge(self, aspect: Aspect, told: str) -> Verdict | None:
        prompt = shipped(f"judge_{aspect}")
        key = hashlib.sha256(repr((self.name, prompt, told)).encode()).hexdigest()[:24]
        if key in self._verdicts:
            return self._verdicts[key]
        messages: list[BaseMessage] = [SystemMessage(prompt), HumanMessage(told)]
        problem = ""
        for _ in range(TRIES):
            try:
                reply = await self.model.ainvoke(messages)
            except Exception as error:
                # The boundary to the provider's client: whatever it raises, there is no verdict.
                problem = f"{type(error).__name__} from the judge's endpoint"
                continue
            said = text_of(reply) if isinstance(reply, AIMessage) else ""
            found = read_verdict(said, SCALES[aspect])
            if isinstance(found, Verdict):
                self._keep(key, found)
                return found
            problem = found
            messages += [AIMessage(said), HumanMessage(f"That is no verdict: {found}.")]
        self.failed[problem] += 1
        return None

    def _keep(self, key: str, verdict: Verdict) -> None:
        self._verdicts[key] = verdict
        if self.kept is not None:
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            with self.kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **vars(verdict)}, ensure_ascii=False) + "\n")


def _marked(name: str, text: str) -> str:
    """Return text between marks that it can neither close nor open."""
    return f"<{name}>{_MARK.sub('< ', text)}</{name}>"


def read_verdict(reply: str, scale: Sequence[float]) -> Verdict | str:
    """Read a judge's reply; return what is wrong with it when it is no verdict."""
    value = read_json(reply)
    if value is None:
        return "there is no JSON object in it"
    score = value.get("score")
    if isinstance(score, str):
        try:
            score = float(score)
        except ValueError:
            score = None
    if isinstance(score, bool) or not isinstance(score, int | float) or score not in scale:
        return f"score is {value.get('score')!r}, it must be one of {', '.join(map(str, scale))}"
    return Verdict(float(score), str(value.get("reason", "")))


async def judge_run(judge: Judge, question: Question, run: Observed) -> tuple[Parts, int]:
    """Return what a judge says of one run, and how many verdicts it did not give.

    `correct` needs gold answers, `relevant` and `supports` citations. A refusal of what can be
    answered is wrong without a judge; one of what cannot be is not judged at all.
    """
    if run.status in ("failed", "aborted") or question.answerable is False:
        return {}, 0
    answer, parts, missing = run.said, Parts(), 0
    if question.answers:
        if not answer:
            parts["correct"] = (0.0, 1.0)
        elif (verdict := await judge.correct(question.question, question.answers, answer)) is None:
            missing += 1
        else:
            parts["correct"] = (verdict.score, 1.0)
    relevant, supports = [], []
    for quote in list(dict.fromkeys(one.quote for one in run.cited))[:_MOST_CITATIONS]:
        relevant.append(await judge.relevant(question.question, quote))
        supports.append(await judge.supports(answer, quote))
    for name, verdicts in (("citation_relevant", relevant), ("citation_supports", supports)):
        given = [verdict.score for verdict in verdicts if verdict is not None]
        missing += len(verdicts) - len(given)
        if given:
            parts[name] = (sum(given), float(len(given)))
    return parts, missing


async def judge_runs(
    judge: Judge, questions: Sequence[Question], runs: Sequence[Observed], *, concurrency: int = 4
) -> Judged:
    """Judge all runs of a system, some at once."""
    by_id = {question.id: question for question in questions}
    gate = asyncio.Semaphore(concurrency)

    async def one(run: Observed) -> tuple[Parts, int]:
        async with gate:
            return await judge_run(judge, by_id[run.question], run)

    found = await asyncio.gather(*(one(run) for run in runs))
    parts = {(run.question, run.seed): parts for run, (parts, _) in zip(runs, found, strict=True)}
    return Judged(parts, sum(missing for _, missing in found))


@dataclass(frozen=True)
class Agreement:
    """How a judge's verdicts on answers lie to those of people."""

    labelled: int
    judged: int
    """Of them, how many got a verdict; the others are left out of the rest."""
    same: float
    """Share with the same score."""
    kappa: float | None
    """Cohen's: 1 full agreement, 0 that of chance; None when all labels are the same."""

    def __str__(self) -> str:
        kappa = "not defined" if self.kappa is None else f"{self.kappa:.2f}"
        return (
            f"agrees with people on {self.same:.0%} of {self.judged} labelled answers (kappa "
            f"{kappa}; no verdict on {self.labelled - self.judged})"
        )


async def agreement(judge: Judge, path: Path) -> Agreement:
    """Measure a judge on labelled answers: JSON lines of question, answers, answer and label.

    Source: Cohen 1960, A Coefficient of Agreement for Nominal Scales.

    Raises:
        ConfigError: A line is wrong, or there is none.
    """
    pairs: list[tuple[float, float]] = []
    labelled = 0
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"labelled answers {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            label = float(record["label"])
            golds, answer = [str(gold) for gold in record["answers"]], str(record["answer"])
            question = str(record["question"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}, line {number}: {type(error).__name__} {error}") from error
        if label not in SCALES["correct"]:
            raise ConfigError(f"{path}, line {number}: label is {label}, use 0, 0.5 or 1")
        labelled += 1
        verdict = await judge.correct(question, golds, answer)
        if verdict is not None:
            pairs.append((verdict.score, label))
    if not labelled:
        raise ConfigError(f"{path} holds no labelled answer")
    same = sum(score == label for score, label in pairs) / len(pairs) if pairs else 0.0
    return Agreement(labelled, len(pairs), same, _kappa(pairs, same))


def _kappa(pairs: Sequence[tuple[float, float]], same: float) -> float | None:
    ours, theirs = (Counter(side) for side in zip(*pairs, strict=True)) if pairs else ({}, {})
    chance = sum(ours[score] * theirs[score] for score in ours) / max(1, len(pairs)) ** 2
    return None if not pairs or chance == 1 else (same - chance) / (1 - chance)
