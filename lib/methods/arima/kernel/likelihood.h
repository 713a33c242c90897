/* SPDX-License-Identifier: BSD-3-Clause */
/* The exact Gaussian likelihood of ARMA(p, q), of MP_LANES series of one length at once.
 *
 * Signs as in R: w(t) = phi(1) w(t-1) + ... + a(t) + theta(1) a(t-1) + ..., that is phi(B) w = theta(B) a. The variance
 * of the innovations a is profiled out. All lanes have one state dimension m, the largest p or q among them: a lane's
 * coefficients beyond its own p and q are 0. A lane's results do not depend on the other lanes.
 *
 * The pre-sample values w(0), w(-1), ..., a(0), a(-1), ... enter only the equations t = 1 .. m, through their effects
 *   c(t) = sum over i = t .. m of phi(i) w(t-i) + theta(i) a(t-i),   Cov(c) = C Var(a)   (presample.h).
 * All series below are 0 before the first observation:
 *   u = w / theta(B)   the filtered series
 *   e = phi(B) u       the residuals if c were 0
 *   r = e - H c        the residuals; H (n x m) has the impulse response of 1 / theta(B), delayed by 0 .. m-1
 *   v = r / theta(B)   the filtered residuals
 * Hence theta(B) r = phi(B) w - c, and for a fixed c the derivatives are
 *   dr(t)/dphi(i) = -u(t-i),   dr(t)/dtheta(j) = -v(t-j).
 * With K = H'H (impulse_gram.h), the sum of squares and the log-determinant are
 *   S = min over c of r'r + c' inverse(C) c,   log |I + C K|.
 * The best c has lambda = inverse(C) c = H'r = H'e - K c, and so S = r'r + c'lambda.
 *
 * Two papers have the likelihood in this form:
 *   Ljung and Box, "The likelihood function of stationary autoregressive-moving average models", Biometrika 66, 1979.
 *   Otto, Bell and Burman, "An iterative GLS approach to maximum likelihood estimation of regression models with ARIMA
 *   errors", 1987.
 * We derived the gradient ourselves (likelihood_kernel.c). */
#ifndef MP_METHODS_ARIMA_KERNEL_LIKELIHOOD_H
#define MP_METHODS_ARIMA_KERNEL_LIKELIHOOD_H

#include "support/arena.h"
#include "support/lanes.h"
#include "support/memory.h"

enum { MP_ARIMA_ORDER = 8, MP_ARIMA_PARAMETERS = 2 * MP_ARIMA_ORDER };

/* One number of every lane: a coefficient or a result. */
struct arima_lanes {
    _Alignas(64) double lane[MP_LANES];
};

/* The objective of a point that is not admissible; that of any other is smaller. */
#define MP_ARIMA_INADMISSIBLE 1e300

/* Every lane's parameters and the likelihood there. The parameters are one list: phi(1) .. phi(m), theta(1) ..
 * theta(m). */
struct arima_point {
    struct arima_lanes parameters[MP_ARIMA_PARAMETERS];
    /* The negative log-likelihood without its constant, (n log S + log |I + C K|) / 2. A point is not admissible if
     * phi has a root on, inside or very near the unit circle. The same holds if theta has one so far inside that the
     * sums lose their digits. */
    struct arima_lanes objective;
    struct arima_lanes sum_of_squares, determinant; /* S, |I + C K| */
    struct arima_lanes gradient[MP_ARIMA_PARAMETERS];
    struct arima_lanes hessian[MP_ARIMA_PARAMETERS][MP_ARIMA_PARAMETERS]; /* Gauss-Newton */
};

/* The S-matrix of NL2SOL (newton_step.h). It estimates, from the gradients met on the way, the second derivatives that
 * the Gauss-Newton matrix lacks. These are mainly the log-determinant's, which dominate near the unit circle. */
struct arima_secant {
    struct arima_lanes matrix[MP_ARIMA_PARAMETERS][MP_ARIMA_PARAMETERS]; /* lower triangle */
    struct arima_lanes hessian_curvature, secant_curvature; /* s' hessian s, s' matrix s, along the last step s */
};

/* The series of the lanes and scratch. */
struct arima_workspace {
    size_t capacity;            /* observations */
    size_t n;                   /* observations of every lane */
    uint32_t used;              /* bit l: lane l holds a series; the results of others are undefined */
    double *series;             /* one column per MP_LANE_COLUMN lanes: [n][MP_LANE_COLUMN]; see mp_arima_lane */
    double *filtered_series;    /* u */
    double *residuals;          /* e */
    double *filtered_residuals; /* v */
    double *doublings;          /* the steps of the recursion for K */
    /* Memory for a kernel's evaluation and for the optimiser that runs it: a thread's stack may be too small. */
    void *scratch, *optimiser;
};

enum { MP_ARIMA_KERNEL_SCRATCH = 128 << 10, MP_ARIMA_OPTIMISER = 128 << 10 }; /* bytes of the two */

enum { MP_LANE_COLUMN = 8, MP_ALL_LANES = (1 << MP_LANES) - 1 };

/* The first number of a lane in one of the four arrays; the next follow at a distance of MP_LANE_COLUMN each. */
static inline double *mp_arima_lane(const struct arima_workspace *workspace, double *array, size_t lane)
{
    return array + lane / MP_LANE_COLUMN * MP_LANE_COLUMN * workspace->capacity + lane % MP_LANE_COLUMN;
}

/* The functions of one vector width. `dimension` is the state dimension m, 1 .. MP_ARIMA_ORDER. */
struct arima_kernel {
    /* Reads the point's parameters; fills its other fields, and the workspace's u, e and v. */
    void (*evaluate)(const struct arima_workspace *workspace, unsigned dimension, struct arima_point *point);

    /* step = -inverse(hessian + augmented x secant + damping x the hessian's diagonal) x gradient, over the parameters
     * with active[..][lane] = 1. The step of the others, with 0, is 0. augmented[lane] is 1 or 0. If a lane's matrix is
     * not positive definite, its augmented becomes 0, and its step is the one without the secant. */
    void (*solve)(const struct arima_point *point, const struct arima_secant *secant, const struct arima_lanes *active,
                  unsigned dimension, const double *damping, double *augmented, struct arima_lanes *step);

    /* Stores the curvatures of before's hessian and of the secant along the step from one point to the next. Then
     * updates the secant in the lanes where accepted[lane] = 1: next->hessian + secant maps the step to the gradients'
     * difference. Reads only the lower triangle of before's hessian. */
    void (*update_secant)(const struct arima_point *before, const struct arima_point *next,
                          const struct arima_lanes *active, unsigned dimension, const double *accepted,
                          struct arima_secant *secant);
};

/* Starting values from the lanes' series: the functions of one vector width. */
struct arima_start_kernel {
    /* Hannan and Rissanen (1982): the residuals of an autoregression with `lags` lags stand for a. Then w is regressed
     * on the lags 1 .. m of w and a. The point's hessian and gradient become the normal equations, which `solve`
     * solves. There must be more observations than m. */
    void (*regress)(const struct arima_workspace *workspace, unsigned dimension, unsigned lags,
                    struct arima_point *point);

    /* Writes power[k], k = 0 .. size / 2 - 1, of workspace->residuals into workspace->filtered_series. `size` is a
     * power of two up to the capacity; zeros fill the series up to it. twiddles: scratch of `size` numbers. */
    void (*periodogram)(const struct arima_workspace *workspace, size_t size, double *twiddles);
};

/* The most lags of that autoregression. An inverse root of theta of 0.75 has faded to 1 % after 16; more cost time in
 * proportion. */
enum { MP_ARIMA_MOST_LAGS = 16 };

/* The kernels for vectors of 16, 32 or 64 bytes; for 0, the widest that this processor runs. NULL if the build or the
 * processor has none of that width. */
const struct arima_kernel *mp_arima_kernel(int bytes);
const struct arima_start_kernel *mp_arima_start_kernel(int bytes);

/* The number of doublings from 1 to n observations (impulse_gram.h): log2(n), rounded down. */
static inline int mp_arima_doublings(size_t n)
{
    int doublings = 0;
    for (; n > 1; n >>= 1)
        doublings++;
    return doublings;
}

/* Sets the fields of a workspace for up to `observations` of every lane, all lanes used, and takes its arrays from the
 * arena. */
void mp_arima_workspace_lay_out(struct arima_workspace *workspace, struct arena *arena, size_t observations);

/* An estimate of the floating-point operations of one evaluation of one lane. Budgets are counted in it: another
 * estimate changes the results of a fit with a budget. */
double mp_arima_evaluation_cost(size_t observations, unsigned dimension);

#endif
