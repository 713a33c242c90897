/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/order_selection.h"

#include "api/status.h"
#include "methods/arima/season.h"
#include "methods/arima/unit_root_tests.h"
#include "support/parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { CHUNK = 64, SIDE = MP_ARIMA_ORDER + 1, PROPOSALS = 8 };

/* One series' search. */
struct path {
    struct arima_series series;
    struct arima_order best; /* of the candidates so far */
    double aicc;
    bool tried[SIDE][SIDE], over;
    unsigned candidates;
    double cost;
};

struct worker {
    struct arima_search search;
    double *values;           /* [CHUNK][steps] */
    struct path *paths;       /* [CHUNK] */
    struct arima_item *items; /* [CHUNK x PROPOSALS] */
    size_t *item_of;          /* [CHUNK x PROPOSALS] */
};

struct selection {
    const struct arima_job *job;
    struct arima_wanted wanted;
    struct arima_choice *choices;
    struct worker *workers;
    atomic_size_t next;
    atomic_bool cancelled;
};

/* ---- candidates ---- */

static void consider(struct path *path, struct arima_order order, const struct arima_run *run)
{
    struct arima_estimate estimate;
    memset(&estimate, 0, sizeof estimate);
    if (run)
        mp_arima_describe(&path->series, run, order, &estimate);
    else
        mp_arima_describe_noise(&path->series, order, &estimate);
    path->candidates++;
    if (estimate.aicc < path->aicc) {
        path->aicc = estimate.aicc;
        path->best = order;
    }
}

static bool allowed(int wanted, int value)
{
    return wanted == MOEP_SELECT ? value >= 0 && value <= MP_ARIMA_SELECT_MOST : value == wanted;
}

/* A candidate that has not been tried, and that so many observations bear, becomes an item; p = q = 0 needs none. */
static size_t propose(const struct selection *selection, struct worker *worker, size_t s, int p, int q, size_t items)
{
    struct path *path = &worker->paths[s];
    struct arima_order order = {.d = path->best.d, .mean = path->best.mean};
    if (!allowed(selection->wanted.p, p) || !allowed(selection->wanted.q, q) || path->tried[p][q])
        return items;
    path->tried[p][q] = true;
    order.p = (unsigned)p;
    order.q = (unsigned)q;
    struct arima_order bearable = mp_arima_bearable(order, path->series.n);
    if (bearable.p != order.p || bearable.q != order.q)
        return items;
    if (p + q == 0) {
        consider(path, order, NULL);
        return items;
    }
    struct arima_item *item = &worker->items[items];
    *item = (struct arima_item){.n = path->series.n, .starts = selection->job->starts};
    item->run.series = path->series.values;
    item->run.p = order.p;
    item->run.q = order.q;
    item->run.mean = order.mean;
    worker->item_of[items] = s;
    return items + 1;
}

static size_t propose_first(const struct selection *selection, struct worker *worker, size_t s, size_t items)
{
    static const int first[][2] = {{2, 2}, {0, 0}, {1, 0}, {0, 1}};
    int p = selection->wanted.p, q = selection->wanted.q;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        items = propose(selection, worker, s, p == MOEP_SELECT ? first[i][0] : p, q == MOEP_SELECT ? first[i][1] : q,
                        items);
    return items;
}

static size_t propose_neighbours(const struct selection *selection, struct worker *worker, size_t s, size_t items)
{
    int p = (int)worker->paths[s].best.p, q = (int)worker->paths[s].best.q;
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            items = propose(selection, worker, s, p + i, q + j, items);
    return items;
}

/* ---- a chunk of series ---- */

static void start_path(const struct selection *selection, struct path *path, double *values, size_t steps)
{
    struct arima_wanted wanted = selection->wanted;
    memset(path, 0, sizeof *path);
    path->aicc = INFINITY;
    path->best.d = wanted.d == MOEP_SELECT ? mp_arima_differences(values, steps) : (unsigned)wanted.d;
    path->best.mean = wanted.mean && path->best.d == 0;
    path->over = !mp_arima_standardise(&path->series, values, steps, path->best.d, path->best.mean);
}

/* A series less what its neighbour before tells of it, so that persistence does not look like a peak, into a lane. */
static void load_whitened(const struct arima_series *series, struct arima_workspace *workspace, size_t l)
{
    double *column = mp_arima_lane(workspace, workspace->residuals, l), product = 0, squares = 0;
    for (size_t t = 0; t < series->n; t++) {
        squares += series->values[t] * series->values[t];
        product += t > 0 ? series->values[t] * series->values[t - 1] : 0;
    }
    for (size_t t = 0; t < series->n; t++)
        column[t * MP_LANE_COLUMN] = series->values[t] - (t > 0 ? product / squares * series->values[t - 1] : 0);
}

/* Of series of one length, up to MP_LANES. */
static void find_periods(struct worker *worker, const size_t *which, size_t count, struct arima_choice *choices)
{
    struct arima_workspace *workspace = &worker->search.workspace;
    size_t size = 4;
    if (count == 0)
        return;
    workspace->n = worker->paths[which[0]].series.n;
    while (size < workspace->n)
        size *= 2;
    for (size_t l = 0; l < count; l++)
        load_whitened(&worker->paths[which[l]].series, workspace, l);
    worker->search.start_kernel->periodogram(workspace, size, worker->search.twiddles);
    for (size_t l = 0; l < count; l++) {
        const double *power = mp_arima_lane(workspace, workspace->filtered_series, l);
        choices[which[l]].period =
            mp_arima_period(worker->paths[which[l]].series.values, workspace->n, power, size, MP_LANE_COLUMN);
    }
}

static void find_all_periods(struct worker *worker, size_t count, struct arima_choice *choices)
{
    for (unsigned d = 0; d <= 2; d++) {
        size_t which[MP_LANES], lanes = 0;
        for (size_t s = 0; s < count; s++) {
            if (worker->paths[s].over || worker->paths[s].best.d != d)
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

static void fit_candidates(struct worker *worker, size_t items)
{
    mp_arima_search(&worker->search, worker->items, items);
    for (size_t i = 0; i < items; i++) {
        struct path *path = &worker->paths[worker->item_of[i]];
        const struct arima_run *run = &worker->items[i].run;
        path->cost += worker->items[i].cost;
        consider(path, (struct arima_order){run->p, path->best.d, run->q, run->mean}, run);
    }
}

static void select_chunk(struct selection *selection, struct worker *worker, size_t first, size_t count)
{
    const struct arima_job *job = selection->job;
    size_t items = 0;
    job->load(job->user, first, count, worker->values);
    for (size_t s = 0; s < count; s++) {
        selection->choices[first + s] = (struct arima_choice){.period = 0};
        start_path(selection, &worker->paths[s], worker->values + s * job->steps, job->steps);
    }
    find_all_periods(worker, count, selection->choices + first);
    for (size_t s = 0; s < count; s++)
        if (!worker->paths[s].over)
            items = propose_first(selection, worker, s, items);
    while (items > 0) { /* a series that has tried all its neighbours proposes none any more */
        fit_candidates(worker, items);
        items = 0;
        for (size_t s = 0; s < count; s++)
            if (!worker->paths[s].over)
                items = propose_neighbours(selection, worker, s, items);
    }
    for (size_t s = 0; s < count; s++) {
        struct arima_choice *choice = &selection->choices[first + s];
        choice->order = worker->paths[s].best;
        choice->aicc = worker->paths[s].aicc;
        choice->candidates = worker->paths[s].candidates;
        choice->cost = worker->paths[s].cost;
    }
}

static void work(void *user, size_t index)
{
    struct selection *selection = user;
    const struct arima_job *job = selection->job;
    for (;;) {
        size_t first = atomic_fetch_add(&selection->next, CHUNK);
        if (first >= job->series || atomic_load(&selection->cancelled))
            return;
        if (index == 0 && job->progress && job->progress(job->progress_user, (double)first / (double)job->series)) {
            atomic_store(&selection->cancelled, true);
            return;
        }
        size_t count = job->series - first < CHUNK ? job->series - first : CHUNK;
        select_chunk(selection, &selection->workers[index], first, count);
    }
}

/* ---- all series ---- */

static size_t worker_size(const struct arima_job *job)
{
    size_t size = mp_whole_lines(mp_arima_search_size(job->steps, CHUNK * PROPOSALS, job->starts), 1);
    size = mp_sum(size, mp_whole_lines(mp_product(CHUNK, job->steps), sizeof(double)));
    size = mp_sum(size, mp_whole_lines(CHUNK, sizeof(struct path)));
    size = mp_sum(size, mp_whole_lines(CHUNK * PROPOSALS, sizeof(struct arima_item)));
    return mp_sum(size, mp_whole_lines(CHUNK * PROPOSALS, sizeof(size_t)));
}

static void worker_init(struct worker *worker, const struct arima_job *job, char *memory)
{
    worker->values = (double *)memory;
    memory += mp_whole_lines(CHUNK * job->steps, sizeof(double));
    worker->paths = (struct path *)memory;
    memory += mp_whole_lines(CHUNK, sizeof(struct path));
    worker->items = (struct arima_item *)memory;
    memory += mp_whole_lines(CHUNK * PROPOSALS, sizeof(struct arima_item));
    worker->item_of = (size_t *)memory;
    memory += mp_whole_lines(CHUNK * PROPOSALS, sizeof(size_t));
    mp_arima_search_init(&worker->search, memory, job->steps, CHUNK * PROPOSALS, job->starts, job->lane_bytes);
}

moep_status mp_arima_select(const struct arima_job *job, struct arima_wanted wanted, struct arima_choice *choices)
{
    size_t threads = job->threads < 1 ? 1 : job->threads > MP_MOST_THREADS ? MP_MOST_THREADS : job->threads;
    if (threads > job->series / CHUNK + 1)
        threads = job->series / CHUNK + 1;
    size_t each = worker_size(job), heads = mp_whole_lines(threads, sizeof(struct worker));
    size_t size = mp_sum(heads, mp_product(each, threads));
    char *memory = mp_allocate(job->memory, size, 1);
    if (!memory)
        return mp_out_of_memory("the scratch of an ARIMA order selection");
    memset(memory, 0, size); /* lanes without a series compute too */
    struct selection selection = {.job = job, .wanted = wanted, .choices = choices, .workers = (struct worker *)memory};
    for (size_t i = 0; i < threads; i++)
        worker_init(&selection.workers[i], job, memory + heads + i * each);
    mp_parallel(threads, work, &selection);
    mp_release(job->memory, memory, size, 1);
    return atomic_load(&selection.cancelled) ? mp_fail(MOEP_ERROR_CANCELLED, "cancelled by the progress function")
                                             : MOEP_OK;
}
