/* SPDX-License-Identifier: BSD-3-Clause */
/* The stepwise searches of a chunk of series advance together: all proposals of one iteration are one batch.
 *
 * bytes: the size of chunks changes none. threads: chunks. allocates: one arena per call. */
#include "methods/arima/order_selection.h"

#include "api/status.h"
#include "methods/arima/chunks.h"
#include "methods/arima/season.h"
#include "methods/arima/standardise.h"
#include "methods/arima/unit_root_tests.h"

#include <math.h>
#include <string.h>

/* A series proposes at most its 8 neighbours in one iteration; 64 series then fill all lanes of a search. */
enum { CHUNK = 64, PROPOSALS = 8, SPECS = CHUNK * PROPOSALS };

/* One series' stepwise search. */
struct order_search {
    struct arima_standardised series;
    struct arima_order best;                      /* of the orders tried so far */
    double aicc;                                  /* of the best */
    bool tried[MP_ARIMA_ORDERS][MP_ARIMA_ORDERS]; /* [p][q] */
    bool constant;                                /* there is nothing to select */
    unsigned orders_tried;
    double cost;
};

struct worker {
    struct arima_search search;
    double *values;                /* [CHUNK][observations] */
    struct order_search *searches; /* [CHUNK] */
    struct arima_spec *specs;      /* [SPECS] */
    size_t *series_of;             /* [SPECS]: the series of each spec */
};

struct selection {
    const struct arima_request *request;
    struct arima_order_config config;
    struct arima_choice *choices;
    struct worker *workers; /* [threads] */
    size_t threads;
};

static void lay_out(void *self, struct arena *arena)
{
    struct selection *selection = self;
    const struct arima_request *request = selection->request;
    selection->workers = mp_arena_take(arena, selection->threads, sizeof *selection->workers);
    for (size_t w = 0; w < selection->threads; w++) {
        struct worker counted, *worker = selection->workers ? &selection->workers[w] : &counted;
        worker->values = mp_arena_take(arena, mp_product(CHUNK, request->observations), sizeof *worker->values);
        worker->searches = mp_arena_take(arena, CHUNK, sizeof *worker->searches);
        worker->specs = mp_arena_take(arena, SPECS, sizeof *worker->specs);
        worker->series_of = mp_arena_take(arena, SPECS, sizeof *worker->series_of);
        mp_arima_search_lay_out(&worker->search, arena, request->observations, SPECS, request->starts,
                                request->lane_bytes);
    }
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

/* Makes the order the best if its AICc is lower. fit NULL: p = q = 0. */
static void compare(struct order_search *search, struct arima_order order, const struct arima_candidate *fit)
{
    struct arima_estimate estimate;
    memset(&estimate, 0, sizeof estimate);
    if (fit)
        mp_arima_fill_estimate(&search->series, fit, order, &estimate);
    else
        mp_arima_fill_noise_estimate(&search->series, order, &estimate);
    search->orders_tried++;
    if (estimate.aicc < search->aicc) {
        search->aicc = estimate.aicc;
        search->best = order;
    }
}

static bool allowed(int configured, int value)
{
    return configured == MOEP_SELECT ? value >= 0 && value <= MP_ARIMA_SELECT_MOST : value == configured;
}

/* Adds (p, q) to the worker's specs, unless it has been tried or the series is too short for it. (0, 0) needs no
 * search, and is compared at once. Returns the number of specs. */
static size_t propose(const struct selection *selection, struct worker *worker, size_t s, int p, int q, size_t specs)
{
    struct order_search *search = &worker->searches[s];
    struct arima_order order = {.d = search->best.d, .mean = search->best.mean};
    if (!allowed(selection->config.p, p) || !allowed(selection->config.q, q) || search->tried[p][q])
        return specs;
    search->tried[p][q] = true;
    order.p = (unsigned)p;
    order.q = (unsigned)q;
    struct arima_order supported = mp_arima_supported_order(order, search->series.n);
    if (supported.p != order.p || supported.q != order.q)
        return specs;
    if (p + q == 0) {
        compare(search, order, NULL);
        return specs;
    }
    struct arima_spec *spec = &worker->specs[specs];
    *spec = (struct arima_spec){.n = search->series.n, .starts = selection->request->starts};
    spec->candidate.series = search->series.values;
    spec->candidate.p = order.p;
    spec->candidate.q = order.q;
    spec->candidate.mean = order.mean;
    worker->series_of[specs] = s;
    return specs + 1;
}

static size_t propose_first(const struct selection *selection, struct worker *worker, size_t s, size_t specs)
{
    static const int first[][2] = {{2, 2}, {0, 0}, {1, 0}, {0, 1}};
    int p = selection->config.p, q = selection->config.q;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        specs = propose(selection, worker, s, p == MOEP_SELECT ? first[i][0] : p, q == MOEP_SELECT ? first[i][1] : q,
                        specs);
    return specs;
}

static size_t propose_neighbours(const struct selection *selection, struct worker *worker, size_t s, size_t specs)
{
    int p = (int)worker->searches[s].best.p, q = (int)worker->searches[s].best.q;
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            specs = propose(selection, worker, s, p + i, q + j, specs);
    return specs;
}

/* ---- seasons ----------------------------------------------------------------------------------------------------- */

/* Loads into a lane x(t) - r x(t-1), r the first autocorrelation, so that persistence does not look like a peak. */
static void load_whitened(const struct arima_standardised *series, struct arima_workspace *workspace, size_t l)
{
    double *column = mp_arima_lane(workspace, workspace->residuals, l), product = 0, squares = 0;
    for (size_t t = 0; t < series->n; t++) {
        squares += series->values[t] * series->values[t];
        product += t > 0 ? series->values[t] * series->values[t - 1] : 0;
    }
    for (size_t t = 0; t < series->n; t++)
        column[t * MP_LANE_COLUMN] = series->values[t] - (t > 0 ? product / squares * series->values[t - 1] : 0);
}

/* Finds the periods of up to MP_LANES series of one length. */
static void find_periods(struct worker *worker, const size_t *which, size_t count, struct arima_choice *choices)
{
    struct arima_workspace *workspace = &worker->search.workspace;
    if (count == 0)
        return;
    workspace->n = worker->searches[which[0]].series.n;
    size_t size = mp_arima_periodogram_size(workspace->n);
    for (size_t l = 0; l < count; l++)
        load_whitened(&worker->searches[which[l]].series, workspace, l);
    worker->search.start_kernel->periodogram(workspace, size, worker->search.twiddles);
    for (size_t l = 0; l < count; l++) {
        const double *power = mp_arima_lane(workspace, workspace->filtered_series, l);
        choices[which[l]].period =
            mp_arima_period(worker->searches[which[l]].series.values, workspace->n, power, size, MP_LANE_COLUMN);
    }
}

static void find_all_periods(struct worker *worker, size_t count, struct arima_choice *choices)
{
    for (unsigned d = 0; d <= 2; d++) {
        size_t which[MP_LANES], lanes = 0;
        for (size_t s = 0; s < count; s++) {
            if (worker->searches[s].constant || worker->searches[s].best.d != d)
                continue;
            which[lanes++] = s;
            if (lanes == MP_LANES) {
                find_periods(worker, which, lanes, choices);
                lanes = 0;
            }
        }
        find_periods(worker, which, lanes, choices);
    }
}

/* ---- a chunk of series ------------------------------------------------------------------------------------------- */

static void begin_search(const struct selection *selection, struct order_search *search, double *values, size_t n)
{
    struct arima_order_config config = selection->config;
    memset(search, 0, sizeof *search);
    search->aicc = INFINITY;
    search->best.d = config.d == MOEP_SELECT ? mp_arima_differences(values, n) : (unsigned)config.d;
    search->best.mean = config.mean && search->best.d == 0;
    search->constant = !mp_arima_standardise(&search->series, values, n, search->best.d, search->best.mean);
}

static void fit_proposals(struct worker *worker, size_t specs)
{
    mp_arima_search(&worker->search, worker->specs, specs);
    for (size_t i = 0; i < specs; i++) {
        struct order_search *search = &worker->searches[worker->series_of[i]];
        const struct arima_candidate *fit = &worker->specs[i].candidate;
        search->cost += worker->specs[i].cost;
        compare(search, (struct arima_order){fit->p, search->best.d, fit->q, fit->mean}, fit);
    }
}

/* Iterates until no series proposes an order. */
static void run_searches(const struct selection *selection, struct worker *worker, size_t count)
{
    size_t specs = 0;
    for (size_t s = 0; s < count; s++)
        if (!worker->searches[s].constant)
            specs = propose_first(selection, worker, s, specs);
    while (specs > 0) {
        fit_proposals(worker, specs);
        specs = 0;
        for (size_t s = 0; s < count; s++)
            if (!worker->searches[s].constant)
                specs = propose_neighbours(selection, worker, s, specs);
    }
}

static void select_chunk(void *user, size_t w, size_t first, size_t count)
{
    struct selection *selection = user;
    const struct arima_request *request = selection->request;
    struct worker *worker = &selection->workers[w];
    struct arima_choice *choices = selection->choices + first;
    size_t n = request->observations;
    request->load(request->user, first, count, worker->values);
    for (size_t s = 0; s < count; s++) {
        choices[s].period = 0;
        begin_search(selection, &worker->searches[s], worker->values + s * n, n);
    }
    find_all_periods(worker, count, choices);
    run_searches(selection, worker, count);
    for (size_t s = 0; s < count; s++) {
        const struct order_search *search = &worker->searches[s];
        choices[s] = (struct arima_choice){.order = search->best,
                                           .period = choices[s].period,
                                           .aicc = search->aicc,
                                           .orders_tried = search->orders_tried,
                                           .cost = search->cost};
    }
}

/* ---- all series -------------------------------------------------------------------------------------------------- */

moep_status mp_arima_select_orders(const struct arima_request *request, struct arima_order_config config,
                                   struct arima_choice *choices)
{
    struct selection selection = {.request = request, .config = config, .choices = choices};
    struct arena arena;
    selection.threads = mp_arima_workers(request->threads, request->series / CHUNK + 1);
    if (!mp_arena_make(&arena, lay_out, &selection, request->memory)) /* zeroed: lanes without a series compute too */
        return mp_out_of_memory("the scratch of an ARIMA order selection");
    moep_status status = mp_arima_run_chunks(&(struct arima_chunks){.end = request->series,
                                                                    .size = CHUNK,
                                                                    .workers = selection.threads,
                                                                    .work = select_chunk,
                                                                    .user = &selection,
                                                                    .progress = request->progress,
                                                                    .progress_user = request->progress_user,
                                                                    .total = request->series});
    mp_arena_free(&arena, request->memory);
    return status;
}
