"""Recording: what is in the files, and what may come between."""

import copy
import json
import os
import signal
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import lossledger
from lossledger.parameters import RecorderWarning
from conftest import examples, flat, network, recorded, train


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=0.01)


def test_every_row_is_the_parameters_and_training_is_the_same(tmp_path):
    plain = network()
    expected = train(plain, adam(plain), 9)
    torch.manual_seed(0)
    model = network()
    optimizer = adam(model)
    with lossledger.Recorder(model, optimizer, tmp_path / "r") as recorder:
        theta = train(model, optimizer, 9)
        assert recorder.iteration == 9
    assert np.array_equal(theta, expected)
    assert np.array_equal(recorded(tmp_path / "r", model), theta)
    for name, shape in {"theta.npy": (10, 75), "iteration.npy": (10,), "update/momentum.npy": (9, 75)}.items():
        assert np.load(tmp_path / "r" / name, mmap_mode="r").shape == shape
    assert json.loads((tmp_path / "r" / "closed.json").read_text()) == {"rows": 10}
    # The recorder has let go of the optimiser.
    train(model, optimizer, 1)
    assert len(recorded(tmp_path / "r", model)) == 10


@pytest.mark.parametrize("components", [True, False])
def test_every_third_step_and_whenever_the_optimiser_is_saved(components, tmp_path):
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    recorder = lossledger.Recorder(model, optimizer, tmp_path / "r", every=3, components=components)
    theta = train(model, optimizer, 8, after=lambda step: optimizer.state_dict() if step == 3 else None)
    recorder.close()
    arrays, iteration = lossledger.load(str(tmp_path / "r"))
    assert iteration.tolist() == [0, 3, 4, 6, 8]
    assert np.array_equal(recorded(tmp_path / "r", model), theta[iteration])
    if components:
        parts = sum(recorded(tmp_path / "r", model, f"update/{part}/").astype(np.float64) for part in ("gradient", "momentum", "weightDecay"))
        assert np.abs(np.diff(theta[iteration].astype(np.float64), axis=0) - parts).max() < 1e-6


@pytest.mark.parametrize("components", [True, False])
def test_a_row_is_of_its_step_whatever_is_loaded_before_it_is_due(components, tmp_path):
    model = network()
    optimizer = adam(model)
    best = copy.deepcopy(model.state_dict())
    recorder = lossledger.Recorder(model, optimizer, tmp_path / "r", every=4, components=components)

    def evaluate(step):
        if step == 1:
            own = copy.deepcopy(model.state_dict())
            for parameter in model.parameters():
                parameter.data.zero_()
            optimizer.state_dict()
            model.load_state_dict(own)

    theta = train(model, optimizer, 6, after=evaluate)
    model.load_state_dict(best)
    recorder.close()
    assert np.array_equal(recorded(tmp_path / "r", model), theta[[0, 2, 4, 6]])


@pytest.mark.parametrize("flushed", [False, True])
def test_what_another_optimiser_moves_first_is_warned_of_unless_the_start_was_recorded(flushed, tmp_path):
    model = network()
    first, optimizer = torch.optim.SGD(model[0].parameters(), lr=0.1), torch.optim.SGD(model[2].parameters(), lr=0.1)
    recorder = lossledger.Recorder(model, optimizer, tmp_path / "r")
    start = flat(model)
    if flushed:
        recorder.flush()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RecorderWarning)
        train(model, Both(first, optimizer), 2)
    recorder.close()
    assert np.array_equal(recorded(tmp_path / "r", model)[0], start) == flushed
    assert [("0.weight requires a gradient" in str(each.message)) for each in caught if each.category is RecorderWarning] == [True] * (
        not flushed
    )


class Both:
    """Two optimisers that step one after the other."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers

    def zero_grad(self):
        for each in self.optimizers:
            each.zero_grad()

    def step(self):
        for each in self.optimizers:
            each.step()


def test_a_schedule_made_before_or_after_goes_on_working(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    recorder = lossledger.Recorder(model, optimizer, tmp_path / "r")
    after = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)

    def step(_):
        before.step()
        after.step()

    theta = train(model, optimizer, 3, after=step)
    recorder.close()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.25**3)
    assert np.array_equal(recorded(tmp_path / "r", model), theta)


def test_gradient_accumulation_gives_a_row_a_step(tmp_path):
    model = network()
    optimizer = adam(model)
    x, y = examples()
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        for _ in range(2):
            optimizer.zero_grad()
            for at in range(0, 40, 10):
                (nn.functional.cross_entropy(model(x[at : at + 10]), y[at : at + 10]) / 4).backward()
            optimizer.step()
    assert len(recorded(tmp_path / "r", model)) == 3


def test_steps_with_a_closure_are_recorded(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, y = examples()

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        for _ in range(3):
            optimizer.step(closure)
    rows = recorded(tmp_path / "r", model)
    parts = sum(recorded(tmp_path / "r", model, f"update/{part}/").astype(np.float64) for part in ("gradient", "momentum", "weightDecay"))
    assert np.abs(np.diff(rows.astype(np.float64), axis=0) - parts).max() < 1e-6


class Scaler:
    """A gradient scaler as PyTorch's works: it unscales, and calls step only where all gradients are finite."""

    def step(self, optimizer):
        gradients = [each.grad for group in optimizer.param_groups for each in group["params"]]
        if all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
            optimizer.step()


def test_steps_that_a_scaler_skips_are_none(tmp_path):
    model = network()
    optimizer = adam(model)
    x, y = examples()
    kept = 0
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        for step in range(6):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y) * (float("inf") if step % 3 == 1 else 1.0)
            loss.backward()
            kept += step % 3 != 1
            Scaler().step(optimizer)
    assert len(recorded(tmp_path / "r", model)) == 1 + kept


class Fused(torch.optim.SGD):
    """Skips a step of its own accord, as fused optimisers do on a GPU."""

    def step(self, closure=None):
        return None if getattr(self, "found_inf", None) is not None else super().step(closure)


def test_steps_that_a_fused_optimiser_skips_are_none(tmp_path):
    model = network()
    optimizer = Fused(model.parameters(), lr=0.1)
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        train(model, optimizer, 1)
        optimizer.found_inf = torch.ones(1)
        train(model, optimizer, 1)
        del optimizer.found_inf
        train(model, optimizer, 1)
    assert len(recorded(tmp_path / "r", model)) == 3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_the_real_scaler_and_a_fused_step_on_a_gpu(tmp_path):
    model = network().cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)
    scaler = torch.amp.GradScaler("cuda", init_scale=4.0)
    x, y = (each.cuda() for each in examples())
    rows = []
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        for step in range(6):
            optimizer.zero_grad()
            scaler.scale(nn.functional.cross_entropy(model(x), y) * (float("inf") if step % 3 == 1 else 1.0)).backward()
            before = flat(model)
            scaler.step(optimizer)
            scaler.update()
            if not np.array_equal(before, flat(model)):
                rows.append(flat(model))
    found = recorded(tmp_path / "r", model)
    assert len(rows) == 4 and np.array_equal(found[1:], np.stack(rows))
    parts = sum(recorded(tmp_path / "r", model, f"update/{part}/").astype(np.float64) for part in ("gradient", "momentum", "weightDecay"))
    assert np.abs(np.diff(found.astype(np.float64), axis=0) - parts).max() < 1e-6


def test_frozen_parameters_are_named_with_their_digests(tmp_path):
    model = network()
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=0.1)
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        train(model, optimizer, 2)
    arrays, _ = lossledger.load(str(tmp_path / "r"))
    assert sorted(name for name in arrays if "/" not in name) == ["2.bias", "2.weight"]
    description = json.loads((tmp_path / "r" / "recording.json").read_text())
    assert [each["name"] for each in description["frozen"]] == ["0.weight", "0.bias"]
    with lossledger.Recorder(model, optimizer, tmp_path / "all", frozen=True):
        train(model, optimizer, 2)
    assert lossledger.load(str(tmp_path / "all"))[0]["0.weight"].shape == (3, 8, 5)


@pytest.mark.parametrize("frozen", [False, True])
def test_parameters_added_to_the_optimiser_late_must_be_in_the_rows(frozen, tmp_path):
    model = network()
    model[0].requires_grad_(False)
    optimizer = torch.optim.Adam(model[2].parameters(), lr=0.02)

    def unfreeze(step):
        if step == 1:
            model[0].requires_grad_(True)
            optimizer.add_param_group({"params": list(model[0].parameters()), "lr": 0.01})

    recorder = lossledger.Recorder(model, optimizer, tmp_path / "r", frozen=frozen)
    if not frozen:
        with pytest.raises(RuntimeError, match="0.weight was added to the optimiser"):
            train(model, optimizer, 4, after=unfreeze)
        recorder.close(ended=False)
        return
    theta = train(model, optimizer, 4, after=unfreeze)
    recorder.close()
    assert np.array_equal(recorded(tmp_path / "r", model), theta)
    parts = sum(recorded(tmp_path / "r", model, f"update/{part}/").astype(np.float64) for part in ("gradient", "momentum", "weightDecay"))
    assert np.abs(np.diff(theta.astype(np.float64), axis=0) - parts).max() < 1e-6
    assert (theta[2:, :40] != theta[1:-1, :40]).any(axis=1).tolist() == [False, True, True]


def test_frozen_parameters_that_move_all_the_same_are_warned_of(tmp_path):
    model = network()
    model[0].requires_grad_(False)
    optimizer = adam(model[2])

    def average(step):
        with torch.no_grad():
            model[0].weight.mul_(0.9)

    recorder = lossledger.Recorder(model, optimizer, tmp_path / "r")
    train(model, optimizer, 2, after=average)
    with pytest.warns(UserWarning, match=r"0.weight was frozen .* \(1 of 2 frozen parameters have\)"):
        recorder.close()


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(torch.tanh(self.embedding(x)))


def test_tied_weights_are_stored_once(tmp_path):
    model = Tied()
    optimizer = adam(model)
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.arange(7)), torch.arange(7)).backward()
            optimizer.step()
    description = json.loads((tmp_path / "r" / "recording.json").read_text())
    assert description["tied"] == {"head.weight": "embedding.weight"}
    assert np.load(tmp_path / "r" / "theta.npy").shape == (3, 28)


def test_bfloat16_is_kept_to_the_bit_and_warned_where_it_stands_still(tmp_path):
    model = network().bfloat16()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-7)
    with pytest.warns(UserWarning) as caught:
        with lossledger.Recorder(model, optimizer, tmp_path / "r"):
            theta = train(model, optimizer, 3)
    assert np.array_equal(recorded(tmp_path / "r", model), theta)
    words = " ".join(str(each.message) for each in caught)
    assert "did not change" in words and "narrow type" in words
    assert not (tmp_path / "r" / "update").exists()


def test_wrappers_leave_no_trace_in_names(tmp_path):
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def forward(self, x):
            return self.module(x)

    model = Wrapper(network())
    optimizer = adam(model)
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        train(model, optimizer, 1)
    assert "0.weight" in lossledger.load(str(tmp_path / "r"))[0]


SCRIPT = """
import os, signal, sys
sys.path[:0] = {paths!r}
import torch, lossledger
from conftest import network, examples
folder, stop = sys.argv[1], int(sys.argv[2])
torch.manual_seed(0)
model = network()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
recorder = lossledger.Recorder(model, optimizer, folder + "/r")
first = 0
if os.path.exists(folder + "/checkpoint.pt"):
    state = torch.load(folder + "/checkpoint.pt")
    model.load_state_dict(state["model"]); optimizer.load_state_dict(state["optimizer"]); first = state["step"]
x, y = examples()
for step in range(first, 20):
    if step == stop:
        os.kill(os.getpid(), signal.SIGKILL)
    at = (8 * step) % 40
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x[at : at + 8]), y[at : at + 8]).backward()
    optimizer.step()
    if step % 5 == 4:
        torch.save({{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}}, folder + "/checkpoint.pt")
recorder.close()
"""


def test_a_killed_training_goes_on_from_its_checkpoint_and_ends_with_the_same_files(tmp_path):
    here = os.path.dirname(os.path.abspath(__file__))
    script = textwrap.dedent(SCRIPT.format(paths=[here, os.path.dirname(here)]))

    def run(folder, stop):
        folder.mkdir(exist_ok=True)
        return subprocess.run([sys.executable, "-c", script, str(folder), str(stop)], capture_output=True, text=True)

    whole = run(tmp_path / "whole", -1)
    assert whole.returncode == 0, whole.stderr
    assert run(tmp_path / "killed", 13).returncode == -signal.SIGKILL
    rows = len(np.load(tmp_path / "killed" / "r" / "iteration.npy"))
    assert 11 <= rows <= 14
    # A kill in the middle of a row leaves a piece of it.
    with open(tmp_path / "killed" / "r" / "theta.npy", "ab") as file:
        file.write(b"torn")
    resumed = run(tmp_path / "killed", -1)
    assert resumed.returncode == 0, resumed.stderr
    for name in ("theta.npy", "iteration.npy", "update/gradient.npy", "update/momentum.npy", "update/weightDecay.npy"):
        assert (tmp_path / "killed" / "r" / name).read_bytes() == (tmp_path / "whole" / "r" / name).read_bytes(), name


def test_large_rows_are_written_past_the_cache_and_killed_and_resumed_too(tmp_path, monkeypatch):
    from lossledger import recording

    monkeypatch.setattr(recording, "LARGE_ROW_BYTES", 1)
    monkeypatch.setattr(recording._DirectWriter, "BLOCK", 8192)
    rows = np.random.default_rng(0).standard_normal((9, 5003)).astype("f4")
    path = str(tmp_path / "a.npy")
    array = recording.GrowingArray(path, "<f4", 5003)
    array.truncate(0)
    if array.direct is None:
        pytest.skip("the file system has no direct writing")
    for row in rows[:5]:
        array.append(row)
    array.direct.close()
    array.file.close()
    with open(path, "ab") as file:
        file.write(b"torn")
    again = recording.GrowingArray(path, "<f4", 5003)
    assert again.rows == 5
    assert np.array_equal(again.read(4), rows[4])
    again.truncate(3)
    for row in rows[3:]:
        again.append(row)
    again.flush()
    assert np.array_equal(np.load(path), rows)
    again.close()
    assert np.array_equal(np.load(path), rows) and os.path.getsize(path) == 128 + rows.nbytes


def test_another_training_is_not_mixed_in(tmp_path):
    model = network()
    optimizer = adam(model)
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        train(model, optimizer, 2)
    other = network()
    optimizer = adam(other)
    recorder = lossledger.Recorder(other, optimizer, tmp_path / "r")
    with pytest.raises(ValueError, match="none of them is what the parameters are now"):
        train(other, optimizer, 1)
    recorder.close()
    third = nn.Sequential(nn.Linear(5, 3))
    optimizer = adam(third)
    recorder = lossledger.Recorder(third, optimizer, tmp_path / "r")
    with pytest.raises(ValueError, match="other parameters"):
        train(third, optimizer, 1)
    recorder.close()


def test_divergence_ends_the_recording_but_not_the_training(tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def spoil(step):
        if step == 1:
            optimizer.param_groups[0]["lr"] = float("nan")

    with pytest.warns(UserWarning, match="not finite at iteration 3"):
        with lossledger.Recorder(model, optimizer, tmp_path / "r"):
            train(model, optimizer, 5, after=spoil)
    assert len(recorded(tmp_path / "r", model)) == 3


def test_two_recorders_do_not_share_a_folder(tmp_path):
    pytest.importorskip("fcntl", reason="no file locks on this system")
    model = network()
    optimizer = adam(model)
    with lossledger.Recorder(model, optimizer, tmp_path / "r"):
        train(model, optimizer, 1)
        other = network()
        second = adam(other)
        recorder = lossledger.Recorder(other, second, tmp_path / "r")
        with pytest.raises(RuntimeError, match="another Recorder"):
            train(other, second, 1)
        recorder.close()


DISTRIBUTED = """
import sys
sys.path[:0] = {paths!r}
import torch, lossledger
from torch import distributed
from conftest import network, examples
folder, rank = sys.argv[1], int(sys.argv[2])
distributed.init_process_group("gloo", init_method="file://" + folder + "/meet", rank=rank, world_size=2)
torch.manual_seed(0)
model = torch.nn.parallel.DistributedDataParallel(network())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
x, y = examples()
with lossledger.Recorder(model, optimizer, folder + "/r") as recorder:
    for step in range(4):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[rank::2]), y[rank::2]).backward()
        optimizer.step()
assert recorder.iteration == (4 if rank == 0 else 0)
distributed.destroy_process_group()
"""


def test_of_several_processes_the_first_records(tmp_path):
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this PyTorch has no gloo")
    here = os.path.dirname(os.path.abspath(__file__))
    script = DISTRIBUTED.format(paths=[here, os.path.dirname(here)])
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(rank)], stderr=subprocess.PIPE, text=True) for rank in (0, 1)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    arrays, _ = lossledger.load(str(tmp_path / "r"))
    assert arrays["0.weight"].shape == (5, 8, 5)
