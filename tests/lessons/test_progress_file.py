"""Progress on the disk."""

import pytest

from lb.classroom.progress_file import ProgressFile
from lb.lessons.engine import Progress


def test_what_was_written_is_read_again_by_the_next_balancer(tmp_path):
    file = ProgressFile(tmp_path / "lessons.json")
    assert file.read() == {}
    progress = {"4": Progress(1.5, 2, 3.5), "10": Progress(4.0, 0, 4.0)}
    file.write({"4": Progress(1.5, 0, 1.5)})
    file.write(progress)
    assert ProgressFile(tmp_path / "lessons.json").read() == progress
    assert [path.name for path in tmp_path.iterdir()] == ["lessons.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"4": 1}', '{"4": {"done": 1}}', '{"4": {"more": 1}}'])
def test_a_file_that_holds_something_else_is_reported_and_begins_anew(tmp_path, caplog, text):
    (tmp_path / "lessons.json").write_text(text)
    assert ProgressFile(tmp_path / "lessons.json").read() == {}
    assert "every lesson begins anew" in caplog.text
