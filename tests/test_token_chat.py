"""Token-in, token-out: prompts go on in exactly the ids that were sampled."""

import json
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from PIL import Image

import pagehop
from pagehop.agents.prompting import picture_block
from pagehop.errors import ConfigError, ContextOverflow, PicturesUnsupported
from pagehop.library.view import View
from pagehop.models.capture import capturing
from pagehop.models.chat_calls import call_chat
from pagehop.models.chat_models import takes_pictures
from pagehop.models.token_chat import TokenChat, read_reply
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.segments import segments
from test_rollout import REPORT, answering

PIECES = ("ab", "abc", "bc", "re", "ad", "read", "rea", "e ", " t", "the", "he", '": ', '{"', '"}')
"""Merges that overlap: most words can be written in several ways."""
END = "<|end|>"


class Toy:
    """A tokenizer of bytes and ambiguous merges, with a template like that of Qwen."""

    eos_token = END

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        return self.cut(text, None)

    def cut(self, text: str, rng: random.Random | None) -> list[int]:
        """Cut a text, longest piece first, or as chance has it."""
        ids = []
        at = 0
        while at < len(text):
            if text.startswith(END, at):
                ids.append(1)
                at += len(END)
                continue
            fits = sorted((p for p in PIECES if text.startswith(p, at)), key=len)
            piece = (rng.choice([*fits, ""]) if rng else fits[-1]) if fits else ""
            ids.append(2 + PIECES.index(piece) if piece else 1000 + ord(text[at]))
            at += len(piece) or 1
        return ids

    def decode(self, ids: Any, *, skip_special_tokens: bool = False) -> str:
        return "".join(
            END if i == 1 else chr(i - 1000) if i >= 1000 else PIECES[i - 2] for i in ids
        )

    def apply_chat_template(self, conversation: Any, **options: Any) -> str:
        tools = options.get("tools")
        text = f"<tools>{json.dumps(tools)}</tools>\n" if tools else ""
        for one in conversation:
            calls = "".join(
                f"<tool_call>\n{json.dumps(call['function'])}\n</tool_call>"
                for call in one.get("tool_calls", ())
            )
            text += f"<|{one['role']}|>{one.get('content') or ''}{calls}{END}\n"
        return text + ("<|assistant|>" if options.get("add_generation_prompt") else "")


def endpoint(seed: int, *, cut: bool = False) -> httpx.MockTransport:
    """Answer as `answering` does, in ids as chance has them; with `cut` without an end."""
    rng, toy = random.Random(seed), Toy()

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        said = answering(_read(toy.decode(body["prompt"])), [])
        if isinstance(said, dict):
            call = said["tool_calls"][0]
            spaced = json.dumps({"name": call["name"], "arguments": call["args"]}, indent=1)
            said = f"{said['content']}<tool_call>\n{spaced}\n</tool_call>"
        said = f"<think>ab abc the read</think>{said}" + ("" if cut else END)
        ids = toy.cut(said, rng)
        logprobs = {"token_logprobs": [-0.1] * len(ids)}
        choice = {"text": said, "token_ids": ids, "logprobs": logprobs, "finish_reason": "stop"}
        return httpx.Response(200, json={"choices": [choice], "model": "toy"})

    return httpx.MockTransport(answer)


def _read(text: str) -> list[BaseMessage]:
    turns = [turn for turn in text.split("<|") if "|>" in turn]
    found: list[BaseMessage] = []
    for turn in turns:
        role, _, content = turn.partition("|>")
        if role in ("system", "user", "assistant", "tool"):
            found.append(HumanMessage(content))
    return found[:-1]


def chat(seed: int, **more: Any) -> TokenChat:
    return TokenChat(
        base_url="http://policy/v1", model_name="toy", tokenizer=Toy(),
        transport=endpoint(seed, **more),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_no_prefix_of_a_run_breaks_but_where_an_edit_says_so(
    view: View, tmp_path: Path, seed: int
) -> None:
    answer = pagehop.ask(
        "Revenue of Halden Marine in 2022?", view, model=chat(seed, cut=seed == 3), record=tmp_path
    )
    assert answer.status == "answered", answer.error
    (episode,) = read_run(answer.trajectory).episodes
    found = segments(episode)
    assert [one.begins.partition(":")[0] for one in found] == ["start", "declared", "declared"]
    assert len(found[1].calls) == 3 and all(one.response_logprobs for one in found)
    toy = Toy()
    for call in episode.calls:
        # What was sampled is not what the tokenizer makes of the same words.
        assert call.completion_ids and call.prompt_ids
    text = toy.decode(found[1].prompt_ids + found[1].response_ids)
    assert toy.encode(text) != list(found[1].prompt_ids + found[1].response_ids)
    assert "<think>ab abc the read</think>" in text and f"{END}\n<|tool|>" in text


async def test_what_is_new_is_rendered_and_the_rest_stays_as_sampled() -> None:
    model = chat(1)
    messages: list[BaseMessage] = [SystemMessage("s"), HumanMessage("Step 1. the read abc")]
    with capturing() as found:
        said = await model.ainvoke(messages)
        assert isinstance(said, AIMessage) and said.tool_calls[0]["args"] == {"ref": f"{REPORT}:1"}
        restated = AIMessage(said.content, tool_calls=[{**said.tool_calls[0], "id": "s1c1"}])
        await model.ainvoke([*messages, restated, ToolMessage("abc", tool_call_id="s1c1")])
    first, second = found
    before = first.prompt_ids + first.completion_ids
    assert second.prompt_ids[: len(before)] == before
    assert Toy().decode(second.prompt_ids[len(before) :]) == f"\n<|tool|>abc{END}\n<|assistant|>"


def test_replies_are_read_as_such_models_write_them() -> None:
    said = read_reply(
        '<think>why</think>Look.<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>'
        "<tool_call>{broken</tool_call>"
    )
    assert said.content == "Look." and said.additional_kwargs == {"reasoning_content": "why"}
    assert [call["args"] for call in said.tool_calls] == [{"a": 1}]
    assert said.invalid_tool_calls[0]["args"] == "{broken"


async def test_an_endpoints_words_about_a_long_prompt_are_heard() -> None:
    """They stand in the body, which httpx's own error leaves out: no prompt was shortened."""
    words = "This model's maximum context length is 4096 tokens, your prompt has 5000"
    refusing = httpx.MockTransport(lambda _: httpx.Response(400, json={"message": words}))
    model = TokenChat(
        base_url="http://policy/v1", model_name="toy", tokenizer=Toy(), transport=refusing
    )
    with pytest.raises(ContextOverflow, match="maximum context length"):
        await call_chat(model, [HumanMessage("What was revenue?")])


async def test_pictures_are_refused_before_and_when_they_are_sent(view: View) -> None:
    """They were left out without a word, and prompts said that they follow."""
    model = TokenChat(
        base_url="http://localhost/v1", model_name="p", tokenizer=Toy(), transport=endpoint(0)
    )
    picture = picture_block(Image.new("RGB", (8, 8)))
    assert takes_pictures(model) is False
    with pytest.raises(PicturesUnsupported, match="no picture"):
        await call_chat(model, [HumanMessage([{"type": "text", "text": "Look."}, picture])])
    question: Any = [{"type": "text", "text": "What is this?"}, picture]
    with pytest.raises(ConfigError, match="picture"):
        await pagehop.aask(question, view, model=model, record=False)
