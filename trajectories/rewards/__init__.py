"""Rewards: pure functions of an episode, each with a range, a version and a reason.

reward.py        Reward, Scored: what a reward is
catalog.py       find_reward: by name, with settings; a user's own
reading.py       what rewards read of an episode
answers.py       the answer's words against the gold answers
pages.py         pages shown against gold pages; for each call how many were new
citations.py     pages cited, shown, found: what no published recipe pays for
crops.py         looks at the place that matters
behaviour.py     form, budget, repetition, abstention, length
process.py       what a round kept, how evidence grew
judged.py        a judge's word, injected
composite.py     gate, weighted sum, costs; the guard against paying for the way
presets.py       published recipes, and our own for documents
advantage.py     group advantages (GRPO, RLOO); what a reward can teach
scoring_run.py   score_run: scores beside a run's log
"""
