"""Views: what is outside of one changes no byte of what it shows."""

import json
import random
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest

from pagehop.errors import PagehopError
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import Mode, PageRef

WORDS = "granite harbour turbine ledger orchard copper signal meadow".split()
WritePage = Callable[..., None]
MODES: tuple[Mode, ...] = ("keyword", "semantic", "hybrid")
QUERIES = ("copper turbine", "ledger of the orchard", "signal 2021", "zebra")


def _write(write_page: WritePage, path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    paragraphs = [
        f"{' '.join(rng.choices(WORDS, k=12))} {rng.randint(2018, 2023)}. See Note {i}."
        for i in range(1, 4)
    ]
    write_page(path, *paragraphs, f"Note 2. {' '.join(rng.choices(WORDS, k=6))}")


def _said(read: Callable[[], object]) -> str:
    try:
        return repr(read())
    except PagehopError as error:
        return f"{type(error).__name__}: {error}"


def read_everything(view: View) -> str:
    """Return all that a view shows, as one text."""
    shown: dict[str, object] = {"documents": [repr(d) for d in view.documents()]}
    for query in QUERIES:
        for mode in MODES:
            hits = view.search(query, mode=mode, k=5)
            rows = [(h.name, h.page, h.box, h.text, h.score, dict(h.scores)) for h in hits]
            shown[f"{mode} {query}"] = (rows, hits.embedded, hits.note)
    for document in view.documents():
        for number in range(1, document.pages + 1):
            ref = PageRef(document.name, number)
            shown[f"page {ref}"] = repr(view.page(ref))
            shown[f"regions {ref}"] = [asdict(region) for region in view.regions(ref)]
            shown[f"walk {ref}"] = repr(view.walk(ref, hops=2, query=QUERIES[0]))
    for name in ("report", "secret", "report_1", "nothing like it", "reprot"):
        shown[f"find {name}"] = _said(partial(view.document, name))
        shown[f"read {name}"] = _said(partial(view.page, PageRef(name, 9)))
        shown[f"in {name}"] = _said(partial(view.search, "copper", documents=[name]))
    snapshot = view.snapshot
    shown["statistics"] = repr(snapshot.statistics())
    shown["vectors"] = snapshot.vectors().matrix.tobytes().hex()[:4000]
    return json.dumps(shown, default=str, sort_keys=True)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_documents_outside_a_view_change_no_byte_of_what_it_reads(
    seed: int, tmp_path: Path, write_page: WritePage
) -> None:
    """Adds, changes and removes documents of other labels; names clash and words are shared."""
    rng = random.Random(seed)
    with Library(tmp_path / "lib") as library:
        for i in range(2):
            _write(write_page, tmp_path / "mine" / f"{i}" / "report.pdf", i)
        _write(write_page, tmp_path / "open" / "notes.pdf", 7)
        _write(write_page, tmp_path / "secret0" / "report.pdf", 50)
        library.add(tmp_path / "secret0", labels={"secret"})
        library.add(tmp_path / "mine", labels={"mine"})
        library.add(tmp_path / "open")
        mine = frozenset({"mine"})
        expected = read_everything(library.view(labels=mine))
        assert "harbour" in expected
        for step in range(4):
            folder = tmp_path / f"secret{step}"
            labels = rng.choice([{"secret"}, {"mine", "secret"}, {"other"}])
            if folder.exists() and rng.random() < 0.4:
                library.remove(_outside(library, mine))
            else:
                _write(write_page, folder / "report.pdf", 100 * seed + step)
                _write(write_page, folder / "zebra.pdf", 200 * seed + step)
                library.add(folder, labels=labels)
            assert read_everything(library.view(labels=mine)) == expected, (step, labels)


def _outside(library: Library, labels: frozenset[str]) -> str:
    return next(d.id for d in library.documents() if not d.labels <= labels)


def test_a_document_is_visible_iff_its_labels_are_a_subset(
    tmp_path: Path, write_page: WritePage
) -> None:
    sets: tuple[set[str], ...] = (set(), {"a"}, {"b"}, {"a", "b"})
    with Library(tmp_path / "lib") as library:
        for i, labels in enumerate(sets):
            write_page(tmp_path / f"{i}.pdf", f"Page {i}.")
            library.add(tmp_path / f"{i}.pdf", labels=labels)
        for seen in (*sets, {"a", "b", "c"}):
            expected = [str(i) for i, labels in enumerate(sets) if labels <= seen]
            assert [d.name for d in library.view(labels=seen).documents()] == expected
        assert len(library.documents()) == 4
        hidden = library.documents()[3].id
        view = library.view(labels={"a"})
        assert view.snapshot.pages(hidden) == []
        assert view.snapshot.regions(hidden) == []
        every = library.view().snapshot.regions(hidden)
        assert every and view.snapshot.regions_by_id([every[0].id]) == {}
        assert view.snapshot.anchors([hidden]) == []
        with pytest.raises(PagehopError, match="in this view"):
            view.snapshot.source_path(hidden)
