"""The transforms of the core keep their contract."""

from ozzy.builtin.transforms.no_transform import NoTransform
from ozzy.testing.transform import TransformContract


class TestNoTransform(TransformContract):
    module = NoTransform
