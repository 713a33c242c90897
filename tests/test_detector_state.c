/* SPDX-License-Identifier: BSD-3-Clause */
/* The detector's state: loaded, cloned, and refused when it is damaged or impossible. */
#include "state.h"

#include "detector/detector.h"

#include <float.h>
#include <stdio.h>

enum { DETECTED_STEPS = 72, USUAL_STEPS = 69 };

/* Learning spans are of 5 and 6 periods, so that errors come from the 28th step after a gap on. */
static moep_detector_config config_of(double growth)
{
    moep_detector_config config = detector_config(growth);
    config.horizon = 24;
    config.drift_window = 4;
    config.block = 2;
    config.dwell = 5;
    config.tolerance = 3; /* wide: so that states change */
    config.expert_tolerance = 6;
    config.windows[0] = 3;
    config.windows[1] = 0;
    config.windows[2] = 7;
    return config;
}

/* That of the state which 0.1.0 wrote before it learned. */
static moep_detector_config constant_config(void)
{
    moep_detector_config config = config_of(0.3);
    config.horizon = 1000;
    return config;
}

static moep_detector *make_learning(const moep_runtime *runtime)
{
    moep_detector_config config = config_of(MOEP_LEARN);
    return make_detector_of(LAYERS, EXPERTS, &config, runtime);
}

/* A long gap before the 30th step, counts that are no tokens from the 50th on. */
static void push_detector(moep_detector *detector, const int64_t *counts, size_t step)
{
    double reals[SERIES];
    for (size_t s = 0; s < SERIES; s++)
        reals[s] = (double)counts[step * SERIES + s] / 0x1p32;
    moep_status status =
        step < 50 ? moep_detector_push_at(detector, step < 30 ? step : step + 9, 1, counts + step * SERIES, MOEP_INT64)
                  : moep_detector_push(detector, 1, reals, MOEP_FLOAT64);
    assert_int_equal(status, MOEP_OK);
}

static moep_detector *detector_of(const moep_detector_config *config, const int64_t *counts, size_t steps)
{
    moep_detector *detector = make_detector_of(LAYERS, EXPERTS, config, NULL);
    for (size_t step = 0; step < steps; step++)
        push_detector(detector, counts, step);
    return detector;
}

static moep_detector *detector_after(const int64_t *counts, size_t steps)
{
    moep_detector_config config = config_of(MOEP_LEARN);
    return detector_of(&config, counts, steps);
}

static struct bytes saved_detector(const moep_detector *detector)
{
    struct bytes bytes = {.size = 0};
    size_t size = 0;
    assert_int_equal(moep_detector_save(detector, NULL, 0, &size), MOEP_OK);
    assert_true(size <= MOST);
    assert_int_equal(moep_detector_save(detector, bytes.at, size, &bytes.size), MOEP_OK);
    assert_int_equal(bytes.size, size);
    return bytes;
}

static moep_detector *loaded_detector(const struct bytes *bytes)
{
    moep_detector *detector = NULL;
    assert_int_equal(moep_detector_load(bytes->at, bytes->size, NULL, &detector), MOEP_OK);
    return detector;
}

static struct bytes state_of(const moep_detector_config *config, size_t steps)
{
    int64_t *counts = random_counts(DETECTED_STEPS, LAYERS, EXPERTS, 45);
    moep_detector *detector = detector_of(config, counts, steps);
    struct bytes bytes = saved_detector(detector);
    moep_detector_destroy(detector);
    free(counts);
    return bytes;
}

static struct bytes usual_detector(void)
{
    moep_detector_config config = config_of(MOEP_LEARN);
    return state_of(&config, USUAL_STEPS);
}

static void assert_same_words(const moep_detector *a, const moep_detector *b)
{
    struct bytes of_a = saved_detector(a), of_b = saved_detector(b);
    assert_int_equal(of_a.size, of_b.size);
    assert_memory_equal(of_a.at, of_b.at, of_a.size);
    for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_DISPERSION; quantity++)
        for (size_t window = 0; window <= 2; window += 2) {
            double values[SERIES] = {0}, others[SERIES] = {0};
            moep_status status = moep_detector_read(a, quantity, window, NULL, values);
            assert_int_equal(moep_detector_read(b, quantity, window, NULL, others), status);
            assert_memory_equal(values, others, sizeof values);
        }
    moep_info info_a = {.struct_size = sizeof info_a}, info_b = info_a;
    assert_int_equal(moep_detector_info(a, &info_a), MOEP_OK);
    assert_int_equal(moep_detector_info(b, &info_b), MOEP_OK);
    assert_memory_equal(&info_a, &info_b, sizeof info_a);
}

/* ---- restored ---------------------------------------------------------------------------------------------------- */

static void a_run_loaded_or_cloned_at_any_step_continues_with_the_same_bytes(void **state)
{
    (void)state;
    int64_t *counts = random_counts(DETECTED_STEPS, LAYERS, EXPERTS, 45);
    for (size_t stop = 0; stop <= DETECTED_STEPS; stop++) {
        moep_detector *straight = detector_after(counts, stop), *clone = NULL;
        struct bytes bytes = saved_detector(straight);
        moep_detector *restored = loaded_detector(&bytes);
        assert_int_equal(moep_detector_clone(straight, NULL, &clone), MOEP_OK);
        assert_same_words(straight, restored);
        for (size_t step = stop; step < DETECTED_STEPS; step++) {
            push_detector(straight, counts, step);
            push_detector(restored, counts, step);
            push_detector(clone, counts, step);
            assert_same_words(straight, restored);
            assert_same_words(straight, clone);
        }
        moep_detector_destroy(clone);
        moep_detector_destroy(restored);
        moep_detector_destroy(straight);
    }
    free(counts);
}

/* All of a layer's load, in every block: the largest number that a state holds. */
static void a_run_of_one_expert_is_restored(void **state)
{
    (void)state;
    moep_detector_config config = config_of(MOEP_LEARN);
    moep_detector *detector = make_detector_of(1, 1, &config, NULL);
    int64_t counts[DETECTED_STEPS];
    for (size_t step = 0; step < DETECTED_STEPS; step++)
        counts[step] = 7;
    assert_int_equal(moep_detector_push(detector, DETECTED_STEPS - 1, counts, MOEP_INT64), MOEP_OK);
    struct bytes bytes = saved_detector(detector);
    moep_detector *restored = loaded_detector(&bytes);
    struct bytes again = saved_detector(restored);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.at, bytes.at, bytes.size);
    moep_detector_destroy(restored);
    moep_detector_destroy(detector);
}

static void a_clone_and_its_original_are_independent(void **state)
{
    (void)state;
    int64_t *counts = random_counts(DETECTED_STEPS, LAYERS, EXPERTS, 46);
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    moep_detector *original = detector_after(counts, 20), *clone = NULL;
    struct bytes before = saved_detector(original);
    assert_int_equal(moep_detector_clone(original, &runtime, &clone), MOEP_OK);
    assert_true(memory.live_blocks > 0);
    for (size_t step = 20; step < DETECTED_STEPS; step++)
        push_detector(clone, counts, step);
    struct bytes after = saved_detector(original);
    assert_memory_equal(before.at, after.at, before.size);
    moep_detector_destroy(original);
    for (size_t step = 0; step < 20; step++)
        assert_int_equal(moep_detector_push(clone, 1, counts + step * SERIES, MOEP_INT64), MOEP_OK);
    moep_detector_destroy(clone);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

static void the_size_stays_the_same_throughout_a_run(void **state)
{
    (void)state;
    int64_t *counts = random_counts(DETECTED_STEPS, LAYERS, EXPERTS, 47);
    size_t size = usual_detector().size;
    for (size_t steps = 0; steps < DETECTED_STEPS; steps++) {
        moep_detector *detector = detector_after(counts, steps);
        assert_int_equal(saved_detector(detector).size, size);
        moep_detector_destroy(detector);
    }
    free(counts);
}

static void a_loaded_detector_has_its_configuration(void **state)
{
    (void)state;
    struct bytes bytes = usual_detector();
    moep_detector *detector = loaded_detector(&bytes), *made = make_learning(NULL);
    moep_detector_config config = {.struct_size = sizeof config}, expected = config;
    assert_int_equal(moep_detector_config_read(detector, &config), MOEP_OK);
    assert_int_equal(moep_detector_config_read(made, &expected), MOEP_OK);
    assert_memory_equal(&config, &expected, sizeof config);
    assert_int_equal(config.windows[2], 7);
    moep_detector_destroy(made);
    moep_detector_destroy(detector);
}

static void one_kind_of_handle_is_not_loaded_as_the_other(void **state)
{
    (void)state;
    struct bytes of_predictor = usual_state(), of_detector = usual_detector();
    moep_predictor *predictor = NULL;
    moep_detector *detector = NULL;
    assert_int_equal(moep_detector_load(of_predictor.at, of_predictor.size, NULL, &detector), MOEP_ERROR_INCOMPATIBLE);
    assert_says("another kind of handle's");
    assert_int_equal(moep_predictor_load(of_detector.at, of_detector.size, NULL, &predictor), MOEP_ERROR_INCOMPATIBLE);
    assert_says("another kind of handle's");
}

static void null_and_bad_runtimes_are_refused(void **state)
{
    (void)state;
    struct bytes bytes = usual_detector();
    moep_detector *real = loaded_detector(&bytes), *detector = real;
    moep_runtime bad = {.struct_size = sizeof bad, .reserved = 1};
    size_t size = 5;
    assert_int_equal(moep_detector_load(NULL, 10, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_null(detector);
    assert_int_equal(moep_detector_load(bytes.at, bytes.size, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_load(bytes.at, bytes.size, &bad, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_save(NULL, bytes.at, MOST, &size), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_save(real, bytes.at, MOST, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_save(real, bytes.at, bytes.size - 1, &size), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(size, 5);
    detector = real;
    assert_int_equal(moep_detector_clone(NULL, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_null(detector);
    assert_int_equal(moep_detector_clone(real, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_clone(real, &bad, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_info(NULL, &(moep_info){.struct_size = sizeof(moep_info)}),
                     MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_config_read(NULL, &(moep_detector_config){.struct_size = 24}),
                     MOEP_ERROR_INVALID_ARGUMENT);
    moep_detector_destroy(real);
}

/* ---- damaged, or impossible with correct checksums --------------------------------------------------------------- */

/* No handle is made, nothing leaks, and at most ten times the input is allocated. */
static void assert_refused(const void *bytes, size_t size, moep_status expected)
{
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    unsigned char *exact = malloc(size ? size : 1); /* reads past the end are seen by the sanitizer */
    memcpy(exact, bytes, size);
    moep_detector *detector = (moep_detector *)exact;
    moep_status status = moep_detector_load(exact, size, &runtime, &detector);
    if (status != expected)
        fail_msg("%s (%s), expected %s", moep_status_string(status), moep_last_error(), moep_status_string(expected));
    assert_null(detector);
    assert_int_equal(memory.live_blocks, 0);
    assert_true(memory.peak_bytes <= 10 * size + sizeof(struct moep_detector));
    free(exact);
}

static void any_flipped_bit_and_any_missing_tail_is_seen(void **state)
{
    (void)state;
    struct bytes bytes = usual_detector();
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT);
        bytes.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t size = 0; size < bytes.size; size++)
        assert_refused(bytes.at, size, MOEP_ERROR_CORRUPT);
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
    const size_t tokens = 40 * (LAYERS + SERIES); /* in STAT: after the states */
    struct bytes bytes;
#define refused(change)                                           \
    do {                                                          \
        bytes = usual_detector();                                 \
        change;                                                   \
        sign(&bytes);                                             \
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT); \
    } while (0)
    refused(set(field(&bytes, "DCFG", 0), 0, 8)); /* layers */
    refused(set(field(&bytes, "DCFG", 0), LAYERS + 1, 8));
    refused(set(field(&bytes, "DCFG", 0), UINT64_MAX, 8));
    refused(set(field(&bytes, "DCFG", 8), 0, 8)); /* experts */
    refused(set(field(&bytes, "DCFG", 8), UINT64_C(1) << 62, 8));
    refused(set(field(&bytes, "DCFG", 16), 0, 8));       /* horizon */
    refused(set_real(&bytes, "DCFG", 24, NAN));          /* tolerance */
    refused(set_real(&bytes, "DCFG", 32, -1));           /* expert_tolerance */
    refused(set_real(&bytes, "DCFG", 40, 7));            /* growth */
    refused(set(field(&bytes, "DCFG", 48), 512 * 2, 4)); /* drift_window */
    refused(set(field(&bytes, "DCFG", 52), 0, 4));       /* block */
    refused(set(field(&bytes, "DCFG", 56), 0, 4));       /* dwell */
    refused(set(field(&bytes, "DCFG", 60), 1025, 4));    /* windows */
    refused(set(field(&bytes, "DCFG", 60), 900, 4));
    refused(set(field(&bytes, "DCFG", 76), 10, 8)); /* first_step: fewer numbers from there on than steps */
    refused(set(field(&bytes, "DCFG", 76), UINT64_MAX, 8));
    refused(set(field(&bytes, "DRFT", 0), USUAL_STEPS + 1, 8)); /* more steps than history */
    refused(set(field(&bytes, "DRFT", 0), UINT64_MAX, 8));
    refused(set(field(&bytes, "DRFT", 8), UINT64_C(1) << 40, 8));          /* more than the block's steps can hold */
    refused(set(field(&bytes, "DRFT", 8 + 8 * SERIES), (1 << 26) + 1, 4)); /* a mean share above 1 */
    refused(set(field(&bytes, "STAT", 0), 3, 4));                          /* a state */
    refused(set(field(&bytes, "STAT", 0), UINT32_MAX, 4));
    refused(set(field(&bytes, "STAT", 0), MOEP_WARMUP, 4));           /* that is over */
    refused(set(field(&bytes, "STAT", 40), MOEP_WARMUP, 4));          /* of another layer */
    refused(set(field(&bytes, "STAT", 40 * LAYERS), MOEP_WARMUP, 4)); /* of an expert */
    refused(set(field(&bytes, "STAT", 8), UINT64_C(1) << 40, 8));     /* since a step to come */
    refused(set(field(&bytes, "STAT", 24), UINT64_C(1) << 40, 8));    /* entered with a block to come */
    refused(set(field(&bytes, "DRFT", 0), 0, 8));                     /* no block, but states */
    refused(set_real(&bytes, "STAT", 32, NAN));                       /* a drift */
    refused(set_real(&bytes, "STAT", 32, INFINITY));
    refused(set_real(&bytes, "STAT", 40 * LAYERS + 32, -INFINITY)); /* of an expert */
    refused(set_real(&bytes, "STAT", tokens, -1));
    refused(set_real(&bytes, "STAT", tokens, INFINITY));
    refused(set_share_of(&bytes, "HIST", 24, 1.5f));
#undef refused
    const char *const tags[] = {"DCFG", "HIST", "DRFT", "STAT"};
    for (size_t i = 0; i < 4; i++)
        for (int by = -8; by <= 8; by++) {
            bytes = usual_detector();
            if (by == 0 || (i == 0 && (by > 0 || by == -8))) /* by one field more, or one less */
                continue;
            resize(&bytes, tags[i], by);
            assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT);
        }
}

/* In STAT, after the states and the tokens of 5 blocks: N; the means of 8 periods; P, R and r of layers and of experts;
 * E2 of both. */
enum {
    ERRORS = 40 * (LAYERS + SERIES) + 8 * 5 * LAYERS,
    MEANS = ERRORS + 8,
    OF_LAYERS = MEANS + 4 * 8 * SERIES,
    OF_EXPERTS = OF_LAYERS + 3 * 8 * LAYERS,
    DRIFTS = OF_EXPERTS + 3 * 8 * SERIES,
    END = DRIFTS + 8 * (LAYERS + SERIES)
};

static struct bytes with_share(const struct bytes *usual, size_t at, float share)
{
    struct bytes bytes = *usual;
    set_share_of(&bytes, "STAT", at, share);
    sign(&bytes);
    return bytes;
}

static struct bytes with_real(const struct bytes *usual, size_t at, double value)
{
    struct bytes bytes = *usual;
    set_real(&bytes, "STAT", at, value);
    sign(&bytes);
    return bytes;
}

static void what_cannot_have_been_learned_is_refused_whatever_its_checksums(void **state)
{
    (void)state;
    const float no_shares[] = {1.5f, -0.1f, NAN};
    const double impossible[] = {NAN, INFINITY, -INFINITY}, squared_tolerances[] = {9, 36};
    struct bytes usual = usual_detector(), bytes;
    assert_int_equal(get(section_of(&usual, "STAT") + 8, 8), END);
    for (size_t i = 0; i < 3; i++)
        for (size_t at = MEANS; at < OF_LAYERS; at += 4) {
            bytes = with_share(&usual, at, no_shares[i]);
            assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT);
        }
    for (size_t i = 0; i < 3; i++)
        for (size_t at = ERRORS; at < END; at = at == ERRORS ? OF_LAYERS : at + 8) {
            bytes = with_real(&usual, at, impossible[i]);
            assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT);
        }
    bytes = with_real(&usual, ERRORS, -1);
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT);
    for (size_t i = 0; i < LAYERS + SERIES; i++) { /* r */
        size_t at = i < LAYERS ? OF_LAYERS + 8 * (2 * LAYERS + i) : OF_EXPERTS + 8 * (2 * SERIES + i - LAYERS);
        double most = 1.5 * squared_tolerances[i >= LAYERS];
        bytes = with_real(&usual, at, most);
        moep_detector_destroy(loaded_detector(&bytes));
        bytes = with_real(&usual, at, nextafter(most, 100));
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT);
    }
}

static void what_was_learned_must_be_there_if_and_only_if_the_growth_is_learned(void **state)
{
    (void)state;
    moep_detector_config config = constant_config();
    struct bytes learning = usual_detector(), constant = state_of(&config, USUAL_STEPS), longer = learning;
    set_real(&learning, "DCFG", 40, 0.3);
    set_real(&constant, "DCFG", 40, MOEP_LEARN);
    set(field(&longer, "DCFG", 16), 1000000, 8); /* the horizon: means of more periods */
    struct bytes *forged[] = {&learning, &constant, &longer};
    for (size_t i = 0; i < 3; i++) {
        sign(forged[i]);
        assert_refused(forged[i]->at, forged[i]->size, MOEP_ERROR_CORRUPT);
    }
}

/* Nothing that load accepts leads to a NaN, not even that no error has come. */
static void the_largest_of_all_that_may_have_been_learned_is_finite(void **state)
{
    (void)state;
    int64_t *counts = random_counts(DETECTED_STEPS, LAYERS, EXPERTS, 45);
    const double errors[] = {0, DBL_MAX};
    for (int i = 0; i < 4; i++) {
        struct bytes bytes = usual_detector();
        for (size_t at = OF_LAYERS; at < DRIFTS; at += 8) {
            size_t n = at < OF_EXPERTS ? LAYERS : SERIES, first = at < OF_EXPERTS ? OF_LAYERS : OF_EXPERTS;
            bool is_recent = at >= first + 8 * 2 * n;
            set_real(&bytes, "STAT", at, i % 2 ? -DBL_MAX : is_recent ? 9 : DBL_MAX);
        }
        set_real(&bytes, "STAT", ERRORS, errors[i / 2]);
        sign(&bytes);
        moep_detector *detector = loaded_detector(&bytes);
        for (size_t step = USUAL_STEPS; step < DETECTED_STEPS; step++)
            push_detector(detector, counts, step);
        double layer_drifts[LAYERS], drifts[SERIES];
        assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 0, layer_drifts, drifts), MOEP_OK);
        for (size_t layer = 0; layer < LAYERS; layer++)
            assert_true(isfinite(layer_drifts[layer]));
        for (size_t s = 0; s < SERIES; s++)
            assert_true(isfinite(drifts[s]));
        bytes = saved_detector(detector);
        moep_detector_destroy(loaded_detector(&bytes));
        moep_detector_destroy(detector);
    }
    free(counts);
}

static void a_detector_in_warmup_has_no_other_state(void **state)
{
    (void)state;
    int64_t *counts = random_counts(DETECTED_STEPS, LAYERS, EXPERTS, 48);
    moep_detector *detector = detector_after(counts, 5);
    struct bytes bytes = saved_detector(detector);
    moep_detector_destroy(loaded_detector(&bytes));
    set(field(&bytes, "STAT", 0), MOEP_STABLE, 4);
    sign(&bytes);
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT);
    moep_detector_destroy(detector);
    free(counts);
}

static void fields_appended_to_the_configuration_are_skipped(void **state)
{
    (void)state;
    struct bytes plain = usual_detector(), bytes = plain;
    resize(&bytes, "DCFG", 12);
    moep_detector *expected = loaded_detector(&plain), *read = loaded_detector(&bytes);
    assert_same_words(expected, read);
    moep_detector_destroy(read);
    moep_detector_destroy(expected);
}

static void a_detector_remembers_where_the_run_was_joined(void **state)
{
    (void)state;
    const int64_t counts[SERIES] = {1};
    moep_detector *detector = make_learning(NULL);
    assert_int_equal(moep_detector_push_at(detector, 50000, 1, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_detector_push_at(detector, 50004, 1, counts, MOEP_INT64), MOEP_OK);
    struct bytes bytes = saved_detector(detector);
    moep_detector *read = loaded_detector(&bytes);
    moep_info info = {.struct_size = sizeof info};
    assert_int_equal(moep_detector_info(read, &info), MOEP_OK);
    assert_int_equal(info.gaps, 3);
    moep_detector_destroy(read);
    moep_detector_destroy(detector);
}

/* ---- files of releases past -------------------------------------------------------------------------------------- */

static struct bytes golden(const char *path)
{
    struct bytes bytes;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    bytes.size = fread(bytes.at, 1, MOST, file);
    fclose(file);
    return bytes;
}

/* Written by libmoepredict 0.1.0, one before it learned (test_detector_state --write FILE 0.3), one after (-1). */
static const struct {
    const char *path;
    size_t steps;
    bool learns;
} goldens[] = {{TEST_DATA "/detector-0.1.0.moep", 45, false},
               {TEST_DATA "/detector-0.1.0-learning.moep", USUAL_STEPS, true}};

static void the_states_written_by_0_1_0_are_still_read_and_go_on_with_the_same_bytes(void **state)
{
    (void)state;
    int64_t *counts = random_counts(DETECTED_STEPS, LAYERS, EXPERTS, 45);
    for (size_t i = 0; i < 2; i++) {
        moep_detector_config config = goldens[i].learns ? config_of(MOEP_LEARN) : constant_config();
        struct bytes bytes = golden(goldens[i].path);
        moep_detector *detector = loaded_detector(&bytes), *expected = detector_of(&config, counts, goldens[i].steps);
        moep_state layers[LAYERS];
        assert_int_equal(moep_detector_states(detector, layers, NULL), MOEP_OK);
        assert_int_equal(layers[0], MOEP_STABLE);
        assert_same_words(detector, expected);
        for (size_t step = goldens[i].steps; step < DETECTED_STEPS; step++) {
            push_detector(detector, counts, step);
            push_detector(expected, counts, step);
            assert_same_words(detector, expected);
        }
        moep_detector_destroy(expected);
        moep_detector_destroy(detector);
    }
    free(counts);
}

static int write_golden(const char *path, bool learns)
{
    moep_detector_config config = learns ? config_of(MOEP_LEARN) : constant_config();
    struct bytes bytes = state_of(&config, goldens[learns].steps);
    FILE *file = fopen(path, "wb");
    return file && fwrite(bytes.at, 1, bytes.size, file) == bytes.size && fclose(file) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest detector_state[] = {
        cmocka_unit_test(a_run_loaded_or_cloned_at_any_step_continues_with_the_same_bytes),
        cmocka_unit_test(a_run_of_one_expert_is_restored),
        cmocka_unit_test(a_clone_and_its_original_are_independent),
        cmocka_unit_test(the_size_stays_the_same_throughout_a_run),
        cmocka_unit_test(a_loaded_detector_has_its_configuration),
        cmocka_unit_test(one_kind_of_handle_is_not_loaded_as_the_other),
        cmocka_unit_test(null_and_bad_runtimes_are_refused),
        cmocka_unit_test(any_flipped_bit_and_any_missing_tail_is_seen),
        cmocka_unit_test(an_impossible_state_is_refused_whatever_its_checksums),
        cmocka_unit_test(what_cannot_have_been_learned_is_refused_whatever_its_checksums),
        cmocka_unit_test(what_was_learned_must_be_there_if_and_only_if_the_growth_is_learned),
        cmocka_unit_test(the_largest_of_all_that_may_have_been_learned_is_finite),
        cmocka_unit_test(a_detector_in_warmup_has_no_other_state),
        cmocka_unit_test(fields_appended_to_the_configuration_are_skipped),
        cmocka_unit_test(a_detector_remembers_where_the_run_was_joined),
        cmocka_unit_test(the_states_written_by_0_1_0_are_still_read_and_go_on_with_the_same_bytes),
    };
    if (argc == 4 && strcmp(argv[1], "--write") == 0)
        return write_golden(argv[2], atof(argv[3]) < 0);
    return cmocka_run_group_tests(detector_state, NULL, NULL);
}
