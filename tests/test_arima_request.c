/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests for many estimates: threads, lanes, neighbours, budgets, warm starts, memory, cancelling. */
#include "arima_estimates.h"

#include "methods/arima/forecast.h"

static bool same_estimate(const struct arima_estimate *a, const struct arima_estimate *b)
{
    return a->order.p == b->order.p && a->order.d == b->order.d && a->order.q == b->order.q &&
           a->order.mean == b->order.mean && a->fallback == b->fallback && a->done == b->done &&
           memcmp(a->phi, b->phi, sizeof a->phi) == 0 && memcmp(a->theta, b->theta, sizeof a->theta) == 0 &&
           memcmp(a->phi_error, b->phi_error, sizeof a->phi_error) == 0 &&
           memcmp(a->theta_error, b->theta_error, sizeof a->theta_error) == 0 &&
           memcmp(&a->mean, &b->mean, sizeof a->mean) == 0 && memcmp(&a->sigma2, &b->sigma2, sizeof a->sigma2) == 0 &&
           memcmp(&a->loglik, &b->loglik, sizeof a->loglik) == 0 && memcmp(&a->aicc, &b->aicc, sizeof a->aicc) == 0;
}

#define EXPECTED_HASH UINT64_C(0x140023a68abfb1e2) /* a change of the algorithm changes it */
enum { SERIES = 100, STEPS = 150 };

static void mixed_orders(struct arima_order *orders)
{
    for (unsigned s = 0; s < SERIES; s++)
        orders[s] = (struct arima_order){s % 6, s / 6 % 3, s / 3 % 6, s % 2 == 0};
}

static void any_threads_lanes_and_neighbours_give_the_same_bytes(void **state)
{
    (void)state;
    static const size_t threads[] = {1, 2, 3, 7, 1000};
    static const int widths[] = {16, 32, 64};
    struct arima_order orders[SERIES];
    struct arima_estimate expected[SERIES], found[SERIES];
    double *values = shares(SERIES, STEPS);
    struct columns columns = {values, STEPS};
    struct arima_request request = make_request(&columns, SERIES, orders);
    mixed_orders(orders);
    request.starts = 4;
    memset(expected, 0, sizeof expected);
    assert_int_equal(mp_arima_estimate(&request, expected), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        assert_coherent(&expected[s], values + s * STEPS, STEPS, 1e-9);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        request.threads = threads[i];
        memset(found, 0, sizeof found);
        assert_int_equal(mp_arima_estimate(&request, found), MOEP_OK);
        for (size_t s = 0; s < SERIES; s++)
            assert_true(same_estimate(&found[s], &expected[s]));
    }
    request.threads = 1;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        request.lane_bytes = widths[i];
        if (!mp_arima_kernel(widths[i]))
            continue;
        memset(found, 0, sizeof found);
        assert_int_equal(mp_arima_estimate(&request, found), MOEP_OK);
        for (size_t s = 0; s < SERIES; s++)
            assert_true(same_estimate(&found[s], &expected[s]));
    }
    for (size_t s = 0; s < SERIES; s += 9) {
        struct arima_estimate alone = estimate_one(values + s * STEPS, STEPS, orders[s], 4);
        assert_true(same_estimate(&alone, &expected[s]));
    }
    free(values);
}

/* Every compiler and processor gives the same bytes. The series come from integers alone, because C libraries
 * differ. */
static void every_build_gives_these_bytes(void **state)
{
    (void)state;
    struct arima_order orders[SERIES];
    struct arima_estimate estimates[SERIES];
    double *values = malloc(SERIES * STEPS * sizeof *values);
    struct columns columns = {values, STEPS};
    uint64_t seed = 11, hash = HASH_START;
    mixed_orders(orders);
    struct arima_request request = make_request(&columns, SERIES, orders);
    for (size_t s = 0; s < SERIES; s++)
        for (size_t t = 0; t < STEPS; t++)
            values[s * STEPS + t] = (t > 0 ? 0.875 * values[s * STEPS + t - 1] : 0) + uniform(&seed) - 0.5;
    memset(estimates, 0, sizeof estimates);
    assert_int_equal(mp_arima_estimate(&request, estimates), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++) {
        struct arima_forecast_state at;
        double mean[10], error[10], scratch[100];
        struct own_scratch own;
        make_own_scratch(&own, STEPS);
        mp_arima_forecast_states(&estimates[s], values + s * STEPS, 1, STEPS, 0.99, &own.scratch, &at, NULL);
        mp_arima_forecast(&at, 100, 10, mean, error, 1, scratch);
        hash = hash_of(hash, estimates[s].phi, sizeof estimates[s].phi);
        hash = hash_of(hash, estimates[s].theta_error, sizeof estimates[s].theta_error);
        hash = hash_of(hash, &estimates[s].loglik, sizeof estimates[s].loglik);
        hash = hash_of(hash, mean, sizeof mean);
        hash = hash_of(hash, error, sizeof error);
        free_own_scratch(&own);
    }
    if (hash != EXPECTED_HASH)
        fail_msg("the bytes have changed: hash 0x%016llx", (unsigned long long)hash);
    free(values);
}

static size_t done_of(const struct arima_estimate *estimates)
{
    size_t done = 0;
    while (done < SERIES && estimates[done].done)
        done++;
    for (size_t s = done; s < SERIES; s++)
        assert_false(estimates[s].done);
    return done;
}

static void a_budget_stops_between_series_and_the_next_call_continues(void **state)
{
    (void)state;
    struct arima_order orders[SERIES];
    struct arima_estimate expected[SERIES], found[SERIES], threaded[SERIES];
    double *values = shares(SERIES, STEPS), whole = 0;
    struct columns columns = {values, STEPS};
    struct arima_request request = make_request(&columns, SERIES, orders);
    mixed_orders(orders);
    memset(expected, 0, sizeof expected);
    assert_int_equal(mp_arima_estimate(&request, expected), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        whole += expected[s].cost;
    memset(found, 0, sizeof found);
    memset(threaded, 0, sizeof threaded);
    size_t calls = 0, done = 0;
    for (request.budget = whole / 8; done < SERIES; calls++) {
        request.threads = 1;
        assert_int_equal(mp_arima_estimate(&request, found), MOEP_OK);
        request.threads = 3;
        assert_int_equal(mp_arima_estimate(&request, threaded), MOEP_OK);
        double spent = 0;
        for (size_t s = done; s < SERIES && found[s].done; s++)
            spent += found[s].cost;
        assert_true(done_of(found) > done && done_of(threaded) == done_of(found));
        assert_true(spent < 2 * request.budget);
        done = done_of(found);
    }
    assert_true(calls >= 6 && calls <= 12);
    for (size_t s = 0; s < SERIES; s++) {
        assert_true(same_estimate(&found[s], &expected[s]));
        assert_true(same_estimate(&threaded[s], &expected[s]));
    }
    memset(found, 0, sizeof found);
    request.budget = 1; /* the smallest: one series a call */
    assert_int_equal(mp_arima_estimate(&request, found), MOEP_OK);
    while (done_of(found) == 0 || found[done_of(found) - 1].cost == 0)
        assert_int_equal(mp_arima_estimate(&request, found), MOEP_OK);
    assert_true(done_of(found) <= 2);
    free(values);
}

/* From its own estimate a fit takes hardly any step. */
static void a_warm_start_continues_from_the_estimate(void **state)
{
    (void)state;
    struct arima_order orders[SERIES];
    struct arima_estimate cold[SERIES], warm[SERIES];
    double *values = shares(SERIES, STEPS), costs[2] = {0};
    struct columns columns = {values, STEPS};
    struct arima_request request = make_request(&columns, SERIES, orders);
    for (size_t s = 0; s < SERIES; s++)
        orders[s] = (struct arima_order){2, s % 2, 2, true};
    memset(cold, 0, sizeof cold);
    assert_int_equal(mp_arima_estimate(&request, cold), MOEP_OK);
    memcpy(warm, cold, sizeof warm);
    for (size_t s = 0; s < SERIES; s++)
        warm[s].done = false;
    request.warm = true;
    assert_int_equal(mp_arima_estimate(&request, warm), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++) {
        costs[0] += cold[s].cost;
        costs[1] += warm[s].cost;
        assert_true(warm[s].loglik >= cold[s].loglik - 1e-9 * fabs(cold[s].loglik));
    }
    assert_true(costs[1] < 0.3 * costs[0]);
    for (size_t s = 0; s < SERIES; s++) { /* an order other than the estimate's begins cold */
        warm[s].done = false;
        orders[s].p = 1;
    }
    assert_int_equal(mp_arima_estimate(&request, warm), MOEP_OK);
    request.warm = false;
    memset(cold, 0, sizeof cold);
    assert_int_equal(mp_arima_estimate(&request, cold), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        assert_true(same_estimate(&cold[s], &warm[s]));
    free(values);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

struct counter {
    size_t requests, refused_at, held;
};

static void *count_allocate(void *user, size_t size)
{
    struct counter *counter = user;
    if (counter->requests++ == counter->refused_at)
        return NULL;
    counter->held += size;
    return malloc(size);
}

static void count_release(void *user, void *pointer, size_t size)
{
    struct counter *counter = user;
    counter->held -= size;
    free(pointer);
}

static void refused_memory_is_reported_and_none_is_kept(void **state)
{
    (void)state;
    struct arima_order orders[SERIES];
    struct arima_estimate estimates[SERIES];
    double *values = shares(SERIES, STEPS);
    struct columns columns = {values, STEPS};
    struct counter counter = {0};
    struct memory memory = {count_allocate, count_release, &counter};
    struct arima_request request = make_request(&columns, SERIES, orders);
    mixed_orders(orders);
    request.starts = 1;
    request.threads = 2;
    request.memory = &memory;
    moep_status status = MOEP_ERROR_OUT_OF_MEMORY;
    for (; status != MOEP_OK; counter.refused_at++) {
        memset(estimates, 0, sizeof estimates);
        counter.requests = 0;
        status = mp_arima_estimate(&request, estimates);
        assert_int_equal(counter.held, 0);
        assert_int_equal(status, counter.requests > counter.refused_at ? MOEP_ERROR_OUT_OF_MEMORY : MOEP_OK);
        assert_int_equal(estimates[0].done, status == MOEP_OK);
    }
    assert_int_equal(counter.requests, 1); /* one block, up front */
    request.observations = SIZE_MAX / 4;
    assert_int_equal(mp_arima_estimate(&request, estimates), MOEP_ERROR_OUT_OF_MEMORY);
    free(values);
}

static int32_t stop_at_half(void *user, double fraction)
{
    ++*(int *)user;
    return fraction >= 0.5;
}

static void progress_can_cancel(void **state)
{
    (void)state;
    struct arima_order orders[SERIES];
    struct arima_estimate estimates[SERIES];
    double *values = shares(SERIES, STEPS);
    struct columns columns = {values, STEPS};
    struct arima_request request = make_request(&columns, SERIES, orders);
    int calls = 0;
    mixed_orders(orders);
    memset(estimates, 0, sizeof estimates);
    request.progress = stop_at_half;
    request.progress_user = &calls;
    assert_int_equal(mp_arima_estimate(&request, estimates), MOEP_ERROR_CANCELLED);
    assert_true(calls >= 1);
    assert_says("cancelled");
    free(values);
}

int main(void)
{
    const struct CMUnitTest arima_request[] = {
        cmocka_unit_test(any_threads_lanes_and_neighbours_give_the_same_bytes),
        cmocka_unit_test(every_build_gives_these_bytes),
        cmocka_unit_test(a_budget_stops_between_series_and_the_next_call_continues),
        cmocka_unit_test(a_warm_start_continues_from_the_estimate),
        cmocka_unit_test(refused_memory_is_reported_and_none_is_kept),
        cmocka_unit_test(progress_can_cancel),
    };
    return cmocka_run_group_tests(arima_request, NULL, NULL);
}
