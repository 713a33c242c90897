/* SPDX-License-Identifier: BSD-3-Clause */
/* Weights of the LSTM, read and set; invalid configurations. */
#include "lstm.h"

enum { HIDDEN = 3, GATES = 4 * HIDDEN };

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

static void sizes_are_written_where_no_array_is_given(void **state)
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

static void invalid_weights_are_refused_and_change_nothing(void **state)
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

static void invalid_configurations_are_refused(void **state)
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

int main(void)
{
    const struct CMUnitTest lstm_weights[] = {
        cmocka_unit_test(weights_are_read_as_they_were_set),
        cmocka_unit_test(sizes_are_written_where_no_array_is_given),
        cmocka_unit_test(invalid_weights_are_refused_and_change_nothing),
        cmocka_unit_test(invalid_configurations_are_refused),
    };
    return cmocka_run_group_tests(lstm_weights, NULL, NULL);
}
