"""Slugs: the short names of documents that a model reads and writes."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import PurePosixPath

from pagehop.errors import LibraryError
from pagehop.types import Document

MAX_SLUG = 60


def slug(source: str) -> str:
    """Return a name made of the source's file name: letters, digits, `_`, `-` and `.`."""
    stem = PurePosixPath(source).stem
    words = re.sub(r"[^\w.-]+", "_", stem).strip("_.")
    return words[:MAX_SLUG].rstrip("_.") or "document"


def name_words(source: str) -> str:
    """Return the words of a file name, as they go before each text for indexing."""
    return re.sub(r"[\W_]+", " ", PurePosixPath(source).stem).strip()


def name_uniquely(documents: Sequence[Document]) -> list[Document]:
    """Keep the bare slug for the first added; give later ones digits of their hash.

    Args:
        documents: First added first, each named by its bare slug.
    """
    taken: set[str] = set()
    bare = Counter(document.name for document in documents)
    named = []
    for document in documents:
        name, digits = document.name, 0
        while name in taken or (digits and name in bare):
            digits += 4
            name = f"{document.name}_{document.id[:digits]}"
        taken.add(name)
        named.append(replace(document, name=name))
    return named


def find_document(documents: Iterable[Document], name: str) -> Document:
    """Find a document by slug, source name or id; case matters only between equals.

    Raises:
        LibraryError: None or several have that name; names the nearest.
    """
    wanted = name.strip()
    every = list(documents)
    for document in every:
        if wanted in (document.name, document.id):
            return document
    exact = [d for d in every if wanted in d.sources]
    found = exact or [d for d in every if wanted.lower() in _spellings(d)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(d.name for d in found[:5])
        raise LibraryError(f"{name!r} names several documents: {names}; use one of these")
    raise LibraryError(f"there is no document {name!r}; {_nearest(every, wanted)}")


def meant_sources(document: Document, name: str) -> tuple[str, ...]:
    """Return the sources of a document that a name is about: its id means all of them.

    Args:
        document: What `find_document` found by that name.
        name: A slug, which is made of the first source, a source name, or an id.
    """
    wanted = name.strip()
    if wanted == document.id:
        return document.sources
    if wanted in document.sources:
        return (wanted,)
    if wanted.lower() == document.name.lower():
        return document.sources[:1]
    return tuple(s for s in document.sources if wanted.lower() in _source_spellings(s))


def _source_spellings(source: str) -> set[str]:
    path = PurePosixPath(source.lower())
    return {str(path), path.name, path.stem}


def _spellings(document: Document) -> set[str]:
    names = {document.name.lower()}
    for source in document.sources:
        names |= _source_spellings(source)
    return names


def _nearest(documents: Sequence[Document], wanted: str) -> str:
    if not documents:
        return "nothing is indexed yet"
    by_key = {d.name.lower(): d.name for d in documents}
    near = get_close_matches(slug(wanted).lower(), list(by_key), n=3, cutoff=0.5)
    if near:
        return "nearest names: " + ", ".join(by_key[key] for key in near)
    shown = ", ".join(d.name for d in documents[:3])
    more = f" and {len(documents) - 3} more" if len(documents) > 3 else ""
    return f"there are: {shown}{more}"
