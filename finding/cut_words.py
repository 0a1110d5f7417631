"""Words that the end of a line cut: joined again, or left hyphened where they are so elsewhere."""

import re

_CUT_WORD = re.compile(r"\b(\w*[^\W\d_]{2})[-\u00ad]\n([^\W\d_]{2,}\w*)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def mended(text: str, page: str = "") -> str:
    """Return a text with the words joined that its lines cut.

    Args:
        text: Lines.
        page: More text, in which words may stand whole.
    """
    known: set[str] = set()

    def join(found: re.Match[str]) -> str:
        first, rest = found[1], found[2]
        if not known:
            known.update(word.casefold() for word in _WORD.findall(f"{text}\n{page}"))
        hyphened = f"{first}-{rest}".casefold() in known or not rest[0].islower()
        return f"{first}-{rest}" if hyphened else first + rest

    return _CUT_WORD.sub(join, text)
