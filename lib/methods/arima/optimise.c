/* SPDX-License-Identifier: BSD-3-Clause */
/* Levenberg-Marquardt with two models, as in NL2SOL (Dennis, Gay and Welsch 1981).
 *
 * The objective f = (n log S + log-determinant) / 2 has the gradient g and the Gauss-Newton matrix H. The secant
 * matrix A (S in kernel/newton_step.h) estimates the rest of the second derivatives. A step s solves
 * (H + a A + damping diag(H)) s = -g with a = 0 or 1, and predicts the gain -(g's + s'H s / 2 + a s'A s / 2). The next
 * step uses the a whose prediction was closer.
 *
 * A step that lowers f is accepted. It multiplies the damping by 0.2 if gain / prediction is above 3/4, by 1 above 1/4,
 * and by 2 otherwise. A rejected step multiplies it by 5.
 *
 * The mean and the coefficients are optimised in turn. S is quadratic in the mean x, and the determinant is free of x:
 *     S(x + y) = S + 2 slope y + curvature y^2,   curvature = (S(x + 1) + S(x - 1)) / 2 - S,
 *     slope = (S(x + 1) - S(x - 1)) / 4,   y = -slope / curvature,   gain = n / 2 log(S / (S + slope y)).
 *
 * bytes: a candidate's result depends neither on its lane nor on its neighbours. threads: none. allocates: nothing. */
#include "methods/arima/optimise.h"

#include "methods/arima/standard_errors.h"
#include "support/logarithm.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

/* The purpose of a lane's next evaluation. */
enum phase { IDLE, FIRST, STEP, MEAN_ABOVE, MEAN_BELOW, MEAN_CHANGED };

struct lane {
    struct arima_candidate *candidate;
    enum phase phase;
    unsigned iterations;
    double damping, slope, predicted, above; /* slope: g's; predicted: a gain; above: S with the mean higher by 1 */
};

struct optimiser {
    const struct arima_kernel *kernel;
    struct arima_workspace *workspace;
    unsigned dimension;
    struct arima_candidate *next, *end;
    struct lane lanes[MP_LANES];
    struct arima_point trial, best;
    struct arima_lanes active[MP_ARIMA_PARAMETERS], step[MP_ARIMA_PARAMETERS], damping, augmented;
    struct arima_secant secant;
};

_Static_assert(sizeof(struct optimiser) <= MP_ARIMA_OPTIMISER, "the workspace has room for it");

/* With the least damping a step is Newton's, up to rounding; above the most, it changes no digit. A small predicted
 * gain shows a near optimum only if the damping is small. LONGEST_STEP bounds the change of every coefficient. Measured
 * as in search.c: a first damping of 0.01 loses 0.11; a longest step of 0.3 loses 0.05, and one of 3 changes little. */
static const double FIRST_DAMPING = 1e-3, LEAST_DAMPING = 1e-9, MOST_DAMPING = 1e12, SMALL_DAMPING = 0.1;
static const double LONGEST_STEP = 1;

static void load_series(const struct optimiser *o, int l, double mean)
{
    const double *series = o->lanes[l].candidate->series;
    double *column = mp_arima_lane(o->workspace, o->workspace->series, (size_t)l);
    for (size_t t = 0; t < o->workspace->n; t++)
        column[t * MP_LANE_COLUMN] = series[t] - mean;
}

static void try_coefficients(struct optimiser *o, int l, const struct arima_coefficients *at)
{
    const struct arima_candidate *candidate = o->lanes[l].candidate;
    for (unsigned i = 0; i < o->dimension; i++) {
        o->trial.parameters[i].lane[l] = i < candidate->p ? at->phi[i] : 0;
        o->trial.parameters[o->dimension + i].lane[l] = i < candidate->q ? at->theta[i] : 0;
    }
}

static void begin(struct optimiser *o, int l)
{
    struct lane *lane = &o->lanes[l];
    const struct arima_candidate *last = lane->candidate;
    bool loaded = last && last->series == o->next->series && last->mean_value == o->next->mean_value;
    *lane = (struct lane){.candidate = o->next++, .phase = FIRST, .damping = FIRST_DAMPING};
    lane->candidate->evaluations = 0;
    if (!loaded)
        load_series(o, l, lane->candidate->mean_value);
    o->augmented.lane[l] = 0;
    for (unsigned i = 0; i < 2 * o->dimension; i++)
        for (unsigned j = 0; j <= i; j++)
            o->secant.matrix[i][j].lane[l] = 0;
    for (unsigned i = 0; i < o->dimension; i++) {
        o->active[i].lane[l] = i < lane->candidate->p;
        o->active[o->dimension + i].lane[l] = i < lane->candidate->q;
    }
    try_coefficients(o, l, &lane->candidate->at);
}

static void end(struct optimiser *o, int l)
{
    struct arima_candidate *candidate = o->lanes[l].candidate;
    memset(&candidate->at, 0, sizeof candidate->at);
    for (unsigned i = 0; i < candidate->p; i++)
        candidate->at.phi[i] = o->best.parameters[i].lane[l];
    for (unsigned i = 0; i < candidate->q; i++)
        candidate->at.theta[i] = o->best.parameters[o->dimension + i].lane[l];
    candidate->objective = o->best.objective.lane[l];
    candidate->sum_of_squares = o->best.sum_of_squares.lane[l];
    mp_arima_standard_errors(&o->best, o->dimension, (size_t)l, candidate);
    o->lanes[l].phase = IDLE;
}

/* The coefficients have converged: the candidate ends, unless its mean is to be estimated. */
static void begin_mean_or_end(struct optimiser *o, int l)
{
    struct lane *lane = &o->lanes[l];
    if (!lane->candidate->mean || lane->candidate->iterations == 0) {
        end(o, l);
        return;
    }
    for (unsigned i = 0; i < 2 * o->dimension; i++)
        o->trial.parameters[i].lane[l] = o->best.parameters[i].lane[l];
    load_series(o, l, lane->candidate->mean_value + 1);
    lane->phase = MEAN_ABOVE;
}

/* Sets the mean to its optimum, or ends the candidate if that gains less than a tenth of the tolerance. */
static void change_mean(struct optimiser *o, int l, double below)
{
    struct lane *lane = &o->lanes[l];
    double now = o->best.sum_of_squares.lane[l], curvature = 0.5 * (lane->above + below) - now;
    double slope = 0.25 * (lane->above - below), shift = curvature > 0 ? -slope / curvature : 0;
    double least = now + slope * shift, gain = 0;
    if (least > 0 && least < now)
        gain = 0.5 * (double)o->workspace->n * mp_logarithm(now / least);
    if (!(gain > 0.1 * lane->candidate->tolerance) || lane->iterations >= lane->candidate->iterations) {
        load_series(o, l, lane->candidate->mean_value);
        end(o, l);
        return;
    }
    lane->candidate->mean_value += shift;
    load_series(o, l, lane->candidate->mean_value);
    lane->phase = MEAN_CHANGED;
}

/* Decides after a start's evaluation. Returns false if the start has no likelihood, and tries zeros, which have one. */
static bool accept_start(struct optimiser *o, int l)
{
    static const struct arima_coefficients zeros;
    struct lane *lane = &o->lanes[l];
    if (o->trial.objective.lane[l] >= MP_ARIMA_INADMISSIBLE && lane->phase == FIRST &&
        lane->candidate->iterations > 0) {
        try_coefficients(o, l, &zeros);
        lane->phase = MEAN_CHANGED;
        return false;
    }
    lane->phase = STEP;
    return true;
}

/* The next step uses the model whose prediction of this one's gain was closer. */
static void choose_model(struct optimiser *o, int l, double gain)
{
    struct lane *lane = &o->lanes[l];
    double plain = -lane->slope - 0.5 * o->secant.hessian_curvature.lane[l];
    double augmented = plain - 0.5 * o->secant.secant_curvature.lane[l];
    lane->predicted = o->augmented.lane[l] > 0 ? augmented : plain;
    o->augmented.lane[l] = fabs(augmented - gain) < fabs(plain - gain);
}

/* Updates the model and the damping; returns whether the search has converged. An accepted step then gained less than
 * the tolerance and was predicted to gain less than 10 times that. A rejected one was predicted to gain less than 0.1
 * of it or, with a large damping, which shortens steps, 1e-4 of it. */
static bool update_step(struct optimiser *o, int l, bool accepted)
{
    struct lane *lane = &o->lanes[l];
    double tolerance = lane->candidate->tolerance, gain = o->best.objective.lane[l] - o->trial.objective.lane[l];
    bool converged = lane->iterations >= lane->candidate->iterations || lane->damping > MOST_DAMPING;
    choose_model(o, l, gain);
    if (accepted) {
        converged |= gain < tolerance && lane->predicted < 10 * tolerance && lane->damping < SMALL_DAMPING;
        double ratio = lane->predicted > 0 ? gain / lane->predicted : 0;
        lane->damping *= ratio > 0.75 ? 0.2 : ratio > 0.25 ? 1 : 2;
    } else {
        converged |= lane->predicted < (lane->damping < SMALL_DAMPING ? 0.1 : 1e-4) * tolerance;
        lane->damping *= 5;
    }
    lane->damping = fmax(lane->damping, LEAST_DAMPING);
    return converged;
}

static void copy_lanes(struct arima_lanes *best, const struct arima_lanes *trial, const struct arima_lanes *accepted)
{
    for (int l = 0; l < MP_LANES; l++)
        best->lane[l] = accepted->lane[l] != 0 ? trial->lane[l] : best->lane[l];
}

/* Copies the trial to the best point in the lanes that accept it, with the lower triangle of the hessian. */
MP_VECTORISED static void mp_accept_points(struct arima_point *best, const struct arima_point *trial,
                                           const struct arima_lanes *accepted, unsigned parameters)
{
    copy_lanes(&best->objective, &trial->objective, accepted);
    copy_lanes(&best->sum_of_squares, &trial->sum_of_squares, accepted);
    for (unsigned i = 0; i < parameters; i++) {
        copy_lanes(&best->parameters[i], &trial->parameters[i], accepted);
        copy_lanes(&best->gradient[i], &trial->gradient[i], accepted);
        for (unsigned j = 0; j <= i; j++)
            copy_lanes(&best->hessian[i][j], &trial->hessian[i][j], accepted);
    }
}

/* Decides which of the lanes that tried a step accept it, and which have converged. */
static void evaluate_steps(struct optimiser *o, struct arima_lanes *accepted, bool *converged)
{
    for (int l = 0; l < MP_LANES; l++)
        accepted->lane[l] = o->lanes[l].phase == STEP && o->trial.objective.lane[l] < o->best.objective.lane[l];
    o->kernel->update_secant(&o->best, &o->trial, o->active, o->dimension, accepted->lane, &o->secant);
    for (int l = 0; l < MP_LANES; l++)
        if (o->lanes[l].phase == STEP)
            converged[l] = update_step(o, l, accepted->lane[l] > 0);
}

/* Decides the same for the lanes that tried a start or a changed mean. */
static void evaluate_starts(struct optimiser *o, struct arima_lanes *accepted, bool *converged)
{
    for (int l = 0; l < MP_LANES; l++) {
        if (o->lanes[l].phase != FIRST && o->lanes[l].phase != MEAN_CHANGED)
            continue;
        accepted->lane[l] = accept_start(o, l);
        converged[l] = accepted->lane[l] > 0 && o->lanes[l].candidate->iterations == 0;
    }
}

/* Advances every lane by the result of its evaluation. */
static void advance(struct optimiser *o)
{
    struct arima_lanes accepted;
    bool converged[MP_LANES] = {0};
    for (int l = 0; l < MP_LANES; l++)
        if (o->lanes[l].phase != IDLE)
            o->lanes[l].candidate->evaluations++;
    evaluate_steps(o, &accepted, converged);
    evaluate_starts(o, &accepted, converged);
    mp_accept_points(&o->best, &o->trial, &accepted, 2 * o->dimension);
    for (int l = 0; l < MP_LANES; l++) {
        struct lane *lane = &o->lanes[l];
        if (converged[l]) {
            begin_mean_or_end(o, l);
        } else if (lane->phase == MEAN_ABOVE) {
            lane->above = o->trial.sum_of_squares.lane[l];
            load_series(o, l, lane->candidate->mean_value - 1);
            lane->phase = MEAN_BELOW;
        } else if (lane->phase == MEAN_BELOW) {
            change_mean(o, l, o->trial.sum_of_squares.lane[l]);
        }
    }
}

/* Proposes a damped step in every lane of the phase STEP. */
static void propose(struct optimiser *o)
{
    for (int l = 0; l < MP_LANES; l++)
        o->damping.lane[l] = o->lanes[l].damping;
    o->kernel->solve(&o->best, &o->secant, o->active, o->dimension, o->damping.lane, o->augmented.lane, o->step);
    for (int l = 0; l < MP_LANES; l++) {
        struct lane *lane = &o->lanes[l];
        if (lane->phase != STEP)
            continue;
        double longest = 0, slope = 0;
        for (unsigned i = 0; i < 2 * o->dimension; i++)
            longest = fmax(longest, fabs(o->step[i].lane[l]));
        double scale = longest > LONGEST_STEP ? LONGEST_STEP / longest : 1;
        for (unsigned i = 0; i < 2 * o->dimension; i++) {
            double x = scale * o->step[i].lane[l];
            slope += x * o->best.gradient[i].lane[l];
            o->trial.parameters[i].lane[l] = o->best.parameters[i].lane[l] + x;
        }
        lane->slope = slope;
        lane->iterations++;
    }
}

void mp_arima_optimise(const struct arima_kernel *kernel, struct arima_workspace *workspace, unsigned dimension,
                       struct arima_candidate *candidates, size_t count)
{
    struct optimiser *o = workspace->optimiser;
    memset(o, 0, sizeof *o);
    o->kernel = kernel;
    o->workspace = workspace;
    o->dimension = dimension;
    o->next = candidates;
    o->end = candidates + count;
    for (;;) {
        workspace->used = 0;
        for (int l = 0; l < MP_LANES; l++) {
            if (o->lanes[l].phase == IDLE && o->next < o->end)
                begin(o, l);
            workspace->used |= (uint32_t)(o->lanes[l].phase != IDLE) << l;
        }
        if (workspace->used == 0)
            break;
        kernel->evaluate(workspace, dimension, &o->trial);
        advance(o);
        propose(o);
    }
    workspace->used = MP_ALL_LANES;
}
