"""Question sets as their authors lay them out: which form a folder has, read into our questions.

    found = read_set("MMLongBench-Doc/")          # the form is known by its files
    found.questions, found.faults, found.documents

1. A row that is no question, names a file that is not there, or repeats an id is left out, and
   `faults` says which and why.
2. Sets of paragraphs (HotpotQA, 2WikiMultihopQA, MuSiQue) have no files: `texts.write(folder)`
   makes one of each paragraph, to be indexed.
3. `read_hub` reads the same sets through `datasets`, where the user has it.

Not covered: the evaluation scripts of the sets; their metrics are in `scoring/`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from pagehop.errors import ConfigError
from pagehop.evaluation import set_forms, set_paragraphs
from pagehop.evaluation.questions import Fault, Question
from pagehop.evaluation.rows import (
    Row,
    RowError,
    as_rows,
    csv_rows,
    json_lines,
    json_list,
    parquet_rows,
)
from pagehop.evaluation.set_files import SetFiles, Texts

FormName = Literal[
    "mmlongbench-doc", "mmdocir", "financebench", "m3docvqa", "vidoseek", "longdocurl", "m3sciqa",
    "real-mm-rag", "slidevqa", "mp-docvqa", "docbench", "uda", "hotpotqa", "musique",
]  # fmt: skip
_PREFERRED = ("dev", "val", "validation", "test")
_COLUMNS = ("id", "query", "answer", "image_filename",
            *(f"rephrase_level_{n}" for n in (1, 2, 3)))  # fmt: skip


@dataclass(frozen=True)
class QuestionSet:
    """Questions of a set, what was left out, and where its documents are."""

    name: str
    questions: tuple[Question, ...]
    faults: tuple[Fault, ...]
    documents: Path | None
    """The folder to index; None when the set holds paragraphs, which are in `texts`."""
    texts: Texts


@dataclass(frozen=True)
class _Form:
    files: tuple[str, ...]
    """Patterns of the question files, by which the form is known; the first that fits counts."""
    rows: Callable[[Path], Iterable[Row | Fault]]
    of_files: Callable[[Row, SetFiles], Iterator[Question]] | None = None
    of_texts: Callable[[Row, Texts], Iterator[Question]] | None = None
    documents: tuple[str, ...] = ()
    """Where the authors put the documents; the whole folder when none is there."""
    all_files: bool = False
    """Every file that fits is read, not only those of one split."""
    hub: tuple[str, ...] = ()
    """Beginnings of its names on the hub."""


_FORMS: dict[FormName, _Form] = {
    "mmlongbench-doc": _Form(("data/samples.json", "samples.json"), json_list,
        set_forms.mmlongbench, documents=("data/documents", "documents"),
        hub=("yubo2333/MMLongBench-Doc",)),
    "mmdocir": _Form(("**/MMDocIR_annotations.jsonl",), json_lines, set_forms.mmdocir,
        documents=("documents", "doc_pdfs")),
    "financebench": _Form(("**/financebench_open_source.jsonl",), json_lines,
        set_forms.financebench, documents=("pdfs",), hub=("PatronusAI/financebench",)),
    "m3docvqa": _Form(("multimodalqa/MMQA_{split}.jsonl", "MMQA_{split}.jsonl"), json_lines,
        set_forms.m3docvqa, documents=("splits/pdfs_dev", "pdfs_dev", "pdfs")),
    "vidoseek": _Form(("**/vidoseek.json",), partial(json_list, key="examples"),
        set_forms.vidoseek, documents=("vidoseek_pdf_document", "pdf")),
    "longdocurl": _Form(("**/LongDocURL*.jsonl",), json_lines, set_forms.longdocurl,
        documents=("pdfs", "ccpdf_zip"), hub=("dengchao/LongDocURL",)),
    "m3sciqa": _Form(("**/combined_{split}.jsonl",), json_lines, set_forms.m3sciqa,
        documents=("papers", "pdfs")),
    "slidevqa": _Form(("**/qa/{split}.jsonl",), json_lines, set_forms.slidevqa,
        documents=("images", "slides", "pdfs")),
    "docbench": _Form(("data/*/*_qa.jsonl", "*/*_qa.jsonl"), json_lines, set_forms.docbench,
        documents=("data",), all_files=True),
    "uda": _Form(("**/qa/*_qa.csv",), partial(csv_rows, delimiter="|"), set_forms.uda,
        documents=("dataset/src_doc_files", "src_doc_files", "dataset/src_doc_files_example"),
        all_files=True),
    "mp-docvqa": _Form(("{split}.json", "*/{split}.json"), partial(json_list, key="data"),
        set_forms.mp_docvqa, documents=("images",)),
    "musique": _Form(("**/musique_*{split}.jsonl",), json_lines, of_texts=set_paragraphs.musique,
        hub=("dgslibisey/MuSiQue",)),
    "hotpotqa": _Form(("**/hotpot_{split}*.json", "{split}.json"), json_list,
        of_texts=set_paragraphs.hotpotqa, hub=("hotpotqa/hotpot_qa",)),
    "real-mm-rag": _Form(("**/{split}-*.parquet", "*.parquet"),
        partial(parquet_rows, columns=_COLUMNS), set_forms.real_mm_rag,
        documents=("images", "pages"), all_files=True, hub=("ibm-research/REAL-MM-RAG",)),
}  # fmt: skip


def read_set(
    folder: str | Path, form: FormName | None = None, *, split: str | None = None
) -> QuestionSet:
    """Read a public question set from a folder as its authors lay it out.

    Args:
        folder: Holds question files and documents.
        form: Which set it is; known by its files when None.
        split: Of sets with several files: `train`, `dev`, ...; None takes the first there is of
            dev, val, validation, test.

    Raises:
        ConfigError: The folder is none of a known set, a file cannot be read, or no row of it
            gives a question.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ConfigError(f"{str(folder)!r} is no folder")
    names = [form] if form else list(_FORMS)
    if form and form not in _FORMS:
        raise ConfigError(f"form={form!r}: use {', '.join(_FORMS)}")
    for name in names:
        if files := _question_files(folder, _FORMS[name], split):
            if name in ("mp-docvqa", "hotpotqa") and not form:
                name = _told_apart(files[0])
            return _read(name, folder, chain.from_iterable(map(_FORMS[name].rows, files)))
    wanted = _FORMS[form].files if form else ()
    raise ConfigError(
        f"{folder} is no folder of {form or 'a known question set'}"
        + (f" (split {split!r})" if split else "")
        + (f": it should hold {wanted[0]}" if wanted else f"; known are {', '.join(_FORMS)}")
    )


def read_hub(name: str, folder: str | Path, *, split: str = "test") -> QuestionSet:
    """Read a set by its name on the hub, e.g. `yubo2333/MMLongBench-Doc`.

    Args:
        name: As `datasets.load_dataset` takes it.
        folder: Holds the documents; the hub has no more than the questions of most sets.
        split: As the hub calls it.

    Raises:
        ConfigError: `datasets` is not installed, or no form is known for the name.
    """
    known = (form for form, f in _FORMS.items() if any(name.startswith(hub) for hub in f.hub))
    form = next(known, None)
    if form is None:
        names = [hub for f in _FORMS.values() for hub in f.hub]
        raise ConfigError(f"no form is known for {name!r}; known are {', '.join(names)}")
    try:
        from datasets import load_dataset  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise ConfigError(f"{name} needs the package datasets: pip install datasets") from error
    return _read(form, Path(folder), as_rows(f"{name}, {split}", load_dataset(name, split=split)))


def collect(
    rows: Iterable[Row | Fault], convert: Callable[[Row], Iterator[Question]]
) -> tuple[list[Question], list[Fault]]:
    """Turn rows into questions; what is none, or has an id that was there before, is a fault."""
    questions: dict[str, Question] = {}
    faults = []
    for row in rows:
        if isinstance(row, Fault):
            faults.append(row)
            continue
        try:
            for question in convert(row):
                if question.id in questions:
                    raise RowError(f"the id {question.id!r} was there before")
                questions[question.id] = question
        except RowError as error:
            faults.append(Fault(row.where, str(error)))
        except ValidationError as error:
            first = error.errors()[0]
            faults.append(Fault(row.where, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"))
    return list(questions.values()), faults


def _read(name: FormName, folder: Path, rows: Iterable[Row | Fault]) -> QuestionSet:
    form, texts = _FORMS[name], Texts()
    places = (folder / place for place in form.documents)
    documents = next((place for place in places if place.is_dir()), folder)
    if form.of_texts is not None:
        of_texts = form.of_texts
        questions, faults = collect(rows, lambda row: of_texts(row, texts))
    else:
        assert form.of_files is not None
        of_files, files = form.of_files, SetFiles(documents)
        questions, faults = collect(rows, lambda row: of_files(row, files))
    if not questions:
        why = f"; first: {faults[0]}" if faults else ""
        raise ConfigError(f"{folder} gives no question in the form of {name}{why}")
    return QuestionSet(
        name=name,
        questions=tuple(questions),
        faults=tuple(faults),
        documents=None if form.of_texts is not None else documents,
        texts=texts,
    )


def _question_files(folder: Path, form: _Form, split: str | None) -> list[Path]:
    for pattern in form.files:
        for name in (split,) if split else _PREFERRED:
            found = sorted(folder.glob(pattern.format(split=name)))
            if found:
                return found if form.all_files else found[:1]
            if "{split}" not in pattern:
                break
    return []


def _told_apart(file: Path) -> FormName:
    """MP-DocVQA and 2WikiMultihopQA both call their file `dev.json` or `val.json`."""
    with file.open(encoding="utf-8") as stream:
        return "mp-docvqa" if stream.read(1).strip() == "{" else "hotpotqa"
