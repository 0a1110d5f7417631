"""The tool `calculate`: exact arithmetic, so that no number of an answer is made up."""

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable, Sequence

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.errors import ToolError
from pagehop.tools.tool import Arguments, Result, make_tool

_LONGEST = 1000
_MOST_NODES = 400
_MOST_BITS = 1024
_SYMBOLS = str.maketrans({"\u00d7": "*", "\u00f7": "/", "\u2212": "-", "\u2013": "-", "^": "**"})
_CURRENCY = re.compile(r"[$\u20ac\u00a3\u00a5]\s*(?=[\d.(])")
_THOUSANDS = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_BRACKETED = re.compile(rf"(?<![\w)*/%])(?<![*/%] )\(\s*({_NUMBER})\s*\)")
_PERCENT = re.compile(r"%(?!\s*[\w(.])")

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda base, exponent: _power(base, exponent),
}
_FUNCTIONS: dict[str, tuple[Callable[..., float], int, int]] = {
    "abs": (abs, 1, 1),
    "round": (lambda x, digits=0: round(x, int(digits)), 1, 2),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
    "log": (math.log, 1, 2),
    "log10": (math.log10, 1, 1),
    "exp": (math.exp, 1, 1),
    "min": (lambda *xs: min(xs), 1, 100),
    "max": (lambda *xs: max(xs), 1, 100),
    "sum": (
        lambda *xs: math.fsum(xs) if any(isinstance(x, float) for x in xs) else sum(xs),
        1,
        100,
    ),
    "mean": (lambda *xs: statistics.mean(xs), 1, 100),
    "median": (lambda *xs: statistics.median(xs), 1, 100),
}
"""Function, fewest and most arguments; a list in square brackets counts as its values."""


class CalculateArguments(Arguments):
    """Arguments of `calculate`."""

    expression: str = Field(description='e.g. "(41,208 - 39,512) / 39,512 * 100"')


def calculate() -> BaseTool:
    """Make the tool."""

    def calculate(expression: str) -> Result:
        """Compute every number you derive: + - * / **, round(x, 2), sum(1,482, 93), mean, max.

        Numbers as printed: 1,482 and 14.8% (= 0.148); a lone (1,482) is negative. No units.

        Differences, sums, ratios, growth, averages: never compute them yourself. Also // and %,
        parentheses, abs floor ceil sqrt log log10 exp median; a space after the commas between
        arguments. Keep track of millions and currencies yourself. Returns `expression = value`;
        an answer may state that value.
        """
        value, notes = evaluate(expression)
        shown = format_number(value)
        text = "\n".join([f"{' '.join(expression.split())} = {shown}", *notes])
        return Result(text, {"expression": expression, "value": float(shown)})

    return make_tool(calculate, CalculateArguments)


def evaluate(expression: str) -> tuple[float, list[str]]:
    """Compute an expression; returns its value and how ambiguous numbers were read.

    Raises:
        ToolError: It cannot be read, is too large, or has no finite real value.
    """
    if len(expression) > _LONGEST:
        raise ToolError(f"the expression is longer than {_LONGEST} characters; compute it in parts")
    code, notes = _as_code(expression)
    try:
        tree = ast.parse(code, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError(f"cannot read {expression!r}{_pointer(error, code)}; {_RULES}") from error
    if sum(1 for _ in ast.walk(tree)) > _MOST_NODES:
        raise ToolError("the expression has too many parts; compute it in several calls")
    try:
        value = _value(tree.body)
    except ZeroDivisionError as error:
        raise ToolError(f"{expression!r} divides by zero; check the divisor") from error
    except (OverflowError, ValueError, TypeError, statistics.StatisticsError) as error:
        raise ToolError(f"{expression!r} has no value: {error}") from error
    if isinstance(value, complex) or not math.isfinite(value):
        raise ToolError(f"{expression!r} has no finite real value; check its parts")
    return value, notes


def operands(expression: str) -> list[float]:
    """Return the numbers that an expression works on, without signs and numbers of digits.

    Raises:
        ToolError: It cannot be read.
    """
    try:
        tree = ast.parse(_as_code(expression)[0], mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError(f"cannot read {expression!r}; {_RULES}") from error
    digits = {
        id(node.args[1])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and len(node.args) == 2 and _is_round(node.func)
    }
    return [
        float(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and id(node) not in digits
    ]


def _is_round(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id.casefold() == "round"


_RULES = (
    "write numbers, + - * / % **, parentheses and functions only, without units or names, "
    'e.g. "(1,482 - 1,290) / 1,290 * 100"'
)


def _as_code(expression: str) -> tuple[str, list[str]]:
    """Turn numbers as pages print them into numbers as code has them."""
    notes = []
    code = " ".join(_CURRENCY.sub("", expression.translate(_SYMBOLS)).split())
    if re.search(r"[a-z]\s*\(", code):
        notes += [
            f"note: {number} was read as one number; put a space after commas between arguments"
            for number in _THOUSANDS.findall(code)
        ]
    code = _THOUSANDS.sub(lambda match: match.group().replace(",", ""), code)
    for number in _BRACKETED.findall(code):
        notes.append(
            f"note: ({number}) was read as -{number}, as in financial tables; "
            "leave the brackets away if it is positive"
        )
    code = _BRACKETED.sub(r"(-\1)", code)
    # Leading zeros are an error in code and common in print.
    code = re.sub(r"(?<![\w.])0+(?=\d)", "", code)
    return _PERCENT.sub("*0.01", _percent_literals(code)), notes


def _percent_literals(code: str) -> str:
    """Divide printed percentages by 100 without losing digits: 14.8% is (14.8/100)."""
    return re.sub(rf"(?<![\w.])({_NUMBER})\s*%(?!\s*[\w(.])", r"(\1/100)", code)


def _pointer(error: BaseException, code: str) -> str:
    offset = error.offset if isinstance(error, SyntaxError) else None
    return f" near {code[max(offset - 1, 0) :][:12]!r}" if offset and code[offset - 1 :] else ""


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return node.value
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _call(node.func.id, node.args)
    written = ast.unparse(node)
    raise ToolError(f"{written[:60]!r} is not allowed in an expression; {_RULES}")


def _call(name: str, arguments: Sequence[ast.expr]) -> float:
    if name.casefold() not in _FUNCTIONS:
        raise ToolError(f"there is no function {name!r}; use {', '.join(_FUNCTIONS)}")
    function, fewest, most = _FUNCTIONS[name.casefold()]
    spread: list[ast.expr] = []
    for argument in arguments:
        listed = isinstance(argument, ast.List | ast.Tuple)
        spread += argument.elts if listed else [argument]  # type: ignore[attr-defined]
    if not fewest <= len(spread) <= most:
        allowed = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise ToolError(f"{name} takes {allowed} values, not {len(spread)}")
    return function(*(_value(argument) for argument in spread))


def _power(base: float, exponent: float) -> float:
    """Raise to a power whose result stays small: 9**9**9 would run for hours."""
    if base and abs(exponent) * abs(math.log2(abs(base))) > _MOST_BITS:
        raise OverflowError("the power is too large")
    power: float = base**exponent
    return power


def format_number(value: float) -> str:
    """Return a number with at most 12 significant digits, without an exponent where it is short."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.12g}"
