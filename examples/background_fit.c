/* SPDX-License-Identifier: BSD-3-Clause */
/* A fit that no training step waits for. A thread fits a clone of the predictor, while training pushes to the predictor
 * itself. When the fit is over, the predictor adopts the model of the clone. The method is ARIMA; AUTO needs no fit.
 * The counts come from a recorded run.
 *
 * usage: background_fit TRACE.npy, for instance examples/data/small16-seed1.npy */
#define _POSIX_C_SOURCE 200809L
#include "npy.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HORIZON = 1000, FIT_EVERY = 1000 };

static void check(moep_status status)
{
    if (status == MOEP_OK)
        return;
    fprintf(stderr, "background_fit: %s: %s\n", moep_status_string(status), moep_last_error());
    exit(1);
}

/* ---- the fit ----------------------------------------------------------------------------------------------------- */

/* The one fit that runs at a time. Only its thread uses the clone until `done`. */
struct fit {
    pthread_t thread;
    bool running;
    moep_predictor *clone;
    moep_status status;
    atomic_bool done;
};

static void *run_fit(void *argument)
{
    struct fit *fit = argument;
    fit->status = moep_predictor_fit(fit->clone);
    atomic_store(&fit->done, true);
    return NULL;
}

static void start_fit(struct fit *fit, const moep_predictor *predictor)
{
    check(moep_predictor_clone(predictor, NULL, &fit->clone));
    atomic_store(&fit->done, false);
    fit->running = pthread_create(&fit->thread, NULL, run_fit, fit) == 0;
    if (!fit->running) /* no thread: try again after FIT_EVERY steps */
        moep_predictor_destroy(fit->clone);
}

/* If the fit failed, the predictor keeps its model, and training continues. */
static void end_fit(struct fit *fit, moep_predictor *predictor, uint64_t step)
{
    pthread_join(fit->thread, NULL);
    fit->running = false;
    moep_info info = {.struct_size = sizeof info};
    if (fit->status == MOEP_OK) {
        check(moep_predictor_adopt(predictor, fit->clone));
        check(moep_predictor_info(predictor, &info));
        printf("step %" PRIu64 ": adopted a fit of the steps before step %" PRIu64 "\n", step, info.fitted_step);
    }
    moep_predictor_destroy(fit->clone);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* A real step takes a second, not a ten-thousandth of one. */
static void train_one_step(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static void train(const moep_trace *data, moep_predictor *predictor)
{
    struct fit fit = {.running = false};
    size_t step_size = data->layers * data->experts * moep_dtype_size(data->dtype);
    for (uint64_t step = 0; step < data->steps; step++) {
        train_one_step();
        check(moep_predictor_push_at(predictor, step, 1, (const char *)data->counts + step * step_size, data->dtype));
        if (!fit.running && (step + 1) % FIT_EVERY == 0)
            start_fit(&fit, predictor);
        if (fit.running && atomic_load(&fit.done))
            end_fit(&fit, predictor, step + 1);
    }
    if (fit.running)
        end_fit(&fit, predictor, data->steps);
}

static void print_forecast(const moep_predictor *predictor, size_t experts, size_t series)
{
    const double probability = 0.95;
    double *mean = calloc(series, sizeof *mean), *quantile = calloc(series, sizeof *quantile);
    if (!mean || !quantile)
        exit(1);
    check(moep_predictor_predict(predictor, HORIZON, HORIZON, mean, series));
    check(moep_predictor_predict_quantiles(predictor, HORIZON, HORIZON, &probability, 1, quantile, series));
    printf("layer 0, next %d steps, per cent of its tokens: forecast mean, and its 95 %% quantile\n", HORIZON);
    for (size_t e = 0; e < experts; e++)
        printf("  expert %2zu  %5.2f  %5.2f\n", e, 100 * mean[e], 100 * quantile[e]);
    free(mean);
    free(quantile);
}

int main(int argc, char **argv)
{
    moep_trace data;
    char message[NPY_MESSAGE];
    if (argc != 2) {
        fprintf(stderr, "usage: background_fit TRACE.npy\n");
        return 2;
    }
    if (!npy_read(argv[1], &data, message)) {
        fprintf(stderr, "background_fit: %s: %s\n", argv[1], message);
        return 1;
    }
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    check(moep_predictor_config_init(&config, MOEP_ARIMA));
    check(moep_predictor_create(data.layers, data.experts, &config, NULL, &predictor));
    train(&data, predictor);
    print_forecast(predictor, data.experts, data.layers * data.experts);
    moep_predictor_destroy(predictor);
    free((void *)data.counts);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    perror("background_fit");
    return 1;
}
