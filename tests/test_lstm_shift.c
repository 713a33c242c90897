/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts of the shared form after a level shift. */
#include "support.h"

#include "methods/lstm/network/shared_net.h"
#include "methods/lstm/model.h"
#include "predictor/predictor.h"

enum { EXPERTS = 16, STEPS = 1200, SINCE = 300, OUTPUTS = MP_LSTM_OUTPUTS };

static const struct memory plain_memory = {mp_default_allocate, mp_default_release, NULL};

/* [STEPS][EXPERTS]: until the last SINCE steps expert e has the place (e + turn) % EXPERTS in an uneven load, then
 * its own, and noise. The caller frees them. */
static double *turning_counts(size_t turn)
{
    double *counts = malloc((size_t)STEPS * EXPERTS * sizeof *counts);
    uint64_t of_past = 11 + turn, of_now = 5;
    assert_non_null(counts);
    for (size_t s = 0; s < STEPS; s++)
        for (size_t e = 0; e < EXPERTS; e++) {
            bool now = s >= STEPS - SINCE;
            size_t place = now ? e : (e + turn) % EXPERTS;
            uint64_t *seed = now ? &of_now : &of_past;
            counts[s * EXPERTS + e] = 1000 + 100 * (double)place + (double)(random_number(seed) >> 58);
        }
    return counts;
}

/* The first step number decides whether the run is old or young. */
static moep_predictor *pushed(size_t turn, uint64_t first_step, size_t steps, uint32_t layers, uint32_t hidden)
{
    double *counts = turning_counts(turn);
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_config_init(&config, MOEP_LSTM), MOEP_OK);
    config.lstm_layers = layers;
    config.lstm_hidden = hidden;
    assert_int_equal(moep_predictor_create(1, EXPERTS, &config, NULL, &predictor), MOEP_OK);
    assert_int_equal(
        moep_predictor_push_at(predictor, first_step, steps, counts + (STEPS - steps) * EXPERTS, MOEP_FLOAT64),
        MOEP_OK);
    free(counts);
    return predictor;
}

static void forecast(moep_predictor *predictor, double *shares)
{
    assert_int_equal(moep_predictor_predict(predictor, 2000, 2000, shares, EXPERTS), MOEP_OK);
    moep_predictor_destroy(predictor);
}

static struct lstm_sample sample_of(const moep_predictor *predictor, const struct panel *panel, bool from_change_point)
{
    return (struct lstm_sample){.panel = panel,
                                .count = EXPERTS,
                                .end = panel->steps,
                                .steps = panel->steps,
                                .age = (double)predictor->history.next_step,
                                .experts = EXPERTS,
                                .from_change_point = from_change_point};
}

static struct lstm_examples examples_of(const moep_predictor *predictor, bool from_change_point)
{
    struct lstm_examples e;
    struct panel panel = mp_history_panel(&predictor->history);
    struct lstm_sample sample = sample_of(predictor, &panel, from_change_point);
    assert_true(mp_lstm_examples_make(&e, EXPERTS, EXPERTS, &plain_memory));
    e.series = EXPERTS;
    mp_lstm_fill_inputs(&e, 0, &sample);
    return e;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void steps_before_a_change_point_are_not_seen(void **state)
{
    (void)state;
    moep_predictor *long_past = pushed(5, 4000, STEPS, 1, 16),
                   *short_past = pushed(5, 4000 + STEPS - SINCE, SINCE, 1, 16);
    struct lstm_examples cut = examples_of(long_past, true), whole = examples_of(short_past, false);
    assert_memory_equal(cut.inputs, whole.inputs, (size_t)MP_LSTM_INPUT_BLOCKS * EXPERTS * sizeof(real));
    assert_memory_equal(cut.means, whole.means, (size_t)EXPERTS * MP_LSTM_WINDOWS * sizeof(real));
    assert_memory_equal(cut.features, whole.features, (size_t)EXPERTS * MP_LSTM_FEATURES * sizeof(real));
    assert_true(cut.after_change_point[0] && !whole.after_change_point[0]);
    mp_lstm_examples_free(&cut, &plain_memory);
    mp_lstm_examples_free(&whole, &plain_memory);
    moep_predictor_destroy(long_past);
    moep_predictor_destroy(short_past);
}

/* No step is dropped, whatever their number. */
static void without_a_change_point_all_steps_are_seen(void **state)
{
    (void)state;
    for (size_t steps = 101; steps < SINCE; steps += 33) {
        moep_predictor *predictor = pushed(0, 4000, steps, 1, 16);
        struct lstm_examples cut = examples_of(predictor, true), whole = examples_of(predictor, false);
        assert_memory_equal(cut.means, whole.means, (size_t)EXPERTS * MP_LSTM_WINDOWS * sizeof(real));
        assert_memory_equal(cut.features, whole.features, (size_t)EXPERTS * MP_LSTM_FEATURES * sizeof(real));
        assert_false(cut.after_change_point[0]);
        mp_lstm_examples_free(&cut, &plain_memory);
        mp_lstm_examples_free(&whole, &plain_memory);
        moep_predictor_destroy(predictor);
    }
}

static void a_forecast_does_not_depend_on_steps_before_a_change_point(void **state)
{
    (void)state;
    double a[EXPERTS], b[EXPERTS];
    forecast(pushed(5, 4000, STEPS, 1, 16), a);
    forecast(pushed(8, 4000, STEPS, 1, 16), b);
    assert_memory_equal(a, b, sizeof a);
}

static void an_untrained_network_forecasts_the_mean_of_the_steps_since(void **state)
{
    (void)state;
    double after[EXPERTS], alone[EXPERTS];
    forecast(pushed(5, 4000, STEPS, 1, 1), after);
    forecast(pushed(5, 4000 + STEPS - SINCE, SINCE, 1, 1), alone);
    for (size_t e = 0; e < EXPERTS; e++)
        assert_near(after[e], alone[e], 1e-7);
}

static void after_a_change_point_the_forecast_is_shrunk_to_the_mean(void **state)
{
    (void)state;
    moep_predictor *predictor = pushed(5, 4000, STEPS, 1, 16);
    struct lstm_model model = mp_lstm_model(&predictor->config, EXPERTS, predictor->model);
    struct lstm_shape shape = mp_lstm_shared_net_shape(1, 16);
    struct lstm_examples e = examples_of(predictor, true);
    struct lstm_shared_net net;
    real network[EXPERTS * MP_LSTM_OUTPUT_ROW];
    double expected[EXPERTS] = {0}, found[EXPERTS];
    assert_true(
        mp_lstm_shared_net_make(&net, &shape, &(struct lstm_plan){.workers = 1, .series = EXPERTS}, &plain_memory));
    mp_lstm_shared_net_set_parameters(&net, model.best);
    mp_lstm_shared_net_forecast(&net, &e, network);
    for (size_t b = 0; b < OUTPUTS; b++) {
        double mixed[EXPERTS], total = 0;
        for (size_t i = 0; i < EXPERTS; i++) {
            const real *means = e.means + i * MP_LSTM_WINDOWS;
            double mean = ((double)means[0] + (double)means[1] + (double)means[2] + (double)means[3]) / 4;
            total += mixed[i] = ((double)network[i * MP_LSTM_OUTPUT_ROW + b] + mean) / 2;
        }
        for (size_t i = 0; i < EXPERTS; i++)
            expected[i] += mixed[i] / total / OUTPUTS;
    }
    mp_lstm_shared_net_free(&net, &plain_memory);
    mp_lstm_examples_free(&e, &plain_memory);
    forecast(predictor, found);
    for (size_t i = 0; i < EXPERTS; i++)
        assert_near(found[i], expected[i], 1e-7);
}

static void the_jump_at_the_start_of_a_run_shrinks_nothing(void **state)
{
    (void)state;
    moep_predictor *young = pushed(5, 0, SINCE + 150, 1, 16);
    struct lstm_examples e = examples_of(young, true);
    assert_true(e.means[3] == e.means[2]); /* windows of 500 and 2,000: both of the steps since */
    assert_false(e.after_change_point[0]);
    mp_lstm_examples_free(&e, &plain_memory);
    moep_predictor_destroy(young);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_before_a_change_point_are_not_seen),
        cmocka_unit_test(without_a_change_point_all_steps_are_seen),
        cmocka_unit_test(a_forecast_does_not_depend_on_steps_before_a_change_point),
        cmocka_unit_test(an_untrained_network_forecasts_the_mean_of_the_steps_since),
        cmocka_unit_test(after_a_change_point_the_forecast_is_shrunk_to_the_mean),
        cmocka_unit_test(the_jump_at_the_start_of_a_run_shrinks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
