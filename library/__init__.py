"""Documents in, pages out: storage in LanceDB, versions and views.

PDFs are opened in `reading/`, their pages become regions and passages in `layout/`; search, quotes
and the page graph are in `finding/`, which knows this layer by the protocols of its `corpus` only.

The modules by what they do, in the order a newcomer reads them:

1. What the others see: `library` (add, remove, check, status), `view` (read one version through
   labels), `reports`, `status` and `progress` (what adding returns and shows, how far
   it is), `retriever` (for LangChain), `page_network` (the page graph for networkx).
2. On disk: `folder` (where it lies), `tables` (columns, rows to values), `store` (LanceDB, commits
   of several tables), `manifest` (the commit record), `disk` (atomic writes, refusals in words),
   `snapshot` (one version, read) over `visible_rows` (of the partitions that may be
   seen), `matches` (rows as it reads them), `region_rows` (regions, kept in memory), `integrity`
   (check and mend), `renewal` (libraries of an older release).
3. Adding: `scan` (which files), `copies` (the library's own copy of each), `writer` (the background
   thread), `ingest` (what its stages share), `catalog` (documents until the commit), then the
   stages `text_stage`, `reading_stage`, `vector_stage`, `ocr_stage` with `ocr_results` (kept on
   disk as they come); `text_encoders` (which encoder embeds, which one serves queries).
4. Page pictures as vectors: `page_vector_stage` (the stage that looks), `page_encoders` (through
   which encoder), `picture_vectors` (their table), `page_codes` (mapped into memory by searches).
5. Pictures: `picture_reader` (OCR of a part of a page when a run asks for it).
"""
