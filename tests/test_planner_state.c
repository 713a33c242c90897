/* SPDX-License-Identifier: BSD-3-Clause */
/* The planner's state: loaded, cloned, and refused when it is damaged or impossible. test_planner_state --write FILE
 * makes a golden file. */
#include "state.h"

#include "placement/planner.h"

#include <stdio.h>

/* Strides of 7 steps, blocks of 2. All rings have wrapped, and a block runs. */
enum { SPAN = 47, KEPT = 6, ALL_STEPS = 60, USUAL_STEPS = 53 };
enum { SHARES = 4 * SERIES * KEPT, MEANS = 4 * SERIES * MP_SAMPLE_BLOCKS }; /* bytes of SAMP; then come sums */

/* A gap, and layers without tokens. */
static void push_planner(moep_planner *planner, const int64_t *counts, size_t step)
{
    int64_t row[SERIES];
    memcpy(row, counts + step * SERIES, sizeof row);
    if (step % 6 == 0)
        memset(row, 0, EXPERTS * sizeof *row);
    assert_int_equal(moep_planner_push_at(planner, step < 30 ? 7 + step : 20 + step, 1, row, MOEP_INT64), MOEP_OK);
}

static moep_planner *planner_after(const int64_t *counts, size_t steps)
{
    moep_planner_config config = planner_config(SPAN, KEPT);
    config.risk = 0.75;
    moep_planner *planner = make_planner_of(LAYERS, EXPERTS, &config, NULL);
    for (size_t step = 0; step < steps; step++)
        push_planner(planner, counts, step);
    return planner;
}

static struct bytes saved_planner(const moep_planner *planner)
{
    struct bytes bytes = {.size = 0};
    size_t size = 0;
    assert_int_equal(moep_planner_save(planner, NULL, 0, &size), MOEP_OK);
    assert_true(size <= MOST);
    assert_int_equal(moep_planner_save(planner, bytes.at, size, &bytes.size), MOEP_OK);
    assert_int_equal(bytes.size, size);
    return bytes;
}

static moep_planner *loaded_planner(const struct bytes *bytes)
{
    moep_planner *planner = NULL;
    assert_int_equal(moep_planner_load(bytes->at, bytes->size, NULL, &planner), MOEP_OK);
    return planner;
}

static struct bytes usual_planner(void)
{
    int64_t *counts = random_counts(ALL_STEPS, LAYERS, EXPERTS, 74);
    moep_planner *planner = planner_after(counts, USUAL_STEPS);
    struct bytes bytes = saved_planner(planner);
    moep_planner_destroy(planner);
    free(counts);
    return bytes;
}

static moep_info info_of_planner(const moep_planner *planner)
{
    moep_info info = {.struct_size = sizeof info};
    assert_int_equal(moep_planner_info(planner, &info), MOEP_OK);
    return info;
}

static void assert_same_planner(const moep_planner *a, const moep_planner *b)
{
    struct bytes of_a = saved_planner(a), of_b = saved_planner(b);
    assert_int_equal(of_a.size, of_b.size);
    assert_memory_equal(of_a.at, of_b.at, of_a.size);
    moep_info info_a = info_of_planner(a), info_b = info_of_planner(b);
    assert_memory_equal(&info_a, &info_b, sizeof info_a);
    assert_int_equal(a->samples.pushed, b->samples.pushed);
}

/* ---- restored ---------------------------------------------------------------------------------------------------- */

static void a_run_loaded_or_cloned_at_any_step_continues_with_the_same_bytes(void **state)
{
    (void)state;
    int64_t *counts = random_counts(ALL_STEPS, LAYERS, EXPERTS, 74);
    for (size_t stop = 0; stop <= ALL_STEPS; stop++) {
        moep_planner *straight = planner_after(counts, stop), *clone = NULL;
        struct bytes bytes = saved_planner(straight);
        moep_planner *restored = loaded_planner(&bytes);
        assert_int_equal(moep_planner_clone(straight, NULL, &clone), MOEP_OK);
        assert_same_planner(straight, restored);
        assert_same_planner(straight, clone);
        for (size_t step = stop; step < ALL_STEPS; step++) {
            push_planner(straight, counts, step);
            push_planner(restored, counts, step);
            push_planner(clone, counts, step);
            assert_same_planner(straight, restored);
            assert_same_planner(straight, clone);
        }
        moep_planner_destroy(clone);
        moep_planner_destroy(restored);
        moep_planner_destroy(straight);
    }
    free(counts);
}

/* All of a layer's load in every step: the largest sums that a state holds. */
static void a_run_of_one_expert_is_restored_within_and_after_a_block(void **state)
{
    (void)state;
    const int64_t counts[] = {7, 3, 1, 9};
    moep_planner_config config = planner_config(60, 60);
    for (size_t steps = 0; steps <= 4; steps++) {
        moep_planner *planner = make_planner_of(1, 1, &config, NULL);
        assert_int_equal(moep_planner_push(planner, steps, counts, MOEP_INT64), MOEP_OK);
        struct bytes bytes = saved_planner(planner);
        moep_planner *restored = loaded_planner(&bytes);
        assert_same_planner(planner, restored);
        moep_planner_destroy(restored);
        moep_planner_destroy(planner);
    }
}

static void a_clone_and_its_original_are_independent(void **state)
{
    (void)state;
    int64_t *counts = random_counts(ALL_STEPS, LAYERS, EXPERTS, 75);
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    moep_planner *original = planner_after(counts, 20), *clone = NULL;
    struct bytes before = saved_planner(original);
    assert_int_equal(moep_planner_clone(original, &runtime, &clone), MOEP_OK);
    assert_true(memory.live_blocks > 0);
    for (size_t step = 20; step < ALL_STEPS; step++)
        push_planner(clone, counts, step);
    struct bytes after = saved_planner(original);
    assert_memory_equal(before.at, after.at, before.size);
    moep_planner_destroy(original);
    assert_int_equal(moep_planner_push(clone, 20, counts, MOEP_INT64), MOEP_OK);
    moep_planner_destroy(clone);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

static void the_size_stays_the_same_throughout_a_run(void **state)
{
    (void)state;
    int64_t *counts = random_counts(ALL_STEPS, LAYERS, EXPERTS, 76);
    size_t size = usual_planner().size;
    for (size_t steps = 0; steps < ALL_STEPS; steps++) {
        moep_planner *planner = planner_after(counts, steps);
        assert_int_equal(saved_planner(planner).size, size);
        moep_planner_destroy(planner);
    }
    free(counts);
}

static void a_loaded_planner_has_its_configuration(void **state)
{
    (void)state;
    struct bytes bytes = usual_planner();
    moep_planner *planner = loaded_planner(&bytes);
    moep_planner_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_planner_config_read(planner, &config), MOEP_OK);
    assert_true(config.span == SPAN && config.scenarios == KEPT && config.risk == 0.75);
    assert_int_equal(info_of_planner(planner).gaps, 13); /* not the 7 before it began */
    moep_planner_destroy(planner);
}

/* A page that nothing has written to would cost the first push into it a page fault. */
static void every_share_of_a_new_planner_is_written(void **state)
{
    (void)state;
    struct test_memory memory = {0}; /* filled with 0xa5, which no share is */
    moep_runtime runtime = runtime_on(&memory);
    moep_planner *handles[3];
    handles[0] = make_planner(LAYERS, EXPERTS, &runtime);
    unsigned char bytes[4096];
    size_t size = 0;
    assert_int_equal(moep_planner_save(handles[0], bytes, sizeof bytes, &size), MOEP_OK);
    assert_int_equal(moep_planner_load(bytes, size, &runtime, &handles[1]), MOEP_OK);
    assert_int_equal(moep_planner_clone(handles[0], &runtime, &handles[2]), MOEP_OK);
    for (size_t i = 0; i < 3; i++) {
        const struct samples *samples = &handles[i]->samples;
        for (size_t s = 0; s < SERIES; s++)
            assert_true(handles[i]->history.ring[s] == 0 && samples->running[s] == 0);
        for (size_t s = 0; s < 100 * SERIES; s++)
            assert_true(samples->steps[s] == 0);
        for (size_t s = 0; s < MP_SAMPLE_BLOCKS * SERIES; s++)
            assert_true(samples->means[s] == 0);
        moep_planner_destroy(handles[i]);
    }
}

static void one_kind_of_handle_is_not_loaded_as_another(void **state)
{
    (void)state;
    struct bytes of_predictor = usual_state(), of_planner = usual_planner();
    moep_predictor *predictor = NULL;
    moep_detector *detector = NULL;
    moep_planner *planner = NULL;
    assert_int_equal(moep_planner_load(of_predictor.at, of_predictor.size, NULL, &planner), MOEP_ERROR_INCOMPATIBLE);
    assert_says("another kind of handle's");
    assert_int_equal(moep_predictor_load(of_planner.at, of_planner.size, NULL, &predictor), MOEP_ERROR_INCOMPATIBLE);
    assert_int_equal(moep_detector_load(of_planner.at, of_planner.size, NULL, &detector), MOEP_ERROR_INCOMPATIBLE);
}

static void null_small_buffers_and_bad_runtimes_are_refused(void **state)
{
    (void)state;
    struct bytes bytes = usual_planner(), untouched = bytes;
    moep_planner *real = loaded_planner(&bytes), *planner = real;
    moep_runtime bad = {.struct_size = sizeof bad, .reserved = 1};
    size_t size = 5;
    assert_int_equal(moep_planner_load(NULL, 10, NULL, &planner), MOEP_ERROR_INVALID_ARGUMENT);
    assert_null(planner);
    assert_int_equal(moep_planner_load(bytes.at, bytes.size, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_load(bytes.at, bytes.size, &bad, &planner), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_save(NULL, bytes.at, MOST, &size), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_save(real, bytes.at, MOST, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_push_at(real, 1000, 1, (int64_t[SERIES]){1}, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_planner_save(real, bytes.at, bytes.size - 1, &size), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("the state takes");
    assert_memory_equal(bytes.at, untouched.at, bytes.size);
    assert_int_equal(size, 5);
    planner = real;
    assert_int_equal(moep_planner_clone(NULL, NULL, &planner), MOEP_ERROR_INVALID_ARGUMENT);
    assert_null(planner);
    assert_int_equal(moep_planner_clone(real, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_clone(real, &bad, &planner), MOEP_ERROR_INVALID_ARGUMENT);
    moep_planner_destroy(real);
}

/* ---- damaged, or impossible with correct checksums --------------------------------------------------------------- */

/* No handle is made, nothing leaks, and at most ten times the input is allocated. */
static void assert_refused(const void *bytes, size_t size)
{
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    unsigned char *exact = malloc(size ? size : 1); /* reads past the end are seen by the sanitizer */
    memcpy(exact, bytes, size);
    moep_planner *planner = (moep_planner *)exact;
    moep_status status = moep_planner_load(exact, size, &runtime, &planner);
    if (status != MOEP_ERROR_CORRUPT)
        fail_msg("%s (%s), expected corrupt", moep_status_string(status), moep_last_error());
    assert_null(planner);
    assert_int_equal(memory.live_blocks, 0);
    assert_true(memory.peak_bytes <= 10 * size + sizeof(struct moep_planner));
    free(exact);
}

static void any_flipped_bit_and_any_missing_tail_is_seen(void **state)
{
    (void)state;
    struct bytes bytes = usual_planner();
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_refused(bytes.at, bytes.size);
        bytes.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t size = 0; size < bytes.size; size++)
        assert_refused(bytes.at, size);
}

static void set_real(struct bytes *bytes, const char *tag, size_t offset, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    set(field(bytes, tag, offset), bits, 8);
}

static void an_impossible_state_is_refused_whatever_its_checksums(void **state)
{
    (void)state;
    struct bytes bytes;
#define refused(change)                       \
    do {                                      \
        bytes = usual_planner();              \
        change;                               \
        sign(&bytes);                         \
        assert_refused(bytes.at, bytes.size); \
    } while (0)
    refused(set(field(&bytes, "QCFG", 0), 0, 8)); /* layers */
    refused(set(field(&bytes, "QCFG", 0), LAYERS + 1, 8));
    refused(set(field(&bytes, "QCFG", 0), UINT64_MAX, 8));
    refused(set(field(&bytes, "QCFG", 8), 0, 8)); /* experts */
    refused(set(field(&bytes, "QCFG", 8), UINT64_C(1) << 62, 8));
    refused(set(field(&bytes, "QCFG", 16), 19, 4)); /* span */
    refused(set(field(&bytes, "QCFG", 20), 1, 4));  /* scenarios */
    refused(set(field(&bytes, "QCFG", 20), KEPT - 1, 4));
    refused(set(field(&bytes, "QCFG", 20), KEPT + 1, 4));
    refused(set(field(&bytes, "QCFG", 20), SPAN + 1, 4));
    refused(set(field(&bytes, "QCFG", 16), UINT32_MAX, 4); set(field(&bytes, "QCFG", 20), UINT32_MAX, 4));
    refused(set_real(&bytes, "QCFG", 24, NAN)); /* risk */
    refused(set_real(&bytes, "QCFG", 24, -0.5));
    refused(set(field(&bytes, "QCFG", 32), 21, 8)); /* first_step: fewer numbers from there on than steps */
    refused(set(field(&bytes, "QCFG", 32), UINT64_MAX, 8));
    refused(set(field(&bytes, "HIST", 0), UINT64_C(1) << 40, 8));           /* more steps than next_step */
    refused(set(field(&bytes, "HIST", 0), 0, 8));                           /* none, but shares */
    refused(set(field(&bytes, "HIST", 0), USUAL_STEPS - 1, 8));             /* the end of a block, but sums */
    refused(set(field(&bytes, "HIST", 8), UINT64_MAX, 8));                  /* next_step */
    refused(set(field(&bytes, "HIST", 16), LAYERS * (USUAL_STEPS + 1), 8)); /* empty_layers */
    refused(set_real(&bytes, "SAMP", SHARES + MEANS, -0.5));                /* a sum below 0 */
    refused(set_real(&bytes, "SAMP", SHARES + MEANS, nextafter(1, 2)));     /* of more than its step */
    refused(set_real(&bytes, "SAMP", SHARES + MEANS + 8 * (SERIES - 1), NAN));
    refused(set_share_of(&bytes, "SAMP", 0, 1)); /* a kept step of more than its load */
    refused(for (size_t e = 0; e < EXPERTS; e++) set_share_of(&bytes, "SAMP", 4 * e, 0)); /* of none */
    const float no_shares[] = {NAN, INFINITY, -0.25f, 1.5f};
    for (size_t i = 0; i < 4; i++) {
        refused(set_share_of(&bytes, "HIST", 24 + 4, no_shares[i]));
        for (size_t at = 0; at < SHARES + MEANS; at += 4)
            refused(set_share_of(&bytes, "SAMP", at, no_shares[i]));
    }
#undef refused
}

static void a_section_with_fields_missing_or_left_over_is_refused(void **state)
{
    (void)state;
    const char *const tags[] = {"QCFG", "HIST", "SAMP"};
    for (size_t i = 0; i < 3; i++)
        for (int by = -8; by <= 8; by++) {
            struct bytes bytes = usual_planner();
            if (by == 0 || (i == 0 && by > 0))
                continue;
            resize(&bytes, tags[i], by);
            assert_refused(bytes.at, bytes.size);
        }
}

static void fields_appended_to_the_configuration_are_skipped(void **state)
{
    (void)state;
    struct bytes plain = usual_planner(), bytes = plain;
    resize(&bytes, "QCFG", 12);
    moep_planner *expected = loaded_planner(&plain), *read = loaded_planner(&bytes);
    assert_same_planner(expected, read);
    moep_planner_destroy(read);
    moep_planner_destroy(expected);
}

/* ---- files of releases past -------------------------------------------------------------------------------------- */

/* planner-0.1.0.moep: usual_planner(), written by libmoepredict 0.1.0 (test_planner_state --write). */
static void the_state_written_by_0_1_0_is_still_read_and_goes_on_with_the_same_bytes(void **state)
{
    (void)state;
    int64_t *counts = random_counts(ALL_STEPS, LAYERS, EXPERTS, 74);
    struct bytes bytes;
    FILE *file = fopen(TEST_DATA "/planner-0.1.0.moep", "rb");
    assert_non_null(file);
    bytes.size = fread(bytes.at, 1, MOST, file);
    fclose(file);
    moep_planner *planner = loaded_planner(&bytes), *expected = planner_after(counts, USUAL_STEPS);
    assert_same_planner(planner, expected);
    for (size_t step = USUAL_STEPS; step < ALL_STEPS; step++) {
        push_planner(planner, counts, step);
        push_planner(expected, counts, step);
        assert_same_planner(planner, expected);
    }
    moep_planner_destroy(expected);
    moep_planner_destroy(planner);
    free(counts);
}

static int write_golden(const char *path)
{
    struct bytes bytes = usual_planner();
    FILE *file = fopen(path, "wb");
    return file && fwrite(bytes.at, 1, bytes.size, file) == bytes.size && fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest planner_state[] = {
        cmocka_unit_test(a_run_loaded_or_cloned_at_any_step_continues_with_the_same_bytes),
        cmocka_unit_test(a_run_of_one_expert_is_restored_within_and_after_a_block),
        cmocka_unit_test(a_clone_and_its_original_are_independent),
        cmocka_unit_test(the_size_stays_the_same_throughout_a_run),
        cmocka_unit_test(a_loaded_planner_has_its_configuration),
        cmocka_unit_test(every_share_of_a_new_planner_is_written),
        cmocka_unit_test(one_kind_of_handle_is_not_loaded_as_another),
        cmocka_unit_test(null_small_buffers_and_bad_runtimes_are_refused),
        cmocka_unit_test(any_flipped_bit_and_any_missing_tail_is_seen),
        cmocka_unit_test(an_impossible_state_is_refused_whatever_its_checksums),
        cmocka_unit_test(a_section_with_fields_missing_or_left_over_is_refused),
        cmocka_unit_test(fields_appended_to_the_configuration_are_skipped),
        cmocka_unit_test(the_state_written_by_0_1_0_is_still_read_and_goes_on_with_the_same_bytes),
    };
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_golden(argv[2]);
    return cmocka_run_group_tests(planner_state, NULL, NULL);
}
