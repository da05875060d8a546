# ruff: noqa: RUF012
from ozzy.readers.base_reader import BaseReader
from ozzy.records.base_record import BaseRecord
from ozzy.utils import str_list


class OrchardReader(BaseReader):
    """Makes up apples: a generator for each batch, a dict as position."""

    supported_options = {
        "number_of_items": {"type": int, "default": 10},
        "batch_size": {"type": int, "default": 4},
        "colours": {"type": str_list, "default": ["red", "green"]},
        "owner": {"type": str, "env_fallback": "ORCHARD_OWNER"},
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.batch_size = self.read_option("batch_size")
        self.colours = self.read_option("colours")

    def get_next_batch(self):
        left = self.read_option("number_of_items") - self.last_position["last_read"]
        for _ in range(min(self.batch_size, left)):
            number = self.last_position["last_read"]
            self.last_position["last_read"] += 1
            apple = BaseRecord({"number": number, "colour": self.colours[number % len(self.colours)], "owner": self.read_option("owner")})
            yield apple
        if self.last_position["last_read"] >= self.read_option("number_of_items"):
            self.finished = True

    def set_last_position(self, last_position):
        self.last_position = last_position or {"last_read": 0}

    def get_last_position(self):
        return self.last_position


class ListReader(BaseReader):
    """Returns a list once, has no options and no position."""

    def get_next_batch(self):
        self.finished = True
        return [BaseRecord(number=number, colour="red") for number in range(3)]
