"""From a question to pages and quotes: search, the page graph, quotes found on their pages.

It reads a library through two protocols, `Corpus` and `CorpusView`, and imports nothing of
`library/`.

1. What is read: `corpus` (the protocols, and values they return), `names` (slugs of documents),
   `periods` (years, quarters and dates that a text names).
2. Search: `search` (start here), `candidates`, the retrievers `words` (over `terms` and `bm25`),
   `meaning` (over `passage_vectors`) and `visual_search` (pictures of pages, by `coded_pages`),
   `unread` (documents without passages yet), `search_memo`, `ranking` (hits); beside it `patterns`
   (phrases, exclusions, regular expressions) and `filters` (choose documents by a predicate), over
   `fields` (what they say of themselves, with the places).
   Which documents a question names: `profiles` (what each says of itself), `routing`.
3. Fusion: `pool` (what a strategy sees), `fusion` (their names; reciprocal ranks, votes),
   `weighing` (the default), `cuts` (how many pages), `refinement` (by vectors);
   then `reranking`, with `judging` (a chat model that scores pages).
4. The page graph: `page_graph` (the walk), `page_edges` (edges by relation) over `references`,
   `sections`, `document_names` (documents that a page names), `exhibits` (files that are exhibits),
   `page_keys` (pages that share names), `page_vectors` (pages alike, and near a query).
5. Quotes: `quotes` (find one on a page), `alignment` (with small differences), `row_quotes` (rows
   of tables, cell by cell), `cut_words` (joined again over the ends of lines).
"""
