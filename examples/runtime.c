/* SPDX-License-Identifier: BSD-3-Clause */
/* libmoepredict in a training loop. Every step is pushed into a predictor, a detector and a planner. Where the load of
 * a layer still moves, as the detector says, the planner plans every 250 steps where experts should lie; in a stable
 * layer every 1,000. Experts move where that pays. All three are saved with the training checkpoint, and so is the map
 * of experts. The counts come from a recorded run, in place of a router.
 *
 * usage: runtime TRACE.npy [CHECKPOINT], for instance examples/data/small16-seed1.npy
 *
 * The run stops half way and restarts from its checkpoint. At the end the program checks that its state has the same
 * bytes as that of a run without interruption. */
#include "npy.h"
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>

enum { PLAN_EVERY = 250 };

/* A training runtime would keep its present placement and continue; this example stops. */
void check(moep_status status)
{
    if (status == MOEP_OK)
        return;
    fprintf(stderr, "runtime: %s: %s\n", moep_status_string(status), moep_last_error());
    exit(1);
}

void fail(const char *name)
{
    perror(name);
    exit(1);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        fail("runtime");
    return memory;
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

static void start(struct training *training, const moep_trace *data)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_detector_config detector_config = {.struct_size = sizeof detector_config};
    moep_planner_config planner_config = {.struct_size = sizeof planner_config};
    check(moep_predictor_config_init(&config, MOEP_AUTO));
    check(moep_detector_config_init(&detector_config));
    check(moep_planner_config_init(&planner_config));
    *training = (struct training){.data = data, .layout = layout_for(data)};
    training->first_map = map_of_equal_loads(&training->layout);
    training->map = map_of_equal_loads(&training->layout);
    check(moep_predictor_create(data->layers, data->experts, &config, NULL, &training->predictor));
    check(moep_detector_create(data->layers, data->experts, &detector_config, NULL, &training->detector));
    check(moep_planner_create(data->layers, data->experts, &planner_config, NULL, &training->planner));
}

/* The counts of one step. A training runtime would sum them over all ranks. */
static const void *train_one_step(struct training *training)
{
    const moep_trace *data = training->data;
    size_t size = moep_dtype_size(data->dtype);
    return (const char *)data->counts + training->step * data->layers * data->experts * size;
}

static void train(struct training *training, uint64_t until, bool print)
{
    moep_dtype dtype = training->data->dtype;
    while (training->step < until) {
        const void *counts = train_one_step(training);
        check(moep_predictor_push_at(training->predictor, training->step, 1, counts, dtype));
        check(moep_detector_push_at(training->detector, training->step, 1, counts, dtype));
        check(moep_planner_push_at(training->planner, training->step, 1, counts, dtype));
        if (training->step >= PLAN_EVERY)
            measure(training, counts);
        training->step++;
        if (training->step % PLAN_EVERY == 0)
            place_experts(training, print);
    }
}

static void stop(struct training *training)
{
    moep_predictor_destroy(training->predictor);
    moep_detector_destroy(training->detector);
    moep_planner_destroy(training->planner);
    free(training->map);
    free(training->first_map);
}

/* ---- the two runs ------------------------------------------------------------------------------------------------ */

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
    print_totals(&interrupted.totals);

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
