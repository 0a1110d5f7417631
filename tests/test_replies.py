"""Replies of models, in three grammars and in the ways in which models slip from them."""

from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.tool import invalid_tool_call

from pagehop.agents.moves import Call, Observation
from pagehop.agents.replies import read_json, read_reply


def called(text: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the calls that a reply's text makes; it must make some."""
    reply = read_reply(AIMessage(text))
    assert not reply.problem, reply.problem
    assert reply.calls
    return [(call.tool, call.arguments) for call in reply.calls]


def test_native_calls_are_read_with_their_thought() -> None:
    message = AIMessage(
        "I search first.",
        tool_calls=[
            {"name": "semantic_search", "args": {"query": "debt", "k": 5}, "id": "a"},
            {"name": "read_page", "args": {"ref": "x:1"}, "id": "b"},
        ],
    )
    reply = read_reply(message)
    assert reply.thought == "I search first."
    assert [call.tool for call in reply.calls] == ["semantic_search", "read_page"]
    assert reply.calls[0].arguments == {"query": "debt", "k": 5}
    assert not reply.done


def test_native_calls_with_broken_arguments_say_so() -> None:
    broken = invalid_tool_call(name="read_page", args='{"ref": ', id="a", error=None)
    reply = read_reply(AIMessage("", invalid_tool_calls=[broken]))
    assert "read_page" in reply.problem and "not a JSON object" in reply.problem
    assert not reply.calls


@pytest.mark.parametrize(
    "text",
    [
        '{"thought": "t", "calls": [{"tool": "read_page", "arguments": {"ref": "x:1"}}]}',
        'Sure!\n```json\n{"calls": [{"name": "read_page", "args": {"ref": "x:1"}}]}\n```\nDone.',
        '{"tool": "read_page", "ref": "x:1"}',
        '{"action": "read_page", "parameters": "{\\"ref\\": \\"x:1\\"}"}',
        '{"tool_calls": [{"function": {"name": "functions.read_page", "arguments": '
        '"{\\"ref\\": \\"x:1\\"}"}}]}',
        '<think>{"calls": []} hm</think>{"calls": {"tool": "read-page", "arguments": '
        '{"ref": "x:1"}}}',
        '<tool_call>{"name": "read_page", "arguments": {"ref": "x:1"}}</tool_call>',
        '<call>{"tool": "read_page", "arguments": {"ref": "x:1"}}',
        "<think>see</think><fetch>text, x:1</fetch>",
    ],
)
def test_one_call_is_read_in_every_form(text: str) -> None:
    ((tool, arguments),) = called(text)
    assert tool == "read_page"
    assert arguments["ref"] == "x:1"


def test_several_calls_of_one_turn_are_all_made() -> None:
    text = (
        '{"calls": [{"tool": "read_page", "arguments": {"ref": "x:1"}}, '
        '{"tool": "walk", "arguments": {"ref": "x:1", "relations": ["next", "section"]}}]}'
    )
    assert called(text)[1] == ("walk", {"ref": "x:1", "relations": "next,section"})


def test_the_first_tag_counts_as_in_the_systems_that_use_them() -> None:
    assert called("<search>debt 2023</search><search>other</search>") == [
        ("semantic_search", {"query": "debt 2023"})
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"thought": "all found", "done": true}',
        "<think>enough</think><answer>42</answer>",
        "I have found what is needed.",
        '{"answer": "42"}',
    ],
)
def test_a_reasoner_says_that_it_is_done(text: str) -> None:
    reply = read_reply(AIMessage(text))
    assert reply.done and not reply.calls and not reply.problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ('{"calls": [{"tool": "read_page", "argu', "broken or was cut off"),
        ('{"calls": []}', 'neither "calls"'),
        ('{"calls": [{"arguments": {}}]}', "name of its tool"),
        ('{"calls": [{"tool": "read_page", "arguments": 3}]}', "not a JSON object"),
        ("<search></search>", "empty"),
        ("<call>nothing</call>", "no JSON object"),
        ("<bbox>[1, 2, 3]</bbox>", "four numbers"),
        ("<bbox>[1, 2, 3, 4]</bbox>", "no picture"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, words: str) -> None:
    reply = read_reply(AIMessage(text))
    assert words in reply.problem
    assert not reply.calls and not reply.done


def test_a_box_in_pixels_of_a_crop_becomes_fractions_of_the_page() -> None:
    shown = Observation(
        Call("look", {}, "s1c1"),
        True,
        "",
        {"ref": "x:3", "box": [0.5, 0.0, 1.0, 0.5], "width_px": 200, "height_px": 100},
    )
    (call,) = read_reply(AIMessage("<bbox>[100, 50, 200, 100]</bbox>"), [shown]).calls
    assert call.tool == "look"
    assert call.arguments == {"ref": "x:3", "x0": 0.75, "y0": 0.25, "x1": 1.0, "y1": 0.5}


def test_an_object_inside_other_braces_and_text_is_found() -> None:
    assert read_json('before {"a": {"b": "}"}} after') == {"a": {"b": "}"}}
    assert read_json("no object") is None
    assert read_json('{"a": "line\nbreak"}') == {"a": "line\nbreak"}
