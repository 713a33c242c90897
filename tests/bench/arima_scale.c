/* SPDX-License-Identifier: BSD-3-Clause */
/* ARIMA with bucket 1 of every series of a large model: a first fit, a refit 100 steps later, and forecasts. A
 * forecast is the mean of the next 1,000 steps, without or with its 10 % and 90 % quantiles. Memory is the largest
 * amount that the fit allocates besides the handle, over the bytes of the history. `seconds` is elapsed time; the other
 * times are processor time of all threads. */
#include "bench.h"

#include <math.h>
#include <stdbool.h>

enum { EXPERTS = 256, LAYERS = 58, STEPS = 1000, MORE = 100, HORIZON = 1000 };

struct ledger {
    size_t held, most;
};

static void *counted_allocate(void *user, size_t size)
{
    struct ledger *ledger = user;
    ledger->held += size;
    if (ledger->held > ledger->most)
        ledger->most = ledger->held;
    return malloc(size);
}

static void counted_release(void *user, void *pointer, size_t size)
{
    struct ledger *ledger = user;
    ledger->held -= size;
    free(pointer);
}

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform(state);
    return sum;
}

/* Loads of experts with the noise of counting tokens. The logarithms are alternately walks and autoregressions. */
static float *make_loads(size_t steps, size_t series)
{
    float *loads = malloc(steps * series * sizeof *loads);
    if (!loads)
        exit(1);
    for (size_t s = 0; s < series; s++) {
        uint64_t state = 88172645463325252 + s * UINT64_C(2862933555777941757);
        double phi = s % 2 == 0 ? 1 : 0.9 + 0.095 * uniform(&state),
               size = s % 2 == 0 ? 0.006 : 0.2 * sqrt(1 - phi * phi);
        double x = 0;
        for (size_t t = 0; t < steps; t++) {
            x = phi * x + size * normal(&state);
            double tokens = 1024 * exp(x);
            loads[t * series + s] = (float)fmax(rint(tokens + sqrt(tokens) * normal(&state)), 0);
        }
    }
    return loads;
}

struct setup {
    uint32_t p, q, starts, threads;
    size_t layers, steps;
};

static double processor_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

struct spent {
    double seconds, processor;
};

static struct spent fit(moep_predictor *predictor)
{
    struct spent start = {now() / 1e9, processor_seconds()};
    check(moep_predictor_fit(predictor));
    return (struct spent){now() / 1e9 - start.seconds, processor_seconds() - start.processor};
}

static double ms_of_forecast(const moep_predictor *predictor, size_t series, bool quantiles)
{
    static const double probabilities[] = {0.1, 0.9};
    double *shares = malloc(2 * series * sizeof *shares), least = INFINITY;
    if (!shares)
        exit(1);
    for (int pass = 0; pass < 3; pass++) {
        double start = processor_seconds();
        if (quantiles)
            check(moep_predictor_predict_quantiles(predictor, HORIZON, HORIZON, probabilities, 2, shares, 2 * series));
        else
            check(moep_predictor_predict(predictor, HORIZON, HORIZON, shares, series));
        least = fmin(least, (processor_seconds() - start) * 1e3);
    }
    free(shares);
    return least;
}

static void print_row(struct setup setup)
{
    size_t series = setup.layers * EXPERTS;
    struct ledger ledger = {0};
    moep_runtime runtime = {.struct_size = sizeof runtime,
                            .threads = setup.threads,
                            .allocate = counted_allocate,
                            .release = counted_release,
                            .allocator_user = &ledger};
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    check(moep_predictor_config_init(&config, MOEP_ARIMA));
    config.arima_p = (int32_t)setup.p;
    config.arima_q = (int32_t)setup.q;
    config.arima_starts = setup.starts;
    config.arima_bucket = 1;
    config.history = setup.steps;
    float *loads = make_loads(setup.steps + MORE, series);
    check(moep_predictor_create(setup.layers, EXPERTS, &config, &runtime, &predictor));
    check(moep_predictor_push(predictor, setup.steps, loads, MOEP_FLOAT32));

    size_t handle = ledger.most = ledger.held;
    struct spent first = fit(predictor);
    double memory = (double)(ledger.most - handle), history = (double)(series * setup.steps * sizeof(float));
    check(moep_predictor_push(predictor, MORE, loads + setup.steps * series, MOEP_FLOAT32));
    struct spent again = fit(predictor);
    double mean = ms_of_forecast(predictor, series, false), quantiles = ms_of_forecast(predictor, series, true);
    printf("(%u,1,%u) %6u %7u %7zu %6zu %8.2f %9.2f %8.4f %9.2f %9.1f %9.2f %9.0f %9.0f\n", setup.p, setup.q,
           setup.starts, setup.threads, series, setup.steps, first.seconds, first.processor,
           first.processor * 1e3 / (double)series, again.processor, history / 1e6, memory / history, mean, quantiles);
    fflush(stdout);
    moep_predictor_destroy(predictor);
    free(loads);
}

int main(void)
{
    printf(
        "                                        fit processor       ms     refit   history    memory   predict "
        "quantiles\n"
        "order   starts threads  series  steps seconds   seconds a series   seconds        MB / history        ms      "
        "  ms\n");
    for (uint32_t starts = 1; starts <= 5; starts += 4)
        for (uint32_t threads = 1; threads <= 2; threads++)
            print_row((struct setup){5, 5, starts, threads, LAYERS, STEPS});
    print_row((struct setup){2, 2, 5, 1, LAYERS, STEPS});
    print_row((struct setup){1, 1, 5, 1, LAYERS, STEPS});
    printf("by series\n");
    print_row((struct setup){5, 5, 1, 1, LAYERS / 4, STEPS});
    print_row((struct setup){5, 5, 1, 1, LAYERS / 2, STEPS});
    printf("by steps\n");
    print_row((struct setup){5, 5, 1, 1, LAYERS, STEPS / 4});
    print_row((struct setup){5, 5, 1, 1, LAYERS, STEPS / 2});
    return 0;
}
