"""Lessons as JSON values, in one language: what `GET /_lb/lessons` and `GET /_lb/lessons/{id}` answer. Pure."""

from typing import Any, Final

from lb.lessons.engine import Progress, Verdict
from lb.lessons.lesson import Lesson, Step
from lb.model.said import Language

Json = dict[str, Any]
_URL: Final = "{url}"


def summary(lesson: Lesson, progress: Progress | None, language: Language) -> Json:
    """One line of the list. `state` is `not-started`, `under-way` or `done`."""
    done = progress.done if progress is not None else 0
    state = "not-started" if progress is None else "done" if done == len(lesson.steps) else "under-way"
    return {
        "id": lesson.id,
        "title": lesson.title.to(language),
        "goal": lesson.goal.to(language),
        "state": state,
        "done": done,
        "step_count": len(lesson.steps),
        "started_s": progress.started_s if progress is not None else None,
    }


def details(lesson: Lesson, verdict: Verdict | None, language: Language, url: str) -> Json:
    """All of a lesson. `verdict` is None for one that is not started; `url` stands where texts have `{url}`."""

    def step(number: int, one: Step) -> Json:
        done = verdict is not None and number < verdict.progress.done
        now = verdict is not None and number == verdict.progress.done
        return {
            "title": one.title.to(language),
            "text": one.text.to(language).replace(_URL, url),
            "cli": one.cli.strip().replace(_URL, url),
            "console": one.console.to(language).replace(_URL, url),
            "hints": [hint.to(language).replace(_URL, url) for hint in one.hints],
            "state": "done" if done else "now" if now else "later",
            "missing": [text.to(language) for text in verdict.missing] if verdict is not None and now else [],
        }

    progress = verdict.progress if verdict is not None else None
    return {
        **summary(lesson, progress, language),
        "explanation": lesson.explanation.to(language).replace(_URL, url),
        "observe": lesson.observe.to(language).replace(_URL, url),
        "url": url,
        "steps": [step(number, one) for number, one in enumerate(lesson.steps)],
    }
