# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's times for what lstm.c measures, on one thread. usage: lstm_torch.py [OUTPUTS]

`lstm --outputs OUTPUTS` writes weights, inputs and outputs; PyTorch's outputs must equal them. By default glibc's
malloc returns memory to the system after every update, and every update costs page faults again. Large values of
MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_ and MALLOC_TOP_PAD_ make it keep the memory."""
import sys
import time

import numpy
import torch

OUTPUTS = 16


def least(work, seconds=1.5, runs=5):
    best, start = 1e9, time.monotonic()
    work()
    while runs > 0 or time.monotonic() - start < seconds:
        before = time.thread_time()
        work()
        best, runs = min(best, time.thread_time() - before), runs - 1
    return best


def product_rate(m, n, k):
    a, b, c = torch.rand(m, k), torch.rand(k, n), torch.empty(m, n)

    def work():
        for _ in range(100):
            torch.mm(a, b, out=c)
    return 200 * m * n * k / least(work, 0.3) * 1e-9


class Network:
    def __init__(self, series, hidden, steps, inputs):
        self.lstm, self.head = torch.nn.LSTM(inputs, hidden), torch.nn.Linear(hidden, OUTPUTS)
        self.x, self.target = torch.rand(steps, series, inputs) - 0.5, torch.rand(series, OUTPUTS) - 0.5
        self.parameters = [*self.lstm.parameters(), *self.head.parameters()]
        self.adam = torch.optim.Adam(self.parameters, lr=1e-3)

    def step(self):
        self.adam.zero_grad()
        torch.nn.functional.mse_loss(self.forward(), self.target).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.adam.step()

    def forward(self):
        return self.head(self.lstm(self.x)[0][-1])


def compare(path):
    with open(path, "rb") as file:
        series, hidden, steps, inputs = numpy.fromfile(file, numpy.uint32, 4).tolist()
        network = Network(series, hidden, steps, inputs)
        for parameter in network.parameters:
            numbers = numpy.fromfile(file, numpy.float32, parameter.numel())
            parameter.data = torch.from_numpy(numbers).reshape(parameter.shape)
        x = numpy.fromfile(file, numpy.float32, steps * series * inputs)
        network.x = torch.from_numpy(x).reshape(steps, series, inputs)
        ours = numpy.fromfile(file, numpy.float32, series * OUTPUTS).reshape(series, OUTPUTS)
    with torch.no_grad():
        worst = numpy.abs(network.forward().numpy() - ours).max()
    print(f"outputs for exported weights: largest difference {worst:.2g}, largest output {numpy.abs(ours).max():.2g}")
    if not worst < 2e-6:
        sys.exit("the outputs differ")


torch.set_num_threads(1)
torch.manual_seed(0)
print(f"PyTorch {torch.__version__}, products 96 x 256 x 80: {product_rate(96, 256, 80):.0f} GFLOP/s")
for shape in (96, 32, 100, 1), (96, 64, 100, 16), (1536, 32, 100, 1), (1536, 64, 100, 16):
    print("train", *shape, end=": ")
    print(f"{least(Network(*shape).step) * 1e3:.3f} ms", flush=True)
many = Network(58 * 256, 32, 100, 1)
with torch.no_grad():
    print(f"forecast {58 * 256} 32 100 1: {least(many.forward) * 1e3:.3f} ms")
if len(sys.argv) > 1:
    compare(sys.argv[1])
