"""From a file to what stands on its pages: worker processes, pictures, OCR.

A document is opened only in a worker process, with limits on its time and memory.

1. The parent's side: `pdf_pool` (hands files to workers), `worker_process` (one of them),
   `reading_task` (one file's way through it), `parsed` (what comes back).
2. The process: `pdf_worker`, `pdf_page` (a page of the engine), `render` (crops).
3. What joins pages: `anchors` (what a page defines and refers to) with `referrals` and `entries`
   (lists of works cited), `continuations` (tables and paragraphs over a page's end), `mentions`
   (names), `signatures` (near-identical pages); `fields` (labelled values of a document).
4. Files that are no PDFs: `formats` (what a file is), `pdf_convert` (makes a PDF of it, in the
   process), `archives` (bounds on what a ZIP file may hold), `office`, `office_process` and
   `office_links` (through LibreOffice), `compound` (old Office files).
5. Scans: `ocr_areas` (which pages, or parts of them, are pictures of text), `ocr_engine` (the
   parent's side), `ocr_worker` (the process), `ocr_rapid` and
   `ocr_tesseract` (the engines), `ocr_picture` (its geometry), `ocr_lines` (where the
   words end), `ocr_words` (their way among the text layer's words).
"""
