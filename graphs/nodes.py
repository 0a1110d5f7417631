"""The nodes of the main machine: each lets a role make its move and writes down what follows.

A node changes nothing but the state it returns. Which node comes next is decided in `explore`,
from the state alone, so that a resumed run takes the same way.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langgraph.errors import GraphBubbleUp
from langgraph.types import Overwrite

from pagehop.agents.moves import (
    Call,
    Draft,
    Explore,
    Form,
    Plan,
    Reflection,
    Roles,
    Summary,
    Turn,
    Verdict,
)
from pagehop.agents.perceiver import ALLOWANCE, Allowance
from pagehop.answers import Answer, Usage
from pagehop.errors import ModelError
from pagehop.graphs.asking import Asker, RoleFailed
from pagehop.graphs.beginning import LISTS, begun, replaced
from pagehop.graphs.budget import Spent
from pagehop.graphs.calls import Done, sums, within_budget
from pagehop.graphs.findings import sift
from pagehop.graphs.outcome import assemble
from pagehop.graphs.scope import Scope, Scopes
from pagehop.graphs.state import State, Stop
from pagehop.graphs.telling import Teller, begins, told
from pagehop.graphs.threads import in_thread
from pagehop.library.view import View
from pagehop.tools.recall import KEPT

NAMES = ("plan", "explore", "act", "summarize", "reflect", "answer", "verify")
"""Of the nodes that every machine has."""
COMPARING_TOOLS = frozenset({"semantic_search", "walk"})
"""Tools that need the library's encoder, which takes seconds to load once in a process."""
BARREN_ROUNDS = 2
"""Rounds without new evidence before the strategy changes, and again before the run ends."""


@dataclass(frozen=True)
class Work:
    """What a node did: the change of the state, and what the record tells of it."""

    update: State
    says: Mapping[str, Any]


@dataclass(frozen=True)
class Nodes:
    """The nodes of one machine and what they work with."""

    asker: Asker
    scopes: Scopes
    teller: Teller
    model: str
    trajectory: str
    """Path of the run's record; empty when there is none."""
    graph: str = "explore"
    """Name of the machine, for the record."""
    first: str = "plan"
    """The node with which a question starts."""

    @property
    def view(self) -> View:
        """What is searched."""
        return self.asker.view

    async def run(self, name: str, work: Callable[[State], Awaitable[Work]], state: State) -> State:
        """Run a node: count its time, tell what it did, end the run as failed if it raises."""
        started = time.perf_counter()
        if name == self.first:
            state = begun(state)
        try:
            done = await work(state)
        except GraphBubbleUp:
            raise
        except RoleFailed as failed:
            state = State(**{**state, "spent": failed.spent})
            return self._failed(name, state, failed.error, time.perf_counter() - started)
        except Exception as error:
            # The boundary to the roles: a run that cannot go on ends as failed, on record.
            return self._failed(name, state, error, time.perf_counter() - started)
        return self._told(name, state, done, time.perf_counter() - started)

    async def plan(self, state: State) -> Work:
        """Split the question."""
        self.tell_start(state, self.asker.effort)
        move, spent = await self.asker.ask(self._roles(state).planner, Plan, state, state["spent"])
        parts = list(move.sub_questions) if move else []
        update = State(spent=spent, sub_questions=parts)
        if move and move.question:
            update["question"] = move.question
            self.teller.tell(state, "note", "asked", {"text": f"Understood as: {move.question}"})
        if move and move.calls and not self.asker.limits(state).used_up(spent):
            first = [replace(call, id=f"s1c{i}") for i, call in enumerate(move.calls, 1)]
            update.update(State(step=1, spent=spent.plus(steps=1), pending=first))
        return Work(update, told(move))

    def tell_start(self, state: State, effort: str) -> None:
        """Tell that an episode begins."""
        asks = {"model": self.model, "graph": self.graph, "effort": effort}
        start = begins(state, self.view, asks, self.asker.limits(state).to_json())
        self.teller.tell(state, "episode.start", "start", start)

    async def explore(self, state: State) -> Work:
        """Choose the next calls."""
        step, spent = state["step"] + 1, state["spent"].plus(steps=1)
        state = State(**{**state, "step": step})
        nudge = self.asker.limits(state).nearly_used_up(spent)
        if nudge and not state["told"]:
            self.teller.tell(state, "note", "budget", {"text": nudge})
        move, spent = await self.asker.ask(
            self._roles(state).explorer, Explore, state, spent, nudge=nudge
        )
        asked = move.calls if move else ()
        calls = [replace(call, id=f"s{step}c{i}") for i, call in enumerate(asked, 1)]
        update = State(
            step=step,
            spent=spent,
            pending=calls,
            round_done=move is None or move.done or not calls,
            told=state["told"] or bool(nudge),
            turns=[Turn(step, move.reply, move.asked)]
            if move and (move.reply or move.asked)
            else [],
        )
        return Work(update, {**told(move), "calls": [told(call) for call in calls]})

    async def act(self, state: State) -> Work:
        """Run the calls."""
        spent, runner = state["spent"], self._scope(state).runner
        seen = {runner.key(call) for call in state["tried"]}
        allowed, refused = within_budget(
            runner, state["pending"], left=self.asker.limits(state).left(spent), seen=seen
        )
        for call in allowed:
            body = {"call": call.id, **told(call), "step": state["step"]}
            del body["id"]
            self.teller.tell(state, "tool.start", f"{call.id}.start", body)
        await asyncio.sleep(0)  # the record writes what was told: before the calls are under way
        done, read = await self._run(state, allowed, seen)
        observations = [one.observation for one in done]
        pictures = [pixels for one in done for pixels in one.pictures]
        remarks = [(o.call.tool, o.artifact["note"]) for o in observations if "note" in o.artifact]
        repeated = sum(item.cached for item in observations)
        spent = spent.plus_usage(read).plus(
            tool_calls=len(done) - repeated,
            repeated_calls=repeated,
            images=len(pictures),
            pixels=sum(pictures),
        )
        update = State(
            spent=spent,
            pending=[],
            tried=allowed,
            observations=[*observations, *refused],
            calculations=[o for o in observations if o.ok and o.call.tool == "calculate"],
            notes=[str(said) for tool, said in remarks if tool == "note"],
            # A search that had to do without something says so: the user is to know.
            warnings=[str(said) for tool, said in remarks if tool != "note" and said],
            worked=state["worked"] + sum(item.ok for item in observations),
            broken=[f"{o.observation.call.tool}: {o.error}" for o in done if o.error],
        )
        says = {"ran": len(done) - repeated, "repeated": repeated, "not_run": len(refused)}
        return Work(update, says)

    async def _run(
        self, state: State, calls: Sequence[Call], seen: Collection[str]
    ) -> tuple[list[Done], Usage]:
        """Run calls that the budget allows; return their results and what reading pictures took."""
        limits, spent = self.asker.limits(state), state["spent"]
        KEPT.set(state.get("evidence", []))
        allowance = Allowance(
            limits.left(spent), self.teller.from_threads(state), state["step"], state["round"]
        )
        ALLOWANCE.set(allowance)
        seconds_left = limits.seconds_for_role(spent, reserve=0)
        if any(call.tool in COMPARING_TOOLS for call in calls):
            await self._load_encoder(seconds_left)
        try:
            done = await self._scope(state).runner.run(
                calls,
                seen=seen,
                seconds_left=seconds_left,
                finished=lambda one: self._tell_call(state, one),
            )
        finally:
            allowance.close()
        return done, allowance.meter.usage

    async def summarize(self, state: State) -> Work:
        """Close the round: keep what was found, let the observations go."""
        move, spent = Summary(), state["spent"]
        if used_up := self.asker.limits(state).used_up(
            spent, only=("model_calls", "tokens", "money")
        ):
            text = f"What was read last is not summarized, the budget is spent: {used_up}."
            self.teller.tell(state, "note", "budget2", {"text": text})
        elif state["observations"] or state["turns"]:
            asked, spent = await self.asker.ask(
                self._roles(state).summarizer, Summary, state, spent, reserve=0.5
            )
            move = asked or move
        computed = await self._compute(state, spent, move.calculations)
        known, made, view = state["evidence"], state["tried"], self.asker.view_of(state)
        sifted = await in_thread(lambda: sift(view, move.findings, known=known, made=made))
        for item in sifted.evidence:
            self.teller.tell(state, "evidence", item.id, told(item))
        for i, text in enumerate(sifted.dropped, 1):
            self.teller.tell(state, "note", f"dropped{i}", {"text": text})
        update = computed | State(
            spent=computed.get("spent", spent).plus(rounds=1),
            evidence=list(sifted.evidence),
            notes=list(move.notes),
            observations=Overwrite([]),  # type: ignore[typeddict-item]  # empties the channel
            turns=Overwrite([]),  # type: ignore[typeddict-item]  # as above
            fused=move.reflection,
            barren_rounds=0 if sifted.evidence else state["barren_rounds"] + 1,
            round=state["round"] + 1,
            round_start=state["step"],
            round_done=False,
        )
        if self.asker.effort == "low" and move.reflection:  # nobody reflects on it
            update["sub_questions"] = list(move.reflection.sub_questions)
        found = [item.id for item in sifted.evidence]
        says = {"evidence": found, "notes": list(move.notes), "dropped": len(sifted.dropped)}
        return Work(update, says)

    async def _compute(self, state: State, spent: Spent, expressions: Sequence[str]) -> State:
        """Make the calculations that a summary asks for: they need no step of their own."""
        if not expressions:
            return State()
        asked = State(**{**state, "spent": spent, "pending": sums(state, expressions)})
        done = (await self.act(asked)).update
        return State(
            spent=done["spent"], tried=done["tried"], calculations=done["calculations"],
            worked=done["worked"], broken=done["broken"],
        )  # fmt: skip

    async def reflect(self, state: State) -> Work:
        """Judge whether the evidence suffices, and what to look for next."""
        move, spent = state["fused"], state["spent"]
        if move is None:
            move, spent = await self.asker.ask(
                self._roles(state).reflector, Reflection, state, spent
            )
        update = State(spent=spent)
        if move is None:
            return Work(update, told(move))
        stop: Stop = "sufficient" if move.sufficient else "no leads" if move.give_up else ""
        if not stop and state["barren_rounds"] >= BARREN_ROUNDS:
            if state["strategy"]:
                stop = "no leads"
            else:
                update["strategy"] = 1
                text = f"{BARREN_ROUNDS} rounds brought nothing new: changing strategy."
                self.teller.tell(state, "note", "strategy", {"text": text})
        update["stop"] = stop
        # The sub-questions stand in the state once, not again in each checkpoint's reflection.
        update["reflection"], update["fused"] = replace(move, sub_questions=()), None
        update["sub_questions"] = list(move.sub_questions or state["sub_questions"])
        return Work(update, told(move))

    async def answer(self, state: State) -> Work:
        """Draft the answer from the evidence."""
        stop, used_up = state["stop"], ""
        if not stop:
            used_up = (
                ""
                if self.asker.effort == "low"
                else self.asker.limits(state).used_up(state["spent"])
            )
            stop = "budget" if used_up else "one round"
        draft, spent = await self.asker.ask(
            self._roles(state).answerer, Draft, state, state["spent"], reserve=1
        )
        update = State(draft=draft, stop=stop, used_up=used_up, spent=spent)
        return Work(update, {**told(draft), "because": used_up or stop})

    async def verify(self, state: State) -> Work:
        """Check every claim; go back once for what is not supported, else assemble the answer."""
        verdict, spent = await self.asker.ask(
            self._roles(state).verifier, Verdict, state, state["spent"], reserve=1
        )
        assert verdict is not None  # only a role that is not closing may overrun
        update = State(verdict=verdict, spent=spent)
        says = {**told(verdict), "sent_back": self._sends_back(state, verdict, spent)}
        if says["sent_back"]:
            missing = Reflection(sufficient=False, missing=verdict.missing)
            update.update(State(sent_back=True, stop="", barren_rounds=0, reflection=missing))
        else:
            final = State(**{**state, **update})
            answer = assemble(final, self.view, trajectory=self.trajectory)
            forms = answer.citations and self._roles(state).former
            update["assembled" if forms else "answer"] = answer
        return Work(update, says)

    async def form(self, state: State) -> Work:
        """Put the answer into the form that was asked for; an answer that fits none says so."""
        answer, verdict, former = state["assembled"], state["verdict"], self._roles(state).former
        assert answer is not None and verdict is not None and former is not None
        kept = State(**{**state, "draft": Draft(verdict.kept)})
        try:
            move, spent = await self.asker.ask(former, Form, kept, state["spent"], reserve=1)
        except RoleFailed as failed:
            if not isinstance(failed.error, (ModelError, TimeoutError)):
                raise
            # The answer stands without its form: it was verified before.
            why = str(failed.error)
            text = f"The answer could not be put into the form of schema=: {why}."
            self.teller.tell(state, "error", "form.error", {"where": "form", "error": why})
            told_of = replace(answer, warnings=(*answer.warnings, text))
            return Work(State(answer=told_of, spent=failed.spent), {"formed": False})
        assert move is not None  # only a role that is not closing may overrun
        update = State(answer=replace(answer, data=dict(move.data)), spent=spent)
        return Work(update, {"formed": True})

    async def _load_encoder(self, seconds: float | None) -> None:
        """Load the encoder before the clock of the tools runs; at most as long as the run has."""
        try:
            async with asyncio.timeout(seconds):
                await in_thread(self.view.load_encoder)
        except TimeoutError:
            return  # the searches meet the same and say so

    def _sends_back(self, state: State, verdict: Verdict, spent: Spent) -> bool:
        wanted = bool(verdict.removed and verdict.missing)
        allowed = (
            self.asker.effort != "low" and not state["sent_back"] and state["stop"] != "budget"
        )
        return wanted and allowed and not self.asker.limits(state).used_up(spent)

    def _scope(self, state: State) -> Scope:
        return self.scopes.of(state["episode_id"], state.get("banned") or ())

    def _roles(self, state: State) -> Roles:
        return self._scope(state).roles

    def _end(self, state: State, answer: Answer) -> None:
        self.scopes.close(state["episode_id"])
        body = {
            "status": answer.status, "answer": answer.to_json(), "question": state["question"]
        }  # fmt: skip
        self.teller.tell(state, "episode.end", "end", body)

    def _told(self, name: str, state: State, done: Work, seconds: float) -> State:
        spent = done.update["spent"].plus(seconds=seconds)
        # Every value returned is a row in a checkpoint, also one that changes nothing.
        changed = {
            key: value
            for key, value in done.update.items()
            if (key in LISTS and value) or (key not in LISTS and value != state.get(key))
        }
        update: State = {**changed, "spent": spent}  # type: ignore[typeddict-item]  # same keys
        if name == self.first:
            update = replaced(state, update)
        step = update.get("step", state["step"])
        body = {"node": name, "step": step, "round": state["round"], **done.says}
        self.teller.tell(state, "node", name, {**body, "seconds": round(seconds, 4)}, step=step)
        if answer := update.get("answer"):
            answer = replace(answer, usage=spent.usage())
            update["answer"] = answer
            self._end(state, answer)
        return update

    def _tell_call(self, state: State, done: Done) -> None:
        item = done.observation
        call, tool = item.call.id, item.call.tool
        if done.error:
            body = {"where": tool, "call": call, "error": done.error}
            self.teller.tell(state, "error", f"{call}.error", body)
        end = {"call": call, "tool": tool, "ok": item.ok, "text": item.text}
        end |= {"artifact": dict(item.artifact), "cached": item.cached, "seconds": item.seconds}
        self.teller.tell(state, "tool.end", f"{call}.end", end)

    def _failed(self, name: str, state: State, error: Exception, seconds: float) -> State:
        reason = f"{type(error).__name__}: {error}"
        trace = "".join(traceback.format_exception(error)[-6:])
        body = {"where": name, "error": reason, "trace": trace}
        self.teller.tell(state, "error", f"{name}.error", body)
        spent = state["spent"].plus(seconds=seconds)
        answer = Answer(
            question=state["asked"], text="", status="failed", usage=spent.usage(),
            trajectory=self.trajectory, error=f"{name}: {reason}",
        )  # fmt: skip
        self._end(state, answer)
        update = State(answer=answer, spent=spent)
        return replaced(state, update) if name == self.first else update
