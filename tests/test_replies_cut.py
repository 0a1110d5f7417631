"""Replies that were cut off or are anything at all: no call and no quote misses its end."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from pagehop.agents.replies import read_cut, read_json, read_kept, read_reply
from pagehop.agents.reply_schemas import (
    JUDGE,
    PLAN,
    Schema,
    answer_schema,
    explore_schema,
    keep_schema,
)
from pagehop.library.view import View
from pagehop.tools.toolset import toolset

PAGES = ("report_2022:3", "report_2022:4")
_WORDS = st.text(st.characters(codec="utf-8"), max_size=30)
_ARGUMENTS = st.dictionaries(
    st.sampled_from(("query", "ref", "documents", "k")),
    st.one_of(_WORDS, st.integers()),
    max_size=3,
)
_CALLS = st.lists(
    st.tuples(st.sampled_from(("semantic_search", "read_page", "walk")), _ARGUMENTS),
    min_size=1,
    max_size=4,
)
_EVIDENCE = st.lists(
    st.fixed_dictionaries({"ref": st.sampled_from(PAGES), "quote": _WORDS, "part": st.just("Q1")}),
    max_size=4,
)
_SOUP = st.lists(
    st.sampled_from(
        (
            "<search>", "</search>", "<think>", "</think>", "<call>", "</call>", "<bbox>",
            "<answer>", "<tool_call>", "<fetch>", "{", "}", "[", "]", '"', "\\", ",", ":",
            '"calls"', '"tool"', '"arguments"', '"evidence"', '"done"', "true", "null", "12", "-",
            "NaN", "```json", "\n", "read_page", "\ufffd", "x:1",
        )
    ),
    max_size=25,
)  # fmt: skip


def cut(text: str) -> AIMessage:
    """Make a reply that ended at its limit."""
    return AIMessage(text, response_metadata={"finish_reason": "length"})


@given(_SOUP, st.booleans())
def test_any_text_is_read_without_an_error(pieces: list[str], at_limit: bool) -> None:
    text = "".join(pieces)
    reply = read_reply(cut(text) if at_limit else AIMessage(text))
    assert reply.calls or reply.done or reply.problem
    assert not (reply.done and reply.problem)
    for call in reply.calls:
        assert call.tool and all(isinstance(name, str) for name in call.arguments)


@given(st.text(max_size=200))
def test_any_characters_are_read_without_an_error(text: str) -> None:
    reply = read_reply(AIMessage(text))
    assert reply.calls or reply.done or reply.problem


@given(_CALLS)
def test_the_same_calls_are_read_from_all_three_grammars(calls: list[Any]) -> None:
    listed = [{"tool": tool, "arguments": arguments} for tool, arguments in calls]
    native = [{"name": t, "args": a, "id": str(i)} for i, (t, a) in enumerate(calls)]
    tagged = "".join(f"<call>{json.dumps(one)}</call>" for one in listed)
    forms = (
        AIMessage("", tool_calls=native),
        AIMessage(json.dumps({"thought": "t", "calls": listed})),
        AIMessage(f"```json\n{json.dumps({'calls': listed}, indent=1, ensure_ascii=False)}\n```"),
        AIMessage(f"<think>t</think>{tagged}"),
    )
    for message in forms:
        assert [(call.tool, call.arguments) for call in read_reply(message).calls] == calls


@given(_CALLS, st.data(), st.booleans())
@example([("read_page", {"query": "x{y}z"})], None, True)
def test_of_calls_that_are_cut_off_only_whole_ones_are_made(
    calls: list[Any], data: st.DataObject | None, known: bool
) -> None:
    """A brace inside a string once closed the call around it: `{"query": "x{y}` became a call."""
    listed = [{"tool": tool, "arguments": arguments} for tool, arguments in calls]
    for whole in (
        json.dumps({"thought": "t", "calls": listed}, ensure_ascii=False),
        "".join(f"<call>{json.dumps(one)}</call>" for one in listed),
    ):
        end = len(whole) - 6 if data is None else data.draw(st.integers(1, len(whole) - 1))
        text = whole[:end]
        reply = read_reply(cut(text) if known else AIMessage(text))
        made = [(call.tool, call.arguments) for call in reply.calls]
        assert made == calls[: len(made)]


@given(_EVIDENCE, st.data())
def test_of_evidence_that_is_cut_off_only_whole_items_are_kept(
    evidence: list[dict[str, str]], data: st.DataObject
) -> None:
    whole = json.dumps({"evidence": evidence, "notes": ["a"], "sufficient": True})
    text = whole[: data.draw(st.integers(1, len(whole) - 1))]
    kept = read_kept(text) or {}
    assert kept.get("evidence", []) == evidence[: len(kept.get("evidence", []))]
    assert kept.get("sufficient") in (None, True)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"thought": "a", "parts": [{"id": "Q1"}, {"id": "Q', {"thought": "a", "parts": [{"id": "Q1"}]}),  # noqa: E501
        ('{"a": 1, "b": 12', {"a": 1}),
        ('{"a": tru', None),
        ('{"a": [1, 2', {"a": [1]}),
        ('{"a": "line\nbreak", "b": "', {"a": "line\nbreak"}),
        ('{"a": {"b": [1, 2, ', None),
        ('so: {"a": []', {"a": []}),
        ('{"a": "closed"} and more', None),
        ("{", None),
        ("no object", None),
    ],
)  # fmt: skip
def test_what_is_whole_of_a_cut_object_is_read(text: str, read: Any) -> None:
    assert read_cut(text) == read
    if read is not None:
        assert read_json(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "<think>The revenue of the group</think><search>the revenue of Hal",
        "<think>I should look at the page again and aga",
        '<call>{"tool": "read_page", "arguments": {"ref": "report_2022:1',
        '{"thought": "t", "calls": [{"tool": "read_page", "arguments": {"ref": "report_2022:1',
        "The report says that revenue rose, and that",
    ],
)
def test_a_reply_that_is_cut_before_it_acts_runs_nothing_and_is_told(text: str) -> None:
    reply = read_reply(cut(text))
    assert not reply.calls and not reply.done
    assert reply.problem


def test_a_stop_word_may_take_the_end_of_a_tag_away() -> None:
    (call,) = read_reply(AIMessage("<search>revenue 2022")).calls
    assert call.arguments == {"query": "revenue 2022"}


def every_schema(view: View) -> dict[str, Schema]:
    """Make the schemas of a run in which something was found."""
    tools = toolset(view, images="text")
    return {
        "plan": PLAN,
        "judge": JUDGE,
        "first": explore_schema(tools, (), begun=False),
        "explore": explore_schema(tools, PAGES, begun=True),
        "keep": keep_schema(PAGES),
        "keep nothing": keep_schema(()),
        "answer": answer_schema(("E1", "E2"), ("C1",)),
    }


def test_no_text_and_no_list_of_a_schema_is_without_end(view: View) -> None:
    def check(part: Any, where: str) -> None:
        if isinstance(part, dict):
            if part.get("type") == "string":
                assert "maxLength" in part or part.get("enum"), where
            if part.get("type") == "array":
                assert part.get("maxItems"), where
            if part.get("type") == "object" and "anyOf" not in part:
                assert part["additionalProperties"] is False, where
            for name, inner in part.items():
                check(inner, f"{where}.{name}")
        elif isinstance(part, list):
            for inner in part:
                check(inner, where)

    for name, schema in every_schema(view).items():
        jsonschema.Draft202012Validator.check_schema(schema)
        check(dict(schema), name)


@pytest.mark.parametrize(
    ("schema", "reply", "allowed"),
    [
        ("explore", {"thought": "Hm."}, False),
        ("explore", {"thought": "Hm.", "calls": []}, False),
        ("explore", {"thought": "Hm.", "done": False}, False),
        ("explore", {"thought": "Hm.", "done": True}, True),
        (
            "explore",
            {"thought": "Hm.", "calls": [{"tool": "read_page", "arguments": {"ref": "a:1"}}]},
            True,
        ),
        ("explore", {"thought": "Hm.", "evidence": [], "parts": [], "sufficient": False}, True),
        ("first", {"thought": "Hm.", "done": True}, False),
        ("first", {"thought": "Hm.", "evidence": [], "parts": [], "sufficient": False}, False),
        ("answer", {"claims": [{"text": "a", "evidence": ["E3"]}], "unanswerable": False}, False),
        ("answer", {"claims": [{"text": "a", "evidence": ["E2"]}], "unanswerable": False}, True),
    ],
)
def test_a_schema_allows_what_the_machine_can_follow(
    view: View, schema: str, reply: Any, allowed: bool
) -> None:
    assert jsonschema.Draft202012Validator(every_schema(view)[schema]).is_valid(reply) is allowed


def test_evidence_can_only_be_on_pages_that_were_shown(view: View) -> None:
    valid = jsonschema.Draft202012Validator(every_schema(view)["keep"])
    for ref, allowed in ((PAGES[0], True), ("report_2022:9", False)):
        item = {"ref": ref, "quote": "words", "part": "Q1"}
        assert valid.is_valid({"evidence": [item], "parts": [], "sufficient": True}) is allowed
