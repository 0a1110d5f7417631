"""How the rows of each public set of documents become questions: one function a set.

Page numbers are those of the files from 1; what each set counts from stands in its function. Gold
answers that are lists are kept as the list's text, with `format: List` in the tags.
"""

import re
from collections.abc import Iterator, Mapping

from pagehop.evaluation.questions import GoldPage, Question
from pagehop.evaluation.rows import Row, RowError
from pagehop.evaluation.set_files import SetFiles
from pagehop.types import Box

NOT_ANSWERABLE = "not answerable"
_FORMATS = {"Integer": "Int", "String": "Str", "none": "None"}
_LAST_NUMBER = re.compile(r"(\d+)\D*$")
_SLIDE = re.compile(r"(?:slide|page)?[-_ ]?(\d{1,2})(?:[-_]\d{3,4})?\.\w+$", re.IGNORECASE)


def mmlongbench(row: Row, files: SetFiles) -> Iterator[Question]:
    """`samples.json` of MMLongBench-Doc (arXiv 2407.01523); pages from 1, lists written as text."""
    document = files.named(row.text("doc_id"))
    yield make_question(
        row,
        row.text("question"),
        answers=(row.text("answer"),),
        document=document,
        pages=row.pages("evidence_pages", first=1),
        tags={"format": row.maybe("answer_format"), "type": _joined(row, "evidence_sources"),
              "domain": row.maybe("doc_type")},
    )  # fmt: skip


def mmdocir(row: Row, files: SetFiles) -> Iterator[Question]:
    """A line of `MMDocIR_annotations.jsonl` (arXiv 2501.08828): a document with its questions.

    Pages count from 0; boxes are in the units of `page_size`.
    """
    document = files.named(row.text("doc_name"))
    for i, item in enumerate(row.items("questions")):
        inner = Row(row.where, item)
        boxes: dict[int, list[Box]] = {}
        for layout in item.get("layout_mapping") or ():
            place = Row(row.where, layout)
            page = place.pages("page", first=0)[0]
            boxes.setdefault(page, []).append(_fractions(place))
        yield make_question(
            inner,
            inner.text("Q"),
            answers=(inner.text("A"),),
            document=document,
            pages=inner.pages("page_id", first=0),
            boxes=boxes,
            id=f"{document}-{i}",
            tags={"type": _joined(inner, "type"), "domain": row.maybe("domain")},
        )


def financebench(row: Row, files: SetFiles) -> Iterator[Question]:
    """`financebench_open_source.jsonl` (arXiv 2311.11944); pages count from 0."""
    golds = []
    for item in row.items("evidence"):
        place = Row(row.where, item)
        document = files.named(place.maybe("doc_name") or row.text("doc_name"))
        golds += [GoldPage(document=document, page=page)
                  for page in place.pages("evidence_page_num", first=0)]  # fmt: skip
    yield make_question(
        row,
        row.text("question"),
        answers=(row.text("answer"),),
        document=files.named(row.text("doc_name")),
        golds=golds,
        id=row.text("financebench_id"),
        tags={"type": row.maybe("question_type"), "reasoning": row.maybe("question_reasoning")},
    )


def m3docvqa(row: Row, files: SetFiles) -> Iterator[Question]:
    """`MMQA_dev.jsonl` of MultimodalQA with the PDFs of M3DocVQA (arXiv 2411.04952).

    Which pages hold the answer is not known; documents are.
    """
    answers = tuple(str(answer["answer"]) for answer in row.items("answers") if "answer" in answer)
    if not answers:
        raise RowError("answers: none has an 'answer'")
    documents = dict.fromkeys(
        files.named(Row(row.where, item).text("doc_id")) for item in row.items("supporting_context")
    )
    details = row.record.get("metadata") or {}
    yield make_question(
        row,
        row.text("question"),
        answers=(str(list(answers)),) if len(answers) > 1 else answers,
        documents=tuple(documents),
        id=row.text("qid"),
        tags={"type": str(details.get("type", "")), "format": "List" if len(answers) > 1 else "",
              "modalities": ", ".join(map(str, details.get("modalities") or ()))},
    )  # fmt: skip


def vidoseek(row: Row, files: SetFiles) -> Iterator[Question]:
    """`vidoseek.json`, under `examples` (arXiv 2502.18017); pages from 1."""
    details = Row(row.where, row.record.get("meta_info") or {})
    yield make_question(
        row,
        row.text("query"),
        answers=(row.text("reference_answer"),),
        document=files.named(details.text("file_name")),
        pages=details.pages("reference_page", first=1),
        id=row.text("uid"),
        pooled=True,
        tags={"type": details.maybe("query_type"), "source": details.maybe("source_type")},
    )


def longdocurl(row: Row, files: SetFiles) -> Iterator[Question]:
    """`LongDocURL.jsonl` (arXiv 2412.18424); pages from 1."""
    answer = row.record.get("answer")
    yield make_question(
        row,
        row.text("question"),
        answers=(str(answer),) if isinstance(answer, list) else (row.text("answer"),),
        document=files.named(row.text("doc_no")),
        pages=row.pages("evidence_pages", first=1),
        id=row.text("question_id"),
        tags={"format": _FORMATS.get(row.maybe("answer_format"), row.maybe("answer_format")),
              "type": row.maybe("task_tag"), "source": _joined(row, "evidence_sources")},
    )  # fmt: skip


def m3sciqa(row: Row, files: SetFiles) -> Iterator[Question]:
    """`combined_val.jsonl` of M3SciQA (EMNLP 2024 Findings).

    The papers are the user's own files, named by arXiv id: the anchor, and the one it leads to.
    The test split has no answers.
    """
    anchor, reference = (files.named(row.text(f"{which}_arxiv_id"))
                         for which in ("anchor", "reference"))  # fmt: skip
    answer = row.maybe("answer")
    yield make_question(
        row,
        row.text("question"),
        answers=(answer,) if answer else (),
        answerable=None if not answer else True,
        documents=(anchor, reference),
        pooled=True,
        tags={"type": row.maybe("reference_reasoning_type"), "figure": row.maybe("figure"),
              "anchor": row.maybe("anchor_reasoning_type")},
    )  # fmt: skip


def real_mm_rag(row: Row, files: SetFiles) -> Iterator[Question]:
    """A row of REAL-MM-RAG (arXiv 2502.12342): a page picture, its query and three rephrasings.

    Each picture is a document of one page. Pages without a query are only there to be searched.
    """
    if not row.maybe("query"):
        return
    document = files.named(row.text("image_filename"))
    name = row.maybe("id") or row.where.rpartition(" ")[2]
    for level, field in enumerate(("query", *(f"rephrase_level_{n}" for n in (1, 2, 3)))):
        if row.maybe(field):
            yield make_question(
                row,
                row.text(field),
                answers=(row.maybe("answer"),) if row.maybe("answer") else (),
                document=document,
                pages=(1,),
                id=f"{name}-{level}",
                pooled=True,
                tags={"type": f"rephrase {level}"},
            )


def slidevqa(row: Row, files: SetFiles) -> Iterator[Question]:
    """A line of SlideVQA's question files (AAAI 2023): a deck of pictures, or one PDF; from 1."""
    deck = row.text("deck_name")
    pages = row.pages("evidence_pages", first=1)
    slides = {int(match[1]): path for path in files.inside(deck) if (match := _SLIDE.search(path))}
    if not slides:
        document = files.named(deck)
        golds = [GoldPage(document=document, page=page) for page in pages]
        documents: tuple[str, ...] = (document,)
    else:
        if missing := [page for page in pages if page not in slides]:
            raise RowError(f"slide {missing[0]} of {deck!r} is not in {files.folder}")
        golds = [GoldPage(document=slides[page], page=1) for page in pages]
        documents = tuple(slides.values())
    yield make_question(
        row,
        row.text("question"),
        answers=(row.text("answer"),),
        documents=tuple(dict.fromkeys(gold.document for gold in golds)),
        golds=golds,
        scope=documents,
        id=row.text("qa_id"),
        tags={"type": row.maybe("reasoning_type"), "answer": row.maybe("answer_type")},
    )


def mp_docvqa(row: Row, files: SetFiles) -> Iterator[Question]:
    """An item of `data` in MP-DocVQA's files (Tito et al. 2023); each page is a picture."""
    names = row.texts("page_ids")
    scope = tuple(files.named(name) for name in names)
    golds = []
    if row.record.get("answer_page_idx") is not None:  # the test split has none
        page = row.pages("answer_page_idx", first=0)[0]
        if page > len(scope):
            raise RowError(f"answer_page_idx: {page - 1} is not among {len(scope)} pages")
        golds.append(GoldPage(document=scope[page - 1], page=1))
    answers = row.texts("answers") if row.record.get("answers") is not None else ()
    yield make_question(
        row,
        row.text("question"),
        answers=answers,
        answerable=True,
        documents=tuple(gold.document for gold in golds),
        golds=golds,
        scope=scope,
        id=row.text("questionId"),
        tags={},
    )


def docbench(row: Row, files: SetFiles) -> Iterator[Question]:
    """A line of `<n>/<n>_qa.jsonl` of DocBench (arXiv 2407.10701); pages are not given."""
    folder = row.where.partition(", line")[0].rsplit("/", 2)[-2]
    pdfs = [path for path in files.inside(folder) if path.endswith(".pdf")]
    if len(pdfs) != 1:
        raise RowError(f"the folder {folder!r} holds {len(pdfs)} PDF files, it should hold one")
    kind = row.maybe("type")
    yield make_question(
        row,
        row.text("question"),
        answers=(row.text("answer"),),
        answerable=not kind.startswith("una"),
        document=pdfs[0],
        id=f"{folder}-{row.where.rpartition(' ')[2]}",
        tags={"type": kind},
    )


def uda(row: Row, files: SetFiles) -> Iterator[Question]:
    """A row of `<set>_qa.csv` of UDA (arXiv 2406.15187), parted by `|`; pages are not given."""
    part = row.where.rpartition("/")[2].partition("_qa")[0]
    columns = ("answer", "answer_1", "answer_2", "answer_3", "short_answer", "long_answer")
    answers = tuple(dict.fromkeys(text for name in columns if (text := row.maybe(name))))
    if not answers:
        raise RowError("it has no answer")
    spans = row.items("answer") if part == "tat" else ()
    if len(spans) == 1:
        scale = row.maybe("answer_scale")
        answers = (f"{spans[0]} {scale}".strip(),)
    yield make_question(
        row,
        row.text("question"),
        answers=answers,
        document=files.named(row.text("doc_name")),
        id=f"{part}-{row.text('q_uid')}",
        tags={"type": part, "format": "List" if len(spans) > 1 else ""},
    )


def make_question(
    row: Row,
    question: str,
    *,
    answers: tuple[str, ...],
    tags: Mapping[str, str],
    id: str = "",
    answerable: bool | None = True,
    document: str = "",
    documents: tuple[str, ...] = (),
    pages: tuple[int, ...] = (),
    boxes: Mapping[int, list[Box]] | None = None,
    golds: list[GoldPage] | None = None,
    scope: tuple[str, ...] | None = None,
    pooled: bool = False,
) -> Question:
    """Make a question; one whose gold answer says so cannot be answered and has no gold.

    Args:
        row: Where it comes from.
        question: Its words.
        answers: Any is right.
        tags: Empty ones are left out.
        id: The number of its row when empty.
        answerable: As the set says.
        document: The only one that is asked about.
        documents: In place of `document`, when there are several.
        pages: Gold pages of `document`.
        boxes: By gold page.
        golds: In place of `pages`.
        scope: What is searched; `document` alone when None and not pooled.
        pooled: All documents are searched.
    """
    if any(answer.strip(" .").lower() == NOT_ANSWERABLE for answer in answers):
        answerable = False
    if golds is None:
        golds = [
            GoldPage(document=document, page=page, boxes=tuple((boxes or {}).get(page, ())))
            for page in pages
        ]
    if answerable is False:
        answers, golds = (), []
    if scope is None and document and not pooled:
        scope = (document,)
    unique = {(gold.document, gold.page): gold for gold in golds}
    return Question(
        id=id or f"q{_number(row)}",
        question=question,
        answers=answers,
        documents=documents or ((document,) if document else ()),
        evidence=tuple(unique.values()),
        answerable=answerable,
        scope=scope,
        tags={name: value for name, value in tags.items() if value},
    )


def _number(row: Row) -> str:
    match = _LAST_NUMBER.search(row.where)
    return match[1] if match else row.where


def _fractions(place: Row) -> Box:
    """Return the box of a layout element as fractions of its page."""
    try:
        width, height = (float(side) for side in place.items("page_size"))
        x0, y0, x1, y1 = (float(edge) for edge in place.items("bbox"))
        cut = (x0 / width, y0 / height, x1 / width, y1 / height)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise RowError(f"layout_mapping: no box on its page ({error})") from error
    x0, y0, x1, y1 = (min(1.0, max(0.0, edge)) for edge in cut)
    return (x0, y0, x1, y1)


def _joined(row: Row, name: str) -> str:
    try:
        return ", ".join(row.texts(name))
    except RowError:
        return row.maybe(name)
