/* SPDX-License-Identifier: BSD-3-Clause */
/* libmoepredict forecasts how loaded each expert of a mixture-of-experts training run will be.
 *
 * Push the token counts of every training step, and pull the load of every expert over the steps to come:
 *
 *     moep_predictor_config config = { .struct_size = sizeof config };
 *     moep_predictor_config_init(&config, MOEP_AUTO);
 *     moep_predictor *predictor = NULL;
 *     moep_predictor_create(layers, experts, &config, NULL, &predictor);
 *     for (each training step) {
 *         moep_predictor_push(predictor, 1, counts, MOEP_INT64);
 *         if (time to place experts)
 *             moep_predictor_predict(predictor, 1000, 1000, shares, layers * experts);
 *     }
 *     moep_predictor_destroy(predictor);
 *
 * Contents. Later versions add sections and append to these; they change none.
 *     basics        version, status, dtypes, methods, what all calls share, runtime, info, trace
 *     predictor     configuration, pushing counts, fitting, forecasts and their quantiles
 *     AUTO          the method to begin with, what it promises, its quantiles, what it says of itself
 *     ARIMA         the method, its fit, its quantiles, the estimates of a series
 *     LSTM          the method, its fit, its quantiles, training status, weights
 *     detector      whether the load of a layer or an expert is transient or stable; its drift and noise
 *     placement     what every rank will carry, whether moving experts pays, and to which map
 *     evaluation    errors of forecasts, backtests on recorded runs
 *     checkpoints   copies of handles, saving and loading them
 *
 * Words.
 *     step          one training iteration
 *     counts        tokens asked of each expert of each MoE layer in one step, summed over all ranks: the demand,
 *                   before tokens are dropped, without padding
 *     share         load proportion: counts / the layer's total, so that the shares of a layer sum to 1
 *     mean load     the mean share of a layer's experts, 1 / experts
 *     series        the past shares of one expert of one layer; there are layers x experts of them
 *     horizon       how many steps ahead a forecast covers
 *     the paper     P. Cong et al., "Prediction Is All MoE Needs: Expert Load Distribution Goes from Fluctuating to
 *                   Stabilizing", arXiv 2404.16914 */
#ifndef MOEPREDICT_H
#define MOEPREDICT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MOEP_API __attribute__((visibility("default")))
#else
#define MOEP_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- basics ---------------------------------------------------------------------------------------------------- */

/* The version of this header. */
#define MOEP_VERSION_MAJOR 0
#define MOEP_VERSION_MINOR 1
#define MOEP_VERSION_PATCH 0

/* The version of the library that runs: major << 16 | minor << 8 | patch, and as text, "0.1.0". */
MOEP_API uint32_t moep_version_number(void);
MOEP_API const char *moep_version(void);

/* What a call returns: MOEP_OK or a negative code. A call that fails changes nothing, neither a handle nor the
 * caller's memory. Treat every negative value as a failure: later versions may add some. The library never aborts,
 * prints, raises a signal, takes a lock, or starts a thread that outlives the call. */
typedef int32_t moep_status;
enum {
    MOEP_OK = 0,
    MOEP_ERROR_INVALID_ARGUMENT = -1, /* an argument is outside its documented range */
    MOEP_ERROR_OUT_OF_MEMORY = -2,    /* the allocator refused, or the size does not fit an address space */
    MOEP_ERROR_INCOMPATIBLE = -3,     /* a newer library's struct or checkpoint, or one that does not belong here */
    MOEP_ERROR_CORRUPT = -4,          /* the bytes of a checkpoint are damaged */
    MOEP_ERROR_TOO_FEW_STEPS = -5,    /* not enough history yet, or a trace that is too short */
    MOEP_ERROR_NOT_FITTED = -6,       /* the method needs a fit first */
    MOEP_ERROR_NUMERIC = -7,          /* an estimate was not a finite number */
    MOEP_ERROR_CANCELLED = -8,        /* the progress callback asked to stop */
    MOEP_ERROR_UNSUPPORTED = -9       /* the method cannot do this */
};

/* The name of a status, "invalid argument"; "unknown status" for an unknown number, never NULL. Static text. */
MOEP_API const char *moep_status_string(moep_status status);

/* This thread's last failed call in words: "step 0, layer 3, expert 7: count is negative". Empty before the first
 * failure; valid until the next. A call that succeeds leaves it alone. */
MOEP_API const char *moep_last_error(void);

/* The type of counts. Integers may be of any size: totals are exact, a share is kept as a float. Of the
 * floating-point types every finite value >= 0 is a count, fractions too. */
typedef int32_t moep_dtype;
enum { MOEP_INT32 = 0, MOEP_INT64 = 1, MOEP_UINT32 = 2, MOEP_UINT64 = 3, MOEP_FLOAT32 = 4, MOEP_FLOAT64 = 5 };

/* The bytes of one count; 0 for an unknown dtype. */
MOEP_API size_t moep_dtype_size(moep_dtype dtype);

/* The forecasting methods. */
typedef int32_t moep_method;
enum {
    MOEP_SW_AVG = 0, /* sliding-window average: forecasts from the first step on, needs no fit, has no quantiles */
    MOEP_ARIMA = 1,  /* a time-series model of each series, which fit estimates */
    MOEP_LSTM = 2,   /* a network with weights from recorded runs: by default forecasts from step 100 on, unfitted */
    MOEP_AUTO = 3    /* windows and a network, mixed by how well each forecasts this run: the one to begin with */
};

/* The name of a method, "sw_avg"; NULL past the last, so that a loop can list them. Static text. */
MOEP_API const char *moep_method_name(moep_method method);

/* What all calls share.
 *
 * Structs. Set struct_size to sizeof the struct before every call, and fields named reserved to 0. Later versions
 * only append fields. A smaller struct, as an older caller has it, is accepted (at least two words of size_t): the
 * fields that it lacks have their defaults. A larger struct than this library's is INCOMPATIBLE.
 *
 * Arrays are the caller's, in C order, aligned as their type asks. No call keeps them.
 *
 * Threads. Calls on const handles may overlap each other. A call that changes a handle must overlap no other call on
 * it. Different handles are independent. The only global state is the thread-local text of moep_last_error().
 *
 * Forks. The child has a copy of every handle, to use and to destroy. But a handle that another thread was changing
 * during the fork must be left alone there, and not even destroyed. A child does not enter OpenBLAS, where the
 * library is built with it; last bits may then differ.
 *
 * Ranks. The same calls give the same bytes on every rank with the same builds of this library and the C library and
 * the same type of processor. Otherwise last bits may differ, and decisions with them: broadcast one rank's forecast.
 *
 * Stack. A call takes up to 64 KiB of the calling thread's stack, besides its callbacks. Threads that it starts have
 * 512 KiB each, or the process's default where that is refused.
 *
 * Floating point. A call computes in the default environment: to nearest, nothing trapped, no denormal flushed.
 * Callbacks run in it and must leave it so. The caller's environment is back on return, exception flags included. */

/* Threads, allocator and progress callback of a handle, never saved. NULL stands for the defaults. The library copies
 * the struct. What it points to must outlive every handle made with it, and every clone that inherits it.
 * - threads: the most that a call uses, the caller's included; 64 at most. Results are the same bytes for any number.
 *   SW_Avg, the detector, and AUTO but for fit_traces stay on the caller's thread.
 * - allocate, release: both or neither. All memory of the library comes from them, on the thread that made the call,
 *   never on one that the library starts. size is never 0, pointer never NULL.
 * - progress: called on the calling thread, now and then during fit, fit_traces and backtest. It may use other
 *   handles than the one at work. Non-zero makes the call return CANCELLED, with nothing changed. */
typedef struct moep_runtime {
    size_t struct_size;                                      /* sizeof(moep_runtime) */
    uint32_t threads;                                        /* most threads of a call; default 0, as 1 */
    uint32_t reserved;                                       /* 0 */
    void *(*allocate)(void *user, size_t size);              /* memory aligned to 16 bytes, or NULL; default malloc */
    void (*release)(void *user, void *pointer, size_t size); /* frees it, size as allocated; default free */
    void *allocator_user;                                    /* passed to both */
    int32_t (*progress)(void *user, double fraction); /* fraction done, 0 .. 1; non-zero cancels; default none */
    void *progress_user;                              /* passed to progress */
} moep_runtime;

/* What a handle is and has seen. The library fills it in. */
typedef struct moep_info {
    size_t struct_size;    /* sizeof(moep_info) */
    moep_method method;    /* the predictor's method; -1: a detector or planner */
    uint32_t reserved;     /* 0 */
    uint64_t layers;       /* as created */
    uint64_t experts;      /* as created */
    uint64_t history;      /* steps kept at most */
    uint64_t steps;        /* steps pushed */
    uint64_t next_step;    /* the number that push gives to the next step */
    uint64_t min_steps;    /* predictor: steps before predict answers; detector: steps of WARMUP; planner: 1 */
    uint64_t fitted_step;  /* next_step at the last fit that changed the model; UINT64_MAX: none did */
    uint64_t empty_layers; /* (step, layer) pairs without a token */
    uint64_t gaps;         /* step numbers skipped between the first step pushed and the last */
} moep_info;

/* A recorded training run. */
typedef struct moep_trace {
    size_t struct_size;              /* sizeof(moep_trace) */
    const void *counts;              /* [steps][layers][experts], each finite and >= 0 */
    moep_dtype dtype;                /* the type of counts */
    uint32_t reserved;               /* 0 */
    uint64_t steps, layers, experts; /* the shape of counts */
} moep_trace;

/* ---- predictor ------------------------------------------------------------------------------------------------- */

/* A predictor keeps the recent shares of one training run, or means of them, and forecasts by one method. Layers with
 * different numbers of experts need a predictor per number: zero-padding would change the mean load. */
typedef struct moep_predictor moep_predictor;

/* Values of configuration fields. */
enum { MOEP_SELECT = -1 };                                    /* arima_p, arima_d, arima_q: the data select it */
enum { MOEP_ARIMA_PER_LAYER = 0, MOEP_ARIMA_PER_SERIES = 1 }; /* arima_order_scope */
enum { MOEP_ARIMA_SHARES = 0, MOEP_ARIMA_LOG_RATIOS = 1 };    /* arima_scale */
enum { MOEP_LSTM_SHARED = 0, MOEP_LSTM_JOINT = 1 };           /* lstm_scope */

/* What a predictor is made with. Fields of one method begin with its name, and other methods ignore them. The
 * sections ARIMA and LSTM explain theirs. AUTO has none but seed, which fit_traces uses.
 *
 * SW_Avg is the paper's sliding-window average. The mean of the last w = sw_avg_window shares (of all, if fewer) is
 * the forecast of the next step and is appended; the window slides on, up to the horizon. So a forecast is a fixed
 * weighted sum of the last w shares. The weights are 1 / w for the next step. Far ahead the i-th oldest tends to
 *     2 i / (w (w + 1)), i = 1 .. w.
 * Short windows follow a fluctuating load, long ones average sampling noise away. w = 1 repeats the last share.
 *
 * history     default                                 least; fewer is INVALID_ARGUMENT
 *     SW_Avg  sw_avg_window                           sw_avg_window
 *     ARIMA   1000, or 200 x arima_bucket if more     8 x arima_bucket
 *     LSTM    2048                                    2000
 *     AUTO    1, more is of no use                    1
 *
 * fit_budget limits the operations of each call of fit. A formula counts them, alike on any machine and number of
 * threads. A call that runs out returns MOEP_OK; the next continues with what is left, on the history held then.
 * The first ARIMA fit of a series takes about 0.6 by default, about 10 with orders (5, 1, 5). */
typedef struct moep_predictor_config {
    size_t struct_size;         /* sizeof(moep_predictor_config) */
    moep_method method;         /* the method; default: the one that config_init was called with */
    uint32_t sw_avg_window;     /* w, steps averaged, >= 1; default 200 */
    uint64_t history;           /* steps kept, at 4 bytes per series; 0, the default: see above */
    double fit_budget;          /* limit of a fit, 10^6 floating-point operations, finite and >= 0; default 0: none */
    int32_t arima_p;            /* order p, 0 .. 8, or MOEP_SELECT; default 2 */
    int32_t arima_d;            /* order d, 0 .. 2, or MOEP_SELECT; default 1 */
    int32_t arima_q;            /* order q, 0 .. 8, or MOEP_SELECT; default 2 */
    uint32_t arima_order_scope; /* whether a layer or each series selects an order; default 0, MOEP_ARIMA_PER_LAYER */
    uint32_t arima_bucket;      /* steps averaged into one observation, 1 .. 10000; default 5 */
    uint32_t arima_starts;      /* points from which a fit seeks the maximum, 1 .. 1000; default 5 */
    uint32_t arima_scale;       /* what is modelled, shares or log-ratios; default 0, MOEP_ARIMA_SHARES */
    uint32_t arima_mean;        /* has a model with d = 0 a mean? 0: no, 1: yes; default 1 */
    double arima_root_limit;    /* largest modulus of inverse roots in forecasts, > 0 and <= 1; default 0.995 */
    uint64_t seed;              /* random numbers of training: first weights, minibatches; default 0 */
    uint32_t lstm_scope;        /* the form of the network; default 0, MOEP_LSTM_SHARED */
    uint32_t lstm_layers;       /* recurrent layers, 0 .. 4 (joint form: 1 .. 4); default 1 */
    uint32_t lstm_hidden;       /* hidden units of each, 1 .. 512; default 16 */
    uint32_t reserved;          /* 0 */
} moep_predictor_config;

/* Fills in a method's defaults. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_predictor_config_init(moep_predictor_config *config, moep_method method);

/* Makes a predictor for layers x experts series. This is where the handle takes its memory. A series takes 4 bytes
 * per step of the history, and with ARIMA 0.5 KB more, with AUTO 0.35 KB. The LSTM, and AUTO's, take five copies of
 * their weights.
 *   layers, experts   >= 1, bounded by memory alone (tested to 1,024 x 4,096 and 1 x 2^20)
 *   runtime           NULL: the defaults
 *   out               becomes the handle, which destroy frees; NULL on an error
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY, UNSUPPORTED (joint LSTM of more than 2,048 series). */
MOEP_API moep_status moep_predictor_create(size_t layers, size_t experts, const moep_predictor_config *config,
                                           const moep_runtime *runtime, moep_predictor **out);

/* Frees a predictor. NULL is fine. */
MOEP_API void moep_predictor_destroy(moep_predictor *predictor);

/* Records training steps.
 *   counts       [steps][layers][experts], tokens asked of each expert, each finite and >= 0
 *   first_step   push_at: the run's own number of the first step, below 2^64 - 1. push numbers on from next_step
 * - A number below moep_info.next_step is INVALID_ARGUMENT: no iteration counts twice. A number above it leaves a
 *   gap, which moep_info.gaps counts and nothing fills. The first step may have any number, so a run may be joined
 *   at any step.
 * - Windows and horizons count steps pushed, whatever their numbers. If you push every tenth step alone, a horizon of
 *   100 covers the next 1,000 steps of the run.
 * - A layer without a token repeats its last shares (uniform ones before any); moep_info.empty_layers counts it.
 * - Zero steps are checked and do nothing; counts may then be NULL.
 * Cost: O(layers x experts) per step, whatever the method, window or history. No memory, no lock, no system call.
 * Errors: INVALID_ARGUMENT, in words with step, layer and expert. Nothing of the call is then recorded. */
MOEP_API moep_status moep_predictor_push(moep_predictor *predictor, size_t steps, const void *counts,
                                         moep_dtype dtype);
MOEP_API moep_status moep_predictor_push_at(moep_predictor *predictor, uint64_t first_step, size_t steps,
                                            const void *counts, moep_dtype dtype);

/* Forgets the history, and what AUTO has learned from it, and keeps what fit has learned. steps, next_step,
 * empty_layers and gaps of moep_info become 0, fitted_step stays. Errors: INVALID_ARGUMENT (NULL). */
MOEP_API moep_status moep_predictor_reset(moep_predictor *predictor);

/* Estimates the method's model on the history held, within fit_budget. "Fit" in the sections ARIMA and LSTM says how.
 * SW_Avg and AUTO have nothing to estimate: MOEP_OK, without effect. Scratch comes from the allocator.
 * Errors: INVALID_ARGUMENT (NULL), TOO_FEW_STEPS (ARIMA: fewer than 8 x arima_bucket), NUMERIC (LSTM: the training
 * diverged), OUT_OF_MEMORY, CANCELLED. */
MOEP_API moep_status moep_predictor_fit(moep_predictor *predictor);

/* Learns from other runs, from the beginning, without a budget. It discards all learned parameters, the shipped ones
 * included, and keeps the history. Only the LSTM and AUTO's network can: see "Fit on traces" in section LSTM.
 *   traces   n of them, n >= 1, each of 600 steps or more. Shapes may differ (joint form: the predictor's). All have
 *            the struct_size of the first
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE (struct_size; joint form: another shape), TOO_FEW_STEPS, NUMERIC,
 * OUT_OF_MEMORY, CANCELLED, UNSUPPORTED (SW_Avg, ARIMA). */
MOEP_API moep_status moep_predictor_fit_traces(moep_predictor *predictor, const moep_trace *traces, size_t n);

/* Adopts what another predictor's fit has learned, of AUTO the network, and keeps its own history and step number.
 * So no training step waits for a fit: clone the predictor, fit the clone in another thread, push and predict
 * meanwhile, then adopt.
 *   fitted   of the same shape and configuration, usually a fitted clone; it is not modified
 * The result is the same to the byte as a fit at the step of the clone; of AUTO, if no block of 50 steps has ended
 * since. Takes no memory. A predictor that no fit has changed is adopted too, and replaces the model by an unfitted
 * one: check first that the fit returned MOEP_OK.
 * Errors: INVALID_ARGUMENT (NULL), INCOMPATIBLE (another shape or configuration). */
MOEP_API moep_status moep_predictor_adopt(moep_predictor *predictor, const moep_predictor *fitted);

/* The number of rows of a forecast: ceil(horizon / stride), 0 if either is 0. */
MOEP_API size_t moep_forecast_rows(size_t horizon, size_t stride);

/* Forecasts the next horizon steps, from the one after the last that was pushed.
 *   horizon    steps ahead, >= 1
 *   stride     steps averaged into one row, >= 1; the last row covers what is left
 *   shares     [rows][layers][experts], rows = moep_forecast_rows(horizon, stride): finite and >= 0. Each layer of
 *              each row sums to 1 within 1e-12 (beyond 10,000 experts a plain sum adds as much rounding of its own)
 *   capacity   the doubles that shares has room for, >= rows x layers x experts
 * - stride = horizon gives one row, the mean load over the horizon: what placement needs.
 * - stride = 1 gives every step by itself: what the paper scores.
 * - For a forecast that starts later, since moving experts takes time, skip the first rows.
 * Scratch comes from the allocator. SW_Avg: a double per step ahead. ARIMA: about ten doubles per observation of a
 * layer and thread. LSTM: 200 bytes per series, and about 2 MB, or 2.3 KB per expert of a layer where that is more.
 * AUTO: 0.7 KB per expert of a layer, and 30 KB.
 * Errors: INVALID_ARGUMENT (ARIMA: also a horizon of more than 10^7 x arima_bucket), OUT_OF_MEMORY, TOO_FEW_STEPS
 * (fewer than moep_info.min_steps: SW_Avg and AUTO 1, ARIMA arima_bucket, LSTM 100), NOT_FITTED (joint LSTM). */
MOEP_API moep_status moep_predictor_predict(const moep_predictor *predictor, size_t horizon, size_t stride,
                                            double *shares, size_t capacity);

/* Forecasts how much or how little load the next steps may bring: quantiles of what will be observed. "Quantiles" in
 * the sections AUTO, ARIMA and LSTM says where they come from. No past shows a shift that is yet to come.
 *   probabilities   n of them, each more than 0 and less than 1, in any order; n may be 0
 *   shares          [n][rows][layers][experts]: with that probability the mean load of a row's steps is no larger.
 *                   Each is within 0 .. 1; they need not sum to 1. A higher probability never has a smaller quantile
 *   capacity        the doubles that shares has room for, >= n x rows x layers x experts
 * stride = 1 gives what a single step may bring, sampling noise included: what to keep room for.
 *
 * In stable layers of seven bundled runs without a known shift, intervals of 80 % held in 75 to 90 % of cases, those
 * of 95 % in 91 to 99 %. Up to 20 steps ahead it was 75 to 84 % and 92 to 97 %. Most of these runs served to tune the
 * methods (`sh tests/bench/run.sh interval_coverage`).
 *
 * Errors: as for predict, UNSUPPORTED (SW_Avg). ARIMA: also NOT_FITTED before a fit has reached every series, and
 * TOO_FEW_STEPS while fewer than 8 x arima_bucket steps are held. */
MOEP_API moep_status moep_predictor_predict_quantiles(const moep_predictor *predictor, size_t horizon, size_t stride,
                                                      const double *probabilities, size_t n, double *shares,
                                                      size_t capacity);

/* What the predictor is and has seen. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_predictor_info(const moep_predictor *predictor, moep_info *info);

/* The configuration that it was made with, all defaults resolved. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_predictor_config_read(const moep_predictor *predictor, moep_predictor_config *config);

/* ---- AUTO ------------------------------------------------------------------------------------------------------ */

/* MOEP_AUTO, the method to begin with, is not the paper's. It mixes ten forecasts, its candidates, and learns during
 * the run which of them to trust. It needs no fit, keeps no steps, and forecasts from the first step on.
 *
 * Candidates (moep_auto_candidate_name lists them):
 * - the means of the last 50, 100, 300, 1,000 and 2,000 steps, but of none before the layer's last jump,
 * - the means of the last 300, 1,000 and 2,000 steps, whatever happened,
 * - from step 100 on a network, the LSTM's without recurrent layers (lstm_layers = 0), with its shipped weights,
 * - the uniform load, 1 / experts: what a router's balancing tends to.
 *
 * Weights. After each block of 50 steps, every candidate is scored by its errors in the first 50, 100, 200 and 500
 * steps after its forecasts.
 * - Old errors fade: after 200 steps they count half. A candidate's weight falls exponentially with its errors.
 * - Every layer has its own weights, and one set serves every horizon. A layer's forecast is the same bytes whichever
 *   layers are beside it.
 * - Nothing is scored before step 150. Until then, the network has a weight of 0.4 as soon as it forecasts. The
 *   uniform load has 0.05, and all windows share the rest alike.
 *
 * Changes.
 * - A jump is a shift of the layer's mean load by more than noise and drift explain, and by 8 % of the mean load or
 *   more. It is noticed within about 100 steps.
 * - A gap of step numbers changes nothing: after it, the load itself tells whether it has jumped.
 * - The network takes the age of the run from its step numbers: give them (push_at) if you join a run late.
 *
 * What it promises was measured on four bundled runs on which nothing was tuned. The rival was the mean of the last w
 * steps, with the w of 1 to 1,000 that is best for each run in hindsight. The error of the mean of the next 1,000
 * steps was 10 % lower than the rival's, of the next 2,000 11 % (geometric means). On the worst run it was as large
 * as the rival's, where the LSTM's was 65 % larger. On all bundled runs, each layer's error was at most 2 % above
 * that of the mean of its last 100 steps (`sh tests/bench/run.sh auto_accuracy`).
 *
 * Its limit is what the past does not show. No forecast knows a shift of the data that is yet to come. And where
 * loads come and go in cycles of about 700 steps or more, the next 500 steps may mislead the scores, whatever the
 * horizon. A hotspot may wander so, or two data sets take turns. AUTO is then about as good as the mean of the last
 * 100 steps, and that of a whole cycle may be ten times better. If you know of such a cycle, take SW_Avg, with a
 * longer window.
 *
 * Fit. There is nothing to fit. fit_traces trains the network on other runs, as it does the LSTM's.
 *
 * Quantiles lie about the forecast. Their width comes from the errors of AUTO's own past forecasts in this run, the
 * spread of the candidates, and sampling noise. They are calibrated for 1,000 steps ahead, layer by layer: where past
 * intervals have missed too often, the next are wider. The first are scored at step 1,100; before about step 300 they
 * are too narrow. */

/* The number of candidates, and a name, "mean of 100 since the last jump"; NULL past the last. Static text. */
MOEP_API size_t moep_auto_candidates(void);
MOEP_API const char *moep_auto_candidate_name(size_t candidate);

/* What AUTO says of itself. The arrays are the caller's; the library fills those that are not NULL. */
typedef struct moep_auto_report {
    size_t struct_size;     /* sizeof(moep_auto_report) */
    double *weights;        /* [layers][candidates]: of a forecast made now; those of a layer sum to 1 */
    double *expected_error; /* [layers]: of the mean of 1,000 steps, by past forecasts; NaN before any is scored */
    double *coverage;       /* [layers][2]: how often past 80 and 95 % intervals of that mean held; NaN likewise */
    uint64_t *since_jump;   /* [layers]: steps since the last jump; all, if there was none */
} moep_auto_report;

/* Reads it. expected_error is measured as moep_forecast_error's error. Scratch comes from the allocator.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, UNSUPPORTED (another method), OUT_OF_MEMORY. */
MOEP_API moep_status moep_predictor_auto_report(const moep_predictor *predictor, moep_auto_report *report);

/* ---- ARIMA ----------------------------------------------------------------------------------------------------- */

/* MOEP_ARIMA, the paper's second method: ARIMA(p, d, q) for every series by itself.
 *
 * Model. The observations are means of arima_bucket steps. With w their d-th difference and m its mean,
 *     w(t) - m = phi[0] (w(t-1) - m) + ... + phi[p-1] (w(t-p) - m) + e(t) + theta[0] e(t-1) + ... + theta[q-1] e(t-q)
 * with innovations e of variance sigma2. phi has the signs of Box and Jenkins, theta those of R.
 * - m is 0 where d > 0 or arima_mean = 0.
 * - arima_bucket = 1 is the paper's. A larger one averages the noise of single steps away, and fits sooner.
 * - MOEP_ARIMA_LOG_RATIOS models log(share / mean load), from a hundredth of the mean load up.
 *
 * Orders. The paper's is (5, 1, 5). MOEP_SELECT leaves p, d or q to the data.
 * - d is then 0 or 1, by the tests of KPSS (1992) and Dickey and Fuller (1979) together: with 2 forecasts run away.
 * - p and q are 0 .. 5, by the corrected Akaike criterion over a stepwise search (Hyndman and Khandakar, 2008).
 * - MOEP_ARIMA_PER_LAYER gives all series of a layer the order that most of them select, constant ones aside.
 *
 * Fit maximises the exact Gaussian likelihood (Box, Jenkins, Reinsel and Ljung, "Time Series Analysis", chapters 5
 * and 7; Ljung and Box, Biometrika 66, 1979). The first fit starts from arima_starts points, since large p and q make
 * several maxima; later fits from the last estimate and one other.
 * - No layer ever fails. A series that is too short gets a smaller order, a constant one its mean.
 * - fit_budget goes to whole series (whole layers while orders are selected); the last one may overrun it.
 *   Calibrating the quantiles is not counted.
 * - moep_info.fitted_step advances with every call.
 *
 * Forecast. Each expert is forecast by itself, then each layer is scaled to sum to 1 at every observation.
 * - A series that no fit has reached is forecast as the mean of its history.
 * - Inverse roots of a larger modulus than arima_root_limit are scaled to it, in forecasts and quantiles alone.
 *   Pairs that nearly cancel on the unit circle fit well, but make the future look too certain. 1 leaves all as they
 *   are.
 *
 * Quantiles lie about the forecast. Their variance is the model's (Box and Jenkins) times a factor for each horizon,
 * which the errors of forecasts within the fitted history ask for. Tails are normal one observation ahead, Student's
 * t far ahead. A history of fewer than 32 x arima_bucket steps has no factors, and normal tails. */

/* What a fit has estimated for one series. */
typedef struct moep_arima_model {
    size_t struct_size;    /* sizeof(moep_arima_model) */
    uint32_t p, d, q;      /* the order estimated */
    uint32_t period;       /* season that order selection found, in observations; reported only; 0: none */
    uint32_t fallback;     /* 0: as requested; 1: short history, a smaller order; 2: a constant series, or w all 0 */
    uint32_t reserved;     /* 0 */
    double phi[8];         /* the first p hold; the others are 0 */
    double theta[8];       /* the first q hold; the others are 0 */
    double phi_error[8];   /* standard errors of phi */
    double theta_error[8]; /* standard errors of theta */
    double mean;           /* m; 0 for d > 0 */
    double sigma2;         /* innovation variance by maximum likelihood */
    double loglik;         /* exact Gaussian log-likelihood of w, as modelled; infinite where sigma2 is 0 */
    double aicc;           /* corrected Akaike criterion; infinite where sigma2 is 0 */
} moep_arima_model;

/* Reads the estimate of one series.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, UNSUPPORTED (another method), NOT_FITTED (no fit has reached it). */
MOEP_API moep_status moep_predictor_arima_model(const moep_predictor *predictor, size_t layer, size_t expert,
                                                moep_arima_model *model);

/* ---- LSTM ------------------------------------------------------------------------------------------------------ */

/* MOEP_LSTM, the paper's third method: a network that has learned from whole runs how loads evolve. It has two forms.
 *
 * MOEP_LSTM_SHARED, the default, is one small network, which all series of all runs share.
 * - Inputs: the means of the last 20, 100, 500 and 2,000 steps, the load and the run's age, in logarithms. Recurrent
 *   layers (Hochreiter and Schmidhuber, 1997) add the last 100 means of 10 steps.
 * - The age is the run's own step number: give it (push_at) if you join a run late.
 * - Outputs, for each of the next 40 spans of 50 steps: weights of the four means, and a factor of 1/e to e. Later
 *   steps repeat the last span. An untrained network forecasts the plain average of the four means.
 * - Steps before a jump of the layer's load do not count. After a jump the forecast is half that plain average.
 * - The scale of the counts plays no part. Experts that swap places swap their forecasts.
 * - The library ships weights of two networks, trained on two recorded runs: the default one, and the one without
 *   recurrent layers (lstm_layers = 0). Any other shape starts untrained. On runs unlike those it may be worse than
 *   SW_Avg, by far where the data keep changing: backtest it on yours.
 *
 * MOEP_LSTM_JOINT is the paper's form: the loads of all experts of all layers in, all their next loads out. Experts
 * mean something else in every run, so it serves only the run that it was trained on. It forecasts once a fit was
 * better than uniform loads, and learns most from a long history.
 *
 * Fit on the history. It gains nothing on runs like those behind the present weights.
 * - Data: the last quarter for validation, the rest to train on. Below 600 steps: MOEP_OK, and nothing changes.
 * - Schedule: rounds of 400 updates by Adam (Kingma and Ba, 2015) from the present weights; one if unlimited.
 * - Acceptance: every 100 updates, new weights replace the present ones if their validation loss is 3 % lower.
 * - Budget: of the default network, an update by 96 series takes about 70, a validation up to 1,000. The next call
 *   gets what is left over.
 *
 * Fit on traces.
 * - Data: every third layer for validation; of fewer than three, and in the joint form, the last quarter of the run.
 * - Augmentation: half of the samples are truncated, like a young run. One in sixteen is spliced from two places,
 *   like a shift of the data.
 * - Schedule: 4,000 updates from untrained weights.
 * - Acceptance: every 250 updates, new weights replace the best so far if their validation loss is lower. If none
 *   ever is, the network stays untrained.
 *
 * Quantiles lie about the forecast: none below 0.5 exceeds it, none above 0.5 is less. Their width comes from the
 * last 2,000 steps of this run alone:
 * - how far the mean of 100 steps missed the next ones,
 * - how far the forecast is from the mean of 500 steps,
 * - how much the layer's load has moved. */

/* Where the weights in use come from. */
enum { MOEP_LSTM_UNTRAINED = 0, MOEP_LSTM_PRETRAINED = 1, MOEP_LSTM_TRAINED = 2 };

/* Training status. A loss is the error of the mean load of the next 50, 100, ... 2,000 steps, averaged, on the
 * validation data of the last validation. */
typedef struct moep_lstm_training {
    size_t struct_size;    /* sizeof(moep_lstm_training) */
    uint32_t weights;      /* MOEP_LSTM_UNTRAINED, _PRETRAINED (as shipped), or _TRAINED (by a fit, or set) */
    uint32_t reserved;     /* 0 */
    uint64_t rounds;       /* rounds of training begun since create or the last fit_traces */
    uint64_t updates;      /* updates made in the present round */
    uint64_t length;       /* updates of a whole round; 0 before the first */
    double loss;           /* validation loss of the weights in use; NaN: not validated yet */
    double untrained_loss; /* validation loss of an untrained network on the same data; NaN: not validated yet */
} moep_lstm_training;

/* Reads it. Errors: INVALID_ARGUMENT, INCOMPATIBLE, UNSUPPORTED (another method). */
MOEP_API moep_status moep_predictor_lstm_training(const moep_predictor *predictor, moep_lstm_training *training);

/* One recurrent layer's weights in PyTorch's layout (torch.nn.LSTM): rows of the gates i, f, g, o. */
typedef struct moep_lstm_weights {
    size_t struct_size; /* sizeof(moep_lstm_weights) */
    uint32_t inputs;    /* inputs of the layer */
    uint32_t hidden;    /* hidden units, lstm_hidden */
    float *weight_ih;   /* [4 hidden][inputs] */
    float *weight_hh;   /* [4 hidden][hidden] */
    float *bias_ih;     /* [4 hidden] */
    float *bias_hh;     /* [4 hidden]; the two are only ever added */
} moep_lstm_weights;

/* Reads the weights of recurrent layer 0 .. lstm_layers - 1 into the caller's arrays, or replaces them.
 * - Reading with all four arrays NULL fills in inputs and hidden. Otherwise set both to those values, and all arrays.
 * - New weights must be within -10^6 .. 10^6. They count as trained, end the present round, and have no loss yet.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE (inputs, hidden), UNSUPPORTED (another method). */
MOEP_API moep_status moep_predictor_lstm_weights(const moep_predictor *predictor, size_t lstm_layer,
                                                 moep_lstm_weights *weights);
MOEP_API moep_status moep_predictor_set_lstm_weights(moep_predictor *predictor, size_t lstm_layer,
                                                     const moep_lstm_weights *weights);

/* ---- detector -------------------------------------------------------------------------------------------------- */

/* The load of an MoE layer first changes irregularly and then settles, so that the near past predicts the future.
 * The paper found these two states in plots. A detector distinguishes them during the run, for each layer and expert,
 * at any batch size.
 *
 * What STABLE promises. For each expert, let m be the mean share of the last drift_window steps when the state
 * begins, and M that of the next horizon steps. As a forecast of M, sampling noise aside, m is expected to satisfy
 *     layer     sqrt(mean over its experts of ((m - M) x experts)^2) <= tolerance
 *     expert    abs(m - M) x experts <= expert_tolerance
 * if the load keeps moving as it has lately. This is no guarantee: tomorrow's change of the data is not in the
 * past. On nine of eleven recorded runs none to five in a hundred broke it, on two whose loads long keep moving 11
 * and 15 (`sh tests/bench/run.sh detector_quality`).
 *
 * Let E2 be the square of the drift expected over the horizon, and s the standard deviation that noise gives to it.
 * STABLE
 *     begins    when E2 + s <= tolerance^2 for dwell steps, with E2 smoothed as MOEP_DRIFT is
 *     ends      when E2 - 3 s > (1.3 x tolerance)^2, with E2 of the last block
 * A drift in one direction (a trend) is taken to persist. Beyond the second limit it prevents STABLE, and it ends a
 * STABLE that has lasted for 2 drift_window steps.
 *
 * What is learned. Whether a drift goes on or comes back differs from run to run. So by default a detector keeps its
 * means of drift_window steps, and compares each with what came in the 5 x drift_window steps after it and in the
 * horizon. From these errors every layer, and every expert beginning with what its layer knows, learns which part
 * of the drift that it expected has come. E2 is corrected by that, and mixed with the errors that came lately: the
 * more so, the more noise hides the drift of now. From the first error on, about a third of s or less takes the
 * place of s where STABLE begins. It also ends when the smoothed E2 less that exceeds the second limit. A drift of
 * more than four times what was usual is new: it ends STABLE by the constant growth, as a trend does, so that
 * neither is seen any later.
 *
 * Place experts by the forecast where a layer is STABLE; keep room for every expert elsewhere. In a TRANSIENT layer
 * some experts are STABLE: theirs are loads to rely on. Where an expert gets only a handful of tokens a step, noise
 * may hide that its drift is within the tolerance. The state then stays TRANSIENT until errors that came show it. */
typedef int32_t moep_state;
enum {
    MOEP_WARMUP = 0,    /* fewer than 2 drift_window steps since the start or a long gap: treat it as transient */
    MOEP_TRANSIENT = 1, /* the drift exceeds the tolerance, or has not been within it for long enough */
    MOEP_STABLE = 2 /* as promised above, until the load changes: new data, a learning-rate step, swapped experts */
};

/* What a detector reports in numbers. MEAN, VARIANCE and RANGE are the paper's statistics, exact at every step. x are
 * the shares of the last w steps, or of as many as have been pushed. The others describe the last whole block, from
 * the end of WARMUP on.
 * - MOEP_DRIFT is the error that a forecast made now must expect over the horizon, sampling noise aside: the root of
 *   E2, smoothed over a few blocks. However small, one in a single direction may keep the state TRANSIENT.
 * - MOEP_NOISE is sampling noise as effective tokens: the number of independent tokens per step that would scatter
 *   as much. More mean less noise. p is the mean share, v the variance of single steps, measured between blocks.
 * - MOEP_DISPERSION is how much more loads scatter than independent tokens: tokens per step / NOISE. 1 is the
 *   multinomial floor; single steps of real runs have 2 to 4, blocks of 20 steps up to 10. It is NaN where counts
 *   need not be tokens: floating-point ones that are not whole, or too large to be exact (from 2^24 for float, 2^53
 *   for double). */
typedef int32_t moep_quantity;
enum {
    MOEP_MEAN = 0,      /* sum x / w; of a layer the mean over its experts */
    MOEP_VARIANCE = 1,  /* sum (x - mean)^2 / w; of a layer the mean over its experts */
    MOEP_RANGE = 2,     /* max x - min x; of a layer the largest of its experts' */
    MOEP_DRIFT = 3,     /* expected drift over the horizon, in units of the mean load */
    MOEP_NOISE = 4,     /* p (1 - p) / v; of a layer sum p (1 - p) / sum v; NaN where v = 0 */
    MOEP_DISPERSION = 5 /* tokens per step / NOISE; NaN where v = 0 */
};

/* A detector of the state of every layer and expert of one training run. */
typedef struct moep_detector moep_detector;

/* The growth of a detector that learns from the run how far loads drift. */
#define MOEP_LEARN (-1.0)

/* What a detector is made with.
 * - horizon: the steps between two placements of experts. tolerance: the largest error that a placement tolerates.
 *   expert_tolerance is larger by default, since one expert of many may move more than all of them together.
 * - growth: how a drift D between two neighbouring windows grows over the horizon. MOEP_LEARN: the detector learns
 *   it, beginning with 0.3. The first errors come after 7 x drift_window steps, fewer with a short horizon.
 *   From 0 to 1: it is that diffusion (Hurst) exponent for good. D becomes
 *       D x ((W + horizon) / (2 W))^growth, W = drift_window.
 *   0.5 is a random walk, 0 a load that comes back. A drift in one direction grows by the exponent 2 x growth, at
 *   most 1.
 * - drift_window: a longer one sees slower drifts under more noise, but notices a change later: after about W / 2
 *   steps.
 * - block: longer than the few steps over which a router's noise is correlated. */
typedef struct moep_detector_config {
    size_t struct_size;      /* sizeof(moep_detector_config) */
    uint64_t horizon;        /* steps ahead that STABLE is about, >= 1; default 1000 */
    double tolerance;        /* of a layer, in units of the mean load, finite and > 0; default 0.10 */
    double expert_tolerance; /* of an expert, in units of the mean load, finite and > 0; default 0.20 */
    double growth;           /* MOEP_LEARN, or the exponent by which drift grows, 0 .. 1; default MOEP_LEARN */
    uint32_t drift_window;   /* W in steps, a multiple of block, 2 to 512 blocks; default 100 */
    uint32_t block;          /* steps averaged into one observation of the load, >= 1; default 20 */
    uint32_t dwell;          /* steps within the tolerance before STABLE, >= 1, in whole blocks; default 100 */
    uint32_t reserved;       /* 0 */
    uint32_t windows[4];     /* w of MEAN, VARIANCE, RANGE, in steps, each 0 (none) .. 1024; default 10, 100, 0, 0 */
} moep_detector_config;

/* Fills in the defaults. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_detector_config_init(moep_detector_config *config);

/* Makes a detector for layers x experts series. It takes the handle's memory. Per series that is about 140 bytes, 4
 * per step of the longest window, 8 per step of every window, and 12 per block of drift_window. To learn takes 32
 * more, and 4 per drift_window of the horizon, of which 20 count at most.
 *   layers, experts   >= 1
 *   runtime           NULL: the defaults; threads and progress are ignored
 *   out               becomes the handle, which destroy frees; NULL on an error
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_detector_create(size_t layers, size_t experts, const moep_detector_config *config,
                                          const moep_runtime *runtime, moep_detector **out);

/* Frees a detector. NULL is fine. */
MOEP_API void moep_detector_destroy(moep_detector *detector);

/* Records training steps, as moep_predictor_push and push_at do.
 * - States change with the last step of a block of pushed steps. Skipped step numbers do not count.
 * - A gap of more than drift_window numbers restarts the WARMUP of all, and what was learned is forgotten. Sliding
 *   windows still hold the last steps.
 * - A layer without tokens repeats its last shares and so becomes STABLE, as does an expert that gets none.
 * Cost: O(layers x experts) per step, whatever the windows. No memory, no lock, no system call.
 * Errors: INVALID_ARGUMENT, in words with step, layer and expert. Nothing of the call is then recorded. */
MOEP_API moep_status moep_detector_push(moep_detector *detector, size_t steps, const void *counts, moep_dtype dtype);
MOEP_API moep_status moep_detector_push_at(moep_detector *detector, uint64_t first_step, size_t steps,
                                           const void *counts, moep_dtype dtype);

/* states: the present state of each layer and expert. since: the number of the step with which it began; 0 before the
 * first step. changes: how often it has changed, the end of WARMUP included.
 *   layers    [layers], or NULL
 *   experts   [layers][experts], or NULL
 * Errors: INVALID_ARGUMENT. */
MOEP_API moep_status moep_detector_states(const moep_detector *detector, moep_state *layers, moep_state *experts);
MOEP_API moep_status moep_detector_since(const moep_detector *detector, uint64_t *layers, uint64_t *experts);
MOEP_API moep_status moep_detector_changes(const moep_detector *detector, uint64_t *layers, uint64_t *experts);

/* Reads a quantity.
 *   window_index   MEAN, VARIANCE, RANGE: which of config.windows; the others: 0
 *   layers         [layers], or NULL
 *   experts        [layers][experts], or NULL: MEAN, VARIANCE and RANGE then allocate a double per series
 * Errors: INVALID_ARGUMENT, TOO_FEW_STEPS (no step yet, or WARMUP), OUT_OF_MEMORY. */
MOEP_API moep_status moep_detector_read(const moep_detector *detector, moep_quantity quantity, size_t window_index,
                                        double *layers, double *experts);

/* The configuration that it was made with. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_detector_config_read(const moep_detector *detector, moep_detector_config *config);

/* What the detector is and has seen. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_detector_info(const moep_detector *detector, moep_info *info);

/* ---- placement ------------------------------------------------------------------------------------------------- */

/* From a forecast to a decision: what every rank will carry, whether moving experts pays, and to which map.
 *
 *     for (each training step) {
 *         moep_predictor_push(predictor, 1, counts, MOEP_INT64);
 *         moep_planner_push(planner, 1, counts, MOEP_INT64);
 *         if (step % 250 == 0) {
 *             moep_predictor_predict(predictor, 1000, 1000, shares, layers * experts);
 *             moep_plan(planner, &layout, shares, map, &options, &result);
 *             for (each layer with result.advice[layer])
 *                 move its experts to result.phy2log, which is its map from then on
 *         }
 *     }
 *
 * The predictor says what will be asked of the experts in the mean. The planner knows how single steps scatter around
 * it, and which experts are loaded together. The slowest rank sets the pace of every step, so a plan is judged by the
 * largest rank load of single steps, not by that of the mean load.
 *
 * Words.
 *     rank          a member of the group among which experts are distributed
 *     slot, copy    a place for one expert on a rank; an expert with several slots has as many copies
 *     map           int64 [layers][slots], the expert in each slot: EPLB's phy2log. Slot s is on rank
 *                   s / (slots / ranks). -1 is an empty slot, which maps that a call reads may have
 *     rank load     the share of a layer's tokens that a rank's slots take. Copies of an expert take equal parts
 *     peak          the largest rank load of a step over the mean rank load, 1 / ranks
 *     slot cost     what moving one copy to another rank costs, in layer-steps of mean rank load. That is the seconds
 *                   that training waits for it / the seconds that a rank with the mean load takes for a layer of a
 *                   step. Where several ranks move at once, divide by their number
 *
 * The same input gives the same bytes on every processor with IEEE arithmetic, for any number of threads. */

/* Where slots lie. All maps of a call have the shape [layers][slots].
 * - slots is a multiple of ranks, at least experts, and below 2^31. A planner's layout has no more slots on a rank
 *   than experts, of the rank's node if there are groups, so that no rank needs two copies of one expert.
 * - groups and nodes, if both exceed 1: each node has ranks / nodes consecutive ranks, each group experts / groups
 *   consecutive experts, and all copies of a group lie on one node. nodes divides groups and ranks, groups divides
 *   experts. Where either is 0 or 1, there are no groups. */
typedef struct moep_layout {
    size_t struct_size; /* sizeof(moep_layout) */
    size_t layers;      /* as of the arrays in the call, >= 1 */
    size_t experts;     /* of each layer, >= 1 */
    size_t slots;       /* of each layer, on all ranks */
    size_t ranks;       /* >= 1 */
    size_t groups;      /* of experts that share a node; 0 or 1: none */
    size_t nodes;       /* that ranks lie on; 0 or 1: one */
} moep_layout;

/* The map that EPLB (DeepSeek's expert-parallel load balancer) makes of these weights: copies by greedy division,
 * ranks by descending load. It balances the weights alone, whatever lies where now; moep_plan does better.
 *   weights   [layers][experts], finite and >= 0; they become float first, as in EPLB
 *   phy2log   [layers][slots], or NULL: the expert in each slot
 *   log2phy   [layers][experts][copies], or NULL: the slots of each expert, then -1
 *   copies    slots - experts + 1 always suffices; fewer than an expert has is INVALID_ARGUMENT. Without log2phy: 0
 *   logcnt    [layers][experts], or NULL: the number of copies of each expert
 * Where loads tie, the lowest index comes first. EPLB leaves that to its sort, so its map may differ there. Numbers
 * of copies and the load of every slot differ only where whole groups tie. As with EPLB, a rank may get two copies of
 * one expert.
 * Scratch: 40 bytes per slot and expert of a layer.
 * Errors: INVALID_ARGUMENT (a weight: in words with layer and expert), INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_rebalance(const moep_layout *layout, const void *weights, moep_dtype dtype,
                                    int64_t *phy2log, int64_t *log2phy, size_t copies, int64_t *logcnt);

/* The slots and the number of copies of each expert in a map, as moep_rebalance writes them. Slots ascend.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_map_invert(const moep_layout *layout, const int64_t *phy2log, int64_t *log2phy,
                                     size_t copies, int64_t *logcnt);

/* How many slots receive an expert of which their rank has no copy yet, or too few: what must be sent to go from a
 * map to another. Changing places on one rank is no move. Only `from` may have empty slots.
 *   slots_moved   [layers]
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_map_moves(const moep_layout *layout, const int64_t *from, const int64_t *to,
                                    uint64_t *slots_moved);

/* What every rank carries under a map. Every expert has a copy.
 *   rows     of shares: steps, say, or forecasts
 *   shares   [rows][layers][experts], finite and >= 0, brought to sum 1 in each layer; all 0 counts as uniform
 *   loads    [rows][layers][ranks], or NULL: rank loads, each layer's sum to 1
 *   peak     [rows][layers], or NULL: the largest of them x ranks
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_rank_loads(const moep_layout *layout, const int64_t *phy2log, size_t rows,
                                     const double *shares, double *loads, double *peak);

/* A planner keeps how the loads of a run scatter: some of its last steps, and means of blocks. */
typedef struct moep_planner moep_planner;

/* What a planner is made with.
 * - Of every span / scenarios steps, rounded down, it keeps the first. Of these a plan searches on every other one,
 *   and is valued on the rest, which are held out.
 * - A twentieth of span, rounded down, is a block. The planner keeps the means of the last 20 blocks.
 * - risk: RISK, and the start of SCENARIOS, plan for mean + risk x sigma instead of the mean. sigma is an expert's
 *   standard deviation over these block means. 0.674 makes it the upper quartile. */
typedef struct moep_planner_config {
    size_t struct_size; /* sizeof(moep_planner_config) */
    uint32_t span;      /* steps over which loads are kept, >= 20; default 900 */
    uint32_t scenarios; /* steps kept, 2 .. span; default 100. As many as span: the best p99 of a peak */
    double risk;        /* standard deviations, finite and >= 0; default 0.674 */
} moep_planner_config;

/* Fills in the defaults. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_planner_config_init(moep_planner_config *config);

/* Makes a planner for layers x experts series. It takes the handle's memory: 4 bytes per series for each of the
 * scenarios, and 92 more.
 *   layers, experts   >= 1
 *   runtime           NULL: the defaults. Its threads plan layers side by side; progress is ignored
 *   out               becomes the handle, which destroy frees; NULL on an error
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_planner_create(size_t layers, size_t experts, const moep_planner_config *config,
                                         const moep_runtime *runtime, moep_planner **out);

/* Frees a planner. NULL is fine. */
MOEP_API void moep_planner_destroy(moep_planner *planner);

/* Records training steps, as moep_predictor_push and push_at do.
 * Cost: O(layers x experts) per step. No memory, no lock, no system call.
 * Errors: INVALID_ARGUMENT, in words with step, layer and expert. Nothing of the call is then recorded. */
MOEP_API moep_status moep_planner_push(moep_planner *planner, size_t steps, const void *counts, moep_dtype dtype);
MOEP_API moep_status moep_planner_push_at(moep_planner *planner, uint64_t first_step, size_t steps,
                                          const void *counts, moep_dtype dtype);

/* How a plan is made.
 * - MOEP_PLAN_MEAN balances the forecast itself: the fastest.
 * - MOEP_PLAN_RISK balances forecast + risk x sigma: room for experts that fluctuate, as in transient layers.
 * - MOEP_PLAN_SCENARIOS lowers the mean peak of single steps: kept steps, shifted to have the forecast as their mean.
 *   It begins with RISK's plan, and moves one or two copies at a time. */
typedef int32_t moep_plan_method;
enum { MOEP_PLAN_SCENARIOS = 0, MOEP_PLAN_RISK = 1, MOEP_PLAN_MEAN = 2 };

/* What a plan is made for. Costs are in layer-steps of mean rank load (see slot cost). They do not count where there
 * is no current map.
 *
 * A layer's search starts from its current map, and from a new one whose ranks are numbered so that most copies stay.
 * Of all maps on the way it takes the one with the least horizon x go + slot_cost x moved, go being the mean peak on
 * the held-out steps. From the new map, one must be cheaper by horizon / 1000, since smaller differences say nothing.
 * The layer's gain is
 *     horizon x (stay - go) - slot_cost x moved - layer_cost,
 * without the first term where stay is NaN. It moves if that exceeds least_gain. Layers move only if their gains
 * together exceed plan_cost, or one of them must move (see moep_plan). */
typedef struct moep_plan_options {
    size_t struct_size;      /* sizeof(moep_plan_options) */
    uint64_t horizon;        /* steps for which the gain lasts, >= 1: those to the next plan or more; default 1000 */
    double slot_cost;        /* of each slot moved, finite and >= 0; default 0 */
    double layer_cost;       /* of each layer that moves, finite and >= 0; default 0 */
    double plan_cost;        /* of moving at all, finite and >= 0; default 0 */
    double least_gain;       /* below which a layer stays, finite and >= 0; default 0 */
    uint64_t most_slots;     /* moved in a layer at most; 0, the default: any number */
    moep_plan_method method; /* default MOEP_PLAN_SCENARIOS */
    uint32_t effort;         /* steps of search per layer and start, >= 1; default 400 */
    uint32_t scenarios;      /* steps searched on at most, >= 1, of the half that is for searching; default 50 */
    uint32_t reserved;       /* 0 */
    const uint8_t *layers;   /* [layers]: 0 leaves a layer as it is, so current is needed; default NULL: plans all */
} moep_plan_options;

/* Fills in the defaults. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_plan_options_init(moep_plan_options *options);

/* A plan: the caller's arrays, each of which may be NULL. Stay, go and net_gain are expectations. */
typedef struct moep_plan_result {
    size_t struct_size; /* sizeof(moep_plan_result) */
    int64_t *phy2log;   /* [layers][slots]: the map to go to. Copies that stay keep their slots */
    double *stay;       /* [layers]: mean peak under the current map; NaN without one, or if it lacks an expert */
    double *go;         /* [layers]: mean peak under phy2log, equal to stay where the layer stays */
    uint64_t *moved;    /* [layers]: slots that receive another expert; without a current map all */
    uint8_t *advice;    /* [layers]: 1 the layer moves, 0 it stays as it is */
    double net_gain;    /* of all layers that move, in layer-steps, less plan_cost; 0 if none does, or from scratch */
} moep_plan_result;

/* Plans where experts go. No rank gets two copies of one expert, unless a layer stays that has them already.
 *   layout     of as many layers and experts as the planner
 *   forecast   [layers][experts], finite and >= 0, brought to sum 1: the mean load to plan for, from any predictor.
 *              NULL: the planner's own, the mean of the last four blocks of steps
 *   current    [layers][slots], the present map; NULL plans from scratch. It may be result->phy2log. Experts may be
 *              missing and slots empty, as after a change of ranks, and copies of a group on several nodes: such a
 *              layer always moves, and most_slots gives way
 *   options    NULL: the defaults. A layer that is left out has stay and go NaN
 * Before two steps have been kept, plans are valued on the forecast alone.
 * Loads are rounded to 2^-29 of a layer's.
 * Scratch comes from the allocator: 4 bytes per slot of all layers. A thread takes 8 bytes per pair of a rank and an
 * expert, 4 per pair of ranks, and 40 per slot of a layer. By default it takes 1.2 KB per expert and 0.6 KB per rank.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY, TOO_FEW_STEPS (no step yet, and no forecast). */
MOEP_API moep_status moep_plan(const moep_planner *planner, const moep_layout *layout, const double *forecast,
                               const int64_t *current, const moep_plan_options *options, moep_plan_result *result);

/* What every rank will carry in single steps under a map. The kept steps, shifted to have the forecast as their mean,
 * say it. This takes into account which experts are loaded together, which sums of quantiles of experts cannot.
 *   layout, forecast   as of moep_plan
 *   phy2log            [layers][slots]; every expert has a copy
 *   probabilities      n of them, each more than 0 and less than 1, in any order; n may be 0
 *   loads              [layers][ranks], or NULL: mean rank loads
 *   peak               [layers], or NULL: mean peak
 *   peak_quantiles     [n][layers], or NULL: quantiles of the peak. With that of 0.99 as its capacity factor, a layer
 *                      drops tokens in about one step of a hundred
 * A planner expects a little too little of its own maps, since it has searched on half of these steps.
 * Stays on the caller's thread. Scratch: 8 bytes per pair of a rank and an expert, and by default 1 KB per expert and
 * 0.5 KB per rank.
 * Errors: as for moep_plan. */
MOEP_API moep_status moep_planner_predict_ranks(const moep_planner *planner, const moep_layout *layout,
                                                const int64_t *phy2log, const double *forecast, size_t n,
                                                const double *probabilities, double *loads, double *peak,
                                                double *peak_quantiles);

/* The same for each rank by itself.
 *   quantiles   [n][layers][ranks]: with that probability the rank's load in a step is no larger
 * Errors: as for moep_plan. */
MOEP_API moep_status moep_planner_predict_rank_quantiles(const moep_planner *planner, const moep_layout *layout,
                                                         const int64_t *phy2log, const double *forecast, size_t n,
                                                         const double *probabilities, double *quantiles);

/* The configuration that it was made with. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_planner_config_read(const moep_planner *planner, moep_planner_config *config);

/* What the planner is and has seen. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_planner_info(const moep_planner *planner, moep_info *info);

/* ---- evaluation ------------------------------------------------------------------------------------------------ */

/* How far a forecast was off, layer by layer. Allocates nothing.
 *   forecast      [layers][experts], finite
 *   actual        [layers][experts], finite and >= 0
 *   error         [layers] or NULL: MAPE with a floor of a tenth of the mean load. The mean over the experts of
 *                 abs(forecast - actual) / max(actual, 0.1 / experts)
 *   paper_error   [layers] or NULL: the paper's error ratio, plain MAPE. The mean of abs(forecast - actual) / actual
 *                 over the experts with actual > 0; NaN if there is none
 *   left_out      [layers] or NULL: the experts that paper_error leaves out
 * Use paper_error only to compare with the paper: one expert with three tokens can make it 3,000.
 * Errors: INVALID_ARGUMENT. */
MOEP_API moep_status moep_forecast_error(size_t layers, size_t experts, const double *forecast, const double *actual,
                                         double *error, double *paper_error, uint64_t *left_out);

/* Which forecasts a backtest makes: one at each origin first, first + every, ... with origin + horizon <= steps. At
 * an origin the first `origin` steps of the trace have been pushed.
 * - refit_every = 0 fits once, at the first origin where that succeeds, and only what cannot forecast well without:
 *   ARIMA and the joint LSTM. A prototype that brings a fitted model is not fitted. An early ARIMA fit grows old, so
 *   refit it about every 1,000 steps, as a runtime would.
 * - assignments serves floor_of_mean. 0 stands for the layer's totals; floor_of_mean is then NaN where counts need
 *   not be tokens, as for MOEP_DISPERSION. */
typedef struct moep_backtest_config {
    size_t struct_size;   /* sizeof(moep_backtest_config) */
    uint64_t first;       /* the first origin; where no forecast is possible yet, results are NaN */
    uint64_t every;       /* steps between origins, >= 1 */
    uint64_t horizon;     /* steps ahead, >= 1 */
    uint64_t stride;      /* steps averaged into one forecast row, >= 1 */
    uint64_t refit_every; /* origins between fits; 0: one fit where needed, see above */
    double assignments;   /* tokens per layer and step behind the counts, finite and > 0; 0: see above */
} moep_backtest_config;

/* The results of a backtest: the caller's arrays [origins][layers], each of which may be NULL, with origins =
 * moep_backtest_origins(trace->steps, config). A value covers those steps of an origin's horizon in which the layer
 * has a token; NaN (left_out: 0) if there is none.
 *
 * Mind the floors. Counts are samples, so even a forecast that knows the true share has an error: compare with the
 * floor. An error may lie a little below it, because the realised mean does not minimise a mean of ratios. With p the
 * realised mean but at least 0.1 / experts, N the mean tokens per step and H the number of steps,
 *     floor_of_mean = sqrt(2 / pi) x mean over the experts of sqrt((1 - p) / (p N H)). */
typedef struct moep_backtest_result {
    size_t struct_size;      /* sizeof(moep_backtest_result) */
    double *error;           /* moep_forecast_error of each step against the row that covers it, averaged */
    double *error_of_mean;   /* error of the forecast's mean against the realised mean: what placement needs */
    double *paper_error;     /* as error, with the paper's error ratio */
    double *total_variation; /* sum of abs(forecast mean - realised mean) / 2: the share of the load misplaced */
    double *floor;           /* error, had the realised mean been the forecast of each step */
    double *floor_of_mean;   /* what sampling noise alone leaves of error_of_mean */
    uint64_t *left_out;      /* (step, expert) pairs that paper_error left out */
} moep_backtest_result;

/* The number of origins of a backtest over that many steps; 0 if there is none. It is also 0 if config is NULL or
 * invalid, which moep_last_error() then explains. */
MOEP_API size_t moep_backtest_origins(uint64_t steps, const moep_backtest_config *config);

/* Replays a recorded run through a predictor and scores its forecasts: the paper's sliding evaluation, with rolling
 * origins and without a look into the future.
 *   prototype   lends its method, configuration and fitted model to a copy, which starts with an empty history. It
 *               keeps its own history, and does not change
 *   trace       of the prototype's layers and experts
 *   runtime     NULL: the prototype's
 * Errors: INVALID_ARGUMENT (also a bad count anywhere in the trace, found before any work), INCOMPATIBLE, NUMERIC,
 * TOO_FEW_STEPS (the trace has no origin), OUT_OF_MEMORY, CANCELLED. */
MOEP_API moep_status moep_backtest(const moep_predictor *prototype, const moep_trace *trace,
                                   const moep_backtest_config *config, const moep_runtime *runtime,
                                   moep_backtest_result *result);

/* ---- checkpoints ----------------------------------------------------------------------------------------------- */

/* Copies a handle: history, model, what was learned from pushes, counters. The two are then independent.
 *   runtime   NULL: the original's
 *   out       becomes the copy; NULL on an error
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_predictor_clone(const moep_predictor *predictor, const moep_runtime *runtime,
                                          moep_predictor **out);
MOEP_API moep_status moep_detector_clone(const moep_detector *detector, const moep_runtime *runtime,
                                         moep_detector **out);
MOEP_API moep_status moep_planner_clone(const moep_planner *planner, const moep_runtime *runtime, moep_planner **out);

/* Writes the whole state of a handle, for the host's own training checkpoint. A handle loaded from it continues as if
 * it had never been interrupted, to the byte. Equal states give equal bytes, on any machine. Takes no memory.
 *   buffer   the caller's, of capacity bytes; NULL: only reports the size
 *   size     becomes the bytes needed: of a predictor or planner about what create takes, of a detector almost two
 *            fifths. It stays the same for the whole life of a handle
 * Errors: INVALID_ARGUMENT (also a capacity that is too small, which leaves buffer and size alone). */
MOEP_API moep_status moep_predictor_save(const moep_predictor *predictor, void *buffer, size_t capacity,
                                         size_t *size);
MOEP_API moep_status moep_detector_save(const moep_detector *detector, void *buffer, size_t capacity, size_t *size);
MOEP_API moep_status moep_planner_save(const moep_planner *planner, void *buffer, size_t capacity, size_t *size);

/* Makes a handle from what save has written.
 *   buffer, size   any bytes: load does not trust them, and takes no more memory than a few times their size. It
 *                  ignores bytes after the end of the state
 *   runtime        NULL: the defaults
 *   out            becomes the handle, which destroy frees; NULL on an error
 * A library reads what every earlier release of its major version has written. It reads what a later one has, unless
 * that holds something which it must not ignore.
 * Errors: INVALID_ARGUMENT, CORRUPT (damaged, truncated, or no checkpoint), INCOMPATIBLE (a newer library's, or
 * another kind of handle's), OUT_OF_MEMORY. */
MOEP_API moep_status moep_predictor_load(const void *buffer, size_t size, const moep_runtime *runtime,
                                         moep_predictor **out);
MOEP_API moep_status moep_detector_load(const void *buffer, size_t size, const moep_runtime *runtime,
                                        moep_detector **out);
MOEP_API moep_status moep_planner_load(const void *buffer, size_t size, const moep_runtime *runtime,
                                       moep_planner **out);

#ifdef __cplusplus
}
#endif

#endif
