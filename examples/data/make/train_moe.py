#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Trains a small byte-level mixture-of-experts transformer on text, on one CPU core, and records how many token
assignments every expert of every MoE layer receives in every iteration.

Reads the configuration from the JSON beside a trace. Writes OUT.npy, int32 [iterations, layers, experts], and OUT.json,
the configuration and what happened. Needs Debian's python3-torch, python3-numpy and libopenblas0-pthread.
"""
import argparse
import json
import math
import pathlib
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from moe_transformer import Transformer

DEFAULTS = {
    "corpus": [],          # names of texts
    "mix": [],             # "STEP:RAMP:WEIGHT,...": from STEP on, over RAMP steps, the texts' weights become these
    "batches": ["0:64"],   # "STEP:SEQUENCES": from STEP on, SEQUENCES per step
    "steps": 10000, "layers": 6, "d": 64, "heads": 2, "ff": 128, "experts": 16, "top_k": 2, "seq": 64, "seed": 0,
    "shared_ff": 0,        # width of an expert that takes every token; 0: there is none
    "schedule": "cosine",  # of the learning rate; or wsd: constant, then decay
    "lr": 1e-3, "warmup": 200,
    "min_lr": 0.1,         # what is left of it at the end
    "decay_part": 0.2,     # the part of the steps in which wsd decays
    "router": "softmax",   # or biasfree
    "aux": 0.01,           # weight of the load-balancing loss
    "bias_rate": 0.001,    # of biasfree
    "gate_std": 0.02,
    "dense_steps": 0,      # first steps with one expert a layer, from which all experts are then copied
    "noise": 0.02,         # added to the copies
}


# ---- what changes during a run -----------------------------------------------------------------------------------------

def mixes(a):
    """[(step, ramp, weights)]"""
    parsed = [(0, 0, np.ones(len(a.corpus)))]
    for text in a.mix:
        step, ramp, weights = text.split(":")
        parsed.append((int(step), int(ramp), np.array(weights.split(","), float)))
    if any(len(weights) != len(a.corpus) for _, _, weights in parsed):
        raise SystemExit("mix: a weight for every text of the corpus is needed")
    return [(step, ramp, weights / weights.sum()) for step, ramp, weights in parsed]


def mix_at(a, step):
    now = 0.0
    for start, ramp, weights in mixes(a):
        if step >= start:
            now = weights if ramp == 0 else now + (weights - now) * min(1.0, (step - start) / ramp)
    return now


def batches(a):
    return [tuple(map(int, text.split(":"))) for text in a.batches]


def batch_at(a, step):
    return [sequences for start, sequences in batches(a) if step >= start][-1]


def rate_at(a, step):
    rate = a.lr * min(1.0, (step + 1) / a.warmup)
    if a.schedule == "wsd":
        return rate * min(1.0, a.min_lr + (1 - a.min_lr) * (a.steps - step) / (a.decay_part * a.steps))
    return rate * (a.min_lr + (1 - a.min_lr) * 0.5 * (1 + math.cos(math.pi * step / a.steps)))


def events(a):
    happened = [{"step": step, "kind": f"mix ramps over {ramp} steps" if ramp else "mix shifts abruptly",
                 "weights": [round(float(weight), 4) for weight in weights]} for step, ramp, weights in mixes(a)]
    happened += [{"step": step, "kind": f"batch becomes {sequences}"} for step, sequences in batches(a)]
    if a.schedule == "wsd":
        happened.append({"step": int(a.steps * (1 - a.decay_part)), "kind": "learning-rate decay starts"})
    return sorted((event for event in happened if event["step"]), key=lambda event: event["step"])


# ---- training ----------------------------------------------------------------------------------------------------------

def draw(random, texts, a, step):
    """[sequences, seq + 1] bytes."""
    chosen = random.choice(len(texts), batch_at(a, step), p=mix_at(a, step))
    starts = [(texts[i], random.integers(0, len(texts[i]) - a.seq - 1)) for i in chosen]
    return torch.from_numpy(np.stack([text[start:start + a.seq + 1] for text, start in starts]).astype(np.int64))


def new_model(a, texts):
    dense = None
    if a.dense_steps:
        dense = train(SimpleNamespace(**{**vars(a), "steps": a.dense_steps, "experts": 1, "top_k": 1, "aux": 0.0,
                                         "dense_steps": 0}), texts, a.dense_steps)[0]
    torch.manual_seed(a.seed)
    model = Transformer(a)
    if dense is not None:
        model.upcycle(dense, a.noise)
    return model


def train_step(a, model, optimiser, batch):
    """The loss."""
    loss = F.cross_entropy(model(batch[:, :-1]).reshape(-1, 256), batch[:, 1:].reshape(-1))
    total = loss + a.aux * sum(moe.balance_loss for moe in model.moes()) if a.aux else loss
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    for moe in model.moes():
        moe.balance()
    return loss.item()


def train(a, texts, steps):
    """The model after that many steps of the schedule, the counts, and the losses."""
    model, random = new_model(a, texts), np.random.default_rng(a.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=a.lr, betas=(0.9, 0.95), weight_decay=0.1, foreach=True)
    trace, losses = np.zeros((steps, a.layers, a.experts), np.int32), np.zeros(steps)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(a, step)
        losses[step] = train_step(a, model, optimiser, draw(random, texts, a, step))
        trace[step] = np.stack([moe.counts.numpy() for moe in model.moes()])
        if (step + 1) % 200 == 0:
            print(f"{step + 1} steps, loss {losses[step - 199:step + 1].mean():.3f}", flush=True)
    return model, trace, losses


# ---- files -------------------------------------------------------------------------------------------------------------

def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configuration", type=pathlib.Path, help="the JSON beside a trace, or one like it")
    parser.add_argument("--corpus", type=pathlib.Path, required=True, help="the folder of texts that make_corpus.sh made")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="where to write, without the ending")
    parser.add_argument("--stop", type=int, help="stop after that many steps of the schedule")
    return parser.parse_args()


def configuration(path):
    """What a run is made by; what its JSON says of its outcome is passed over."""
    known = json.loads(path.read_text(encoding="utf-8"))
    return SimpleNamespace(**{name: known.get(name, default) for name, default in DEFAULTS.items()})


def outcome(a, model, losses):
    per_sequence = a.seq * a.top_k
    assignments = [[step, sequences * per_sequence] for step, sequences in batches(a)]
    return {"iterations": len(losses), "parameters": sum(p.numel() for p in model.parameters()),
            "assignments_per_layer_per_iteration": assignments if len(assignments) > 1 else assignments[0][1],
            "events": events(a), "first_loss": losses[:20].mean(), "final_loss": losses[-100:].mean(),
            "loss_every_100": [round(losses[i:i + 100].mean(), 4) for i in range(0, len(losses) - 99, 100)]}


def main():
    options = arguments()
    torch.set_num_threads(1)
    a = configuration(options.configuration)
    texts = [np.fromfile(options.corpus / f"{name}.txt", np.uint8) for name in a.corpus]
    model, trace, losses = train(a, texts, options.stop or a.steps)
    np.save(f"{options.out}.npy", trace)
    with open(f"{options.out}.json", "w", encoding="utf-8") as file:
        json.dump({**vars(a), **outcome(a, model, losses)}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
