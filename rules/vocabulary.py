"""Closed classes of English words that the built-in rules know: no topic words, no names.

Function words, question words, months, units, scales, arithmetic vocabulary, words for documents.
"""

FUNCTION_WORDS = frozenset(
    """a about above across after again against all also am among amongst an and any are around as
    at be because been before being below between both but by can could did do does doing done
    down during each either else ever every few for from further had has have having he her here
    hers herself him himself his how however i if in indeed into is it its itself just least less
    let ll many may me might mine more most much must my myself neither no nor not now of off on
    once one only onto or other our ours ourselves out over own per please quite rather re s same
    shall she should since so some such t than that the their theirs them themselves then there
    these they this those though through throughout thus to together too toward towards under
    until up upon us ve very via was we were what when where whether which while who whom whose
    why will with within without would yet you your yours yourself""".split()
)
"""Words that carry no topic; never a search term."""

QUESTION_FRAME = frozenset(
    """according amount based compared comparison describe detail discuss describes discussed
    explain find following give given indicate information list mention mentioned name outline
    provide provided question regarding relate related report reported reports respectively say
    says show shown shows state stated summarize summarise table tell value values""".split()
)
"""Words by which a question asks, found in any document or in none; search terms of low weight."""

DOCUMENT_WORDS = frozenset(
    """annex annual article chapter document documents exhibit figure file filing filings form
    memo minutes note page paper proposal quarterly report reports section study survey table
    transcript""".split()
)
"""Words for a document or a part of one."""

NUMBER_WORDS = {
    word: i
    for i, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen twenty""".split()
    )
}
"""Small numbers written out."""

SCALES = {
    "thousand": 1e3, "thousands": 1e3, "000s": 1e3, "million": 1e6, "millions": 1e6, "mn": 1e6,
    "billion": 1e9, "billions": 1e9, "bn": 1e9, "trillion": 1e12, "trillions": 1e12,
}  # fmt: skip
"""Words that multiply the number before them, or all numbers of a table."""

SIGNED = frozenset(
    """balance change deficit difference earnings ebit ebitda equity flow flows gain income loss
    losses margin movement net profit result results return surplus""".split()
)
"""Words for quantities that may be above or below zero: a bracket around one means minus."""

MEASURES = frozenset(
    """age amount average cost count date degree distance duration extent height kind length level
    money name number order part people person percentage place position price rank rate ratio
    score size sort sum time times total type value weight width year years""".split()
)
"""Words for what is asked of a thing; a text gives it without saying them."""

HIGHEST = frozenset("biggest greatest highest largest longest maximum max most peak top".split())
LOWEST = frozenset("bottom fewest least lowest minimum min shortest smallest".split())
COMPARATIVE_UP = frozenset("bigger greater higher larger longer more exceed above".split())
COMPARATIVE_DOWN = frozenset("fewer less lower shorter smaller below".split())

OPERATION_WORDS = frozenset(
    """add added addition average averaged change changed changes combined compare compared
    comparison constitute constituted constitution constitutes contribution cumulative decline
    decrease decreased deduct delta difference differences differ differs divided drop fall gap
    grew grow growth increase increased increases margin mean multiple percent percentage
    percentages proportion range rate ratio relative represent represented represents rise share
    spread subtract sum summed times total totals up versus vs add""".split()
)
"""Words that name a calculation; as search terms they weigh little."""

SHORTENED = {
    "acc": "accuracy", "avg": "average", "max": "maximum", "min": "minimum", "nr": "number",
    "num": "number", "pct": "percentage", "prec": "precision", "prob": "probability",
    "qty": "quantity", "rec": "recall", "std": "standard", "temp": "temperature", "tot": "total",
    "vol": "volume", "wt": "weight",
}  # fmt: skip
"""Words as headings of columns cut them short; `No`, which also answers a question, is none."""
