"""What a view does not show has no influence: not one byte of any tool result changes."""

import json
from pathlib import Path

from reportlab.pdfgen.canvas import Canvas

from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.tools.toolset import toolset

HALDEN = "Halden_2021_annual_report"
CALLS = [
    ("list_documents", {}),
    ("list_documents", {"filter": "orrin"}),
    ("outline", {"document": HALDEN}),
    ("outline", {"document": "Orrin 2021 annual report.pdf"}),
    ("semantic_search", {"query": "capital expenditure of the marine company", "k": 20}),
    ("semantic_search", {"query": "plant", "documents": HALDEN, "k": 3}),
    ("keyword_search", {"query": "capital expenditure Skarvoy crowns", "k": 20}),
    ("keyword_search", {"query": '"million crowns" -Porto'}),
    ("keyword_search", {"query": r"regex:\d+\.\d million"}),
    ("read_page", {"ref": f"{HALDEN}:2"}),
    ("look", {"ref": f"{HALDEN}:2", "y1": 0.5}),
    ("find_tables", {"ref": f"{HALDEN}:2"}),
    ("walk", {"ref": f"{HALDEN}:1", "hops": 3, "width": 20}),
    ("walk", {"ref": f"{HALDEN}:3", "query": "debt", "relations": "similar", "width": 20}),
    ("filter_documents", {"predicate": "pages > 1"}),
    ("aggregate", {"field": "pages", "op": "list"}),
    ("aggregate", {"field": "title", "op": "list"}),
    ("verify", {"claim": "57.3", "quote": "expenditure was 57.3 million", "ref": f"{HALDEN}:1"}),
    ("read_page", {"ref": "Orrin_2022_annual_report:1"}),
    ("filter_documents", {"predicate": "clearance = high"}),
]


def results(view: View) -> list[str]:
    """Return every tool's content, artifact and status as bytes would show them."""
    tools = {tool.name: tool for tool in toolset(view, "text")}
    found = []
    for name, arguments in CALLS:
        call = {"type": "tool_call", "id": "c", "name": name, "args": arguments}
        message = tools[name].invoke(call)
        found.append(json.dumps([name, message.status, message.content, message.artifact]))
    return found


def write_near_copy(path: Path) -> None:
    """Write a page full of the words and numbers that the visible reports hold."""
    sheet = Canvas(str(path))
    for line in range(20):
        words = (
            "Halden capital expenditure was 57.3 million crowns; plant at Skarvoy, Note 3, Table 1"
        )
        sheet.drawString(40, 780 - 20 * line, words)
    sheet.save()


def test_documents_outside_the_view_change_no_byte_of_any_result(
    pdf_folder: Path, tmp_path: Path
) -> None:
    first, second, third, fourth = sorted(pdf_folder.glob("*.pdf"))
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    write_near_copy(secrets / "Skarvoy capital expenditure.pdf")
    write_near_copy(secrets / first.name)
    twin = secrets / "twin of a visible report.pdf"
    twin.write_bytes(third.read_bytes())
    with Library(tmp_path / "library") as library:
        library.add([first, third], labels={"open"})
        before = results(library.view(labels={"open"}))
        report = library.add(
            [secrets, second, fourth], labels={"open", "secret"}, metadata={"clearance": "high"}
        )
        assert not report.failed
        during = results(library.view(labels={"open"}))
        for name in (second.name, "Skarvoy capital expenditure.pdf"):
            library.remove(name)
        after = results(library.view(labels={"open"}))
        everything = results(library.view())
    assert during == before
    assert after == before
    assert everything[0] != before[0]
