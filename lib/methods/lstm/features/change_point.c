/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/features/change_point.h"

#include "support/simd.h"

#include <stdbool.h>
#include <string.h>

/* Each of these trades one fault for another. test_lstm_change_point.c tests which jumps are found, and
 * tests/bench/run.sh lstm_accuracy shows forecasts after shifts.
 *
 *   SIDE       with fewer blocks noise hides small jumps; with more a jump is seen later, here after 50 steps
 *   OTHERS     with fewer splits to compare with, the mean elsewhere is too rough to tell a jump from drift
 *   MIN_JUMP   less takes sampling noise for a jump; more misses shifts of 10 % of the load
 *   MIN_RATIO  less takes drift for a jump; more misses jumps in loads that drift. 16 is 4 squared */
enum { SIDE = 5, OTHERS = 10 };
static const double MIN_JUMP = 0.08, MIN_RATIO = 16;

MP_VECTORISED static double mp_square_distance(const double *a, const double *b, size_t n)
{
    double sum[8] = {0}, total = 0;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t l = 0; l < 8; l++)
            sum[l] += (a[i + l] - b[i + l]) * (a[i + l] - b[i + l]);
    for (size_t l = 0; i + l < n; l++)
        sum[l] += (a[i + l] - b[i + l]) * (a[i + l] - b[i + l]);
    for (size_t l = 0; l < 8; l++)
        total += sum[l];
    return total;
}

MP_VECTORISED static void mp_slide(double *sum, const double *in, const double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += in[i] - out[i];
}

static void first_sides(const double *sums, size_t stride, size_t n, double *after, double *before)
{
    memset(after, 0, n * sizeof *after);
    memset(before, 0, n * sizeof *before);
    for (size_t b = 0; b < SIDE; b++)
        for (size_t i = 0; i < n; i++) {
            after[i] += sums[b * stride + i];
            before[i] += sums[(SIDE + b) * stride + i];
        }
}

/* Fills distance[k] for SIDE <= k <= blocks - SIDE. */
static void measure(const double *sums, size_t stride, size_t blocks, size_t n, double scale, double *scratch,
                    double *distance)
{
    double *after = scratch, *before = scratch + n, noise = 0;
    for (size_t b = 1; b < blocks; b++)
        noise += mp_square_distance(sums + b * stride, sums + (b - 1) * stride, n);
    noise *= (double)SIDE / (double)(blocks - 1);
    first_sides(sums, stride, n, after, before);
    for (size_t k = SIDE; k <= blocks - SIDE; k++) {
        double squared = mp_square_distance(after, before, n) - noise;
        distance[k] = squared > 0 ? squared * scale : 0;
        if (k == blocks - SIDE)
            break;
        mp_slide(after, sums + k * stride, sums + (k - SIDE) * stride, n);
        mp_slide(before, sums + (k + SIDE) * stride, sums + k * stride, n);
    }
}

/* The split with the largest distance if it is a change point; 0 if not. */
static size_t change_point_of(const double *distance, size_t blocks)
{
    size_t best = SIDE, others = 0;
    double elsewhere = 0;
    for (size_t k = SIDE; k <= blocks - SIDE; k++)
        best = distance[k] > distance[best] ? k : best;
    for (size_t k = SIDE; k <= blocks - SIDE; k++)
        if (k + SIDE < best || k > best + SIDE) {
            elsewhere += distance[k];
            others++;
        }
    bool stands_out = others >= OTHERS && distance[best] * (double)others > MIN_RATIO * elsewhere;
    return stands_out && distance[best] > MIN_JUMP * MIN_JUMP ? best : 0;
}

size_t mp_lstm_blocks_since_change_point(const double *sums, size_t stride, size_t blocks, size_t n, size_t steps,
                                         double experts, double *scratch)
{
    double distance[MP_LSTM_MOST_CHANGE_POINT_BLOCKS + 1], span = (double)SIDE * (double)steps;
    size_t found = blocks;
    while (found > 0 && blocks >= 2 * SIDE) {
        measure(sums, stride, blocks, n, experts * experts / ((double)n * span * span), scratch, distance);
        found = change_point_of(distance, blocks);
        blocks = found > 0 ? found : blocks;
    }
    return blocks;
}
