"""Steps one after the other: what was reached stays so, what happened before a step does not count for it."""

from lb.lessons.engine import Progress, begin, judge
from lb.lessons.loader import read_lesson
from lb.lessons.view import details, summary
from tests.lessons.scene import ONE, TWO, answers, scene

LESSON = read_lesson(
    "04-two-steps.yaml",
    """
id: "4"
title: &text {en: 'Go to {url}', ko: '{url} 열기'}
goal: *text
explanation: *text
observe: *text
steps:
  - {title: *text, text: *text, cli: 'curl {url}/ $HOME {x}', console: *text, hints: [*text],
     checks: [{server_state: {server: Web Server 2, state: stopped}}]}
  - {title: *text, text: *text, cli: curl, console: *text,
     checks: [{server_state: {server: Web Server 2, state: running}}, {alternate: {load_balancer: lb, times: 2}}]}
""",
)
STOPPED = {ONE: "running", TWO: "stopped"}
RUNNING = {ONE: "running", TWO: "running"}


def test_a_step_that_was_reached_stays_so_when_its_state_has_passed():
    first = judge(LESSON, begin(10.0), scene(instances=RUNNING), 11.0)
    assert (first.progress, len(first.missing)) == (Progress(10.0, 0, 10.0), 1)
    second = judge(LESSON, first.progress, scene(instances=STOPPED), 12.0)
    assert second.progress == Progress(10.0, 1, 12.0)
    assert [text.en[:23] for text in second.missing] == ["Web Server 2 (i-2) is s", "0 of 2 requests have go"]
    third = judge(LESSON, second.progress, scene(instances=RUNNING), 13.0)
    assert (third.progress, len(third.missing)) == (second.progress, 1)


def test_requests_from_before_a_step_do_not_count_for_it():
    requests = answers(ONE, TWO, each_s=1.0)  # at 0 and at 1 second
    seen = scene(instances=RUNNING, requests=requests)
    assert judge(LESSON, Progress(0.0, 1, 0.5), seen, 2.0).progress.done == 1
    done = judge(LESSON, Progress(0.0, 1, 0.0), seen, 2.0)
    assert (done.progress.done, done.missing) == (2, ())
    assert judge(LESSON, done.progress, scene(instances={}), 3.0) == done


def test_the_view_fills_in_the_address_and_nothing_else():
    verdict = judge(LESSON, begin(10.0), scene(instances=RUNNING), 11.0)
    told = details(LESSON, verdict, "ko", "http://lb.localhost")
    assert told["title"] == "{url} 열기"
    assert told["observe"] == "http://lb.localhost 열기"
    first, second = told["steps"]
    assert first["cli"] == "curl http://lb.localhost/ $HOME {x}"
    assert (first["state"], first["hints"]) == ("now", ["http://lb.localhost 열기"])
    assert first["missing"] == ["Web Server 2 인스턴스(i-2)가 stopped 상태여야 하는데 지금은 running 상태입니다"]
    assert (second["state"], second["missing"]) == ("later", [])


def test_a_lesson_is_not_started_under_way_or_done():
    states = [summary(LESSON, progress, "en")["state"] for progress in (None, begin(1.0), Progress(1.0, 2, 3.0))]
    assert states == ["not-started", "under-way", "done"]
    assert details(LESSON, None, "en", "")["steps"][0]["state"] == "later"
