from __future__ import annotations

import numpy as np
import pytest
import torch

from mtl_core.losses import JointLoss, cdw_ce, cut_targets
from mtl_core.model import Logits
from mtl_core.spec import GROUPINGS

TASKS = GROUPINGS["cumulative"]
COUNTS = [10, 10, 10, 10]


def loss_of(
    fine: torch.Tensor, coarse: torch.Tensor, low: list[int], high: list[int], **options: float
) -> float:
    lams = [options.pop("lam", 1.0)] * 3
    joint = JointLoss(TASKS, lams, COUNTS, **options)  # type: ignore[arg-type]
    return float(joint(Logits(fine, coarse), torch.tensor(low), torch.tensor(high), torch.ones(len(low))))


@pytest.mark.parametrize(
    ("low", "high", "cut", "target", "known"),
    [
        (2, 2, 2, 1.0, True), (1, 1, 2, 0.0, True), (0, 1, 2, 0.0, True), (2, 3, 2, 1.0, True),
        (1, 2, 2, 0.0, False), (1, 2, 1, 1.0, True), (1, 2, 3, 0.0, True), (0, 1, 1, 0.0, False),
        (0, 3, 1, 0.0, False),
    ],
)  # fmt: skip
def test_a_cut_is_known_only_when_the_whole_interval_is_on_one_side(
    low: int, high: int, cut: int, target: float, known: bool
) -> None:
    got_target, got_known = cut_targets(torch.tensor([low]), torch.tensor([high]), cut)
    assert bool(got_known[0]) is known
    if known:
        assert float(got_target[0]) == target


def test_single_task_is_plain_cross_entropy_on_graded_pictures() -> None:
    fine, coarse = torch.randn(3, 4), torch.randn(3, 3)
    got = loss_of(fine, coarse, [0, 2, 1], [0, 2, 2], lam=0.0)
    wanted = float(torch.nn.functional.cross_entropy(fine[:2], torch.tensor([0, 2])))
    assert got == pytest.approx(wanted, abs=1e-6)


def test_partial_label_has_no_say_in_the_fine_task_but_in_its_known_cuts() -> None:
    fine = torch.zeros(2, 4, requires_grad=True)
    coarse = torch.zeros(2, 3, requires_grad=True)
    joint = JointLoss(TASKS, [1.0] * 3, COUNTS)
    joint(Logits(fine, coarse), torch.tensor([1, 2]), torch.tensor([2, 2]), torch.ones(2)).backward()
    assert fine.grad is not None
    assert coarse.grad is not None
    assert (fine.grad[0] == 0).all()
    assert (fine.grad[1] != 0).any()
    assert (coarse.grad[0] != 0).tolist() == [True, False, True]


def test_a_batch_without_any_known_answer_gives_zero_and_a_gradient_path() -> None:
    fine = torch.zeros(2, 4, requires_grad=True)
    joint = JointLoss(TASKS, [1.0] * 3, COUNTS)
    value = joint(Logits(fine, torch.zeros(2, 3)), torch.tensor([0, 0]), torch.tensor([3, 3]), torch.ones(2))
    value.backward()
    assert float(value.detach()) == 0


def test_logit_adjustment_favours_rare_grades() -> None:
    rare_right = torch.tensor([[0.0, 0.0, 0.0, 0.0]])
    low = torch.tensor([3])
    losses = [
        float(
            JointLoss(TASKS, [0.0] * 3, counts, tau=1.0)(
                Logits(rare_right, torch.zeros(1, 3)), low, low, torch.ones(1)
            )
        )
        for counts in ([10, 10, 10, 10], [100, 100, 100, 10])
    ]
    assert losses[1] > losses[0]


def test_a_grade_without_pictures_never_pays() -> None:
    """The best raw answer for a certain MES 1 must not name a grade that no picture has."""
    raw = torch.zeros(1, 4, requires_grad=True)
    joint = JointLoss(TASKS, [0.0] * 3, [0, 156, 351, 107], smoothing=0.05)
    label = torch.tensor([1])
    optimiser = torch.optim.SGD([raw], lr=2.0)
    for _ in range(500):
        optimiser.zero_grad()
        joint(Logits(raw, torch.zeros(1, 3)), label, label, torch.ones(1)).backward()
        optimiser.step()
    p = torch.softmax(raw.detach(), 1)[0]
    assert int(p.argmax()) == 1
    assert float(p[0]) < 0.05


def test_an_undecided_task_does_not_drift() -> None:
    joint = JointLoss(TASKS, [1.0] * 3, COUNTS, learned=True)
    open_label = (torch.tensor([1]), torch.tensor([2]))  # decides cuts 1 and 3 only
    joint(Logits(torch.randn(1, 4), torch.randn(1, 3)), *open_label, torch.ones(1)).backward()
    assert joint.log_variances is not None
    assert joint.log_variances.grad is not None
    assert (joint.log_variances.grad != 0).tolist() == [False, True, False, True]


def test_cdw_ce_by_hand_and_by_loop() -> None:
    logits = torch.randn(5, 4)
    target = torch.tensor([0, 3, 1, 2, 2])
    p = torch.softmax(logits, 1).numpy()
    wanted = [
        -sum(np.log(1 - p[n, i]) * abs(i - int(t)) ** 3 for i in range(4)) for n, t in enumerate(target)
    ]
    assert cdw_ce(logits, target, 3.0).numpy() == pytest.approx(np.array(wanted), rel=1e-4)


def test_learned_weights_take_part_in_the_gradient() -> None:
    joint = JointLoss(TASKS, [1.0] * 3, COUNTS, learned=True)
    labels = torch.tensor([0, 3])
    joint(Logits(torch.randn(2, 4), torch.randn(2, 3)), labels, labels, torch.ones(2)).backward()
    assert joint.log_variances is not None
    assert joint.log_variances.grad is not None
    assert (joint.log_variances.grad != 0).all()


def test_wrong_number_of_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="as many weights"):
        JointLoss(TASKS, [1.0], COUNTS)
