/* SPDX-License-Identifier: BSD-3-Clause */
/* AUTO: its windows, its jumps, its weights, and what it keeps between pushes. */
#include "support.h"

#include "methods/auto/candidates.h"
#include "methods/auto/network.h"
#include "methods/auto/weights.h"
#include "methods/lstm/model.h"
#include "predictor/predictor.h"

enum { EXPERTS = 16, BLOCK = MP_AUTO_BLOCK, MOST_BLOCKS = 150 };

/* ---- runs -------------------------------------------------------------------------------------------------------- */

/* Counts of one layer: about 1,000, with noise, and from step `shift` on half of the experts have a third more. */
static int64_t *shifted_counts(size_t steps, size_t shift, uint64_t seed)
{
    int64_t *counts = malloc(steps * EXPERTS * sizeof *counts);
    for (size_t i = 0; i < steps * EXPERTS; i++) {
        int64_t load = i / EXPERTS >= shift && i % 2 ? 1333 : 1000;
        counts[i] = load + (int64_t)(random_number(&seed) >> 40) % 100;
    }
    return counts;
}

static moep_predictor *predictor_of(const int64_t *counts, size_t steps)
{
    moep_predictor *predictor = make_predictor(MOEP_AUTO, 1, EXPERTS, 0, NULL);
    assert_int_equal(moep_predictor_push(predictor, steps, counts, MOEP_INT64), MOEP_OK);
    return predictor;
}

static struct auto_state state_of(const moep_predictor *predictor)
{
    return mp_auto_state(predictor->state, predictor->history.layers, predictor->history.experts);
}

static struct auto_layer *first_layer(const moep_predictor *predictor)
{
    struct auto_state state = state_of(predictor);
    return mp_auto_layer(&state, 0).layer;
}

static uint64_t first_block_seen(const moep_predictor *predictor)
{
    const struct auto_layer *layer = first_layer(predictor);
    return layer->start[layer->blocks % MP_AUTO_ORIGINS];
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

/* The mean of the last `window` steps, of which those in the oldest block count alike. */
static double mean_by_steps(const int64_t *counts, size_t steps, size_t window, size_t expert)
{
    double sum = 0;
    size_t first = steps - (window < steps ? window : steps), block = first / BLOCK * BLOCK;
    for (size_t step = block; step < steps; step++) {
        double total = 0, part = step >= block + BLOCK ? 1 : (double)(block + BLOCK - first) / BLOCK;
        for (size_t e = 0; e < EXPERTS; e++)
            total += (double)counts[step * EXPERTS + e];
        sum += part * (double)counts[step * EXPERTS + expert] / total;
    }
    return sum / (double)(steps - first);
}

static void a_window_is_the_mean_of_its_last_steps(void **state)
{
    (void)state;
    static const size_t windows[] = {50, 100, 300, 1000, 2000}, steps[] = {50, 51, 99, 120, 640, 2050, 2149, 2600};
    int64_t *counts = shifted_counts(2600, 0, 1);
    double sum[EXPERTS], means[5][EXPERTS];
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        moep_predictor *predictor = predictor_of(counts, steps[i]);
        struct auto_state whole = state_of(predictor);
        struct auto_view view = mp_auto_layer(&whole, 0);
        struct block_origin now = {.blocks = steps[i] / BLOCK, .phase = steps[i] % BLOCK};
        mp_window_means(&view.blocks, &now, windows, 5, sum, means[0]);
        for (size_t w = 0; w < 5; w++)
            for (size_t e = 0; e < EXPERTS; e++)
                assert_near(means[w][e], mean_by_steps(counts, steps[i], windows[w], e), 1e-7 * means[w][e]);
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

/* ---- jumps ------------------------------------------------------------------------------------------------------- */

static void a_level_shift_cuts_the_windows_where_its_block_begins(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        int64_t *counts = shifted_counts(1100, 1000, seed);
        moep_predictor *predictor = predictor_of(counts, 1000);
        assert_int_equal(first_block_seen(predictor), 0);
        assert_int_equal(moep_predictor_push(predictor, BLOCK, counts + 1000 * EXPERTS, MOEP_INT64), MOEP_OK);
        assert_int_equal(first_block_seen(predictor), 1000 / BLOCK);
        moep_predictor_destroy(predictor);
        free(counts);
    }
}

/* A shift in the middle of a block shows as two smaller ones, of which the sides of two blocks see the whole. */
static void a_level_shift_within_a_block_is_seen_a_block_later(void **state)
{
    (void)state;
    int64_t *counts = shifted_counts(1150, 1025, 3);
    moep_predictor *predictor = predictor_of(counts, 1100);
    assert_in_range(first_block_seen(predictor), 1000 / BLOCK, 1050 / BLOCK);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void noise_is_no_jump(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        int64_t *counts = shifted_counts(2000, 2000, seed);
        moep_predictor *predictor = predictor_of(counts, 2000);
        assert_int_equal(first_block_seen(predictor), 0);
        moep_predictor_destroy(predictor);
        free(counts);
    }
}

static void a_steady_drift_is_no_jump(void **state)
{
    (void)state;
    enum { STEPS = 2000 };
    int64_t *counts = shifted_counts(STEPS, STEPS, 5);
    for (size_t i = 0; i < STEPS * EXPERTS; i++)
        counts[i] += i % 2 ? (int64_t)(2 * (i / EXPERTS)) : 0; /* to five times the load */
    moep_predictor *predictor = predictor_of(counts, STEPS);
    assert_int_equal(first_block_seen(predictor), 0);
    moep_predictor_destroy(predictor);
    free(counts);
}

static double distance_of(double (*mean)[EXPERTS], size_t side, size_t newest)
{
    double sum = 0;
    for (size_t e = 0; e < EXPERTS; e++) {
        double difference = 0;
        for (size_t i = newest - side + 1; i <= newest; i++)
            difference += (mean[i][e] - mean[i - side][e]) / (double)side;
        sum += difference * difference;
    }
    return sum;
}

/* The block with which the level of block `newest` begins, by the formulas of jump.h; start: before that block. */
static size_t level_by_definition(double (*mean)[EXPERTS], size_t start, size_t newest)
{
    size_t first = newest >= start + 40 ? newest - 39 : start;
    double noise = 0;
    for (size_t i = first + 1; i <= newest; i++)
        noise += distance_of(mean, 1, i) / (double)(newest - first);
    for (size_t side = 1; side <= 2; side++) {
        double others = 0, n = 0;
        for (size_t i = first + 2 * side - 1; i + 2 * side <= newest; i++, n++)
            others += fmax(0, distance_of(mean, side, i) - noise / (double)side) * EXPERTS;
        double excess = n < 4 ? 0 : fmax(0, distance_of(mean, side, newest) - noise / (double)side) * EXPERTS;
        if (excess > 0.08 * 0.08 && excess > 16 * others / n)
            return newest - side + 1;
    }
    return start;
}

/* Runs whose levels move now and then by up to a fifth, at any step, under noise that hides some of the moves. */
static void jumps_are_those_of_the_definition(void **state)
{
    (void)state;
    size_t jumps = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        double mean[MOST_BLOCKS][EXPERTS];
        int64_t level[EXPERTS], counts[EXPERTS];
        uint64_t random = seed, start = 0;
        moep_predictor *predictor = make_predictor(MOEP_AUTO, 1, EXPERTS, 0, NULL);
        struct auto_state whole = state_of(predictor);
        for (size_t e = 0; e < EXPERTS; e++)
            level[e] = 1000;
        for (size_t step = 0; step < MOST_BLOCKS * BLOCK; step++) {
            bool moves = (random_number(&random) >> 40) % 300 == 0;
            int64_t by = (int64_t)((random_number(&random) >> 40) % 400) - 200;
            for (size_t e = 0; e < EXPERTS; e++) {
                level[e] = moves ? 1000 + (e % 2 ? by : -by) : level[e];
                counts[e] = level[e] + (int64_t)((random_number(&random) >> 40) % (10 * seed));
            }
            assert_int_equal(moep_predictor_push(predictor, 1, counts, MOEP_INT64), MOEP_OK);
            if (step % BLOCK < BLOCK - 1)
                continue;
            size_t block = step / BLOCK;
            struct auto_view view = mp_auto_layer(&whole, 0);
            for (size_t e = 0; e < EXPERTS; e++)
                mean[block][e] = (double)mp_block_mean(&view.blocks, block)[e];
            uint64_t now = level_by_definition(mean, start, block);
            jumps += now > start;
            start = now;
            assert_int_equal(first_block_seen(predictor), start);
        }
        moep_predictor_destroy(predictor);
    }
    assert_true(jumps > 50);
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static void before_a_score_the_weights_are_the_priors(void **state)
{
    (void)state;
    const struct auto_layer layer = {0};
    double weights[MP_AUTO_CANDIDATES];
    mp_auto_weigh(&layer, true, weights);
    assert_near(weights[MP_AUTO_NETWORK], 0.40, 1e-15);
    assert_near(weights[MP_AUTO_UNIFORM], 0.05, 1e-15);
    assert_near(weights[MP_AUTO_CUT], 0.55 / 8, 1e-15);
    mp_auto_weigh(&layer, false, weights);
    assert_near(weights[MP_AUTO_NETWORK], 0, 0);
    assert_near(weights[MP_AUTO_UNIFORM], 0.05 / 0.6, 1e-15);
}

static void a_score_larger_by_one_divides_a_weight_by_e_to_the_fifth(void **state)
{
    (void)state;
    struct auto_layer layer = {0};
    double weights[MP_AUTO_CANDIDATES];
    for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++)
        layer.score[k] = k == 2 ? 8 : 7;
    mp_auto_weigh(&layer, true, weights);
    assert_near(weights[1] / weights[2], exp(5), 1e-9);
}

static void after_a_level_shift_the_windows_that_it_cuts_get_the_weight(void **state)
{
    (void)state;
    int64_t *counts = shifted_counts(1300, 1000, 6);
    moep_predictor *predictor = predictor_of(counts, 1300);
    double weights[MP_AUTO_CANDIDATES], cut = 0, uncut = 0;
    mp_auto_weigh(first_layer(predictor), true, weights);
    for (size_t k = 0; k < MP_AUTO_WINDOWS; k++)
        *(k < MP_AUTO_UNCUT ? &cut : &uncut) += weights[k];
    assert_true(cut > 100 * uncut && weights[MP_AUTO_UNIFORM] < uncut);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* With 3 experts no mean is exact: the rounding of floats must not count as errors. */
static void loads_that_no_candidate_misses_leave_the_weights_alone(void **state)
{
    (void)state;
    enum { STEPS = 500 };
    static const int64_t counts[STEPS * EXPERTS];
    for (size_t experts = 1; experts <= EXPERTS; experts++) {
        moep_predictor *predictor = make_predictor(MOEP_AUTO, 1, experts, 0, NULL);
        assert_int_equal(moep_predictor_push(predictor, STEPS, counts, MOEP_INT64), MOEP_OK); /* uniform shares */
        for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++)
            assert_true(k == MP_AUTO_NETWORK || first_layer(predictor)->score[k] == 0);
        moep_predictor_destroy(predictor);
    }
}

/* ---- gaps -------------------------------------------------------------------------------------------------------- */

static double sum_of_scores(const moep_predictor *predictor)
{
    double sum = 0;
    for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++)
        sum += first_layer(predictor)->score[k];
    return sum;
}

/* Ten steps after 1,000 that were not pushed: with these few the forecast must not begin anew. */
static void a_gap_of_step_numbers_changes_no_byte(void **state)
{
    (void)state;
    double rows[2][EXPERTS];
    int64_t *counts = shifted_counts(1000, 1000, 7);
    for (size_t i = 0; i < 2; i++) {
        moep_predictor *predictor = make_predictor(MOEP_AUTO, 1, EXPERTS, 0, NULL);
        assert_int_equal(moep_predictor_push_at(predictor, 20000, 910, counts, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_push_at(predictor, i == 0 ? 20910 : 21910, 10, counts, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, rows[i], EXPERTS), MOEP_OK);
        moep_predictor_destroy(predictor);
    }
    assert_memory_equal(rows[0], rows[1], sizeof rows[0]); /* the network's age ends at 10,000 steps */
    free(counts);
}

static void a_run_that_is_joined_late_forecasts_as_one_that_began_there(void **state)
{
    (void)state;
    double rows[2][EXPERTS];
    int64_t *counts = shifted_counts(700, 300, 8);
    for (size_t i = 0; i < 2; i++) {
        moep_predictor *predictor = make_predictor(MOEP_AUTO, 1, EXPERTS, 0, NULL);
        assert_int_equal(moep_predictor_push_at(predictor, i == 0 ? 10000 : 50000, 700, counts, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, rows[i], EXPERTS), MOEP_OK);
        moep_predictor_destroy(predictor);
    }
    assert_memory_equal(rows[0], rows[1], sizeof rows[0]); /* the network's age ends at 10,000 steps */
    free(counts);
}

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

static size_t bytes_of(const moep_predictor *predictor, unsigned char **bytes)
{
    size_t size = 0;
    assert_int_equal(moep_predictor_save(predictor, NULL, 0, &size), MOEP_OK);
    *bytes = malloc(size);
    assert_int_equal(moep_predictor_save(predictor, *bytes, size, &size), MOEP_OK);
    return size;
}

static void assert_same_state(const moep_predictor *a, const moep_predictor *b)
{
    unsigned char *first, *second;
    size_t size = bytes_of(a, &first);
    assert_int_equal(bytes_of(b, &second), size);
    assert_memory_equal(first, second, size);
    free(first);
    free(second);
}

/* 60 layers: at every step some have done the last block's work, and some have not. */
static void a_state_saved_at_any_step_of_a_block_goes_on_with_the_same_bytes(void **state)
{
    (void)state;
    enum { LAYERS = 60, FEW = 4, SERIES = LAYERS * FEW, STEPS = 420 };
    int64_t *counts = random_counts(STEPS, LAYERS, FEW, 9);
    moep_predictor *original = make_predictor(MOEP_AUTO, LAYERS, FEW, 0, NULL);
    moep_predictor *resumed = make_predictor(MOEP_AUTO, LAYERS, FEW, 0, NULL);
    for (size_t step = 0; step < STEPS; step++) {
        assert_int_equal(moep_predictor_push(original, 1, counts + step * SERIES, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_push(resumed, 1, counts + step * SERIES, MOEP_INT64), MOEP_OK);
        if (step < 300)
            continue;
        unsigned char *bytes;
        size_t size = bytes_of(resumed, &bytes);
        moep_predictor_destroy(resumed);
        assert_int_equal(moep_predictor_load(bytes, size, NULL, &resumed), MOEP_OK);
        free(bytes);
    }
    assert_same_state(original, resumed);
    moep_predictor_destroy(resumed);
    moep_predictor_destroy(original);
    free(counts);
}

static void the_work_of_a_block_is_spread_over_the_pushes_that_follow(void **state)
{
    (void)state;
    const size_t layers[] = {1, 7, 50, 120};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        int64_t *counts = random_counts(3 * BLOCK, layers[i], 4, 13);
        moep_predictor *predictor = make_predictor(MOEP_AUTO, layers[i], 4, 0, NULL);
        struct auto_state whole = state_of(predictor);
        for (size_t step = 0; step < 3 * BLOCK; step++) {
            assert_int_equal(moep_predictor_push(predictor, 1, counts + step * layers[i] * 4, MOEP_INT64), MOEP_OK);
            for (size_t l = 0; l < layers[i]; l++) {
                size_t due = l * BLOCK / layers[i]; /* pushes after the end of a block */
                assert_int_equal(mp_auto_layer(&whole, l).layer->blocks, (step + 1 > due ? step + 1 - due : 0) / BLOCK);
            }
        }
        moep_predictor_destroy(predictor);
        free(counts);
    }
}

static void a_forecast_does_not_change_the_state(void **state)
{
    (void)state;
    enum { LAYERS = 60, FEW = 4, SERIES = LAYERS * FEW };
    int64_t *counts = random_counts(410, LAYERS, FEW, 10);
    double shares[SERIES];
    moep_predictor *predictor = make_predictor(MOEP_AUTO, LAYERS, FEW, 0, NULL), *clone = NULL;
    assert_int_equal(moep_predictor_push(predictor, 410, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_clone(predictor, NULL, &clone), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, shares, SERIES), MOEP_OK);
    assert_same_state(predictor, clone);
    moep_predictor_destroy(clone);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void after_a_reset_it_is_as_new(void **state)
{
    (void)state;
    int64_t *counts = shifted_counts(777, 500, 11);
    moep_predictor *used = predictor_of(counts, 777), *fresh = make_predictor(MOEP_AUTO, 1, EXPERTS, 0, NULL);
    assert_int_equal(moep_predictor_reset(used), MOEP_OK);
    assert_same_state(used, fresh);
    moep_predictor_destroy(fresh);
    moep_predictor_destroy(used);
    free(counts);
}

static void adopting_takes_the_network_and_leaves_the_rest(void **state)
{
    (void)state;
    int64_t *counts = shifted_counts(600, 350, 12);
    moep_predictor *other = make_predictor(MOEP_AUTO, 1, EXPERTS, 0, NULL), *predictor = predictor_of(counts, 600);
    moep_predictor_config config = mp_auto_network_of(&other->config, NULL).config;
    struct lstm_model model = mp_lstm_model(&config, EXPERTS, other->model);
    double before[EXPERTS], after[EXPERTS], scores = sum_of_scores(predictor);
    for (size_t i = 0; i < model.parameters; i++)
        model.best[i] = 0; /* a network that forecasts the mean of its windows */
    assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, before, EXPERTS), MOEP_OK);
    assert_int_equal(moep_predictor_adopt(predictor, other), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, after, EXPERTS), MOEP_OK);
    assert_memory_not_equal(before, after, sizeof before);
    assert_int_equal(info_of(predictor).steps, 600);
    assert_near(sum_of_scores(predictor), scores, 0);
    moep_predictor_destroy(predictor);
    moep_predictor_destroy(other);
    free(counts);
}

/* As in test_laws.c: made by libmoepredict 0.1.0, gcc 12, x86-64, and the same for every compiler, vector width and
 * processor. */
static void every_build_has_the_same_state_and_quantiles(void **state)
{
    (void)state;
    enum { LAYERS = 3, ODD = 13, SERIES = LAYERS * ODD, STEPS = 1730, ROWS = 4 };
    static const double probabilities[] = {0.025, 0.1, 0.5, 0.9, 0.999};
    int64_t *counts = random_counts(STEPS, LAYERS, ODD, 13);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        counts[i] += (int64_t)(i % SERIES * (i / SERIES < 900 ? 2000 : 3000)) + (int64_t)(i / SERIES * (i % 5));
    moep_predictor *predictor = make_predictor(MOEP_AUTO, LAYERS, ODD, 0, NULL);
    double quantiles[5 * ROWS * SERIES];
    assert_int_equal(moep_predictor_push(predictor, STEPS, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(
        moep_predictor_predict_quantiles(predictor, 1000, 300, probabilities, 5, quantiles, 5 * ROWS * SERIES),
        MOEP_OK);
    unsigned char *bytes;
    size_t size = bytes_of(predictor, &bytes);
    uint64_t hash = hash_of(hash_of(HASH_START, bytes, size), quantiles, sizeof quantiles);
    if (hash != UINT64_C(0x0130787e61951744))
        fail_msg("the hash is 0x%016llx", (unsigned long long)hash);
    free(bytes);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* ---- what no run leaves behind ----------------------------------------------------------------------------------- */

/* A state with one number changed is saved, but not loaded. The number is right again afterwards. */
static void assert_refused(const moep_predictor *predictor, void *number, const void *wrong)
{
    uint64_t right;
    unsigned char *bytes = NULL;
    moep_predictor *loaded = NULL;
    memcpy(&right, number, sizeof right);
    memcpy(number, wrong, sizeof right);
    size_t size = bytes_of(predictor, &bytes);
    assert_int_equal(moep_predictor_load(bytes, size, NULL, &loaded), MOEP_ERROR_CORRUPT);
    memcpy(number, &right, sizeof right);
    free(bytes);
}

static void a_state_that_no_run_leaves_is_not_loaded(void **state)
{
    (void)state;
    enum { BLOCKS = 23, PHASE = 10 };
    int64_t *counts = shifted_counts(BLOCKS * BLOCK + PHASE, 0, 10);
    moep_predictor *predictor = predictor_of(counts, BLOCKS * BLOCK + PHASE);
    struct auto_state whole = state_of(predictor);
    struct auto_layer *layer = first_layer(predictor);
    assert_true(mp_auto_finished(layer->blocks) > 0);
    assert_refused(predictor, &whole.running[1], &(double){PHASE + 0.01});  /* its mean would exceed 1 */
    assert_refused(predictor, &whole.run->blocks, &(uint64_t){BLOCKS + 1}); /* work that is overdue is never done */
    assert_refused(predictor, &whole.run->blocks, &(uint64_t){UINT64_MAX / BLOCK});
    assert_refused(predictor, &whole.run->phase, &(uint64_t){BLOCK});
    assert_refused(predictor, &layer->blocks, &(uint64_t){BLOCKS - 1});
    assert_refused(predictor, &layer->blocks, &(uint64_t){BLOCKS + 1});
    assert_refused(predictor, &layer->start[3], &(uint64_t){BLOCKS + 1});
    assert_refused(predictor, &layer->score[1], &(double){-1});
    assert_refused(predictor, &layer->measured, &(double){1.1});
    assert_refused(predictor, &layer->error_weight, &(double){0});
    assert_refused(predictor, &layer->inside[1], &(double){(double)mp_auto_finished(layer->blocks) + 1});
    assert_refused(predictor, &layer->widening[1], &(double){layer->widening[0] - 0.7}); /* quantiles would cross */
    moep_predictor_destroy(predictor);
    free(counts);
}

static void a_layer_that_is_ahead_of_its_run_is_not_loaded(void **state)
{
    (void)state;
    moep_predictor *predictor = make_predictor(MOEP_AUTO, 1, EXPERTS, 0, NULL);
    assert_refused(predictor, &first_layer(predictor)->blocks, &(uint64_t){UINT64_MAX});
    moep_predictor_destroy(predictor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_the_mean_of_its_last_steps),
        cmocka_unit_test(a_level_shift_cuts_the_windows_where_its_block_begins),
        cmocka_unit_test(a_level_shift_within_a_block_is_seen_a_block_later),
        cmocka_unit_test(noise_is_no_jump),
        cmocka_unit_test(a_steady_drift_is_no_jump),
        cmocka_unit_test(jumps_are_those_of_the_definition),
        cmocka_unit_test(before_a_score_the_weights_are_the_priors),
        cmocka_unit_test(a_score_larger_by_one_divides_a_weight_by_e_to_the_fifth),
        cmocka_unit_test(after_a_level_shift_the_windows_that_it_cuts_get_the_weight),
        cmocka_unit_test(loads_that_no_candidate_misses_leave_the_weights_alone),
        cmocka_unit_test(a_gap_of_step_numbers_changes_no_byte),
        cmocka_unit_test(a_run_that_is_joined_late_forecasts_as_one_that_began_there),
        cmocka_unit_test(a_state_saved_at_any_step_of_a_block_goes_on_with_the_same_bytes),
        cmocka_unit_test(the_work_of_a_block_is_spread_over_the_pushes_that_follow),
        cmocka_unit_test(a_forecast_does_not_change_the_state),
        cmocka_unit_test(after_a_reset_it_is_as_new),
        cmocka_unit_test(adopting_takes_the_network_and_leaves_the_rest),
        cmocka_unit_test(every_build_has_the_same_state_and_quantiles),
        cmocka_unit_test(a_state_that_no_run_leaves_is_not_loaded),
        cmocka_unit_test(a_layer_that_is_ahead_of_its_run_is_not_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
