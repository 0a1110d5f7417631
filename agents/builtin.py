"""The built-in reasoner: all roles by rules, no language model.

The floor that every model must beat, the default where none is set, and the fixture of the tests:
the same question over the same library version gives the same run. docs/BUILTIN.md tells how it
works and what it cannot do.
"""

from pagehop.agents.answerer import Answerer
from pagehop.agents.counting import with_counting
from pagehop.agents.desk import Desk
from pagehop.agents.explorer import Explorer
from pagehop.agents.moves import Roles
from pagehop.agents.planner import Planner
from pagehop.agents.reflector import Reflector
from pagehop.agents.summarizer import Summarizer
from pagehop.agents.verifier import RuleVerifier


def builtin_roles() -> Roles:
    """Return the roles of one run; they share one desk, so make new ones for each run."""
    desk = Desk()
    return with_counting(
        Roles(
            planner=Planner(desk),
            explorer=Explorer(desk),
            summarizer=Summarizer(desk),
            reflector=Reflector(desk),
            answerer=Answerer(desk),
            verifier=RuleVerifier(),
        )
    )
