"""A pool of pages from two searches, as many as stand out.

1. Each list is cut where a mixture of two Gaussians parts its scores.
2. Their union is filled up to a number of pages that tiles a grid: first with pages of both lists,
   then with the first list's next best.
3. Pages of a document stand together, in their order: neighbours belong together.

Source: ViDoRAG (Alibaba-NLP/ViDoRAG, arXiv 2502.18017), its constants; `finding/cuts.py` has the
same as a search strategy.
"""

from collections.abc import Mapping

import numpy as np

from pagehop.finding.cuts import TILES, gmm_cut, tile_size


def pooled(
    first: Mapping[str, float], second: Mapping[str, float], *, most: int, least: int
) -> list[str]:
    """Return the pool.

    Args:
        first: Pages with scores, best first.
        second: Of another search.
        most: Pages of each list at most.
        least: Pages of each list at least.
    """
    pool = dict.fromkeys([*_cut(first, most, least), *_cut(second, most, least)])
    for page in [*(page for page in first if page in second), *first]:
        if len(pool) >= tile_size(len(pool), TILES[-1]):
            break
        pool.setdefault(page)
    names = list(dict.fromkeys(name_of(page) for page in pool))
    return sorted(pool, key=lambda page: (names.index(name_of(page)), int(page.rpartition(":")[2])))


def name_of(page: str) -> str:
    """Return the document of a page."""
    return page.rpartition(":")[0]


def _cut(found: Mapping[str, float], most: int, least: int) -> list[str]:
    return list(found)[: gmm_cut(np.array(list(found.values())), most=most, least=least)]
