/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/initial_estimates.h"

#include <string.h>

enum { BASE_ITERATIONS = 60 };
static const double base_tolerance = 0.01;

static void load_lane(struct arima_search *s, size_t l, const struct arima_run *run)
{
    double *column = mp_arima_lane(&s->workspace, s->workspace.series, l);
    for (size_t t = 0; t < s->workspace.n; t++)
        column[t * MP_LANE_COLUMN] = run->series[t] - run->mean_value;
}

/* Hannan-Rissanen of ARMA(p, q) with p and q cut to the order, for up to MP_LANES items. */
static void hannan_rissanen(struct arima_search *s, struct arima_item **items, size_t count, unsigned order,
                            struct arima_coefficients *out)
{
    static const struct arima_lanes undamped;
    static const struct arima_secant none;
    struct arima_lanes augmented = undamped;
    unsigned lags = s->workspace.n / 4 < MP_ARIMA_MOST_LAGS ? (unsigned)(s->workspace.n / 4) : MP_ARIMA_MOST_LAGS;
    for (size_t l = 0; l < count; l++) {
        load_lane(s, l, &items[l]->run);
        for (unsigned i = 0; i < order; i++) {
            s->active[i].lane[l] = i < items[l]->run.p;
            s->active[order + i].lane[l] = i < items[l]->run.q;
        }
    }
    s->start_kernel->regress(&s->workspace, order, lags, s->point);
    s->kernel->solve(s->point, &none, s->active, order, undamped.lane, augmented.lane, s->step);
    for (size_t l = 0; l < count; l++) {
        memset(&out[l], 0, sizeof out[l]);
        for (unsigned i = 0; i < order; i++) {
            out[l].phi[i] = i < items[l]->run.p ? s->step[i].lane[l] : 0;
            out[l].theta[i] = i < items[l]->run.q ? s->step[order + i].lane[l] : 0;
        }
    }
}

void mp_arima_regressed(struct arima_search *s, struct arima_item **items, size_t count, unsigned order,
                        struct arima_coefficients *out)
{
    for (size_t first = 0; first < count; first += MP_LANES)
        hannan_rissanen(s, items + first, count - first < MP_LANES ? count - first : MP_LANES, order, out + first);
}

/* The highest of lane l's periodogram, not close to each other; as cosines of their frequencies. */
static void find_peaks(const struct arima_search *s, size_t l, size_t size, double *peaks)
{
    const double *power = mp_arima_lane(&s->workspace, s->workspace.filtered_series, l);
    size_t found[MP_ARIMA_PEAKS], apart = 3 * size / s->workspace.n;
    for (int i = 0; i < MP_ARIMA_PEAKS; i++) {
        double highest = -1;
        found[i] = 1;
        for (size_t k = 1; k < size / 2; k++) {
            double here = power[k * MP_LANE_COLUMN];
            if (here <= highest)
                continue;
            bool close = false;
            for (int j = 0; j < i; j++)
                close |= k + apart >= found[j] && k <= found[j] + apart;
            if (close)
                continue;
            highest = here;
            found[i] = k;
        }
        peaks[i] = s->twiddles[2 * found[i]];
    }
}

/* The residuals of the ARMA(1, 1) in bases, and their peaks. */
static void all_peaks(struct arima_search *s, struct arima_item **items, size_t count)
{
    size_t size = 4;
    while (size < s->workspace.n)
        size *= 2;
    for (size_t first = 0; first < count; first += MP_LANES) {
        size_t lanes = count - first < MP_LANES ? count - first : MP_LANES;
        for (size_t l = 0; l < lanes; l++) {
            load_lane(s, l, &items[first + l]->run);
            s->point->parameters[0].lane[l] = s->bases[first + l].phi[0];
            s->point->parameters[1].lane[l] = s->bases[first + l].theta[0];
        }
        s->kernel->evaluate(&s->workspace, 1, s->point);
        s->start_kernel->periodogram(&s->workspace, size, s->twiddles);
        for (size_t l = 0; l < lanes; l++)
            find_peaks(s, l, size, s->peaks[first + l]);
    }
}

bool mp_arima_needs_base(const struct arima_item *item)
{
    return !item->warm && mp_arima_starts_of(item) > 1 && (item->run.p != 1 || item->run.q != 1);
}

void mp_arima_bases(struct arima_search *s, struct arima_item **items, size_t count)
{
    mp_arima_regressed(s, items, count, 1, s->bases);
    for (size_t i = 0; i < 2 * count; i++) {
        struct arima_run *run = &s->runs[i];
        *run = items[i / 2]->run;
        run->p = run->p > 0;
        run->q = run->q > 0;
        run->mean = false;
        run->iterations = BASE_ITERATIONS;
        run->tolerance = base_tolerance;
        run->at = i % 2 == 0 ? mp_arima_damped(s->bases[i / 2])
                             : mp_arima_start(1, 1, 1, s->bases[i / 2], s->bases[i / 2], NULL);
    }
    mp_arima_optimise(s->kernel, &s->workspace, 1, s->runs, 2 * count);
    for (size_t i = 0; i < count; i++) {
        const struct arima_run *two = &s->runs[2 * i];
        s->bases[i] = two[two[1].objective < two[0].objective].at;
        /* Those of the others are not used, and their cost must not depend on their neighbours. */
        if (mp_arima_needs_base(items[i]))
            items[i]->cost += (two[0].evaluations + two[1].evaluations) * mp_arima_evaluation_cost(s->workspace.n, 1);
    }
    all_peaks(s, items, count);
}
