"""The roles of a run (planner, explorer, ..., verifier), filled by rules or by a model.

Read in this order:

1. `moves` - what a role sees (`Context`) and what it answers; the machine knows nothing else.
2. `builtin` - the built-in reasoner: which classes fill the roles by rules. One file a role:
   `planner`, `explorer`, `summarizer`, `reflector`, `answerer`, `verifier` (a model's claims are
   verified by the same rules). The roles of one run share a `desk`: what was read, each page once.
3. What the rules decide with, beside the folder `rules/`: `comparison` (a question's two sides, the
   verdict), `decompose` (its parts, bridges), `details`, `refusal` (when not to answer),
   `counting` (documents counted or listed, each cited; tried before all else) with
   `document_places` (where each says what it is), `solutions` (the calculation over a run's parts),
   `leads` (where to look next: pages found, names and references read).
4. By a chat model: `model_roles` (the same roles), `reasoner` (one call, its repairs), `prompting`
   with `ledger`, `shortening`, `repeats` and `tool_texts` (what a role is shown), `replies` with
   `reply_moves`, `reply_schemas` and `quoting` (what it may answer), `former` (structured answers),
   `perceiver` (looks at pictures), `told_prompts` and `raw_exchanges` (what the
   record is told of prompts).

How the rules work and fail, with examples: docs/BUILTIN.md.
"""
