"""How far a learner is: steps come one after the other, and one that was reached stays so.

A step is judged on the state of the moment and on what happened since it began; the next begins when it is reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lb.lessons.checks import missing
from lb.lessons.lesson import Lesson, Step
from lb.lessons.snapshot import Snapshot
from lb.lessons.text import Text


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one lesson: since when, how many steps are reached, and since when the one after them. Epoch seconds."""

    started_s: float
    done: int
    step_began_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Progress from now on, and what the step that it is at still needs."""

    progress: Progress
    missing: Sequence[Text] = ()


def begin(now_s: float) -> Progress:
    """A lesson that is started."""
    return Progress(now_s, 0, now_s)


def judge(lesson: Lesson, progress: Progress, seen: Snapshot, now_s: float) -> Verdict:
    """Takes as many steps as the snapshot allows."""
    while progress.done < len(lesson.steps):
        lacks = _lacks(lesson.steps[progress.done], seen.since(progress.step_began_s))
        if lacks:
            return Verdict(progress, lacks)
        progress = replace(progress, done=progress.done + 1, step_began_s=now_s)
    return Verdict(progress)


def _lacks(step: Step, seen: Snapshot) -> list[Text]:
    found = (missing(seen, check.name, check.parameters) for check in step.checks)
    return [text for text in found if text is not None]
