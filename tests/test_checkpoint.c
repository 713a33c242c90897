/* SPDX-License-Identifier: BSD-3-Clause */
/* Saves and loads states. test_checkpoint --write FILE makes a golden file, one per release that changes the format. */
#include "state.h"

#include <stdio.h>

/* ---- going on ---------------------------------------------------------------------------------------------------- */

static void a_run_loaded_or_cloned_at_any_step_continues_with_the_same_bytes(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 40);
    moep_predictor *whole = predictor_after(counts, STEPS);
    for (size_t interrupted = 0; interrupted <= STEPS; interrupted++) {
        moep_predictor *first = predictor_after(counts, interrupted), *clone = NULL;
        struct bytes bytes = saved(first);
        moep_predictor *restored = loaded(&bytes);
        assert_int_equal(moep_predictor_clone(first, NULL, &clone), MOEP_OK);
        assert_same_state(first, restored);
        assert_same_state(first, clone);
        for (size_t step = interrupted; step < STEPS; step++) {
            push_step(restored, counts, step);
            push_step(clone, counts, step);
        }
        assert_same_state(whole, restored);
        assert_same_state(whole, clone);
        moep_predictor_destroy(clone);
        moep_predictor_destroy(restored);
        moep_predictor_destroy(first);
    }
    moep_predictor_destroy(whole);
    free(counts);
}

/* The size stays the same as steps are pushed, and as the oldest ones leave the history. */
static void a_state_remembers_where_the_run_was_joined(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 47);
    moep_predictor *joined = predictor_after(counts, 0), *clone = NULL;
    assert_int_equal(moep_predictor_push_at(joined, 50000, 2, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_push_at(joined, 50005, 1, counts, MOEP_INT64), MOEP_OK);
    struct bytes bytes = saved(joined);
    moep_predictor *read = loaded(&bytes);
    assert_int_equal(moep_predictor_clone(read, NULL, &clone), MOEP_OK);
    assert_int_equal(moep_predictor_push_at(clone, 50007, 1, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(info_of(joined).gaps, 3);
    assert_int_equal(info_of(read).gaps, 3);
    assert_int_equal(info_of(clone).gaps, 4);
    assert_int_equal(moep_predictor_reset(clone), MOEP_OK);
    assert_int_equal(moep_predictor_push_at(clone, 9, 1, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(info_of(clone).gaps, 0);
    moep_predictor_destroy(clone);
    moep_predictor_destroy(read);
    moep_predictor_destroy(joined);
    free(counts);
}

static void a_clone_and_its_original_are_independent(void **state)
{
    (void)state;
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 42);
    moep_predictor *original = predictor_after(counts, 10), *reference = predictor_after(counts, 10), *clone = NULL;
    assert_int_equal(moep_predictor_clone(original, &runtime, &clone), MOEP_OK);
    assert_true(memory.live_blocks > 0);
    for (size_t step = 10; step < STEPS; step++)
        push_step(clone, counts, step);
    assert_same_state(original, reference);
    moep_predictor_destroy(original);
    moep_predictor_destroy(reference);
    moep_predictor_destroy(predictor_after(counts, 3));
    reference = predictor_after(counts, STEPS);
    assert_same_state(clone, reference);
    moep_predictor_destroy(reference);
    moep_predictor_destroy(clone);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static void the_size_stays_and_equal_states_have_equal_bytes(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 44);
    moep_predictor *fresh = predictor_after(counts, 0), *used = predictor_after(counts, STEPS);
    assert_int_equal(saved(fresh).size, saved(used).size);
    assert_int_equal(moep_predictor_reset(used), MOEP_OK);
    assert_same_state(fresh, used); /* old rows of the ring are no state */
    moep_predictor_destroy(used);
    moep_predictor_destroy(fresh);
    free(counts);
}

static void a_buffer_that_is_too_small_is_not_written(void **state)
{
    (void)state;
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, WINDOW, NULL);
    unsigned char buffer[MOST], untouched[MOST];
    memset(buffer, 0x5a, sizeof buffer);
    memset(untouched, 0x5a, sizeof untouched);
    size_t size = 0, unchanged = 77;
    assert_int_equal(moep_predictor_save(predictor, NULL, 0, &size), MOEP_OK);
    for (size_t capacity = 0; capacity < size; capacity++)
        assert_int_equal(moep_predictor_save(predictor, buffer, capacity, &unchanged), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("the state takes");
    assert_int_equal(unchanged, 77);
    assert_memory_equal(buffer, untouched, sizeof buffer);
    assert_int_equal(moep_predictor_save(predictor, buffer, size, &unchanged), MOEP_OK);
    assert_memory_equal(buffer + size, untouched + size, MOST - size);
    moep_predictor_destroy(predictor);
}

/* A page that nothing has written to would cost the first push into it a page fault. */
static void every_share_of_a_new_handle_is_written(void **state)
{
    (void)state;
    struct test_memory memory = {0}; /* filled with 0xa5, which no share is */
    moep_runtime runtime = runtime_on(&memory);
    moep_predictor *handles[3];
    handles[0] = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, WINDOW, &runtime);
    struct bytes bytes = saved(handles[0]);
    assert_int_equal(moep_predictor_load(bytes.at, bytes.size, &runtime, &handles[1]), MOEP_OK);
    assert_int_equal(moep_predictor_clone(handles[0], &runtime, &handles[2]), MOEP_OK);
    for (size_t i = 0; i < 3; i++) {
        for (size_t share = 0; share < WINDOW * SERIES; share++)
            assert_true(handles[i]->history.ring[share] == 0);
        moep_predictor_destroy(handles[i]);
    }
}

static void load_and_save_refuse_null_and_bad_runtimes(void **state)
{
    (void)state;
    struct bytes bytes = usual_state();
    moep_predictor *predictor = (moep_predictor *)&bytes, *real = loaded(&bytes);
    size_t size = 5;
    moep_runtime bad = {.struct_size = sizeof bad, .reserved = 1};
    assert_int_equal(moep_predictor_load(NULL, 10, NULL, &predictor), MOEP_ERROR_INVALID_ARGUMENT);
    assert_null(predictor);
    assert_int_equal(moep_predictor_load(bytes.at, bytes.size, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_load(bytes.at, bytes.size, &bad, &predictor), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_save(NULL, bytes.at, MOST, &size), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_save(real, bytes.at, MOST, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    predictor = real;
    assert_int_equal(moep_predictor_clone(NULL, NULL, &predictor), MOEP_ERROR_INVALID_ARGUMENT);
    assert_null(predictor);
    assert_int_equal(moep_predictor_clone(real, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_clone(real, &bad, &predictor), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_config_read(NULL, &(moep_predictor_config){.struct_size = 24}),
                     MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_config_read(real, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    moep_predictor_destroy(real);
}

static void a_loaded_handle_has_its_configuration(void **state)
{
    (void)state;
    struct bytes bytes = usual_state();
    moep_predictor *predictor = loaded(&bytes);
    moep_predictor_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_predictor_config_read(predictor, &config), MOEP_OK);
    assert_int_equal(config.method, MOEP_SW_AVG);
    assert_int_equal(config.sw_avg_window, WINDOW);
    assert_int_equal(config.history, WINDOW);
    assert_int_equal(config.struct_size, sizeof config);
    moep_predictor_destroy(predictor);
}

/* ---- files of releases past -------------------------------------------------------------------------------------- */

/* predictor-0.1.0.moep: usual_state(), written by libmoepredict 0.1.0 (test_checkpoint --write). */
static void the_state_written_by_0_1_0_is_still_read(void **state)
{
    (void)state;
    struct bytes bytes, now = usual_state();
    FILE *file = fopen(TEST_DATA "/predictor-0.1.0.moep", "rb");
    assert_non_null(file);
    bytes.size = fread(bytes.at, 1, MOST, file);
    fclose(file);
    /* Cuts off the fields of the configuration that 0.1.0 did not save. first_step is one of them, so all numbers before
     * the first step are gaps. */
    uint64_t saved_then = get(section_of(&bytes, "PCFG") + 8, 8), saved_now = get(section_of(&now, "PCFG") + 8, 8);
    assert_true(saved_now >= saved_then + 8);
    resize(&now, "PCFG", (int)(saved_then - saved_now));
    moep_predictor *predictor = loaded(&bytes), *expected = loaded(&now);
    assert_same_state(predictor, expected);
    /* Compares all sections except the configuration, which has new fields. */
    const char *const tags[] = {"HIST", "MODL"};
    for (size_t i = 0; i < 2; i++) {
        const unsigned char *then = section_of(&bytes, tags[i]), *today = section_of(&now, tags[i]);
        assert_memory_equal(then, today, SECTION_HEADER + (size_t)get(today + 8, 8));
    }
    assert_int_equal(get(bytes.at + 24, 4), 0 << 16 | 1 << 8 | 0);
    assert_int_equal(get(now.at + 24, 4), moep_version_number());
    moep_info info = info_of(predictor);
    assert_int_equal(info.steps, STEPS);
    assert_int_equal(info.next_step, 43);
    assert_int_equal(info.gaps, 20);
    assert_int_equal(info.empty_layers, 4);
    moep_predictor_destroy(expected);
    moep_predictor_destroy(predictor);
}

static int write_golden(const char *path)
{
    struct bytes bytes = usual_state();
    FILE *file = fopen(path, "wb");
    return file && fwrite(bytes.at, 1, bytes.size, file) == bytes.size && fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest checkpoint[] = {
        cmocka_unit_test(a_run_loaded_or_cloned_at_any_step_continues_with_the_same_bytes),
        cmocka_unit_test(a_state_remembers_where_the_run_was_joined),
        cmocka_unit_test(a_clone_and_its_original_are_independent),
        cmocka_unit_test(the_size_stays_and_equal_states_have_equal_bytes),
        cmocka_unit_test(a_buffer_that_is_too_small_is_not_written),
        cmocka_unit_test(every_share_of_a_new_handle_is_written),
        cmocka_unit_test(load_and_save_refuse_null_and_bad_runtimes),
        cmocka_unit_test(a_loaded_handle_has_its_configuration),
        cmocka_unit_test(the_state_written_by_0_1_0_is_still_read),
    };
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_golden(argv[2]);
    return cmocka_run_group_tests(checkpoint, NULL, NULL);
}
