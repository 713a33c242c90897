/* SPDX-License-Identifier: BSD-3-Clause */
/* A network's memory: its weights as products read them, and the activations of each worker. In all of network/ a step
 * is one of the recurrence, an input block, never a training step.
 *
 * A worker runs a tile of at most 48 series through all steps. For each layer it holds, with one row per series:
 *
 *     rows     [ h of the step before | x | padding ]    the left factor of z = [h | x] W + b
 *     gates    [ i | f | g | o | padding ]               first z, then the gates; dz in the backward pass
 *     cells    [ c ]
 *
 * In training `rows`, `gates` and `cells` keep every step, one after another, for the backward pass. Otherwise every
 * step overwrites the one before it. */
#ifndef MP_METHODS_LSTM_NETWORK_WORKSPACE_H
#define MP_METHODS_LSTM_NETWORK_WORKSPACE_H

#include "methods/lstm/network/parameters.h"
#include "support/arena.h"
#include "support/gemm.h"

enum {
    /* Series of a tile: a multiple of the plain kernel's 6 and 12 rows, and few enough that one step of the default
     * network (24 KB) stays in the first-level cache. Forecasts do not depend on it; the sums of a gradient do. */
    MP_LSTM_TILE_ROWS = 48,
    /* Tiles are dealt to groups in turn. Each group sums its own gradient, and the groups are added in order, so a
     * gradient does not depend on which worker computes which group. More groups would keep more workers busy, and
     * take more memory. */
    MP_LSTM_GROUPS = 16
};

struct lstm_plan {
    size_t steps;
    size_t workers; /* 1 or more */
    size_t series;  /* of a batch, at most: limits groups and workers; 0: any number */
    const real
        *packed;     /* the weights, packed elsewhere; NULL: the network packs its own (mp_lstm_work_set_parameters) */
    bool training;   /* keeps all steps for the backward pass */
    bool every_step; /* tests only, in training: the head sees all steps' states, not only the last step's */
    bool input_gradients; /* tests only, in training: the backward pass includes the inputs */
};

/* One layer of one worker. steps: the plan's in training, else 1; steps + 1 becomes 1 as well. */
struct lstm_activations {
    real *rows;    /* [steps + 1][tile][row_stride] */
    real *gates;   /* [steps][tile][gates_stride] */
    real *cells;   /* [steps + 1][tile][units] */
    real *d_rows;  /* [tile][row_stride]: the loss's gradient by [h | x], of one step */
    real *d_cells; /* [tile][units] */
    real *d_bias;  /* [4 units]: of one step */
};

struct lstm_worker {
    struct lstm_activations layer[MP_LSTM_MOST_LAYERS];
    real *d_output; /* [every_step ? steps : 1][tile][units]: the gradient by the top layer's states, from the head */
};

struct lstm_work {
    struct lstm_shape shape;
    struct lstm_plan plan;
    struct gemm gemm;
    size_t parameters;
    const real *packed;                  /* what the products read: the plan's or own_packed */
    real *own_packed;                    /* NULL where the plan has one */
    real *backward[MP_LSTM_MOST_LAYERS]; /* training: W' of each layer, packed, for d[h | x] = dz W' */
    struct lstm_worker worker[MP_LSTM_GROUPS];
    real *gradient[MP_LSTM_GROUPS]; /* training: [parameters] each */
};

/* Groups that a batch of the plan may have. */
static inline size_t mp_lstm_groups(const struct lstm_plan *plan)
{
    size_t tiles = (plan->series + MP_LSTM_TILE_ROWS - 1) / MP_LSTM_TILE_ROWS;
    return plan->series == 0 || tiles > MP_LSTM_GROUPS ? MP_LSTM_GROUPS : tiles;
}

/* A workspace whose memory an arena then gives: mp_arena_make with mp_lstm_work_lay_out, alone or as a part of another
 * layout. False if the network is too large for any memory. */
bool mp_lstm_work_init(struct lstm_work *work, const struct lstm_shape *shape, const struct lstm_plan *plan);
void mp_lstm_work_lay_out(void *self, struct arena *arena);

/* The layers' weights as forward products read them, in an array with the parameters' layout: W packed, and bias_ih +
 * bias_hh in the place of bias_ih. The bytes depend on the machine (gemm.h), so they are never saved. */
void mp_lstm_pack(struct gemm gemm, const struct lstm_shape *shape, const real *parameters, real *packed);

/* Packs the parameters into the work's own weights. Must be called before the first batch, and after every change of
 * the parameters. */
void mp_lstm_work_set_parameters(struct lstm_work *work, const real *parameters);

/* Numbers from one row to the next. The gates get one cache line more than they need: without it, whole columns of rows
 * would share a few sets of the cache. */
static inline size_t mp_lstm_row_stride(const struct lstm_layer *layer)
{
    return mp_padded(layer->rows);
}

static inline size_t mp_lstm_gates_stride(const struct lstm_layer *layer)
{
    return 4 * layer->units + MP_ROW;
}

/* Columns of a layer's gradient by [h | x] that are read: those by h, and those by x where a lower layer or the plan
 * needs them. */
static inline size_t mp_lstm_backward_width(const struct lstm_work *work, size_t layer)
{
    struct lstm_layer l = mp_lstm_layer(&work->shape, layer);
    return layer > 0 || work->plan.input_gradients ? mp_lstm_row_stride(&l) : l.units;
}

#endif
