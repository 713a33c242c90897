/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared network: its head's kernels, its loss, its gradient. */
#include "lstm_run.h"

#include "methods/lstm/network/head_kernel.h"
#include "methods/lstm/network/loss.h"
#include "methods/lstm/network/shared_net.h"

#ifdef MP_REAL_DOUBLE
static const double tolerance = 1e-13;
#define HASH UINT64_C(0x8d28e4d21f0c9045)
#else
static const double tolerance = 1e-6;
#define HASH UINT64_C(0xd83d58f07cb2770c)
#endif

enum {
    WINDOWS = MP_LSTM_WINDOWS,
    OUTPUTS = MP_LSTM_OUTPUTS,
    ROW = MP_LSTM_OUTPUT_ROW,
    HEAD_ROW = MP_LSTM_HEAD_ROW,
    STEPS = 1300,
    EXPERTS = 7,
    SERIES = 150 /* more than three workers' tiles */
};

static void randomise(real *numbers, size_t n, double scale, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        numbers[i] = (real)(scale * (2 * fraction(&seed) - 1));
}

/* ---- the head's kernels ------------------------------------------------------------------------------------------ */

enum { ROWS = 3 };

static void head_forward(int bytes, real *numbers, const real *means, real *forecasts)
{
    MP_BY_WIDTH(bytes, mp_lstm_mixture, ROWS, MP_LSTM_OUTPUT_ROW, numbers, means, forecasts);
}

static void a_forecast_is_a_mixture_of_windows_times_a_factor(void **state)
{
    (void)state;
    static real numbers[ROWS * HEAD_ROW], before[ROWS * HEAD_ROW], means[ROWS * WINDOWS], forecasts[ROWS * ROW];
    randomise(before, ROWS * HEAD_ROW, 3, 1);
    randomise(means, ROWS * WINDOWS, 0.5, 2);
    for (size_t i = 0; i < ROWS * HEAD_ROW; i += 37)
        before[i] *= 40; /* large logits, residuals outside their bounds */
    memcpy(numbers, before, sizeof numbers);
    head_forward(mp_vector_bytes(), numbers, means, forecasts);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t b = 0; b < ROW; b++) {
            const real *gates = before + r * HEAD_ROW + b;
            double sum = 0, mixed = 0, residual = fmin(fmax((double)gates[WINDOWS * ROW], -1), 1);
            for (size_t w = 0; w < WINDOWS; w++)
                sum += exp((double)gates[w * ROW]);
            for (size_t w = 0; w < WINDOWS; w++) {
                double weight = exp((double)gates[w * ROW]) / sum;
                assert_near((double)numbers[r * HEAD_ROW + w * ROW + b], weight, tolerance);
                mixed += weight * (double)means[r * WINDOWS + w];
            }
            assert_near((double)forecasts[r * ROW + b], mixed * exp(residual), 4 * tolerance);
        }
}

static void all_vector_widths_give_the_heads_same_bytes(void **state)
{
    (void)state;
    static real before[ROWS * HEAD_ROW], means[ROWS * WINDOWS], d[ROWS * ROW];
    static struct {
        real numbers[ROWS * HEAD_ROW], forecasts[ROWS * ROW], back[ROWS * HEAD_ROW];
        real tanh_x[ROWS * HEAD_ROW], tanh_x_back[ROWS * HEAD_ROW];
    } of[3];
    const int widths[] = {16, 32, 64};
    randomise(before, ROWS * HEAD_ROW, 3, 3);
    randomise(means, ROWS * WINDOWS, 0.5, 4);
    randomise(d, ROWS * ROW, 2, 5);
    for (size_t i = 0; i < 3 && widths[i] <= mp_vector_bytes(); i++) {
        memcpy(of[i].numbers, before, sizeof before);
        memcpy(of[i].tanh_x, before, sizeof before);
        memcpy(of[i].tanh_x_back, before, sizeof before);
        head_forward(widths[i], of[i].numbers, means, of[i].forecasts);
        memcpy(of[i].back, of[i].numbers, sizeof before);
        MP_BY_WIDTH(widths[i], mp_lstm_mixture_backward, ROWS, of[i].back, means, d);
        MP_BY_WIDTH(widths[i], mp_lstm_tanh, ROWS * HEAD_ROW, of[i].tanh_x);
        MP_BY_WIDTH(widths[i], mp_lstm_tanh_backward, ROWS * HEAD_ROW, of[i].tanh_x, of[i].tanh_x_back);
        assert_memory_equal(&of[i], &of[0], sizeof of[0]);
    }
    for (size_t i = 0; i < ROWS * HEAD_ROW; i++) {
        double t = tanh((double)before[i]);
        assert_near((double)of[0].tanh_x[i], t, tolerance);
        assert_near((double)of[0].tanh_x_back[i], (double)before[i] * (1 - t * t), 10 * tolerance);
    }
}

/* ---- the loss ---------------------------------------------------------------------------------------------------- */

static double untrained_loss_of(size_t n, const real *forecasts, const real *targets, double min_load)
{
    double loss = 0;
    for (size_t b = 1; b <= n; b++) {
        double f = 0, y = 0;
        for (size_t i = 0; i < b; i++) {
            f += (double)forecasts[i] / (double)b;
            y += (double)targets[i] / (double)b;
        }
        loss += fabs(f - y) / fmax(y, min_load) / (double)n;
    }
    return loss;
}

static void the_loss_is_the_error_of_the_means_so_far_averaged(void **state)
{
    (void)state;
    real forecasts[OUTPUTS], targets[OUTPUTS], d[OUTPUTS];
    for (uint64_t seed = 1; seed < 40; seed++)
        for (size_t n = 0; n <= OUTPUTS; n += 1 + n / 2) {
            uint64_t numbers = seed;
            for (size_t b = 0; b < OUTPUTS; b++) {
                forecasts[b] = (real)(0.1 * fraction(&numbers));
                targets[b] = (real)(seed % 3 ? 0.1 * fraction(&numbers) : 0); /* dead experts as well */
                d[b] = 77;
            }
            double loss = mp_lstm_loss(n, forecasts, targets, 0.01, 3, d);
            assert_near(loss, untrained_loss_of(n, forecasts, targets, 0.01), 1e-13 * loss);
            assert_true(loss == mp_lstm_loss(n, forecasts, targets, 0.01, 3, NULL));
            for (size_t b = n; b < OUTPUTS; b++)
                assert_true(d[b] == 77);
#ifdef MP_REAL_DOUBLE
            for (size_t b = 0; b < n; b++) { /* linear except for kinks, which so small a step does not meet */
                double at = forecasts[b], step = 1e-7;
                forecasts[b] = at + step;
                double above = untrained_loss_of(n, forecasts, targets, 0.01);
                forecasts[b] = at - step;
                double below = untrained_loss_of(n, forecasts, targets, 0.01);
                forecasts[b] = at;
                assert_near(d[b], 3 * (above - below) / (2 * step), 1e-6);
            }
#endif
        }
}

/* ---- the network ------------------------------------------------------------------------------------------------- */

/* A batch at several origins, some of which have few targets. */
struct bench {
    struct lstm_shape shape;
    struct lstm_shared_net net;
    struct lstm_examples examples;
    real *parameters, *gradient, *forecasts;
    float *shares;
};

static void make_examples(struct bench *b, size_t series)
{
    struct panel panel = panel_of(b->shares, STEPS, EXPERTS, 0);
    assert_true(mp_lstm_examples_make(&b->examples, series, series, &plain_memory));
    b->examples.series = series;
    for (size_t at = 0; at < series; at += EXPERTS) {
        size_t end = 150 + at * 53 % 500, count = series - at < EXPERTS ? series - at : EXPERTS;
        struct lstm_sample sample = sample_of(&panel, 0, count, end);
        mp_lstm_fill_inputs(&b->examples, at, &sample);
        mp_lstm_fill_targets(&b->examples, at, &sample, end + 50 * (at % 12));
    }
}

/* scale: that of the random numbers in the whole head; 0: untrained. */
static struct bench make_bench(size_t layers, size_t hidden, size_t series, size_t workers, double scale)
{
    struct bench b = {.shape = mp_lstm_shared_net_shape(layers, hidden),
                      .shares = wandering_shares(STEPS, EXPERTS, EXPERTS, 2)};
    struct random random = mp_random(5, layers);
    size_t n = mp_lstm_parameters(&b.shape);
    b.parameters = reals(n);
    b.gradient = reals(n);
    b.forecasts = reals(series * ROW);
    mp_lstm_shared_net_init_parameters(&b.shape, &random, b.parameters);
    if (scale > 0)
        randomise(b.parameters + mp_lstm_head(&b.shape), b.shape.head, scale, 6);
    struct lstm_plan plan = {.workers = workers, .series = series, .training = true};
    assert_true(mp_lstm_shared_net_make(&b.net, &b.shape, &plan, &plain_memory));
    make_examples(&b, series);
    mp_lstm_shared_net_set_parameters(&b.net, b.parameters);
    return b;
}

static void free_bench(struct bench *b)
{
    mp_lstm_shared_net_free(&b->net, &plain_memory);
    mp_lstm_examples_free(&b->examples, &plain_memory);
    free(b->parameters);
    free(b->gradient);
    free(b->forecasts);
    free(b->shares);
}

static void an_untrained_network_forecasts_the_plain_mean_of_the_windows(void **state)
{
    (void)state;
    for (size_t layers = 0; layers <= 4; layers++) {
        struct bench b = make_bench(layers, 1 + 6 * layers, 101, 1, 0);
        mp_lstm_shared_net_forecast(&b.net, &b.examples, b.forecasts);
        for (size_t s = 0; s < 101; s++) {
            double mean = 0;
            for (size_t w = 0; w < WINDOWS; w++)
                mean += (double)b.examples.means[s * WINDOWS + w] / WINDOWS;
            for (size_t o = 0; o < OUTPUTS; o++)
                assert_near((double)b.forecasts[s * ROW + o], mean, tolerance * mean);
        }
        free_bench(&b);
    }
}

static void the_loss_of_a_batch_is_the_mean_over_its_series(void **state)
{
    (void)state;
    struct bench b = make_bench(1, 5, 101, 1, 0.3);
    double loss = 0;
    mp_lstm_shared_net_forecast(&b.net, &b.examples, b.forecasts);
    for (size_t s = 0; s < 101; s++)
        loss += untrained_loss_of(b.examples.n_targets[s], b.forecasts + s * ROW, b.examples.targets + s * OUTPUTS,
                                  (double)b.examples.min_load[s]) /
                101;
    assert_true(loss > 0);
    assert_near(mp_lstm_shared_net_gradient(&b.net, &b.examples, b.gradient), loss, tolerance * loss);
    free_bench(&b);
}

#ifdef MP_REAL_DOUBLE
static double loss_of(struct bench *b)
{
    mp_lstm_shared_net_set_parameters(&b->net, b->parameters);
    return mp_lstm_shared_net_gradient(&b->net, &b->examples, b->gradient);
}

/* Checks every 23rd parameter; the loss has kinks, but none within a step. */
static void check_slopes(size_t layers, size_t hidden)
{
    struct bench b = make_bench(layers, hidden, 14, 1, 0.4);
    size_t n = mp_lstm_parameters(&b.shape), moving = 0;
    real *computed = reals(n);
    loss_of(&b);
    memcpy(computed, b.gradient, n * sizeof *computed);
    for (size_t i = 0; i < n; i += 23) {
        double at = b.parameters[i], step = 1e-6;
        b.parameters[i] = at + step;
        double above = loss_of(&b);
        b.parameters[i] = at - step;
        double slope = (above - loss_of(&b)) / (2 * step);
        b.parameters[i] = at;
        assert_near(computed[i], slope, 1e-8);
        moving += fabs(slope) > 1e-4;
    }
    assert_true(moving > 20);
    free(computed);
    free_bench(&b);
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    check_slopes(0, 1);
    check_slopes(1, 1);
    check_slopes(1, 5);
    check_slopes(2, 3);
    check_slopes(1, 17);
}
#endif

/* ---- the same bytes ---------------------------------------------------------------------------------------------- */

static uint64_t hash_of_bench(size_t layers, size_t workers, int bytes)
{
    struct bench b = make_bench(layers, 5, SERIES, workers, 0.3);
    b.net.work.gemm = (struct gemm){.bytes = bytes};
    mp_lstm_shared_net_set_parameters(&b.net, b.parameters);
    double loss = mp_lstm_shared_net_gradient(&b.net, &b.examples, b.gradient);
    mp_lstm_shared_net_forecast(&b.net, &b.examples, b.forecasts);
    uint64_t hash = hash_of(HASH_START, &loss, sizeof loss);
    hash = hash_of(hash, b.gradient, mp_lstm_parameters(&b.shape) * sizeof *b.gradient);
    hash = hash_of(hash, b.forecasts, (size_t)SERIES * ROW * sizeof *b.forecasts);
    free_bench(&b);
    return hash;
}

static void any_width_and_number_of_workers_gives_the_same_bytes(void **state)
{
    (void)state;
    for (size_t layers = 0; layers <= 2; layers++) {
        uint64_t narrowest = hash_of_bench(layers, 1, 16);
        for (int bytes = 16; bytes <= mp_vector_bytes(); bytes *= 2)
            for (size_t workers = 1; workers <= 5; workers += 2)
                assert_true(hash_of_bench(layers, workers, bytes) == narrowest);
    }
}

static void every_build_gives_the_same_bytes(void **state)
{
    (void)state;
    uint64_t hash = hash_of_bench(1, 1, mp_vector_bytes());
    if (hash != HASH)
        fail_msg("the hash is %#llx", (unsigned long long)hash);
}

static void what_is_padded_stays_0(void **state)
{
    (void)state;
    struct bench b = make_bench(1, 5, 101, 1, 0);
    mp_lstm_shared_net_gradient(&b.net, &b.examples, b.gradient);
    struct lstm_layer l = mp_lstm_layer(&b.shape, 0);
    for (size_t row = 0; row < l.rows; row++)
        for (size_t i = 0; i < 4 * l.units; i++)
            if (i % l.units >= 5 || (row >= 5 && row < l.units))
                assert_true(b.gradient[l.weights + row * 4 * l.units + i] == 0);
    free_bench(&b);
}

int main(void)
{
    const struct CMUnitTest net[] = {
        cmocka_unit_test(a_forecast_is_a_mixture_of_windows_times_a_factor),
        cmocka_unit_test(all_vector_widths_give_the_heads_same_bytes),
        cmocka_unit_test(the_loss_is_the_error_of_the_means_so_far_averaged),
        cmocka_unit_test(an_untrained_network_forecasts_the_plain_mean_of_the_windows),
        cmocka_unit_test(the_loss_of_a_batch_is_the_mean_over_its_series),
#ifdef MP_REAL_DOUBLE
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
#endif
        cmocka_unit_test(any_width_and_number_of_workers_gives_the_same_bytes),
        cmocka_unit_test(every_build_gives_the_same_bytes),
        cmocka_unit_test(what_is_padded_stays_0),
    };
    return cmocka_run_group_tests(net, NULL, NULL);
}
