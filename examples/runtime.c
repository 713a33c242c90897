/* SPDX-License-Identifier: BSD-3-Clause */
/* libmoepredict in a training loop. Every step is pushed into a predictor and a detector. When experts may move, the
 * detector says which layers are stable, and the predictor forecasts their loads. Both are saved with the training
 * checkpoint. The counts come from a recorded run, in place of a router.
 *
 * usage: runtime TRACE.npy [CHECKPOINT], for instance examples/data/small16-seed1.npy
 *
 * The run stops half way and restarts from its checkpoint. At the end the program checks that its state has the same
 * bytes as that of a run without interruption. */
#define _POSIX_C_SOURCE 200809L
#include "npy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HORIZON = 1000, PLACE_EVERY = 2500, MOST_LOADED = 3 };

/* A training process. Its model and its optimiser would stand beside these. */
struct training {
    const moep_trace *data;
    uint64_t step; /* the next step */
    moep_predictor *predictor;
    moep_detector *detector;
};

/* A training runtime would keep its present placement and continue; this example stops. */
static void check(moep_status status)
{
    if (status == MOEP_OK)
        return;
    fprintf(stderr, "runtime: %s: %s\n", moep_status_string(status), moep_last_error());
    exit(1);
}

static void fail(const char *name)
{
    perror(name);
    exit(1);
}

/* ---- placement --------------------------------------------------------------------------------------------------- */

/* The expert with the largest share among those that are not in chosen[0 .. n - 1]. */
static size_t next_largest(const double *shares, size_t experts, const size_t *chosen, size_t n)
{
    size_t best = experts;
    for (size_t e = 0; e < experts; e++) {
        bool is_chosen = false;
        for (size_t i = 0; i < n; i++)
            is_chosen |= chosen[i] == e;
        if (!is_chosen && (best == experts || shares[e] > shares[best]))
            best = e;
    }
    return best;
}

static void print_forecast(const double *load, size_t experts)
{
    size_t top[MOST_LOADED] = {0}, n = experts < MOST_LOADED ? experts : MOST_LOADED;
    for (size_t i = 0; i < n; i++)
        top[i] = next_largest(load, experts, top, i);
    printf("expected max / mean load %.2f; most loaded:", load[top[0]] * (double)experts);
    for (size_t i = 0; i < n; i++)
        printf(" expert %zu (%.1f %%)%s", top[i], 100 * load[top[i]], i + 1 < n ? "," : "\n");
}

/* Prints what a placement would use. */
static void place_experts(const struct training *training)
{
    size_t layers = training->data->layers, experts = training->data->experts;
    double *shares = calloc(layers * experts, sizeof *shares);
    moep_state *states = calloc(layers, sizeof *states);
    if (!shares || !states)
        fail("runtime");
    check(moep_predictor_predict(training->predictor, HORIZON, HORIZON, shares, layers * experts));
    check(moep_detector_states(training->detector, states, NULL));
    printf("step %" PRIu64 ", over the next %d steps\n", training->step, HORIZON);
    for (size_t layer = 0; layer < layers; layer++) {
        printf("  layer %zu: ", layer);
        if (states[layer] == MOEP_STABLE)
            print_forecast(shares + layer * experts, experts);
        else
            printf("not stable: keep room for every expert\n");
    }
    free(states);
    free(shares);
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static void start(struct training *training, const moep_trace *data)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_detector_config detector_config = {.struct_size = sizeof detector_config};
    check(moep_predictor_config_init(&config, MOEP_AUTO));
    check(moep_detector_config_init(&detector_config));
    *training = (struct training){.data = data};
    check(moep_predictor_create(data->layers, data->experts, &config, NULL, &training->predictor));
    check(moep_detector_create(data->layers, data->experts, &detector_config, NULL, &training->detector));
}

/* The counts of one step. A training runtime would sum them over all ranks. */
static const void *train_one_step(struct training *training)
{
    const moep_trace *data = training->data;
    size_t size = moep_dtype_size(data->dtype);
    return (const char *)data->counts + training->step * data->layers * data->experts * size;
}

static void train(struct training *training, uint64_t until, bool place)
{
    while (training->step < until) {
        const void *counts = train_one_step(training);
        check(moep_predictor_push_at(training->predictor, training->step, 1, counts, training->data->dtype));
        check(moep_detector_push_at(training->detector, training->step, 1, counts, training->data->dtype));
        training->step++;
        if (place && training->step % PLACE_EVERY == 0)
            place_experts(training);
    }
}

static void stop(struct training *training)
{
    moep_predictor_destroy(training->predictor);
    moep_detector_destroy(training->detector);
}

/* ---- the checkpoint: the step, then the states of predictor and detector, each after its size -------------------- */

struct state {
    uint64_t size;
    void *bytes;
};

static struct state allocate_state(uint64_t size)
{
    struct state state = {size, malloc((size_t)size)};
    if (!state.bytes)
        fail("runtime");
    return state;
}

enum handle { PREDICTOR, DETECTOR };

static moep_status save(const struct training *training, enum handle of, void *buffer, size_t capacity, size_t *size)
{
    return of == PREDICTOR ? moep_predictor_save(training->predictor, buffer, capacity, size)
                           : moep_detector_save(training->detector, buffer, capacity, size);
}

static struct state state_of(const struct training *training, enum handle of)
{
    size_t size;
    check(save(training, of, NULL, 0, &size));
    struct state state = allocate_state(size);
    check(save(training, of, state.bytes, size, &size));
    return state;
}

static bool write_state(FILE *file, struct state state)
{
    bool written = fwrite(&state.size, sizeof state.size, 1, file) == 1 &&
                   fwrite(state.bytes, 1, (size_t)state.size, file) == state.size;
    free(state.bytes);
    return written;
}

/* A size above `most` bytes is damage. */
static struct state read_state(FILE *file, uint64_t most, const char *path)
{
    uint64_t size;
    if (fread(&size, sizeof size, 1, file) != 1 || size == 0 || size > most)
        fail(path);
    struct state state = allocate_state(size);
    if (fread(state.bytes, 1, (size_t)size, file) != size)
        fail(path);
    return state;
}

/* Writes under another name and renames: readers see the old checkpoint or the new one, never a part. */
static void save_checkpoint(const struct training *training, const char *path)
{
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        errno = ENAMETOOLONG, fail(path);
    FILE *file = fopen(temporary, "wb");
    if (!file || fwrite(&training->step, sizeof training->step, 1, file) != 1 ||
        !write_state(file, state_of(training, PREDICTOR)) || !write_state(file, state_of(training, DETECTOR)))
        fail(path);
    long size = ftell(file);
    if (fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0 || rename(temporary, path) != 0)
        fail(path);
    printf("saved at step %" PRIu64 ": %ld bytes in %s\n", training->step, size, path);
}

static void load_checkpoint(struct training *training, const moep_trace *data, const char *path)
{
    *training = (struct training){.data = data};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        fail(path);
    long end = ftell(file);
    if (end < 0 || fseek(file, 0, SEEK_SET) != 0 || fread(&training->step, sizeof training->step, 1, file) != 1)
        fail(path);
    struct state of_predictor = read_state(file, (uint64_t)end, path);
    struct state of_detector = read_state(file, (uint64_t)end, path);
    fclose(file);
    check(moep_predictor_load(of_predictor.bytes, (size_t)of_predictor.size, NULL, &training->predictor));
    check(moep_detector_load(of_detector.bytes, (size_t)of_detector.size, NULL, &training->detector));
    free(of_predictor.bytes);
    free(of_detector.bytes);
    moep_info of_both[2] = {{.struct_size = sizeof(moep_info)}, {.struct_size = sizeof(moep_info)}};
    check(moep_predictor_info(training->predictor, &of_both[0]));
    check(moep_detector_info(training->detector, &of_both[1]));
    for (size_t i = 0; i < 2; i++)
        if (of_both[i].next_step != training->step || of_both[i].layers != data->layers ||
            of_both[i].experts != data->experts) {
            fprintf(stderr, "runtime: %s is the checkpoint of another run\n", path);
            exit(1);
        }
    printf("restarted at step %" PRIu64 "\n", training->step);
}

/* ---- the two runs ------------------------------------------------------------------------------------------------ */

static bool same_bytes(struct state a, struct state b)
{
    bool same = a.size == b.size && memcmp(a.bytes, b.bytes, (size_t)a.size) == 0;
    free(a.bytes);
    free(b.bytes);
    return same;
}

static bool same_state(const struct training *a, const struct training *b)
{
    return same_bytes(state_of(a, PREDICTOR), state_of(b, PREDICTOR)) &&
           same_bytes(state_of(a, DETECTOR), state_of(b, DETECTOR));
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
    stop(&interrupted); /* the process ends here, and another begins */
    load_checkpoint(&interrupted, &data, path);
    train(&interrupted, data.steps, true);

    start(&uninterrupted, &data);
    train(&uninterrupted, data.steps, false);
    bool same = same_state(&interrupted, &uninterrupted);
    printf("the restarted run ends in %s state as one never interrupted\n",
           same ? "byte for byte the same" : "ANOTHER");
    stop(&interrupted);
    stop(&uninterrupted);
    remove(path);
    free((void *)data.counts);
    if (fflush(stdout) != 0 || ferror(stdout))
        fail("runtime");
    return same ? 0 : 1;
}
