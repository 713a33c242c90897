/* SPDX-License-Identifier: BSD-3-Clause */
/* State out and in. test_checkpoint --write FILE makes a golden file: one per release that changes the format. */
#include "toy.h"

#include "support/crc32c.h"

#include <stdio.h>

enum { LAYERS = 2, EXPERTS = 3, SERIES = LAYERS * EXPERTS, WINDOW = 5, STEPS = 23 };
enum { HEADER = 32, SECTION_HEADER = 20, MOST = 2048 };

struct bytes {
    unsigned char at[MOST];
    size_t size;
};

/* ---- a run, and its state ---------------------------------------------------------------------------------------- */

/* Steps 7, 8, then a gap, and layers without tokens. */
static void push_step(moep_predictor *predictor, const int64_t *counts, size_t step)
{
    int64_t row[SERIES];
    memcpy(row, counts + step * SERIES, sizeof row);
    if (step % 6 == 0)
        memset(row, 0, EXPERTS * sizeof *row);
    assert_int_equal(moep_predictor_push_at(predictor, step < 2 ? 7 + step : 20 + step, 1, row, MOEP_INT64), MOEP_OK);
}

static moep_predictor *predictor_after(const int64_t *counts, size_t steps)
{
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, WINDOW, NULL);
    for (size_t step = 0; step < steps; step++)
        push_step(predictor, counts, step);
    return predictor;
}

static struct bytes saved(const moep_predictor *predictor)
{
    struct bytes bytes = {.size = 0};
    size_t size = 0;
    assert_int_equal(moep_predictor_save(predictor, NULL, 0, &size), MOEP_OK);
    assert_true(size <= MOST);
    assert_int_equal(moep_predictor_save(predictor, bytes.at, size, &bytes.size), MOEP_OK);
    assert_int_equal(bytes.size, size);
    return bytes;
}

static moep_predictor *loaded(const struct bytes *bytes)
{
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_load(bytes->at, bytes->size, NULL, &predictor), MOEP_OK);
    return predictor;
}

static struct bytes usual_state(void)
{
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 41);
    moep_predictor *predictor = predictor_after(counts, STEPS);
    struct bytes bytes = saved(predictor);
    moep_predictor_destroy(predictor);
    free(counts);
    return bytes;
}

static void assert_same_state(const moep_predictor *a, const moep_predictor *b)
{
    struct bytes of_a = saved(a), of_b = saved(b);
    assert_int_equal(of_a.size, of_b.size);
    assert_memory_equal(of_a.at, of_b.at, of_a.size);
    double shares[4 * SERIES] = {0}, others[4 * SERIES] = {0};
    moep_status status = moep_predictor_predict(a, 10, 3, shares, 4 * SERIES);
    assert_int_equal(moep_predictor_predict(b, 10, 3, others, 4 * SERIES), status);
    if (status == MOEP_OK)
        assert_memory_equal(shares, others, sizeof shares);
    moep_info info_a = info_of(a), info_b = info_of(b);
    assert_memory_equal(&info_a, &info_b, sizeof info_a);
}

/* ---- going on ---------------------------------------------------------------------------------------------------- */

static void a_run_restored_or_cloned_at_any_step_goes_on_with_the_same_bytes(void **state)
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
    assert_same_state(fresh, used); /* what is left in the ring is no state */
    moep_predictor_destroy(used);
    moep_predictor_destroy(fresh);
    free(counts);
}

static void a_buffer_too_small_is_left_alone(void **state)
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

static void the_checksum_is_crc_32c(void **state)
{
    (void)state;
    struct crc32c crc;
    unsigned char zeros[32] = {0}, ones[32];
    memset(ones, 0xff, sizeof ones);
    mp_crc32c_init(&crc);
    assert_int_equal(mp_crc32c(&crc, 0, zeros, 32), 0x8a9136aa); /* RFC 3720, appendix B.4 */
    assert_int_equal(mp_crc32c(&crc, 0, ones, 32), 0x62a8ab43);
    assert_int_equal(mp_crc32c(&crc, 0, "123456789", 9), 0xe3069283);
    assert_int_equal(mp_crc32c(&crc, mp_crc32c(&crc, 0, "1234", 4), "56789", 5), 0xe3069283);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

/* Nothing is made, nothing leaks, and no more memory is asked for than the input is long; none at all where what is wrong
 * can be seen before. */
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

/* ---- forgeries: their checksums are right ------------------------------------------------------------------------ */

static uint64_t get(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static void put(unsigned char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static unsigned char *section_of(struct bytes *bytes, const char *tag)
{
    size_t at = HEADER;
    while (at < bytes->size && memcmp(bytes->at + at, tag, 4) != 0)
        at += SECTION_HEADER + (size_t)get(bytes->at + at + 8, 8);
    assert_true(at < bytes->size);
    return bytes->at + at;
}

static unsigned char *field(struct bytes *bytes, const char *tag, size_t offset)
{
    return section_of(bytes, tag) + SECTION_HEADER + offset;
}

static void sign(struct bytes *bytes)
{
    struct crc32c crc;
    mp_crc32c_init(&crc);
    for (size_t at = HEADER; at < bytes->size; at += SECTION_HEADER + (size_t)get(bytes->at + at + 8, 8)) {
        uint32_t sum = mp_crc32c(&crc, 0, bytes->at + at, 16);
        size_t length = (size_t)get(bytes->at + at + 8, 8);
        if (length <= bytes->size - at - SECTION_HEADER)
            put(bytes->at + at + 16, mp_crc32c(&crc, sum, bytes->at + at + SECTION_HEADER, length), 4);
        else
            break;
    }
    put(bytes->at + 16, bytes->size, 8);
    put(bytes->at + 28, mp_crc32c(&crc, 0, bytes->at, 28), 4);
}

/* One more section, of 5 bytes. */
static void append(struct bytes *bytes, const char *tag, uint16_t version, uint16_t flags)
{
    unsigned char *section = bytes->at + bytes->size;
    memcpy(section, tag, 4);
    put(section + 4, version, 2);
    put(section + 6, flags, 2);
    put(section + 8, 5, 8);
    memcpy(section + SECTION_HEADER, "hello", 5);
    bytes->size += SECTION_HEADER + 5;
    put(bytes->at + 12, get(bytes->at + 12, 4) + 1, 4);
}

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

static void a_later_format_is_told_from_damage(void **state)
{
    (void)state;
    struct bytes plain = usual_state(), bytes = plain;
    put(bytes.at + 8, 2, 2);
    sign(&bytes);
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
    assert_says("format 2");
    bytes = plain;
    put(bytes.at + 10, 7, 2); /* a later minor adds what may be skipped */
    sign(&bytes);
    moep_predictor_destroy(loaded(&bytes));
    const char *const tags[] = {"PCFG", "HIST", "MODL"};
    for (size_t i = 0; i < 3; i++) {
        bytes = plain;
        put(section_of(&bytes, tags[i]) + 4, 2, 2);
        sign(&bytes);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
        bytes = plain;
        memcpy(section_of(&bytes, tags[i]), "GONE", 4); /* missing, and unknown */
        put(section_of(&bytes, "GONE") + 6, 0, 2);
        sign(&bytes);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
        bytes = plain;
        append(&bytes, tags[i], 1, 1);
        sign(&bytes);
        assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, false);
    }
    bytes = plain;
    put(field(&bytes, "PCFG", 16), 1001, 4); /* a method to come */
    sign(&bytes);
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_INCOMPATIBLE, false);
    assert_says("method, 1001");
}

static void put_share_of(struct bytes *bytes, const char *tag, size_t offset, float share)
{
    uint32_t bits;
    memcpy(&bits, &share, sizeof bits);
    put(field(bytes, tag, offset), bits, 4);
}

static void put_share(struct bytes *bytes, size_t i, float share)
{
    put_share_of(bytes, "HIST", 24 + 4 * i, share);
}

/* The section loses or gains bytes at its end. */
static void resize(struct bytes *bytes, const char *tag, int by)
{
    unsigned char *section = section_of(bytes, tag);
    size_t length = (size_t)get(section + 8, 8);
    unsigned char *end = section + SECTION_HEADER + length, *behind = bytes->at + bytes->size;
    memmove(end + by, end, (size_t)(behind - end));
    if (by > 0)
        memset(end, 0, (size_t)by);
    put(section + 8, (uint64_t)((int64_t)length + by), 8);
    bytes->size = (size_t)((int64_t)bytes->size + by);
    sign(bytes);
}

static void a_state_that_cannot_be_is_refused_whatever_its_checksums(void **state)
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
    refused(false, put(field(&bytes, "PCFG", 0), 0, 8)); /* layers */
    refused(false, put(field(&bytes, "PCFG", 0), LAYERS + 1, 8));
    refused(false, put(field(&bytes, "PCFG", 0), UINT64_MAX, 8));
    refused(false, put(field(&bytes, "PCFG", 8), 0, 8)); /* experts */
    refused(false, put(field(&bytes, "PCFG", 8), UINT64_C(1) << 62, 8));
    refused(false, put(field(&bytes, "PCFG", 20), 0, 4)); /* sw_avg_window */
    refused(false, put(field(&bytes, "PCFG", 20), WINDOW + 1, 4));
    refused(false, put(field(&bytes, "PCFG", 24), 0, 8)); /* history */
    refused(false, put(field(&bytes, "PCFG", 24), WINDOW + 1, 8));
    refused(false, put(field(&bytes, "PCFG", 24), UINT64_C(1) << 40, 8));
    refused(true, put(field(&bytes, "HIST", 0), UINT64_C(1) << 40, 8));     /* steps beyond next_step */
    refused(true, put(field(&bytes, "HIST", 0), 2, 8));                     /* fewer than there are rows */
    refused(true, put(field(&bytes, "HIST", 8), UINT64_MAX, 8));            /* next_step */
    refused(true, put(field(&bytes, "HIST", 16), LAYERS * (STEPS + 1), 8)); /* empty_layers */
    refused(true, put_share(&bytes, 3, NAN));
    refused(true, put_share(&bytes, 3, INFINITY));
    refused(true, put_share(&bytes, 3, -0.25f));
    refused(true, put_share(&bytes, 3, 1.5f));
    refused(false, put(bytes.at + 12, 2, 4)); /* the number of sections */
    refused(false, put(bytes.at + 12, 4, 4));
    refused(false, put(bytes.at + 12, UINT32_MAX, 4));
    refused(false, put(section_of(&bytes, "MODL") + 8, UINT64_MAX, 8)); /* its length */
    refused(false, put(section_of(&bytes, "MODL") + 8, 9, 8));
    refused(false, bytes.at[0] = 'x');
    refused(false, put(bytes.at + 8, 0, 2));                   /* the format's major */
    refused(false, put(section_of(&bytes, "HIST") + 4, 0, 2)); /* a section's version */
    refused(true, put(field(&bytes, "MODL", 0), 7, 8));        /* SW_Avg is never fitted */
#undef refused
}

static void a_section_with_fields_missing_or_left_over_is_refused(void **state)
{
    (void)state;
    const char *const tags[] = {"PCFG", "HIST", "MODL"};
    for (size_t i = 0; i < 3; i++) {
        for (int by = -8; by <= 8; by++) {
            struct bytes bytes = usual_state();
            if (by == 0 || (i == 0 && by > 0))
                continue;
            resize(&bytes, tags[i], by);
            assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, true);
        }
    }
}

/* A later release appends fields of its methods to the configuration. */
static void fields_appended_to_the_configuration_are_passed_over(void **state)
{
    (void)state;
    struct bytes plain = usual_state(), bytes = plain;
    resize(&bytes, "PCFG", 12);
    moep_predictor *expected = loaded(&plain), *read = loaded(&bytes);
    assert_same_state(expected, read);
    moep_predictor_destroy(read);
    moep_predictor_destroy(expected);
}

/* And reads what an earlier one has written without them: they keep their defaults. */
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
    mp_visit_u32(&checkpoint, &first);
    mp_checkpoint_skip(&checkpoint);
    mp_checkpoint_end(&checkpoint);
    bytes.size = mp_checkpoint_finish(&checkpoint);
    first = 0;
    assert_int_equal(mp_checkpoint_read(&checkpoint, bytes.at, bytes.size, &section, 1), MOEP_OK);
    mp_checkpoint_section(&checkpoint, &section);
    assert_true(mp_checkpoint_more(&checkpoint));
    mp_visit_u32(&checkpoint, &first);
    assert_false(mp_checkpoint_more(&checkpoint));
    assert_int_equal(mp_checkpoint_end(&checkpoint), MOEP_OK);
    mp_visit_u32(&checkpoint, &second);
    assert_true(first == 5 && second == 6);
    assert_int_equal(mp_checkpoint_end(&checkpoint), MOEP_ERROR_CORRUPT);

    /* A version that a reader knows, and all before it. */
    assert_int_equal(mp_checkpoint_read(&checkpoint, bytes.at, bytes.size, &(struct section){"TEST", 2}, 1), MOEP_OK);
    assert_int_equal(mp_checkpoint_read(&checkpoint, bytes.at, bytes.size, &(struct section){"TEST", 0}, 1),
                     MOEP_ERROR_INCOMPATIBLE);
}

static void a_total_shorter_than_the_header_is_refused(void **state)
{
    (void)state;
    for (uint64_t total = 0; total < HEADER; total += 31) {
        struct bytes bytes = usual_state();
        struct crc32c crc;
        mp_crc32c_init(&crc);
        put(bytes.at + 16, total, 8);
        put(bytes.at + 28, mp_crc32c(&crc, 0, bytes.at, 28), 4);
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

    /* A model that is not there, or cannot be. */
    struct bytes bytes = fitted;
    put_share_of(&bytes, "MODL", 8, 1.5f);
    sign(&bytes);
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, true);
    bytes = fitted;
    resize(&bytes, "MODL", -15); /* a byte for all of it */
    assert_refused(bytes.at, bytes.size, MOEP_ERROR_CORRUPT, false);
    moep_predictor_destroy(clone);
    moep_predictor_destroy(original);
    free(counts);
}

static void load_and_save_refuse_nothing_at_all(void **state)
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

static void a_loaded_handle_tells_its_configuration(void **state)
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
static void the_state_written_by_0_1_0_is_read_for_ever_after(void **state)
{
    (void)state;
    struct bytes bytes, now = usual_state();
    FILE *file = fopen(TEST_DATA "/predictor-0.1.0.moep", "rb");
    assert_non_null(file);
    bytes.size = fread(bytes.at, 1, MOST, file);
    fclose(file);
    moep_predictor *predictor = loaded(&bytes), *expected = loaded(&now);
    assert_same_state(predictor, expected);
    /* The bytes themselves, but for the version of the library and the checksum over it. */
    assert_int_equal(bytes.size, now.size);
    assert_memory_equal(bytes.at, now.at, 24);
    assert_memory_equal(bytes.at + HEADER, now.at + HEADER, now.size - HEADER);
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
        cmocka_unit_test(a_run_restored_or_cloned_at_any_step_goes_on_with_the_same_bytes),
        cmocka_unit_test(a_clone_and_its_original_are_independent),
        cmocka_unit_test(a_model_is_saved_and_cloned_with_its_handle),
        cmocka_unit_test(the_size_stays_and_equal_states_have_equal_bytes),
        cmocka_unit_test(a_buffer_too_small_is_left_alone),
        cmocka_unit_test(the_checksum_is_crc_32c),
        cmocka_unit_test(any_flipped_bit_is_seen),
        cmocka_unit_test(any_missing_tail_is_seen),
        cmocka_unit_test(bytes_after_the_end_are_ignored),
        cmocka_unit_test(an_unknown_section_is_skipped_unless_it_is_critical),
        cmocka_unit_test(a_later_format_is_told_from_damage),
        cmocka_unit_test(a_state_that_cannot_be_is_refused_whatever_its_checksums),
        cmocka_unit_test(a_section_with_fields_missing_or_left_over_is_refused),
        cmocka_unit_test(fields_appended_to_the_configuration_are_passed_over),
        cmocka_unit_test(a_field_is_there_as_long_as_there_is_more),
        cmocka_unit_test(a_total_shorter_than_the_header_is_refused),
        cmocka_unit_test(extreme_states_are_read_back),
        cmocka_unit_test(load_and_save_refuse_nothing_at_all),
        cmocka_unit_test(a_loaded_handle_tells_its_configuration),
        cmocka_unit_test(the_state_written_by_0_1_0_is_read_for_ever_after),
    };
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_golden(argv[2]);
    return cmocka_run_group_tests(checkpoint, NULL, NULL);
}
