"""What happened in a run: the record on disk, and the episode folded from it.

The log of events is the truth; everything else is derived from it.

    recorder.py       writes events as they happen, and the manifest
    provenance.py     code and packages, for the manifest
    secrets.py        strikes keys out of what is written
    blobs.py          pictures and long texts by their hash
    rollout.py        which episodes a rollout runs, when, and which are done
    scores.py         rewards added later, beside the log
    reading.py        read_run: a folder back to episodes
    fold.py           events -> Episode
    conversation.py   the fold of model calls: prompts and replies as a graph of messages
    rule_messages.py  the same for a run by rules
    segments.py       stretches of calls whose prompts extend one another: the training samples
    episode.py        Episode, Task, Shown, RewardRecord
    messages.py       Message and its parts
    calls.py          LLMCall, ToolCallRecord, ContextEdit
    tokens.py         token ids, and how arrays of numbers are written
    manifest.py       RunManifest, ModelBinding
    exporters/        rows and files for trainers and viewers; its own map
    rewards/          what an episode is worth to a trainer; its own map
"""
