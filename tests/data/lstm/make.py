#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Golden numbers of an LSTM by PyTorch, for tests/test_lstm_golden.c.

    make.py check    computes small.txt's results again from its inputs and weights, and prints the largest differences
    make.py large    writes large.txt

Both files were made with PyTorch 1.13 on one thread (Debian 12's python3-torch, libopenblas0-pthread).

small.txt has eight networks with one or two layers, with states that start at zero or not, in double and in float.
large.txt has one network of the size that forecasts, in double, whose inputs come from a formula. A line is
"case NAME steps series inputs hidden outputs layers", or an array: "NAME count numbers...". The loss is the mean square
of head(y) - target, over all steps in small.txt and over the last one in large.txt. In small.txt three steps of Adam
with rate 0.001 follow.
"""
import pathlib
import sys

import numpy
import torch

HERE = pathlib.Path(__file__).parent


def read(path):
    cases = []
    for line in path.read_text().splitlines():
        name, *rest = line.split()
        if name == "case":
            cases.append((rest[0], [int(n) for n in rest[1:]], {}))
        else:
            cases[-1][2][name] = numpy.array(rest[1:], float)
    return cases


def numbers(first, shape):
    """The formula of test_lstm_golden.c: the same numbers in float and double."""
    at = first + numpy.arange(numpy.prod(shape), dtype=numpy.uint64)
    at = at * numpy.uint64(2654435761) % numpy.uint64(2 ** 32)
    return ((at >> numpy.uint64(16)) / 65536 - 0.5).reshape(shape)


class Network:
    def __init__(self, sizes, arrays, dtype):
        _, _, inputs, hidden, outputs, self.layers = sizes
        self.lstm = torch.nn.LSTM(inputs, hidden, self.layers).to(dtype)
        self.head = torch.nn.Linear(hidden, outputs).to(dtype)
        self.named = {n: p for n, p in self.lstm.named_parameters()}
        self.named.update({"head_" + n: p for n, p in self.head.named_parameters()})
        for name, parameter in self.named.items():
            parameter.data = torch.tensor(arrays[name], dtype=dtype).reshape(parameter.shape)

    def run(self, x, target, state, last_only):
        y, end = self.lstm(x, state)
        predicted = self.head(y[-1] if last_only else y)
        loss = ((predicted - target) ** 2).mean()
        loss.backward()
        return y, end, predicted, loss


def check(name, sizes, arrays):
    steps, series, inputs, hidden, outputs, layers = sizes
    dtype = torch.float64 if name.endswith("f64") else torch.float32
    network = Network(sizes, arrays, dtype)
    x = torch.tensor(arrays["x"], dtype=dtype).reshape(steps, series, inputs).requires_grad_()
    target = torch.tensor(arrays["target"], dtype=dtype).reshape(steps, series, outputs)
    state = tuple(torch.tensor(arrays[n], dtype=dtype).reshape(layers, series, hidden).requires_grad_()
                  for n in ("h0", "c0"))
    y, end, predicted, loss = network.run(x, target, state, False)
    got = {"y": y, "hn": end[0], "cn": end[1], "pred": predicted, "loss": loss, "grad_x": x.grad,
           "grad_h0": state[0].grad, "grad_c0": state[1].grad}
    got.update({"grad_" + n: p.grad for n, p in network.named.items()})
    got = {n: v.detach().clone() for n, v in got.items()}  # later runs add to them
    adam = torch.optim.Adam(network.named.values(), lr=0.001)
    for step in range(3):
        if step:
            adam.zero_grad()
            network.run(x, target, state, False)
        adam.step()
    got.update({"adam3_" + n: p for n, p in network.named.items()})
    worst = max(numpy.abs(v.detach().numpy().ravel() - arrays[n]).max() for n, v in got.items())
    print(f"{name}: {len(got)} arrays, largest difference {worst:.3g}")


def large():
    sizes = steps, series, inputs, hidden, outputs, layers = 100, 96, 1, 32, 16, 1
    arrays = {"weight_ih_l0": numbers(0, 128) / 2, "weight_hh_l0": numbers(1000, 4096) / 2,
              "bias_ih_l0": numbers(6000, 128), "bias_hh_l0": numbers(7000, 128),
              "head_weight": numbers(8000, 512), "head_bias": numbers(9000, 16)}
    network = Network(sizes, arrays, torch.float64)
    x, target = torch.tensor(numbers(10000, (steps, series, inputs))), torch.tensor(numbers(30000, (series, outputs)))
    _, end, _, loss = network.run(x, target, None, True)
    got = {"hn": end[0], "cn": end[1], "loss": loss}
    got.update({"grad_" + n: p.grad for n, p in network.named.items()})
    with open(HERE / "large.txt", "w") as file:
        print("case large", *sizes, file=file)
        for name, value in got.items():
            value = value.detach().numpy().ravel()
            print(name, value.size, *(f"{v:.9g}" for v in value), file=file)


torch.set_num_threads(1)
if sys.argv[1:] == ["check"]:
    for case in read(HERE / "small.txt"):
        check(*case)
elif sys.argv[1:] == ["large"]:
    large()
else:
    sys.exit(__doc__)
