"""Whatever changes, and however deliveries come, drains and syncs in any order make the warehouse equal to GitHub."""

from __future__ import annotations

import random
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prpipeline_tests.support.delivery_lab import DeliveryLab, delivery_lab
from prpipeline_tests.support.sync_lab import new_folder
from prpipeline_tests.sync.test_always_equal import LOUD, REPOSITORIES, change

_changes = st.tuples(
    st.sampled_from(LOUD), st.sampled_from(REPOSITORIES), st.integers(0, 40), st.integers(0, 90)
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), _changes),
        st.tuples(st.sampled_from(["deliver", "drain", "hurry", "sync", "wait"]), st.integers(0, 1_000)),
    ),
    max_size=24,
)


class _Post:
    """Deliveries on their way: some are lost, some come twice, late, or before earlier ones."""

    def __init__(self, lab: DeliveryLab, seed: int) -> None:
        self._lab, self._random = lab, random.Random(seed)
        self._under_way = lab.take()

    def deliver(self) -> None:
        self._under_way += self._lab.take()
        self._random.shuffle(self._under_way)
        several = self._random.randint(0, len(self._under_way))
        coming, self._under_way = self._under_way[:several], self._under_way[several:]
        kept = [delivery for delivery in coming if self._random.random() > 0.2]
        self._lab.arrive(kept + [delivery for delivery in kept if self._random.random() < 0.3])


@pytest.mark.examples
@given(steps=_steps, hooks=st.sampled_from([1, 2]), seed=st.integers(0, 2**16))
def test_deliveries_in_any_order_and_a_sync_make_it_equal(
    steps: list[tuple[str, object]], hooks: int, seed: int
) -> None:
    folder = new_folder()
    with delivery_lab(folder, REPOSITORIES, hooks=hooks) as lab:
        post = _Post(lab, seed)
        for what, detail in steps:
            if what == "change":
                change(lab.world, detail)  # type: ignore[arg-type]
            elif what == "deliver":
                post.deliver()
            elif what == "drain":
                assert not any(result.failed for result in lab.drain())
                lab.assert_no_row_twice()
            elif what == "hurry":
                lab.hurry()
            elif what == "sync":
                assert not any(result.failed for result in lab.sync())
            else:
                lab.wait(seconds=int(str(detail)))
        lab.wait(minutes=5)
        assert not any(result.failed for result in lab.sync())
        lab.assert_equal()
        post.deliver()
        lab.hurry()
        assert not any(result.failed for result in lab.drain())
        lab.assert_equal()
    shutil.rmtree(folder, ignore_errors=True)
