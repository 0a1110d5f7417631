"""What the built-in reasoner knows: to read a question, a row and a sentence by rules, no model.

The roles of `agents/` that need no model decide with these; docs/BUILTIN.md shows how they work and
where they fail.

1. The question: `question` (terms, names, kind of answer), `task` (the calculation it asks for),
   `scope` and `presence` (which documents it is about, where its names stand), `tally` (documents
   that it counts or lists), `follow_up` (a question understood from the one before it).
2. A page: `lines` (geometry, cells, regions), `rows` and `cells` (tables), `sentences`, `figures`
   (what states numbers), `byline` (who wrote it), `dating` (when), `extract` (which of them answer
   best).
3. Numbers: `match` (the cell for a phrase and a year), `solve` (the numbers of a task),
   `expressions` (the formula over them), `phrasing` (the answer's words).
4. Words: `words` (tokens, stems), `vocabulary` (closed classes), `numbers`; years and dates are
   read in `finding/periods.py`.
"""
