"""How right is it: pure metrics of answers, rankings, boxes and refusals, on plain values.

Evaluation reports them and rewards pay for them, so that both mean the same by a name. Each says
its range and its source. None means that there is nothing to score, e.g. no gold answer: it is left
out of averages and counted, never taken for zero.

1. Answers: `words` (exact match, token F1, ANLS), `numeric` (tolerance, units, percent), `items`
   (lists), `mmlongbench` (generalised accuracy and F1).
2. Pages and documents: `ranking` (recall, hit, nDCG, reciprocal rank, precision; sets: F1).
3. Places on pages: `boxes` (IoU, regions found).
4. Whether to answer at all: `refusal`.
"""
