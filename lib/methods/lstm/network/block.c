/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/block.h"

#include "methods/lstm/network/cell_kernel.h"

#include <string.h>

/* Rows whose products with the gradients of the gates are added up at once: they are still in the cache then. */
enum { SUM_ROWS = 192 };

/* A layer as a block sees it: its sizes, its memory. */
struct part {
    struct lstm_layer layer;
    const struct lstm_track *track;
    size_t row_stride, gates_stride, count;
    size_t kept; /* 0: all steps are in the same place */
};

static struct part part_of(const struct lstm_block *b, size_t layer)
{
    struct part p = {.layer = mp_lstm_layer(&b->work->shape, layer), .track = &b->worker->track[layer]};
    p.row_stride = mp_lstm_row_stride(&p.layer);
    p.gates_stride = mp_lstm_gates_stride(&p.layer);
    p.count = b->count;
    p.kept = b->work->plan.training;
    return p;
}

static real *rows_at(const struct part *p, size_t step)
{
    return p->track->rows + p->kept * step * p->count * p->row_stride;
}

static real *gates_at(const struct part *p, size_t step)
{
    return p->track->gates + p->kept * step * p->count * p->gates_stride;
}

static real *cells_at(const struct part *p, size_t step)
{
    return p->track->cells + p->kept * step * p->count * p->layer.units;
}

const real *mp_lstm_block_top(const struct lstm_block *b, size_t step)
{
    struct part top = part_of(b, b->work->shape.layers - 1);
    return rows_at(&top, step + 1);
}

/* ---- states between the caller's arrays and ours ------------------------------------------------------------------ */

/* [layers][series][hidden] of the batch. */
static size_t state_at(const struct lstm_block *b, size_t layer, size_t row)
{
    return ((layer * b->batch->series) + b->first + row) * b->work->shape.hidden;
}

static void start_state(const struct lstm_block *b, size_t layer, const real *states, size_t units, real *rows,
                        size_t stride)
{
    size_t hidden = b->work->shape.hidden;
    for (size_t r = 0; r < b->count; r++) {
        memset(rows + r * stride, 0, units * sizeof *rows);
        if (states)
            memcpy(rows + r * stride, states + state_at(b, layer, r), hidden * sizeof *rows);
    }
}

static void end_state(const struct lstm_block *b, size_t layer, const real *rows, size_t stride, real *states)
{
    for (size_t r = 0; states && r < b->count; r++)
        memcpy(states + state_at(b, layer, r), rows + r * stride, b->work->shape.hidden * sizeof *rows);
}

/* Numbers of one step's inputs before the block's. */
static size_t inputs_at(const struct lstm_block *b, size_t step)
{
    return (step * b->batch->series + b->first) * b->work->shape.inputs;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static void take_inputs(const struct lstm_block *b, const struct part *p, size_t step)
{
    size_t n = p->layer.inputs;
    const real *from = b->batch->inputs + inputs_at(b, step);
    real *to = rows_at(p, step) + p->layer.units;
    for (size_t r = 0; r < b->count; r++, from += n, to += p->row_stride)
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
}

static void forward_step(const struct lstm_block *b, size_t layer, size_t step)
{
    const struct lstm_packed *packed = &b->work->packed[layer];
    struct part p = part_of(b, layer);
    struct lstm_cells cells = {.rows = b->count, .units = p.layer.units};
    cells.gates = gates_at(&p, step);
    cells.gates_stride = p.gates_stride;
    cells.cell_before = cells_at(&p, step);
    cells.cell = cells_at(&p, step + 1);
    cells.hidden = rows_at(&p, step + 1);
    cells.hidden_stride = p.row_stride;
    if (layer + 1 < b->work->shape.layers) {
        struct part next = part_of(b, layer + 1);
        cells.above = rows_at(&next, step) + next.layer.units;
        cells.above_stride = next.row_stride;
    }
    mp_gemm(b->work->gemm, b->count, 4 * p.layer.units, p.layer.rows, rows_at(&p, step), p.row_stride, packed->forward,
            packed->bias, cells.gates, cells.gates_stride);
    MP_BY_WIDTH(b->work->gemm.bytes, mp_lstm_forward, &cells);
}

void mp_lstm_block_forward(const struct lstm_block *b)
{
    const struct lstm_batch *batch = b->batch;
    size_t layers = b->work->shape.layers;
    struct part bottom = part_of(b, 0);
    for (size_t l = 0; l < layers; l++) {
        struct part p = part_of(b, l);
        start_state(b, l, batch->hidden, p.layer.units, rows_at(&p, 0), p.row_stride);
        start_state(b, l, batch->cell, p.layer.units, cells_at(&p, 0), p.layer.units);
    }
    for (size_t step = 0; step < batch->steps; step++) {
        take_inputs(b, &bottom, step);
        for (size_t l = 0; l < layers; l++)
            forward_step(b, l, step);
    }
    for (size_t l = 0; l < layers; l++) {
        struct part p = part_of(b, l);
        end_state(b, l, rows_at(&p, batch->steps), p.row_stride, batch->last_hidden);
        end_state(b, l, cells_at(&p, batch->steps), p.layer.units, batch->last_cell);
    }
}

/* ---- backward ----------------------------------------------------------------------------------------------------- */

/* What reaches a layer's states from above, beside their own next step. */
static void set_d_output(const struct lstm_block *b, size_t layer, size_t step, struct lstm_cells *cells)
{
    size_t units = cells->units;
    bool every_step = b->work->plan.every_step;
    if (layer + 1 < b->work->shape.layers) {
        struct part next = part_of(b, layer + 1);
        cells->d_output = next.track->d_rows + next.layer.units;
        cells->d_output_stride = next.row_stride;
    } else if (every_step || step + 1 == b->batch->steps) {
        cells->d_output = b->worker->d_output + (every_step ? step * MP_LSTM_BLOCK * units : 0);
        cells->d_output_stride = units;
    }
}

static void add_bias(const struct lstm_layer *l, const real *d_bias, real *gradient)
{
    for (size_t i = 0; i < 4 * l->units; i++) {
        gradient[l->bias_ih + i] += d_bias[i];
        gradient[l->bias_hh + i] += d_bias[i];
    }
}

static void backward_step(const struct lstm_block *b, size_t layer, size_t step, real *gradient)
{
    struct part p = part_of(b, layer);
    struct lstm_cells cells = {.rows = b->count, .units = p.layer.units};
    cells.gates = gates_at(&p, step);
    cells.gates_stride = p.gates_stride;
    cells.cell_before = cells_at(&p, step);
    cells.hidden = rows_at(&p, step + 1);
    cells.hidden_stride = p.row_stride;
    cells.d_hidden = p.track->d_rows;
    cells.d_hidden_stride = p.row_stride;
    cells.d_cell = p.track->d_cells;
    cells.d_bias = p.track->d_bias;
    set_d_output(b, layer, step, &cells);
    memset(cells.d_bias, 0, 4 * p.layer.units * sizeof *cells.d_bias);
    MP_BY_WIDTH(b->work->gemm.bytes, mp_lstm_backward, &cells);
    add_bias(&p.layer, cells.d_bias, gradient);
    mp_gemm(b->work->gemm, b->count, mp_lstm_way_back(b->work, layer), 4 * p.layer.units, cells.gates, p.gates_stride,
            b->work->packed[layer].backward, NULL, p.track->d_rows, p.row_stride);
}

/* The weights' gradient by the steps first .. last - 1. */
static void add_weights(const struct lstm_block *b, size_t layer, size_t first, size_t last, real *gradient)
{
    struct part p = part_of(b, layer);
    size_t n = 4 * p.layer.units;
    mp_gemm_add_transposed(b->work->gemm, p.layer.rows, n, (last - first) * b->count, rows_at(&p, first), p.row_stride,
                           gates_at(&p, first), p.gates_stride, gradient + p.layer.weights, n);
}

static void give_d_inputs(const struct lstm_block *b, size_t step)
{
    struct part p = part_of(b, 0);
    size_t n = p.layer.inputs;
    real *to = b->batch->d_inputs + inputs_at(b, step);
    for (size_t r = 0; r < b->count; r++)
        memcpy(to + r * n, p.track->d_rows + r * p.row_stride + p.layer.units, n * sizeof *to);
}

void mp_lstm_block_backward(const struct lstm_block *b, real *gradient)
{
    const struct lstm_batch *batch = b->batch;
    size_t layers = b->work->shape.layers, last = batch->steps;
    for (size_t l = 0; l < layers; l++) {
        struct part p = part_of(b, l);
        memset(p.track->d_rows, 0, b->count * p.row_stride * sizeof(real));
        memset(p.track->d_cells, 0, b->count * p.layer.units * sizeof(real));
    }
    for (size_t step = batch->steps; step-- > 0;) {
        bool due = (last - step) * b->count >= SUM_ROWS || step == 0;
        for (size_t l = layers; l-- > 0;) {
            backward_step(b, l, step, gradient);
            if (due)
                add_weights(b, l, step, last, gradient);
        }
        if (batch->d_inputs)
            give_d_inputs(b, step);
        last = due ? step : last;
    }
    for (size_t l = 0; l < layers; l++) {
        struct part p = part_of(b, l);
        end_state(b, l, p.track->d_rows, p.row_stride, batch->d_hidden);
        end_state(b, l, p.track->d_cells, p.layer.units, batch->d_cell);
    }
}
