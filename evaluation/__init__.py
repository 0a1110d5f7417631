"""How good is it: question sets, metrics and comparison runs.

1. Question sets: `questions` (our file), `public_sets` (those of others; `set_forms` and
   `set_paragraphs` a function a set, `set_files`, `rows`), `question_checks` (against a
   library), `overlap`.
2. Scores: `observed` (what a run gave), `scores` (by rules; the metrics are in `scoring/`),
   `judges` (by a model), `closed_book`, `intervals`, `failures` (where runs fail).
3. Comparisons: `strategies` (search without a model), `comparison` (what is no machine), `summary`,
   `tables`, `plots`, `report_page`. `interfaces/evaluating.py` puts them together.
4. For benchmarks: `retrieval`, `rasters`, `stand_in`.
"""
