/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "series/history.h"

static const struct memory memory = {mp_default_allocate, mp_default_release, NULL};

static struct history make(size_t layers, size_t experts, uint64_t capacity)
{
    struct history history;
    assert_int_equal(mp_history_make(&history, layers, experts, capacity, &memory), MOEP_OK);
    return history;
}

static size_t ring_bytes(const struct history *history)
{
    return history->capacity * history->layers * history->experts * sizeof *history->ring;
}

static void a_panel_holds_the_last_steps_oldest_first(void **state)
{
    (void)state;
    enum { CAPACITY = 5, EXPERTS = 3 };
    struct history history = make(1, EXPERTS, CAPACITY);
    assert_int_equal(mp_history_panel(&history).steps, 0);
    for (int64_t pushed = 1; pushed <= 23; pushed++) {
        int64_t counts[EXPERTS] = {pushed, 0, 100 - pushed};
        assert_int_equal(mp_history_push(&history, history.next_step, 1, counts, MOEP_INT64), MOEP_OK);
        struct panel panel = mp_history_panel(&history);
        assert_int_equal(panel.steps, pushed < CAPACITY ? pushed : CAPACITY);
        for (size_t step = 0; step < panel.steps; step++) {
            const float *shares = mp_panel_row(&panel, step);
            double first = (double)(pushed + 1 + (int64_t)step - (int64_t)panel.steps) / 100;
            assert_near((double)shares[0], first, 1e-7);
            assert_near((double)shares[2], 1 - first, 1e-7);
        }
    }
    mp_history_free(&history, &memory);
}

static void a_layer_without_tokens_repeats_its_last_shares(void **state)
{
    (void)state;
    for (uint64_t capacity = 1; capacity <= 3; capacity++) {
        struct history history = make(2, 2, capacity);
        const int32_t counts[4][2][2] = {{{0, 0}, {3, 1}}, {{1, 3}, {0, 0}}, {{0, 0}, {1, 1}}, {{0, 0}, {0, 0}}};
        const float expected[4][2] = {{0.5f, 0.75f}, {0.25f, 0.75f}, {0.25f, 0.5f}, {0.25f, 0.5f}};
        for (size_t step = 0; step < 4; step++) {
            assert_int_equal(mp_history_push(&history, step, 1, counts[step], MOEP_INT32), MOEP_OK);
            struct panel panel = mp_history_panel(&history);
            const float *shares = mp_panel_row(&panel, panel.steps - 1);
            assert_true(shares[0] == expected[step][0]);
            assert_true(shares[2] == expected[step][1]);
        }
        assert_int_equal(history.empty_layers, 5);
        mp_history_free(&history, &memory);
    }
}

static void a_refused_push_changes_nothing(void **state)
{
    (void)state;
    struct history history = make(2, 3, 4);
    int64_t *good = random_counts(6, 2, 3, 1), bad[2][2][3] = {{{1, 2, 3}, {4, 5, 6}}, {{7, 8, 9}, {1, 1, -1}}};
    assert_int_equal(mp_history_push(&history, 10, 6, good, MOEP_INT64), MOEP_OK);
    struct history before = history;
    float *ring = malloc(ring_bytes(&history));
    memcpy(ring, history.ring, ring_bytes(&history));

    assert_int_equal(mp_history_push(&history, 16, 2, bad, MOEP_INT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("step 1 of the call, layer 1, expert 2: count is negative");
    assert_int_equal(mp_history_push(&history, 20, 2, bad, MOEP_INT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(mp_history_push(&history, 15, 1, good, MOEP_INT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("step 15 was pushed before: the next one is 16");
    assert_int_equal(mp_history_push(&history, 16, 1, good, 99), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(mp_history_push(&history, 16, 1, NULL, MOEP_INT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(mp_history_push(&history, 16, 0, NULL, MOEP_INT64), MOEP_OK);
    assert_int_equal(mp_history_push(&history, 26, 0, NULL, MOEP_INT64), MOEP_OK);

    assert_memory_equal(&before, &history, sizeof history);
    assert_memory_equal(ring, history.ring, ring_bytes(&history));
    free(ring);
    free(good);
    mp_history_free(&history, &memory);
}

static void any_grouping_of_steps_leaves_the_same_bytes(void **state)
{
    (void)state;
    enum { STEPS = 60, LAYERS = 2, EXPERTS = 7 };
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 3);
    memset(counts + 20 * LAYERS * EXPERTS, 0, 3 * LAYERS * EXPERTS * sizeof *counts);
    struct history whole = make(LAYERS, EXPERTS, 16);
    assert_int_equal(mp_history_push(&whole, 0, STEPS, counts, MOEP_INT64), MOEP_OK);
    for (size_t group = 1; group < 20; group++) {
        struct history grouped = make(LAYERS, EXPERTS, 16);
        for (size_t step = 0; step < STEPS; step += group) {
            size_t steps = STEPS - step < group ? STEPS - step : group;
            const int64_t *part = counts + step * LAYERS * EXPERTS;
            assert_int_equal(mp_history_push(&grouped, step, steps, part, MOEP_INT64), MOEP_OK);
        }
        assert_memory_equal(whole.ring, grouped.ring, ring_bytes(&whole));
        assert_int_equal(grouped.empty_layers, 6);
        mp_history_free(&grouped, &memory);
    }
    mp_history_free(&whole, &memory);
    free(counts);
}

static void skipped_step_numbers_are_counted_and_no_row_is_invented(void **state)
{
    (void)state;
    struct history history = make(1, 2, 8);
    const int32_t counts[] = {1, 1, 1, 1};
    assert_int_equal(mp_history_push(&history, 100, 2, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(mp_history_push(&history, 105, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(history.steps, 3);
    assert_int_equal(history.next_step, 106);
    assert_int_equal(mp_history_info(&history).gaps, 3); /* the 100 steps before the first one are no gaps */
    assert_int_equal(mp_history_panel(&history).steps, 3);
    mp_history_reset(&history);
    assert_int_equal(history.steps + history.next_step + history.empty_layers, 0);
    assert_int_equal(mp_history_info(&history).gaps, 0);
    assert_int_equal(mp_history_panel(&history).steps, 0);
    assert_int_equal(mp_history_push(&history, 7, 2, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(mp_history_info(&history).gaps, 0);
    mp_history_free(&history, &memory);
}

static void counters_do_not_overflow(void **state)
{
    (void)state;
    struct history history = make(2, 2, 3);
    const int32_t counts[3][2][2] = {{{0, 0}, {0, 0}}, {{1, 3}, {1, 1}}, {{3, 1}, {1, 1}}};
    assert_int_equal(mp_history_push(&history, 0, 3, counts, MOEP_INT32), MOEP_OK);
    history.steps = history.next_step = UINT64_MAX - 4; /* a multiple of 3 less 1: row 2 was the last */
    history.steps -= (history.steps % 3);
    history.empty_layers = UINT64_MAX - 1;
    assert_int_equal(mp_history_push(&history, UINT64_MAX - 4, 3, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(history.next_step, UINT64_MAX - 1);
    assert_true(history.empty_layers == UINT64_MAX);
    struct panel panel = mp_history_panel(&history);
    assert_true(mp_panel_row(&panel, 0)[0] == 0.75f); /* the empty step repeated the one before it */
    assert_true(mp_panel_row(&panel, 1)[0] == 0.25f);
    assert_true(mp_panel_row(&panel, 2)[0] == 0.75f);
    assert_int_equal(mp_history_push(&history, UINT64_MAX - 1, 1, counts, MOEP_INT32), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("2^64 - 2");
    assert_int_equal(mp_history_push(&history, UINT64_MAX, 0, counts, MOEP_INT32), MOEP_ERROR_INVALID_ARGUMENT);
    assert_true(history.next_step == UINT64_MAX - 1);
    mp_history_free(&history, &memory);
}

static void a_large_model_fits(size_t layers, size_t experts, uint64_t capacity)
{
    struct history history = make(layers, experts, capacity);
    int64_t *counts = random_counts(1, layers, experts, 9);
    for (int step = 0; step < 3; step++)
        assert_int_equal(mp_history_push(&history, history.next_step, 1, counts, MOEP_INT64), MOEP_OK);
    struct panel panel = mp_history_panel(&history);
    for (size_t layer = 0; layer < layers; layer += layers / 2 + 1) {
        double sum = 0;
        for (size_t e = 0; e < experts; e++)
            sum += (double)mp_panel_row(&panel, panel.steps - 1)[layer * experts + e];
        assert_near(sum, 1, 1e-7);
    }
    free(counts);
    mp_history_free(&history, &memory);
}

static void a_layer_of_a_million_experts_fits(void **state)
{
    (void)state;
    a_large_model_fits(1, 1 << 20, 2);
}

static void a_thousand_layers_of_four_thousand_experts_fit(void **state)
{
    (void)state;
    a_large_model_fits(1024, 4096, 2);
}

static void a_history_larger_than_the_address_space_is_refused(void **state)
{
    (void)state;
    struct history history;
    const size_t sizes[][3] = {
        {SIZE_MAX, SIZE_MAX, 1}, {SIZE_MAX / 2, 3, 1}, {1, 1, SIZE_MAX}, {1 << 20, 1 << 20, SIZE_MAX >> 40}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(mp_history_make(&history, sizes[i][0], sizes[i][1], sizes[i][2], &memory),
                         MOEP_ERROR_OUT_OF_MEMORY);
        mp_history_free(&history, &memory);
    }
}

int main(void)
{
    const struct CMUnitTest history[] = {
        cmocka_unit_test(a_panel_holds_the_last_steps_oldest_first),
        cmocka_unit_test(a_layer_without_tokens_repeats_its_last_shares),
        cmocka_unit_test(a_refused_push_changes_nothing),
        cmocka_unit_test(any_grouping_of_steps_leaves_the_same_bytes),
        cmocka_unit_test(skipped_step_numbers_are_counted_and_no_row_is_invented),
        cmocka_unit_test(counters_do_not_overflow),
        cmocka_unit_test(a_layer_of_a_million_experts_fits),
        cmocka_unit_test(a_thousand_layers_of_four_thousand_experts_fit),
        cmocka_unit_test(a_history_larger_than_the_address_space_is_refused),
    };
    return cmocka_run_group_tests(history, NULL, NULL);
}
