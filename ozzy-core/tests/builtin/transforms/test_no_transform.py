from ozzy import Batch
from ozzy.builtin.transforms.no_transform import NoTransform


def test_the_batch_itself_comes_out_and_is_not_decoded():
    batch = Batch.from_lines([b"not even JSON"])
    assert NoTransform().transform_batch(batch) is batch
    assert batch.faces == ("lines",)


def test_it_says_what_it_does():
    assert (NoTransform.reads, NoTransform.writes, NoTransform.one_to_one) == ((), (), True)
