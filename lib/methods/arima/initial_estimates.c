/* SPDX-License-Identifier: BSD-3-Clause */
/* Hannan and Rissanen (1982): the residuals e of an autoregression with many lags stand for the innovations, and the
 * regression
 *
 *     w(t) = phi(1) w(t-1) + .. + phi(p) w(t-p) + theta(1) e(t-1) + .. + theta(q) e(t-q) + error
 *
 * gives the coefficients. Its normal equations take the place of a point's hessian and gradient, and the optimiser's
 * solve, undamped, solves them.
 *
 * An ARMA(1, 1) has one optimum or two, which two starts find. Where the periodogram of its residuals is high, a
 * further pair of complex roots is missing: structured starts have one at that frequency.
 *
 * bytes: those of a spec do not depend on the others. threads: none. allocates: nothing. */
#include "methods/arima/initial_estimates.h"

#include <string.h>

/* A start need not be exact: the tolerance is that of searches (search.c). 20 iterations give the same fits already. */
enum { ARMA11_ITERATIONS = 60 };
static const double ARMA11_TOLERANCE = 0.01;

static void load_lane(struct arima_search *s, size_t l, const struct arima_candidate *candidate)
{
    double *column = mp_arima_lane(&s->workspace, s->workspace.series, l);
    for (size_t t = 0; t < s->workspace.n; t++)
        column[t * MP_LANE_COLUMN] = candidate->series[t] - candidate->mean_value;
}

/* Regresses up to MP_LANES specs. Lags are at most a quarter of the observations, so that enough remain to regress
 * on. */
static void regress(struct arima_search *s, struct arima_spec **specs, size_t count, unsigned dimension,
                    struct arima_coefficients *out)
{
    static const struct arima_lanes undamped;
    static const struct arima_secant none;
    struct arima_lanes augmented = undamped;
    unsigned lags = s->workspace.n / 4 < MP_ARIMA_MOST_LAGS ? (unsigned)(s->workspace.n / 4) : MP_ARIMA_MOST_LAGS;
    for (size_t l = 0; l < count; l++) {
        load_lane(s, l, &specs[l]->candidate);
        for (unsigned i = 0; i < dimension; i++) {
            s->active[i].lane[l] = i < specs[l]->candidate.p;
            s->active[dimension + i].lane[l] = i < specs[l]->candidate.q;
        }
    }
    s->start_kernel->regress(&s->workspace, dimension, lags, s->point);
    s->kernel->solve(s->point, &none, s->active, dimension, undamped.lane, augmented.lane, s->step);
    for (size_t l = 0; l < count; l++) {
        memset(&out[l], 0, sizeof out[l]);
        for (unsigned i = 0; i < dimension; i++) {
            out[l].phi[i] = i < specs[l]->candidate.p ? s->step[i].lane[l] : 0;
            out[l].theta[i] = i < specs[l]->candidate.q ? s->step[dimension + i].lane[l] : 0;
        }
    }
}

void mp_arima_hannan_rissanen(struct arima_search *s, struct arima_spec **specs, size_t count, unsigned dimension,
                              struct arima_coefficients *out)
{
    for (size_t first = 0; first < count; first += MP_LANES)
        regress(s, specs + first, count - first < MP_LANES ? count - first : MP_LANES, dimension, out + first);
}

/* ---- peaks ------------------------------------------------------------------------------------------------------- */

static bool is_close(size_t k, const size_t *found, int count, size_t distance)
{
    bool close = false;
    for (int j = 0; j < count; j++)
        close |= k + distance >= found[j] && k <= found[j] + distance;
    return close;
}

/* Finds the highest peaks of lane l's periodogram, as cosines of their frequencies. Two are more than 3 / n apart:
 * nearer ones are the same peak, which is 2 / n wide. */
static void find_peaks(const struct arima_search *s, size_t l, size_t size, double *cosines)
{
    const double *power = mp_arima_lane(&s->workspace, s->workspace.filtered_series, l);
    size_t found[MP_ARIMA_PEAKS], distance = 3 * size / s->workspace.n;
    for (int i = 0; i < MP_ARIMA_PEAKS; i++) {
        double highest = -1;
        found[i] = 1;
        for (size_t k = 1; k < size / 2; k++) {
            double here = power[k * MP_LANE_COLUMN];
            if (here <= highest || is_close(k, found, i, distance))
                continue;
            highest = here;
            found[i] = k;
        }
        cosines[i] = s->twiddles[2 * found[i]];
    }
}

/* Finds the peaks of the residuals of every ARMA(1, 1). */
static void find_all_peaks(struct arima_search *s, struct arima_spec **specs, size_t count)
{
    size_t size = mp_arima_periodogram_size(s->workspace.n);
    for (size_t first = 0; first < count; first += MP_LANES) {
        size_t lanes = count - first < MP_LANES ? count - first : MP_LANES;
        for (size_t l = 0; l < lanes; l++) {
            load_lane(s, l, &specs[first + l]->candidate);
            s->point->parameters[0].lane[l] = s->arma11[first + l].phi[0];
            s->point->parameters[1].lane[l] = s->arma11[first + l].theta[0];
        }
        s->kernel->evaluate(&s->workspace, 1, s->point);
        s->start_kernel->periodogram(&s->workspace, size, s->twiddles);
        for (size_t l = 0; l < lanes; l++)
            find_peaks(s, l, size, s->cosines[first + l]);
    }
}

/* ---- ARMA(1, 1) -------------------------------------------------------------------------------------------------- */

bool mp_arima_needs_arma11(const struct arima_spec *spec)
{
    return !spec->warm && mp_arima_start_count(spec) > 1 && (spec->candidate.p != 1 || spec->candidate.q != 1);
}

/* The candidate fit of ARMA(1, 1) from the regression, damped, or from a start whose phi and theta nearly cancel. */
static struct arima_candidate arma11_candidate(struct arima_candidate of, struct arima_coefficients regressed,
                                               bool cancelling)
{
    of.p = of.p > 0;
    of.q = of.q > 0;
    of.mean = false;
    of.iterations = ARMA11_ITERATIONS;
    of.tolerance = ARMA11_TOLERANCE;
    of.at = cancelling ? mp_arima_start(1, 1, 1, regressed, regressed, NULL) : mp_arima_damped_start(regressed);
    return of;
}

void mp_arima_initial_estimates(struct arima_search *s, struct arima_spec **specs, size_t count)
{
    mp_arima_hannan_rissanen(s, specs, count, 1, s->arma11);
    for (size_t i = 0; i < 2 * count; i++)
        s->candidates[i] = arma11_candidate(specs[i / 2]->candidate, s->arma11[i / 2], i % 2 != 0);
    mp_arima_optimise(s->kernel, &s->workspace, 1, s->candidates, 2 * count);
    for (size_t i = 0; i < count; i++) {
        const struct arima_candidate *two = &s->candidates[2 * i];
        s->arma11[i] = two[two[1].objective < two[0].objective].at;
        /* Other specs do not use it, and their cost must not depend on their neighbours. */
        if (mp_arima_needs_arma11(specs[i]))
            specs[i]->cost += (two[0].evaluations + two[1].evaluations) * mp_arima_evaluation_cost(s->workspace.n, 1);
    }
    find_all_peaks(s, specs, count);
}
