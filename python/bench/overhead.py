"""
How much longer a training step takes with a Recorder: python bench/overhead.py [--device cuda] [--blocks 9] [--folder /fast/disk].
Plain and recorded steps of twin models alternate in blocks; stated are medians of their mean times, and in brackets of processor time,
that of the writing thread included, which is what counts where other programs run too. Where many do, the steps vary more than a recorder
costs: then what it takes alone counts, without the training around it.
"""

import argparse
import pathlib
import shutil
import statistics
import sys
import tempfile
import time
import warnings

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lossledger import Recorder  # noqa: E402


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.0, batch_first=True)
        self.embedding = nn.Embedding(96, 128)
        self.layers = nn.TransformerEncoder(layer, 5)
        self.head = nn.Linear(128, 96)

    def forward(self, x):
        return self.head(self.layers(self.embedding(x))).transpose(1, 2)


def convolutional() -> nn.Module:
    widths = [3, 64, 64, 128, 128, 256, 256]
    layers = []
    for k, (inner, outer) in enumerate(zip(widths, widths[1:])):
        layers += [nn.Conv2d(inner, outer, 3, padding=1, stride=1 + (k in (1, 3, 5))), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10))


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 900), nn.ReLU(), nn.Linear(900, 320), nn.ReLU(), nn.Linear(320, 10))


MODELS = {
    "transformer, 32 x 128 tokens": (Transformer, (torch.randint(0, 96, (32, 128)), torch.randint(0, 96, (32, 128)))),
    "convolutional, 128 images": (convolutional, (torch.randn(128, 3, 32, 32), torch.randint(0, 10, (128,)))),
    "perceptron, 128 images": (perceptron, (torch.randn(128, 784), torch.randint(0, 10, (128,)))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a block")
    parser.add_argument("--models", default="", help="those whose name holds this")
    parser.add_argument("--folder", default=None, help="where to record; default: a temporary folder")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"PyTorch {torch.__version__}, {options.device}, {torch.get_num_threads()} threads")
    for name, (build, data) in ((name, each) for name, each in MODELS.items() if options.models in name):
        x, y = (each.to(options.device) for each in data)
        kinds = {kind: trainer(build().to(options.device), x, y, options, kind) for kind in ("plain", "theta", "components")}
        times = {kind: [] for kind in kinds}
        steps = max(2, round(options.seconds / block(kinds["plain"][0], 3, options.device)[0]))
        for _ in range(options.blocks):
            for kind, (step, _, _) in kinds.items():
                times[kind].append(block(step, steps, options.device))
        median, used = ({kind: statistics.median(each[k] for each in own) for kind, own in times.items()} for k in (0, 1))
        parameters = sum(each.numel() for each in build().parameters())
        more = {kind: [100 * (each[kind] / each["plain"] - 1) for each in (median, used)] for kind in ("theta", "components")}
        line = ", ".join(f"{kind} {1e3 * median[kind]:.2f} ms {own[0]:+.1f} % ({own[1]:+.1f} %)" for kind, own in more.items())
        print(f"{name}: {parameters / 1e6:.2f} M parameters, plain {1e3 * median['plain']:.2f} ms a step ({1e3 * used['plain']:.2f} of processors), recording {line}")
        alone = {kind: own[2](50) for kind, own in kinds.items() if kind != "plain"}
        shares = ", ".join(f"{kind} {1e3 * own:.2f} ms of processors, {100 * own / used['plain']:.1f} %" for kind, own in alone.items())
        print(f"  a recorder alone: {shares} of a plain step's")
        for _, close, _ in kinds.values():
            close()


def trainer(model, x, y, options, kind):
    """A step of AdamW, recorded or not, what ends the recording, and what the recorder takes alone."""
    optimizer = torch.optim.AdamW(model.parameters())
    folder = tempfile.mkdtemp(dir=options.folder)
    recorder = None if kind == "plain" else Recorder(model, optimizer, folder, components=kind == "components")

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    def close():
        if recorder is not None:
            recorder.close()
        shutil.rmtree(folder)

    def alone(steps: int) -> float:
        """Processor seconds that the recorder takes for a step, the writing included."""
        recorder.flush()
        start = time.process_time()
        for _ in range(steps):
            recorder._after()
        recorder.flush()
        return (time.process_time() - start) / steps

    for _ in range(2):
        step()
    return step, close, alone


def block(step, steps: int, device: str) -> "tuple[float, float]":
    """Mean seconds of a step, and those of processors."""
    if device != "cpu":
        torch.cuda.synchronize()
    start, used = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    if device != "cpu":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps, (time.process_time() - used) / steps


if __name__ == "__main__":
    main()
