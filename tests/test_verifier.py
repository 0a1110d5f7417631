"""The verifier by rules: what supports a claim, and what does not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pagehop.agents.moves import Call, Claim, Context, Draft, Observation, Verdict
from pagehop.agents.verifier import RuleVerifier
from pagehop.answers import Evidence
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import PageRef

TABLE = "Purchases of property (1,577) (1,373)"
RATE = "The tax rate was 21.4% in 2018 and 24.0 in 2017."
LOSS = "The net loss amounted to $2.5 million."
QUOTES = {"E1": TABLE, "E2": RATE, "E3": LOSS}


@pytest.fixture(scope="module")
def page_view(
    tmp_path_factory: pytest.TempPathFactory, write_page: Callable[..., None]
) -> Iterator[View]:
    """One page: a table in millions, a rate, a loss."""
    folder = tmp_path_factory.mktemp("figures")
    head = "Cash flows of Veldt Mining (in millions), years 2018 and 2017; see Note 8."
    write_page(folder / "veldt 2018.pdf", head, TABLE, RATE, LOSS, title="Veldt")
    with Library(tmp_path_factory.mktemp("library")) as library:
        library.add(folder)
        yield library.view()


def evidence(view: View, name: str) -> Evidence:
    document = view.documents()[0]
    ref = PageRef(document.name, 1)
    located = view.locate(ref, QUOTES[name])
    assert located is not None
    return Evidence(
        name, ref, document.source, document.id, QUOTES[name], located.box, "s1c1", 1.0, "Q1"
    )


def calculation(name: str, expression: str, value: float) -> Observation:
    call = Call("calculate", {"expression": expression}, name)
    artifact = {"expression": expression, "value": value}
    return Observation(call, True, f"{expression} = {value}", artifact)


async def verdict(view: View, *claims: Claim, question: str = "How much?") -> Verdict:
    context = Context(
        question=question,
        view=view,
        evidence=tuple(evidence(view, name) for name in QUOTES),
        calculations=(
            calculation("s2c1", "1577 - 1373", 204.0),
            calculation("s2c2", "1577 / 1373", 1577 / 1373),
            calculation("s2c3", "204 / 1373", 204 / 1373),
            calculation("s2c4", "(1577 + 1373) / 2", 1475.0),
            calculation("s2c5", "(1,577 / 1,373 - 1) * 100", 204 / 13.73),
            calculation("s2c6", "1577000000 - 1373000000", 204e6),
            calculation("s2c7", "1577 / 2", 788.5),
            calculation("s2c8", "1577 - 1370", 207.0),
            calculation("s2c10", "1577 - 1373 + 2", 206.0),
            calculation("s2c9", "15e2 + 77", 1577.0),
            calculation("s2c11", "(1577 - 1373) / 21.4", 204 / 21.4),
        ),
        draft=Draft(claims),
    )
    return await RuleVerifier().step(context)


@pytest.mark.parametrize(
    "claim",
    [
        Claim("Purchases were 1,577.", ("E1",)),
        Claim("Purchases were $1577 million.", ("E1",)),
        Claim("Purchases were 1,577,000,000 crowns.", ("E1",)),
        Claim("Purchases came to -1,577 in 2018.", ("E1",)),
        Claim("Purchases were about 1,600 million.", ("E1",)),
        Claim("In 2018 purchases were (1,577), in 2017 (1,373); see Note 8.", ("E1",)),
        Claim("The rate was 21.4 percent.", ("E2",)),
        Claim("The rate fell from 24.0 %.", ("E2",)),
        Claim("The loss was $2,500,000.", ("E3",)),
        Claim("Veldt lost money.", ("E3",)),
        Claim("They rose by 204.", ("E1",), ("s2c1",)),
        Claim("They rose by 204 million, from 1,373 to 1,577.", ("E1",), ("s2c1",)),
        Claim("They were 1.149 times those of 2017.", ("E1",), ("s2c2",)),
        Claim("They rose by 14.9 %.", ("E1",), ("s2c3",)),
        Claim("They rose by about 15 %.", ("E1",), ("s2c3",)),
        Claim("They rose by 9.5 %.", ("E1", "E2"), ("s2c11",)),
        Claim("On average they were 1,475.", ("E1",), ("s2c4",)),
        Claim("They rose by 14.86 %.", ("E1",), ("s2c5",)),
        Claim("Multiplied out, they rose by 204,000,000.", ("E1",), ("s2c6",)),
    ],
)
async def test_supported_claims_are_kept(page_view: View, claim: Claim) -> None:
    made = await verdict(page_view, claim)
    assert made.kept == (claim,), made.removed


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (Claim("Purchases were 1,578.", ("E1",)), "1,578"),
        (Claim("Purchases were 1,577 billion.", ("E1",)), "1,577 billion"),
        (Claim("Purchases were 1,600.", ("E1",)), "1,600"),
        (Claim("Purchases were 1,577.", ("E2",)), "1,577"),
        (Claim("The rate was 21.4.", ("E1", "E3")), "21.4"),
        (Claim("Purchases were 2.5 thousand.", ("E3",)), "2.5 thousand"),
        (Claim("The rate was 24.4 %.", ("E2",)), "24.4"),
        (Claim("They rose by 205.", ("E1",), ("s2c1",)), "205"),
        (Claim("They rose by 15 %.", ("E1",), ("s2c3",)), "15 % is a rounded result; write about"),
        (Claim("They rose by 9.4 %.", ("E1", "E2"), ("s2c11",)), "9.4 % is in none"),
        (Claim("They rose by 204.", (), ("s2c1",)), "1577 in '1577 - 1373' stands in none"),
        (Claim("They rose by 204.", ("E2",), ("s2c1",)), "1577 in '1577 - 1373' stands in none"),
        (Claim("They rose by 14.9 %.", ("E2",), ("s2c3",)), "204 in '204 / 1373' stands in none"),
        (Claim("Half is 788.5.", ("E1",), ("s2c7",)), "2 in '1577 / 2' stands in none"),
        (Claim("It is 206.", ("E1",), ("s2c10",)), "2 in '1577 - 1373 + 2' stands in none"),
        (Claim("They rose by 207.", ("E1",), ("s2c8",)), "1370 in '1577 - 1370' stands in none"),
        (Claim("It is 1577.", ("E1",), ("s2c9",)), "1500 in '15e2 + 77' stands in none"),
        (Claim("In 1999 purchases were 1,577.", ("E1",)), "1999"),
        (Claim("It was so.", ()), "neither evidence nor a calculation"),
        (Claim("It was so.", ("E9",)), "E9 is no evidence"),
        (Claim("It was so.", (), ("s9c9",)), "s9c9 is no evidence or calculation"),
        (Claim("  ", ("E1",)), "says nothing"),
    ],
)
async def test_unsupported_claims_are_removed_with_the_reason(
    page_view: View, claim: Claim, reason: str
) -> None:
    made = await verdict(page_view, claim)
    assert not made.kept
    assert reason in made.removed[0][1]
    assert made.missing == claim.text


async def test_a_quote_that_does_not_stand_on_its_page_carries_nothing(page_view: View) -> None:
    claim = Claim("Veldt lost money.", ("E1",))
    false = replace(evidence(page_view, "E3"), id="E1", quote="Veldt made a profit of $2.5 million")
    context = Context("?", page_view, evidence=(false,), draft=Draft((claim,)))
    made = await RuleVerifier().step(context)
    assert made.removed == ((claim, "its quote is not on veldt_2018:1"),)


async def test_numbers_of_the_question_may_name_a_year(page_view: View) -> None:
    claim = Claim("In 1999 purchases were 1,577.", ("E1",))
    made = await verdict(page_view, claim, question="What were they in 1999?")
    assert made.kept == (claim,)


async def test_a_number_may_be_part_of_a_name_that_is_asked_about(
    tmp_path: Path, write_page: Callable[..., None]
) -> None:
    """A claim about the S&P 500 was removed: its quote says NASDAQ and 0.95 only."""
    quote = "NASDAQ 0.95"
    other = "The S&amp;P 500 fell. The fee is EUR 700. Sales of 800 were made."
    write_page(tmp_path / "market.pdf", quote, other)
    with Library(tmp_path / "library") as library:
        library.add(tmp_path / "market.pdf")
        view = library.view()
        document = view.documents()[0]
        ref = PageRef(document.name, 1)
        located = view.locate(ref, quote)
        assert located is not None
        item = Evidence(
            "E1", ref, document.source, document.id, quote, located.box, "s1c1", 1.0, "Q1"
        )

        async def kept(claim: str, question: str) -> bool:
            draft = Draft((Claim(claim, ("E1",)),))
            context = Context(question, view, evidence=(item,), draft=draft)
            return bool((await RuleVerifier().step(context)).kept)

        asks = "How do the S&P 500 and NASDAQ move?"
        assert await kept("The S&P 500 and NASDAQ move together at 0.95.", asks)
        assert not await kept("The S&P 600 moves with NASDAQ at 0.95.", asks)
        assert not await kept("The S&P 500 moves with it at 0.95.", "How does NASDAQ move?")
        assert not await kept("The Dow 500 moves at 0.95.", "How does the Dow 500 move?")
        assert not await kept("The fee is EUR 700.", "Is the fee EUR 700?")
        assert not await kept("It made 800 of 0.95.", "Were sales of 800 made?")


async def test_claims_are_judged_one_by_one(page_view: View) -> None:
    good, bad = Claim("Purchases were 1,577.", ("E1",)), Claim("And 12.", ("E1",))
    made = await verdict(page_view, good, bad)
    assert made.kept == (good,) and [claim for claim, _ in made.removed] == [bad]


async def test_nothing_is_asked_of_a_draft_that_says_unanswerable(page_view: View) -> None:
    context = Context("?", page_view, draft=Draft(unanswerable=True, reason="no such thing"))
    assert await RuleVerifier().step(context) == Verdict(kept=())


async def test_a_page_may_state_tables_of_several_scales(
    tmp_path: Path, write_page: Callable[..., None]
) -> None:
    """A claim of billions was removed because another table of the page is in millions."""
    rows = ("(in millions) Fees 12 11", "($ in billions) Deposits 546 503")
    write_page(tmp_path / "bank.pdf", *rows, title="Bank")
    with Library(tmp_path / "library") as library:
        library.add(tmp_path / "bank.pdf")
        view = library.view()
        document = view.documents()[0]
        ref = PageRef(document.name, 1)
        quote = "Deposits 546 503"
        located = view.locate(ref, quote)
        assert located is not None
        item = Evidence(
            "E1", ref, document.source, document.id, quote, located.box, "s1c1", 1.0, "Q1"
        )
        texts = ("Deposits were $546 billion.", "Deposits were $546 thousand.")
        context = Context(
            "How much?",
            view,
            evidence=(item,),
            draft=Draft(tuple(Claim(text, ("E1",)) for text in texts)),
        )
        given = await RuleVerifier().step(context)
    assert [claim.text for claim in given.kept] == [texts[0]]
