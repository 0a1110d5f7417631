"""`schema=`: the answer in a form of the user's own, from its verified claims alone."""

import asyncio
import json
from datetime import date
from typing import Any, Literal

import pytest
from pydantic import BaseModel

import pagehop
from pagehop import Budget, ConfigError
from pagehop.agents.former import ModelFormer, answer_form
from pagehop.agents.moves import Claim, Context, Draft
from pagehop.agents.reasoner import Reasoner
from pagehop.answers import Answer
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel

QUESTION = "What was the revenue of Halden Marine in 2022?"
REPORT = "Halden_2022_annual_report"
PLAN = json.dumps({"parts": [{"id": "Q1", "text": QUESTION}]})
READ = {"content": "", "tool_calls": [{"name": "read_page", "args": {"ref": f"{REPORT}:1"}}]}
KEEP = json.dumps({
    "evidence": [{"ref": f"{REPORT}:1", "quote": "Revenue rose to 455.9 million crowns"}],
    "sufficient": True,
})  # fmt: skip
CLAIM = json.dumps({"claims": [{"text": "It was 455.9 million crowns.", "evidence": ["E1"]}]})
RUN = [PLAN, READ, "Done.", KEEP, CLAIM]


class Revenue(BaseModel):
    company: str
    amount: float
    unit: Literal["EUR", "NOK", "crowns"]
    year: int
    rose: bool | None = None


class Day(BaseModel):
    day: date


GOOD = {"company": "Halden Marine", "amount": 455.9e6, "unit": "crowns", "year": 2022}
SCHEMA = {
    "type": "object",
    "properties": {"amounts": {"type": "array", "items": {"type": "number"}}},
    "required": ["amounts"],
}


def ask(view: View, *replies: Any, **options: Any) -> tuple[Answer, ScriptedModel]:
    model = ScriptedModel(replies=[*RUN, *(json.dumps(reply) for reply in replies)])
    return pagehop.ask(QUESTION, view, model=model, record=False, **options), model


def test_the_answer_comes_in_the_form_of_a_pydantic_model(view: View) -> None:
    answer, model = ask(view, GOOD, schema=Revenue)
    assert answer.status == "answered" and answer.warnings == ()
    assert answer.data == {**GOOD, "rose": None}
    assert Revenue(**answer.data).amount == 455.9e6
    assert answer.usage.model_calls == len(model.calls) == 6
    prompt = str(model.calls[-1].messages[-1].content)
    assert "- It was 455.9 million crowns." in prompt and '"company"' in prompt
    assert Answer.from_json(json.loads(json.dumps(answer.to_json()))).data == answer.data


def test_a_json_schema_does_the_same_and_without_one_there_is_no_data(view: View) -> None:
    answer, _ = ask(view, {"amounts": [455.9]}, schema=SCHEMA)
    assert answer.data == {"amounts": [455.9]}
    answer, _ = ask(view)
    assert answer.data is None and "data" not in answer.to_json()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({**GOOD, "amount": "much"}, "amount: Input should be a valid number"),
        ({**GOOD, "amount": 512.3}, "512.3 is not in the claims"),
        ({**GOOD, "company": "Orrin Textiles"}, "'Orrin Textiles' is not in the claims"),
        ({**GOOD, "unit": "dollars"}, "unit: Input should be"),
    ],
)
def test_what_is_not_in_the_claims_or_not_in_the_form_is_told_to_the_model(
    view: View, wrong: dict[str, Any], words: str
) -> None:
    answer, model = ask(view, wrong, GOOD, schema=Revenue)
    assert words in str(model.calls[6].messages[-1].content)
    assert answer.data == {**GOOD, "rose": None}


def test_a_form_that_is_never_filled_leaves_the_answer_and_says_so(view: View) -> None:
    answer, _ = ask(view, *[{"amounts": ["no"]}] * 4, schema=SCHEMA)
    assert (answer.status, answer.data) == ("answered", None)
    assert answer.text == "It was 455.9 million crowns. [1]"
    assert "could not be put into the form" in answer.warnings[-1]


def test_dates_may_be_written_as_programs_write_them() -> None:
    form = answer_form(Day)
    context = Context("When?", None, draft=Draft((Claim("It was on 5 October 2022.", ("E1",)),)))  # type: ignore[arg-type]
    model = ScriptedModel(replies=['{"day": "2022-10-10"}', '{"day": "2022-10-05"}'])
    move = asyncio.run(ModelFormer(Reasoner(model), form).step(context))
    assert move.data == {"day": "2022-10-05"}
    assert "'2022-10-10' is not in the claims" in str(model.calls[1].messages[-1].content)


def test_an_answer_that_was_not_found_is_not_put_into_a_form(view: View) -> None:
    nothing = json.dumps({"evidence": [], "give_up": True})
    model = ScriptedModel(replies=[PLAN, READ, "Done.", nothing])
    answer = pagehop.ask(QUESTION, view, model=model, record=False, schema=Revenue)
    assert (answer.status, answer.data) == ("unanswerable", None)
    assert len(model.calls) == 4


def test_the_call_for_the_form_is_inside_the_budget(view: View) -> None:
    answer, model = ask(view, GOOD, schema=Revenue, budget=Budget(model_calls=7))
    assert answer.data is not None and len(model.calls) <= 7


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (dict, "pydantic model class or a JSON schema"),
        ({"type": "array"}, "not of an object"),
        ({"type": "object", "properties": 3}, "no JSON schema"),
    ],
)
def test_what_is_no_schema_is_refused(view: View, schema: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        pagehop.ask(QUESTION, view, model=ScriptedModel(replies=[]), schema=schema)
    with pytest.raises(ConfigError, match="needs a model="):
        pagehop.ask(QUESTION, view, schema=Revenue)
