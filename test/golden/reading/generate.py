"""Writes the cases of this folder with PyTorch 1.13, h5py 3.7 and numpy 1.24, independent of this project.

Each case is a way in which people keep networks, recordings and data; `expected.json` holds the loss [T+1] and Simpson's allocations
[T, size] by parameter name in float64, or a pattern of the refusal. Run in this folder: python3 generate.py
"""

import argparse
import collections
import datetime
import io
import json
import pathlib
import shutil
import warnings

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
ROWS = 4


def record(model, loss, x, y, rows=ROWS, rate=0.3):
    """Trains by plain gradient descent on all data; state_dict of every row, float32."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=rate, momentum=0.5)
    states = []
    for row in range(rows):
        states.append({k: v.detach().clone() for k, v in model.state_dict().items()})
        if row + 1 < rows:
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
    return states


def expected(model, states, names, loss, x, y):
    """Loss of every row and Simpson's allocations of every step, in float64."""
    double = model.double()
    x = x.double() if x.is_floating_point() else x
    y = y.double() if y.is_floating_point() else y

    def at(state):
        double.load_state_dict({k: v.double() if v.is_floating_point() else v for k, v in state.items()})
        double.zero_grad()
        value = loss(double(x), y)
        value.backward()
        return value.item(), {n: dict(double.named_parameters())[n].grad.clone() for n in names}

    losses, allocation = [at(state)[0] for state in states], {name: [] for name in names}
    for a, b in zip(states, states[1:]):
        middle = {k: (v.double() + b[k].double()) / 2 if v.is_floating_point() else v for k, v in a.items()}
        gradients = [at(state)[1] for state in (a, middle, b)]
        for n in names:
            mean = (gradients[0][n] + 4 * gradients[1][n] + gradients[2][n]) / 6
            allocation[n].append(((b[n].double() - a[n].double()) * mean).flatten().tolist())
    model.float()
    return {"loss": losses, "allocation": allocation}


def export(model, state, x, path, training=True, **options):
    model.load_state_dict(state)
    mode = torch.onnx.TrainingMode.TRAINING if training else torch.onnx.TrainingMode.EVAL
    settings = {"do_constant_folding": False, "opset_version": 13, **options}
    torch.onnx.export(model, x[:2], str(path), training=mode, input_names=["input"], output_names=["output"],
                      dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, **settings)


def stacked(states, names):
    return {name: np.stack([state[name].numpy() for state in states]) for name in names}


def case(name, about, flags=""):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    trajectory = {"h5": "weights", "npz": "trajectory.npz"}
    (folder / "about.json").write_text(json.dumps({"about": about, "flags": flags}) + "\n")
    return folder


def finish(folder, trajectory, data, result):
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps({**about, "trajectory": trajectory}) + "\n")
    np.savez(folder / "data.npz", **data)
    if result is not None:
        (folder / "expected.json").write_text(json.dumps(result))


def mlp(seed=1, inputs=5, hidden=6, outputs=3):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, outputs))


def blobs(count=30, inputs=5, classes=3, seed=7):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(count, inputs)).astype(np.float32)), torch.from_numpy(rng.integers(0, classes, count))


def plain(name, about, write, flags="", refused=None, row=0, model=None):
    """A classifier on blobs, kept as `write(folder, states, model)` says, which returns the trajectory's name and other data."""
    model, (x, y) = model or mlp(), blobs()
    states = record(model, F.cross_entropy, x, y)
    folder = case(name, about, flags)
    export(model, states[row], x, folder / "model.onnx")
    trajectory, data = write(folder, states, model)
    names = [n for n, _ in model.named_parameters()]
    result = {"refused": refused} if refused else expected(model, states, names, F.cross_entropy, x, y)
    finish(folder, trajectory, {"x": x.numpy(), "y": y.numpy(), **data}, result)


def lightning(folder, states, _):
    (folder / "checkpoints").mkdir()
    for epoch, state in enumerate(states):
        torch.save({"epoch": epoch, "global_step": 10 * epoch, "state_dict": {f"model.{k}": nn.Parameter(v) for k, v in state.items()},
                    "optimizer_states": [{"state": {0: {"momentum_buffer": torch.rand(6, 5)}}, "param_groups": [{"lr": 0.1}]}],
                    "hparams": {"name": "x", "betas": (0.9, 0.999)}}, folder / "checkpoints" / f"epoch={epoch}-step={10 * epoch}.ckpt")
    return "checkpoints", {}


def legacy(folder, states, _):
    (folder / "checkpoints").mkdir()
    for t, state in enumerate(states):
        torch.save(state, folder / "checkpoints" / f"net_{t}.pth", _use_new_zipfile_serialization=False)
    return "checkpoints", {}


def trainer(folder, states, _):
    for t, state in enumerate(states):
        inner = folder / "checkpoints" / f"checkpoint-{500 * t}"
        inner.mkdir(parents=True)
        torch.save({k: v.half() if t < 0 else v for k, v in state.items()}, inner / "pytorch_model.bin")
        torch.save({"state": {}, "param_groups": []}, inner / "optimizer.pt")
    return "checkpoints", {}


def compiled(folder, states, _):
    np.savez(folder / "trajectory.npz", **{f"_orig_mod.module.{k}": v for k, v in stacked(states, states[0]).items()})
    return "trajectory.npz", {}


def keras(folder, states, _):
    (folder / "checkpoints").mkdir()
    for t, state in enumerate(states):
        with h5py.File(folder / "checkpoints" / f"weights.{t:02d}.h5", "w") as file:
            for layer, index in (("dense", 0), ("dense_1", 2)):
                group = file.create_group(f"{layer}/{layer}")
                group["kernel:0"] = state[f"{index}.weight"].numpy().T
                group["bias:0"] = state[f"{index}.bias"].numpy()
    return "checkpoints", {}


def odd(folder, states, _):
    (folder / "checkpoints").mkdir()
    for t, state in enumerate(states):
        beside = {"args": argparse.Namespace(lr=0.1, betas=(0.9, 0.99)), "when": datetime.datetime(2024, 1, 1), "set": {1, 2},
                  "frozen": frozenset([3]), "complex": 1 + 2j, "big": 2**80, "negative": -(2**70), "size": torch.Size([1, 2]),
                  "dtype": torch.float16, "device": torch.device("cpu"), "array": np.arange(3), "number": np.float64(2),
                  "bytes": b"x", "more": bytearray(b"y"), "lists": collections.defaultdict(list), "last": collections.deque([1])}
        torch.save({**beside, "net": collections.OrderedDict(state)}, folder / "checkpoints" / f"e{t}.pt", pickle_protocol=2 + t)
    return "checkpoints", {}


def flat(states):
    return np.stack([np.concatenate([v.numpy().ravel() for v in state.values()]) for state in states])


def theta(folder, states, _):
    np.save(folder / "theta.npy", flat(states))
    return "theta.npy", {}


def without(*missing):
    def write(folder, states, _):
        np.savez(folder / "trajectory.npz", **{k: v for k, v in stacked(states, states[0]).items() if k not in missing})
        return "trajectory.npz", {}
    return write


def still(folder, states, _):
    np.savez(folder / "trajectory.npz", **{k: np.stack([states[-1][k].numpy()] * ROWS) for k in states[0]})
    return "trajectory.npz", {}


def half(folder, states, _):
    np.savez(folder / "trajectory.npz", **stacked(states, states[0]))
    return "trajectory.npz", {}


def shuffled(names):
    class Net(nn.Module):
        """Layers that are declared in another order than they are used, as `theta` counts them."""
        def __init__(self):
            super().__init__()
            torch.manual_seed(2)
            for name, sizes in names:
                setattr(self, name, nn.Linear(*sizes))

        def forward(self, x):
            return self.head(torch.tanh(self.body(x)))
    return Net()


def main():
    plain("lightning", "Lightning's .ckpt: prefix model., optimizer state beside", lightning)
    plain("torch-legacy", ".pth files of torch.save before 1.6", legacy)
    plain("trainer", "Hugging Face's checkpoint-N/ with pytorch_model.bin and optimizer.pt", trainer)
    plain("odd-pickles", "checkpoints with objects of all kinds beside the tensors, protocols 2 to 5", odd)
    plain("compiled", "names of torch.compile and DataParallel", compiled)
    plain("keras-checkpoints", "Keras weights [in, out] whose names are another world's: the file's values are those of a row", keras)
    plain("theta-exporter", "theta beside a file of PyTorch 1.13, which keeps the order of declaration; its values are of the last row", theta, row=-1)
    plain("theta-declared", "declared body last: the values tell the order", theta, model=shuffled([("head", (6, 3)), ("body", (5, 6))]))
    plain("missing-bias", "a bias of a recorded layer is not recorded", without("0.bias"), refused="no record of the model's 0\\.bias.*--frozen")
    plain("still-rows", "all rows are the same", still)
    folder_of("still-rows", warned="all rows are the same")
    losses()
    folded()
    recurrent()
    convolution()
    positions()


def folder_of(name, warned):
    about = json.loads((HERE / name / "about.json").read_text())
    (HERE / name / "about.json").write_text(json.dumps({**about, "warned": warned}) + "\n")
    x, y = blobs()
    model = mlp()
    states = record(model, F.cross_entropy, x, y)
    states = [states[-1]] * ROWS
    names = [n for n, _ in model.named_parameters()]
    (HERE / name / "expected.json").write_text(json.dumps(expected(model, states, names, F.cross_entropy, x, y)))


def simple(name, about, model, loss, x, y, data, flags="", **options):
    states = record(model, loss, x, y)
    names = [n for n, _ in model.named_parameters()]
    folder = case(name, about, flags)
    export(model, states[0], x, folder / "model.onnx", **options)
    np.savez(folder / "trajectory.npz", **stacked(states, names))
    finish(folder, "trajectory.npz", data, expected(model, states, names, loss, x, y))


class Outputs(nn.Module):
    """A network with something behind its logits."""

    def __init__(self, inner, end):
        super().__init__()
        self.inner, self.end = inner, end

    def forward(self, x):
        return self.end(self.inner(x))


def losses():
    x, y = blobs()
    torch.manual_seed(3)
    data = {"x": x.numpy(), "y": y.numpy()}
    nll = lambda p, y: F.nll_loss(torch.log(p), y)
    simple("softmax", "ends in Softmax: the loss that was trained is -log p", nn.Sequential(nn.Linear(5, 3), nn.Softmax(1)), nll, x, y, data)
    simple("softmax-logits", "cross-entropy of probabilities, as trained by mistake", nn.Sequential(nn.Linear(5, 3), nn.Softmax(1)),
           F.cross_entropy, x, y, data, "--outputs logits")
    simple("log-softmax", "ends in LogSoftmax", nn.Sequential(nn.Linear(5, 3), nn.LogSoftmax(1)), F.nll_loss, x, y, data)
    bits = (y > 0).float()[:, None]
    simple("sigmoid", "ends in Sigmoid; labels 0 and 1 as integers", nn.Sequential(nn.Linear(5, 1), nn.Sigmoid()), F.binary_cross_entropy,
           x, bits, {"x": x.numpy(), "y": (y > 0).long().numpy()}, "--loss sigmoidCrossEntropy")
    by_hand = Outputs(nn.Linear(5, 3), lambda z: z.exp() / z.exp().sum(1, keepdim=True))
    simple("softmax-by-hand", "a softmax written out, said to be one", by_hand, nll, x, y, data, "--outputs probabilities")
    simple("softmax-doubtful", "a softmax written out", by_hand, nll, x, y, data)
    (HERE / "softmax-doubtful" / "expected.json").write_text(json.dumps({"refused": "come out of Div.*--outputs probabilities"}))
    simple("softmax-bounded", "probabilities kept from 0 and 1", Outputs(nn.Linear(5, 3), lambda z: torch.softmax(z, 1).clamp(1e-7, 1 - 1e-7)),
           nll, x, y, data)
    (HERE / "softmax-bounded" / "expected.json").write_text(json.dumps({"refused": "come out of (Clip|Min|Max).*--outputs probabilities"}))
    simple("one-hot", "labels one-hot as floats, inputs column-major", nn.Linear(5, 3), F.cross_entropy, x, y,
           {"x": np.asfortranarray(x.numpy()), "y": F.one_hot(y, 3).float().numpy()})


def folded():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(5)
            self.embed, self.inner = nn.Linear(5, 6, bias=False), nn.Linear(6, 6)

        def forward(self, x):
            h = torch.tanh(self.embed(x))
            h = torch.tanh(self.inner(h)) + h @ self.inner.weight.t()
            return h @ self.embed.weight

    x, y = blobs(classes=5)
    simple("folded", "constant folding: transposed copies of weights that are also read elsewhere", Net(), F.cross_entropy, x, y,
           {"x": x.numpy(), "y": y.numpy()}, do_constant_folding=True)


class Sequences(nn.Module):
    """A classifier of sequences [N, T, 4] by recurrent layers in a container that is not called, so that node names lack it."""

    def __init__(self, *layers, calls=None):
        super().__init__()
        self.body = nn.ModuleDict({name: layer for name, layer in layers})
        self.calls = calls or [name for name, _ in layers]
        last = layers[-1][1]
        self.head = nn.Linear(last.hidden_size * (2 if last.bidirectional else 1), 3)

    def forward(self, x):
        for name in self.calls:
            x, _ = self.body[name](x)
        return self.head(x[:, -1])


def recurrent():
    """PyTorch's default export folds the arrays of recurrent layers: gates in another order, biases end to end, without names."""
    rng = np.random.default_rng(9)
    x = torch.from_numpy(rng.normal(size=(12, 5, 4)).astype(np.float32))
    y = torch.from_numpy(rng.integers(0, 3, 12))

    def write(name, about, *layers, calls=None, row=0, prefix="", training=True, refused=None, unfolded=False):
        torch.manual_seed(11)
        model = Sequences(*((own, make()) for own, make in layers), calls=calls)
        states = record(model, F.cross_entropy, x, y)
        folder = case(name, about)
        other = {k: v + 0.01 * torch.arange(v.numel()).reshape(v.shape) for k, v in states[0].items()}
        state = other if row is None else states[row]
        export(model, state, x, folder / "model.onnx", training=training, do_constant_folding=True)
        if unfolded:
            export(model, state, x, folder / "unfolded.onnx", training=training)
        (folder / "checkpoints").mkdir()
        for t, each in enumerate(states):
            torch.save({prefix + k: v for k, v in each.items()}, folder / "checkpoints" / f"step-{t}.pt")
        names = [n for n, _ in model.named_parameters()]
        result = {"refused": refused} if refused else expected(model, states, names, F.cross_entropy, x, y)
        finish(folder, "checkpoints", {"x": x.numpy(), "y": y.numpy()}, result)

    def of(cell, inputs=4, layers=1, **options):
        return lambda: cell(inputs, 3, num_layers=layers, batch_first=True, **options)

    write("folded-lstm", "an LSTM of 2 layers, folded; the file is of the last row", ("rnn", of(nn.LSTM, layers=2)), row=-1, unfolded=True)
    write("folded-lstm-order", "an LSTM of 3 layers, folded; the file is of no row: shapes and order tell", ("rnn", of(nn.LSTM, layers=3)), row=None)
    write("folded-bidirectional", "a bidirectional LSTM of 2 layers, folded, beside names with a prefix",
          ("rnn", of(nn.LSTM, layers=2, bidirectional=True)), prefix="module.model.", unfolded=True)
    write("folded-gru", "a GRU of 2 layers, folded in evaluation mode", ("rnn", of(nn.GRU, layers=2)), training=False, unfolded=True)
    write("folded-gru-bidirectional", "a bidirectional GRU without biases, folded; the file is of no row",
          ("rnn", of(nn.GRU, bias=False, bidirectional=True)), row=None)
    write("folded-rnn", "an RNN with ReLU, folded", ("rnn", of(nn.RNN, layers=2, nonlinearity="relu")))
    write("folded-again", "an LSTM that is called twice in a row, folded twice", ("first", of(nn.LSTM)), ("rnn", of(nn.LSTM, inputs=3)), calls=["first", "rnn", "rnn"])
    write("folded-two", "two LSTMs of the same shapes, folded; the file is of row 1, which tells them",
          ("b", of(nn.GRU)), ("a", of(nn.LSTM, inputs=3)), ("c", of(nn.LSTM, inputs=3)), row=1)
    write("folded-open", "two LSTMs of the same shapes, folded; the file is of no row", ("first", of(nn.GRU)), ("a", of(nn.LSTM, inputs=3)),
          ("c", of(nn.LSTM, inputs=3)), row=None, refused="folded, in several ways.*do_constant_folding=False")


def tensorflow_weights(folder, states, order, turned):
    rows = np.stack([np.concatenate([turned(name, state[name].numpy()).ravel() for name in order]) for state in states])
    with h5py.File(folder / "weights", "w") as file:
        file.create_dataset("all_weights", data=rows.astype(np.float64), compression="gzip")
        words = {"weight": "kernel", "bias": "bias"}
        file.attrs["var_names"] = ";".join(f"{n.split('.')[0]}/{words[n.split('.')[1]]}:0" for n in order)
        file.attrs["var_shapes"] = ";".join(str(turned(n, states[0][n].numpy()).shape) for n in order)


def convolution():
    torch.manual_seed(4)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    rng = np.random.default_rng(3)
    x = torch.from_numpy(rng.normal(size=(24, 1, 4, 4)).astype(np.float32))
    y = torch.from_numpy(rng.integers(0, 2, 24))
    states = record(model, F.cross_entropy, x, y)
    names = list(states[0])

    def turned(name, value):
        if name == "0.weight":
            return value.transpose(2, 3, 1, 0)
        return value.reshape(2, 3, 2, 2).transpose(2, 3, 1, 0).reshape(12, 2) if name == "3.weight" else value

    result = expected(model, states, names, F.cross_entropy, x, y)
    for name, row, flags, refused in (
        ("flatten-values", 0, "", None),
        ("flatten-open", None, "", "3\\.weight stand behind a Flatten.*--layout"),
        ("flatten-given", None, "--layout tensorflow", None),
    ):
        folder = case(name, "kernels as TensorFlow keeps them, a dense one behind a Flatten channels last", flags)
        state = states[row] if row is not None else {k: v + 1 for k, v in states[0].items()}
        export(model, state, x, folder / "model.onnx")
        tensorflow_weights(folder, states, names, turned)
        finish(folder, "weights", {"x": x.numpy(), "y": y.numpy()}, {"refused": refused} if refused else result)
    folder = case("channels-last", "images with their channels last", "")
    export(model, states[0], x, folder / "model.onnx")
    np.savez(folder / "trajectory.npz", **stacked(states, names))
    wide = np.repeat(x.numpy().transpose(0, 2, 3, 1), 1, axis=3)
    finish(folder, "trajectory.npz", {"x": wide, "y": y.numpy()}, result)


def positions():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(6)
            self.e, self.o = nn.Embedding(7, 4), nn.Linear(4, 5)

        def forward(self, tokens):
            return self.o(torch.tanh(self.e(tokens)))

    rng = np.random.default_rng(5)
    tokens = torch.from_numpy(rng.integers(0, 7, (12, 3)))
    tags = torch.from_numpy(rng.integers(0, 5, (12, 3)))
    tags[torch.from_numpy(rng.random((12, 3)) < 0.3)] = -100
    loss = lambda z, y: F.cross_entropy(z.flatten(0, 1), y.flatten())
    simple("tags-ignored", "logits [N, T, V], labels [N, T] of which -100 do not count", Tagger(), loss, tokens, tags,
           {"x": tokens.numpy(), "y": tags.numpy()})
    torch.manual_seed(8)
    model = nn.Conv2d(1, 3, 3, padding=1)
    x = torch.from_numpy(rng.normal(size=(10, 1, 4, 4)).astype(np.float32))
    y = torch.from_numpy(rng.integers(0, 3, (10, 4, 4)))
    simple("segments", "logits [N, C, H, W], labels [N, H, W]", model, F.cross_entropy, x, y, {"x": x.numpy(), "y": y.numpy()})


main()
