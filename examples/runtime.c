/* SPDX-License-Identifier: BSD-3-Clause */
/* Where libmoepredict goes in a training runtime: push after every step, predict when experts are to be placed, save
 * and load with the training checkpoint. The counts come from a recorded run, as if a router had just made them.
 *
 * usage: runtime TRACE.npy [CHECKPOINT]
 *
 * The run is interrupted half way and restarted from its checkpoint; at the end the program checks that the predictor's
 * state is, to the byte, that of a run that was never interrupted. */
#define _POSIX_C_SOURCE 200809L
#include "npy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HORIZON = 1000, PLACE_EVERY = 2500, MOST_LOADED = 3 };

/* What a training process holds; its model and optimiser would stand beside the predictor. */
struct training {
    const moep_trace *data;
    uint64_t step; /* the next iteration */
    moep_predictor *predictor;
};

/* A host would fall back to its present placement and go on training; an example stops. */
static void check(moep_status status)
{
    if (status == MOEP_OK)
        return;
    fprintf(stderr, "runtime: %s: %s\n", moep_status_string(status), moep_last_error());
    exit(1);
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- placement --------------------------------------------------------------------------------------------------- */

/* The expert with the largest share that is not among the first n of `taken`. */
static size_t next_largest(const double *shares, size_t experts, const size_t *taken, size_t n)
{
    size_t best = experts;
    for (size_t e = 0; e < experts; e++) {
        bool is_taken = false;
        for (size_t i = 0; i < n; i++)
            is_taken |= taken[i] == e;
        if (!is_taken && (best == experts || shares[e] > shares[best]))
            best = e;
    }
    return best;
}

/* What a placement works from: here it is printed. */
static void place_experts(const struct training *training)
{
    size_t layers = training->data->layers, experts = training->data->experts;
    double *shares = calloc(layers * experts, sizeof *shares);
    if (!shares)
        fail("runtime");
    check(moep_predictor_predict(training->predictor, HORIZON, HORIZON, shares, layers * experts));
    printf("step %" PRIu64 ", over the next %d steps\n", training->step, HORIZON);
    for (size_t layer = 0; layer < layers; layer++) {
        const double *load = shares + layer * experts;
        size_t top[MOST_LOADED] = {0}, n = experts < MOST_LOADED ? experts : MOST_LOADED;
        for (size_t i = 0; i < n; i++)
            top[i] = next_largest(load, experts, top, i);
        printf("  layer %zu: expected max / mean load %.2f; most loaded:", layer, load[top[0]] * (double)experts);
        for (size_t i = 0; i < n; i++)
            printf(" expert %zu (%.1f %%)%s", top[i], 100 * load[top[i]], i + 1 < n ? "," : "\n");
    }
    free(shares);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static void start(struct training *training, const moep_trace *data)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    check(moep_predictor_config_init(&config, MOEP_SW_AVG));
    *training = (struct training){.data = data};
    check(moep_predictor_create(data->layers, data->experts, &config, NULL, &training->predictor));
}

/* The counts of one iteration: a runtime reduces them over all ranks. */
static const void *train_one_step(struct training *training)
{
    const moep_trace *data = training->data;
    size_t size = data->dtype == MOEP_INT32 || data->dtype == MOEP_UINT32 || data->dtype == MOEP_FLOAT32 ? 4 : 8;
    return (const char *)data->counts + training->step * data->layers * data->experts * size;
}

static void train(struct training *training, uint64_t until, bool place)
{
    while (training->step < until) {
        const void *counts = train_one_step(training);
        check(moep_predictor_push_at(training->predictor, training->step, 1, counts, training->data->dtype));
        training->step++;
        if (place && training->step % PLACE_EVERY == 0)
            place_experts(training);
    }
}

/* ---- the checkpoint: the step, then the predictor's bytes -------------------------------------------------------- */

static void *state_of(const moep_predictor *predictor, size_t *size)
{
    check(moep_predictor_save(predictor, NULL, 0, size));
    void *state = malloc(*size);
    if (!state)
        fail("runtime");
    check(moep_predictor_save(predictor, state, *size, size));
    return state;
}

/* Under another name first: whoever reads the file finds the old checkpoint or the new one, never a part. */
static void save_checkpoint(const struct training *training, const char *path)
{
    char beside[4096];
    size_t size;
    void *state = state_of(training->predictor, &size);
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
        errno = ENAMETOOLONG, fail(path);
    FILE *file = fopen(beside, "wb");
    if (!file || fwrite(&training->step, sizeof training->step, 1, file) != 1 || fwrite(state, 1, size, file) != size ||
        fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0 || rename(beside, path) != 0)
        fail(path);
    free(state);
    printf("saved at step %" PRIu64 ": %zu bytes of predictor in %s\n", training->step, size, path);
}

static void load_checkpoint(struct training *training, const moep_trace *data, const char *path)
{
    *training = (struct training){.data = data};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        fail(path);
    long end = ftell(file);
    if (end < (long)sizeof training->step || fseek(file, 0, SEEK_SET) != 0)
        fail(path);
    size_t size = (size_t)end - sizeof training->step;
    void *state = malloc(size + 1);
    if (!state || fread(&training->step, sizeof training->step, 1, file) != 1 || fread(state, 1, size, file) != size)
        fail(path);
    fclose(file);
    check(moep_predictor_load(state, size, NULL, &training->predictor));
    free(state);
    moep_info info = {.struct_size = sizeof info};
    check(moep_predictor_info(training->predictor, &info));
    if (info.next_step != training->step || info.layers != data->layers || info.experts != data->experts) {
        fprintf(stderr, "runtime: %s is another run's checkpoint\n", path);
        exit(1);
    }
    printf("restarted at step %" PRIu64 "\n", training->step);
}

/* ---- the two runs ------------------------------------------------------------------------------------------------ */

static bool same_state(const moep_predictor *a, const moep_predictor *b)
{
    size_t size_a, size_b;
    void *state_a = state_of(a, &size_a), *state_b = state_of(b, &size_b);
    bool same = size_a == size_b && memcmp(state_a, state_b, size_a) == 0;
    free(state_a);
    free(state_b);
    return same;
}

int main(int argc, char **argv)
{
    moep_trace data;
    char message[NPY_MESSAGE];
    const char *path = argc > 2 ? argv[2] : "runtime.checkpoint";
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: runtime TRACE.npy [CHECKPOINT]\n");
        return 2;
    }
    if (!npy_read(argv[1], &data, message)) {
        fprintf(stderr, "runtime: %s: %s\n", argv[1], message);
        return 1;
    }
    struct training interrupted, uninterrupted;
    start(&interrupted, &data);
    train(&interrupted, data.steps / 2, true);
    save_checkpoint(&interrupted, path);
    moep_predictor_destroy(interrupted.predictor); /* the process ends here, and another begins */
    load_checkpoint(&interrupted, &data, path);
    train(&interrupted, data.steps, true);

    start(&uninterrupted, &data);
    train(&uninterrupted, data.steps, false);
    bool same = same_state(interrupted.predictor, uninterrupted.predictor);
    printf("the restarted run ends in %s state as one never interrupted\n",
           same ? "byte for byte the same" : "ANOTHER");
    moep_predictor_destroy(interrupted.predictor);
    moep_predictor_destroy(uninterrupted.predictor);
    remove(path);
    free((void *)data.counts);
    return same ? 0 : 1;
}
