/* SPDX-License-Identifier: BSD-3-Clause */
/* The handle, as the library itself sees it. */
#ifndef MP_PREDICTOR_PREDICTOR_H
#define MP_PREDICTOR_PREDICTOR_H

#include "api/runtime.h"
#include "methods/method.h"
#include "series/history.h"

/* Its parts: the history, and what the method's fit has made of it. */
struct moep_predictor {
    const struct method *method;
    moep_predictor_config config; /* checked, history resolved */
    struct runtime runtime;
    struct history history;
    void *model; /* model_size bytes; NULL where the method has none */
    size_t model_size;
    uint64_t fitted_step;
};

/* A predictor of that method; config is checked. */
moep_status mp_predictor_make(const struct method *method, size_t layers, size_t experts,
                              const moep_predictor_config *config, const struct runtime *runtime, moep_predictor **out);

/* What the public calls of these names do, for other files of the library. Not the public ones: another library in the
 * process could take such a call over, and abidw 2.2 loses a function that is called from another file than its own. */
void mp_predictor_destroy(moep_predictor *predictor);
moep_status mp_predictor_fit(moep_predictor *predictor);
moep_status mp_predictor_predict(const moep_predictor *predictor, size_t horizon, size_t stride, double *shares,
                                 size_t capacity);

/* INVALID_ARGUMENT: the handle is NULL. */
moep_status mp_predictor_missing(void);

/* What a method is handed. */
struct task mp_predictor_task(const moep_predictor *predictor);

/* One with the same method, config and model, and an empty history. */
moep_status mp_predictor_make_like(const moep_predictor *original, const struct runtime *runtime, moep_predictor **out);

#endif
