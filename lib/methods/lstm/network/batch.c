/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/batch.h"

#include "methods/lstm/network/tile.h"
#include "support/parallel.h"
#include "support/simd.h"

#include <stdatomic.h>
#include <string.h>

struct pass {
    struct lstm_work *work;
    const struct lstm_batch *batch;
    size_t tiles;
    bool backward;
    atomic_size_t next_group;
};

static struct lstm_view view_of(const struct lstm_tile *tile, size_t group, size_t worker, bool backward)
{
    const struct lstm_work *work = tile->work;
    bool all = work->plan.training && work->plan.every_step;
    struct lstm_view view = {.group = group, .worker = worker, .first = tile->first, .count = tile->count};
    view.steps = all ? tile->batch->steps : 1;
    if (work->shape.layers > 0) {
        struct lstm_layer top = mp_lstm_layer(&work->shape, work->shape.layers - 1);
        view.hidden = mp_lstm_tile_top(tile, all ? 0 : tile->batch->steps - 1);
        view.row_stride = mp_lstm_row_stride(&top);
        view.step_stride = tile->count * view.row_stride;
        view.d_row_stride = top.units;
        view.d_step_stride = MP_LSTM_TILE_ROWS * top.units;
    }
    if (backward) {
        view.d_output = tile->worker->d_output;
        view.d_head = work->gradient[group] + mp_lstm_head(&work->shape);
    }
    return view;
}

/* Tiles are nearly equal in size. Tile i belongs to the group i modulo MP_LSTM_GROUPS. */
static void run_group(struct pass *pass, size_t worker, size_t group)
{
    struct lstm_work *work = pass->work;
    size_t series = pass->batch->series, small = series / pass->tiles, larger = series % pass->tiles;
    if (pass->backward)
        memset(work->gradient[group], 0, work->parameters * sizeof(real));
    for (size_t i = group; i < pass->tiles; i += MP_LSTM_GROUPS) {
        struct lstm_tile tile = {work, &work->worker[worker], pass->batch, i * small + (i < larger ? i : larger),
                                 small + (i < larger)};
        if (work->shape.layers > 0)
            mp_lstm_tile_forward(&tile);
        struct lstm_view view = view_of(&tile, group, worker, pass->backward);
        pass->batch->head(pass->batch->user, &view);
        if (pass->backward && work->shape.layers > 0)
            mp_lstm_tile_backward(&tile, work->gradient[group]);
    }
}

static size_t groups_of(const struct pass *pass)
{
    return pass->tiles < MP_LSTM_GROUPS ? pass->tiles : MP_LSTM_GROUPS;
}

static void run_groups(void *user, size_t worker)
{
    struct pass *pass = user;
    size_t groups = groups_of(pass), group;
    while ((group = atomic_fetch_add(&pass->next_group, 1)) < groups)
        run_group(pass, worker, group);
}

static size_t run(struct lstm_work *work, const struct lstm_batch *batch, bool backward)
{
    struct pass pass = {.work = work, .batch = batch, .backward = backward};
    pass.tiles = batch->series / MP_LSTM_TILE_ROWS + (batch->series % MP_LSTM_TILE_ROWS != 0);
    size_t groups = groups_of(&pass);
    mp_parallel(work->plan.workers < groups ? work->plan.workers : groups, run_groups, &pass);
    return groups;
}

/* Adds in the order of the groups, so that the bytes do not depend on which worker computed which. */
MP_VECTORISED static void mp_add_groups(real *sum, real *const *group, size_t groups, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double total = 0;
        for (size_t g = 0; g < groups; g++)
            total += (double)group[g][i];
        sum[i] = (real)total;
    }
}

void mp_lstm_forward(struct lstm_work *work, const struct lstm_batch *batch)
{
    if (batch->series && batch->steps)
        run(work, batch, false);
}

void mp_lstm_gradient(struct lstm_work *work, const struct lstm_batch *batch, real *gradient)
{
    size_t groups = batch->series && batch->steps ? run(work, batch, true) : 0;
    mp_add_groups(gradient, work->gradient, groups, work->parameters);
}
