"""The roles of a run (planner, explorer, ..., verifier), filled by rules or by a model.

Read in this order:

1. `moves` - what a role sees (`Context`) and what it answers; the machine knows nothing else.
2. `builtin` - the built-in reasoner: which classes fill the roles by rules. One file a role:
   `planner`, `explorer`, `summarizer`, `reflector`, `answerer`, `verifier` (a model's claims are
   verified by the same rules). The roles of one run share a `desk`: what was read, each page once.
3. Understanding the question: `question` (terms, names, kind of answer), `task` (the calculation it
   asks for), `comparison` (its two sides, the verdict), `decompose` (its parts, bridges), `scope`
   and `presence` (which documents it is about, where its names stand), `refusal` (when not to
   answer).
4. Reading a page: `lines` (geometry, cells, regions), `rows` (tables), `sentences`, `figures` (what
   states numbers), `extract` (which of them answer best).
5. Finding numbers: `match` (the cell for a phrase and a year), `solve` (the numbers of a task, the
   expression), `solutions` (those of a run's parts), `phrasing` (the answer's words).
6. Where to look next: `leads` (pages found, names and references read).
7. Words: `words` (tokens, stems), `vocabulary` (closed classes), `numbers`, `periods`.

How the rules work and fail, with examples: docs/BUILTIN.md. The other modules fill the same roles
by a chat model: begin at `model_roles`.
"""
