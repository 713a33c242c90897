/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/batch.h"

#include "methods/lstm/network/tile.h"
#include "support/parallel.h"
#include "support/simd.h"

#include <stdatomic.h>
#include <string.h>

struct job {
    struct lstm_work *work;
    const struct lstm_batch *batch;
    size_t tiles;
    bool back;
    atomic_size_t next_group;
};

static struct lstm_view view_of(const struct lstm_tile *tile, size_t group, size_t worker, bool back)
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
    if (back) {
        view.d_output = tile->worker->d_output;
        view.d_head = work->gradient[group] + mp_lstm_head(&work->shape);
    }
    return view;
}

/* Tiles are nearly equal in size. Tile i belongs to the group i modulo MP_LSTM_GROUPS. */
static void run_group(struct job *job, size_t worker, size_t group)
{
    struct lstm_work *work = job->work;
    size_t series = job->batch->series, small = series / job->tiles, larger = series % job->tiles;
    if (job->back)
        memset(work->gradient[group], 0, work->parameters * sizeof(real));
    for (size_t i = group; i < job->tiles; i += MP_LSTM_GROUPS) {
        struct lstm_tile tile = {work, &work->worker[worker], job->batch, i * small + (i < larger ? i : larger),
                                 small + (i < larger)};
        if (work->shape.layers > 0)
            mp_lstm_tile_forward(&tile);
        struct lstm_view view = view_of(&tile, group, worker, job->back);
        job->batch->head(job->batch->user, &view);
        if (job->back && work->shape.layers > 0)
            mp_lstm_tile_backward(&tile, work->gradient[group]);
    }
}

static size_t groups_of(const struct job *job)
{
    return job->tiles < MP_LSTM_GROUPS ? job->tiles : MP_LSTM_GROUPS;
}

static void run_groups(void *user, size_t worker)
{
    struct job *job = user;
    size_t groups = groups_of(job), group;
    while ((group = atomic_fetch_add(&job->next_group, 1)) < groups)
        run_group(job, worker, group);
}

static size_t run(struct lstm_work *work, const struct lstm_batch *batch, bool back)
{
    struct job job = {.work = work, .batch = batch, .back = back};
    job.tiles = batch->series / MP_LSTM_TILE_ROWS + (batch->series % MP_LSTM_TILE_ROWS != 0);
    size_t groups = groups_of(&job);
    mp_parallel(work->plan.workers < groups ? work->plan.workers : groups, run_groups, &job);
    return groups;
}

/* In the order of the groups, so that the bytes do not depend on who computed which. */
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
