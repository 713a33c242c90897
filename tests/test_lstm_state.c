/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of an LSTM: saved in the middle of a round, forged, and as 0.1.0 wrote it. */
#include "lstm.h"

#include "support/crc32c.h"

/* ---- in the middle of a round ------------------------------------------------------------------------------------ */

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

static void a_round_continues_after_a_save_a_clone_or_an_adoption(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    double *counts = wandering(900, LAYERS, EXPERTS, 0, 2);
    moep_predictor *whole = in_a_round(counts, NULL), *others[3] = {NULL, NULL, in_a_round(counts, NULL)};
    size_t size = save(whole, bytes);
    assert_int_equal(moep_predictor_load(bytes, size, NULL, &others[0]), MOEP_OK);
    assert_int_equal(moep_predictor_clone(whole, NULL, &others[1]), MOEP_OK);
    assert_int_equal(moep_predictor_fit(others[2]), MOEP_OK);
    assert_int_equal(moep_predictor_adopt(others[2], whole), MOEP_OK); /* which forgets the second fit */
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

static void setting_weights_ends_a_round(void **state)
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

/* The forecast of a predictor; the predictor that is loaded from its bytes must make the same. */
static void forecast_like_its_bytes(const moep_predictor *predictor, double *forecast)
{
    static unsigned char bytes[MOST];
    double again[SERIES];
    moep_predictor *loaded = NULL;
    assert_int_equal(moep_predictor_load(bytes, save(predictor, bytes), NULL, &loaded), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 100, 100, forecast, SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_predict(loaded, 100, 100, again, SERIES), MOEP_OK);
    assert_memory_equal(forecast, again, sizeof again);
    moep_predictor_destroy(loaded);
}

/* A model holds its weights a second time, packed for forecasts; saved bytes do not. So all calls that change the
 * weights must pack them again, and so must reading. */
static void forecasts_follow_the_weights_whatever_changed_them(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0.005, 12), untrained[SERIES], learned[SERIES], adopted[SERIES];
    moep_trace trace = trace_of(counts, 800, LAYERS, EXPERTS);
    moep_predictor_config config = config_of(1, 1);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 800), *copy = NULL,
                   *other = make_and_push(&config, NULL, counts, 800);
    forecast_like_its_bytes(predictor, untrained);
    assert_int_equal(moep_predictor_fit_traces(predictor, &trace, 1), MOEP_OK);
    assert_int_equal(training_of(predictor).weights, MOEP_LSTM_TRAINED);
    forecast_like_its_bytes(predictor, learned);
    assert_memory_not_equal(learned, untrained, sizeof learned);
    assert_int_equal(moep_predictor_clone(predictor, NULL, &copy), MOEP_OK);
    forecast_like_its_bytes(copy, adopted);
    assert_memory_equal(adopted, learned, sizeof learned);
    assert_int_equal(moep_predictor_adopt(other, predictor), MOEP_OK);
    forecast_like_its_bytes(other, adopted);
    assert_memory_equal(adopted, learned, sizeof learned);
    float ih[4] = {1, 1, 1, 1}, hh[4] = {0}, bias[4] = {0};
    moep_lstm_weights weights = {sizeof weights, 1, 1, ih, hh, bias, bias};
    assert_int_equal(moep_predictor_set_lstm_weights(predictor, 0, &weights), MOEP_OK);
    forecast_like_its_bytes(predictor, adopted);
    assert_memory_not_equal(adopted, learned, sizeof learned);
    moep_predictor_destroy(predictor);
    moep_predictor_destroy(copy);
    moep_predictor_destroy(other);
    free(counts);
}

/* ---- invalid states ---------------------------------------------------------------------------------------------- */

enum { HEADER = 32, SECTION_HEADER = 20 };

static void set_bytes(unsigned char *at, uint64_t value, size_t bytes)
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

/* After fitted_step, 8 bytes: the counters and the balance, 10 numbers of 8 bytes; 3 x 2 x 40 x 19 unused ones; four
 * arrays of floats of the same length. */
enum { MODEL = SECTION_HEADER + 8, RESIDUALS = MODEL + 80, PARAMETERS = RESIDUALS + 3 * 2 * 40 * 19 * 8 };

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
    {MODEL + 32, 8, NOT_A_NUMBER, false},            /* balance */
    {MODEL + 32, 8, ONE | UINT64_C(1) << 63, false}, /* negative */
    {MODEL + 32, 8, UINT64_C(0x7ff) << 52, false},   /* infinite */
    {MODEL + 40, 8, NOT_A_NUMBER, true},             /* loss: any */
    {MODEL + 56, 8, 401, false},                     /* updates of the optimiser: more than of the round */
    {MODEL + 64, 8, 0, false},                       /* powers: within 0 .. 1 */
    {MODEL + 64, 8, NOT_A_NUMBER, false},
    {MODEL + 72, 8, 2 * ONE, false},
    {RESIDUALS, 8, ONE, true}, /* which nothing reads */
    {RESIDUALS, 8, NOT_A_NUMBER, true},
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

/* Corrects the checksum of a section. */
static void sign(unsigned char *bytes, size_t section)
{
    struct crc32c crc;
    mp_crc32c_init(&crc);
    uint32_t sum = mp_crc32c(&crc, 0, bytes + section, 16);
    set_bytes(bytes + section + 16, mp_crc32c(&crc, sum, bytes + section + SECTION_HEADER, length_at(bytes + section)),
              4);
}

static void an_invalid_model_is_refused_whatever_its_checksums(void **state)
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
            set_bytes(bytes + section + forgeries[i].offset + 4 * array * parameters, forgeries[i].value,
                      forgeries[i].bytes);
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

/* A forged round of 2^60 updates would never end: fit begins its own. */
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
    set_bytes(bytes + section + MODEL + 24, UINT64_C(1) << 60, 8); /* length */
    sign(bytes, section);
    assert_int_equal(moep_predictor_load(bytes, size, &runtime, &read), MOEP_OK);
    assert_int_equal(moep_predictor_fit(read), MOEP_OK);
    assert_int_equal(updates, 400);
    assert_int_equal(training_of(read).length, 400);
    moep_predictor_destroy(read);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* libmoepredict 0.1.0 made this hash. While it stands, the states of 0.1.0 have today's bytes, except for the
 * configuration, which has grown. */
static void the_bytes_of_a_state_are_those_of_0_1_0(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    int64_t *counts = random_counts(150, LAYERS, EXPERTS, 5);
    moep_predictor_config config = config_of(1, 1);
    config.seed = 9;
    moep_predictor *predictor = make(&config, NULL);
    assert_int_equal(moep_predictor_push(predictor, 150, counts, MOEP_INT64), MOEP_OK);
    size_t size = save(predictor, bytes), behind = HEADER + SECTION_HEADER + length_at(bytes + HEADER);
    uint64_t hash = hash_of(HASH_START, bytes + behind, size - behind);
    if (hash != UINT64_C(0xb47383a246f1f94c))
        fail_msg("the hash is 0x%016llx", (unsigned long long)hash);
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest lstm_train_state[] = {
        cmocka_unit_test(a_round_continues_after_a_save_a_clone_or_an_adoption),
        cmocka_unit_test(setting_weights_ends_a_round),
        cmocka_unit_test(forecasts_follow_the_weights_whatever_changed_them),
        cmocka_unit_test(an_invalid_model_is_refused_whatever_its_checksums),
        cmocka_unit_test(a_forged_round_ends),
        cmocka_unit_test(the_bytes_of_a_state_are_those_of_0_1_0),
    };
    return cmocka_run_group_tests(lstm_train_state, NULL, NULL);
}
