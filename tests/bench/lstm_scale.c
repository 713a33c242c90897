/* SPDX-License-Identifier: BSD-3-Clause */
/* The LSTM at the size of a large model: forecasts of the next 1,000 steps, and fits with a budget per call, as between
 * two training steps. It runs on one thread. lstm_peers.sh compares the network alone with its peers. */
#include "bench.h"

#include "methods/lstm/network/cell_kernel.h"
#include "methods/lstm/network/head_kernel.h"
#include "methods/lstm/network/shared_net.h"

enum { LAYERS = 58, EXPERTS = 256, SERIES = LAYERS * EXPERTS, STEPS = 2048, HORIZON = 1000, REPEATS = 5, CALLS = 200 };

static moep_predictor *made(size_t moe_layers, uint32_t layers, uint32_t hidden, double budget, const int64_t *counts)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    check(moep_predictor_config_init(&config, MOEP_LSTM));
    config.lstm_layers = layers;
    config.lstm_hidden = hidden;
    config.fit_budget = budget;
    check(moep_predictor_create(moe_layers, EXPERTS, &config, NULL, &predictor));
    for (size_t s = 0; s < STEPS; s++)
        check(moep_predictor_push(predictor, 1, counts + s % 16 * SERIES, MOEP_INT64));
    return predictor;
}

/* ---- what a forecast takes beside its network's products and gates ----------------------------------------------- */

/* CPU time of this thread, in milliseconds: other work on the machine counts least in the least of many. */
static double cpu_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

enum { UNITS = 16, INPUTS = UNITS + 1, GATES = 4 * UNITS, GATES_STRIDE = GATES + MP_ROW, X = UNITS + MP_LSTM_FEATURES };

/* The default network on one tile. Its numbers never leave the cache. */
static void products_and_gates(struct gemm gemm, size_t rows)
{
    enum { TILE = MP_LSTM_TILE_ROWS, HIDDEN = MP_LSTM_HEAD_HIDDEN, COLUMNS = MP_LSTM_HEAD_ROW };
    static real states[TILE * 2 * UNITS], gates[TILE * GATES_STRIDE], cell[TILE * UNITS], weights[HIDDEN * COLUMNS];
    static real hidden[TILE * HIDDEN], outputs[TILE * COLUMNS], means[TILE * MP_LSTM_WINDOWS],
        forecasts[TILE * COLUMNS];
    struct lstm_cells cells = {.rows = rows, .units = UNITS, .gates = gates, .gates_stride = GATES_STRIDE};
    cells.cell_before = cells.cell = cell;
    cells.hidden = states;
    cells.hidden_stride = 2 * UNITS;
    for (size_t step = 0; step < MP_LSTM_INPUT_BLOCKS; step++) {
        mp_gemm(gemm, rows, GATES, INPUTS, states, 2 * UNITS, weights, weights, gates, GATES_STRIDE);
        MP_BY_WIDTH(gemm.bytes, mp_lstm_cells_forward, &cells);
    }
    mp_gemm(gemm, rows, HIDDEN, X, states, 2 * UNITS, weights, NULL, hidden, HIDDEN);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_tanh, rows * HIDDEN, hidden);
    mp_gemm(gemm, rows, COLUMNS, HIDDEN, hidden, HIDDEN, weights, weights, outputs, COLUMNS);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_mixture, rows, MP_LSTM_OUTPUT_ROW, outputs, means, forecasts);
    keep(forecasts);
}

static void measure_rest(size_t layers, size_t repeats, double *shares, const int64_t *counts)
{
    struct gemm gemm = mp_gemm_here();
    size_t series = layers * EXPERTS, tiles = (series + MP_LSTM_TILE_ROWS - 1) / MP_LSTM_TILE_ROWS;
    moep_predictor *predictor = made(layers, 1, UNITS, 0, counts);
    double predict = 1e30, network = 1e30;
    for (size_t r = 0; r < repeats; r++) {
        double start = cpu_time();
        check(moep_predictor_predict(predictor, HORIZON, HORIZON, shares, series));
        double between = cpu_time();
        for (size_t t = 0; t < tiles; t++)
            products_and_gates(gemm, (series + t) / tiles);
        double end = cpu_time();
        predict = between - start < predict ? between - start : predict;
        network = end - between < network ? end - between : network;
    }
    printf("%2zu x %d %12.2f %21.2f %11.2f\n", layers, EXPERTS, predict, network, predict - network);
    moep_predictor_destroy(predictor);
}

/* ---- shapes of networks, budgets of fits ------------------------------------------------------------------------- */

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
    moep_predictor *predictor = made(LAYERS, 1, 16, budget, counts);
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
    printf("libmoepredict %s, history %d, vectors of %d bits\n\n", moep_version(), STEPS, 8 * mp_gemm_here().bytes);
    printf("predict(%d, %d) of the default LSTM, CPU time in ms, the least of many calls\n", HORIZON, HORIZON);
    printf("series     predict   products and gates    the rest\n");
    measure_rest(1, 1000, shares, counts);
    measure_rest(LAYERS, 50, shares, counts);
    printf("\n58 x 256 series: forecast of the next %d steps, ms\n", HORIZON);
    printf("layers x units   the mean   every step\n");
    const uint32_t shapes[][2] = {{0, 16}, {1, 16}, {1, 32}, {2, 32}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        moep_predictor *predictor = made(LAYERS, shapes[i][0], shapes[i][1], 0, counts);
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
