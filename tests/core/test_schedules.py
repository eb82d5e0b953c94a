# SPDX-License-Identifier: BSD-3-Clause
"""Schedules: rates worked out by hand, and what happens on a plateau."""

import numpy as np
import pytest

from sknumpynet.core import Adaptive, Constant, InverseScaling, Progress, Schedule
from sknumpynet.core.schedules import SCHEDULES, Custom, OneCycle, get_schedule


@pytest.mark.parametrize("samples", [0, 1, 10**6])
@pytest.mark.parametrize("schedule", [Constant(0.3), Adaptive(0.3)])
def test_a_rate_that_progress_does_not_move(schedule, samples):
    assert schedule(Progress(samples=samples)) == 0.3


@pytest.mark.parametrize(
    "power, samples, rate",
    [(0.5, 0, 0.2), (0.5, 3, 0.1), (0.5, 99, 0.02), (1.0, 99, 0.002), (0, 99, 0.2), (-0.5, 3, 0.4)],
)
def test_inverse_scaling(power, samples, rate):
    assert InverseScaling(0.2, power)(Progress(samples=samples)) == pytest.approx(rate, rel=1e-14)


def test_a_schedule_is_a_pure_function():
    schedule = InverseScaling(0.2)
    rates = [schedule(Progress(samples=samples)) for samples in (5, 0, 5)]
    assert rates[0] == rates[2] != rates[1]


def test_on_a_plateau_all_but_adaptive_stop():
    assert Constant().on_plateau(0.1) is None
    assert InverseScaling().on_plateau(0.1) is None


def test_adaptive_divides_until_the_rate_is_small():
    schedule = Adaptive(0.001, factor=10, smallest=2e-6)
    rates = [schedule.rate]
    while (rate := schedule.on_plateau(rates[-1])) is not None:
        rates.append(rate)
    assert rates == pytest.approx([1e-3, 1e-4, 1e-5, 1e-6], rel=1e-12)
    assert Adaptive().on_plateau(1.0) == 0.2
    assert Adaptive().on_plateau(1e-6) is None


def test_the_base_class_has_no_rate():
    with pytest.raises(NotImplementedError):
        Schedule()(Progress())


def one_cycle(n_steps, **options):
    return [OneCycle(**options)(Progress(step=step, n_steps=n_steps)) for step in range(n_steps)]


def test_one_cycle_goes_up_and_down_along_half_cosines():
    rates = one_cycle(101, rate=1.0, warmup=0.4, start_factor=0.2, end_factor=0.5)
    assert rates[0] == pytest.approx(0.2)
    # a third of half a period of a cosine is a quarter of the way, half of it is half of the way
    assert rates[20] == pytest.approx(0.6)
    assert rates[40] == pytest.approx(1.0)
    assert rates[60] == pytest.approx(1.0 - 0.9 / 4)
    assert rates[70] == pytest.approx(0.55)
    assert rates[100] == pytest.approx(0.1)
    steps = np.diff(rates)
    assert (steps[:40] > 0).all() and (steps[40:] < 0).all()


@pytest.mark.parametrize("n_steps", [1, 2, 3, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.3, 1.0])
def test_one_cycle_of_any_length_stays_in_its_bounds(n_steps, warmup):
    rates = np.array(one_cycle(n_steps, rate=0.1, warmup=warmup))
    assert (rates > 0).all() and (rates <= 0.1 * (1 + 1e-12)).all()
    # training that is asked for more steps than it was planned for ends with the smallest rate
    if warmup < 1:
        late = OneCycle(0.1, warmup)(Progress(step=5 * n_steps, n_steps=n_steps))
        assert late == pytest.approx(0.1 * 0.04 * 1e-4)


def test_a_function_of_the_step_is_a_schedule():
    schedule = get_schedule(lambda step: 1 / (1 + step), rate=7.0)
    assert isinstance(schedule, Custom)
    assert [schedule(Progress(step=step, samples=9)) for step in range(3)] == [1, 1 / 2, 1 / 3]


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_rate_is_put_in_where_there_is_none(name):
    assert get_schedule(name, 0.3) == SCHEDULES[name](rate=0.3)
    own = SCHEDULES[name]()
    assert get_schedule(own, 0.3).rate == 0.3 and own.rate is None
    own.set_params(rate=0.1)
    assert get_schedule(own, 0.3) == own and get_schedule(own, 0.3) is not own
    with pytest.raises(ValueError, match=r"^learning_rate must be one of 'constant', "):
        get_schedule("constantly", 0.3)
