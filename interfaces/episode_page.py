"""One recorded run as a page: question, plan, each step, evidence as it grows, answer, rewards."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pagehop.answers import Citation
from pagehop.events import Event
from pagehop.interfaces.page_parts import (
    Pictures,
    asked_head,
    document,
    folded,
    rewards_table,
    table,
    words,
)
from pagehop.show import usage_line
from pagehop.trajectories.calls import LLMCall, ToolCallRecord
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.segments import segments

MOST_PAGES = 8
"""Thumbnails of one tool call."""


def episode_page(episode: Episode, pictures: Pictures, *, model: str = "") -> str:
    """Return the page of an episode.

    Args:
        episode: As it was read.
        pictures: Renders its pages.
        model: As the run's manifest names it.
    """
    steps = list(_steps(episode, pictures))
    answer = _answer(episode, pictures)
    problem = f'<p class="warning">{words(pictures.problem)}</p>' if pictures.problem else ""
    return document(
        episode.question,
        asked_head(episode, model),
        problem,
        f'<p class="soft">{words(usage_line(episode.usage))}</p>',
        "<h2>Answer</h2>",
        answer,
        "<h2>Rewards</h2>",
        f'<div class="card">{rewards_table(episode.rewards)}</div>',
        "<h2>What happened</h2>",
        *steps,
        _faults(episode),
        _segments(episode),
        _calls(episode),
    )


def _answer(episode: Episode, pictures: Pictures) -> str:
    answer = episode.answer
    if answer is None:
        return '<div class="card">The run was cut off before it answered.</div>'
    cited = "".join(
        _citation(i, citation, pictures) for i, citation in enumerate(answer.citations, 1)
    )
    warned = "".join(f'<p class="warning">{words(text)}</p>' for text in answer.warnings)
    error = f'<p class="warning">{words(answer.error)}</p>' if answer.error else ""
    return (
        f'<div class="card"><p class="words"><b>{words(answer.text)}</b></p>{error}{warned}'
        f"{cited}</div>"
    )


def _citation(number: int, citation: Citation, pictures: Pictures) -> str:
    marks = "" if citation.verified else " (not verified)"
    return (
        f'<div class="call"><b>[{number}]</b> {words(citation.document)}, page '
        f'{words(citation.page)}{marks}<p class="words">“{words(citation.quote)}”</p>'
        f"{pictures.crop(str(citation.ref), citation.box, marked=True)}</div>"
    )


def _steps(episode: Episode, pictures: Pictures) -> Iterator[str]:
    """Yield what each node of the machine did, in order."""
    tools = {call.id: call for call in episode.tool_calls}
    for event in episode.events:
        if event.type != "node":
            continue
        body = event.body
        match body.get("node"):
            case "plan":
                yield _card("Plan", _said(episode, event, "planner"), _parts(body))
                yield from _act(episode, body, tools, pictures, said="")
            case "explore":
                said = _said(episode, event, "explorer")
                if body.get("calls"):
                    yield from _act(episode, body, tools, pictures, said=said)
                else:
                    yield _card(f"Step {body['step']}: nothing more to look up", said)
            case "summarize":
                yield _card(
                    f"Round {body.get('round', 0) + 1} ends: what is kept",
                    _said(episode, event, "condenser"), _ledger(episode, body.get("evidence", ())),
                    "".join(f"<p>Note: {words(note)}</p>" for note in body.get("notes", ())),
                )  # fmt: skip
            case "reflect":
                yield _card("Reflection", _said(episode, event, "reflector"), _judged(body))
            case "answer":
                said = _all_said(episode, event, body.get("roles") or ("answerer",))
                yield _card("Draft", said, _claims(body, "claims"))
            case "verify":
                gone = [[{"text": f"removed: {one[0]['text']}"}, one[1]] for one in body["removed"]]
                kept = _claims(body, "kept")
                lost = "".join(
                    f'<p class="warning">{words(claim["text"])}: {words(why)}</p>'
                    for claim, why in gone
                )
                back = "<p>Sent back to explore once.</p>" if body.get("sent_back") else ""
                yield _card("Verification", kept, lost, back)
            case _:  # of a published system or a user's own graph
                said = _all_said(episode, event, body.get("roles") or ())
                if body.get("calls"):
                    yield from _act(episode, body, tools, pictures, said=said)
                elif said:
                    yield _card(f"Step {body['step']}: {body['node']}", said)


def _all_said(episode: Episode, event: Event, roles: Sequence[str]) -> str:
    """Return the words of the model in all roles of a node."""
    return "".join(_said(episode, event, role) for role in dict.fromkeys(roles))


def _act(
    episode: Episode,
    body: Mapping[str, Any],
    tools: Mapping[str, ToolCallRecord],
    pictures: Pictures,
    *,
    said: str,
) -> Iterator[str]:
    calls = [tools[call["id"]] for call in body.get("calls") or () if call["id"] in tools]
    if calls:
        shown = [_tool(call, pictures) for call in calls]
        yield _card(f"Step {calls[0].step}", said, *shown)


def _said(episode: Episode, event: Event, role: str) -> str:
    """Return the words of the model calls behind a node, or the thought of a rule."""
    step, round_ = event.body.get("step", 0), event.body.get("round", 0)
    calls = [call for call in episode.calls if call.role == role and call.step == step]
    if role in ("condenser", "reflector"):
        calls = [call for call in calls if call.round == round_]
    told = []
    for call in calls:
        if call.error:
            told.append(f'<p class="warning">{words(call.error)}</p>')
        if not call.message:
            continue
        message = episode.message(call.message)
        if message.reasoning:
            told.append(folded("reasoning", message.reasoning))
        if message.text:
            told.append(f'<p class="words">{words(message.text)}</p>')
    thought = event.body.get("thought", "")
    if not told and thought:
        told.append(f'<p class="words">{words(thought)}</p>')
    return "".join(told)


def _tool(call: ToolCallRecord, pictures: Pictures) -> str:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
    marks = ["from cache"] if call.cached else [f"{call.seconds * 1000:.0f} ms"]
    marks += [] if call.ok else ["failed"]
    boxes: dict[str, list[Any]] = {page: [] for page in call.pages[:MOST_PAGES]}
    for hit in call.retrieval.hits if call.retrieval else ():
        if hit.box is not None and hit.page in boxes:
            boxes[hit.page].append(hit.box)
    crop = ""
    if call.crop is not None:
        boxes.setdefault(call.crop.page, []).append(call.crop.box)
        crop = pictures.crop(call.crop.page, call.crop.box) if call.tool == "look" else ""
    pages = "".join(pictures.page(page, found) for page, found in boxes.items())
    more = len(call.pages) - MOST_PAGES
    left = f'<span class="soft">and {more} more pages</span>' if more > 0 else ""
    bad = "" if call.ok else " bad"
    error = f'<p class="warning">{words(call.error)}</p>' if call.error else ""
    return (
        f'<div class="call{bad}"><code><b>{words(call.tool)}</b> {words(arguments)}</code> '
        f'<span class="soft">{words(call.id)} · {words(" · ".join(marks))}</span>{error}'
        f'<div class="pages">{pages}{left}</div>{crop}{folded("result", call.result)}</div>'
    )


def _ledger(episode: Episode, new: Sequence[str]) -> str:
    """Return the evidence up to a round, what it added marked."""
    rows = []
    for item in episode.evidence:
        mark = ' class="new"' if item.id in new else ""
        rows.append(
            f"<tr{mark}><td>{words(item.id)}</td><td>{words(item.ref)}</td>"
            f"<td>“{words(item.quote)}”</td><td>{words(item.sub_question)}</td></tr>"
        )
        if new and item.id == new[-1]:
            break
    if not new or not rows:
        return '<p class="soft">Nothing new was kept.</p>'
    return f"<table>{''.join(rows)}</table>"


def _parts(body: Mapping[str, Any]) -> str:
    rows = [
        [words(part["id"]), words(part["text"]), words(", ".join(part.get("documents", ()))),
         words(part.get("state", ""))]
        for part in body.get("sub_questions", ())
    ]  # fmt: skip
    return table(("", "Part", "Documents", "State"), rows) if rows else ""


def _judged(body: Mapping[str, Any]) -> str:
    if body.get("overran"):
        return "<p>There was no time to judge.</p>"
    said = "Sufficient." if body.get("sufficient") else f"Missing: {body.get('missing') or '?'}"
    against = "".join(
        f"<p>Sources disagree: {words(text)}</p>" for text in body.get("contradictions", ())
    )
    return f"<p>{words(said)}</p>{against}{_parts(body)}"


def _claims(body: Mapping[str, Any], key: str) -> str:
    rows = [
        [words(claim["text"]), words(", ".join(claim.get("evidence", ())))]
        for claim in body.get(key) or ()
    ]
    if rows:
        return table(("Claim", "Evidence"), rows)
    return f"<p>{words(body.get('reason') or 'No claim.')}</p>"


def _faults(episode: Episode) -> str:
    told = [f"{fault.where}: {fault.error}" for fault in episode.faults] + list(episode.notes)
    if not told:
        return ""
    return _card("Notes and errors", "".join(f"<p>{words(text)}</p>" for text in told))


def _segments(episode: Episode) -> str:
    rows = [
        [words(one.id.rpartition("/")[2]), words(_why(episode, one.begins)),
         words(", ".join(call.id for call in one.calls)), f"{len(one.messages)}",
         f"{len(one.prompt_ids) + len(one.response_ids)}", f"{sum(one.response_mask)}"]
        for one in segments(episode)
    ]  # fmt: skip
    heads = ("Segment", "Begins because", "Model calls", "Messages", "Tokens", "Trained")
    return "<h2>Segments</h2>" + _plain(table(heads, rows, numbers=3))


def _why(episode: Episode, begins: str) -> str:
    name = begins.removeprefix("declared:")
    for edit in episode.edits:
        if edit.id == name:
            return f"{edit.kind}: {edit.reason}"
    return begins


def _calls(episode: Episode) -> str:
    if not episode.calls:
        return ""
    rows = [_row(call) for call in episode.calls]
    heads = ("Model call", "Role", "Ended", "In", "Cached", "Out", "Money", "Seconds")
    prompts = "".join(
        folded(f"prompt of {call.id}", _prompt(episode, call)) for call in episode.calls
    )
    return "<h2>Tokens and cost</h2>" + _plain(table(heads, rows, numbers=5) + prompts)


def _row(call: LLMCall) -> list[str]:
    usage = call.usage
    return [
        words(call.id), words(call.role), words(call.finish_reason or call.error or ""),
        f"{usage.input_tokens:,}", f"{usage.cached_tokens:,}", f"{usage.output_tokens:,}",
        f"{usage.money:.4f}", f"{call.seconds:.2f}",
    ]  # fmt: skip


def _prompt(episode: Episode, call: LLMCall) -> str:
    told = []
    for message in episode.path(call.leaf):
        pictures = "".join(f"\n[picture of {p.page or 'the question'}]" for p in message.pictures)
        calls = "".join(f"\n{c.name} {c.arguments_raw}" for c in message.calls)
        told.append(f"--- {message.role} ({message.kind})\n{message.text}{calls}{pictures}")
    return "\n\n".join(told)


def _card(title: str, *inside: str) -> str:
    return f'<div class="card"><h3>{words(title)}</h3>{"".join(inside)}</div>'


def _plain(inside: str) -> str:
    return f'<div class="card">{inside}</div>'
