# SPDX-License-Identifier: BSD-3-Clause
"""Figures of merit of the state detector, compared with its rivals and the targets. The runs are bundled traces as they
are, at a smaller and at a larger batch, and with a shift added; and simulated runs whose truth is known. Exits with 1
where a target is missed."""
import injected_states
import moepredict
import recorded_states
import simulated_states


def is_reached(what, found, relation, limit):
    """Print it."""
    reached = found >= limit if relation == "at least" else found <= limit
    print(f"- {what}: {found:.3f}, {relation} {limit:.3f}: {'yes' if reached else 'NO'}")
    return reached


def is_met(what, misses):
    """Print it, and what misses it."""
    print("\n  ".join([f"- {what}: {'NO' if misses else 'yes'}", *misses]))
    return not misses


def main():
    print(f"libmoepredict {moepredict.__version__}: states and realised errors")
    results = recorded_states.Results()
    recorded_states.print_all(results)
    required = {**injected_states.main(), **simulated_states.main()}
    print("\ntargets")
    reached = ([is_reached(*target) for target in recorded_states.targets(results)] +
               [is_met(*requirement) for requirement in required.items()])
    print(f"targets missed: {reached.count(False)}")
    raise SystemExit(not all(reached))


if __name__ == "__main__":
    main()
