# SPDX-License-Identifier: BSD-3-Clause
"""Schedules: rates worked out by hand, and what happens on a plateau."""

import numpy as np
import pytest

from sknumpynet.core import (
    Adaptive,
    Constant,
    Cosine,
    Custom,
    Exponential,
    InverseScaling,
    OneCycle,
    Schedule,
    StepDecay,
    TrainingProgress,
    Warmup,
)
from sknumpynet.core.schedules import SCHEDULES, get_schedule

from .frozen_optimizers import FROZEN


@pytest.mark.parametrize("samples", [0, 1, 10**6])
@pytest.mark.parametrize("schedule", [Constant(0.3), Adaptive(0.3)])
def test_rate_that_does_not_depend_on_progress(schedule, samples):
    assert schedule(TrainingProgress(samples=samples)) == 0.3


@pytest.mark.parametrize(
    "power, samples, rate",
    [(0.5, 0, 0.2), (0.5, 3, 0.1), (0.5, 99, 0.02), (1.0, 99, 0.002), (0, 99, 0.2), (-0.5, 3, 0.4)],
)
def test_inverse_scaling(power, samples, rate):
    assert InverseScaling(0.2, power)(TrainingProgress(samples=samples)) == pytest.approx(
        rate, rel=1e-14
    )


def test_a_schedule_is_a_pure_function():
    schedule = InverseScaling(0.2)
    rates = [schedule(TrainingProgress(samples=samples)) for samples in (5, 0, 5)]
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
        Schedule()(TrainingProgress())


def one_cycle(n_steps, **options):
    return [
        OneCycle(**options)(TrainingProgress(step=step, n_steps=n_steps)) for step in range(n_steps)
    ]


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
        late = OneCycle(0.1, warmup)(TrainingProgress(step=5 * n_steps, n_steps=n_steps))
        assert late == pytest.approx(0.1 * 0.04 * 1e-4)


def test_a_function_of_the_step_is_a_schedule():
    schedule = get_schedule(lambda step: 1 / (1 + step), rate=7.0)
    assert isinstance(schedule, Custom)
    assert [schedule(TrainingProgress(step=step, samples=9)) for step in range(3)] == [
        1,
        1 / 2,
        1 / 3,
    ]


@pytest.mark.parametrize("name", SCHEDULES)
def test_missing_rate_is_filled_in(name):
    assert get_schedule(name, 0.3) == SCHEDULES[name](rate=0.3)
    own = SCHEDULES[name]()
    assert get_schedule(own, 0.3).rate == 0.3 and own.rate is None
    own.set_params(rate=0.1)
    assert get_schedule(own, 0.3) == own and get_schedule(own, 0.3) is not own
    with pytest.raises(ValueError, match=r"^learning_rate must be one of 'constant', "):
        get_schedule("constantly", 0.3)


# ---- rates that come down


@pytest.mark.parametrize(
    "epoch, rate", [(0, 0.8), (1, 0.8), (2, 0.8), (3, 0.2), (5, 0.2), (6, 0.05), (30, 0.8 / 4**10)]
)
def test_steps_come_every_so_many_epochs(epoch, rate):
    schedule = StepDecay(0.8, every=3, factor=0.25)
    assert schedule(TrainingProgress(step=7 * epoch, n_steps=1000, epoch=epoch)) == pytest.approx(
        rate
    )
    assert (schedule.updates, schedule.fixed_length) == ("epoch", False)


@pytest.mark.parametrize("epoch, rate", [(0, 0.4), (1, 0.1), (3, 0.00625)])
def test_exponential(epoch, rate):
    schedule = Exponential(0.4, factor=0.25)
    assert schedule(TrainingProgress(step=99, epoch=epoch, samples=1234)) == pytest.approx(rate)
    assert (schedule.updates, schedule.fixed_length) == ("epoch", False)


def all_rates(schedule, n_steps):
    return [schedule(TrainingProgress(step=step, n_steps=n_steps)) for step in range(n_steps)]


def test_cosine_by_hand():
    rates = all_rates(Cosine(1.0, end_factor=0.2), 13)
    # a third of the way a half-period of the cosine has gone a quarter down
    assert [rates[0], rates[4], rates[6], rates[8], rates[12]] == pytest.approx(
        [1, 0.8, 0.6, 0.4, 0.2]
    )
    assert Cosine(1.0)(TrainingProgress(step=99, n_steps=13)) == pytest.approx(0, abs=1e-15)
    assert (Cosine.updates, Cosine.fixed_length) == ("step", True)


def test_cosine_with_a_rise():
    rates = all_rates(Cosine(1.0, warmup=0.25), 17)  # 16 steps on, of which 4 up
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert [rates[8], rates[10], rates[16]] == pytest.approx([0.75, 0.5, 0])


@pytest.mark.parametrize("n_steps", [1, 2, 3, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.3, 1.0])
def test_cosine_of_any_length_stays_in_its_bounds(n_steps, warmup):
    rates = np.array(all_rates(Cosine(0.1, warmup), n_steps))
    assert (rates >= 0).all() and (rates <= 0.1 * (1 + 1e-12)).all() and rates.max() > 0


def test_annealing_is_that_of_pytorch():
    ours = all_rates(Cosine(0.1, end_factor=0.1), 11)
    assert ours == pytest.approx(FROZEN["cosine"], rel=1e-12)
    # PyTorch takes the top after warmup * n - 1 of n steps, we after warmup * (n - 1)
    ours = all_rates(OneCycle(0.3, warmup=0.4), 21)
    assert ours == pytest.approx(FROZEN["one_cycle"], rel=1e-10)
    ours = all_rates(OneCycle(0.3, warmup=0.2, start_factor=1 / 5, end_factor=1 / 20), 11)
    assert ours == pytest.approx(FROZEN["one_cycle of other factors"], rel=1e-10)


# ---- a rise before any other


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_rise_before_any_schedule(name):
    plain, risen = SCHEDULES[name](rate=0.4), Warmup(SCHEDULES[name](rate=0.4), steps=4)
    for step in range(20):
        progress = TrainingProgress(step=step, n_steps=20, samples=10 * step, epoch=step // 5)
        factor = min((step + 1) / 5, 1)
        assert risen(progress) == pytest.approx(factor * plain(progress), rel=1e-14)
    assert risen.fixed_length == plain.fixed_length and risen.updates == "step"
    assert risen.on_plateau(0.1) == plain.on_plateau(0.1)
    # the name and the rate may be given apart
    progress = TrainingProgress(step=2, n_steps=20)
    assert get_schedule(Warmup(name, steps=4), 0.4)(progress) == risen(progress)
    assert get_schedule(Warmup(name, steps=4, rate=0.4), 7.0)(progress) == risen(progress)


def test_a_rise_over_a_share_of_the_steps():
    schedule = Warmup(Constant(1.0), steps=0.25)
    rates = [schedule(TrainingProgress(step=step, n_steps=16)) for step in (0, 1, 3, 4, 15)]
    assert rates == pytest.approx([0.2, 0.4, 0.8, 1, 1])


def test_a_rise_before_a_function():
    schedule = Warmup(lambda step: 10.0 + step, steps=1)
    assert [schedule(TrainingProgress(step=step)) for step in range(3)] == [5.0, 11.0, 12.0]
    assert not schedule.fixed_length and schedule.on_plateau(1.0) is None


def test_which_schedules_have_an_end():
    assert {name for name, cls in SCHEDULES.items() if cls.fixed_length} == {"cosine", "one_cycle"}
