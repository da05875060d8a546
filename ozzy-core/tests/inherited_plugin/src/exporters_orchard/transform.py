# ruff: noqa: RUF012
from ozzy.exceptions import ConfigurationError
from ozzy.transform.base_transform import BaseTransform


class WeighTransform(BaseTransform):
    """Adds a weight to each apple, in place."""

    supported_options = {"grams": {"type": int, "default": 100}}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.read_option("grams") <= 0:
            raise ConfigurationError("an apple weighs something")

    def transform_batch(self, batch):
        for item in batch:
            item["weight"] = self.read_option("grams") + item["number"]
            yield item


class SliceTransform(BaseTransform):
    """Makes two plain dicts of each apple."""

    def transform_batch(self, batch):
        for item in batch:
            for half in ("left", "right"):
                yield dict(item, half=half)
