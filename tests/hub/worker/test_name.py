"""The name by which Kafka knows a worker again."""

from pathlib import Path

from hub.worker.name import WorkerName


def test_each_living_process_of_a_folder_has_a_name_of_its_own_and_the_next_one_takes_a_free_one(
    tmp_path: Path,
) -> None:
    first, second = WorkerName.taken(None, tmp_path), WorkerName.taken(None, tmp_path)
    assert first.text is not None and first.text.endswith("-1")
    assert second.text is not None and second.text.endswith("-2")
    first.release()
    again = WorkerName.taken(None, tmp_path)
    assert again.text == first.text
    again.release()
    second.release()


def test_processes_of_two_folders_on_one_machine_differ(tmp_path: Path) -> None:
    one, other = WorkerName.taken(None, tmp_path / "one"), WorkerName.taken(None, tmp_path / "other")
    assert one.text != other.text
    one.release()
    other.release()


def test_a_name_that_is_given_is_taken_as_it_is(tmp_path: Path) -> None:
    assert WorkerName.taken("worker-b", tmp_path) == WorkerName("worker-b")
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_a_worker_is_a_new_one_each_time(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    assert WorkerName.taken(None, in_the_way / "data").text is None
