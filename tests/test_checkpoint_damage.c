/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes may be loaded: damaged ones, and impossible ones with correct checksums. */
#include "state.h"

/* ---- damage ------------------------------------------------------------------------------------------------------ */

/* No handle is made, nothing leaks, and no more memory is allocated than the input is long. If the fault is found
 * before any is needed, none is. */
static void assert_refused(const void *bytes, size_t size, moep_status expected, bool takes_memory)
{
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    unsigned char *exact = malloc(size ? size : 1); /* reads past the end are seen by the sanitizer */
    memcpy(exact, bytes, size);
    moep_predictor *predictor = (moep_predictor *)exact;
    moep_status status = moep_predictor_load(exact, size, &runtime, &predictor);
    if (status != expected)
        fail_msg("%s (%s), expected %s", moep_status_string(status), moep_last_error(), moep_status_string(expected));
    assert_null(predictor);
    assert_int_equal(memory.live_blocks, 0);
    assert_true(memory.peak_bytes <= size + sizeof(struct moep_predictor));
    assert_true(takes_memory || memory.requests == 0);
    free(exact);
}

static void any_flipped_bit_is_seen(void **state)
{
    (void)state;
    struct bytes bytes = usual_state();
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, false);
        bytes.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

static void any_missing_tail_is_seen(void **state)
{
    (void)state;
    struct bytes bytes = usual_state();
    for (size_t size = 0; size < bytes.size; size++)
        assert_refused(bytes.at, size, MOEP_ERROR_CORRUPT, false);
}

static void bytes_after_the_end_are_ignored(void **state)
{
    (void)state;
    struct bytes bytes = usual_state(), longer = bytes;
    memset(longer.at + longer.size, 0xee, 10);
    longer.size += 10;
    moep_predictor *plain = loaded(&bytes), *padded = loaded(&longer);
    assert_same_state(plain, padded);
    moep_predictor_destroy(padded);
    moep_predictor_destroy(plain);
}

static void set_share(struct bytes *bytes, size_t i, float share)
{
    set_share_of(bytes, "HIST", 24 + 4 * i, share);
}

/* ---- impossible values with correct checksums -------------------------------------------------------------------- */

static void an_unknown_section_is_skipped_unless_it_is_critical(void **state)
{
    (void)state;
    struct bytes plain = usual_state(), bytes = plain;
    append(&bytes, "NEWS", 9, 0);
    sign(&bytes);
    moep_predictor *expected = loaded(&plain), *read = loaded(&bytes);
    assert_same_state(expected, read);
    moep_predictor_destroy(read);
    moep_predictor_destroy(expected);
    for (uint16_t flags = 1; flags < 8; flags += 2) {
        bytes = plain;
        append(&bytes, "NEWS", 1, flags);
        sign(&bytes);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
    }
}

static void a_later_format_is_distinguished_from_damage(void **state)
{
    (void)state;
    struct bytes plain = usual_state(), bytes = plain;
    set(bytes.at + 8, 2, 2);
    sign(&bytes);
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
    assert_says("format 2");
    bytes = plain;
    set(bytes.at + 10, 7, 2); /* a later minor adds only fields that may be skipped */
    sign(&bytes);
    moep_predictor_destroy(loaded(&bytes));
    const char *const tags[] = {"PCFG", "HIST", "MODL"};
    for (size_t i = 0; i < 3; i++) {
        bytes = plain;
        set(section_of(&bytes, tags[i]) + 4, 2, 2);
        sign(&bytes);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
        bytes = plain;
        memcpy(section_of(&bytes, tags[i]), "GONE", 4); /* missing, and unknown */
        set(section_of(&bytes, "GONE") + 6, 0, 2);
        sign(&bytes);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
        bytes = plain;
        append(&bytes, tags[i], 1, 1);
        sign(&bytes);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, false);
    }
    bytes = plain;
    set(field(&bytes, "PCFG", 16), 1001, 4); /* a method to come */
    sign(&bytes);
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
    assert_says("method, 1001");
}

static void an_impossible_state_is_refused_whatever_its_checksums(void **state)
{
    (void)state;
    struct bytes bytes;
#define refused(takes_memory, change)                                           \
    do {                                                                        \
        bytes = usual_state();                                                  \
        change;                                                                 \
        sign(&bytes);                                                           \
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, takes_memory); \
    } while (0)
    refused(false, set(field(&bytes, "PCFG", 0), 0, 8)); /* layers */
    refused(false, set(field(&bytes, "PCFG", 0), LAYERS + 1, 8));
    refused(false, set(field(&bytes, "PCFG", 0), UINT64_MAX, 8));
    refused(false, set(field(&bytes, "PCFG", 8), 0, 8)); /* experts */
    refused(false, set(field(&bytes, "PCFG", 8), UINT64_C(1) << 62, 8));
    refused(false, set(field(&bytes, "PCFG", 20), 0, 4)); /* sw_avg_window */
    refused(false, set(field(&bytes, "PCFG", 20), WINDOW + 1, 4));
    refused(false, set(field(&bytes, "PCFG", 24), 0, 8)); /* history */
    refused(false, set(field(&bytes, "PCFG", 24), WINDOW + 1, 8));
    refused(false, set(field(&bytes, "PCFG", 24), UINT64_C(1) << 40, 8));
    refused(true, set(field(&bytes, "PCFG", 100), 21, 8)); /* first_step: fewer numbers from there on than steps */
    refused(true, set(field(&bytes, "PCFG", 100), UINT64_MAX, 8));
    refused(true, set(field(&bytes, "HIST", 0), UINT64_C(1) << 40, 8));     /* more steps than next_step */
    refused(true, set(field(&bytes, "HIST", 0), 2, 8));                     /* fewer than there are rows */
    refused(true, set(field(&bytes, "HIST", 8), UINT64_MAX, 8));            /* next_step */
    refused(true, set(field(&bytes, "HIST", 16), LAYERS * (STEPS + 1), 8)); /* empty_layers */
    refused(true, set_share(&bytes, 3, NAN));
    refused(true, set_share(&bytes, 3, INFINITY));
    refused(true, set_share(&bytes, 3, -0.25f));
    refused(true, set_share(&bytes, 3, 1.5f));
    refused(false, set(bytes.at + 12, 2, 4)); /* the number of sections */
    refused(false, set(bytes.at + 12, 4, 4));
    refused(false, set(bytes.at + 12, UINT32_MAX, 4));
    refused(false, set(section_of(&bytes, "MODL") + 8, UINT64_MAX, 8)); /* its length */
    refused(false, set(section_of(&bytes, "MODL") + 8, 9, 8));
    refused(false, bytes.at[0] = 'x');
    refused(false, set(bytes.at + 8, 0, 2));                   /* the format's major */
    refused(false, set(section_of(&bytes, "HIST") + 4, 0, 2)); /* a section's version */
    refused(true, set(field(&bytes, "MODL", 0), 7, 8));        /* SW_Avg is never fitted */
#undef refused
}

static void a_section_with_fields_missing_or_left_over_is_refused(void **state)
{
    (void)state;
    const char *const tags[] = {"PCFG", "HIST", "MODL"};
    for (size_t i = 0; i < 3; i++) {
        for (int by = -8; by <= 8; by++) {
            struct bytes bytes = usual_state();
            if (by == 0 || (i == 0 && (by > 0 || by == -8))) /* by one field more, or one less */
                continue;
            resize(&bytes, tags[i], by);
            assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, true);
        }
    }
}

/* A later release appends fields of its methods to the configuration. */
static void fields_appended_to_the_configuration_are_skipped(void **state)
{
    (void)state;
    struct bytes plain = usual_state(), bytes = plain;
    resize(&bytes, "PCFG", 12);
    moep_predictor *expected = loaded(&plain), *read = loaded(&bytes);
    assert_same_state(expected, read);
    moep_predictor_destroy(read);
    moep_predictor_destroy(expected);
}

/* A later release also reads a checkpoint without them. They keep their defaults. */
static void a_field_is_there_as_long_as_there_is_more(void **state)
{
    (void)state;
    const struct section section = {"TEST", 1};
    struct bytes bytes;
    struct checkpoint checkpoint;
    uint32_t first = 5, second = 6;
    mp_checkpoint_write(&checkpoint, bytes.at);
    mp_checkpoint_section(&checkpoint, &section);
    assert_true(mp_checkpoint_more(&checkpoint));
    mp_field_u32(&checkpoint, &first);
    mp_checkpoint_skip(&checkpoint);
    mp_checkpoint_end(&checkpoint);
    bytes.size = mp_checkpoint_finish(&checkpoint);
    first = 0;
    assert_int_equal(mp_checkpoint_read(&checkpoint, bytes.at, bytes.size, &section, 1), MOEP_OK);
    mp_checkpoint_section(&checkpoint, &section);
    assert_true(mp_checkpoint_more(&checkpoint));
    mp_field_u32(&checkpoint, &first);
    assert_false(mp_checkpoint_more(&checkpoint));
    assert_int_equal(mp_checkpoint_end(&checkpoint), MOEP_OK);
    mp_field_u32(&checkpoint, &second);
    assert_true(first == 5 && second == 6);
    assert_int_equal(mp_checkpoint_end(&checkpoint), MOEP_ERROR_CORRUPT);

    /* A version that a reader knows, and all before it. */
    assert_int_equal(mp_checkpoint_read(&checkpoint, bytes.at, bytes.size, &(struct section){"TEST", 2}, 1), MOEP_OK);
    assert_int_equal(mp_checkpoint_read(&checkpoint, bytes.at, bytes.size, &(struct section){"TEST", 0}, 1),
                     MOEP_ERROR_INCOMPATIBLE);
}

/* Vector code treats the last numbers of an array apart, so arrays of many sizes are read. */
static void a_float_out_of_range_is_seen_in_any_place(void **state)
{
    (void)state;
    enum { MOST_FLOATS = 70 };
    const float bad[] = {NAN, INFINITY, -INFINITY, nextafterf(2, 3), nextafterf(-2, -3)};
    unsigned char bytes[4 * MOST_FLOATS];
    float values[MOST_FLOATS] = {0, -0.0f, 2, -2, 0x1p-149f, 0x1.234568p-3f}, read[MOST_FLOATS];
    for (size_t n = 0; n <= MOST_FLOATS; n++) {
        struct checkpoint writer = {.mode = MP_WRITE, .out = bytes};
        mp_field_floats(&writer, values, n, 2);
        for (size_t i = 0; i < n; i++)
            assert_true(get(bytes + 4 * i, 4) == bits_of(values[i]));
        struct checkpoint reader = {.mode = MP_READ, .in = bytes, .end = 4 * n};
        mp_field_floats(&reader, read, n, 2);
        assert_false(reader.bad);
        assert_memory_equal(read, values, n * sizeof *read);
        for (size_t i = 0; i < n; i++) {
            set(bytes + 4 * i, bits_of(bad[(n + i) % 5]), 4);
            reader = (struct checkpoint){.mode = MP_READ, .in = bytes, .end = 4 * n};
            mp_field_floats(&reader, read, n, 2);
            assert_true(reader.bad);
            set(bytes + 4 * i, bits_of(values[i]), 4);
        }
    }
}

static void a_byte_among_zeros_is_seen_in_any_place(void **state)
{
    (void)state;
    enum { MOST_FLOATS = 70 };
    unsigned char bytes[4 * MOST_FLOATS] = {0};
    for (size_t n = 0; n <= MOST_FLOATS; n++)
        for (size_t i = 0; i <= 4 * n; i++) {
            if (i < 4 * n)
                bytes[i] = (unsigned char)(1 << i % 8);
            struct checkpoint reader = {.mode = MP_READ, .in = bytes, .end = 4 * n};
            mp_field_zeros(&reader, n);
            assert_int_equal(reader.bad, i < 4 * n);
            if (i < 4 * n)
                bytes[i] = 0;
        }
}

static void a_total_shorter_than_the_header_is_refused(void **state)
{
    (void)state;
    for (uint64_t total = 0; total < HEADER; total += 31) {
        struct bytes bytes = usual_state();
        struct crc32c crc;
        mp_crc32c_init(&crc);
        set(bytes.at + 16, total, 8);
        set(bytes.at + 28, mp_crc32c(&crc, 0, bytes.at, 28), 4);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, false);
    }
}

/* One expert has all the load; step numbers end at 2^64 - 2. */
static void extreme_states_are_read_back(void **state)
{
    (void)state;
    const int64_t counts[3] = {5, 0, 7};
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, 1, 1, WINDOW, NULL);
    assert_int_equal(moep_predictor_push_at(predictor, UINT64_MAX - 4, 3, counts, MOEP_INT64), MOEP_OK);
    struct bytes bytes = saved(predictor);
    moep_predictor *restored = loaded(&bytes);
    assert_same_state(predictor, restored);
    assert_true(info_of(restored).next_step == UINT64_MAX - 1);
    moep_predictor_destroy(restored);
    moep_predictor_destroy(predictor);
}

static void a_model_is_saved_and_cloned_with_its_handle(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 43);
    moep_predictor *original = make_toy(LAYERS, EXPERTS, NULL), *clone = NULL;
    assert_int_equal(moep_predictor_push(original, 15, counts, MOEP_INT64), MOEP_OK);
    struct bytes unfitted = saved(original);
    assert_int_equal(moep_predictor_fit(original), MOEP_OK);
    struct bytes fitted = saved(original);
    assert_int_equal(unfitted.size, fitted.size);
    assert_memory_not_equal(unfitted.at, fitted.at, fitted.size);
    assert_int_equal(moep_predictor_clone(original, NULL, &clone), MOEP_OK);
    assert_same_state(original, clone);
    assert_int_equal(info_of(clone).fitted_step, 15);

    moep_predictor *restored = loaded(&fitted);
    assert_same_state(original, restored);
    moep_predictor_destroy(restored);

    /* A model that is missing or impossible. */
    struct bytes bytes = fitted;
    set_share_of(&bytes, "MODL", 8, 1.5f);
    sign(&bytes);
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, true);
    bytes = fitted;
    resize(&bytes, "MODL", -15); /* a byte for all of it */
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, false);
    moep_predictor_destroy(clone);
    moep_predictor_destroy(original);
    free(counts);
}

/* ARIMA's model, in the middle of a round: 32 bytes, then 6 series of 444 bytes each. */
static void an_impossible_arima_model_is_refused(void **state)
{
    (void)state;
    static unsigned char plain[16384], bytes[16384];
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    int64_t *counts = random_counts(60, LAYERS, EXPERTS, 44);
    size_t size = 0, at = HEADER;
    assert_int_equal(moep_predictor_config_init(&config, MOEP_ARIMA), MOEP_OK);
    config.arima_p = config.arima_q = MOEP_SELECT;
    config.arima_bucket = 1;
    config.history = 60;
    config.fit_budget = 1e-6;
    assert_int_equal(moep_predictor_create(LAYERS, EXPERTS, &config, NULL, &predictor), MOEP_OK);
    assert_int_equal(moep_predictor_push(predictor, 60, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK); /* the orders of a layer */
    assert_int_equal(moep_predictor_save(predictor, plain, sizeof plain, &size), MOEP_OK);
    while (memcmp(plain + at, "MODL", 4) != 0)
        at += SECTION_HEADER + (size_t)get(plain + at + 8, 8);
    const size_t length = (size_t)get(plain + at + 8, 8), model = at + SECTION_HEADER + 8;
    assert_int_equal(get(plain + model + 8, 8), EXPERTS);
    const struct {
        size_t offset, bytes;
        uint64_t value;
        bool loads;
    } changes[] = {
        {8, 8, EXPERTS, true},     /* ordered: as it was */
        {8, 8, EXPERTS + 1, true}, /* no whole layer: a new round begins */
        {8, 8, SERIES, true},
        {8, 8, SERIES + 1, false},
        {16, 8, 1, false},
        /* over, but not ordered */ {16, 8, 2, false},
        {32, 4, 9, false},
        /* p */ {36, 4, 3, false}, /* d */
        {44, 4, 2, false},
        /* mean */ {48, 4, 3, false},                  /* fallback */
        {60, 8, UINT64_C(0x7ff8000000000000), false},  /* phi[0]: not a number */
        {60, 8, UINT64_C(0x3ff0000000000000), false},  /* phi[0] of p = 0 */
        {60, 8, UINT64_C(0xbff0000000000000), false},  /* less than 0 */
        {124, 8, UINT64_C(0x3ff0000000000000), false}, /* theta[0] of q = 0 */
        {40, 4, 9, false},                             /* q */
        {56, 4, 2, false},                             /* done */
        {188, 8, UINT64_C(0x7ff8000000000000), false}, /* phi's standard error: not a number, but infinite where */
        {188, 8, UINT64_C(0x7ff0000000000000), true},  /* the data say nothing; theta's */
        {196, 8, UINT64_C(0x7ff8000000000000), false},
        {316, 8, UINT64_C(0x7ff0000000000000), false}, /* mean */
        {324, 8, UINT64_C(0xbff0000000000000), false}, /* variance */
        {324, 8, UINT64_C(0x7ff0000000000000), false},
        {332, 8, UINT64_C(0x7ff8000000000000), false}, /* log-likelihood: of a constant it is infinite; criterion */
        {332, 8, UINT64_C(0x7ff0000000000000), true},
        {340, 8, UINT64_C(0x7ff8000000000000), false},
        {348, 4, 9, false}, /* the requested order */
        {356, 4, 9, false},
        {24, 8, 12, true}, /* horizons that factors are known for */
        {24, 8, 13, false},
        {364, 8, UINT64_C(0x4013ffffffffffff), true}, /* the logarithm of the next step's factor: less than 5 */
        {364, 8, UINT64_C(0x4014000000000000), false},
        {364, 8, UINT64_C(0xc014000000000000), false},
        {372, 8, UINT64_C(0x4014000000000000), false}, /* of the first and the last horizon's */
        {460, 8, UINT64_C(0x7ff8000000000000), false},
        {468, 8, 2, false}, /* known */
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct crc32c crc;
        moep_predictor *read = NULL;
        memcpy(bytes, plain, size);
        set(bytes + model + changes[i].offset, changes[i].value, changes[i].bytes);
        mp_crc32c_init(&crc);
        uint32_t sum = mp_crc32c(&crc, 0, bytes + at, 16);
        set(bytes + at + 16, mp_crc32c(&crc, sum, bytes + at + SECTION_HEADER, length), 4);
        moep_status status = moep_predictor_load(bytes, size, NULL, &read);
        if (status != (changes[i].loads ? MOEP_OK : MOEP_ERROR_CORRUPT))
            fail_msg("change %zu: %s", i, moep_status_string(status));
        for (int fits = 0; read && fits < 2 * SERIES; fits++)
            assert_int_equal(moep_predictor_fit(read), MOEP_OK);
        moep_predictor_destroy(read);
    }
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest damage[] = {
        cmocka_unit_test(any_flipped_bit_is_seen),
        cmocka_unit_test(any_missing_tail_is_seen),
        cmocka_unit_test(bytes_after_the_end_are_ignored),
        cmocka_unit_test(an_unknown_section_is_skipped_unless_it_is_critical),
        cmocka_unit_test(a_later_format_is_distinguished_from_damage),
        cmocka_unit_test(an_impossible_state_is_refused_whatever_its_checksums),
        cmocka_unit_test(a_section_with_fields_missing_or_left_over_is_refused),
        cmocka_unit_test(fields_appended_to_the_configuration_are_skipped),
        cmocka_unit_test(a_field_is_there_as_long_as_there_is_more),
        cmocka_unit_test(a_float_out_of_range_is_seen_in_any_place),
        cmocka_unit_test(a_byte_among_zeros_is_seen_in_any_place),
        cmocka_unit_test(a_total_shorter_than_the_header_is_refused),
        cmocka_unit_test(extreme_states_are_read_back),
        cmocka_unit_test(a_model_is_saved_and_cloned_with_its_handle),
        cmocka_unit_test(an_impossible_arima_model_is_refused),
    };
    return cmocka_run_group_tests(damage, NULL, NULL);
}
