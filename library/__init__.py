"""Documents in, pages out: parsing, storage in LanceDB, search and the page graph.

The modules by what they do, in the order a newcomer reads them:

1. What the others see: `library` (add, remove, check, status), `view` (read one version through
   labels), `names` (slugs), `reports` and `progress` (what adding returns and shows), `retriever`
   (for LangChain).
2. On disk: `tables` (columns, rows to values), `store` (LanceDB, commits of several tables),
   `manifest` (the commit record), `disk` (atomic writes, refusals in words), `snapshot` (one
   version, read), `matches` (what it finds), `integrity` (check and mend), `renewal` (libraries of
   an older release).
3. Adding: `scan` (which files), `writer` (the background thread), `ingest` (what its stages share),
   `catalog` (documents until the commit), then the stages `text_stage`, `reading_stage`,
   `vector_stage`, `ocr_stage`.
4. PDFs, in worker processes: `pdf_pool` (the parent's side), `worker_process` (one of them),
   `reading_task` (one file's way), `reading` (what comes back), `pdf_worker` (the process),
   `pdf_page` (the engine's page), `render` (crops).
5. From words to passages, in the worker: `orientation` (pages whose type runs up or down),
   `reading_order`, `rows`, `page_lines`, `page_marks` (rules, shapes, pictures), `layout` (start
   here: regions of a page) over `blocks`, `paragraphs`, `page_tables` with `table_runs`, `grids`
   and `table_cells`, `figures`, `formulas`, `captions`, `heading_paths`, `continuations` (over a
   page's end); then `titles`, `passages`.
6. Scans: `ocr_areas` (which pages, or parts of them, are pictures of text), `ocr_engine` (the
   parent's side), `ocr_worker` (the process), `ocr_results` (kept on disk as they come),
   `ocr_words` (their way among the words of the text layer).
7. Search: `search` (start here), `candidates`, `terms` and `bm25` (words), `meaning` (vectors),
   `fusion`, `unread` (documents without passages yet), `search_memo`; beside it `patterns`
   (phrases, exclusions, regular expressions) and `filters` (choose documents by a predicate).
8. The page graph: `anchors` (what a page defines and refers to), `references`, `sections`,
   `page_graph` (the walk).
9. Quotes: `quotes` (find one on a page), `alignment` (with small differences).
"""
