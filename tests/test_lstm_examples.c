/* SPDX-License-Identifier: BSD-3-Clause */
/* Inputs, features and targets of examples, against their definitions. */
#include "lstm_run.h"

enum { SERIES = 6, STEPS = 4500, ROOM = 11, AT = 3, BLOCKS = MP_LSTM_INPUT_BLOCKS, OUTPUTS = MP_LSTM_OUTPUTS };

static const size_t windows[MP_LSTM_WINDOWS] = {20, 100, 500, 2000};

#ifdef MP_REAL_DOUBLE
static const double tolerance = 1e-13;
#else
static const double tolerance = 1e-6;
#endif

static struct lstm_examples make_examples(size_t series)
{
    struct lstm_examples e;
    assert_true(mp_lstm_examples_make(&e, ROOM, ROOM, &plain_memory));
    memset(e.arena.lines, 0x7f, e.arena.used);
    e.series = series;
    return e;
}

/* ---- the definitions --------------------------------------------------------------------------------------------- */

/* The share of series i of the sample, `ago` steps before the origin. */
static double share_ago(const struct lstm_sample *sample, size_t ago, size_t i)
{
    if (sample->donor && ago > sample->splice_steps)
        return share_at(sample->donor, sample->donor_end - ago, sample->donor_first + sample->permutation[i]);
    return share_at(sample->panel, sample->end - ago, sample->first + i);
}

/* The mean of the shares from .. to steps ago. */
static double mean_ago(const struct lstm_sample *sample, size_t from, size_t to, size_t i)
{
    double sum = 0;
    for (size_t ago = from; ago <= to; ago++)
        sum += share_ago(sample, ago, i);
    return sum / (double)(to - from + 1);
}

static double clipped(double x, double limit)
{
    return fmin(fmax(x, -limit), limit);
}

static double window_mean(const struct lstm_sample *sample, size_t w, size_t i)
{
    return mean_ago(sample, 1, sample->steps < windows[w] ? sample->steps : windows[w], i);
}

static double log_ratio(double share, double reference)
{
    return clipped(log(fmax(share, 1e-9)) - log(fmax(reference, 1e-9)), 2);
}

static void check_inputs(const struct lstm_examples *e, const struct lstm_sample *sample, size_t i)
{
    size_t s = AT + i, blocks = sample->steps / 10 < BLOCKS ? sample->steps / 10 : BLOCKS;
    double reference = window_mean(sample, 1, i);
    const real *features = e->features + s * MP_LSTM_FEATURES;
    for (size_t w = 0; w < MP_LSTM_WINDOWS; w++) {
        double mean = window_mean(sample, w, i);
        assert_near((double)e->means[s * MP_LSTM_WINDOWS + w], mean, tolerance * mean);
        assert_near((double)features[w], log_ratio(mean, reference), tolerance);
    }
    assert_near((double)features[4], clipped(log(fmax(reference, 1e-9)) + log(sample->experts), 4), 4 * tolerance);
    assert_near((double)features[5], log(fmin(fmax(sample->age, 100), 10000) / 1000), 4 * tolerance);
    assert_true(features[6] == 1);
    for (size_t f = 7; f < MP_LSTM_FEATURES; f++)
        assert_true(features[f] == 0);
    for (size_t b = 0; b < BLOCKS; b++) {
        double input = (double)e->inputs[(BLOCKS - 1 - b) * e->series + s];
        double mean = b < blocks ? mean_ago(sample, 10 * b + 1, 10 * b + 10, i) : 0;
        assert_near(input, b < blocks ? log_ratio(mean, reference) : 0, 4 * tolerance);
    }
    assert_near((double)e->min_load[s], 0.1 / sample->experts, tolerance);
    assert_int_equal(e->n_targets[s], 0);
}

static void check_sample(const struct lstm_sample *sample)
{
    struct lstm_examples e = make_examples(ROOM);
    mp_lstm_fill_inputs(&e, AT, sample);
    for (size_t i = 0; i < sample->count; i++)
        check_inputs(&e, sample, i);
    mp_lstm_examples_free(&e, &plain_memory);
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

static void a_sample_of_any_length_is_as_defined(void **state)
{
    (void)state;
    const size_t ends[] = {100, 101, 109, 499, 500, 999, 1000, 1001, 1999, 2000, 2001, STEPS};
    float *shares = wandering_shares(STEPS, SERIES, SERIES, 3);
    for (size_t first = 0; first < STEPS; first += 1234) {
        struct panel panel = panel_of(shares, STEPS, SERIES, first);
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            struct lstm_sample sample = sample_of(&panel, 1, 4, ends[i]);
            check_sample(&sample);
        }
    }
    free(shares);
}

/* A sample may be as if the run had begun later: earlier steps are not seen, and the age may be any. */
static void steps_that_do_not_count_are_not_seen(void **state)
{
    (void)state;
    float *shares = wandering_shares(STEPS, SERIES, SERIES, 4);
    struct panel panel = panel_of(shares, STEPS, SERIES, 0);
    for (size_t steps = 100; steps < 3000; steps += 333) {
        struct lstm_sample sample = sample_of(&panel, 0, SERIES, 3000);
        sample.steps = steps;
        sample.age = (double)(7 * steps);
        for (size_t i = 0; i < (3000 - steps) * SERIES; i++)
            shares[i] = NAN;
        check_sample(&sample);
        free(shares);
        shares = wandering_shares(STEPS, SERIES, SERIES, 4);
        panel.ring = shares;
    }
    free(shares);
}

static void ages_are_held_within_100_and_10000(void **state)
{
    (void)state;
    const double ages[] = {0, 1, 99, 100, 101, 1000, 9999, 10000, 10001, 1e12};
    float *shares = wandering_shares(200, SERIES, SERIES, 5);
    struct panel panel = panel_of(shares, 200, SERIES, 0);
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        struct lstm_sample sample = sample_of(&panel, 0, SERIES, 200);
        sample.age = ages[i];
        check_sample(&sample);
    }
    free(shares);
}

/* Dead experts, experts that die or wake, and one with all of the load. */
static void extreme_loads_are_clipped(void **state)
{
    (void)state;
    float *shares = calloc(2000 * SERIES, sizeof *shares);
    for (size_t step = 0; step < 2000; step++) {
        shares[step * SERIES + 1] = step < 1900 ? 0.5F : 0;
        shares[step * SERIES + 2] = step < 1990 ? 0 : 0.25F;
        shares[step * SERIES + 3] = 1;
        shares[step * SERIES + 4] = 1e-12F;
        shares[step * SERIES + 5] = step == 1200 ? 1 : 1e-7F;
    }
    struct panel panel = panel_of(shares, 2000, SERIES, 0);
    struct lstm_sample sample = sample_of(&panel, 0, SERIES, 2000);
    check_sample(&sample);
    sample.experts = 100;
    check_sample(&sample);
    struct lstm_examples e = make_examples(SERIES);
    mp_lstm_fill_inputs(&e, 0, &sample);
    assert_true(e.features[2 * MP_LSTM_FEATURES + 3] == -2 && e.features[1 * MP_LSTM_FEATURES + 3] == 2);
    assert_true(e.features[3 * MP_LSTM_FEATURES + 4] == 4 && e.features[4] == -4);
    mp_lstm_examples_free(&e, &plain_memory);
    free(shares);
}

static void a_splice_keeps_the_last_steps_and_takes_the_others_from_a_donor(void **state)
{
    (void)state;
    const size_t permutation[SERIES] = {3, 0, 2, 1}, since[] = {1, 10, 13, 100, 640, 1999, 2000, 2500};
    float *shares = wandering_shares(STEPS, SERIES, SERIES, 6), *others = wandering_shares(3000, SERIES, SERIES, 7);
    struct panel panel = panel_of(shares, STEPS, SERIES, 77), donor = panel_of(others, 3000, SERIES, 5);
    for (size_t i = 0; i < sizeof since / sizeof *since; i++) {
        struct lstm_sample sample = sample_of(&panel, 2, 4, 2700);
        sample.splice_steps = since[i];
        sample.donor = i % 2 ? &donor : &panel;
        sample.donor_first = 1;
        sample.donor_end = 2900;
        sample.permutation = permutation;
        check_sample(&sample);
    }
    free(others);
    free(shares);
}

/* ---- targets ----------------------------------------------------------------------------------------------------- */

static void targets_are_the_means_of_whole_known_spans(void **state)
{
    (void)state;
    const size_t untils[] = {0, 1999, 2000, 2049, 2050, 2099, 2500, 3999, 4000, 4001, STEPS};
    float *shares = wandering_shares(STEPS, SERIES, SERIES, 8);
    struct panel panel = panel_of(shares, STEPS, SERIES, 3210);
    struct lstm_sample sample = sample_of(&panel, 1, 4, 2000);
    for (size_t u = 0; u < sizeof untils / sizeof *untils; u++) {
        struct lstm_examples e = make_examples(ROOM);
        size_t known = untils[u] > 2000 ? (untils[u] - 2000) / 50 : 0;
        mp_lstm_fill_targets(&e, AT, &sample, untils[u]);
        for (size_t i = 0; i < sample.count; i++) {
            assert_int_equal(e.n_targets[AT + i], known < OUTPUTS ? known : OUTPUTS);
            for (size_t b = 0; b < e.n_targets[AT + i]; b++) {
                double sum = 0;
                for (size_t step = 0; step < 50; step++)
                    sum += share_at(&panel, 2000 + 50 * b + step, 1 + i);
                assert_near((double)e.targets[(AT + i) * OUTPUTS + b], sum / 50, tolerance * sum / 50);
            }
        }
        mp_lstm_examples_free(&e, &plain_memory);
    }
    free(shares);
}

static void examples_beside_are_left_alone(void **state)
{
    (void)state;
    float *shares = wandering_shares(STEPS, SERIES, SERIES, 9);
    struct panel panel = panel_of(shares, STEPS, SERIES, 0);
    struct lstm_sample sample = sample_of(&panel, 0, 4, 2000);
    struct lstm_examples e = make_examples(ROOM), fresh = make_examples(ROOM);
    mp_lstm_fill_inputs(&e, AT, &sample);
    mp_lstm_fill_targets(&e, AT, &sample, STEPS);
    for (size_t s = 0; s < ROOM; s++) {
        if (s >= AT && s < AT + 4)
            continue;
        assert_memory_equal(e.features + s * MP_LSTM_FEATURES, fresh.features, MP_LSTM_FEATURES * sizeof(real));
        assert_memory_equal(e.means + s * MP_LSTM_WINDOWS, fresh.means, MP_LSTM_WINDOWS * sizeof(real));
        assert_memory_equal(e.targets + s * OUTPUTS, fresh.targets, OUTPUTS * sizeof(real));
        for (size_t b = 0; b < BLOCKS; b++)
            assert_memory_equal(e.inputs + b * ROOM + s, fresh.inputs, sizeof(real));
        assert_int_equal(e.n_targets[s], fresh.n_targets[s]);
    }
    mp_lstm_examples_free(&fresh, &plain_memory);
    mp_lstm_examples_free(&e, &plain_memory);
    free(shares);
}

int main(void)
{
    const struct CMUnitTest examples[] = {
        cmocka_unit_test(a_sample_of_any_length_is_as_defined),
        cmocka_unit_test(steps_that_do_not_count_are_not_seen),
        cmocka_unit_test(ages_are_held_within_100_and_10000),
        cmocka_unit_test(extreme_loads_are_clipped),
        cmocka_unit_test(a_splice_keeps_the_last_steps_and_takes_the_others_from_a_donor),
        cmocka_unit_test(targets_are_the_means_of_whole_known_spans),
        cmocka_unit_test(examples_beside_are_left_alone),
    };
    return cmocka_run_group_tests(examples, NULL, NULL);
}
