"""A role that picks some of the pages shown to it, with a reason.

Pages are named by reference, or by number in the order shown; a reply that names another one is
asked again, three times at most, as ViDoRAG does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pagehop.agents.reasoner import Unusable
from pagehop.agents.reply_schemas import choice_schema
from pagehop.graphs.blocks.step import Step

_FORM = "Reply with the JSON object."


async def pick(
    step: Step,
    role: str,
    pages: Sequence[str],
    *told: str,
    asks: str,
    words: Sequence[str] = (),
    lists: Sequence[str] = ("choice",),
    least: Sequence[str] = ("choice",),
) -> dict[str, Any]:
    """Ask a role about pages; return the fields of its reply: texts, and lists of pages.

    Args:
        step: Of the node.
        role: For the record, and the name of its prompt.
        pages: `name:page`; they are shown in this order.
        told: What it is told behind the question.
        asks: What its prompt ends with.
        words: Fields in words.
        lists: Fields that list pages.
        least: At least one of these fields is not empty, or was given as an empty list.
    """

    def read(value: Mapping[str, Any]) -> dict[str, Any]:
        if not any(name in value for name in least):
            raise Unusable(f"The object has none of {', '.join(least)}.")
        said: dict[str, Any] = {name: str(value.get(name) or "").strip() for name in words}
        return {**said, **{name: read_choice(value, name, pages) for name in lists}}

    shown = ", ".join(f"{i}. {page}" for i, page in enumerate(pages, 1))
    example = [f'"{name}": "..."' for name in words] + [f'"{lists[0]}": ["{pages[0]}"]']
    return await step.ask(
        role, "\n".join([f"Question: {step.question}", *filter(None, told)]),
        f"The pages: {shown}.\nThe question again: {step.question}\n{asks} {_FORM}",
        shows=await step.show(pages, form="image"),
        read=read, example="{" + ", ".join(example) + "}",
        schema=choice_schema(pages, words, lists, least=least[:1]),
    )  # fmt: skip


def read_choice(value: Mapping[str, Any], name: str, pages: Sequence[str]) -> list[str]:
    """Return the pages that a reply names under a key, in the order shown.

    Raises:
        Unusable: One of them was not shown.
    """
    given = value.get(name) or []
    listed = given if isinstance(given, list) else [given]
    chosen = set()
    for item in listed:
        page = _page(item, pages)
        if not page:
            raise Unusable(
                f'"{name}" has {str(item)[:60]!r}, which was not shown; the pages are '
                f"{', '.join(pages)}."
            )
        chosen.add(page)
    return [page for page in pages if page in chosen]


def _page(item: object, pages: Sequence[str]) -> str:
    written = str(item).strip(" []")
    if written in pages:
        return written
    number = int(written) if written.isdigit() else 0
    return pages[number - 1] if 1 <= number <= len(pages) else ""
