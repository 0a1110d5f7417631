"""What a round with pictures becomes on the wire of each provider: recorded request shapes."""

import base64
import importlib
import io
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from PIL import Image

from pagehop.agents.moves import Call, Context, Observation
from pagehop.agents.prompting import round_messages
from pagehop.library.view import View
from pagehop.tools.pictures import Pictures
from pagehop.types import PageRef

REF = PageRef("Halden_2022_annual_report", 2)
MAX_PIXELS = 200_000


@pytest.fixture
def messages(view: View) -> list[BaseMessage]:
    """A prompt with two calls of one step: a text and a picture."""
    seen = Pictures(view, "reference", max_pixels=MAX_PIXELS).show(REF, (0, 0, 1, 0.5), "look")
    look = Call("look", {"ref": str(REF), "y1": 0.5}, "s1c1")
    read = Call("read_page", {"ref": str(REF)}, "s1c2")
    observations = (
        Observation(look, True, seen.text, seen.artifact),
        Observation(read, True, "[page] words"),
    )
    context = Context("?", view, observations=observations)
    made = round_messages(context, "native", pictures=True)
    return [SystemMessage("You explore."), HumanMessage("Question: ?"), *made]


def check_picture(data: str) -> None:
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.format == "PNG"
    assert 0.8 * MAX_PIXELS < picture.width * picture.height <= MAX_PIXELS


def test_chat_completions_gets_it_in_a_user_message(messages: list[BaseMessage]) -> None:
    chat: Any = pytest.importorskip("langchain_openai").ChatOpenAI(model="m", api_key="none")
    sent = chat._get_request_payload(messages)["messages"]
    assert [one["role"] for one in sent] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert all(isinstance(one["content"], str) for one in sent if one["role"] == "tool")
    assert [call["id"] for call in sent[2]["tool_calls"]] == ["s1c1", "s1c2"]
    text, image = sent[-1]["content"]
    assert text["type"] == "text" and str(REF) in text["text"]
    assert image["type"] == "image_url"
    head, _, data = image["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    check_picture(data)


def test_responses_gets_it_as_an_input_image(messages: list[BaseMessage]) -> None:
    openai: Any = pytest.importorskip("langchain_openai")
    chat = openai.ChatOpenAI(model="m", api_key="none", use_responses_api=True)
    sent = chat._get_request_payload(messages)["input"]
    kinds = [one.get("type") for one in sent]
    assert kinds.count("function_call") == kinds.count("function_call_output") == 2
    assert all(
        isinstance(one["output"], str) for one in sent if one.get("type") == "function_call_output"
    )
    text, image = sent[-1]["content"]
    assert (sent[-1]["role"], text["type"], image["type"]) == ("user", "input_text", "input_image")
    check_picture(image["image_url"].partition("data:image/png;base64,")[2])


def test_anthropic_gets_it_as_a_source_block(messages: list[BaseMessage]) -> None:
    module = "langchain_anthropic"
    anthropic: Any = pytest.importorskip(module, reason=f"{module} is not installed")
    sent = anthropic.ChatAnthropic(model="m", api_key="none")._get_request_payload(messages)
    blocks = sent["messages"][-1]["content"]
    (image,) = [block for block in blocks if block["type"] == "image"]
    assert image["source"]["media_type"] == "image/png"
    check_picture(image["source"]["data"])
    for block in blocks:
        assert block["type"] != "tool_result" or "base64" not in str(block)


def test_google_gets_it_as_inline_data(messages: list[BaseMessage]) -> None:
    module = "langchain_google_genai"
    pytest.importorskip(module, reason=f"{module} is not installed")
    models: Any = importlib.import_module(f"{module}.chat_models")
    _, sent = models._parse_chat_history(messages)
    images = [part.inline_data for part in sent[-1].parts if part.inline_data]
    assert [image.mime_type for image in images] == ["image/png"]
    check_picture(base64.b64encode(images[0].data).decode())
