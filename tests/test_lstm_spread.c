/* SPDX-License-Identifier: BSD-3-Clause */
/* The spread of an LSTM's quantiles, against its definition. */
#include "lstm_run.h"

#include "methods/lstm/spread.h"
#include "support/normal.h"

enum { LAYERS = 2, MOST = 2600 };

/* ---- the definition, one share after another --------------------------------------------------------------------- */

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

static double mean_of(const struct run *run, size_t series, size_t from, size_t until)
{
    double sum = 0;
    for (size_t step = from; step < until; step++)
        sum += share_at(&run->panel, step, series);
    return sum / (double)(until - from);
}

static double last_mean(const struct run *run, size_t series, size_t steps)
{
    size_t end = run->panel.steps;
    return mean_of(run, series, end - at_most(at_most(steps, 2000), end), end);
}

/* Over origins in the last `within` steps: the mean square of the relative error of the mean of 100 steps as a forecast
 * of the next `ahead`. */
static double noise_of(const struct run *run, size_t series, size_t ahead, size_t within)
{
    size_t end = run->panel.steps, steps = at_most(at_most(within, 2000), end), window = at_most(100, steps / 3), n = 0;
    double sum = 0, min_load = 0.1 / (double)run->experts;
    ahead = at_most(ahead, steps / 3);
    for (size_t at = end - ahead; at >= end - steps + window; at -= 10, n++) {
        double mean = mean_of(run, series, at - window, at), actual = mean_of(run, series, at, at + ahead);
        sum += (actual - mean) * (actual - mean) / (mean + min_load) / (mean + min_load);
    }
    return sum / (double)n;
}

static double over_layer(const struct run *run, size_t series, size_t ahead)
{
    double sum = 0;
    size_t first = series / run->experts * run->experts;
    for (size_t s = first; s < first + run->experts; s++)
        sum += noise_of(run, s, ahead, 2000) / (double)run->experts;
    return sum;
}

static double variance_of_means(const struct run *run, size_t s)
{
    double min_load = 0.1 / (double)run->experts, a = log(last_mean(run, s, 100) + min_load);
    double b = log(last_mean(run, s, 500) + min_load), c = log(last_mean(run, s, 2000) + min_load),
           mean = (a + b + c) / 3;
    return ((a - mean) * (a - mean) + (b - mean) * (b - mean) + (c - mean) * (c - mean)) / 3;
}

static double movement_of(const struct run *run, size_t series)
{
    double sum = 0, middle = over_layer(run, series, 200);
    size_t first = series / run->experts * run->experts;
    for (size_t s = first; s < first + run->experts; s++)
        sum += variance_of_means(run, s) / (double)run->experts;
    return sum * (noise_of(run, series, 200, 2000) + middle / 4) / (middle * 5 / 4);
}

/* The measurements that do not depend on the span. */
struct measured {
    double level, persistence, movement, min_load;
};

static struct measured measured_of(const struct run *run, size_t series)
{
    return (struct measured){.level = last_mean(run, series, 500),
                             .persistence = over_layer(run, series, 500) / over_layer(run, series, 100),
                             .movement = movement_of(run, series),
                             .min_load = 0.1 / (double)run->experts};
}

static double spread_of(const struct measured *measured, double noise, struct lstm_span span, double forecast)
{
    double length = (double)(span.last - span.first), ahead = fmin(4, (double)(span.first + span.last) / 1000);
    double disagreement = (forecast - measured->level) / (measured->level + measured->min_load);
    return sqrt(0.97 / (1 + length / 100) * noise +
                measured->persistence *
                    (pow(ahead, 0.25) * disagreement * disagreement + 1.5 * pow(ahead, 0.75) * measured->movement));
}

static double quantile_of(double spread, double forecast, double min_load, double p)
{
    double z = mp_normal_quantile(p), off = z * (1 + 0.015 * z * z) * spread;
    double by = off < 0 ? 1 / (1 - off) - 1 : off + off * off / 2;
    return fmax(0, fmin(1, forecast + (forecast + min_load) * by));
}

/* ---- against it -------------------------------------------------------------------------------------------------- */

static struct lstm_spread make_spread(const struct run *run, const struct runtime *runtime, size_t one, size_t other)
{
    struct lstm_spread spread;
    const size_t lengths[] = {one, other};
    struct task task = {.panel = run->panel, .experts = run->experts, .runtime = runtime};
    assert_int_equal(mp_lstm_spread_make(&spread, &task, lengths), MOEP_OK);
    return spread;
}

static double forecast_of(const struct lstm_spread *spread, size_t series)
{
    return spread->level[series] * (0.9 + 0.05 * (double)(series % 5));
}

static void check_series(const struct run *run, const struct lstm_spread *spread, size_t series)
{
    const double probabilities[] = {1e-6, 0.1, 0.4, 0.9, 0.999};
    const struct lstm_span spans[] = {{0, 20}, {700, 720}, {0, 1000}, {100000, 101000}};
    struct measured measured = measured_of(run, series);
    assert_near(spread->level[series], measured.level, 1e-12);
    for (size_t i = 0; i < 4; i++) {
        double noise = noise_of(run, series, i < 2 ? 20 : 200, 1000), forecast = forecast_of(spread, series), row[512];
        double off = spread_of(&measured, noise, spans[i], forecast);
        for (size_t p = 0; p < 5; p++) {
            for (size_t s = 0; s < run->panel.series; s++)
                row[s] = forecast_of(spread, s);
            mp_lstm_spread_row(spread, spans[i], probabilities[p], row);
            assert_near(row[series], quantile_of(off, forecast, measured.min_load, probabilities[p]), 1e-9);
        }
    }
}

/* Histories shorter and longer than 2,000 steps, layers of fewer and more experts than are measured together. */
static void quantiles_are_those_of_the_definition(void **state)
{
    (void)state;
    const struct runtime runtime = {.memory = plain_memory};
    const size_t steps[] = {100, 299, 1400, MOST}, experts[] = {3, 70};
    for (size_t e = 0; e < 2; e++)
        for (size_t i = 0; i < 4; i++) {
            size_t series = LAYERS * experts[e];
            float *shares = wandering_shares(steps[i], series, experts[e], 7 + i);
            struct run run = {.panel = panel_of(shares, steps[i], series, 37), .experts = experts[e]};
            struct lstm_spread spread = make_spread(&run, &runtime, 20, 1000);
            for (size_t s = 1; s < series; s += 1 + series / 4)
                check_series(&run, &spread, s);
            mp_lstm_spread_free(&spread, &plain_memory);
            free(shares);
        }
}

/* The last row of a forecast may be shorter than the others. */
static void each_length_of_rows_has_its_own_noise(void **state)
{
    (void)state;
    const struct runtime runtime = {.memory = plain_memory};
    float *shares = wandering_shares(1500, 8, 4, 3);
    struct run run = {.panel = panel_of(shares, 1500, 8, 0), .experts = 4};
    struct lstm_spread spread = make_spread(&run, &runtime, 50, 1);
    for (size_t s = 0; s < 8; s++)
        for (size_t l = 0; l < 2; l++) {
            double row[8] = {0}, noise = noise_of(&run, s, l ? 1 : 50, 1000);
            struct measured measured = measured_of(&run, s);
            row[s] = measured.level;
            mp_lstm_spread_row(&spread, l ? (struct lstm_span){100, 101} : (struct lstm_span){50, 100}, 0.9, row);
            double off = spread_of(&measured, noise, l ? (struct lstm_span){100, 101} : (struct lstm_span){50, 100},
                                   measured.level);
            assert_near(row[s], quantile_of(off, measured.level, measured.min_load, 0.9), 1e-9);
        }
    mp_lstm_spread_free(&spread, &plain_memory);
    free(shares);
}

/* Long rows have the noise of 200 steps, or of a third of a short history. */
static void long_rows_have_one_noise(void **state)
{
    (void)state;
    const struct runtime runtime = {.memory = plain_memory};
    const size_t steps[] = {150, 1500}, measured_steps[] = {50, 200};
    for (size_t i = 0; i < 2; i++) {
        float *shares = wandering_shares(steps[i], 8, 4, 3);
        struct run run = {.panel = panel_of(shares, steps[i], 8, 0), .experts = 4};
        struct lstm_spread spread = make_spread(&run, &runtime, 1000, measured_steps[i]);
        for (size_t s = 0; s < 8; s++)
            for (size_t l = 0; l < 2; l++)
                assert_near(spread.noise[l][s], noise_of(&run, s, measured_steps[i], 1000), 1e-9);
        mp_lstm_spread_free(&spread, &plain_memory);
        free(shares);
    }
}

/* ---- bounds ----------------------------------------------------------------------------------------------------- */

static void a_constant_load_is_certain(void **state)
{
    (void)state;
    const struct runtime runtime = {.memory = plain_memory};
    float shares[2000][4];
    for (size_t t = 0; t < 2000; t++)
        memcpy(shares[t], (const float[]){0.1F, 0.2F, 0.3F, 0.4F}, sizeof shares[t]);
    struct run run = {.panel = panel_of(shares[0], 2000, 4, 0), .experts = 4};
    struct lstm_spread spread = make_spread(&run, &runtime, 1, 2000);
    for (size_t p = 1; p < 1000; p++) {
        double row[] = {0.1F, 0.2F, 0.3F, 0.4F};
        mp_lstm_spread_row(&spread, (struct lstm_span){0, p % 2 ? 1 : 2000}, (double)p / 1000, row);
        for (size_t s = 0; s < 4; s++)
            assert_near(row[s], (double)shares[0][s], 1e-6);
    }
    mp_lstm_spread_free(&spread, &plain_memory);
}

/* Neighbouring probabilities, from 2^-1000 up to 1. */
static void quantiles_rise_with_the_probability_about_the_forecast(void **state)
{
    (void)state;
    const struct runtime runtime = {.memory = plain_memory};
    float *shares = wandering_shares(1200, 4, 4, 5);
    struct run run = {.panel = panel_of(shares, 1200, 4, 0), .experts = 4};
    struct lstm_spread spread = make_spread(&run, &runtime, 10, 10);
    double before[4] = {0}, forecast[4] = {0.25, 0.4, 0.05, 0.3};
    for (double p = 0x1p-1000; p < 1; p = p < 1e-6                   ? p * 16
                                          : p < 0.4999 || p > 0.5001 ? p + 1e-4
                                                                     : nextafter(p, 1) + 1e-9) {
        double row[4];
        memcpy(row, forecast, sizeof row);
        mp_lstm_spread_row(&spread, (struct lstm_span){0, 10}, p, row);
        for (size_t s = 0; s < 4; s++) {
            assert_true(row[s] >= before[s] && row[s] >= 0 && row[s] <= 1);
            assert_true(p < 0.5 ? row[s] <= forecast[s] : row[s] >= forecast[s]);
            before[s] = row[s];
        }
    }
    mp_lstm_spread_free(&spread, &plain_memory);
    free(shares);
}

int main(void)
{
    const struct CMUnitTest spread[] = {
        cmocka_unit_test(quantiles_are_those_of_the_definition),
        cmocka_unit_test(each_length_of_rows_has_its_own_noise),
        cmocka_unit_test(long_rows_have_one_noise),
        cmocka_unit_test(a_constant_load_is_certain),
        cmocka_unit_test(quantiles_rise_with_the_probability_about_the_forecast),
    };
    return cmocka_run_group_tests(spread, NULL, NULL);
}
