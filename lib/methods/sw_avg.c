/* SPDX-License-Identifier: BSD-3-Clause */
/* SW_Avg: the mean of the last w shares forecasts the next step, is appended, and the window slides (the paper's
 * SW_Avg).
 *
 * The forecast k steps ahead is a weighted sum of the w shares held, x_1 (oldest) to x_w, with the same weights for all
 * series. Let h(n) be the response, n steps later, to 1 added to one forecast:
 *
 *     h(0) = 1,   h(n) = (h(n-1) + ... + h(n-w)) / w,   h(n) = 0 for n < 0
 *
 * x_i enters the means of the first i steps ahead, each with the weight 1 / w. Therefore
 *
 *     weight of x_i in the forecast k ahead = (h(k-1) + h(k-2) + ... + h(k-i)) / w
 *
 * and a row's weight is the mean over its steps k. As k grows it tends to the triangular 2 i / (w (w + 1)).
 *
 * bytes: each series is summed from its oldest share to its newest, whatever TILE is; threads: none; allocates: the
 * weights and h, for the call. */
#include "api/status.h"
#include "methods/method.h"
#include "support/simd.h"

#include <string.h>

static const char *fault_of(const moep_predictor_config *config)
{
    return config->sw_avg_window < 1 ? "sw_avg_window must be 1 or more" : NULL;
}

static uint64_t window_steps(const moep_predictor_config *config)
{
    return config->sw_avg_window;
}

static uint64_t one_step(const moep_predictor_config *config)
{
    (void)config;
    return 1;
}

/* Stores w zeros and then h(0) .. h(n - 1): response[w + i] = h(i). */
static void impulse_response(double *response, size_t window, size_t n)
{
    double sum = 1;
    memset(response, 0, window * sizeof *response);
    response[window] = 1;
    for (size_t i = window + 1; i < window + n; i++) {
        response[i] = sum / (double)window;
        sum += response[i] - response[i - window];
    }
}

/* The weights of the row of steps k = first + 1 .. last ahead, T = last - first of them. `term` is the row's sum over k
 * of h(k-1-i). Its sum over i' <= i is w T times the weight of share i + 1, counted from the oldest. The weights are
 * divided by their own sum, which differs from w T by rounding. */
static void row_weights(double *weights, const double *response, size_t window, size_t first, size_t last)
{
    double term = 0, sum = 0, total = 0;
    for (size_t k = first; k < last; k++)
        term += response[window + k];
    for (size_t i = 0; i < window; i++) {
        sum += term;
        weights[i] = sum;
        total += sum;
        term += response[window + first - i - 1] - response[window + last - i - 1];
    }
    for (size_t i = 0; i < window; i++)
        weights[i] /= total;
}

/* The series of a tile. Its sums, 2 KiB, stay in the first-level cache while the window's rows stream past. */
enum { TILE = 256 };

MP_VECTORISED static void mp_weigh_window(const struct panel *panel, size_t window, const double *weights, double *row)
{
    for (size_t first = 0; first < panel->series; first += TILE) {
        size_t n = panel->series - first < TILE ? panel->series - first : TILE;
        double sum[TILE] = {0};
        for (size_t i = 0; i < window; i++) {
            const float *shares = mp_panel_row(panel, panel->steps - window + i) + first;
            for (size_t s = 0; s < n; s++)
                sum[s] += weights[i] * (double)shares[s];
        }
        memcpy(row + first, sum, n * sizeof *sum);
    }
}

static moep_status forecast(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows)
{
    (void)model;
    const struct panel *panel = &task->panel;
    size_t window = panel->steps < task->config->sw_avg_window ? panel->steps : task->config->sw_avg_window;
    size_t size = mp_sum(2 * window, horizon); /* the weights, then w zeros and h */
    double *weights = mp_allocate(&task->runtime->memory, size, sizeof *weights);
    if (!weights)
        return mp_out_of_memory("the weights of the window and the horizon");
    double *response = weights + window;
    impulse_response(response, window, horizon);
    for (size_t first = 0; first < horizon; rows += panel->series) {
        size_t last = stride < horizon - first ? first + stride : horizon;
        row_weights(weights, response, window, first, last);
        mp_weigh_window(panel, window, weights, rows);
        first = last;
    }
    mp_release(&task->runtime->memory, weights, size, sizeof *weights);
    return MOEP_OK;
}

const struct method mp_sw_avg = {
    .name = "sw_avg",
    .fault_of = fault_of,
    .default_history = window_steps,
    .least_history = window_steps,
    .min_steps = one_step,
    .forecast = forecast,
};
