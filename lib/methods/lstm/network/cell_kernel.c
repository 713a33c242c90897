/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/cell_kernel.h"

#include "support/activation.h"

/* Rows whose tanh(c') are computed side by side, since one alone waits for each of its own sums. At 16 units four take
 * a quarter less time than one (tests/bench/run.sh lstm_scale); bytes do not depend on it. */
enum { ROWS = 4 };

/* Stores the gates in the place of z, and c'. */
INLINE void gates_row(const struct lstm_cells *s, size_t row)
{
    size_t n = s->units;
    real *gates = s->gates + row * s->gates_stride;
    for (size_t u = 0; u < n; u += WIDTH) {
        vector g = load(gates + 2 * n + u),
               y[4] = {-load(gates + u), -load(gates + n + u), g + g, -load(gates + 3 * n + u)};
        struct power e[4];
        powers_of(4, y, e);
        vector i = logistic_from(e[0]), f = logistic_from(e[1]), o = logistic_from(e[3]);
        g = tangent_from(e[2]);
        store(gates + u, i);
        store(gates + n + u, f);
        store(gates + 2 * n + u, g);
        store(gates + 3 * n + u, o);
        store(s->cell + row * n + u, fused(f, load(s->cell_before + row * n + u), i * g));
    }
}

/* h' = o tanh(c'). */
INLINE void hidden_rows(const struct lstm_cells *s, size_t row, const int rows)
{
    size_t n = s->units;
    for (size_t u = 0; u < n; u += WIDTH) {
        vector y[ROWS];
        struct power e[ROWS];
        UNROLLED
        for (int r = 0; r < rows; r++) {
            vector c = load(s->cell + (row + (size_t)r) * n + u);
            y[r] = c + c;
        }
        powers_of(rows, y, e);
        UNROLLED
        for (int r = 0; r < rows; r++) {
            size_t at = row + (size_t)r;
            vector h = load(s->gates + at * s->gates_stride + 3 * n + u) * tangent_from(e[r]);
            store(s->hidden + at * s->hidden_stride + u, h);
            if (s->next_input)
                store(s->next_input + at * s->next_input_stride + u, h);
        }
    }
}

INLINE void forward_rows(const struct lstm_cells *s, size_t row, const int rows)
{
    for (int r = 0; r < rows; r++)
        gates_row(s, row + (size_t)r);
    hidden_rows(s, row, rows);
}

void MP_WIDE(mp_lstm_cells_forward)(const struct lstm_cells *s)
{
    size_t row = 0;
    for (; row + ROWS <= s->rows; row += ROWS)
        forward_rows(s, row, ROWS);
    for (; row < s->rows; row++)
        forward_rows(s, row, 1);
}

INLINE void add(real *sum, vector term)
{
    store(sum, load(sum) + term);
}

/* tanh(c') = h' / o: a division costs less than another array. */
void MP_WIDE(mp_lstm_cells_backward)(const struct lstm_cells *s)
{
    size_t n = s->units;
    for (size_t row = 0; row < s->rows; row++) {
        real *gates = s->gates + row * s->gates_stride, *d_cell = s->d_cell + row * n;
        const real *before = s->cell_before + row * n, *hidden = s->hidden + row * s->hidden_stride;
        const real *d_hidden = s->d_hidden + row * s->d_hidden_stride;
        const real *d_output = s->d_output ? s->d_output + row * s->d_output_stride : NULL;
        for (size_t u = 0; u < n; u += WIDTH) {
            vector i = load(gates + u), f = load(gates + n + u), g = load(gates + 2 * n + u),
                   o = load(gates + 3 * n + u);
            vector h = load(hidden + u), d_h = load(d_hidden + u), one = splat(1);
            if (d_output)
                d_h += load(d_output + u);
            vector d_c = fused(d_h, fused(-h, h / o, o), load(d_cell + u));
            vector d_i = d_c * g * (i * (one - i)), d_f = d_c * load(before + u) * (f * (one - f));
            vector d_g = d_c * i * fused(-g, g, one), d_o = d_h * h * (one - o);
            store(gates + u, d_i);
            store(gates + n + u, d_f);
            store(gates + 2 * n + u, d_g);
            store(gates + 3 * n + u, d_o);
            store(d_cell + u, d_c * f);
            add(s->d_bias + u, d_i);
            add(s->d_bias + n + u, d_f);
            add(s->d_bias + 2 * n + u, d_g);
            add(s->d_bias + 3 * n + u, d_o);
        }
    }
}
