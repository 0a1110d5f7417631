"""Recorded runs in the forms that trainers and viewers read; each says what it loses.

exporting.py         export_run: start here; the targets by name
exporter.py          Exporter, Sample, Refused, ExportReport
selection.py         which episodes: by status, reward, the best of a group
chat_form.py         messages in the form of chat completions
trl_sft.py           trl-sft, trl-tokens
trl_vision.py        trl-vision
trl_pairs.py         trl-dpo, trl-kto
prompt_sets.py       trl-grpo, verl-rl: questions to sample from
verl_sft.py          verl-sft
rows.py              rows: tokens, masks, advantages for any trainer
openai.py            openai
sharegpt.py          sharegpt
atif.py              atif
verifiers_traces.py  verifiers
inspect_log.py       inspect
otel.py              otel
"""
