"""Wrong arguments of public functions: one error that names the argument and what it takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pagehop
from pagehop.errors import ConfigError, PagehopError
from pagehop.interfaces.cli_library import opened
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import PageRef

Call = Callable[[Library, View, PageRef, Any], object]
CALLS: dict[str, Call] = {
    "path": lambda library, view, ref, odd: Library(odd, create=False).close(),
    "encoder": lambda library, view, ref, odd: Library(library.path, encoder=odd).close(),
    "sources": lambda library, view, ref, odd: library.add(odd),
    "labels": lambda library, view, ref, odd: library.view(odd),
    "name": lambda library, view, ref, odd: library.remove(odd),
    "version": lambda library, view, ref, odd: library.at(odd),
    "timeout_s": lambda library, view, ref, odd: library.wait(odd),
    "query": lambda library, view, ref, odd: library.search(odd, mode="keyword"),
    "k": lambda library, view, ref, odd: view.search("sales", k=odd, mode="keyword"),
    "documents": lambda library, view, ref, odd: view.search("a", mode="keyword", documents=odd),
    "kinds": lambda library, view, ref, odd: view.search("a", mode="keyword", kinds=odd),
    "pages": lambda library, view, ref, odd: view.search("a", mode="keyword", pages=odd),
    "metadata": lambda library, view, ref, odd: view.search("a", mode="keyword", metadata=odd),
    "mode": lambda library, view, ref, odd: view.search("a", mode=odd),
    "PageRef": lambda library, view, ref, odd: view.page(odd),
    "box": lambda library, view, ref, odd: view.crop(ref, odd, max_pixels=100),
    "max_pixels": lambda library, view, ref, odd: view.crop(ref, (0, 0, 0, 0), max_pixels=odd),
    "relations": lambda library, view, ref, odd: view.walk(ref, relations=odd),
    "hops": lambda library, view, ref, odd: view.walk(ref, hops=odd),
    "width": lambda library, view, ref, odd: view.walk(ref, width=odd),
    "quote": lambda library, view, ref, odd: view.locate(ref, odd),
    "view": lambda library, view, ref, odd: pagehop.toolset(odd),
    "images": lambda library, view, ref, odd: pagehop.toolset(view, images=odd),
    "Budget": lambda library, view, ref, odd: pagehop.Budget(steps=odd),
    "question": lambda library, view, ref, odd: pagehop.ask(odd, view),
    "ask": lambda library, view, ref, odd: pagehop.ask("What?", odd),
    "budget": lambda library, view, ref, odd: pagehop.ask("What?", view, budget=odd),
}
WRONG = st.one_of(
    st.floats(),
    st.binary(),
    st.builds(object),
    st.just(len),
    st.dictionaries(st.text(), st.none()),
    st.lists(st.none() | st.floats() | st.binary(), min_size=1),
)
"""What none of them takes, but for empty mappings and numbers of seconds."""


@pytest.fixture(scope="module")
def ref(view: View) -> PageRef:
    """The first page."""
    return PageRef(view.documents()[0].name, 1)


@pytest.mark.parametrize("name", CALLS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(odd=WRONG)
def test_odd_values_never_end_in_a_bare_error(
    library: Library, view: View, ref: PageRef, name: str, odd: object
) -> None:
    """Only `ask` and `Budget` said what they take; the rest ended in a TypeError of Python."""
    try:
        CALLS[name](library, view, ref, odd)
    except PagehopError as error:
        assert str(error)


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_argument_is_named_with_what_it_takes(
    library: Library, view: View, ref: PageRef, name: str
) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        CALLS[name](library, view, ref, object())
    assert "object" in str(caught.value) or name in ("ask", "question")


def test_a_bare_text_is_no_list_of_names(view: View) -> None:
    with pytest.raises(ConfigError, match=r"documents='acme': give a list of names"):
        view.search("sales", documents="acme")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"labels": 5}, r"labels=5: give a set of words"),
        ({"metadata": [1]}, r"metadata=\[1\]: give a mapping"),
        ({"password": b"x"}, r"password=b'x': give a text"),
        ({"progress": "yes"}, r"progress='yes': give True, False or a function"),
    ],
)
def test_add_names_the_argument_it_cannot_use(
    library: Library, tmp_path: Path, arguments: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        library.add(tmp_path, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["s3://bucket/library", "gs://bucket", "az://store/reports"])
def test_addresses_of_object_stores_are_refused_in_words(library: Library, address: str) -> None:
    """They were taken as names of folders: `s3:/bucket` below the present one."""
    told = "only folders of this machine can be read"
    with pytest.raises(ConfigError, match=told):
        Library(address)
    with pytest.raises(ConfigError, match=told):
        Library(Path(address))
    with pytest.raises(ConfigError, match=told):
        library.add(["reports", address])
    with pytest.raises(ConfigError, match=told):
        pagehop.ask("What?", address)
    with pytest.raises(ConfigError, match=told), opened(address):
        pass
