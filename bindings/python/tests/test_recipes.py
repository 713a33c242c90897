# SPDX-License-Identifier: BSD-3-Clause
"""The recipes of examples/README.md for other runtimes run, against stand-ins that have these runtimes' signatures."""
import abc
import contextlib
import importlib.util
import json
import os
import queue
import re
import sys
import tempfile
import threading
import types
import unittest
from unittest import mock

import numpy as np

import moepredict
from reference import ROOT

PAGE = (ROOT / "examples" / "README.md").read_text()
LAYERS, EXPERTS = 2, 256


def recipes(heading):
    """The Python code under a heading, block by block."""
    section = re.search(rf"^### {re.escape(heading)}$(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def run(code, modules=(), **names):
    """The names after the code has run where these modules can be imported."""
    space = {"__name__": "recipe", **names}
    with mock.patch.dict(sys.modules, dict(modules)):
        exec(compile(code, "examples/README.md", "exec"), space)
    return space


@contextlib.contextmanager
def a_folder():
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def skewed(steps, layers=LAYERS, experts=EXPERTS):
    rng = np.random.default_rng(7)
    shares = rng.dirichlet(np.full(experts, 3.0), layers)
    return np.stack([rng.multinomial(20000, row, steps) for row in shares], axis=1)


def peak(phy2log, counts, ranks):
    return moepredict.rank_loads(phy2log, counts, ranks).peak.mean()


def for_equal_loads(slots, ranks, layers=LAYERS, experts=EXPERTS):
    return moepredict.rebalance_experts(np.ones((layers, experts)), slots, 1, 1, ranks)[0]


@unittest.skipUnless(importlib.util.find_spec("torch"), "torch is not installed")
class Recipes(unittest.TestCase):
    def assert_serves(self, phy2log, slots, experts=EXPERTS):
        """Every expert has a slot, and no slot is empty."""
        self.assertEqual(np.shape(phy2log)[1], slots)
        for layer in np.asarray(phy2log):
            self.assertEqual(set(layer), set(range(experts)))

    def assert_groups_lie_on_one_node(self, phy2log, groups, nodes):
        for layer in np.asarray(phy2log):
            groups_of_nodes = [set(of_node // (EXPERTS // groups)) for of_node in np.split(layer, nodes)]
            self.assertEqual(sum(map(len, groups_of_nodes)), groups)

    def assert_balances(self, phy2log, counts, ranks):
        """Four fifths of the peak above 1 are gone, beside the map that is right for equal loads."""
        before = peak(for_equal_loads(np.shape(phy2log)[1], ranks), counts, ranks)
        self.assertLess(peak(phy2log, counts, ranks) - 1, (before - 1) / 5)

    def test_vllm_gets_maps_from_its_policy_that_move_little(self):
        import torch

        class AbstractEplbPolicy(abc.ABC):  # as of vLLM 0.23
            @classmethod
            @abc.abstractmethod
            def rebalance_experts(cls, weight, num_replicas, num_groups, num_nodes, num_ranks,
                                  old_global_expert_indices=None):
                raise NotImplementedError

        policy = types.ModuleType("vllm.distributed.eplb.policy")
        policy.AbstractEplbPolicy, policy.EPLB_POLICIES = AbstractEplbPolicy, {"default": None}
        [code] = recipes("vLLM")
        run(code, {policy.__name__: policy})["register"]()
        chosen, windows = policy.EPLB_POLICIES["default"], skewed(4)
        chosen()  # it is no abstract class
        for groups, nodes in (1, 1), (8, 4), (3, 2):  # of the last there are no groups
            present, _, _ = moepredict.rebalance_experts(torch.ones(LAYERS, EXPERTS), 288, groups, nodes, 32)
            for window in windows:
                new = chosen.rebalance_experts(torch.from_numpy(window), 288, groups, nodes, 32, present)
                self.assertEqual((new.dtype, new.device.type), (torch.int64, "cpu"))
                self.assert_serves(new, 288)
                if nodes == 4:
                    self.assert_groups_lie_on_one_node(new, groups, nodes)
                self.assertLess(peak(new, windows, 32), peak(present, windows, 32) + 0.01)
                moved, present = moepredict.map_moves(present, new, 32).sum(), new
            self.assertLess(moved, new.numel() / 4)  # of the last plan, from a map that fits
        grown = chosen.rebalance_experts(torch.from_numpy(windows[0]), 320, 1, 1, 64, present)
        self.assert_serves(grown, 320)
        self.assert_serves(chosen.rebalance_experts(torch.from_numpy(windows[0]), 288, 1, 1, 32), 288)

    def test_sglang_starts_with_the_map_of_the_file(self):
        import torch

        def init_by_mapping(server_args, model_config, physical_to_logical_map):  # of ExpertLocationMetadata
            return torch.tensor(physical_to_logical_map)

        counts = skewed(40)
        [code] = recipes("SGLang")
        with a_folder():
            torch.save({"rank": 0, "logical_count": torch.from_numpy(counts).int()}, "expert_distribution_recorder.pt")
            run(code)
            with open("map.json", encoding="utf-8") as file:
                started = init_by_mapping(None, None, **json.load(file))
        self.assertEqual(started.dtype, torch.int64)
        self.assert_serves(started, EXPERTS + 32)
        self.assert_balances(started, counts, 32)

    def test_tensorrt_llm_reads_the_assignments_of_the_file(self):
        import torch
        counts = skewed(40)

        def load_expert_statistic(path):  # as of TensorRT-LLM 1.3
            self.assertEqual(path, "expert_statistic")
            meta = {"num_experts": EXPERTS, "num_experts_per_token": 8, "ep_size": 32, "iter_start": 100,
                    "iter_stop": 140, "layers": [3, 4]}
            return meta, {(step + 100, layer + 3): torch.from_numpy(counts[step, layer])
                          for step in range(len(counts)) for layer in range(LAYERS)}

        utils = types.ModuleType("utils")
        utils.load_expert_statistic = load_expert_statistic
        [code] = recipes("TensorRT-LLM")
        with a_folder():
            run(code, {"utils": utils})
            with open("moe_load_balancer.yaml", encoding="utf-8") as file:
                text = file.read()
        assignments = {int(layer): json.loads(slots) for layer, slots in re.findall(r"^  (\d+): (\[.*\])$", text, re.M)}
        self.assertEqual(text.splitlines()[:3], ["num_slots: 288", "layer_updates_per_iter: 0",
                                                 "initial_global_assignments:"])
        self.assertEqual(list(assignments), [3, 4])
        self.assert_serves(list(assignments.values()), 288)
        self.assert_balances(list(assignments.values()), counts, 36)
        if importlib.util.find_spec("yaml"):
            import yaml
            self.assertEqual(yaml.safe_load(text)["initial_global_assignments"], assignments)

    def test_experts_and_their_optimiser_state_arrive_where_the_plan_wants_them(self):
        import torch
        counts, ranks, here = skewed(200, 1, 16), 4, threading.local()
        letters = {(a, b): queue.Queue() for a in range(ranks) for b in range(ranks)}

        class P2POp:  # as of torch.distributed; a rank is a thread here
            def __init__(self, op, tensor, peer, group=None, tag=0):
                self.op, self.tensor, self.peer = op, tensor, peer

        def isend(tensor, dst, group=None, tag=0):
            letters[here.rank, dst].put(tensor.clone())
            return types.SimpleNamespace(wait=lambda: None)

        def irecv(tensor, src, group=None, tag=0):
            source = letters[src, here.rank]
            return types.SimpleNamespace(wait=lambda: tensor.copy_(source.get(timeout=60)))

        def batch_isend_irecv(p2p_op_list):
            self.assertTrue(p2p_op_list)
            return [operation.op(operation.tensor, operation.peer) for operation in p2p_op_list]

        dist = types.ModuleType("torch.distributed")
        dist.P2POp, dist.isend, dist.irecv, dist.batch_isend_irecv = P2POp, isend, irecv, batch_isend_irecv
        move, numbers = recipes("Megatron-Core and other training")
        with mock.patch.object(torch, "distributed", dist):
            move_experts = run(move, {"torch.distributed": dist})["move_experts"]
        planner = moepredict.Planner(layers=1, experts=16)
        planner.push(counts)
        for slots in (16, 20):  # without copies, and with them
            current = for_equal_loads(slots, ranks, 1, 16)
            plan = planner.plan(slots=slots, ranks=ranks, current=current)
            self.assertGreater(plan.moved[0], 0)
            self.assertEqual(plan.moved[0], (plan.map != current).sum())
            tensors = [[torch.nn.Parameter(torch.full((2, 3), float(expert))), torch.tensor([expert + 0.5])]
                       for expert in current[0]]  # of all slots: a weight and a moment

            def on(rank):
                here.rank = rank
                move_experts(current[0], plan.map[0], rank, ranks, tensors[rank * slots // ranks:][:slots // ranks])

            threads = [threading.Thread(target=on, args=(rank,)) for rank in range(ranks)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual([tensors_of[0][1, 2].item() for tensors_of in tensors], plan.map[0].tolist())
            self.assertEqual([tensors_of[1].item() - 0.5 for tensors_of in tensors], plan.map[0].tolist())
        self.check_numbers(run("import numpy as np\n" + numbers), counts)

    def check_numbers(self, recipe, counts):
        """After two moves a router that was renumbered still knows its experts, and so do counts."""
        rng = np.random.default_rng(3)
        first, second = (rng.permutation(16) for _ in range(2))
        rows = np.arange(16) * 10  # row e is that of expert e
        rows = recipe["renumber"](rows, np.arange(16), first)
        np.testing.assert_array_equal(rows, 10 * first)
        np.testing.assert_array_equal(recipe["renumber"](rows, first, second), 10 * second)
        np.testing.assert_array_equal(recipe["original"](counts[0][:, second], second[None]), counts[0])


if __name__ == "__main__":
    unittest.main()
