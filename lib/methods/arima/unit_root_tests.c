/* SPDX-License-Identifier: BSD-3-Clause */
/* KPSS: with e the residuals of a level or a line, S(t) = e(1) + .. + e(t) and l lags,
 *
 *     statistic = sum of S(t)^2 / (n^2 V),   n V = sum of e(t)^2 + 2 sum over j <= l of (1 - j / (l + 1)) e(t) e(t-j),
 *
 * V being the long-run variance with Bartlett's weights.
 *
 * ADF: the t-statistic of c in the regression
 *
 *     x(t) - x(t-1) = level + trend t + sum over j <= l of b(j) (x(t-j) - x(t-j-1)) + c x(t-1) + error.
 *
 * With X the regressors, x(t-1) the last, and Cholesky's X'X = L L', z = inv(L) X'y are the coefficients in
 * orthonormal coordinates. The last regressor's t-statistic is z(last) / sigma, where sigma^2 = (y'y - z'z) / (rows -
 * regressors). */
#include "methods/arima/unit_root_tests.h"

#include <math.h>
#include <string.h>

/* y at x on the line through the points (xs, ys), xs ascending; beyond them the first or last y. */
static double interpolate(const double *xs, const double *ys, size_t n, double x)
{
    if (x <= xs[0])
        return ys[0];
    for (size_t i = 1; i < n; i++)
        if (x <= xs[i])
            return ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / (xs[i] - xs[i - 1]);
    return ys[n - 1];
}

static const struct arima_test NO_TEST = {0, 1};

/* A number below this fraction of the numbers that it was computed from is rounding error: of a constant series, or of
 * a regressor that the others determine. */
static const double ROUNDING = 1e-13;

/* ---- KPSS -------------------------------------------------------------------------------------------------------- */

/* level + slope (t - middle) */
struct line {
    double level, slope, middle;
};

static struct line fit_line(const double *values, size_t n, bool slope)
{
    struct line line = {.middle = 0.5 * (double)(n - 1)};
    double products = 0, squares = 0;
    for (size_t t = 0; t < n; t++)
        line.level += values[t] - values[0];
    line.level = values[0] + line.level / (double)n;
    for (size_t t = 0; t < n && slope; t++) {
        double x = (double)t - line.middle;
        products += x * (values[t] - line.level);
        squares += x * x;
    }
    line.slope = squares > 0 ? products / squares : 0;
    return line;
}

static double residual(const struct line *line, const double *values, size_t t)
{
    return values[t] - line->level - line->slope * ((double)t - line->middle);
}

struct arima_test mp_arima_kpss(const double *values, size_t n, enum arima_trend trend, unsigned lags)
{
    static const double levels[] = {0.347, 0.463, 0.574, 0.739}, trends[] = {0.119, 0.146, 0.176, 0.216};
    static const double probabilities[] = {0.1, 0.05, 0.025, 0.01};
    double partial = 0, squares = 0, variance = 0, largest = 0;
    if (n < 3)
        return NO_TEST;
    struct line line = fit_line(values, n, trend == MP_ARIMA_TREND);
    for (size_t t = 0; t < n; t++)
        largest = fmax(largest, fabs(residual(&line, values, t)));
    if (!(largest > ROUNDING * fabs(line.level) && largest < INFINITY))
        return NO_TEST;
    for (size_t t = 0; t < n; t++) { /* over the largest, so that squares of tiny numbers keep their digits */
        double e = residual(&line, values, t) / largest;
        partial += e;
        squares += partial * partial;
        variance += e * e;
    }
    for (unsigned j = 1; j <= lags && j < n; j++) {
        double product = 0;
        for (size_t t = j; t < n; t++)
            product += residual(&line, values, t) / largest * (residual(&line, values, t - j) / largest);
        variance += 2 * (1 - j / (lags + 1.0)) * product;
    }
    if (!(variance > 0))
        return NO_TEST;
    struct arima_test test = {squares / ((double)n * variance), 0};
    test.probability = interpolate(trend == MP_ARIMA_TREND ? trends : levels, probabilities, 4, test.statistic);
    return test;
}

/* ---- ADF --------------------------------------------------------------------------------------------------------- */

enum { REGRESSORS = MP_ARIMA_TEST_LAGS + 3, SIZES = 6, PROBABILITIES = 8 };

/* Fuller (1976), table 8.5.2; with a trend as in Banerjee, Dolado, Galbraith and Hendry (1993), table 4.2, as R's
 * adf.test has it. */
static double adf_probability(double statistic, enum arima_trend trend, double n)
{
    static const double sizes[SIZES] = {25, 50, 100, 250, 500, 100000};
    static const double probabilities[PROBABILITIES] = {0.01, 0.025, 0.05, 0.1, 0.9, 0.95, 0.975, 0.99};
    static const double tables[3][PROBABILITIES][SIZES] = {
        {
            {-2.66, -2.62, -2.60, -2.58, -2.58, -2.58},
            {-2.26, -2.25, -2.24, -2.23, -2.23, -2.23},
            {-1.95, -1.95, -1.95, -1.95, -1.95, -1.95},
            {-1.60, -1.61, -1.61, -1.62, -1.62, -1.62},
            {0.92, 0.91, 0.90, 0.89, 0.89, 0.89},
            {1.33, 1.31, 1.29, 1.29, 1.28, 1.28},
            {1.70, 1.66, 1.64, 1.63, 1.62, 1.62},
            {2.16, 2.08, 2.03, 2.01, 2.00, 2.00},
        },
        {
            {-3.75, -3.58, -3.51, -3.46, -3.44, -3.43},
            {-3.33, -3.22, -3.17, -3.14, -3.13, -3.12},
            {-3.00, -2.93, -2.89, -2.88, -2.87, -2.86},
            {-2.63, -2.60, -2.58, -2.57, -2.57, -2.57},
            {-0.37, -0.40, -0.42, -0.42, -0.43, -0.44},
            {0.00, -0.03, -0.05, -0.06, -0.07, -0.07},
            {0.34, 0.29, 0.26, 0.24, 0.24, 0.23},
            {0.72, 0.66, 0.63, 0.62, 0.61, 0.60},
        },
        {
            {-4.38, -4.15, -4.04, -3.99, -3.98, -3.96},
            {-3.95, -3.80, -3.73, -3.69, -3.68, -3.66},
            {-3.60, -3.50, -3.45, -3.43, -3.42, -3.41},
            {-3.24, -3.18, -3.15, -3.13, -3.13, -3.12},
            {-1.14, -1.19, -1.22, -1.23, -1.24, -1.25},
            {-0.80, -0.87, -0.90, -0.92, -0.93, -0.94},
            {-0.50, -0.58, -0.62, -0.64, -0.65, -0.66},
            {-0.15, -0.24, -0.28, -0.31, -0.32, -0.33},
        },
    };
    double quantiles[PROBABILITIES];
    for (size_t i = 0; i < PROBABILITIES; i++)
        quantiles[i] = interpolate(sizes, tables[trend][i], SIZES, n);
    return interpolate(quantiles, probabilities, PROBABILITIES, statistic);
}

enum { TRIANGLE = REGRESSORS * (REGRESSORS + 1) / 2 };

struct regression {
    double triangle[TRIANGLE];            /* X'X, row behind row to the diagonal */
    double products[REGRESSORS], squares; /* X'y, y'y */
    unsigned regressors;
    size_t rows;
};

/* x(t-1) comes last, so that no back substitution is needed. Level and trend are centred and all differences scaled.
 * That keeps digits and does not change the t-statistic of x(t-1). */
static void fill_row(double *row, const double *values, size_t t, size_t n, enum arima_trend trend, unsigned lags,
                     const struct line *line, double scale)
{
    unsigned k = 0;
    for (unsigned j = 1; j <= lags; j++)
        row[k++] = (values[t - j] - values[t - j - 1]) * scale;
    if (trend != MP_ARIMA_NO_CONSTANT)
        row[k++] = 1;
    if (trend == MP_ARIMA_TREND)
        row[k++] = 2 * ((double)t - line->middle) / (double)n;
    row[k] = (values[t - 1] - (trend == MP_ARIMA_NO_CONSTANT ? 0 : line->level)) * scale;
}

static double *row_of(struct regression *r, unsigned i)
{
    return r->triangle + i * (i + 1) / 2;
}

static void add_row(struct regression *r, const double *row, double y)
{
    for (unsigned i = 0; i < r->regressors; i++) {
        double *sums = row_of(r, i);
        for (unsigned j = 0; j <= i; j++)
            sums[j] += row[i] * row[j];
        r->products[i] += row[i] * y;
    }
    r->squares += y * y;
    r->rows++;
}

/* Replaces X'X by L, X'y by z and y'y by y'y - z'z; false if X'X is singular. */
static bool factorise(struct regression *r)
{
    for (unsigned i = 0; i < r->regressors; i++) {
        double *a = row_of(r, i), before = a[i];
        for (unsigned j = 0; j <= i; j++) {
            const double *b = row_of(r, j);
            double x = a[j];
            for (unsigned k = 0; k < j; k++)
                x -= a[k] * b[k];
            if (i == j && !(x > ROUNDING * before))
                return false;
            a[j] = i == j ? sqrt(x) : x / b[j];
        }
        for (unsigned k = 0; k < i; k++)
            r->products[i] -= a[k] * r->products[k];
        r->products[i] /= a[i];
        r->squares -= r->products[i] * r->products[i];
    }
    return true;
}

/* The t-statistic of the last regressor; 0 if it does not exist. */
static double last_t(struct regression *r)
{
    if (!factorise(r))
        return 0;
    double sigma2 = r->squares / (double)(r->rows - r->regressors);
    return sigma2 > 0 ? r->products[r->regressors - 1] / sqrt(sigma2) : 0;
}

struct arima_test mp_arima_adf(const double *values, size_t n, enum arima_trend trend, unsigned lags)
{
    struct regression regression;
    double row[REGRESSORS], largest = 0;
    memset(&regression, 0, sizeof regression);
    regression.regressors = lags + 1 + (unsigned)trend;
    if (lags > MP_ARIMA_TEST_LAGS || n < 2 * (size_t)lags + 4 + (size_t)trend)
        return NO_TEST;
    struct line line = fit_line(values, n, false);
    for (size_t t = 1; t < n; t++)
        largest = fmax(largest, fabs(values[t] - values[t - 1]));
    if (!(largest > 0 && largest < INFINITY))
        return NO_TEST;
    for (size_t t = lags + 1; t < n; t++) {
        fill_row(row, values, t, n, trend, lags, &line, 1 / largest);
        add_row(&regression, row, (values[t] - values[t - 1]) / largest);
    }
    struct arima_test test = {last_t(&regression), 1};
    if (test.statistic != 0)
        test.probability = adf_probability(test.statistic, trend, (double)(n - 1));
    return test;
}

/* ---- the decision ------------------------------------------------------------------------------------------------ */

unsigned mp_arima_test_lags(size_t n)
{
    unsigned lags = (unsigned)(3 * sqrt((double)n) / 13);
    return lags > MP_ARIMA_TEST_LAGS ? MP_ARIMA_TEST_LAGS : lags;
}

unsigned mp_arima_differences(const double *values, size_t n)
{
    unsigned lags = mp_arima_test_lags(n);
    if (mp_arima_kpss(values, n, MP_ARIMA_LEVEL, lags).probability >= 0.05)
        return 0;
    return mp_arima_adf(values, n, MP_ARIMA_LEVEL, lags).probability < 0.05 ? 0 : 1;
}
