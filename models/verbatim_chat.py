"""A chat model of the OpenAI form that sends back what a model said exactly as it said it.

pagehop names tool calls by their step, and LangChain writes their arguments anew. So to whoever
watches the requests each tool call begins another conversation, and trainers that rebuild samples
from what passes an endpoint (verifiers, gateways) cut a round into pieces. Here an assistant
message goes out with the ids and argument strings that came in, and results under those ids.

One instance is one run: it remembers the replies that it was given.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.outputs import ChatResult
from pydantic import PrivateAttr

from pagehop.models.openai_chat import OpenAIChat


class VerbatimChat(OpenAIChat):
    """Asks an endpoint of the OpenAI form, and repeats its replies to it unchanged."""

    _said: dict[str, list[dict[str, Any]]] = PrivateAttr(default_factory=dict)
    """Tool calls as they came, by what they say."""

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        payload = super()._get_request_payload(input_, stop=stop, **kwargs)
        body = payload.get("extra_body") or payload
        if isinstance(body.get("messages"), list):
            body["messages"] = self._restored(body["messages"])
        return payload

    def _create_chat_result(
        self, response: Any, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        told = response if isinstance(response, dict) else response.model_dump()
        for choice in told.get("choices") or ():
            message = choice.get("message") or {}
            if calls := message.get("tool_calls"):
                self._said[_key(message)] = calls
        return super()._create_chat_result(response, generation_info)

    def _restored(self, messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        names: dict[str, str] = {}
        for message in messages:
            restored = dict(message)
            if calls := message.get("tool_calls"):
                said = self._said.get(_key(message), calls)
                names |= {
                    ours["id"]: theirs["id"] for ours, theirs in zip(calls, said, strict=True)
                }
                restored["tool_calls"] = said
            if message.get("tool_call_id") in names:
                restored["tool_call_id"] = names[message["tool_call_id"]]
            found.append(restored)
        return found


def _key(message: Mapping[str, Any]) -> str:
    """Return what a reply and its restatement share: words, tools and arguments, no names."""
    calls = [
        [call["function"]["name"], _read(call["function"]["arguments"])]
        for call in message["tool_calls"]
    ]
    return json.dumps([message.get("content") or "", calls], sort_keys=True)


def _read(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
