/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of the example runtime: runtime.c trains, runtime_placement.c places experts, runtime_checkpoint.c saves
 * and restarts. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <moepredict.h>

#include <stdbool.h>

/* Sums since the first plan, to tell what placement has brought. */
struct totals {
    uint64_t slots_moved, layer_steps;
    double peak_under_first, peak_placed;
};

/* A training process. Its model and its optimiser would stand beside these. */
struct training {
    const moep_trace *data;
    uint64_t step; /* the next step */
    moep_layout layout;
    int64_t *first_map; /* [layers][slots]: where experts lay at first, to compare with */
    int64_t *map;       /* [layers][slots]: the expert in each slot now */
    struct totals totals;
    moep_predictor *predictor;
    moep_detector *detector;
    moep_planner *planner;
};

/* Stops the program, saying why, if the status is a failure. */
void check(moep_status status);

/* Stops the program with errno's message. */
void fail(const char *name);

/* Zeroes. Stops the program where there is no memory. */
void *allocate(size_t count, size_t size);

/* ---- runtime_placement.c */

moep_layout layout_for(const moep_trace *data);
size_t slots_of_all_layers(const moep_layout *layout);

/* A new map that is right as long as all experts have the same load. */
int64_t *map_of_equal_loads(const moep_layout *layout);

/* Plans the layers whose turn it is, and takes the plan as the map. */
void place_experts(struct training *training, bool print);

/* Adds the peaks of a step to the totals. */
void measure(struct training *training, const void *counts);
void print_totals(const struct totals *totals);

/* ---- runtime_checkpoint.c */

void save_checkpoint(const struct training *training, const char *path);
void load_checkpoint(struct training *training, const moep_trace *data, const char *path);

/* Whether their maps, predictors, detectors and planners are the same, byte for byte. */
bool same_state(const struct training *a, const struct training *b);

#endif
