/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of an LSTM: its weights in and out, what is saved in the middle of a round, and what cannot be a state. */
#include "lstm.h"

#include "support/crc32c.h"

enum { HIDDEN = 3, GATES = 4 * HIDDEN };

/* ---- weights -------------------------------------------------------------------------------------------------------- */

struct arrays {
    float ih[GATES * HIDDEN], hh[GATES * HIDDEN], bias_ih[GATES], bias_hh[GATES];
};

static moep_lstm_weights weights_in(struct arrays *arrays, uint32_t inputs)
{
    return (moep_lstm_weights){sizeof(moep_lstm_weights), inputs,         HIDDEN, arrays->ih, arrays->hh,
                               arrays->bias_ih,           arrays->bias_hh};
}

static void read_weights(const moep_predictor *predictor, size_t layer, struct arrays *arrays)
{
    memset(arrays, 0, sizeof *arrays);
    moep_lstm_weights weights = weights_in(arrays, layer ? HIDDEN : 1);
    assert_int_equal(moep_predictor_lstm_weights(predictor, layer, &weights), MOEP_OK);
}

static void weights_are_read_as_they_were_set(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0.01, 1), before[SERIES], after[SERIES];
    moep_predictor_config config = config_of(2, HIDDEN);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 800);
    static struct arrays set, read, other;
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK); /* a head that is not 0 */
    assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, before, SERIES), MOEP_OK);
    for (size_t layer = 0; layer < 2; layer++) {
        read_weights(predictor, layer, &set);
        read_weights(predictor, 1 - layer, &other);
        size_t used = GATES * (layer ? HIDDEN : 1);
        for (size_t i = 0; i < GATES * HIDDEN; i++) {
            set.ih[i] = i < used ? (float)i / 64 - 0.25F : 0;
            set.hh[i] = 0.25F - (float)i / 64;
            set.bias_ih[i % GATES] = (float)(i % GATES);
            set.bias_hh[i % GATES] = i % GATES == 1 ? -1e6F : 1e6F;
        }
        moep_lstm_weights weights = weights_in(&set, layer ? HIDDEN : 1);
        assert_int_equal(moep_predictor_set_lstm_weights(predictor, layer, &weights), MOEP_OK);
        read_weights(predictor, layer, &read);
        assert_memory_equal(&read, &set, sizeof set);
        read_weights(predictor, 1 - layer, &read);
        assert_memory_equal(&read, &other, sizeof other);
        assert_int_equal(training_of(predictor).weights, MOEP_LSTM_TRAINED);
        assert_true(isnan(training_of(predictor).loss) && isnan(training_of(predictor).untrained_loss));
    }
    assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, after, SERIES), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        assert_true(isfinite(after[s]) && after[s] >= 0);
    assert_memory_not_equal(before, after, sizeof before);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void sizes_are_told_where_no_array_is_given(void **state)
{
    (void)state;
    moep_predictor_config config = config_of(2, HIDDEN);
    moep_predictor *predictor = make(&config, NULL);
    for (size_t layer = 0; layer < 2; layer++) {
        moep_lstm_weights weights = {.struct_size = sizeof weights};
        assert_int_equal(moep_predictor_lstm_weights(predictor, layer, &weights), MOEP_OK);
        assert_true(weights.inputs == (layer ? HIDDEN : 1) && weights.hidden == HIDDEN && !weights.weight_ih);
    }
    moep_predictor_destroy(predictor);
}

static void weights_that_cannot_be_are_told_and_change_nothing(void **state)
{
    (void)state;
    moep_predictor_config config = config_of(2, HIDDEN), none = small_config();
    moep_predictor *predictor = make(&config, NULL), *untouched = make(&config, NULL), *headed = make(&none, NULL),
                   *other = make_predictor(MOEP_SW_AVG, 1, 1, 5, NULL);
    static struct arrays arrays;
#define refused(status, which, change)                                                  \
    do {                                                                                \
        memset(&arrays, 0, sizeof arrays);                                              \
        moep_predictor *on = predictor;                                                 \
        size_t layer = 0;                                                               \
        moep_lstm_weights weights = weights_in(&arrays, 1);                             \
        change;                                                                         \
        assert_int_equal(moep_predictor_set_lstm_weights(on, layer, &weights), status); \
        if (which)                                                                      \
            assert_int_equal(moep_predictor_lstm_weights(on, layer, &weights), status); \
        assert_same_bytes(predictor, untouched);                                        \
    } while (0)
    refused(MOEP_ERROR_INVALID_ARGUMENT, true, on = NULL);
    refused(MOEP_ERROR_UNSUPPORTED, true, on = other);
    refused(MOEP_ERROR_INVALID_ARGUMENT, true, layer = 2);
    refused(MOEP_ERROR_INVALID_ARGUMENT, true, on = headed);
    refused(MOEP_ERROR_INCOMPATIBLE, true, weights.inputs = 2);
    refused(MOEP_ERROR_INCOMPATIBLE, true, weights.hidden = HIDDEN + 1);
    refused(MOEP_ERROR_INCOMPATIBLE, true, layer = 1);
    refused(MOEP_ERROR_INVALID_ARGUMENT, true, weights.weight_ih = NULL);
    refused(MOEP_ERROR_INVALID_ARGUMENT, true, weights.bias_hh = NULL);
    refused(MOEP_ERROR_INVALID_ARGUMENT, true, weights.struct_size = 0);
    refused(MOEP_ERROR_INCOMPATIBLE, true, weights.struct_size = sizeof weights + 8);
    refused(MOEP_ERROR_INVALID_ARGUMENT, false, arrays.ih[GATES - 1] = 1e7F);
    refused(MOEP_ERROR_INVALID_ARGUMENT, false, arrays.hh[GATES * HIDDEN - 1] = -1e7F);
    refused(MOEP_ERROR_INVALID_ARGUMENT, false, arrays.bias_ih[3] = NAN);
    refused(MOEP_ERROR_INVALID_ARGUMENT, false, arrays.bias_hh[0] = INFINITY);
    refused(MOEP_ERROR_INVALID_ARGUMENT, false,
            weights.weight_ih = weights.weight_hh = weights.bias_ih = weights.bias_hh = NULL);
#undef refused
    assert_int_equal(moep_predictor_set_lstm_weights(predictor, 0, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_lstm_weights(predictor, 0, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    moep_lstm_training training = {.struct_size = sizeof training};
    assert_int_equal(moep_predictor_lstm_training(NULL, &training), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_lstm_training(other, &training), MOEP_ERROR_UNSUPPORTED);
    assert_int_equal(moep_predictor_lstm_training(predictor, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    moep_predictor_destroy(other);
    moep_predictor_destroy(headed);
    moep_predictor_destroy(untouched);
    moep_predictor_destroy(predictor);
}

static void what_a_config_may_not_hold_is_told(void **state)
{
    (void)state;
#define refused(status, words, layers, experts, change)                                              \
    do {                                                                                             \
        moep_predictor_config config = config_of(1, 16);                                             \
        moep_predictor *predictor = NULL;                                                            \
        change;                                                                                      \
        assert_int_equal(moep_predictor_create(layers, experts, &config, NULL, &predictor), status); \
        assert_says(words);                                                                          \
        assert_null(predictor);                                                                      \
    } while (0)
    refused(MOEP_ERROR_INVALID_ARGUMENT, "lstm_scope", 1, 1, config.lstm_scope = 2);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "lstm_layers must be 0 to 4", 1, 1, config.lstm_layers = 5);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "lstm_hidden", 1, 1, config.lstm_hidden = 0);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "lstm_hidden", 1, 1, config.lstm_hidden = 513);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "reserved", 1, 1, config.reserved = 1);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "history = 1999, but lstm needs 2000", 1, 1, config.history = 1999);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "lstm_layers must be 1 to 4 in the joint form", 1, 1,
            (config.lstm_scope = MOEP_LSTM_JOINT, config.lstm_layers = 0));
    refused(MOEP_ERROR_UNSUPPORTED, "the joint form takes at most 2048 series, not 2049", 3, 683,
            config.lstm_scope = MOEP_LSTM_JOINT);
#undef refused
}

/* ---- in the middle of a round --------------------------------------------------------------------------------------- */

static moep_predictor *in_a_round(const double *counts, const moep_runtime *runtime)
{
    moep_predictor_config config = config_of(1, 1);
    config.fit_budget = 3000;
    moep_predictor *predictor = make_and_push(&config, runtime, counts, 800);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    moep_lstm_training training = training_of(predictor);
    assert_true(training.updates > 0 && training.updates < 200 && training.rounds == 1);
    return predictor;
}

static void a_round_goes_on_after_a_save_a_clone_or_an_adoption(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    double *counts = wandering(900, LAYERS, EXPERTS, 0, 2);
    moep_predictor *whole = in_a_round(counts, NULL), *others[3] = {NULL, NULL, in_a_round(counts, NULL)};
    size_t size = save(whole, bytes);
    assert_int_equal(moep_predictor_load(bytes, size, NULL, &others[0]), MOEP_OK);
    assert_int_equal(moep_predictor_clone(whole, NULL, &others[1]), MOEP_OK);
    assert_int_equal(moep_predictor_fit(others[2]), MOEP_OK);
    assert_int_equal(moep_predictor_adopt(others[2], whole), MOEP_OK); /* forgets what it has learned since */
    for (size_t i = 0; i < 3; i++)
        assert_same_bytes(whole, others[i]);
    for (size_t more = 0; more < 2; more++) {
        assert_int_equal(moep_predictor_push(whole, 50, counts + (800 + 50 * more) * SERIES, MOEP_FLOAT64), MOEP_OK);
        assert_int_equal(moep_predictor_fit(whole), MOEP_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        for (size_t more = 0; more < 2; more++) {
            const double *next = counts + (800 + 50 * more) * SERIES;
            assert_int_equal(moep_predictor_push(others[i], 50, next, MOEP_FLOAT64), MOEP_OK);
            assert_int_equal(moep_predictor_fit(others[i]), MOEP_OK);
        }
        assert_same_bytes(whole, others[i]);
        moep_predictor_destroy(others[i]);
    }
    assert_true(training_of(whole).updates > 100);
    moep_predictor_destroy(whole);
    free(counts);
}

static void setting_weights_gives_a_round_up(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0, 3);
    moep_predictor *predictor = in_a_round(counts, NULL);
    float ih[4] = {0}, hh[4] = {0}, bias[4] = {0};
    moep_lstm_weights weights = {sizeof weights, 1, 1, ih, hh, bias, bias};
    assert_int_equal(moep_predictor_set_lstm_weights(predictor, 0, &weights), MOEP_OK);
    moep_lstm_training training = training_of(predictor);
    assert_int_equal(training.updates, training.length);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(training_of(predictor).rounds, 2);
    assert_true(training_of(predictor).updates < training.length);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* ---- what cannot be ------------------------------------------------------------------------------------------------- */

enum { HEADER = 32, SECTION_HEADER = 20 };

static void put(unsigned char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static size_t length_at(const unsigned char *at)
{
    uint64_t length;
    memcpy(&length, at + 8, sizeof length); /* on the little-endian machines that run this */
    return (size_t)length;
}

/* Behind fitted_step, 8 bytes: the counters and the credit, 10 numbers of 8 bytes; 3 x 2 x 40 x 19 quantiles; four arrays
 * of floats of the same length. */
enum { MODEL = SECTION_HEADER + 8, QUANTILES = MODEL + 80, PARAMETERS = QUANTILES + 3 * 2 * 40 * 19 * 8 };

#define NOT_A_NUMBER UINT64_C(0x7ff8000000000000)
#define ONE UINT64_C(0x3ff0000000000000)

static const struct forgery {
    size_t offset, bytes;
    uint64_t value;
    bool loads;
} forgeries[] = {
    {MODEL, 8, MOEP_LSTM_TRAINED, true},
    {MODEL, 8, MOEP_LSTM_TRAINED + 1, false},
    {MODEL + 8, 8, UINT64_MAX, true},                /* rounds: only counted */
    {MODEL + 16, 8, 401, false},                     /* updates: more than the round has */
    {MODEL + 32, 8, NOT_A_NUMBER, false},            /* credit */
    {MODEL + 32, 8, ONE | UINT64_C(1) << 63, false}, /* less than none */
    {MODEL + 32, 8, UINT64_C(0x7ff) << 52, false},   /* without end */
    {MODEL + 40, 8, NOT_A_NUMBER, true},             /* loss: not judged */
    {MODEL + 56, 8, 401, false},                     /* updates of the optimiser: more than of the round */
    {MODEL + 64, 8, 0, false},                       /* powers: within 0 .. 1 */
    {MODEL + 64, 8, NOT_A_NUMBER, false},
    {MODEL + 72, 8, 2 * ONE, false},
    {QUANTILES, 8, NOT_A_NUMBER, false},
    {QUANTILES, 8, ONE, false}, /* more than the next */
    {QUANTILES + 18 * 8, 8, ONE, true},
    {QUANTILES + 18 * 8, 8, UINT64_C(0x7ff) << 52, false},
    {PARAMETERS, 4, 0x49742400, true},  /* 10^6 */
    {PARAMETERS, 4, 0x49742401, false}, /* a little more */
    {PARAMETERS, 4, 0x7fc00000, false}, /* not a number */
    {PARAMETERS + 16, 4, 0xff800000, false},
};

static size_t model_section(const unsigned char *bytes)
{
    size_t section = HEADER;
    while (memcmp(bytes + section, "MODL", 4) != 0)
        section += SECTION_HEADER + length_at(bytes + section);
    return section;
}

/* Its checksum made right. */
static void sign(unsigned char *bytes, size_t section)
{
    struct crc32c crc;
    mp_crc32c_init(&crc);
    uint32_t sum = mp_crc32c(&crc, 0, bytes + section, 16);
    put(bytes + section + 16, mp_crc32c(&crc, sum, bytes + section + SECTION_HEADER, length_at(bytes + section)), 4);
}

static void a_model_that_cannot_be_is_refused_whatever_its_checksums(void **state)
{
    (void)state;
    static unsigned char plain[MOST], bytes[MOST];
    double *counts = wandering(800, LAYERS, EXPERTS, 0, 4), rows[SERIES];
    moep_predictor *predictor = in_a_round(counts, NULL);
    size_t size = save(predictor, plain), section = model_section(plain);
    const size_t length = length_at(plain + section), parameters = (length - (PARAMETERS - SECTION_HEADER)) / 16;
    assert_int_equal(length, PARAMETERS - SECTION_HEADER + 16 * parameters);
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++)
        for (size_t array = 0; array < (forgeries[i].bytes == 4 ? 4 : 1); array++) {
            moep_predictor *read = NULL;
            memcpy(bytes, plain, size);
            put(bytes + section + forgeries[i].offset + 4 * array * parameters, forgeries[i].value, forgeries[i].bytes);
            sign(bytes, section);
            moep_status status = moep_predictor_load(bytes, size, NULL, &read);
            if (status != (forgeries[i].loads ? MOEP_OK : MOEP_ERROR_CORRUPT))
                fail_msg("forgery %zu, array %zu: %s", i, array, moep_status_string(status));
            if (read) {
                moep_status fitted = moep_predictor_fit(read);
                assert_true(fitted == MOEP_OK || fitted == MOEP_ERROR_NUMERIC);
                assert_true(training_of(read).updates <= 400);
                assert_int_equal(moep_predictor_predict(read, 10, 10, rows, SERIES), MOEP_OK);
                for (size_t s = 0; s < SERIES; s++)
                    assert_true(isfinite(rows[s]) && rows[s] >= 0);
            }
            moep_predictor_destroy(read);
        }
    moep_predictor_destroy(predictor);
    free(counts);
}

static int32_t count_to_500(void *user, double part)
{
    (void)part;
    return ++*(size_t *)user == 500;
}

/* One that goes on for ever: fit begins one of its own. */
static void a_forged_round_ends(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    double *counts = wandering(800, LAYERS, EXPERTS, 0, 4);
    size_t updates = 0;
    moep_runtime runtime = {.struct_size = sizeof runtime, .progress = count_to_500, .progress_user = &updates};
    moep_predictor_config config = small_config();
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 800), *read = NULL;
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    size_t size = save(predictor, bytes), section = model_section(bytes);
    put(bytes + section + MODEL + 24, UINT64_C(1) << 60, 8); /* length */
    sign(bytes, section);
    assert_int_equal(moep_predictor_load(bytes, size, &runtime, &read), MOEP_OK);
    assert_int_equal(moep_predictor_fit(read), MOEP_OK);
    assert_int_equal(updates, 400);
    assert_int_equal(training_of(read).length, 400);
    moep_predictor_destroy(read);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* So long as the hash is this one, states that 0.1.0 has written are those of today. Made by libmoepredict 0.1.0. */
static void the_bytes_of_a_state_are_those_of_0_1_0(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    int64_t *counts = random_counts(150, LAYERS, EXPERTS, 5);
    moep_predictor_config config = config_of(1, 1);
    config.seed = 9;
    moep_predictor *predictor = make(&config, NULL);
    assert_int_equal(moep_predictor_push(predictor, 150, counts, MOEP_INT64), MOEP_OK);
    size_t size = save(predictor, bytes);
    uint64_t hash = hash_of(HASH_START, bytes + HEADER, size - HEADER);
    if (hash != UINT64_C(0xd9a0d2775cd6c37a))
        fail_msg("the hash is 0x%016llx", (unsigned long long)hash);
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest lstm_state[] = {
        cmocka_unit_test(weights_are_read_as_they_were_set),
        cmocka_unit_test(sizes_are_told_where_no_array_is_given),
        cmocka_unit_test(weights_that_cannot_be_are_told_and_change_nothing),
        cmocka_unit_test(what_a_config_may_not_hold_is_told),
        cmocka_unit_test(a_round_goes_on_after_a_save_a_clone_or_an_adoption),
        cmocka_unit_test(setting_weights_gives_a_round_up),
        cmocka_unit_test(a_model_that_cannot_be_is_refused_whatever_its_checksums),
        cmocka_unit_test(a_forged_round_ends),
        cmocka_unit_test(the_bytes_of_a_state_are_those_of_0_1_0),
    };
    return cmocka_run_group_tests(lstm_state, NULL, NULL);
}
