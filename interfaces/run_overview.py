"""A recorded run as a page: how its episodes ended, how rewards spread, groups side by side."""

from collections import Counter
from itertools import groupby

from pagehop.answers import Usage
from pagehop.interfaces.page_parts import badge, document, histogram, table, value, words
from pagehop.show import usage_line
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.reading import Run

MOST_GROUPS = 200
"""Groups shown side by side; the numbers above count all."""


def run_overview(run: Run) -> str:
    """Return the page of a run."""
    manifest, episodes = run.manifest, run.episodes
    policy = manifest.models.get("policy")
    about = [
        policy.model_id if policy else "", manifest.graph, manifest.effort, manifest.purpose,
        f"library version {manifest.library.get('version', '?')}",
        f"pagehop {manifest.code.get('version', '?')}",
    ]  # fmt: skip
    damaged = ""
    if run.damaged_lines:
        damaged = f'<p class="warning">{run.damaged_lines} damaged lines were passed over.</p>'
    return document(
        f"Run {manifest.run_id}",
        f"<h1>Run {words(manifest.run_id)}</h1>",
        f'<p class="soft">{words(" · ".join(filter(None, about)))}</p>',
        damaged,
        _statuses(episodes),
        _rewards(episodes),
        "<h2>Questions</h2>",
        *_groups(episodes),
    )


def _statuses(episodes: tuple[Episode, ...]) -> str:
    counts = Counter(episode.status for episode in episodes)
    badges = "".join(f"{badge(status)}{count} &emsp;" for status, count in counts.most_common())
    total = Usage()
    for episode in episodes:
        if not episode.samples:  # a choice among samples counts what these spent
            total = total.plus(episode.usage)
    return (
        f'<div class="card"><p>{len(episodes)} episodes: {badges}</p>'
        f'<p class="soft">{words(usage_line(total))} in all</p></div>'
    )


def _rewards(episodes: tuple[Episode, ...]) -> str:
    values: dict[str, list[float]] = {}
    missing: Counter[str] = Counter()
    for episode in episodes:
        for reward in {one.name: one for one in episode.rewards}.values():
            if reward.value is None:
                missing[reward.name] += 1
            else:
                values.setdefault(reward.name, []).append(reward.value)
    if not values:
        return '<p class="soft">No rewards yet; pagehop score adds them.</p>'
    cards = [
        f'<div class="card"><h3>{words(name)}: mean {sum(found) / len(found):.3g} of {len(found)}'
        f"{f', {missing[name]} not judged' if missing[name] else ''}</h3>{histogram(found)}</div>"
        for name, found in sorted(values.items())
    ]
    return f'<h2>Rewards</h2><div class="grid">{"".join(cards)}</div>'


def _groups(episodes: tuple[Episode, ...]) -> list[str]:
    def key(episode: Episode) -> str:
        return episode.group_id or episode.episode_id

    by_group = groupby(sorted(episodes, key=key), key=key)
    groups = [(name, sorted(group, key=_place)) for name, group in by_group]
    shown = [_group(name, group) for name, group in groups[:MOST_GROUPS]]
    if len(groups) > MOST_GROUPS:
        shown.append(f'<p class="soft">and {len(groups) - MOST_GROUPS} more questions</p>')
    return shown


def _place(episode: Episode) -> int:
    return episode.rollout_index or 0


def _group(name: str, group: list[Episode]) -> str:
    gold = group[0].task.gold_answers
    known = f' <span class="soft">known: {words("; ".join(gold))}</span>' if gold else ""
    cards = "".join(_sample(episode) for episode in group)
    return (
        f'<div class="card"><p><b>{words(group[0].question)}</b>{known} '
        f'<span class="soft">{words(name)}</span></p><div class="group">{cards}</div></div>'
    )


def _sample(episode: Episode) -> str:
    said = episode.answer.text if episode.answer is not None else "(cut off)"
    citations = episode.answer.citations if episode.answer is not None else ()
    cited = ", ".join(dict.fromkeys(str(citation.ref) for citation in citations))
    latest = {reward.name: reward for reward in episode.rewards}
    rewards = table(
        ("", ""), [[words(n), value(one.value)] for n, one in latest.items()], numbers=1
    )
    return (
        f'<div class="card"><p>{badge(episode.status)}<span class="soft">'
        f'{words(episode.episode_id)}</span></p><p class="words">{words(said[:600])}</p>'
        f'<p class="soft">{words(cited)}</p>{rewards if latest else ""}'
        f'<p class="soft">{words(usage_line(episode.usage))}</p></div>'
    )
