/* SPDX-License-Identifier: BSD-3-Clause */
/* What ranks will carry, against the kept steps that the test remembers. */
#include "plans.h"

enum { N = 5, LOADS = PLAN_LAYERS * PLAN_RANKS };

static const double probabilities[N] = {0.5, 0.99, 0.001, 0.25, 0.9};

struct forecast {
    double loads[LOADS], peak[PLAN_LAYERS], peak_quantiles[N * PLAN_LAYERS], rank_quantiles[N * LOADS];
};

static moep_status predict(const struct run *run, const moep_layout *layout, const int64_t *map, const double *shares,
                           struct forecast *forecast)
{
    memset(forecast, 0, sizeof *forecast);
    moep_status status = moep_planner_predict_ranks(run->planner, layout, map, shares, N, probabilities,
                                                    forecast->loads, forecast->peak, forecast->peak_quantiles);
    if (status != MOEP_OK)
        return status;
    return moep_planner_predict_rank_quantiles(run->planner, layout, map, shares, N, probabilities,
                                               forecast->rank_quantiles);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* R's type 7, by its definition: h = (n - 1) p + 1, x[floor h] + (h - floor h) (x[floor h + 1] - x[floor h]). */
static double type_7(double *values, size_t n, double p)
{
    qsort(values, n, sizeof *values, ascending);
    double h = (double)(n - 1) * p, whole = floor(h);
    size_t i = (size_t)whole;
    return i + 1 < n ? values[i] + (h - whole) * (values[i + 1] - values[i]) : values[n - 1];
}

static void compare_layer(const struct run *run, const moep_layout *layout, const int64_t *map, const double *shares,
                          size_t layer, const struct forecast *forecast)
{
    struct steps steps;
    double values[KEPT];
    make_steps(run, shares, layer, ALL_KEPT, &steps);
    assert_near(forecast->peak[layer], mean_peak(layout, map, &steps), 1e-6);
    for (size_t p = 0; p < N; p++) {
        for (size_t i = 0; i < steps.n; i++)
            values[i] = peak_in(layout, map, steps.shares[i]);
        assert_near(forecast->peak_quantiles[p * PLAN_LAYERS + layer], type_7(values, steps.n, probabilities[p]), 1e-6);
    }
    for (size_t r = 0; r < layout->ranks; r++) {
        double mean = 0;
        for (size_t i = 0; i < steps.n; i++)
            mean += load_in(layout, map, steps.shares[i], r) / (double)steps.n;
        assert_near(forecast->loads[layer * layout->ranks + r], mean, 1e-7);
        for (size_t p = 0; p < N; p++) {
            for (size_t i = 0; i < steps.n; i++)
                values[i] = load_in(layout, map, steps.shares[i], r);
            assert_near(forecast->rank_quantiles[(p * PLAN_LAYERS + layer) * layout->ranks + r],
                        type_7(values, steps.n, probabilities[p]), 1e-7);
        }
    }
}

/* From 0 steps on, before and after the kept ones wrap; maps with duplicates and empty slots too. */
static void loads_peaks_and_quantiles_are_those_of_the_kept_steps_around_the_forecast(void **state)
{
    (void)state;
    const size_t pushed[] = {0, 1, 2, STRIDE + 1, 40, 93, PLAN_STEPS};
    uint64_t seed = 141;
    for (size_t i = 0; i < LAYOUTS * 7; i++) {
        const moep_layout *layout = &layouts[i % LAYOUTS];
        int64_t map[PLAN_LAYERS * PLAN_SLOTS];
        double given[PLAN_LAYERS * PLAN_EXPERTS];
        struct run run;
        struct forecast forecast;
        begin_run(&run, layout->experts, pushed[i / LAYOUTS], NULL, 1410 + i);
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++) {
            int64_t *of_layer = map + layer * layout->slots;
            make_present(layout, layer == 0 ? DOUBLED : SCATTERED, &seed, of_layer);
            if (copies_in(of_layer, 0, layout->slots, of_layer[layout->slots - 1]) > 1)
                of_layer[layout->slots - 1] = -1;
        }
        const double *shares = i % 2 == 0 || run.steps == 0 ? forecast_of(&run, given) : NULL;
        if (!shares && run.steps > FIFTH && run.steps % (SPAN / 20) != 0)
            shares = forecast_of(&run, given); /* the fifth would begin within a block */
        assert_int_equal(predict(&run, layout, map, shares, &forecast), MOEP_OK);
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++)
            compare_layer(&run, layout, map + layer * layout->slots, shares, layer, &forecast);
        end_run(&run);
    }
}

static void each_output_may_be_null_and_no_quantile_be_asked_for(void **state)
{
    (void)state;
    const moep_layout *layout = &layouts[0];
    int64_t map[PLAN_LAYERS * PLAN_SLOTS];
    uint64_t seed = 142;
    struct run run;
    static struct forecast all, parts;
    begin_run(&run, layout->experts, 50, NULL, 142);
    sound_map(layout, &seed, map);
    sound_map(layout, &seed, map + layout->slots);
    assert_int_equal(predict(&run, layout, map, NULL, &all), MOEP_OK);
    const moep_planner *planner = run.planner;
    assert_int_equal(moep_planner_predict_ranks(planner, layout, map, NULL, 0, NULL, parts.loads, NULL, NULL), MOEP_OK);
    assert_int_equal(moep_planner_predict_ranks(planner, layout, map, NULL, N, probabilities, NULL, parts.peak, NULL),
                     MOEP_OK);
    assert_int_equal(
        moep_planner_predict_ranks(planner, layout, map, NULL, N, probabilities, NULL, NULL, parts.peak_quantiles),
        MOEP_OK);
    assert_int_equal(moep_planner_predict_rank_quantiles(planner, layout, map, NULL, 0, NULL, NULL), MOEP_OK);
    memcpy(parts.rank_quantiles, all.rank_quantiles, sizeof parts.rank_quantiles);
    assert_memory_equal(&all, &parts, sizeof all);
    end_run(&run);
}

/* ---- bad input --------------------------------------------------------------------------------------------------- */

/* The input of both calls, one with quantiles of peaks and one with those of ranks. */
struct call {
    moep_layout layout;
    int64_t map[PLAN_LAYERS * PLAN_SLOTS];
    double shares[PLAN_LAYERS * PLAN_EXPERTS], wanted[N];
    struct forecast forecast;
    bool has_map, has_shares, has_probabilities;
};

static moep_status make_call(const moep_planner *planner, struct call *call, bool of_ranks)
{
    const int64_t *map = call->has_map ? call->map : NULL;
    const double *shares = call->has_shares ? call->shares : NULL,
                 *wanted = call->has_probabilities ? call->wanted : NULL;
    struct forecast *to = &call->forecast;
    return of_ranks
               ? moep_planner_predict_rank_quantiles(planner, &call->layout, map, shares, N, wanted, to->rank_quantiles)
               : moep_planner_predict_ranks(planner, &call->layout, map, shares, N, wanted, to->loads, to->peak,
                                            to->peak_quantiles);
}

static void set_call(const struct run *run, struct call *call)
{
    uint64_t seed = 143;
    memset(call, 0x7f, sizeof *call);
    call->layout = layouts[0];
    call->has_map = call->has_shares = call->has_probabilities = true;
    sound_map(&call->layout, &seed, call->map);
    sound_map(&call->layout, &seed, call->map + call->layout.slots);
    forecast_of(run, call->shares);
    memcpy(call->wanted, probabilities, sizeof probabilities);
}

#define refused(status, words, change)                                         \
    do {                                                                       \
        for (int of_ranks = 0; of_ranks < 2; of_ranks++) {                     \
            struct call call, before;                                          \
            set_call(&run, &call);                                             \
            change;                                                            \
            memcpy(&before, &call, sizeof call);                               \
            assert_int_equal(make_call(run.planner, &call, of_ranks), status); \
            assert_says(words);                                                \
            assert_memory_equal(&call, &before, sizeof call);                  \
        }                                                                      \
    } while (0)

static void bad_input_is_refused_in_words_and_nothing_is_written(void **state)
{
    (void)state;
    enum { INVALID = MOEP_ERROR_INVALID_ARGUMENT };
    struct run run;
    begin_run(&run, layouts[0].experts, 0, NULL, 144);
    refused(INVALID, "phy2log is NULL", call.has_map = false);
    refused(INVALID, "layer 1, slot 3: 8 is not an expert", call.map[15] = 8);
    refused(INVALID, "layer 0, slot 2: -2 is not an expert", call.map[2] = -2);
    refused(INVALID, "phy2log: layer 1, expert 0 has no copy",
            for (size_t i = 12; i < 24; i++) call.map[i] = 1 + i % 7);
    refused(INVALID, "layer 1, expert 2 is nan", call.shares[10] = NAN);
    refused(INVALID, "layer 0, expert 7 is inf", call.shares[7] = INFINITY);
    refused(INVALID, "layer 1, expert 7 is -1", call.shares[15] = -1);
    refused(INVALID, "probabilities is NULL", call.has_probabilities = false);
    refused(INVALID, "probabilit", call.wanted[4] = 0);
    refused(INVALID, "probabilit", call.wanted[0] = 1);
    refused(INVALID, "probabilit", call.wanted[2] = NAN);
    refused(INVALID, "1 layers of 8 experts, the planner 2 of 8", call.layout.layers = 1);
    refused(INVALID, "2 layers of 6 experts, the planner 2 of 8", call.layout.experts = 6);
    refused(INVALID, "13 slots", call.layout.slots = 13);
    refused(INVALID, "12 slots on a rank: more than the 8 experts", call.layout.ranks = 1);
    refused(MOEP_ERROR_INCOMPATIBLE, "moep_layout", call.layout.struct_size += 8);
    refused(MOEP_ERROR_TOO_FEW_STEPS, "no step pushed yet", call.has_shares = false);
    struct call call;
    set_call(&run, &call);
    for (int of_ranks = 0; of_ranks < 2; of_ranks++)
        assert_int_equal(make_call(NULL, &call, of_ranks), INVALID);
    assert_says("planner is NULL");
    assert_int_equal(moep_planner_predict_ranks(run.planner, NULL, call.map, call.shares, 0, NULL, NULL, NULL, NULL),
                     INVALID);
    assert_says("moep_layout is NULL");
    assert_int_equal(
        moep_planner_predict_rank_quantiles(run.planner, &call.layout, call.map, call.shares, N, probabilities, NULL),
        INVALID);
    assert_says("quantiles is NULL");
    end_run(&run);
}

int main(void)
{
    const struct CMUnitTest ranks[] = {
        cmocka_unit_test(loads_peaks_and_quantiles_are_those_of_the_kept_steps_around_the_forecast),
        cmocka_unit_test(each_output_may_be_null_and_no_quantile_be_asked_for),
        cmocka_unit_test(bad_input_is_refused_in_words_and_nothing_is_written),
    };
    return cmocka_run_group_tests(ranks, NULL, NULL);
}
