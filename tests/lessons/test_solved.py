"""Each lesson, solved by typing what it says: every step is red before and green after, and a reset leaves nothing behind."""

import os
import shutil
import sys

import pytest

from lb.lessons.loader import load_lessons
from tests.lessons.learner import learning
from tests.support.mariadb import MariaDB, mariadb  # noqa: F401 - a fixture

LESSONS = load_lessons()

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs all of 127.0.0.0/8 and a port below 1024"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the load balancers of the lessons listen on port 80: needs root"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl"),
]


def solve(learner, after_step=lambda: None):
    """All steps, then a reset; fails where anything is left that was not there before. `after_step` is called after each."""
    before = learner.resources()
    started = learner.start()
    assert started["state"] == "under-way"
    for number in range(len(started["steps"])):
        learner.solve(number)
        after_step()
    assert learner.look()["state"] == "done"
    status, answer = learner.api(f"/{learner.lesson}/reset", post=True)
    assert (status, answer["kept"]) == (200, {})
    assert answer["removed"]
    assert learner.resources() == before
    assert learner.look()["state"] == "not-started"


@pytest.mark.parametrize("lesson", [each for each in LESSONS if not LESSONS[each].prepare.database])
def test_a_lesson_is_solved_by_what_its_steps_say(lesson, tmp_path, monkeypatch):
    with learning(lesson, tmp_path, monkeypatch) as learner:
        solve(learner)


@pytest.mark.mysql
def test_the_database_lesson_is_solved_with_a_real_database(mariadb: MariaDB, tmp_path, monkeypatch):  # noqa: F811
    login = {"LB_DB_HOST": mariadb.host, "LB_DB_PORT": str(mariadb.port), "LB_DB_USER": mariadb.user}
    for name, value in {**login, "LB_DB_PASSWORD": mariadb.password}.items():
        monkeypatch.setenv(name, value)
    seen = []
    with learning("1", tmp_path, monkeypatch, database=(mariadb.host, mariadb.port)) as learner:
        learner.login(mariadb.user, mariadb.password)
        solve(learner, lambda: seen.append(learner.database_seen_by_the_server()))
    # The page of the web server has the right password throughout; the firewall shuts it out like anybody else.
    assert seen == ["ok", "ok", "timeout", "ok"]
