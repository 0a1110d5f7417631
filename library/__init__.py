"""Documents in, pages out: storage in LanceDB, search, views and the page graph.

PDFs are opened in `reading/`, their pages become regions and passages in `layout/`.

The modules by what they do, in the order a newcomer reads them:

1. What the others see: `library` (add, remove, check, status), `view` (read one version through
   labels), `names` (slugs), `reports` and `progress` (what adding returns and shows), `retriever`
   (for LangChain).
2. On disk: `tables` (columns, rows to values), `store` (LanceDB, commits of several tables),
   `manifest` (the commit record), `disk` (atomic writes, refusals in words), `snapshot` (one
   version, read), `matches` (what it finds), `integrity` (check and mend), `renewal` (libraries of
   an older release).
3. Adding: `scan` (which files), `copies` (the library's own copy of each), `writer` (the background
   thread), `ingest` (what its stages share), `catalog` (documents until the commit), then the
   stages `text_stage`, `reading_stage`, `vector_stage`, `ocr_stage` with `ocr_results` (kept on
   disk as they come).
4. Search: `search` (start here), `candidates`, `terms` and `bm25` (words), `meaning` (vectors),
   `fusion`, `unread` (documents without passages yet), `search_memo`; beside it `patterns`
   (phrases, exclusions, regular expressions) and `filters` (choose documents by a predicate).
5. The page graph: `page_graph` (the walk), `page_edges` (edges by relation) over `references`,
   `sections`, `document_names` (documents that a page names), `page_keys` (pages that share names).
6. Quotes: `quotes` (find one on a page), `alignment` (with small differences), `row_quotes` (rows
   of tables, cell by cell), `cut_words` (joined again over the ends of lines).
7. Pictures: `picture_reader` (OCR of a part of a page when a run asks for it).
"""
