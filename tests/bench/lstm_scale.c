/* SPDX-License-Identifier: BSD-3-Clause */
/* The LSTM at the size of a large model: forecasts of the next 1,000 steps, and fits with a budget per call, as
 * between two training steps. One thread. lstm_peers measures the network alone, beside its peers. */
#include "bench.h"

enum { LAYERS = 58, EXPERTS = 256, SERIES = LAYERS * EXPERTS, STEPS = 2048, HORIZON = 1000, REPEATS = 5, CALLS = 200 };

static moep_predictor *made(uint32_t layers, uint32_t hidden, double budget, const int64_t *counts)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    check(moep_predictor_config_init(&config, MOEP_LSTM));
    config.lstm_layers = layers;
    config.lstm_hidden = hidden;
    config.fit_budget = budget;
    check(moep_predictor_create(LAYERS, EXPERTS, &config, NULL, &predictor));
    for (size_t s = 0; s < STEPS; s++)
        check(moep_predictor_push(predictor, 1, counts + s % 16 * SERIES, MOEP_INT64));
    return predictor;
}

static double predict_time(const moep_predictor *predictor, size_t stride, double *shares, size_t capacity)
{
    double least = 1e30;
    for (size_t r = 0; r < REPEATS; r++) {
        double start = now();
        check(moep_predictor_predict(predictor, HORIZON, stride, shares, capacity));
        double time = now() - start;
        least = time < least ? time : least;
    }
    return least * 1e-6;
}

static void measure_fits(double budget, const int64_t *counts)
{
    double times[CALLS];
    moep_predictor *predictor = made(1, 16, budget, counts);
    moep_lstm_training training = {.struct_size = sizeof training};
    for (size_t c = 0; c < CALLS; c++) {
        double start = now();
        check(moep_predictor_fit(predictor));
        times[c] = (now() - start) * 1e-6;
    }
    check(moep_predictor_lstm_training(predictor, &training));
    double middle = median(times, CALLS);
    printf("%10.0f %14.2f %10.2f %20.2f\n", budget, middle, times[CALLS - 1],
           (double)((training.rounds - 1) * training.length + training.updates) / CALLS);
    moep_predictor_destroy(predictor);
}

int main(void)
{
    size_t capacity = (size_t)HORIZON * SERIES;
    double *shares = malloc(capacity * sizeof *shares);
    int64_t *counts = make_counts(16 * SERIES);
    if (!shares)
        return 1;
    printf("libmoepredict %s, 58 x 256 series, history %d\n\nforecast of the next %d steps, ms\n", moep_version(),
           STEPS, HORIZON);
    printf("layers x units   the mean   every step\n");
    const uint32_t shapes[][2] = {{0, 16}, {1, 16}, {1, 32}, {2, 32}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        moep_predictor *predictor = made(shapes[i][0], shapes[i][1], 0, counts);
        printf("%6u x %-5u %12.1f %12.1f\n", shapes[i][0], shapes[i][1],
               predict_time(predictor, HORIZON, shares, capacity), predict_time(predictor, 1, shares, capacity));
        moep_predictor_destroy(predictor);
    }
    printf(
        "\nfits under a budget, 200 calls: updates of one layer's 256 series\n"
        "fit_budget   median, ms   most, ms   updates per call\n");
    for (size_t i = 0; i < 3; i++)
        measure_fits((double[]){50, 200, 1000}[i], counts);
    free(shares);
    free(counts);
    return 0;
}
