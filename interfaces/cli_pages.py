"""Commands on pages: search, page, walk."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from pagehop.errors import ConfigError
from pagehop.interfaces import cli_options
from pagehop.interfaces.cli_library import opened
from pagehop.interfaces.region_drawing import draw_regions
from pagehop.interfaces.terminal import guarded, page_reference, print_json, say, tell, warn
from pagehop.types import FULL_PAGE, Box, Hit, Mode, Page, PageRef, Region, Relation
from pagehop.types import Path as Walk

if TYPE_CHECKING:
    from pagehop.library.view import View

_SHOWN_CHARACTERS = 240
_PIXELS = 2_000_000


def search(
    path: cli_options.Path,
    query: Annotated[str, typer.Argument(help="Words or a question.")],
    k: Annotated[int, typer.Option("-k", help="Most pages to list.", min=1)] = 10,
    mode: Annotated[Mode, typer.Option(help="What to search by.")] = "hybrid",
    documents: Annotated[
        str | None, typer.Option(metavar="A,B", help="Only in these documents.")
    ] = None,
    kinds: Annotated[
        str | None, typer.Option(metavar="A,B", help="Only regions of these kinds, e.g. table.")
    ] = None,
    fusion: Annotated[
        str, typer.Option(metavar="NAME", help="How hybrid search ranks: weighted, rrf, gmm ...")
    ] = "",
    rerank: Annotated[
        str | None, typer.Option(metavar="NAME", help="late, cross-encoder:ID or chat:NAME.")
    ] = None,
    labels: cli_options.Labels = None,
    as_json: cli_options.Json = False,
) -> None:
    """Find pages, best first."""
    with guarded(), opened(path) as library:
        view = library.view(cli_options.words(labels))
        hits = view.search(
            query,
            k=k,
            mode=mode,
            documents=cli_options.words(documents),
            kinds=cli_options.words(kinds),
            fusion=fusion,
            rerank=rerank,
        )
    if hits.note:
        warn(hits.note)
    if as_json:
        print_json([_hit_json(hit) for hit in hits])
        return
    for hit in hits:
        found_by = ", ".join(f"{name} {rank}" for name, rank in hit.ranks.items())
        found_by += f" · names {hit.why}" if hit.why else ""
        found_by += " · read by OCR" if hit.source == "ocr" else ""
        say(f"{hit.score:.3f}  {hit.ref}  {hit.document}, page {hit.page}", "cyan")
        say(f"       {hit.kind} · {found_by}" + (f" · {hit.section}" if hit.section else ""), "dim")
        say(f"       {_shortened(hit.text)}")
    if not hits:
        empty = not view.documents()
        tell("nothing found: no document can be seen here" if empty else "nothing found")


def page(
    path: cli_options.Path,
    ref: cli_options.Ref,
    box: Annotated[
        str | None, typer.Option(metavar="X0,Y0,X1,Y1", help="A part, in fractions of the page.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save a picture instead of printing text.")
    ] = None,
    regions: Annotated[bool, typer.Option("--regions", help="Show the regions found.")] = False,
    labels: cli_options.Labels = None,
    as_json: cli_options.Json = False,
) -> None:
    """Print the text of a page, or save it or a part of it as a picture."""
    with guarded():
        part = cli_options.box(box) if box is not None else FULL_PAGE
        with opened(path) as library:
            view = library.view(cli_options.words(labels))
            where = page_reference(view, ref)
            found = view.page(where)
            listed = [
                r for r in view.regions(where) if r.kind != "passage" and _overlap(r.box, part)
            ]
            size = _save(view, where, part, out, listed if regions else []) if out else None
        text = _text_in(found, part)
    if as_json:
        print_json(
            {"ref": str(where), "label": found.label, "width_pt": found.width_pt,
             "height_pt": found.height_pt, "box": list(part), "text": text}
            | ({"regions": [_region_json(region) for region in listed]} if regions else {})
            | ({"out": str(out), "width_px": size[0], "height_px": size[1]} if size else {})
        )  # fmt: skip
    elif size:
        say(f"saved {out} ({size[0]} x {size[1]} px)")
    elif regions:
        for region in listed:
            say(f"{region.kind}  {','.join(f'{e:.3f}' for e in region.box)}", "cyan")
            say(region.text)
    elif text.strip():
        say(text)
    else:
        tell("no text here; --out FILE saves the picture")


def walk(
    path: cli_options.Path,
    ref: cli_options.Ref,
    relations: Annotated[
        str | None, typer.Option(metavar="A,B", help="Only these, e.g. refers_to,similar.")
    ] = None,
    query: Annotated[str | None, typer.Option(help="Prefer pages about this.")] = None,
    hops: Annotated[int, typer.Option(help="Longest path.", min=1)] = 1,
    width: Annotated[int, typer.Option(help="Most pages to go on from.", min=1)] = 5,
    labels: cli_options.Labels = None,
    as_json: cli_options.Json = False,
) -> None:
    """Follow the page graph from a page; each edge says which words justify it."""
    from pagehop.finding.page_graph import degradations  # noqa: PLC0415 - not for `--help`

    with guarded():
        wanted = cli_options.words(relations)
        kept = [_one_of("relation", r, Relation) for r in wanted] if wanted is not None else None
        with opened(path) as library:
            view = library.view(cli_options.words(labels))
            where = page_reference(view, ref)
            paths = view.walk(where, relations=kept, query=query, hops=hops, width=width)
            note = degradations(view, kept, query or "")
    if note:
        warn(note)
    if as_json:
        print_json([_path_json(found) for found in paths])
        return
    for found in paths:
        steps = "  ".join(
            f"--{edge.relation}{f' “{_shortened(edge.words)}”' if edge.words else ''}--> "
            f"{edge.target}"
            for edge in found.edges
        )
        say(f"{found.score:.3f}  {where}  {steps}")
    if not paths:
        tell("no edges")


COMMANDS: dict[str, Callable[..., None]] = {"search": search, "page": page, "walk": walk}


def _one_of(what: str, value: str, allowed: Any) -> Any:
    if value not in get_args(allowed):
        raise ConfigError(f"{what} {value!r}: choose from {', '.join(get_args(allowed))}")
    return value


def _save(
    view: "View", ref: PageRef, part: Box, out: Path, regions: list[Region]
) -> tuple[int, int]:
    """Render a part of a page, with the outlines of regions, and save it.

    Returns:
        Width and height in pixels.

    Raises:
        ConfigError: The file cannot be written, or its ending names no picture format.
    """
    image = view.crop(ref, part, max_pixels=_PIXELS)
    if regions:
        draw_regions(image, regions, part)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        image.save(out)
    except ValueError as error:
        raise ConfigError(f"cannot save {str(out)!r}: name it .png or .jpg") from error
    except OSError as error:
        raise ConfigError(f"cannot save {str(out)!r}: {error.strerror or error}") from error
    return image.size


def _text_in(found: Page, part: Box) -> str:
    """Return the words whose middle lies in a box, line by line."""
    if part == FULL_PAGE:
        return found.text
    lines: dict[int, list[str]] = {}
    for word in found.words:
        x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
        if part[0] <= x <= part[2] and part[1] <= y <= part[3]:
            lines.setdefault(word.line, []).append(word.text)
    return "\n".join(" ".join(words) for words in lines.values())


def _overlap(one: Box, other: Box) -> bool:
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[:_SHOWN_CHARACTERS] + " …"


def _hit_json(hit: Hit) -> dict[str, Any]:
    listed = ("document", "name", "page", "score", "kind", "text")
    return {name: getattr(hit, name) for name in listed} | {
        "box": [round(edge, 5) for edge in hit.box],
        "found_by": list(hit.found_by),
        "ranks": dict(hit.ranks),
        "source": hit.source,
        "why": hit.why,
    }


def _region_json(region: Region) -> dict[str, Any]:
    listed = ("id", "parent", "order", "kind", "text", "section", "source")
    return {name: getattr(region, name) for name in listed} | {
        "box": [round(edge, 5) for edge in region.box]
    }


def _path_json(found: Walk) -> dict[str, Any]:
    edges = [
        {
            "source": str(edge.source),
            "target": str(edge.target),
            "relation": edge.relation,
            "weight": edge.weight,
            "words": edge.words,
        }
        for edge in found.edges
    ]
    return {"end": str(found.end), "score": found.score, "edges": edges}
