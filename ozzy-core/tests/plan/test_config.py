"""A config is taken apart into sections and settings; what is wrong is kept with its place."""

import json
from pathlib import Path

import pytest

from ozzy.errors import ConfigError
from ozzy.options.settings import CheckpointSettings, ErrorSettings, FullEvery
from ozzy.plan.config import load_config
from ozzy.plan.sections import Section

LEAST = {"reader": "random", "writer": "console"}


def load(more=(), **keys):
    """A config of the least there is, and what it has more."""
    return load_config({**LEAST, **dict(more), **keys}, environ={"HOME": "/home/me"})


def told(config):
    return [str(problem) for problem in config.problems]


class TestShape:
    def test_the_least_config_has_defaults(self):
        config = load()
        assert config.readers == [Section("reader", "reader", "random")]
        assert config.writers == [Section("writer", "writer", "console")]
        assert config.formatter == Section("formatter", "formatter", "json")
        assert config.persistence == Section("persistence", "persistence", "file")
        assert config.stats_manager == Section("stats_manager", "stats_manager", "basic")
        assert (config.filter_before, config.filter_after, config.grouper, config.decompressor, config.deserializer) == (None,) * 5
        assert (config.transforms, config.notifications) == ([], [])
        assert (config.errors, config.checkpoint) == (ErrorSettings(), CheckpointSettings())
        assert (config.name, config.delivery, config.inherited, config.notices, config.problems) == (None, None, False, [], [])
        assert (config.file, config.where, config.working_folder) == (None, "the config", Path.cwd())

    def test_every_section(self):
        config = load(
            name="p",
            filter_before={"name": "f", "options": {"a": 1}},
            filter_after="g",
            transform=["t", {"name": "u", "options": {"x": [1]}}],
            grouper={"name": "k"},
            formatter="csv",
            decompressor="gz",
            deserializer={"name": "csv"},
            persistence={"name": "file", "options": None},
            stats_manager="logging",
            engine={"options": {"workers": 2}},
            notifications={"name": "webhook"},
            delivery="exactly once",
            errors={"policy": "skip", "limit": 5},
            checkpoint={"every_records": 5, "full_every": {"records": 2}},
        )
        assert config.problems == []
        assert config.name == "p"
        assert config.filter_before == Section("filter_before", "filter", "f", {"a": 1})
        assert config.filter_after == Section("filter_after", "filter", "g")
        assert config.transforms == [Section("transform.0", "transform", "t"), Section("transform.1", "transform", "u", {"x": [1]})]
        assert config.grouper == Section("grouper", "grouper", "k")
        assert config.formatter.name == "csv"
        assert config.decompressor == Section("decompressor", "decompressor", "gz")
        assert config.deserializer == Section("deserializer", "deserializer", "csv")
        assert config.notifications == [Section("notifications", "notifications", "webhook")]
        assert config.engine == Section("engine", "engine", "local", {"workers": 2})
        assert config.delivery == "exactly once"
        assert config.errors == ErrorSettings(policy="skip", limit=5)
        assert config.checkpoint == CheckpointSettings(every_records=5, full_every=FullEvery(records=2))
        assert [section.path for section in config.sections()] == [
            "reader", "deserializer", "filter_before", "transform.0", "transform.1", "filter_after", "grouper", "formatter", "writer",
            "engine", "persistence", "stats_manager", "notifications",
        ]  # fmt: skip

    def test_one_transform_has_the_path_of_its_key(self):
        assert load(transform="t").transforms == [Section("transform", "transform", "t")]
        assert load(transform=[]).transforms == []

    def test_filter_is_filter_before(self):
        assert load(filter="f").filter_before == Section("filter", "filter", "f")

    def test_errors_may_be_one_word(self):
        assert load(errors="skip").errors == ErrorSettings(policy="skip")

    def test_level_and_logger_of_a_section_are_tolerated(self):
        config = load(reader={"name": "r", "log_level": "INFO", "logger_name": "x"})
        assert (config.problems, config.notices) == ([], [])


class TestSources:
    def test_a_file(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("real.json").write_text(json.dumps(LEAST))
        Path("link.json").symlink_to("real.json")
        config = load_config("link.json")
        assert config.file == Path("real.json").resolve()
        assert config.where == str(config.file)
        assert config.raw == LEAST
        assert load_config(Path("real.json")).file == config.file

    def test_an_empty_path(self):
        with pytest.raises(ConfigError, match="the path of the config is empty"):
            load_config("")

    def test_a_mapping_is_left_as_it_is(self):
        source = {"reader": {"name": "r", "options": {"a": ["${A}"]}}, "writer": "w"}
        config = load_config(source, set={"reader.options.b": "5"}, environ={"A": "x"})
        assert source == {"reader": {"name": "r", "options": {"a": ["${A}"]}}, "writer": "w"}
        assert config.readers[0].options == {"a": ["x"], "b": "5"}
        assert config.raw["reader"] == {"name": "r", "options": {"a": ["${A}"], "b": "5"}}

    def test_a_mapping_with_what_a_config_can_not_hold(self):
        assert told(load(reader={"name": "r", "options": {"f": print}})) == [
            "reader.options.f: a config holds texts, numbers, booleans, null, lists and mappings; this is a builtin_function_or_method"
        ]

    def test_the_working_folder(self, tmp_path):
        assert load_config(LEAST, working_folder=tmp_path).working_folder == tmp_path

    def test_the_environment_is_that_of_the_process_by_default(self, monkeypatch):
        monkeypatch.setenv("OZZY_TEST_NAME", "from outside")
        assert load_config({**LEAST, "name": "${OZZY_TEST_NAME}"}).name == "from outside"

    def test_an_environment_is_not_part_of_a_repr(self):
        assert "/home/me" not in repr(load())

    def test_nor_are_secrets(self):
        config = load(writer={"name": "w", "options": {"password": "hunter2"}})
        assert "hunter2" not in repr(config)

    def test_what_is_set_and_missing_variables_are_problems(self):
        config = load_config(
            {**LEAST, "name": "${X}", "grouper": {"name": "g", "options": {"keys": ["${Y}"]}}},
            set={"reader.options.a.b": "1", "name.x": "2"},
            environ={},
        )
        assert told(config) == [
            "--set name.x: name is a text, so there is nothing below it",
            "name: the environment variable X is not set (set it, or give a default: ${X:-…})",
            "grouper.options.keys.0: the environment variable Y is not set (set it, or give a default: ${Y:-…})",
        ]

    def test_what_is_set_may_name_variables(self):
        assert load_config(LEAST, set={"name": "${A}-1"}, environ={"A": "x"}).name == "x-1"


KNOWN = (
    "known: bookmark, bypass, checkpoint, decompressor, delivery, deserializer, engine, errors, exporter_options, filter,"
    " filter_after, filter_before, formatter, grouper, name, notifications, persistence, reader, stats_manager, transform, writer"
)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"filtr": 1}, ["filtr: unknown key (did you mean filter?)"]),
        ({"zzz": 1}, [f"zzz: unknown key ({KNOWN})"]),
        ({"engine": []}, ["engine: expected the name of an engine, or {name, options}, given [] (list)"]),
        ({"engine": {"name": 5}}, ["engine.name: expected the name of an engine, given 5 (int)"]),
        ({"bypass": 5}, ["bypass: expected the name of a bypass, or {name, options}, given 5 (int)"]),
        ({"bookmark": {}}, ["bookmark: expected true or false, given {} (dict)"]),
        ({"bookmark": "true"}, ['bookmark: expected true or false, given "true" (str)']),
        ({"bookmark": None}, ["bookmark: expected true or false, given null"]),
        ({"name": ""}, ['name: expected a text that is not empty, given "" (str)']),
        ({"name": 5}, ["name: expected a text that is not empty, given 5 (int)"]),
        ({"delivery": "twice"}, [
            'delivery: expected one of "exactly once", "at least once", given "twice" (str)',
        ]),
        ({"delivery": "exactly-once"}, [
            'delivery: expected one of "exactly once", "at least once", given "exactly-once" (str) (did you mean exactly once?)',
        ]),
        ({"errors": "ignore"}, ['errors.policy: expected one of "fail", "skip", "quarantine", given "ignore" (str)']),
        ({"errors": {"policy": "quarantine", "limt": 1}}, ["errors.limt: unknown option (did you mean limit?)"]),
        ({"filter": {"name": "f", "errors": "ignore"}}, [
            'filter.errors.policy: expected one of "fail", "skip", "quarantine" or null, given "ignore" (str)',
        ]),
        ({"transform": [{"name": "t", "errors": {"limit": "5"}}]}, [
            'transform.0.errors.limit: expected int or null, given "5" (str)',
        ]),
        ({"persistence": {"name": "file", "errors": "skip"}}, ["persistence.errors: unknown key (known: name, options)"]),
        ({"errors": {"policy": "quarantine", "limit": -1}}, [
            "errors.limit: expected int of at least 0, or null, given -1 (int)",
        ]),
        ({"errors": 5}, ["errors: expected dict of options, given 5 (int)"]),
        ({"checkpoint": {"every": 5}}, ["checkpoint.every: unknown option (did you mean full_every or every_bytes?)"]),
        ({"checkpoint": {"every_bytes": "5 XB"}}, [
            'checkpoint.every_bytes: expected size in bytes, such as 1000 or 64 MiB, given "5 XB" (str)',
        ]),
        ({"reader": None}, ["reader: expected the name of a reader, or {name, options}, given null"]),
        ({"reader": ""}, ['reader: expected the name of a reader, or {name, options}, given "" (str)']),
        ({"reader": {}}, ["reader.name: missing; expected the name of a reader"]),
        ({"reader": {"name": 5}}, ["reader.name: expected the name of a reader, given 5 (int)"]),
        ({"reader": {"name": " "}}, ['reader.name: expected the name of a reader, given " " (str)']),
        ({"reader": {"name": "r", "option": {}}}, ["reader.option: unknown key (did you mean options?)"]),
        ({"reader": {"name": "r", "label": "x"}}, ["reader.label: unknown key (known: errors, name, options)"]),
        ({"reader": {"name": "r", "options": "password=hunter2"}}, ["reader.options: expected dict of options, given a str"]),
        ({"reader": {"nam": "r", "options": []}}, [
            "reader.nam: unknown key (did you mean name?)",
            "reader.name: missing; expected the name of a reader",
            "reader.options: expected dict of options, given a list",
        ]),
        ({"reader": []}, ["reader: expected at least one reader, given an empty list"]),
        ({"reader": ["a", 5]}, ["reader.1: expected the name of a reader, or {name, options}, given 5 (int)"]),
        ({"reader": {"name": "a", "label": "b"}}, ["reader.label: unknown key (known: errors, name, options)"]),
        ({"reader": ["a", {"name": "b", "lable": "c"}]}, ["reader.1.lable: unknown key (did you mean label?)"]),
        ({"reader": [{"name": "a", "label": "b c"}]}, ['reader.0.label: expected up to 64 letters, digits, _ and -, given "b c" (str)']),
        (
            {"reader": [{"name": "a", "label": "c"}, {"name": "b", "label": "c"}]},
            ["reader.1.label: reader.0 is called c too (give each a label of its own)"],
        ),
        (
            {"reader": [{"name": "a", "decompressor": "rar"}]},
            ['reader.0.decompressor: expected one of "auto", "none", "gz", "bz2", "xz", "zst", "lz4", given "rar" (str)'],
        ),
        ({"transform": ["t", 5]}, ["transform.1: expected the name of a transform, or {name, options}, given 5 (int)"]),
        ({"grouper": ["g"]}, ['grouper: expected the name of a grouper, or {name, options}, given ["g"] (list)']),
        ({"filter": "f", "filter_before": "g"}, ["filter_before: given as filter too, which is the same (keep one of them)"]),
        ({"decompressor": "zip"}, [
            'decompressor: expected one of "auto", "none", "gz", "bz2", "xz", "zst", "lz4", given "zip" (str)',
        ]),
        ({"decompressor": {"name": "gz", "options": {"level": 1}}}, ["decompressor.options: a decompressor takes no options"]),
        ({"decompressor": 5}, ["decompressor: expected the name of a decompressor, or {name, options}, given 5 (int)"]),
        ({"writer": []}, ["writer: expected at least one writer, given an empty list"]),
        ({"writer": [{"name": "fs", "label": "a b"}]}, ['writer.0.label: expected up to 64 letters, digits, _ and -, given "a b" (str)']),
        ({"writer": {"name": "fs", "label": 5}}, ["writer.label: expected up to 64 letters, digits, _ and -, given 5 (int)"]),
        ({"writer": {"name": "fs", "label": "reader"}}, ["writer.label: reader is the name of a stage (call it something else)"]),
        ({"writer": 5}, ["writer: expected the name of a writer, or {name, options}, given 5 (int)"]),
        ({"exporter_options": {"threaded": "yes"}}, ['exporter_options.threaded: expected true or false, given "yes" (str)']),
        ({"exporter_options": {"resum": True}}, ["exporter_options.resum: unknown option (did you mean resume?)"]),
        ({"exporter_options": {"log_level": 5}}, ["exporter_options.log_level: expected str, given 5 (int) (write it in quotes)"]),
        ({"exporter_options": 5}, ["exporter_options: expected dict of options, given 5 (int)"]),
        ({"exporter_options": {"formatter": "csv"}, "formatter": "json"}, [
            "exporter_options.formatter: given as formatter too (keep one of them)",
        ]),
        ({"exporter_options": {"notifications": []}, "notifications": []}, [
            "exporter_options.notifications: given as notifications too (keep one of them)",
        ]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_kept_with_its_place(more, expected):
    assert told(load(more)) == expected


def test_a_missing_reader_is_told_and_a_missing_writer_left_to_resolution():
    config = load_config({})
    assert told(config) == ["reader: missing: a config has a reader (a name, or {name, options})"]
    assert (config.readers[0].name, config.writers) == ("", [])
    assert "reader" not in [section.path for section in config.sections()]


def test_secrets_are_not_shown_where_a_section_is_expected():
    (problem,) = told(load(grouper=[{"password": "hunter2"}]))
    assert "hunter2" not in problem


class TestWriters:
    def test_several_have_labels_of_their_own(self):
        config = load(writer=["console", {"name": "a.b:Fs"}, {"name": "fs", "label": "copy"}])
        assert config.problems == []
        assert [(one.path, one.label) for one in config.writers] == [("writer.0", "console"), ("writer.1", "Fs"), ("writer.2", "copy")]

    def test_two_of_a_name_need_labels(self):
        assert told(load(writer=["fs", {"name": "fs"}])) == ["writer.1: writer.0 is called fs too (give each writer a label of its own)"]
        assert told(load(writer=["fs", {"name": "console", "label": "fs"}])) == [
            "writer.1: writer.0 is called fs too (give each writer a label of its own)"
        ]

    def test_one_alone_may_have_a_label(self):
        assert load(writer={"name": "fs", "label": "main"}).writers == [Section("writer", "writer", "fs", {}, "main")]

    def test_a_list_of_one(self):
        assert load(writer=["fs"]).writers == [Section("writer.0", "writer", "fs", {}, "fs")]


class TestInheritedShape:
    @pytest.mark.parametrize(
        "more",
        [
            {"exporter_options": {}},
            {"reader": {"name": "exporters.readers.random_reader.RandomReader"}},
            {"reader": "ozzy.readers.random_reader.RandomReader"},
            {"transform": ["t", {"name": "exporters.transform.no_transform.NoTransform"}]},
            {"grouper": "exporters.something.of.their.Own"},
        ],
    )
    def test_is_told_by_exporter_options_or_a_class_path(self, more):
        assert load(more).inherited

    @pytest.mark.parametrize("root", ["ozzy", "exporters"])
    def test_the_simplest_inherited_config(self, root):
        reader = {"name": f"{root}.readers.random_reader.RandomReader", "options": {"number_of_items": 1000, "batch_size": 10}}
        config = load_config({"reader": reader, "writer": {"name": f"{root}.writers.console_writer.ConsoleWriter", "options": {}}})
        assert (config.inherited, config.problems, config.notices) == (True, [], [])
        assert config.readers[0].options == {"number_of_items": 1000, "batch_size": 10}

    @pytest.mark.parametrize("name", ["random", "ozzy_s3.reader:S3Reader", "ozzy.builtin.readers.random:RandomReader", "my.exporters.X"])
    def test_is_not_told_by_other_names(self, name):
        assert not load(reader=name).inherited

    def test_unknown_keys_are_ignored_with_a_notice(self):
        config = load(exporter_options={}, label="x", filtr={})
        assert config.problems == []
        assert config.notices == ["label: unknown key, ignored", "filtr: unknown key, ignored"]

    def test_filter_wins_over_filter_before(self):
        config = load(exporter_options={}, filter="f", filter_before="g")
        assert config.problems == []
        assert config.filter_before == Section("filter", "filter", "f")
        assert config.notices == ["filter_before: ignored, since filter is given too"]

    def test_formatter_and_notifications_stand_in_exporter_options(self):
        options = {"formatter": {"name": "csv", "options": {"fields": ["a"]}}, "notifications": ["a", {"name": "b"}]}
        config = load(exporter_options=options)
        assert config.problems == []
        assert config.formatter == Section("exporter_options.formatter", "formatter", "csv", {"fields": ["a"]})
        assert [one.path for one in config.notifications] == ["exporter_options.notifications.0", "exporter_options.notifications.1"]

    def test_they_may_come_from_a_variable_and_are_found_beside_other_problems(self):
        source = {**LEAST, "exporter_options": {"from_env": {"formatter": "F"}}}
        assert load_config(source, environ={"F": "csv"}).formatter == Section("exporter_options.formatter", "formatter", "csv")
        assert load(exporter_options={"formatter": "csv", "threaded": 5}).formatter.name == "csv"

    def test_all_eleven_are_accepted_and_those_without_effect_told(self):
        options = {
            "log_level": "debug", "logger_name": "x", "formatter": "json", "notifications": [], "resume": True, "persistence_state_id": 5,
            "prevent_bypass": True, "disable_retries": True, "forced_reads": True, "threaded": True, "thread_queue_size": 5,
        }  # fmt: skip
        config = load(exporter_options=options)
        assert config.problems == []
        assert config.exporter_options.log_level == "DEBUG"
        assert (config.exporter_options.disable_retries, config.exporter_options.prevent_bypass) == (True, True)
        assert config.notices == [
            "exporter_options.logger_name: accepted without effect, loggers are named after their modules",
            "exporter_options.resume: accepted without effect, resume with `ozzy run --resume`",
            "exporter_options.persistence_state_id: accepted without effect, resume a run by its id with `ozzy resume`",
            "exporter_options.forced_reads: accepted without effect, times of stages are told apart without it",
            "exporter_options.threaded: accepted without effect, stages run side by side where that is of use",
            "exporter_options.thread_queue_size: accepted without effect, queues are bounded in bytes",
        ]

    def test_what_is_switched_off_is_not_told(self):
        assert load(exporter_options={"resume": False, "threaded": False, "persistence_state_id": None}).notices == []

    def test_an_unknown_level_is_info(self):
        config = load(exporter_options={"log_level": "LOUD"})
        assert config.problems == []
        assert config.exporter_options.log_level == "INFO"
        assert config.notices == ["exporter_options.log_level: unknown level 'LOUD', INFO is used"]

    @pytest.mark.parametrize(
        ("name", "word"),
        [
            ("exporters.decompressors.ZLibDecompressor", "auto"),
            ("ozzy.decompressors.NoDecompressor", "none"),
            ("zlib", "auto"),
            ("no_decompressor", "none"),
            ("bz2", "bz2"),
        ],
    )
    def test_decompressors_are_words(self, name, word):
        config = load(decompressor={"name": name})
        assert config.problems == []
        assert config.decompressor == Section("decompressor", "decompressor", word)


class TestChains:
    def test_a_list_is_a_chain_of_which_all_have_to_pass(self):
        config = load(filter=["a", {"name": "b", "options": {"x": 1}}])

        assert config.problems == []
        assert config.filter_before == Section(
            "filter", "filter", "and", members=(Section("filter.0", "filter", "a"), Section("filter.1", "filter", "b", {"x": 1}))
        )

    def test_chains_nest(self):
        config = load(filter_after={"or": ["a", {"not": "b"}, {"and": ["c", ["d"]]}, {"not": ["e", "f"]}]})
        paths = [section.path for section in config.sections() if section.kind == "filter"]

        assert config.problems == []
        assert [section.name for section in config.filter_after.members] == ["a", "not", "and", "not"]
        assert paths == [f"filter_after.or.{rest}" for rest in ("0", "1.not", "2.and.0", "2.and.1.0", "3.not.0", "3.not.1")]

    def test_a_writer_may_have_a_chain(self):
        config = load(writer=[{"name": "console", "when": {"not": {"or": ["a", "b"]}}}])

        assert [section.path for section in config.sections()][2:4] == ["writer.0.when.not.or.0", "writer.0.when.not.or.1"]

    @pytest.mark.parametrize(
        ("chain", "problem"),
        [
            ([], "filter: expected at least one filter, given an empty list"),
            ({"or": []}, "filter.or: expected at least one filter, given an empty list"),
            ({"not": []}, "filter.not: expected at least one filter, given an empty list"),
            ({"or": "a"}, 'filter.or: expected a list of filters, given "a" (str)'),
            ({"and": {"name": "a"}}, "filter.and: expected a list of filters, given"),
            ({"not": None}, "filter.not: expected the name of a filter"),
            (["a", 5], "filter.1: expected the name of a filter"),
            ({"or": ["a", {"and": ["b", {"nam": "c"}]}]}, "filter.or.1.and.1.nam: unknown key"),
            ({"or": ["a"], "and": ["b"]}, "filter.or: stands beside and, which stands alone"),
            ({"name": "a", "not": "b"}, "filter.name: stands beside not, which stands alone"),
            ({"orr": ["a"]}, "filter.orr: unknown key"),
        ],
    )
    def test_what_is_wrong_is_told_with_its_place(self, chain, problem):
        assert any(one.startswith(problem) for one in told(load(filter=chain)))

    def test_a_misspelt_word_is_told_the_near_one(self):
        assert any('did you mean "or"' in one or "or" in one.partition("unknown key")[2] for one in told(load(filter={"orr": ["a"]})))

    def test_all_members_are_looked_at(self):
        assert len(told(load(filter={"or": [5, {"not": 6}, ["a", 7]]}))) == 3

    def test_depth_has_an_end(self):
        chain = "a"
        for _ in range(200):
            chain = {"or": [chain]}

        assert any("nested deeper than" in one for one in told(load(filter=chain)))

    @pytest.mark.parametrize("chain", [["exporters.filters.no_filter.NoFilter"], {"or": [{"not": "exporters.filters.no_filter.NoFilter"}]}])
    def test_an_inherited_name_in_a_chain_makes_the_shape_inherited(self, chain):
        assert load(filter=chain).inherited
        assert load(writer=[{"name": "console", "when": chain}]).inherited

    @pytest.mark.parametrize("key", ["reader", "grouper", "transform", "writer"])
    def test_only_filters_have_chains(self, key):
        assert told(load({key: {"or": ["a"]}})) != []
