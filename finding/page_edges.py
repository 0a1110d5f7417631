"""The edges that leave a page, by relation: found inside a view, when they are asked for.

1. `next`, `previous`: the neighbours in the file.
2. `section`: pages of the same innermost section, by the outline, else by headings.
3. `refers_to`: internal links, and references (`see Note 8`) joined to where the thing is
   defined; both are stored as anchors of one document and joined here. An exhibit that the
   document does not hold may be a file of its own.
4. `continues`: the page on which a paragraph or table that breaks off goes on, and back.
5. `cites`: the document that the page names by title, file name, author and year, DOI or arXiv
   number; the page in it where the reference says one (`Note 8 of the 2021 annual report`).
6. `mentions`: pages that share a rare name with it.
7. `duplicate`: pages with nearly the same words.
8. `similar`: pages whose passages are nearest to its own.

Edges 5 to 8, and those to exhibits, cross documents. Nothing is stored as an edge, so what is
outside the view cannot matter.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from pagehop.finding.corpus import CorpusView
from pagehop.finding.document_names import DocumentNames, Named, words_around
from pagehop.finding.exhibits import Exhibits
from pagehop.finding.page_keys import PageKey, page_keys
from pagehop.finding.page_vectors import PageVectors
from pagehop.finding.references import IDENTIFIERS, References
from pagehop.finding.sections import read_sections
from pagehop.finding.terms import tokens
from pagehop.reading.anchors import Anchor
from pagehop.reading.signatures import likeness
from pagehop.types import Document, Edge, PageRef, Path, Relation

RELATIONS: tuple[Relation, ...] = (
    "refers_to", "continues", "cites", "next", "previous", "section", "duplicate", "mentions",
    "similar",
)  # fmt: skip
"""In the order that breaks ties."""
_NEIGHBOUR_WEIGHT = 0.7
_CONTINUES_WEIGHT = 0.95
_SECTION_WEIGHT = 0.6
_EXHIBIT_WEIGHT = 0.8
"""An exhibit that is a file of its own."""
_CITES_WEIGHT = 0.8
_CITED_PLACE_WEIGHT = 0.95
_CITED_NEAR = 60
"""Characters around a document's name in which `Note 8` means that document's."""
_MENTIONS_WEIGHT = 0.8
_MOST_SHARING = 24
"""Pages of the view with one name; a commoner name joins nothing."""
_SHOWN_NAMES = 4
_LEAST_MENTION = 0.1
_UNLIKE, _LIKE = 0.4, 0.7
"""Cosines of the nearest passages of two pages between which a single shared word gains weight."""
_DUPLICATE = 0.7
"""Least share of common word triples."""
_MOST_COMPARED = 24
_KEPT_PAGES = 8192
_READ_PAGES = 64
"""Pages of a document whose texts are read at once: walks come back to where they have been."""
_KEPT_DOCUMENTS = 256


class PageEdges:
    """The edges of one view; keeps what it read of the documents it was at last."""

    def __init__(self, view: CorpusView) -> None:
        self._view = view
        self._read: OrderedDict[str, _Read] = OrderedDict()
        self._named: OrderedDict[PageKey, list[tuple[Named, str, str]]] = OrderedDict()
        """Documents that a page names, with the words around them and those near them."""
        self._texts: OrderedDict[PageKey, str] = OrderedDict()
        self._finders: dict[Relation, Callable[[PageRef, Document, int], Iterable[Edge]]] = {
            "refers_to": self._refers_to,
            "continues": self._continues,
            "cites": self._cites,
            "next": self._next,
            "previous": self._previous,
            "section": self._section,
            "duplicate": self._duplicate,
            "mentions": self._mentions,
            "similar": self._similar,
        }

    def edges(self, ref: PageRef, relations: Iterable[Relation], width: int) -> list[Edge]:
        """Return the edges that leave a page, at most `width` of a relation, the best first.

        Those of similar pages have no words yet: `explained` reads them for the few that are kept.
        """
        document = self._view.document(ref.name)
        chosen = tuple(relations)
        # Several relations share the beam, so that none of them fills it alone.
        most = width if len(chosen) == 1 else (width + 1) // 2
        found: list[Edge] = []
        for relation in chosen:
            edges: dict[PageRef, Edge] = {}
            for edge in self._finders[relation](ref, document, most):
                known = edges.get(edge.target)
                # Of several reasons for one edge, the wordier tells more.
                if edge.target != ref and (known is None or _reason(known) < _reason(edge)):
                    edges[edge.target] = edge
            found += sorted(edges.values(), key=lambda e: (-e.weight, e.target))[:most]
        return found

    def prepare(self, refs: Iterable[PageRef], relations: Iterable[Relation]) -> None:
        """Read what the edges of several pages need, all at once."""
        pages = [(self._view.document(ref.name).id, ref.page) for ref in refs]
        chosen = set(relations)
        if "similar" in chosen:
            self._vectors.compare(pages)
        if "cites" in chosen:
            self._read_named(pages)

    def explained(self, paths: Iterable[Path]) -> list[Path]:
        """Return paths whose edges all have their words: those of similar pages are read last."""
        found = list(paths)
        silent = {e: None for path in found for e in path.edges if e.relation == "similar"}
        said = dict(zip(silent, self._vectors.explained(list(silent)), strict=True))
        return [replace(p, edges=tuple(said.get(e, e) for e in p.edges)) for p in found]

    def relevance(self, query: str) -> Callable[[PageRef], float]:
        """Return how near a page is to a query, 0 to 1.

        The cosine of the page's nearest passage; the share of the query's words on the page where
        there is no encoder or no vector yet.
        """
        encoder = self._view.encoder
        near = self._vectors.relevance(encoder.encode_query(query)) if encoder else {}
        wanted = set(tokens(query))
        worded: dict[PageRef, float] = {}

        def relevance(ref: PageRef) -> float:
            known = near.get((self._view.document(ref.name).id, ref.page))
            if known is not None:
                return known
            if ref not in worded:
                there = set(tokens(self._view.page(ref).text))
                worded[ref] = len(wanted & there) / max(len(wanted), 1)
            return worded[ref]

        return relevance

    def _next(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        if ref.page < document.pages:
            yield self._edge(ref, ref.page + 1, "next", _NEIGHBOUR_WEIGHT, "the page after it")

    def _previous(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        if ref.page > 1:
            yield self._edge(ref, ref.page - 1, "previous", _NEIGHBOUR_WEIGHT, "the page before it")

    def _section(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        for title, pages in self._of(document).sections.get(ref.page, {}).items():
            for page in pages:
                distance = abs(page - ref.page)
                weight = _SECTION_WEIGHT / (1 + 0.1 * max(distance - 1, 0))
                yield self._edge(ref, page, "section", weight, title)

    def _refers_to(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        references = self._of(document).references
        for lead in references.leads(ref.page):
            yield self._edge(ref, lead.page, "refers_to", lead.weight, lead.words)
        for anchor in references.refers(ref.page):
            if anchor.key.startswith("exhibit:") and not any(references.resolve(anchor)):
                yield from self._exhibits_of(ref, document, anchor)

    def _exhibits_of(self, ref: PageRef, document: Document, anchor: Anchor) -> Iterator[Edge]:
        """Yield where an exhibit is that this document does not hold: files of their own."""
        defined = self._view.snapshot.anchors(keys=[anchor.key])
        headed = [a.document for a in defined if a.role == "defines" and a.page == 1]
        for exhibit in self._exhibits.find(anchor.key, document.id, headed):
            found = self._view.document(self._view.names[exhibit.document])
            words = f"{anchor.words} -> {found.title or found.source}"
            weight = round(_EXHIBIT_WEIGHT * exhibit.certainty, 4)
            yield Edge(ref, PageRef(found.name, 1), "refers_to", weight, words)

    def _continues(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        for anchor in self._of(document).continued:
            after = int(anchor.key.partition(":")[2])
            if anchor.page == ref.page:
                yield self._edge(ref, after, "continues", _CONTINUES_WEIGHT, anchor.words)
            elif after == ref.page:
                words = f"continued from: {anchor.words}"
                yield self._edge(ref, anchor.page, "continues", _CONTINUES_WEIGHT, words)

    def _cites(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        page = (document.id, ref.page)
        self._read_named([page])
        for named, said, beside in self._named[page]:
            cited = self._view.document(named.document)
            yield Edge(
                ref, PageRef(cited.name, 1), "cites", round(_CITES_WEIGHT * named.certainty, 4),
                f'"{said}" -> {cited.title or cited.source}',
            )  # fmt: skip
            for anchor in self._cited_places(ref, document, beside):
                for lead in self._of(cited).references.resolve(anchor):
                    weight = round(_CITED_PLACE_WEIGHT * named.certainty * lead.weight, 4)
                    target = PageRef(cited.name, lead.page)
                    yield Edge(ref, target, "cites", weight, f'"{said}" -> {lead.words}')
        yield from self._identified(ref, document)

    def _read_named(self, pages: Sequence[PageKey]) -> None:
        """Find the documents that some pages name; kept for the pages walked last."""
        fresh = [page for page in pages if page not in self._named]
        texts = self._read_texts(fresh)
        for page in fresh:
            text = texts[page]
            self._named[page] = [
                (
                    named,
                    words_around(text, named),
                    " ".join(
                        text[max(named.start - _CITED_NEAR, 0) : named.end + _CITED_NEAR].split()
                    ),
                )
                for named in self._names.find(text)
                if named.document != page[0]
            ]
        while len(self._named) > max(_KEPT_PAGES, len(pages)):
            self._named.popitem(last=False)

    def _read_texts(self, pages: Sequence[PageKey]) -> dict[PageKey, str]:
        """Return the texts of some pages; pages around them are read with them and kept."""
        found = {page: self._texts[page] for page in pages if page in self._texts}
        near = {(id, (n - 1) // _READ_PAGES) for id, n in pages if (id, n) not in found}
        if near:
            around = [(id, i * _READ_PAGES + n + 1) for id, i in near for n in range(_READ_PAGES)]
            read = dict.fromkeys(pages, "") | self._view.snapshot.texts(around)
            self._texts.update(read)
            found = read | found
        while len(self._texts) > max(_KEPT_PAGES, len(pages)):
            self._texts.popitem(last=False)
        return found

    def _cited_places(self, ref: PageRef, document: Document, beside: str) -> Iterator[Anchor]:
        """Yield the references of a page that stand beside a document's name."""
        for anchor in self._of(document).references.refers(ref.page):
            if anchor.words in beside and not anchor.key.startswith(IDENTIFIERS):
                yield anchor

    def _identified(self, ref: PageRef, document: Document) -> Iterator[Edge]:
        refers = [
            anchor
            for anchor in self._of(document).references.refers(ref.page)
            if anchor.key.startswith(IDENTIFIERS)
        ]
        if not refers:
            return
        for own in self._view.snapshot.anchors(keys=[anchor.key for anchor in refers]):
            if own.role == "defines" and own.document != document.id:
                name = self._view.names.get(own.document)
                if name is not None:
                    target = PageRef(name, own.page)
                    yield Edge(ref, target, "cites", _CITED_PLACE_WEIGHT, f"{own.words}")

    def _mentions(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        words = self._of(document).names.get(ref.page)
        if words is None:
            return
        shared: dict[PageKey, dict[str, float]] = {}
        for name in words.split("\n"):
            for key in page_keys("mentions", name):
                pages = self._pages_with(key, _MOST_SHARING + 1)
                if not 2 <= len(pages) <= _MOST_SHARING:
                    continue
                common = max(len(pages), self._commonness(name))
                if common > _MOST_SHARING:
                    continue
                for other in pages:
                    if other != (document.id, ref.page):
                        shared.setdefault(other, {})[name] = 1 / math.sqrt(common - 1)
        alike = self._vectors.likeness((document.id, ref.page), list(shared))
        for ((target, page), weights), near in zip(shared.items(), alike, strict=True):
            # The more names, and the rarer, the less is left apart; parts of a name add nothing.
            names = [n for n in weights if not any(n != o and n in o for o in weights)]
            sure = _certainty(names, near, same=target == document.id)
            apart = math.prod(1.0 - _MENTIONS_WEIGHT * weights[name] for name in names)
            weight = round(_MENTIONS_WEIGHT * sure * (1.0 - apart), 4)
            if weight >= _LEAST_MENTION:
                said = ", ".join(names[:_SHOWN_NAMES])
                yield Edge(ref, PageRef(self._view.names[target], page), "mentions", weight, said)

    def _commonness(self, name: str) -> int:
        """Return in how many passages the rarest word of a name stands, written large or small."""
        df = self._view.snapshot.statistics().df
        return min((df.get(term, 0) for term in tokens(name)), default=0)

    def _duplicate(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        signed = self._of(document).signatures.get(ref.page)
        if signed is None:
            return
        found: dict[PageKey, None] = {}
        for key in page_keys("resembles", signed):
            found.update(dict.fromkeys(self._pages_with(key, _MOST_COMPARED)))
        found.pop((document.id, ref.page), None)
        for target, page in list(found)[:_MOST_COMPARED]:
            there = PageRef(self._view.names[target], page)
            other = self._of(self._view.document(there.name)).signatures.get(page, "")
            alike = likeness(signed, other)
            if alike >= _DUPLICATE:
                words = f"about {alike:.0%} of their word triples are the same"
                yield Edge(ref, there, "duplicate", round(alike, 4), words)

    def _pages_with(self, key: str, most: int) -> list[PageKey]:
        return self._view.snapshot.page_keys.pages_with(key, most, self._view.names)

    @cached_property
    def _exhibits(self) -> Exhibits:
        return Exhibits(self._view.documents())

    @cached_property
    def _names(self) -> DocumentNames:
        return DocumentNames(self._view.documents())

    def _of(self, document: Document) -> "_Read":
        known = self._read.get(document.id)
        if known is None:
            known = self._read[document.id] = _Read(self._view, document)
        while len(self._read) > _KEPT_DOCUMENTS:
            self._read.popitem(last=False)
        return known

    def _similar(self, ref: PageRef, document: Document, most: int) -> Iterator[Edge]:
        near = [
            (PageRef(self._view.names[target], page), cosine)
            for (target, page), cosine in self._vectors.nearest((document.id, ref.page))
        ]
        # Half of them in other documents, where there are such: the same text of another year.
        inside = [item for item in near if item[0].name == ref.name]
        across = [item for item in near if item[0].name != ref.name]
        kept = max(most - most // 2, most - len(across))
        for target, cosine in (*inside[:kept], *across[: most - min(kept, len(inside))]):
            yield Edge(ref, target, "similar", round(min(cosine, 1.0), 4), "")

    @cached_property
    def _vectors(self) -> PageVectors:
        return PageVectors(self._view)

    def _edge(self, ref: PageRef, page: int, relation: Relation, weight: float, words: str) -> Edge:
        return Edge(ref, replace(ref, page=page), relation, round(weight, 4), words)


class _Read:
    """What one document brings to the graph, each part read when it is first asked for."""

    def __init__(self, view: CorpusView, document: Document) -> None:
        self._view = view
        self._document = document

    @cached_property
    def _anchors(self) -> list[Anchor]:
        return self._view.snapshot.anchors((self._document.id,))

    @cached_property
    def references(self) -> References:
        return References(self._document, self._anchors)

    @cached_property
    def sections(self) -> dict[int, dict[str, list[int]]]:
        return read_sections(self._view, self._document)

    @cached_property
    def continued(self) -> list[Anchor]:
        return [anchor for anchor in self._anchors if anchor.role == "continues"]

    @cached_property
    def names(self) -> dict[int, str]:
        return {a.page: a.words for a in self._anchors if a.role == "mentions"}

    @cached_property
    def signatures(self) -> dict[int, str]:
        return {a.page: a.words for a in self._anchors if a.role == "resembles"}


def _certainty(names: Sequence[str], near: float | None, *, same: bool) -> float:
    """Return how sure it is that names on two pages mean the same thing, 0 to 1.

    A single word (`German`, `Steven`) says so only where the pages are about like things, all the
    more in two documents; two names, a name of several words or a code say so by themselves.
    """
    alone = len(names) == 1 and " " not in names[0] and not any(map(str.isdigit, names[0]))
    if near is None:
        return 0.5 if alone else 1.0
    context = (near - _UNLIKE) / (_LIKE - _UNLIKE)
    if same:
        context += 0.5
    return min(max(context, 0.0 if alone else 0.6), 1.0)


def _reason(edge: Edge) -> tuple[float, int]:
    return edge.weight, len(edge.words)
