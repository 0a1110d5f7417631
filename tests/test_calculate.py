"""Arithmetic is exact, reads printed numbers, and refuses everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagehop.errors import ToolError
from pagehop.tools.calculate import calculate, evaluate, format_number


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("(41,208 - 39,512) / 39,512 * 100", 4.29236687588581),
        ("$1,482 + \u20ac3", 1485),
        ("14.8% * 200", 29.6),
        ("10 % 3", 1),
        ("100 * (1 + 5%) ** 2", 110.25),
        ("(509) + 57", -452),
        ("57 + (387)", -330),
        ("2 * (3)", 6),
        ("10 / (4)", 2.5),
        ("max(1, 234)", 234),
        ("sum(1, 2.5, (3))", 0.5),
        ("mean([2, 4])", 3),
        ("median(1, 9, 5)", 5),
        ("round(2.567, 2)", 2.57),
        ("abs(-3) + sqrt(16)", 7),
        ("7 \u00d7 6 \u2212 2", 40),
        ("2 ^ 10", 1024),
        ("007 + 1.50", 8.5),
        ("1,234,567.89 - 0.89", 1234567),
    ],
)
def test_an_expression_has_its_value(expression: str, value: float) -> None:
    assert evaluate(expression)[0] == pytest.approx(value, rel=1e-12)


def test_how_brackets_and_commas_were_read_is_said() -> None:
    assert "(509) was read as -509" in evaluate("(509) + 57")[1][0]
    assert "1,234 was read as one number" in evaluate("max(1,234)")[1][0]
    assert evaluate("1,234 * 2")[1] == []


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "cannot read"),
        ("5 million", "without units"),
        ("2 +", "cannot read"),
        ("x + 1", "'x' is not allowed"),
        ("__import__('os').system('true')", "is not allowed"),
        ("(1).__class__", "is not allowed"),
        ("[1, 2]", "is not allowed"),
        ("'a' * 5", "is not allowed"),
        ("True + 1", "'True' is not allowed"),
        ("1 if 2 else 3", "is not allowed"),
        ("eval(1)", "there is no function 'eval'; use abs"),
        ("sqrt(1, 2)", "takes 1 values, not 2"),
        ("mean()", "takes 1 to 100 values"),
        ("1 / 0", "divides by zero"),
        ("5 % 0", "divides by zero"),
        ("9 ** 9 ** 9", "too large"),
        ("2 ** 2 ** 2 ** 2 ** 2 ** 2", "too large"),
        ("1e308 * 10", "no finite real value"),
        ("(-8) ** 0.5", "no finite real value"),
        ("sqrt(-1)", "has no value"),
        ("1" + " + 1" * 300, "longer than"),
        ("1" + "+1" * 250, "too many parts"),
        ("(" * 300 + "1" + ")" * 300, "cannot read"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(expression: str, says: str) -> None:
    with pytest.raises(ToolError, match=None) as caught:
        evaluate(expression)
    assert says in str(caught.value)


@given(st.floats(-1e12, 1e12, allow_nan=False), st.floats(-1e12, 1e12, allow_nan=False))
def test_sums_agree_with_python(a: float, b: float) -> None:
    assert evaluate(f"{a!r} + {b!r}")[0] == pytest.approx(a + b, rel=1e-12, abs=1e-12)


@given(st.integers(-(10**14), 10**14))
def test_printed_integers_are_read_back(number: int) -> None:
    printed = f"({abs(number):,})" if number < 0 else f"{number:,}"
    assert evaluate(f"0 + {printed}")[0] == number
    assert format_number(number) == str(number)


def test_the_tool_gives_text_and_the_value() -> None:
    call = {"type": "tool_call", "id": "1", "name": "calculate", "args": {"expression": "0.1+0.2"}}
    message = calculate().invoke(call)
    assert message.content == "0.1+0.2 = 0.3"
    assert message.artifact == {"expression": "0.1+0.2", "value": 0.3}
