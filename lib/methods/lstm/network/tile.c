/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/tile.h"

#include "methods/lstm/network/cell_kernel.h"

#include <string.h>

/* Rows of [h | x]' dz that one product adds to dW: four steps of a whole tile. Fewer load and store dW more often; more
 * have left the second-level cache (four steps of 64 units and 16 inputs are 0.3 MB). A gradient's bytes depend on
 * it. */
enum { GRADIENT_ROWS = 192 };

/* One layer of a tile: its sizes and its memory. */
struct tile_layer {
    struct lstm_layer layer;
    const struct lstm_activations *memory;
    size_t row_stride, gates_stride, count;
    size_t kept; /* 0: all steps are in the same place */
};

static struct tile_layer layer_of(const struct lstm_tile *tile, size_t layer)
{
    struct tile_layer l = {.layer = mp_lstm_layer(&tile->work->shape, layer), .memory = &tile->worker->layer[layer]};
    l.row_stride = mp_lstm_row_stride(&l.layer);
    l.gates_stride = mp_lstm_gates_stride(&l.layer);
    l.count = tile->count;
    l.kept = tile->work->plan.training;
    return l;
}

static real *rows_at(const struct tile_layer *l, size_t step)
{
    return l->memory->rows + l->kept * step * l->count * l->row_stride;
}

static real *gates_at(const struct tile_layer *l, size_t step)
{
    return l->memory->gates + l->kept * step * l->count * l->gates_stride;
}

static real *cells_at(const struct tile_layer *l, size_t step)
{
    return l->memory->cells + l->kept * step * l->count * l->layer.units;
}

const real *mp_lstm_tile_top(const struct lstm_tile *tile, size_t step)
{
    struct tile_layer top = layer_of(tile, tile->work->shape.layers - 1);
    return rows_at(&top, step + 1);
}

/* ---- states between the caller's arrays and ours ----------------------------------------------------------------- */

/* [layers][series][hidden] of the batch. */
static size_t state_at(const struct lstm_tile *tile, size_t layer, size_t row)
{
    return ((layer * tile->batch->series) + tile->first + row) * tile->work->shape.hidden;
}

static void first_state(const struct lstm_tile *tile, size_t layer, const real *states, size_t units, real *rows,
                        size_t stride)
{
    size_t hidden = tile->work->shape.hidden;
    for (size_t r = 0; r < tile->count; r++) {
        memset(rows + r * stride, 0, units * sizeof *rows);
        if (states)
            memcpy(rows + r * stride, states + state_at(tile, layer, r), hidden * sizeof *rows);
    }
}

static void last_state(const struct lstm_tile *tile, size_t layer, const real *rows, size_t stride, real *states)
{
    for (size_t r = 0; states && r < tile->count; r++)
        memcpy(states + state_at(tile, layer, r), rows + r * stride, tile->work->shape.hidden * sizeof *rows);
}

/* The place of the tile's inputs of one step. */
static size_t inputs_at(const struct lstm_tile *tile, size_t step)
{
    return (step * tile->batch->series + tile->first) * tile->work->shape.inputs;
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

static void gather_inputs(const struct lstm_tile *tile, const struct tile_layer *l, size_t step)
{
    size_t n = l->layer.inputs;
    const real *from = tile->batch->inputs + inputs_at(tile, step);
    real *to = rows_at(l, step) + l->layer.units;
    for (size_t r = 0; r < tile->count; r++, from += n, to += l->row_stride)
        for (size_t i = 0; i < n; i++)
            to[i] = from[i];
}

static void forward_step(const struct lstm_tile *tile, size_t layer, size_t step)
{
    const struct lstm_work *work = tile->work;
    struct tile_layer l = layer_of(tile, layer);
    struct lstm_cells cells = {.rows = tile->count, .units = l.layer.units};
    cells.gates = gates_at(&l, step);
    cells.gates_stride = l.gates_stride;
    cells.cell_before = cells_at(&l, step);
    cells.cell = cells_at(&l, step + 1);
    cells.hidden = rows_at(&l, step + 1);
    cells.hidden_stride = l.row_stride;
    if (layer + 1 < work->shape.layers) {
        struct tile_layer next = layer_of(tile, layer + 1);
        cells.next_input = rows_at(&next, step) + next.layer.units;
        cells.next_input_stride = next.row_stride;
    }
    mp_gemm(work->gemm, tile->count, 4 * l.layer.units, l.layer.rows, rows_at(&l, step), l.row_stride,
            work->packed + l.layer.weights, work->packed + l.layer.bias_ih, cells.gates, cells.gates_stride);
    MP_BY_WIDTH(work->gemm.bytes, mp_lstm_cells_forward, &cells);
}

void mp_lstm_tile_forward(const struct lstm_tile *tile)
{
    const struct lstm_batch *batch = tile->batch;
    size_t layers = tile->work->shape.layers;
    struct tile_layer bottom = layer_of(tile, 0);
    for (size_t i = 0; i < layers; i++) {
        struct tile_layer l = layer_of(tile, i);
        first_state(tile, i, batch->hidden, l.layer.units, rows_at(&l, 0), l.row_stride);
        first_state(tile, i, batch->cell, l.layer.units, cells_at(&l, 0), l.layer.units);
    }
    for (size_t step = 0; step < batch->steps; step++) {
        gather_inputs(tile, &bottom, step);
        for (size_t i = 0; i < layers; i++)
            forward_step(tile, i, step);
    }
    for (size_t i = 0; i < layers; i++) {
        struct tile_layer l = layer_of(tile, i);
        last_state(tile, i, rows_at(&l, batch->steps), l.row_stride, batch->last_hidden);
        last_state(tile, i, cells_at(&l, batch->steps), l.layer.units, batch->last_cell);
    }
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* Sets the gradient by a layer's states that comes from the layer above or from the head. */
static void set_d_output(const struct lstm_tile *tile, size_t layer, size_t step, struct lstm_cells *cells)
{
    size_t units = cells->units;
    bool every_step = tile->work->plan.every_step;
    if (layer + 1 < tile->work->shape.layers) {
        struct tile_layer next = layer_of(tile, layer + 1);
        cells->d_output = next.memory->d_rows + next.layer.units;
        cells->d_output_stride = next.row_stride;
    } else if (every_step || step + 1 == tile->batch->steps) {
        cells->d_output = tile->worker->d_output + (every_step ? step * MP_LSTM_TILE_ROWS * units : 0);
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

static void backward_step(const struct lstm_tile *tile, size_t layer, size_t step, real *gradient)
{
    const struct lstm_work *work = tile->work;
    struct tile_layer l = layer_of(tile, layer);
    struct lstm_cells cells = {.rows = tile->count, .units = l.layer.units};
    cells.gates = gates_at(&l, step);
    cells.gates_stride = l.gates_stride;
    cells.cell_before = cells_at(&l, step);
    cells.hidden = rows_at(&l, step + 1);
    cells.hidden_stride = l.row_stride;
    cells.d_hidden = l.memory->d_rows;
    cells.d_hidden_stride = l.row_stride;
    cells.d_cell = l.memory->d_cells;
    cells.d_bias = l.memory->d_bias;
    set_d_output(tile, layer, step, &cells);
    memset(cells.d_bias, 0, 4 * l.layer.units * sizeof *cells.d_bias);
    MP_BY_WIDTH(work->gemm.bytes, mp_lstm_cells_backward, &cells);
    add_bias(&l.layer, cells.d_bias, gradient);
    mp_gemm(work->gemm, tile->count, mp_lstm_backward_width(work, layer), 4 * l.layer.units, cells.gates,
            l.gates_stride, work->backward[layer], NULL, l.memory->d_rows, l.row_stride);
}

/* dW of the steps first .. last - 1. */
static void add_weights(const struct lstm_tile *tile, size_t layer, size_t first, size_t last, real *gradient)
{
    struct tile_layer l = layer_of(tile, layer);
    size_t n = 4 * l.layer.units;
    mp_gemm_add_transposed(tile->work->gemm, l.layer.rows, n, (last - first) * tile->count, rows_at(&l, first),
                           l.row_stride, gates_at(&l, first), l.gates_stride, gradient + l.layer.weights, n);
}

static void scatter_d_inputs(const struct lstm_tile *tile, size_t step)
{
    struct tile_layer l = layer_of(tile, 0);
    size_t n = l.layer.inputs;
    real *to = tile->batch->d_inputs + inputs_at(tile, step);
    for (size_t r = 0; r < tile->count; r++)
        memcpy(to + r * n, l.memory->d_rows + r * l.row_stride + l.layer.units, n * sizeof *to);
}

void mp_lstm_tile_backward(const struct lstm_tile *tile, real *gradient)
{
    const struct lstm_batch *batch = tile->batch;
    size_t layers = tile->work->shape.layers, last = batch->steps;
    for (size_t i = 0; i < layers; i++) {
        struct tile_layer l = layer_of(tile, i);
        memset(l.memory->d_rows, 0, tile->count * l.row_stride * sizeof(real));
        memset(l.memory->d_cells, 0, tile->count * l.layer.units * sizeof(real));
    }
    for (size_t step = batch->steps; step-- > 0;) {
        bool due = (last - step) * tile->count >= GRADIENT_ROWS || step == 0;
        for (size_t i = layers; i-- > 0;) {
            backward_step(tile, i, step, gradient);
            if (due)
                add_weights(tile, i, step, last, gradient);
        }
        if (batch->d_inputs)
            scatter_d_inputs(tile, step);
        last = due ? step : last;
    }
    for (size_t i = 0; i < layers; i++) {
        struct tile_layer l = layer_of(tile, i);
        last_state(tile, i, l.memory->d_rows, l.row_stride, batch->d_hidden);
        last_state(tile, i, l.memory->d_cells, l.layer.units, batch->d_cell);
    }
}
