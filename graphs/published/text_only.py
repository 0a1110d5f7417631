"""text_only: a reasoner that sees no pictures drives searches and a reader of pages.

The design of VideoDeepResearch with pages for clips: retrievers find pages, a vision model answers
questions about one page that have to stand alone, because it knows nothing else.

Source: VideoDeepResearch, arXiv 2506.10821, yhy-2000/VideoDeepResearch (now VideoExplorer);
differs: pages instead of clips of 10 seconds; calls are written as the run's setting says instead
of tags with [Pause]; readings are cached; one prompt for all; the turns left are told right.
"""

from dataclasses import dataclass
from typing import ClassVar

from pagehop.graphs.blocks.policy import PolicyGraph
from pagehop.graphs.graph import Need, Shape


@dataclass(frozen=True)
class TextOnly(PolicyGraph):
    """Reason in text, look through a reader."""

    name: ClassVar[str] = "text_only"
    shape: ClassVar[Shape] = "one policy"
    source: ClassVar[str] = "VideoDeepResearch, arXiv 2506.10821, yhy-2000/VideoDeepResearch"
    needs: ClassVar[tuple[Need, ...]] = ("model", "pictures")
    why_model: ClassVar[str] = "one model decides every step, which rules cannot"
    tools: ClassVar[tuple[str, ...]] = (
        "semantic_search", "keyword_search", "look", "read_page", "outline",
    )  # fmt: skip
    blind: ClassVar[bool] = True

    turns: int = 20
