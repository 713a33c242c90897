/* SPDX-License-Identifier: BSD-3-Clause */
/* The validation loss of the shared form, which decides whether a candidate is accepted: by its definition. */
#include "lstm_run.h"

#include "methods/lstm/shared_training.h"

enum { STEPS = 1600, EXPERTS = 9, TRAINED_STEPS = 1000, JUMP = 1100, OUTPUTS = MP_LSTM_OUTPUTS };
enum { EXAMPLES = MP_LSTM_VALIDATION_ORIGINS * EXPERTS };

static const struct runtime plain_runtime = {{mp_default_allocate, mp_default_release, NULL}, .threads = 1};

/* One layer of a run; the last steps are for validation. */
struct bench {
    struct run run;
    struct lstm_split split;
    struct lstm_dataset dataset;
    struct lstm_shape shape;
    struct lstm_objective objective;
    struct lstm_shared_training shared;
    real *parameters; /* untrained */
};

static struct bench *make_bench(const float *shares)
{
    static struct bench b;
    struct random random = mp_random(5, 0);
    b = (struct bench){.run = run_of(shares, STEPS, 1, EXPERTS), .shape = mp_lstm_shared_net_shape(1, 2)};
    b.split = (struct lstm_split){.run = &b.run, .train = {0, TRAINED_STEPS}, .validation = {TRAINED_STEPS, STEPS}};
    b.dataset = (struct lstm_dataset){&b.split, 1};
    mp_lstm_shared_training_init(&b.shared, &b.objective, &b.shape, &b.dataset);
    assert_int_equal(mp_lstm_shared_training_make(&b.shared, &b.shape, &plain_runtime), MOEP_OK);
    b.parameters = reals(b.objective.parameters);
    mp_lstm_shared_net_init_parameters(&b.shape, &random, b.parameters);
    return &b;
}

static void free_bench(struct bench *b)
{
    mp_lstm_shared_training_free(&b->shared);
    free(b->parameters);
}

/* Makes a network whose head's last layer is not 0. */
static void make_another(struct bench *b)
{
    uint64_t seed = 2;
    for (size_t i = 0; i < b->objective.parameters; i++)
        b->parameters[i] += (real)(0.2 * (fraction(&seed) - 0.5));
}

/* The loss by its definition: the relative error of the mean over the first spans, averaged over their number. */
static double loss_by_definition(const double *forecasts, const double *targets, size_t n)
{
    double forecast = 0, target = 0, loss = 0;
    for (size_t b = 0; b < n; b++) {
        forecast += forecasts[b];
        target += targets[b];
        loss += fabs(forecast - target) / fmax(target, 0.1 / EXPERTS * (double)(b + 1)) / (double)n;
    }
    return loss;
}

static double mean_of_steps(const struct panel *panel, size_t first, size_t last, size_t series)
{
    double sum = 0;
    for (size_t step = first; step < last; step++)
        sum += share_at(panel, step, series);
    return sum / (double)(last - first);
}

/* ---- the loss of an untrained network ---------------------------------------------------------------------------- */

static double untrained_by_definition(const struct bench *b)
{
    const struct panel *panel = &b->run.panel;
    double loss = 0;
    for (size_t i = 0; i < MP_LSTM_VALIDATION_ORIGINS; i++)
        for (size_t e = 0; e < EXPERTS; e++) {
            size_t origin = mp_lstm_validation_sample(&b->split, i).end, spans = (STEPS - origin) / 50;
            double plain = 0, forecasts[OUTPUTS], targets[OUTPUTS];
            const size_t windows[] = {20, 100, 500, 2000};
            for (size_t w = 0; w < 4; w++)
                plain += mean_of_steps(panel, windows[w] < origin ? origin - windows[w] : 0, origin, e) / 4;
            for (size_t span = 0; span < spans; span++) {
                forecasts[span] = plain;
                targets[span] = mean_of_steps(panel, origin + 50 * span, origin + 50 * (span + 1), e);
            }
            loss += loss_by_definition(forecasts, targets, spans) / EXAMPLES;
        }
    return loss;
}

static void an_untrained_network_has_the_loss_of_the_mean_of_four_windows(void **state)
{
    (void)state;
    float *shares = wandering_shares(STEPS, EXPERTS, EXPERTS, 3);
    struct bench *b = make_bench(shares);
    double expected = untrained_by_definition(b);
    struct lstm_losses losses = b->objective.validate(b->objective.self, b->parameters);
    assert_near(losses.untrained, expected, 1e-5 * expected);
    assert_near(losses.loss, expected, 1e-5 * expected);
    make_another(b);
    losses = b->objective.validate(b->objective.self, b->parameters);
    assert_near(losses.untrained, expected, 1e-5 * expected);
    assert_true(fabs(losses.loss - expected) > 0.01 * expected);
    free_bench(b);
    free(shares);
}

/* ---- the loss of a network -------------------------------------------------------------------------------------- */

/* After a change point the forecast is half the network's, half the mean of the windows. */
static double loss_of_network(const struct bench *b, size_t *after_change_point)
{
    struct lstm_examples e;
    struct lstm_shared_net net;
    double loss = 0;
    real *forecast = reals((size_t)EXAMPLES * MP_LSTM_OUTPUT_ROW);
    assert_true(mp_lstm_examples_make(&e, EXAMPLES, EXPERTS, &plain_memory));
    assert_true(
        mp_lstm_shared_net_make(&net, &b->shape, &(struct lstm_plan){.workers = 1, .series = EXAMPLES}, &plain_memory));
    assert_int_equal(mp_lstm_fill_validation(&b->dataset, 0, &e), MP_LSTM_VALIDATION_ORIGINS);
    mp_lstm_shared_net_set_parameters(&net, b->parameters);
    mp_lstm_shared_net_forecast(&net, &e, forecast);
    for (size_t s = 0; s < EXAMPLES; s++) {
        double plain = 0, forecasts[OUTPUTS], targets[OUTPUTS];
        for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
            plain += (double)e.means[s * MP_LSTM_WINDOWS + w] / MP_LSTM_WINDOWS;
        for (size_t span = 0; span < e.n_targets[s]; span++) {
            double network = (double)forecast[s * MP_LSTM_OUTPUT_ROW + span];
            forecasts[span] = e.after_change_point[s] ? (network + plain) / 2 : network;
            targets[span] = (double)e.targets[s * OUTPUTS + span];
        }
        loss += loss_by_definition(forecasts, targets, e.n_targets[s]) / EXAMPLES;
        *after_change_point += e.after_change_point[s];
    }
    mp_lstm_shared_net_free(&net, &plain_memory);
    mp_lstm_examples_free(&e, &plain_memory);
    free(forecast);
    return loss;
}

static void the_loss_is_that_of_the_forecasts_that_predict_makes(void **state)
{
    (void)state;
    float *shares = wandering_shares(STEPS, EXPERTS, EXPERTS, 4);
    for (size_t step = JUMP; step < STEPS; step++) { /* experts change places */
        float moved[EXPERTS];
        memcpy(moved, shares + step * EXPERTS, sizeof moved);
        for (size_t e = 0; e < EXPERTS; e++)
            shares[step * EXPERTS + e] = moved[(e + 2) % EXPERTS];
    }
    struct bench *b = make_bench(shares);
    size_t after_change_point = 0;
    make_another(b);
    double expected = loss_of_network(b, &after_change_point);
    assert_true(after_change_point > 0 && after_change_point < EXAMPLES);
    assert_near(b->objective.validate(b->objective.self, b->parameters).loss, expected, 1e-5 * expected);
    free_bench(b);
    free(shares);
}

int main(void)
{
    const struct CMUnitTest lstm_shared_training[] = {
        cmocka_unit_test(an_untrained_network_has_the_loss_of_the_mean_of_four_windows),
        cmocka_unit_test(the_loss_is_that_of_the_forecasts_that_predict_makes),
    };
    return cmocka_run_group_tests(lstm_shared_training, NULL, NULL);
}
