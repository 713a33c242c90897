/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/optimise.h"

#include "methods/arima/standard_errors.h"
#include "support/logarithm.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

/* What the next evaluation of a lane is for. */
enum phase { IDLE, FIRST, STEP, MEAN_ABOVE, MEAN_BELOW, MEAN_MOVED };

struct lane {
    struct arima_run *run;
    enum phase phase;
    unsigned iterations;
    double damping, slope, predicted; /* of the objective along the step; the gain of log-likelihood */
    double above;                     /* S with the mean a unit higher */
};

struct optimiser {
    const struct arima_kernel *kernel;
    struct arima_workspace *workspace;
    unsigned order;
    struct arima_run *next, *end;
    struct lane lanes[MP_LANES];
    struct arima_point trial, best;
    struct arima_lanes active[MP_ARIMA_PARAMETERS], step[MP_ARIMA_PARAMETERS], damping, augmented;
    struct arima_secant secant;
};

_Static_assert(sizeof(struct optimiser) <= MP_ARIMA_OPTIMISER, "the workspace has room for it");

static const double impossible = 1e299, least_damping = 1e-9, most_damping = 1e12, longest_step = 1;
/* A short step says that the optimum is near only if damping has not shortened it. */
static const double small_damping = 0.1;

static void load_series(const struct optimiser *o, int l, double mean)
{
    const double *series = o->lanes[l].run->series;
    double *column = mp_arima_lane(o->workspace, o->workspace->series, (size_t)l);
    for (size_t t = 0; t < o->workspace->n; t++)
        column[t * MP_LANE_COLUMN] = series[t] - mean;
}

static void try_coefficients(struct optimiser *o, int l, const struct arima_coefficients *at)
{
    const struct arima_run *run = o->lanes[l].run;
    for (unsigned i = 0; i < o->order; i++) {
        o->trial.parameters[i].lane[l] = i < run->p ? at->phi[i] : 0;
        o->trial.parameters[o->order + i].lane[l] = i < run->q ? at->theta[i] : 0;
    }
}

static void begin(struct optimiser *o, int l)
{
    struct lane *lane = &o->lanes[l];
    bool same = lane->run && lane->run->series == o->next->series && lane->run->mean_value == o->next->mean_value;
    *lane = (struct lane){.run = o->next++, .phase = FIRST, .damping = 1e-3};
    lane->run->evaluations = 0;
    if (!same)
        load_series(o, l, lane->run->mean_value);
    o->augmented.lane[l] = 0;
    for (unsigned i = 0; i < 2 * o->order; i++)
        for (unsigned j = 0; j <= i; j++)
            o->secant.matrix[i][j].lane[l] = 0;
    for (unsigned i = 0; i < o->order; i++) {
        o->active[i].lane[l] = i < lane->run->p;
        o->active[o->order + i].lane[l] = i < lane->run->q;
    }
    try_coefficients(o, l, &lane->run->at);
}

static void end(struct optimiser *o, int l)
{
    struct arima_run *run = o->lanes[l].run;
    memset(&run->at, 0, sizeof run->at);
    for (unsigned i = 0; i < run->p; i++)
        run->at.phi[i] = o->best.parameters[i].lane[l];
    for (unsigned i = 0; i < run->q; i++)
        run->at.theta[i] = o->best.parameters[o->order + i].lane[l];
    run->objective = o->best.objective.lane[l];
    run->sum_of_squares = o->best.sum_of_squares.lane[l];
    mp_arima_standard_errors(&o->best, o->order, (size_t)l, run);
    o->lanes[l].phase = IDLE;
}

/* The estimate of the coefficients has ended: move the mean, or end. S is a quadratic in the mean, known from three
 * points. */
static void settle(struct optimiser *o, int l)
{
    struct lane *lane = &o->lanes[l];
    if (!lane->run->mean || lane->run->iterations == 0) {
        end(o, l);
        return;
    }
    for (unsigned i = 0; i < 2 * o->order; i++)
        o->trial.parameters[i].lane[l] = o->best.parameters[i].lane[l];
    load_series(o, l, lane->run->mean_value + 1);
    lane->phase = MEAN_ABOVE;
}

static void move_mean(struct optimiser *o, int l, double below)
{
    struct lane *lane = &o->lanes[l];
    double now = o->best.sum_of_squares.lane[l], curvature = 0.5 * (lane->above + below) - now;
    double slope = 0.25 * (lane->above - below), shift = curvature > 0 ? -slope / curvature : 0;
    double least = now + slope * shift, gain = 0;
    if (least > 0 && least < now)
        gain = 0.5 * (double)o->workspace->n * mp_logarithm(now / least);
    if (!(gain > 0.1 * lane->run->tolerance) || lane->iterations >= lane->run->iterations) {
        load_series(o, l, lane->run->mean_value);
        end(o, l);
        return;
    }
    lane->run->mean_value += shift;
    load_series(o, l, lane->run->mean_value);
    lane->phase = MEAN_MOVED;
}

/* The start has been evaluated. Without a likelihood there, zeros, which have one. */
static void judge_first(struct optimiser *o, int l, bool *take)
{
    static const struct arima_coefficients zeros;
    struct lane *lane = &o->lanes[l];
    if (o->trial.objective.lane[l] > impossible && lane->phase == FIRST && lane->run->iterations > 0) {
        try_coefficients(o, l, &zeros);
        lane->phase = MEAN_MOVED;
        return;
    }
    *take = true;
    lane->phase = STEP;
}

/* Which of both models had told the gain better is used next. */
static void choose_model(struct optimiser *o, int l, double gain)
{
    struct lane *lane = &o->lanes[l];
    double plain = -lane->slope - 0.5 * o->secant.hessian_curvature.lane[l],
           extra = -0.5 * o->secant.secant_curvature.lane[l];
    lane->predicted = plain + (o->augmented.lane[l] > 0 ? extra : 0);
    o->augmented.lane[l] = fabs(plain + extra - gain) < fabs(plain - gain);
}

static void judge_step(struct optimiser *o, int l, bool take)
{
    struct lane *lane = &o->lanes[l];
    double tolerance = lane->run->tolerance, gain = o->best.objective.lane[l] - o->trial.objective.lane[l];
    bool over = lane->iterations >= lane->run->iterations || lane->damping > most_damping;
    choose_model(o, l, gain);
    if (take) {
        over |= gain < tolerance && lane->predicted < 10 * tolerance && lane->damping < small_damping;
        double ratio = lane->predicted > 0 ? gain / lane->predicted : 0;
        lane->damping *= ratio > 0.75 ? 0.2 : ratio > 0.25 ? 1 : 2;
    } else {
        over |= lane->predicted < (lane->damping < small_damping ? 0.1 : 1e-4) * tolerance;
        lane->damping *= 5;
    }
    if (lane->damping < least_damping)
        lane->damping = least_damping;
    if (over)
        lane->phase = IDLE;
}

static void take_lanes(struct arima_lanes *best, const struct arima_lanes *trial, const struct arima_lanes *take)
{
    for (int l = 0; l < MP_LANES; l++)
        best->lane[l] = take->lane[l] != 0 ? trial->lane[l] : best->lane[l];
}

/* The best point becomes the trial where taken; of the hessian, the lower triangle. */
MP_VECTORISED static void mp_take_points(struct arima_point *best, const struct arima_point *trial,
                                         const struct arima_lanes *take, unsigned parameters)
{
    take_lanes(&best->objective, &trial->objective, take);
    take_lanes(&best->sum_of_squares, &trial->sum_of_squares, take);
    for (unsigned i = 0; i < parameters; i++) {
        take_lanes(&best->parameters[i], &trial->parameters[i], take);
        take_lanes(&best->gradient[i], &trial->gradient[i], take);
        for (unsigned j = 0; j <= i; j++)
            take_lanes(&best->hessian[i][j], &trial->hessian[i][j], take);
    }
}

/* Where a step has gained, the trial becomes the best point, and both models are compared with what was gained. */
static void judge_steps(struct optimiser *o, struct arima_lanes *take, bool *over)
{
    for (int l = 0; l < MP_LANES; l++)
        take->lane[l] = o->lanes[l].phase == STEP && o->trial.objective.lane[l] < o->best.objective.lane[l];
    o->kernel->update_secant(&o->best, &o->trial, o->active, o->order, take->lane, &o->secant);
    for (int l = 0; l < MP_LANES; l++)
        if (o->lanes[l].phase == STEP) {
            judge_step(o, l, take->lane[l] > 0);
            over[l] = o->lanes[l].phase == IDLE;
        }
}

static void judge(struct optimiser *o)
{
    struct arima_lanes take;
    bool over[MP_LANES] = {0};
    for (int l = 0; l < MP_LANES; l++)
        if (o->lanes[l].phase != IDLE)
            o->lanes[l].run->evaluations++;
    judge_steps(o, &take, over);
    for (int l = 0; l < MP_LANES; l++) {
        struct lane *lane = &o->lanes[l];
        if (lane->phase == FIRST || lane->phase == MEAN_MOVED) {
            bool taken = false;
            judge_first(o, l, &taken);
            take.lane[l] = taken;
            over[l] = taken && lane->run->iterations == 0;
        }
    }
    mp_take_points(&o->best, &o->trial, &take, 2 * o->order);
    for (int l = 0; l < MP_LANES; l++) {
        struct lane *lane = &o->lanes[l];
        if (over[l]) {
            settle(o, l);
        } else if (lane->phase == MEAN_ABOVE) {
            lane->above = o->trial.sum_of_squares.lane[l];
            load_series(o, l, lane->run->mean_value - 1);
            lane->phase = MEAN_BELOW;
        } else if (lane->phase == MEAN_BELOW) {
            move_mean(o, l, o->trial.sum_of_squares.lane[l]);
        }
    }
}

/* One damped step of every lane that steps, no coefficient by more than longest_step. */
static void propose(struct optimiser *o)
{
    const unsigned n = 2 * o->order;
    for (int l = 0; l < MP_LANES; l++)
        o->damping.lane[l] = o->lanes[l].damping;
    o->kernel->solve(&o->best, &o->secant, o->active, o->order, o->damping.lane, o->augmented.lane, o->step);
    for (int l = 0; l < MP_LANES; l++) {
        struct lane *lane = &o->lanes[l];
        if (lane->phase != STEP)
            continue;
        double longest = 0, slope = 0;
        for (unsigned i = 0; i < n; i++)
            longest = fmax(longest, fabs(o->step[i].lane[l]));
        double scale = longest > longest_step ? longest_step / longest : 1;
        for (unsigned i = 0; i < n; i++) {
            double x = scale * o->step[i].lane[l];
            slope += x * o->best.gradient[i].lane[l];
            o->trial.parameters[i].lane[l] = o->best.parameters[i].lane[l] + x;
        }
        lane->slope = slope;
        lane->iterations++;
    }
}

void mp_arima_optimise(const struct arima_kernel *kernel, struct arima_workspace *workspace, unsigned order,
                       struct arima_run *runs, size_t count)
{
    struct optimiser *o = workspace->optimiser;
    memset(o, 0, sizeof *o);
    o->kernel = kernel;
    o->workspace = workspace;
    o->order = order;
    o->next = runs;
    o->end = runs + count;
    for (;;) {
        workspace->used = 0;
        for (int l = 0; l < MP_LANES; l++) {
            if (o->lanes[l].phase == IDLE && o->next < o->end)
                begin(o, l);
            workspace->used |= (uint32_t)(o->lanes[l].phase != IDLE) << l;
        }
        if (workspace->used == 0)
            break;
        kernel->evaluate(workspace, order, &o->trial);
        judge(o);
        propose(o);
    }
    workspace->used = MP_ALL_LANES;
}
