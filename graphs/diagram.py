"""The diagram of a machine, drawn from its compiled graph, in Mermaid.

Left out is how a failed run ends: from every node there is an edge to the end for it.
"""

from pagehop.graphs.explore import Machine

_START, _END = "__start__", "__end__"
_LAST = ("verify", "form")
"""Nodes behind which a run ends well."""


def diagram(machine: Machine) -> str:
    """Return the Mermaid text: solid where one node can follow, dotted where one of several."""
    drawn = machine.get_graph()
    targets: dict[str, list[str]] = {}
    for edge in drawn.edges:
        targets.setdefault(edge.source, []).append(edge.target)
    order = [name for name in drawn.nodes if name in targets]
    lines = ["graph TD"]
    for source in order:
        named = targets[source]
        ways = named if source in _LAST else [name for name in named if name != _END]
        arrow = "-->" if len(ways) == 1 else "-.->"
        lines += [f"    {_shown(source)} {arrow} {_shown(target)}" for target in ways]
    return "\n".join(lines)


def _shown(name: str) -> str:
    return {_START: "start((start))", _END: "done((end))"}.get(name, name)
