"""Write recorded runs as pages: find the library they read, render, put the file in place."""

import os
from dataclasses import dataclass
from pathlib import Path

from pagehop.errors import LibraryError, PagehopError
from pagehop.interfaces.episode_page import episode_page
from pagehop.interfaces.page_parts import Pictures
from pagehop.interfaces.recording import corpus_sha256
from pagehop.interfaces.run_overview import run_overview
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.trajectories.manifest import RunManifest
from pagehop.trajectories.reading import read_run


@dataclass(frozen=True)
class ShownPage:
    """A page that was written."""

    file: Path
    warnings: tuple[str, ...] = ()


def show_run(
    folder: Path,
    episode: str | None = None,
    *,
    library: Path | None = None,
    out: Path | None = None,
) -> ShownPage:
    """Write the page of a run, or of one of its episodes.

    Args:
        folder: Of the run.
        episode: Its id, or a beginning of it; None shows the run. A run of one episode shows that.
        library: Where pages are rendered from; None takes the one that was asked.
        out: The file; None puts it into the folder.

    Raises:
        LibraryError: There is no such run or episode, or the file cannot be written.
    """
    run = read_run(folder)
    if episode is None and len(run.episodes) == 1:
        episode = run.episodes[0].episode_id
    if episode is None:
        return ShownPage(_written(out or folder / "show.html", run_overview(run)))
    found = run.episode(episode)
    view, problem = library_of(run.manifest, library)
    policy = run.manifest.models.get("policy")
    pictures = Pictures(view, problem)
    page = episode_page(found, pictures, model=policy.model_id if policy else "")
    file = _written(out or folder / f"show-{found.episode_id}.html", page)
    return ShownPage(file, (pictures.problem,) if pictures.problem else ())


def library_of(manifest: RunManifest, library: Path | None) -> tuple[View | None, str]:
    """Return the view that a run read, and what the user should know of it."""
    told = str(manifest.library.get("path", ""))
    where = library or (Path(told) if told else None)
    if where is None or not where.exists():
        return None, f"Pages are not shown: the library {told or 'of the run'} is not there."
    try:
        view = Library(where).view(None if manifest.labels is None else list(manifest.labels))
    except PagehopError as error:
        return None, f"Pages are not shown: {error}."
    if corpus_sha256(view) != manifest.library.get("corpus_sha256"):
        return view, "The library has changed since this run: its pages are shown as they are now."
    return view, ""


def _written(file: Path, html: str) -> Path:
    draft = file.with_suffix(f".{os.getpid()}.tmp")
    try:
        bare = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(bare, "w", encoding="utf-8") as stream:
            stream.write(html)
        draft.rename(file)
    except OSError as error:
        raise LibraryError(f"{file} cannot be written: {error.strerror or error}") from error
    return file
