/* SPDX-License-Identifier: BSD-3-Clause */
/* The exact Gaussian likelihood of ARMA(p, q), of MP_LANES series of one length at once.
 *
 * R's signs: w(t) = phi(1) w(t-1) + ... + e(t) + theta(1) e(t-1) + ...; the variance of e is profiled out. All lanes
 * are worked on with one order m, the largest p or q among them: a lane's coefficients beyond its own p and q are 0. A
 * lane's results do not depend on the other lanes.
 *
 * Method: residuals given zeros before the first observation, then what the pre-sample values add (Ljung and Box 1979;
 * Otto, Bell and Burman 1987). With c the m effects of the pre-sample values on the first m residual equations, C their
 * covariance, and H the shifted impulse responses of 1 / theta(B), the residuals are e - H c, and
 *   S = min over c of |e - H c|^2 + c' inv(C) c,   log-determinant = log |I + C H'H|. */
#ifndef MP_METHODS_ARIMA_KERNEL_LIKELIHOOD_H
#define MP_METHODS_ARIMA_KERNEL_LIKELIHOOD_H

#include "support/arena.h"
#include "support/lanes.h"
#include "support/memory.h"

enum { MP_ARIMA_ORDER = 8, MP_ARIMA_PARAMETERS = 2 * MP_ARIMA_ORDER };

/* A coefficient or a result of every lane. */
struct arima_lanes {
    _Alignas(64) double lane[MP_LANES];
};

/* A point of the parameter space of every lane, and the likelihood there. Parameters in one list: phi(1) .. phi(m),
 * theta(1) .. theta(m). */
struct arima_point {
    struct arima_lanes parameters[MP_ARIMA_PARAMETERS];
    /* -log-likelihood without its constant: (n log S + log-determinant) / 2; infinite where there is none: a root of
     * phi on or inside the unit circle (almost), or one of theta so far inside that the sums lose their digits. */
    struct arima_lanes objective;
    struct arima_lanes sum_of_squares, determinant;
    struct arima_lanes gradient[MP_ARIMA_PARAMETERS];
    struct arima_lanes hessian[MP_ARIMA_PARAMETERS][MP_ARIMA_PARAMETERS]; /* Gauss-Newton */
};

/* What the Gauss-Newton matrix lacks, above all the curvature of the log-determinant, learnt from the gradients met on
 * the way; near the unit circle it is what matters. */
struct arima_secant {
    struct arima_lanes matrix[MP_ARIMA_PARAMETERS][MP_ARIMA_PARAMETERS]; /* lower triangle */
    struct arima_lanes hessian_curvature, secant_curvature;              /* step' hessian step, step' matrix step */
};

/* The series of the lanes and scratch. */
struct arima_workspace {
    size_t capacity;         /* observations */
    size_t n;                /* observations of every lane */
    uint32_t used;           /* bit l: lane l is wanted; the results of others are undefined */
    double *series;          /* one column per MP_LANE_COLUMN lanes: [n][MP_LANE_COLUMN]; see mp_arima_lane */
    double *filtered_series; /* u = w / theta(B) */
    double *residuals;
    double *filtered_residuals; /* v = e / theta(B) */
    double *powers;             /* of the impulse response's recursion */
    /* What would be too much for a thread's stack: of a kernel's evaluation, and of the optimiser that runs it. */
    void *scratch, *optimiser;
};

enum { MP_ARIMA_KERNEL_SCRATCH = 128 << 10, MP_ARIMA_OPTIMISER = 128 << 10 }; /* bytes of the two */

enum { MP_LANE_COLUMN = 8, MP_ALL_LANES = (1 << MP_LANES) - 1 };

/* Where lane l's observations are: every MP_LANE_COLUMN-th from there. */
static inline double *mp_arima_lane(const struct arima_workspace *workspace, double *array, size_t lane)
{
    return array + lane / MP_LANE_COLUMN * MP_LANE_COLUMN * workspace->capacity + lane % MP_LANE_COLUMN;
}

/* What is compiled once per vector width. */
struct arima_kernel {
    /* Fills everything of the point but the parameters. 1 <= order <= MP_ARIMA_ORDER. Scratch of the workspace. */
    void (*evaluate)(const struct arima_workspace *workspace, unsigned order, struct arima_point *point);

    /* step = -inverse(hessian + secant where augmented[lane] = 1 + damping x the hessian's diagonal) x gradient, for
     * the parameters that are active[..][lane] = 1; 0 for those that are 0. A lane whose matrix is not positive
     * definite becomes 0 in augmented and has its step without secant. */
    void (*solve)(const struct arima_point *point, const struct arima_secant *secant, const struct arima_lanes *active,
                  unsigned order, const double *damping, double *augmented, struct arima_lanes *step);

    /* The curvatures of both parts of the model along the step from one point to the next. Then, in the lanes where
     * taken[lane] = 1, the secant is updated, so that next->hessian + secant maps the step to the gradients'
     * difference. Of `before` only the lower triangle of the hessian is read. */
    void (*update_secant)(const struct arima_point *before, const struct arima_point *next,
                          const struct arima_lanes *active, unsigned order, const double *taken,
                          struct arima_secant *secant);
};

/* Starting values, from the lanes' series; compiled likewise. */
struct arima_start_kernel {
    /* Hannan and Rissanen (1982): the residuals of a long autoregression, of that many lags, stand for the errors, and
     * w is regressed on its own and their lags 1 .. order. The point's hessian and gradient become the normal
     * equations: solve then gives the coefficients. */
    void (*regress)(const struct arima_workspace *workspace, unsigned order, unsigned lags, struct arima_point *point);

    /* power[k], k = 0 .. size / 2 - 1, of workspace->residuals, with zeros up to size, a power of two and no more than
     * the capacity: in workspace->filtered. */
    void (*periodogram)(const struct arima_workspace *workspace, size_t size, double *twiddles);
};

enum { MP_ARIMA_MOST_LAGS = 16 };

const struct arima_start_kernel *mp_arima_start_kernel(int bytes);

/* The kernel for vectors of 16, 32 or 64 bytes; 0: for this processor. NULL where the build has none. */
const struct arima_kernel *mp_arima_kernel(int bytes);

/* How often n can be halved: the doublings from 1 to n observations (impulse_gram.h). */
static inline int mp_arima_doublings(size_t n)
{
    int doublings = 0;
    for (; n > 1; n >>= 1)
        doublings++;
    return doublings;
}

/* The arrays of a workspace for so many observations, and its fields: all lanes are used. */
void mp_arima_workspace_lay_out(struct arima_workspace *workspace, struct arena *arena, size_t observations);

/* Of how many bytes a workspace for so many observations is; SIZE_MAX if that is too large a number. */
size_t mp_arima_workspace_size(size_t observations);

/* Lays the arrays out in memory of that size, zeroed; all lanes are used. */
void mp_arima_workspace_init(struct arima_workspace *workspace, void *memory, size_t observations);

/* Floating-point operations of one evaluation of one lane. */
double mp_arima_evaluation_cost(size_t observations, unsigned order);

#endif
