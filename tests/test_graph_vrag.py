"""vrag: a policy that writes tags; each search shows one page, each box zooms into the last one."""

import base64
import json
from collections.abc import Mapping
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image

import pagehop
from pagehop.answers import Answer
from pagehop.errors import ConfigError
from pagehop.events import Event
from pagehop.graphs.budget import Budget
from pagehop.graphs.published.vrag import VRAG
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from test_graphs import REPORT, asked, bodies, claims, is_cited, made, nodes, run

SEARCH = "<think>t</think><search>revenue of Halden Marine 2022</search>"
ANSWER = "<think>enough</think><answer>455.9 million crowns</answer>"
MOST_PIXELS = 512 * 28 * 28
BOX = [0.1, 0.1, 0.3, 0.3]


def zoom(*box: float) -> str:
    return f"<think>closer</think><bbox>{list(box)}</bbox>"


def seeing(
    view: View, replies: list[Any], graph: str | VRAG = "vrag"
) -> tuple[Answer, list[Event], ScriptedModel]:
    """Run with a model that is shown pictures."""
    model = ScriptedModel(replies=replies, profile={"image_inputs": True})
    answer, events, _ = run(view, graph, model=model)
    return answer, events, model


def last(model: ScriptedModel, call: int) -> str:
    """Return what a prompt ended with."""
    return str(model.calls[call].messages[-1].content)


def shown(events: list[Event]) -> list[Mapping[str, Any]]:
    """Return what was shown as a picture, oldest first."""
    ends = [body["artifact"] for body in bodies(events, "tool.end")]
    return [artifact for artifact in ends if artifact.get("width_px")]


def test_a_search_shows_one_page_that_was_not_shown_before(view: View) -> None:
    answer, events, model = run(view, "vrag", [SEARCH, SEARCH, ANSWER, claims()])
    assert nodes(events)[1:] == [*["think", "act"] * 2, "think", "answer", "verify"]
    assert asked(events) == ["policy"] * 3 + ["reader"]
    assert made(events) == ["semantic_search", "read_page"] * 2
    given = [body["arguments"] for body in bodies(events, "tool.start")]
    pages = [one["ref"] for one in given if "ref" in one]
    assert len(pages) == len(set(pages)) == 2
    assert [one["k"] for one in given if "k" in one] == [10, 10]
    seen = " ".join(str(message.content) for message in model.calls[2].messages)
    assert "semantic_search" not in seen and pages[0] in seen and pages[1] in seen
    assert "455.9 million crowns" in str(model.calls[3].messages[1].content)
    assert answer.status == "answered" and is_cited(answer)


def test_a_search_that_brings_no_new_page_says_so_and_prompts_still_go_on(view: View) -> None:
    one = view.within([REPORT])
    replies = [*[SEARCH] * 6, ANSWER, claims()]
    answer, events, model = run(one, "vrag", replies)
    assert made(events).count("read_page") == 4, "the report has four pages"
    told = [str(message.content) for message in model.calls[6].messages]
    nothing = [text for text in told if "No page was found that you have not seen." in text]
    assert len(nothing) == 2 and not any("hits" in text or "1. [" in text for text in told)
    for before, after in pairwise(call.messages for call in model.calls[:7]):
        texts = [str(message.content) for message in before]
        assert [str(message.content) for message in after[: len(texts)]] == texts
    assert answer.status == "answered"


def test_a_box_is_a_part_of_the_picture_shown_last_also_of_a_zoom(view: View) -> None:
    pad = VRAG().pad_px
    replies = [SEARCH, zoom(50, 60, 300, 320), zoom(100, 80, 240, 200), ANSWER, claims()]
    _, events, _ = seeing(view, replies)
    looks = [b["arguments"] for b in bodies(events, "tool.start") if b["tool"] == "look"]
    page, first, second = shown(events)
    assert page["box"] == [0, 0, 1, 1]
    boxes = ((50, 60, 300, 320), (100, 80, 240, 200))
    for look, of, box in zip(looks, (page, first), boxes, strict=True):
        x0, y0, x1, y1 = of["box"]
        wide, high = (x1 - x0) / of["width_px"], (y1 - y0) / of["height_px"]
        expected = {
            "x0": x0 + (box[0] - pad) * wide, "y0": y0 + (box[1] - pad) * high,
            "x1": x0 + (box[2] + pad) * wide, "y1": y0 + (box[3] + pad) * high,
        }  # fmt: skip
        assert {side: look[side] for side in expected} == pytest.approx(expected, abs=2e-5)
        assert look["ref"] == of["ref"]
    for look, artifact in zip(looks, (first, second), strict=True):
        x0, y0, x1, y1 = artifact["box"]
        assert x0 <= look["x0"] and y0 <= look["y0"] and x1 >= look["x1"] and y1 >= look["y1"]


def test_the_pictures_as_sent_have_the_size_that_boxes_are_read_in(view: View) -> None:
    replies = [SEARCH, zoom(50, 60, 300, 320), ANSWER, claims()]
    _, events, model = seeing(view, replies)
    sizes = [(item["width_px"], item["height_px"]) for item in shown(events)]
    assert all(width * height <= MOST_PIXELS for width, height in sizes)
    assert all(width * height > MOST_PIXELS * 0.9 for width, height in sizes), "drawn anew"
    sent, heads = [], []
    for message in model.calls[2].messages:
        for block in message.content if isinstance(message.content, list) else []:
            assert isinstance(block, dict)
            if block["type"] == "text":
                heads.append(block["text"])
            else:
                sent.append(Image.open(BytesIO(base64.b64decode(block["base64"]))).size)
    assert sent == sizes
    assert [f"{w} x {h} pixels:" in head for head, (w, h) in zip(heads, sizes, strict=True)]


def test_a_box_at_the_edge_stays_on_the_page(view: View) -> None:
    _, events, _ = seeing(view, [SEARCH, zoom(0, 0, 200, 100), ANSWER, claims()])
    (look,) = [b["arguments"] for b in bodies(events, "tool.start") if b["tool"] == "look"]
    assert (look["x0"], look["y0"]) == (0, 0)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (zoom(0, 0, 5000, 5000), "reaches beyond the picture shown last, which has"),
        (zoom(1, 2, 3), "<bbox> needs four numbers"),
        ("<think>t</think><search></search>", "<search> is empty"),
        (f"<fetch>image, {REPORT}:1</fetch>", "read_page cannot be called here"),
        ("<search>half of a", ""),
    ],
)
def test_a_reply_that_cannot_be_followed_is_told_and_costs_no_turn(
    view: View, reply: str, words: str
) -> None:
    _, events, model = seeing(view, [SEARCH, reply, ANSWER, ANSWER, claims()])
    if not words:  # what is written can be read
        assert made(events).count("semantic_search") == 2
        return
    assert words in last(model, 2) and "<search>what to search for</search>" in last(model, 2)
    assert made(events) == ["semantic_search", "read_page"]
    turns = [b["turn"] for b in bodies(events, "node") if b["node"] == "think"]
    assert turns == [1, 2]


def test_a_box_before_any_picture_and_an_answer_before_any_search_are_asked_again(
    view: View,
) -> None:
    _, _, model = seeing(view, [zoom(1, 2, 300, 400), ANSWER, SEARCH, ANSWER, claims()])
    assert "no picture to zoom into" in last(model, 1)
    assert "Nothing was looked up yet" in last(model, 2)


def test_the_first_action_of_a_reply_counts(view: View) -> None:
    _, events, _ = run(view, "vrag", [f"{SEARCH}<answer>I guess 7</answer>", ANSWER, claims()])
    assert asked(events) == ["policy", "policy", "reader"]
    call = '<call>{"tool": "semantic_search", "arguments": {"query": "revenue"}}</call>'
    _, events, _ = run(view, "vrag", [f"{call}{call}", ANSWER, claims()])
    assert made(events) == ["semantic_search", "read_page"]


def test_a_call_without_its_query_is_an_observation_with_a_way_out(view: View) -> None:
    call = '<call>{"tool": "semantic_search", "arguments": {"k": 3}}</call>'
    answer, events, model = run(view, "vrag", [call, SEARCH, ANSWER, claims()])
    assert [body["ok"] for body in bodies(events, "tool.end")] == [False, True, True]
    assert "query" in str(model.calls[1].messages[-2].content)
    assert answer.status == "answered"


def test_its_turns_end_and_the_answer_is_written_from_what_it_saw(view: View) -> None:
    assert VRAG().constants == {"turns": 10, "ranked": 10, "pad_px": 28}
    answer, events, _ = run(view, "vrag", [*[SEARCH] * 10, claims()])
    assert asked(events) == ["policy"] * 10 + ["reader"]
    assert {"text": "All 10 turns are taken."} in bodies(events, "note")
    assert answer.status == "answered" and is_cited(answer)


def test_four_replies_that_cannot_be_read_end_the_run_as_failed(view: View) -> None:
    answer, _, _ = run(view, "vrag", ["<bbox>1</bbox>"] * 4)
    assert answer.status == "failed" and "no usable reply as policy" in answer.error


def test_a_spent_budget_goes_to_answer(view: View) -> None:
    answer, events, _ = run(view, "vrag", [*[SEARCH] * 3, claims()], budget=Budget(steps=2))
    assert asked(events) == ["policy"] * 3 + ["reader"] and made(events).count("read_page") == 2
    assert nodes(events)[-2:] == ["answer", "verify"] and answer.usage.steps == 2
    assert answer.status in ("answered", "exhausted")
    either = [lambda messages, tools: claims() if "quotes" in messages[0].content else SEARCH]
    answer, events, _ = run(view, "vrag", either * 4, budget=Budget(model_calls=4))
    assert answer.usage.model_calls <= 4 and asked(events)[-1] == "reader"
    assert answer.status in ("answered", "exhausted")


def test_the_answer_is_written_from_the_page_and_the_zooms_into_it(view: View) -> None:
    replies = [SEARCH, zoom(0, 0, 300, 300), zoom(0, 0, 100, 100), ANSWER, claims()]
    _, events, model = seeing(view, replies)
    assert asked(events)[-1] == "reader"
    pictures = [m for m in model.calls[-1].messages if isinstance(m.content, list)]
    assert len(pictures) == 3


def test_what_a_picture_shows_is_cited_with_its_box(view: View) -> None:
    def reading(messages: list[Any], tools: list[Any]) -> str:
        (head,) = [m.content[0]["text"] for m in messages if isinstance(m.content, list)]
        quote = {"ref": head.split()[2].strip(","), "reading": "a high bar", "box": BOX}
        return json.dumps({"claims": [{"text": "The bar is high.", "quotes": [quote]}]})

    answer, events, _ = seeing(view, [SEARCH, ANSWER, reading])
    (citation,) = answer.citations
    assert f"{citation.name}:{citation.page}" == shown(events)[0]["ref"]
    assert (list(citation.box), citation.verified) == (BOX, False)


def test_without_pictures_it_reads_words_and_says_so(view: View) -> None:
    model = ScriptedModel(
        replies=[SEARCH, zoom(0, 0, 9, 9), ANSWER, claims()], profile={"image_inputs": False}
    )
    answer, _, _ = run(view, "vrag", model=model)
    assert "<bbox> cannot be used" in last(model, 0)
    assert "no picture to zoom into" in last(model, 2)
    assert sum("text mode" in text for text in answer.warnings) == 1
    assert answer.status == "answered"


def test_a_reader_of_pictures_looks_for_a_model_that_sees_none(view: View) -> None:
    reader = ScriptedModel(replies=["Revenue rose to 455.9 million crowns."], repeat_last=True)
    model = ScriptedModel(
        replies=[SEARCH, zoom(0.1, 0.1, 0.5, 0.5), ANSWER, claims()],
        profile={"image_inputs": False},
    )
    answer, events, _ = run(view, "vrag", model=model, vision_model=reader)
    assert "give <bbox> in fractions of it" in last(model, 0)
    assert made(events) == ["semantic_search", "look", "look"]
    assert len(reader.calls) == 2
    questions = [str(call.messages[-1].content[0]["text"]) for call in reader.calls]  # type: ignore[index]
    assert questions == ["What was the revenue of Halden Marine in 2022?"] * 2
    assert all(isinstance(m.content, str) for call in model.calls for m in call.messages)
    assert answer.status == "answered"


def test_it_needs_a_model_and_says_why(view: View) -> None:
    with pytest.raises(ConfigError, match="'vrag' needs a model: one model decides every step"):
        pagehop.ask("?", view, graph="vrag", record=False)
    (listed,) = [graph for graph in pagehop.list_graphs() if graph.name == "vrag"]
    assert listed.needs == ("model", "pictures", "page encoder")
