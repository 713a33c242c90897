/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that a network computes in: one arena, made once, in which nothing is allocated while it runs. */
#ifndef MP_METHODS_LSTM_NETWORK_WORKSPACE_H
#define MP_METHODS_LSTM_NETWORK_WORKSPACE_H

#include "methods/lstm/network/parameters.h"
#include "support/gemm.h"
#include "support/memory.h"

/* Series that go through all steps together, and the groups of such blocks. Each group sums its own gradient, so that the
 * result does not depend on who computes which group. */
enum { MP_LSTM_BLOCK = 48, MP_LSTM_GROUPS = 16 };

struct lstm_plan {
    size_t steps;
    size_t workers;       /* 1 or more */
    size_t series;        /* of a batch, at most: they say how many groups there can be; 0: any number */
    bool training;        /* all steps are kept, for the way back */
    bool every_step;      /* training: the head sees all steps' states, not the last one's only */
    bool input_gradients; /* training: the way back goes on into the inputs */
};

/* One layer of one worker, for a block of rows. Steps follow one another; without training all steps are the same. */
struct lstm_track {
    real *rows;    /* [steps + 1][block][row_stride]: [h before | x] */
    real *gates;   /* [steps][block][gates_stride] */
    real *cells;   /* [steps + 1][block][units] */
    real *d_rows;  /* [block][row_stride] */
    real *d_cells; /* [block][units] */
    real *d_bias;  /* [4 units]: of one step */
};

struct lstm_worker {
    struct lstm_track track[MP_LSTM_MOST_LAYERS];
    real *d_output; /* [every_step ? steps : 1][block][units] */
};

/* One layer's weights as the products read them. */
struct lstm_packed {
    real *forward, *backward, *bias;
};

struct lstm_work {
    struct lstm_shape shape;
    struct lstm_plan plan;
    struct gemm gemm;
    size_t parameters;
    struct lstm_packed packed[MP_LSTM_MOST_LAYERS];
    struct lstm_worker *worker; /* [workers] */
    real *gradient[MP_LSTM_GROUPS];
    void *arena;
    size_t arena_size;
};

/* Groups that a batch of the plan may have. */
static inline size_t mp_lstm_groups(const struct lstm_plan *plan)
{
    size_t blocks = (plan->series + MP_LSTM_BLOCK - 1) / MP_LSTM_BLOCK;
    return plan->series == 0 || blocks > MP_LSTM_GROUPS ? MP_LSTM_GROUPS : blocks;
}

/* False if memory is refused; then there is nothing to free. */
bool mp_lstm_work_make(struct lstm_work *work, const struct lstm_shape *shape, const struct lstm_plan *plan,
                       const struct memory *memory);
void mp_lstm_work_free(struct lstm_work *work, const struct memory *memory);

/* Before the first batch, and whenever the parameters have changed. */
void mp_lstm_prepare(struct lstm_work *work, const real *parameters);

/* Numbers from one row to the next. One line of the cache more than the gates need: without it, whole columns of rows
 * would share a few places of the cache. */
static inline size_t mp_lstm_row_stride(const struct lstm_layer *layer)
{
    return mp_row(layer->rows);
}

static inline size_t mp_lstm_gates_stride(const struct lstm_layer *layer)
{
    return 4 * layer->units + MP_ROW;
}

/* Columns of a layer's gradient by [h | x] that somebody wants: a lower layer always, the inputs if asked for. */
static inline size_t mp_lstm_way_back(const struct lstm_work *work, size_t layer)
{
    struct lstm_layer l = mp_lstm_layer(&work->shape, layer);
    return layer > 0 || work->plan.input_gradients ? mp_lstm_row_stride(&l) : l.units;
}

#endif
