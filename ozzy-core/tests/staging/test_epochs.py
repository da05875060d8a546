"""Staged data that belongs to one epoch."""

from ozzy.staging.epochs import by_epoch, copied_file, moved_folder, own_copies


def test_a_folder_is_moved_from_epoch_to_epoch(tmp_path):
    folder = tmp_path / "writer"
    folder.mkdir()
    (folder / "a").write_text("a")
    first = moved_folder(folder, 2)
    assert (first.name, (first / "a").read_text(), folder.exists()) == ("writer.epoch-2", "a", False)
    folder.mkdir()
    (folder / "stray").write_text("of who was overtaken")

    second = moved_folder(folder, 10)

    assert (second.name, [path.name for path in second.iterdir()]) == ("writer.epoch-10", ["a"])
    assert by_epoch(folder) == [second]
    assert moved_folder(folder, 10) == second
    assert moved_folder(tmp_path / "other", 3) == tmp_path / "other.epoch-3"


def test_a_file_is_copied_and_the_old_one_goes(tmp_path):
    path = tmp_path / "files"
    path.write_text("one\n")
    with path.open("a") as held:
        mine = copied_file(path, 4)
        held.write("of who was overtaken\n")

    assert (mine.name, mine.read_text(), path.exists()) == ("files.epoch-4", "one\n", False)
    assert copied_file(path, 4) == mine
    assert copied_file(tmp_path / "none", 5).exists() is False


def test_who_has_a_file_open_writes_into_it_no_more(tmp_path):
    (tmp_path / "a").write_text("mine")
    with (tmp_path / "a").open("a") as held:
        own_copies(tmp_path, ["a"])
        held.write(" and theirs")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "mine")]
