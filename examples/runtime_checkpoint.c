/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkpoint: step, totals, map, then the states of predictor, detector and planner, each after its size. A
 * training runtime would put them into its own checkpoint file. */
#define _POSIX_C_SOURCE 200809L
#include "runtime.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct state {
    uint64_t size;
    void *bytes;
};

static struct state allocate_state(uint64_t size)
{
    return (struct state){size, allocate(1, (size_t)size)};
}

enum handle { PREDICTOR, DETECTOR, PLANNER, HANDLES };

static moep_status save(const struct training *training, enum handle of, void *buffer, size_t capacity, size_t *size)
{
    switch (of) {
    case PREDICTOR: return moep_predictor_save(training->predictor, buffer, capacity, size);
    case DETECTOR: return moep_detector_save(training->detector, buffer, capacity, size);
    default: return moep_planner_save(training->planner, buffer, capacity, size);
    }
}

static moep_status load(struct training *training, enum handle of, struct state state)
{
    switch (of) {
    case PREDICTOR: return moep_predictor_load(state.bytes, (size_t)state.size, NULL, &training->predictor);
    case DETECTOR: return moep_detector_load(state.bytes, (size_t)state.size, NULL, &training->detector);
    default: return moep_planner_load(state.bytes, (size_t)state.size, NULL, &training->planner);
    }
}

static moep_status info(const struct training *training, enum handle of, moep_info *to)
{
    switch (of) {
    case PREDICTOR: return moep_predictor_info(training->predictor, to);
    case DETECTOR: return moep_detector_info(training->detector, to);
    default: return moep_planner_info(training->planner, to);
    }
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

/* Step, totals and map, in this order. */
static bool write_progress(FILE *file, const struct training *training)
{
    size_t slots = slots_of_all_layers(&training->layout);
    return fwrite(&training->step, sizeof training->step, 1, file) == 1 &&
           fwrite(&training->totals, sizeof training->totals, 1, file) == 1 &&
           fwrite(training->map, sizeof *training->map, slots, file) == slots;
}

static bool read_progress(FILE *file, struct training *training)
{
    size_t slots = slots_of_all_layers(&training->layout);
    return fread(&training->step, sizeof training->step, 1, file) == 1 &&
           fread(&training->totals, sizeof training->totals, 1, file) == 1 &&
           fread(training->map, sizeof *training->map, slots, file) == slots;
}

/* Writes under another name and renames: readers see the old checkpoint or the new one, never a part. */
void save_checkpoint(const struct training *training, const char *path)
{
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        errno = ENAMETOOLONG, fail(path);
    FILE *file = fopen(temporary, "wb");
    if (!file || !write_progress(file, training))
        fail(path);
    for (enum handle of = 0; of < HANDLES; of++)
        if (!write_state(file, state_of(training, of)))
            fail(path);
    long size = ftell(file);
    if (fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0 || rename(temporary, path) != 0)
        fail(path);
    printf("saved at step %" PRIu64 ": %ld bytes in %s\n", training->step, size, path);
}

/* A checkpoint of another run has another shape or another step. */
static void check_it_belongs_here(const struct training *training, enum handle of, const char *path)
{
    moep_info of_handle = {.struct_size = sizeof of_handle};
    check(info(training, of, &of_handle));
    if (of_handle.next_step == training->step && of_handle.layers == training->data->layers &&
        of_handle.experts == training->data->experts)
        return;
    fprintf(stderr, "runtime: %s is the checkpoint of another run\n", path);
    exit(1);
}

void load_checkpoint(struct training *training, const moep_trace *data, const char *path)
{
    *training = (struct training){.data = data, .layout = layout_for(data)};
    training->first_map = map_of_equal_loads(&training->layout);
    training->map = map_of_equal_loads(&training->layout);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        fail(path);
    long end = ftell(file);
    if (end < 0 || fseek(file, 0, SEEK_SET) != 0 || !read_progress(file, training))
        fail(path);
    for (enum handle of = 0; of < HANDLES; of++) {
        struct state state = read_state(file, (uint64_t)end, path);
        check(load(training, of, state));
        check_it_belongs_here(training, of, path);
        free(state.bytes);
    }
    fclose(file);
    printf("restarted at step %" PRIu64 "\n", training->step);
}

static bool same_bytes(struct state a, struct state b)
{
    bool same = a.size == b.size && memcmp(a.bytes, b.bytes, (size_t)a.size) == 0;
    free(a.bytes);
    free(b.bytes);
    return same;
}

bool same_state(const struct training *a, const struct training *b)
{
    size_t slots = slots_of_all_layers(&a->layout);
    bool same = memcmp(a->map, b->map, slots * sizeof *a->map) == 0;
    for (enum handle of = 0; of < HANDLES; of++)
        same &= same_bytes(state_of(a, of), state_of(b, of));
    return same;
}
