"""From the words and lines of a page to its regions and passages: geometry only.

Start at `regions` (the regions of a page, in reading order). Under it, from the ground up:

1. Words: `rows` (those that stand on one line), `orientation` (pages whose type runs up or down),
   `reading_order` (columns), `page_lines` (lines with their type), `page_marks` (rules, shapes,
   pictures).
2. Regions: `blocks`, `paragraphs` and `headings` (text), `page_tables` with `table_runs`, `grids`
   and `table_cells` (`cells`; between rules `grid_cells` and `grid_rows`; without them
   `table_columns` and `close_columns`), `figures`, `formulas`, `captions` (tied to what they
   name), `footnotes`, `reference_lists`, `running_lines` (heads and feet that repeat).
3. Over pages: `heading_paths` (section of each region), `titles` (what a document calls itself).
4. `passages`: what is searched, cut from the regions, as long as `token_counter` allows.
"""
