/* SPDX-License-Identifier: BSD-3-Clause */
/* libmoepredict: how loaded each expert of a mixture-of-experts training run will be.
 *
 * Push the token counts of every training step in, pull the predicted load of every expert over the next
 * thousand steps out. The whole interface is this file; it reads top to bottom in the order you call it:
 *
 *     moep_predictor_config config = { .struct_size = sizeof config };
 *     moep_predictor_config_init(&config, MOEP_SW_AVG);
 *     moep_predictor *predictor = NULL;
 *     moep_predictor_create(layers, experts, &config, NULL, &predictor);
 *     for (each training step) {
 *         moep_predictor_push(predictor, 1, counts, MOEP_INT64);
 *         if (time to place experts)
 *             moep_predictor_predict(predictor, 1000, 1000, shares, layers * experts);
 *     }
 *     moep_predictor_destroy(predictor);
 *
 * Words. A step is one training iteration. Counts are how many tokens each expert of each MoE layer was asked to
 * take in one step, summed over all ranks: demand, before tokens are dropped, without padding. A share is the load
 * proportion, counts / the layer's total: the shares of a layer sum to 1. A series is the past shares of one expert
 * of one layer. The horizon is the number of steps ahead that a forecast covers.
 *
 * Source. P. Cong et al., "Prediction Is All MoE Needs: Expert Load Distribution Goes from Fluctuating to
 * Stabilizing", arXiv 2404.16914: "the paper" below.
 *
 * Errors. A call that can fail returns a moep_status. It either does all of its work or changes nothing: neither the
 * handle nor the caller's memory. moep_last_error() says in words what was wrong. The library never aborts, prints,
 * raises a signal, starts a thread that outlives a call, or takes a lock.
 *
 * Threads. Calls on const handles may overlap each other; a call that changes a handle must overlap no other call on
 * it. Different handles are independent. There is no global state but the thread-local text of moep_last_error().
 *
 * Forks. A child has a copy of every handle and may use and destroy it; parent and child do not see each other's
 * pushes. But a handle that another thread was changing while the process forked is half changed in the child: leave it
 * alone there, and do not destroy it. OpenBLAS, where the library is built with it, is not entered in a child; results
 * may then differ in their last bits.
 *
 * Ranks. The same calls give the same bytes on every rank, if all run the same build of the library, and of the C
 * library, on the same type of processor. Where they do not, the last bits may differ, and with them a choice made by a
 * forecast: let one rank forecast and broadcast what it got.
 *
 * Stack. A call works within 64 KiB of the calling thread's stack (and whatever a callback takes). The threads that a
 * call starts have 512 KiB each, or the process's default where that is refused.
 *
 * Floating-point environment. A call computes in the default one: to nearest, no exception trapped, no denormal
 * flushed. The callbacks of moep_runtime are called in it, and leave it so. When the call returns, the environment is
 * again the caller's, exception flags included: none is raised, none is lowered.
 *
 * Memory. Arrays are the caller's, in C order, aligned as their type asks, and not kept after the call. All memory of
 * the library comes from the allocator in moep_runtime.
 *
 * Growth. Public structs begin with struct_size = sizeof the struct, set by the caller before every call; fields are
 * only ever appended. A smaller struct than this library's (an older caller's: any whole number of words of size_t, two
 * or more) is served with the fields that it has, the others having their defaults; a larger one is
 * MOEP_ERROR_INCOMPATIBLE. */
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

/* ---- version, errors, names ------------------------------------------------------------------------------------ */

/* The version of this header. */
#define MOEP_VERSION_MAJOR 0
#define MOEP_VERSION_MINOR 1
#define MOEP_VERSION_PATCH 0

/* The version of the library that runs: major << 16 | minor << 8 | patch, and as text, "0.1.0". */
MOEP_API uint32_t moep_version_number(void);
MOEP_API const char *moep_version(void);

/* What a call returns: MOEP_OK or one of the negative codes. A number never changes its meaning; later versions may
 * add some, so treat every negative value as a failure. */
typedef int32_t moep_status;
enum {
    MOEP_OK = 0,
    MOEP_ERROR_INVALID_ARGUMENT = -1, /* an argument is outside its documented range */
    MOEP_ERROR_OUT_OF_MEMORY = -2,    /* the allocator refused, or the size does not fit an address space */
    MOEP_ERROR_INCOMPATIBLE = -3,     /* a struct or a checkpoint is of a newer library, or another kind of handle's */
    MOEP_ERROR_CORRUPT = -4,          /* bytes handed in are damaged */
    MOEP_ERROR_TOO_FEW_STEPS = -5,    /* not enough history yet: moep_info.min_steps says how many steps it takes; or a
                                         trace too short for any origin */
    MOEP_ERROR_NOT_FITTED = -6,       /* the method has to be fitted first */
    MOEP_ERROR_NUMERIC = -7,          /* an estimate was not a finite number */
    MOEP_ERROR_CANCELLED = -8,        /* the progress callback asked to stop */
    MOEP_ERROR_UNSUPPORTED = -9       /* the method cannot do this */
};

/* The name of a status, "invalid argument". Never NULL: an unknown number is "unknown status". Static text. */
MOEP_API const char *moep_status_string(moep_status status);

/* This thread's last failed call in words: "step 0, layer 3, expert 7: count is negative". Empty before the first
 * failure; a call that succeeds leaves it alone. Valid until this thread's next failed call. */
MOEP_API const char *moep_last_error(void);

/* The element type of counts. Integers may be of any size: a layer's total is summed exactly, a share is kept as a
 * float. Of the floating-point types any finite value >= 0 is a count, fractions too. */
typedef int32_t moep_dtype;
enum { MOEP_INT32 = 0, MOEP_INT64 = 1, MOEP_UINT32 = 2, MOEP_UINT64 = 3, MOEP_FLOAT32 = 4, MOEP_FLOAT64 = 5 };

/* The bytes of one count; 0 for an unknown dtype. */
MOEP_API size_t moep_dtype_size(moep_dtype dtype);

/* The forecasting methods.
 *
 * MOEP_SW_AVG, the sliding-window average (the paper's SW_Avg): the mean of the last w shares of a series is the
 *     forecast of its next step; it is appended to the series, the window slides on, and so forth to the horizon.
 *     Every forecast is therefore a fixed weighted sum of the last w shares. At the first step all weigh 1/w; as the
 *     horizon grows they tend to the triangular 2i / (w (w + 1)), i = 1 the oldest to w the newest. With fewer than w
 *     steps pushed, w is what there is. w = 1 is "the last value stays".
 *
 * MOEP_ARIMA, ARIMA(p, d, q) for every series by itself (the paper's second method): the d-th difference of the series
 *     is a linear function of its own last p values and of the last q forecast errors, plus noise. The coefficients are
 *     those of the largest exact Gaussian likelihood (Box, Jenkins, Reinsel and Ljung, "Time Series Analysis", chapters
 *     5 and 7; Ljung and Box, Biometrika 66, 1979), sought from several starts for many series at once. fit estimates
 *     them; until then the forecast is the mean of the history. Orders may be given or selected: d by the tests of KPSS
 *     (1992) and of Dickey and Fuller (1979) together, p and q by the corrected criterion of Akaike over a stepwise
 *     search (Hyndman and Khandakar, 2008). Forecasts of the experts are made each by itself and brought to sum to 1
 *     step by step. No layer ever fails: a series that is too short gets a smaller order, a constant one its mean.
 *
 * MOEP_LSTM, a network that has learned from whole runs how loads go on (the paper's third method). Two forms:
 *     MOEP_LSTM_SHARED (the default) is one small network for every series of any run. It sees the logarithms of the
 *     means of the last 20, 100, 500 and 2,000 steps relative to each other, the load itself, the age of the run (by
 *     its own step number, see push_at, even if it is joined late) and, with lstm_layers >= 1, what recurrent layers
 *     (Hochreiter and Schmidhuber, 1997) make of the last 100 means of 10 steps. For each of the next 40 blocks of 50
 *     steps it says how much to trust which of the four means, and a factor of 1/e to e; later steps are forecast as
 *     the last block. It forecasts from step 100 on, without any training: the library ships weights that were trained
 *     on two recorded runs. On runs unlike those it may be worse than SW_Avg, by far where the data keep changing:
 *     backtest it on a run of yours. Untrained it is the plain average of the four means. Where the load of a layer
 *     has jumped, what was before the jump does not count, and the forecast is half the network's, half that average.
 *     The scale of the counts has no part in it, and experts that change places change the places of their forecasts.
 *     MOEP_LSTM_JOINT is the paper's form: the loads of all experts of all layers in, all their next loads out.
 *     Experts mean something else in every run, so it is of use only in the run that it was trained on. NOT_FITTED
 *     until then. */
typedef int32_t moep_method;
enum { MOEP_SW_AVG = 0, MOEP_ARIMA = 1, MOEP_LSTM = 2 };

/* The name of a method, "sw_avg"; NULL past the last: loop over the names rather than repeat the list. Static text. */
MOEP_API const char *moep_method_name(moep_method method);

/* ---- what a handle runs with ----------------------------------------------------------------------------------- */

/* Where a handle takes memory from and whom it tells of progress: never part of a model. NULL where one is asked for
 * means the defaults. The struct itself is copied, and may go when the call that it is handed to returns. The functions
 * and what the two user pointers point to must stay as long as any handle that was made with it, or cloned with NULL
 * from one that was: destroy still calls release. */
typedef struct moep_runtime {
    size_t struct_size; /* sizeof(moep_runtime) */
    uint32_t threads;   /* threads that a call may work with, the caller's among them; 0 and 1: the caller's alone. They
                           end before the call does, and the results are the same bytes for any number. SW_Avg stays on
                           the caller's thread: reading memory is all it does. Default 0 */
    uint32_t reserved;  /* 0 */
    /* Both or neither; NULL: malloc and free. Called from any thread that calls the library. allocate returns memory
     * aligned to 16 bytes, or NULL, which the call answers with OUT_OF_MEMORY. release gets the size that was asked
     * for. */
    void *(*allocate)(void *user, size_t size);
    void (*release)(void *user, void *pointer, size_t size);
    void *allocator_user; /* handed to both */
    /* Called on the calling thread, now and then during calls that take long (fit, backtest), with the fraction done,
     * 0 .. 1. Non-zero cancels the call: CANCELLED, nothing changed. It must not use the handle that is at work; other
     * handles it may. NULL: not called. */
    int32_t (*progress)(void *user, double fraction);
    void *progress_user; /* handed to progress */
} moep_runtime;

/* ---- predictor ------------------------------------------------------------------------------------------------- */

/* One predictor per training run and expert count. A model whose layers differ in their number of experts uses one
 * predictor per number, never zero-padding: it would change the mean load. */
typedef struct moep_predictor moep_predictor;

/* What a predictor is made with. Flat; fields that belong to one method carry its name and are ignored by others. */
typedef struct moep_predictor_config {
    size_t struct_size;     /* sizeof(moep_predictor_config) */
    moep_method method;     /* default: the one that config_init was asked for */
    uint32_t sw_avg_window; /* w, in steps, >= 1; default 200. Short windows follow a fluctuating load, long ones
                               average more sampling noise away */
    uint64_t history;       /* steps kept, at 4 bytes per series. 0, the default: as many as the method needs
                               (SW_Avg: w; ARIMA: 1000, or 200 x arima_bucket if that is more; LSTM: 2048). Fewer than
                               it can work with (SW_Avg: w; ARIMA: 8 x arima_bucket; LSTM: 2000) is INVALID_ARGUMENT */
    double fit_budget;      /* what a call of fit may spend, in 10^6 floating-point operations, counted by formula: the
                               same for any machine and number of threads; >= 0, default 0: no end. A call that runs out
                               returns MOEP_OK, and the next goes on with what is left, on the history that is then
                               held. ARIMA spends it in portions of whole series (of whole layers, where orders are
                               selected), of which the last may overrun it; calibrating the intervals is not counted.
                               The LSTM spends it in updates of its weights, and keeps what is left over for the next
                               call: about 70 for an update by 96 series of the default network, and 15 times as much
                               for the judgement after every hundredth */
    int32_t arima_p;        /* the order: p and q 0 .. 8, d 0 .. 2, or MOEP_SELECT, each by itself. Selected p and q
                               are 0 .. 5, a selected d is 0 or 1: with d = 2 forecasts run away. The paper's is
                               (5, 1, 5); default 2 */
    int32_t arima_d;        /* default 1 */
    int32_t arima_q;        /* default 2 */
    uint32_t arima_order_scope; /* where orders are selected: MOEP_ARIMA_PER_LAYER (default 0), those that most of a
                                   layer's experts would have that are not constant; MOEP_ARIMA_PER_SERIES */
    uint32_t arima_bucket;      /* steps averaged into one observation, 1 .. 10000; default 5. 1 is the paper's; more
                                   average the noise of single steps away, and fit sooner */
    uint32_t arima_starts;      /* points from which the likelihood's maximum is sought, 1 .. 1000; default 5. It has
                                   several where p and q are large */
    uint32_t arima_scale;       /* MOEP_ARIMA_SHARES (default 0), or MOEP_ARIMA_LOG_RATIOS: the logarithm of a share
                                   over the mean load, not below a hundredth of that */
    uint32_t arima_mean;        /* 1: a model with d = 0 has a mean, 0: its mean is zero; default 1 */
    double arima_root_limit;    /* more than 0, at most 1; default 0.995. In forecasts and intervals the inverse roots
                                   of the polynomials are drawn in to this modulus: pairs that nearly cancel on the unit
                                   circle fit well, and make the future look more certain than it is. The reported
                                   estimate is left alone; 1: so is the forecast */
    uint64_t seed;              /* of all random numbers: first weights, order of training; default 0 */
    uint32_t lstm_scope;        /* MOEP_LSTM_SHARED (default 0), MOEP_LSTM_JOINT */
    uint32_t lstm_layers; /* recurrent layers, 0 .. 4 (joint form: 1 .. 4); default 1. The weights that the library
                             ships are those of the default network; any other starts untrained */
    uint32_t lstm_hidden; /* units of each, 1 .. 512; default 16 */
    uint32_t reserved;    /* 0 */
} moep_predictor_config;
enum { MOEP_SELECT = -1 };                                    /* arima_p, arima_d, arima_q */
enum { MOEP_ARIMA_PER_LAYER = 0, MOEP_ARIMA_PER_SERIES = 1 }; /* arima_order_scope */
enum { MOEP_ARIMA_SHARES = 0, MOEP_ARIMA_LOG_RATIOS = 1 };    /* arima_scale */
enum { MOEP_LSTM_SHARED = 0, MOEP_LSTM_JOINT = 1 };           /* lstm_scope */

/* Fills in the defaults for a method. config->struct_size must be set.
 * Errors: INVALID_ARGUMENT (NULL, unknown method, struct_size not set), INCOMPATIBLE. */
MOEP_API moep_status moep_predictor_config_init(moep_predictor_config *config, moep_method method);

/* Makes a predictor for layers x experts series. *out becomes the handle, or NULL on an error.
 * This is where the memory of the handle is taken: about layers * experts * history * 4 bytes.
 *   layers, experts   >= 1; their only bound is memory (tested to 1,024 x 4,096 and 1 x 2^20)
 *   runtime           NULL: the defaults
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_predictor_create(size_t layers, size_t experts, const moep_predictor_config *config,
                                           const moep_runtime *runtime, moep_predictor **out);

/* Frees a predictor. NULL is fine. */
MOEP_API void moep_predictor_destroy(moep_predictor *predictor);

/* Records training steps.
 *   counts       [steps][layers][experts], tokens asked of each expert, each finite and >= 0
 *   first_step   push_at: the run's own number of the first step. Below moep_info.next_step it is INVALID_ARGUMENT: a
 *                repeated iteration is never counted twice. Above it there is a gap: the numbers skipped are counted in
 *                moep_info.gaps and no step is invented. The first step of all may have any number: the run is joined
 *                there, and nothing is skipped. push numbers on from next_step.
 * A layer with no tokens at all in a step repeats its last shares (uniform ones before any) and is counted in
 * moep_info.empty_layers. Zero steps are checked and do nothing; counts may then be NULL.
 * Cost: O(layers x experts) per step, whatever the method, window or history. Takes no memory, no lock, and makes no
 * system call.
 * Errors: INVALID_ARGUMENT, in words with step, layer and expert; nothing of the call is then recorded. */
MOEP_API moep_status moep_predictor_push(moep_predictor *predictor, size_t steps, const void *counts, moep_dtype dtype);
MOEP_API moep_status moep_predictor_push_at(moep_predictor *predictor, uint64_t first_step, size_t steps,
                                            const void *counts, moep_dtype dtype);

/* Forgets the history and keeps what fit has learned: steps, next_step, empty_layers and gaps of moep_info become 0.
 * Errors: INVALID_ARGUMENT (NULL). */
MOEP_API moep_status moep_predictor_reset(moep_predictor *predictor);

/* Estimates the method's model on the history held.
 *   SW_Avg   has nothing to estimate: MOEP_OK, without effect
 *   ARIMA    estimates all series, on `threads` threads: the first time from arima_starts points, after that from two,
 *            of which one is the last estimate. The budget may cut it short; predict then uses the last estimate that a
 *            series has, the mean of its history where it has none. fitted_step of moep_info moves on with every call
 *   LSTM     trains on what is held of the run, from the present weights on, in rounds of 400 updates (Adam: Kingma and
 *            Ba, 2015); without a budget one round. The last quarter of the history is held out: new weights take the
 *            place of the old ones only where they forecast that better, by 3 %. On runs like those that the weights
 *            come from it gains nothing. Fewer than 600 steps held: MOEP_OK, and nothing changes. The joint form has to
 *            be fitted before it forecasts, and learns most from a long history; it is NOT_FITTED still where no fit
 *            was better than uniform loads
 * Scratch comes from the allocator. An error leaves the model as it was.
 * Errors: INVALID_ARGUMENT (NULL), TOO_FEW_STEPS (ARIMA: fewer than 8 x arima_bucket), NUMERIC (LSTM: training has run
 * away), OUT_OF_MEMORY, CANCELLED. */
MOEP_API moep_status moep_predictor_fit(moep_predictor *predictor);

/* A recorded training run. */
typedef struct moep_trace {
    size_t struct_size; /* sizeof(moep_trace) */
    const void *counts; /* [steps][layers][experts], aligned as its type */
    moep_dtype dtype;
    uint32_t reserved; /* 0 */
    uint64_t steps, layers, experts;
} moep_trace;

/* Learns from other runs, from the beginning: nothing of what the predictor had learned is left, the weights that the
 * library ships included; its history stays.
 *   traces   n of them, 1 or more, of 600 steps or more each; shapes may differ (joint form: all like the predictor).
 *            The struct_size of all is the first one's
 * The LSTM makes 4,000 updates on windows of all traces. Half of them are cut, as if the run had begun later or its
 * load had jumped; one in sixteen is spliced from two places: what a shift of the data looks like. Every third layer is
 * held out (of a run of one or two layers, and in the joint form, its last quarter): every 250 updates the weights take
 * the place of the best so far if they forecast that better. If they never do, the predictor is left untrained, and
 * moep_lstm_training says so.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE (struct_size; joint form: another shape), TOO_FEW_STEPS, NUMERIC,
 * OUT_OF_MEMORY, CANCELLED; UNSUPPORTED (SW_Avg, ARIMA: other runs have nothing to say of this one). */
MOEP_API moep_status moep_predictor_fit_traces(moep_predictor *predictor, const moep_trace *traces, size_t n);

/* Takes over what another predictor's fit has learned, and keeps the own history and step number: so a fit may run in
 * another thread, on a clone, while this predictor goes on to be pushed to and to predict.
 *   fitted   of the same shape and configuration, usually a clone that was fitted; not changed, not kept
 * A predictor that was cloned at step s and adopts at step t what a fit of the clone has learned is, to the byte, one
 * that was fitted at s and pushed to until t. Takes no memory: no pause in a training step.
 * Errors: INVALID_ARGUMENT (NULL), INCOMPATIBLE (another shape or configuration). */
MOEP_API moep_status moep_predictor_adopt(moep_predictor *predictor, const moep_predictor *fitted);

/* The number of rows of a forecast: ceil(horizon / stride), 0 if either is 0. */
MOEP_API size_t moep_forecast_rows(size_t horizon, size_t stride);

/* Forecasts the next horizon steps, from the one after the last that was pushed.
 *   horizon    steps ahead, >= 1
 *   stride     steps averaged into one row, >= 1. stride = horizon: one row, the mean load over the horizon, which is
 *              what placement needs. stride = 1: every step by itself, what the paper scores. The last row covers what
 *              is left. A forecast that starts later (moving experts takes time) is the rows after the first few.
 *   shares     [rows][layers][experts], rows = moep_forecast_rows(horizon, stride); finite, >= 0, each layer of each
 *              row sums to 1 within 1e-12 (beyond 10,000 experts a plain sum adds as much rounding of its own)
 *   capacity   how many doubles shares has room for, >= rows * layers * experts
 * Scratch comes from the allocator: SW_Avg a double per step of the horizon, and two per step of the window; ARIMA on
 * every thread some doubles per observation of one layer.
 * Errors: INVALID_ARGUMENT (ARIMA: also a horizon of more than 10^7 x arima_bucket), TOO_FEW_STEPS (before the first
 * step; ARIMA: before arima_bucket of them; LSTM: before 100), NOT_FITTED (joint form), OUT_OF_MEMORY. */
MOEP_API moep_status moep_predictor_predict(const moep_predictor *predictor, size_t horizon, size_t stride,
                                            double *shares, size_t capacity);

/* How much or how little load the next steps may bring: quantiles of what will be observed.
 *   probabilities   n of them, each more than 0 and less than 1, in any order
 *   shares          [n][rows][layers][experts]: the mean load of the row's steps will be no larger than this in so many
 *                   cases of all. stride 1 is what a single step may bring, sampling noise and all: what
 *                   to keep room for. Each within 0 and 1; they need not sum to 1; more probable ones are never smaller
 * SW_Avg: UNSUPPORTED.
 * ARIMA, once a fit has come to all series (NOT_FITTED before) and 8 x arima_bucket steps are held (TOO_FEW_STEPS
 * before): quantiles about the forecast. The variance is the model's (Box and Jenkins), times a factor for each horizon
 * that the errors of past forecasts ask for: of forecasts from up to 25 points in the latter half of the history that
 * was fitted, by the series of the layer that are differenced equally often and walk alike, or are noise alike. One
 * observation ahead the factor is at least 1. Tails are normal there, and Student's t far ahead. A history of fewer
 * than 32 x arima_bucket steps has no factors, and normal tails.
 * LSTM: quantiles about the forecast; none below 0.5 exceeds it, none above 0.5 is less. They are as wide as the last
 * 2,000 steps of the run ask for, whatever runs the weights come from: by how much the mean of 100 steps missed the
 * next ones, by how far the forecast is from the mean of 500, and by how the layer's load has moved.
 * By default, in stable layers of seven bundled runs without a known shift, four of which the constants were found on,
 * ARIMA's intervals of 80 and 95 % cover the next step and the mean of the next 20 within 3 points; of the mean of the
 * next 1,000 both methods' cover 76 to 92 % and 90 to 99 %. A shift that is yet to come is in no past. The rest as for
 * predict. */
MOEP_API moep_status moep_predictor_predict_quantiles(const moep_predictor *predictor, size_t horizon, size_t stride,
                                                      const double *probabilities, size_t n, double *shares,
                                                      size_t capacity);

/* What ARIMA has estimated for one series: w(t) = mean + phi[0] (w(t-1) - mean) + ... + e(t) + theta[0] e(t-1) + ..., w
 * the d-th difference of the observations, e of variance sigma2: the signs of Box and Jenkins for phi, and of R for
 * theta. */
typedef struct moep_arima_model {
    size_t struct_size; /* sizeof(moep_arima_model) */
    uint32_t p, d, q;   /* the order that was estimated */
    uint32_t period;    /* of a season that order selection found, in observations of arima_bucket steps: told, not
                           modelled; 0: none */
    uint32_t fallback;  /* 0: as asked. 1: the history is too short for the order asked for, a smaller one is estimated.
                           2: the series is constant, and so is its forecast */
    uint32_t reserved;  /* 0 */
    double phi[8], theta[8];             /* the first p and q */
    double phi_error[8], theta_error[8]; /* their standard errors */
    double mean;                         /* of w; 0 for d > 0 */
    double sigma2;                       /* by maximum likelihood */
    double loglik, aicc;                 /* exact Gaussian, of w in shares (in log-ratios, if these are modelled);
                                            infinite where sigma2 is 0 */
} moep_arima_model;

/* Reads it. model->struct_size must be set.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, UNSUPPORTED (another method), NOT_FITTED (no fit has come to this series
 * yet). */
MOEP_API moep_status moep_predictor_arima_model(const moep_predictor *predictor, size_t layer, size_t expert,
                                                moep_arima_model *model);

/* What has become of an LSTM's training. */
typedef struct moep_lstm_training {
    size_t struct_size; /* sizeof(moep_lstm_training) */
    uint32_t weights;   /* that forecasts are made with: MOEP_LSTM_UNTRAINED, _PRETRAINED (the library's), _TRAINED */
    uint32_t reserved;  /* 0 */
    uint64_t rounds;    /* of training that have begun since the predictor was made or last learned from traces */
    uint64_t updates;   /* made in the present one */
    uint64_t length;    /* updates that it has in all; 0 before the first */
    double loss;        /* of these weights on what was held out, when they were last judged: the error of the mean load
                              of the next 50, 100, ... 2,000 steps, averaged. NaN: not judged yet */
    double untrained_loss; /* of an untrained network on the same */
} moep_lstm_training;
enum { MOEP_LSTM_UNTRAINED = 0, MOEP_LSTM_PRETRAINED = 1, MOEP_LSTM_TRAINED = 2 };

/* Reads it. training->struct_size must be set. Errors: INVALID_ARGUMENT, INCOMPATIBLE, UNSUPPORTED (another method). */
MOEP_API moep_status moep_predictor_lstm_training(const moep_predictor *predictor, moep_lstm_training *training);

/* One recurrent layer's weights in PyTorch's layout (torch.nn.LSTM), rows of gates i, f, g, o. */
typedef struct moep_lstm_weights {
    size_t struct_size; /* sizeof(moep_lstm_weights) */
    uint32_t inputs;    /* numbers that the layer gets at a time */
    uint32_t hidden;
    float *weight_ih; /* [4 hidden][inputs] */
    float *weight_hh; /* [4 hidden][hidden] */
    float *bias_ih;   /* [4 hidden] */
    float *bias_hh;   /* [4 hidden]; the two are only ever added */
} moep_lstm_weights;

/* Reads the weights of recurrent layer 0 .. lstm_layers - 1 into the caller's arrays, or replaces them by these; a
 * round of training that was under way is given up. With all four arrays NULL, reading fills inputs and hidden;
 * otherwise those two must be as it says. What is set must be within -10^6 .. 10^6.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE (inputs, hidden), UNSUPPORTED (another method). */
MOEP_API moep_status moep_predictor_lstm_weights(const moep_predictor *predictor, size_t lstm_layer,
                                                 moep_lstm_weights *weights);
MOEP_API moep_status moep_predictor_set_lstm_weights(moep_predictor *predictor, size_t lstm_layer,
                                                     const moep_lstm_weights *weights);

/* What a handle is and has seen. */
typedef struct moep_info {
    size_t struct_size;    /* sizeof(moep_info) */
    moep_method method;    /* its method; -1: a detector */
    uint32_t reserved;     /* 0 */
    uint64_t layers;       /* as created */
    uint64_t experts;      /* as created */
    uint64_t history;      /* steps kept at most */
    uint64_t steps;        /* steps pushed */
    uint64_t next_step;    /* the number that push gives to the next step */
    uint64_t min_steps;    /* steps it takes before predict answers */
    uint64_t fitted_step;  /* next_step at the last fit that changed the model; UINT64_MAX: none did */
    uint64_t empty_layers; /* (step, layer) pairs that held no token */
    uint64_t gaps;         /* step numbers skipped between the first step pushed and the last */
} moep_info;

/* Reads it. info->struct_size must be set. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_predictor_info(const moep_predictor *predictor, moep_info *info);

/* The configuration that a handle was made with, all defaults resolved. config->struct_size must be set.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_predictor_config_read(const moep_predictor *predictor, moep_predictor_config *config);

/* ---- copies and checkpoints -------------------------------------------------------------------------------------- */

/* Copies a handle: history, model and counters. *out becomes the copy, or NULL on an error. The two are independent.
 *   runtime   NULL: the original's
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_predictor_clone(const moep_predictor *predictor, const moep_runtime *runtime,
                                          moep_predictor **out);

/* Writes the whole state, for the host's own training checkpoint: a predictor that is loaded from it goes on as if it
 * had never been interrupted, to the byte.
 *   buffer   the caller's, of capacity bytes; NULL: only tells the size
 *   size     becomes the number of bytes; it stays the same all through the life of a handle: about 4 per series and
 *            step of the history
 * Equal states give equal bytes, on any machine. Takes no memory.
 * Errors: INVALID_ARGUMENT (also a capacity that is too small: buffer and size are then left alone). */
MOEP_API moep_status moep_predictor_save(const moep_predictor *predictor, void *buffer, size_t capacity, size_t *size);

/* Makes a predictor from what save has written. *out becomes the handle, or NULL on an error.
 *   buffer, size   any bytes: they are not trusted. No more memory is taken than a few times their size. Bytes after
 *                  the end of the state are ignored
 *   runtime        NULL: the defaults
 * A library reads what every earlier release of its major version has written, and what a later one has, unless that
 * holds something the library must not ignore.
 * Errors: INVALID_ARGUMENT; CORRUPT (damaged, truncated, or not a checkpoint); INCOMPATIBLE (a newer library's, or
 * another kind of handle's); OUT_OF_MEMORY. */
MOEP_API moep_status moep_predictor_load(const void *buffer, size_t size, const moep_runtime *runtime,
                                         moep_predictor **out);

/* ---- state detector ---------------------------------------------------------------------------------------------- */

/* The paper found that the load of an MoE layer is transient at first, when it changes irregularly, and settles into a
 * stable state, when the near past tells the future (its section on load distributions; read off plots there). A
 * detector tells the two apart while the run goes on, for each layer and each expert, at any batch size.
 *
 * What STABLE promises: when the state begins, the mean load of the last drift_window steps, taken as the forecast of
 * the mean load of the next horizon steps, is expected to be off by no more than the tolerance, if the load goes on
 * moving as it has lately. "Off" is the root of the mean square over the layer's experts, in units of the mean load
 * 1 / experts, and without what sampling noise adds to it. The state is left when the load is certain to move more than
 * 1.3 times the tolerance: what is about the tolerance may go on for a while. It is a forecast, not a guarantee: a
 * change of the data tomorrow is not in the past. On recorded runs one to three in a hundred stable forecasts were off
 * by more than the tolerance. What to do with it: place experts by the forecast where a layer is STABLE; keep room for
 * every expert where it is TRANSIENT or still in WARMUP.
 *
 * Batches of any size are told alike: a detector takes neither a small one for a transient load, nor a large one for a
 * stable load. But where an expert gets only a handful of tokens a step, noise may hide what is tolerated, and the
 * state stays TRANSIENT.
 *
 * MOEP_WARMUP      fewer than 2 drift_window steps have been pushed since the start, or since a gap in the step numbers
 *                  of more than drift_window: nothing is known yet, treat it as transient
 * MOEP_TRANSIENT   the load moves by more than is tolerated, or has not been seen to be quiet for long enough
 * MOEP_STABLE      as promised above. It is left again when the load moves: the data mix changes, the learning rate
 *                  steps, experts trade their tokens */
typedef int32_t moep_state;
enum { MOEP_WARMUP = 0, MOEP_TRANSIENT = 1, MOEP_STABLE = 2 };

typedef struct moep_detector moep_detector;

/* What a detector is made with. */
typedef struct moep_detector_config {
    size_t struct_size;      /* sizeof(moep_detector_config) */
    uint64_t horizon;        /* steps ahead that STABLE is about, >= 1; default 1000. As many as pass between two
                                placements of experts */
    double tolerance;        /* of a layer, in units of the mean load, finite and > 0; default 0.10: the loads may be
                                forecast 10 % of the mean load too high or too low, and the layer become STABLE. As much
                                as a placement can bear */
    double expert_tolerance; /* the same for a single expert, finite and > 0; default 0.20: one expert of many may move
                                more than all of them together */
    double growth;           /* how the drift of the load grows with the time ahead: as its power `growth`, 0 .. 1;
                                default 0.3. 0.5 is a random walk, which real loads are at first and which makes the
                                detector wary; 0 is a load that moves but comes back. Where the drift has one direction,
                                it is also asked, before STABLE is entered and to leave it, what would come of it if it
                                went on so: as the power 2 growth, at most 1 */
    uint32_t drift_window;   /* W, in steps: the drift is measured between the last W steps and the W before; a multiple
                                of block, of 2 to 512 blocks; default 100. Longer windows see slower drifts under more
                                noise, and take longer to tell: a change is seen after about W / 2 steps */
    uint32_t block;          /* steps averaged into one observation of the load, >= 1; default 20. Longer than the few
                                steps for which the noise of a router remembers itself */
    uint32_t dwell;          /* steps for which a layer or expert must be quiet before it is called STABLE, >= 1,
                                rounded up to whole blocks; default 100 */
    uint32_t reserved;       /* 0 */
    uint32_t windows[4];     /* steps of the sliding windows that MEAN, VARIANCE and RANGE are about, each 0 (none)
                                .. 1024; default 10, 100, 0, 0 */
} moep_detector_config;

/* Fills in the defaults. config->struct_size must be set. Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_detector_config_init(moep_detector_config *config);

/* Makes a detector for layers x experts series. *out becomes the handle, or NULL on an error. This is where its memory
 * is taken: per series about 4 bytes for each step of the longest window, 8 for each step of every window, 12 for each
 * block of drift_window, and 130.
 *   layers, experts   >= 1
 *   runtime           NULL: the defaults; threads and progress have no use here
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE, OUT_OF_MEMORY. */
MOEP_API moep_status moep_detector_create(size_t layers, size_t experts, const moep_detector_config *config,
                                          const moep_runtime *runtime, moep_detector **out);

/* Frees a detector. NULL is fine. */
MOEP_API void moep_detector_destroy(moep_detector *detector);

/* Records training steps: what moep_predictor_push and push_at say holds here too. States change with the last step of
 * a block of pushed steps; step numbers that are skipped do not count, but a gap of more than drift_window of them
 * starts every layer's and expert's WARMUP again. (The sliding windows hold the last steps all the same.)
 * A layer without tokens repeats its last shares, and so becomes STABLE; an expert that gets no tokens is STABLE too.
 * Cost: O(layers x experts) per step, whatever the windows. Takes no memory, no lock, and makes no system call.
 * Errors: INVALID_ARGUMENT, in words with step, layer and expert; nothing of the call is then recorded. */
MOEP_API moep_status moep_detector_push(moep_detector *detector, size_t steps, const void *counts, moep_dtype dtype);
MOEP_API moep_status moep_detector_push_at(moep_detector *detector, uint64_t first_step, size_t steps,
                                           const void *counts, moep_dtype dtype);

/* The present state of each layer and expert, the number of the step with which it began (0 before the first), and how
 * often it has changed so far, the end of WARMUP included.
 *   layers    [layers], or NULL
 *   experts   [layers][experts], or NULL
 * Errors: INVALID_ARGUMENT. */
MOEP_API moep_status moep_detector_states(const moep_detector *detector, moep_state *layers, moep_state *experts);
MOEP_API moep_status moep_detector_since(const moep_detector *detector, uint64_t *layers, uint64_t *experts);
MOEP_API moep_status moep_detector_changes(const moep_detector *detector, uint64_t *layers, uint64_t *experts);

/* What a detector can say about each layer and expert in numbers.
 *
 * The first three are the paper's statistics of the shares over a sliding window, exact at every step. x are the shares
 * of the last w steps, or of as many as have been pushed:
 * MOEP_MEAN         sum x / w; of a layer the mean over its experts
 * MOEP_VARIANCE     sum (x - mean)^2 / w; of a layer the mean over its experts
 * MOEP_RANGE        max x - min x; of a layer the largest of its experts'
 *
 * The others are of the last whole block, from the end of WARMUP on:
 * MOEP_DRIFT        the error that a forecast made now must expect over the horizon, sampling noise aside, in units of
 *                   the mean load, smoothed over a few blocks: what must be within the tolerance, with a standard
 *                   deviation of its noise added, before a state becomes STABLE. (It may be, and the state TRANSIENT,
 *                   where the drift goes on in one direction)
 * MOEP_NOISE        the sampling noise, as the number of independent tokens per step that would scatter as much: of an
 *                   expert p (1 - p) / v, p its mean share and v the variance of a single step as measured between
 *                   blocks; of a layer the sum of the p (1 - p) over the sum of the v. NaN where v = 0
 * MOEP_DISPERSION   how much more the loads scatter than independent tokens would: tokens per step / NOISE. 1 is the
 *                   multinomial floor; single steps of real runs have 2 to 4, blocks of 20 steps, which this is about,
 *                   up to 10. NaN where v = 0, and where counts of the blocks it is about need not be tokens: those
 *                   of a floating-point type that are not whole, or too large to be exact (2^24 for float, 2^53 for
 *                   double, and more) */
typedef int32_t moep_quantity;
enum { MOEP_MEAN = 0, MOEP_VARIANCE = 1, MOEP_RANGE = 2, MOEP_DRIFT = 3, MOEP_NOISE = 4, MOEP_DISPERSION = 5 };

/* Reads a quantity.
 *   window_index   which of config.windows, for the first three; 0 for the others
 *   layers         [layers], or NULL
 *   experts        [layers][experts], or NULL
 * Where experts is NULL, MEAN, VARIANCE and RANGE take a double per series from the allocator for the call.
 * Errors: INVALID_ARGUMENT; TOO_FEW_STEPS (no step yet, or in WARMUP); OUT_OF_MEMORY. */
MOEP_API moep_status moep_detector_read(const moep_detector *detector, moep_quantity quantity, size_t window_index,
                                        double *layers, double *experts);

/* The configuration that a detector was made with, and what it has seen: method is -1, history the steps kept for the
 * windows, min_steps the steps of WARMUP, fitted_step UINT64_MAX. struct_size must be set.
 * Errors: INVALID_ARGUMENT, INCOMPATIBLE. */
MOEP_API moep_status moep_detector_config_read(const moep_detector *detector, moep_detector_config *config);
MOEP_API moep_status moep_detector_info(const moep_detector *detector, moep_info *info);

/* Copies and checkpoints, as those of a predictor. */
MOEP_API moep_status moep_detector_clone(const moep_detector *detector, const moep_runtime *runtime,
                                         moep_detector **out);
MOEP_API moep_status moep_detector_save(const moep_detector *detector, void *buffer, size_t capacity, size_t *size);
MOEP_API moep_status moep_detector_load(const void *buffer, size_t size, const moep_runtime *runtime,
                                        moep_detector **out);

/* ---- evaluation ------------------------------------------------------------------------------------------------ */

/* How far a forecast was off, layer by layer.
 *   forecast      [layers][experts], finite
 *   actual        [layers][experts], finite and >= 0
 *   error         [layers]: the mean over the experts of |forecast - actual| / max(actual, 0.1 / experts)
 *   paper_error   [layers]: the paper's error ratio, |forecast - actual| / actual, averaged over the experts whose
 *                 actual load is not 0 (NaN if there is none). For comparison with the paper only: one expert with
 *                 three tokens can make it 3,000
 *   left_out      [layers]: the number of experts that paper_error left out
 * The three results may each be NULL. Allocates nothing.
 * Errors: INVALID_ARGUMENT. */
MOEP_API moep_status moep_forecast_error(size_t layers, size_t experts, const double *forecast, const double *actual,
                                         double *error, double *paper_error, uint64_t *left_out);

/* Which forecasts a backtest makes: one at each origin first, first + every, ... for which origin + horizon <= steps.
 * At an origin the first `origin` steps of the trace have been pushed. */
typedef struct moep_backtest_config {
    size_t struct_size;   /* sizeof(moep_backtest_config) */
    uint64_t first;       /* the first origin; at an origin that cannot be forecast yet every result is NaN */
    uint64_t every;       /* steps between origins, >= 1 */
    uint64_t horizon;     /* steps ahead, >= 1 */
    uint64_t stride;      /* steps averaged into one forecast row, >= 1 */
    uint64_t refit_every; /* origins between fits; 0: one fit, at the first origin where it succeeds, unless the
                             prototype brings a fitted model. A method without a model is never fitted */
    double assignments;   /* > 0: the tokens per layer and step that stand behind the counts, for floor_of_mean. 0: the
                             layer's totals themselves; floor_of_mean is NaN where counts need not be tokens, as
                             MOEP_DISPERSION says */
} moep_backtest_config;

/* Where a backtest puts its results: the caller's arrays [origins][layers], each of which may be NULL, with
 * origins = moep_backtest_origins(trace->steps, config). Each value is about the steps of one origin's horizon in which
 * the layer's total is not zero; NaN if there is none.
 *
 * Mind the floors. Counts are samples: even a forecast that knows the true share has an error, and a forecast can only
 * be judged by how close it comes to it. Real loads scatter two to four times as much as independent tokens would, and
 * the mean is not what minimises the error ratio: an error may lie a little below its floor. */
typedef struct moep_backtest_result {
    size_t struct_size;      /* sizeof(moep_backtest_result) */
    double *error;           /* each step against the row that covers it, as moep_forecast_error, mean over the steps */
    double *error_of_mean;   /* the forecast's mean over the horizon against the realised mean: what placement needs */
    double *paper_error;     /* as error, with the paper's error ratio */
    double *total_variation; /* half the sum over experts of |forecast mean - realised mean|: the share of the load that
                                is not where it was forecast */
    double *floor;           /* what error would be had the realised mean been the forecast of each step */
    double *floor_of_mean;   /* what sampling noise alone leaves of error_of_mean: sqrt(2 / pi) times the mean over the
                                experts of sqrt((1 - p) / (p N H)), p the realised mean but at least 0.1 / experts, N
                                the mean tokens per step, H the number of steps */
    uint64_t *left_out;      /* (step, expert) pairs that paper_error left out */
} moep_backtest_result;

/* The number of origins of a backtest over that many steps; 0 if there is none, or if config is NULL or invalid, which
 * moep_last_error() then explains. */
MOEP_API size_t moep_backtest_origins(uint64_t steps, const moep_backtest_config *config);

/* Replays a recorded run through a predictor and scores its forecasts: the paper's sliding evaluation, with rolling
 * origins and without a look into the future.
 *   prototype   lends its method, config and fitted model to a copy that starts with an empty history; its own history
 *               is not used, nor changed
 *   runtime     NULL: the prototype's
 * Errors: INVALID_ARGUMENT (also a bad count anywhere in the trace, found before any work), INCOMPATIBLE,
 * TOO_FEW_STEPS (the trace has no origin), OUT_OF_MEMORY, CANCELLED. */
MOEP_API moep_status moep_backtest(const moep_predictor *prototype, const moep_trace *trace,
                                   const moep_backtest_config *config, const moep_runtime *runtime,
                                   moep_backtest_result *result);

#ifdef __cplusplus
}
#endif

#endif
