/* SPDX-License-Identifier: BSD-3-Clause */
/* The public calls that only AUTO supports. */
#include "api/status.h"
#include "api/struct.h"
#include "methods/auto/candidates.h"
#include "methods/auto/report.h"
#include "predictor/predictor.h"
#include "support/environment.h"

size_t moep_auto_candidates(void)
{
    return MP_AUTO_CANDIDATES;
}

const char *moep_auto_candidate_name(size_t candidate)
{
    return mp_auto_candidate_name(candidate);
}

moep_status moep_predictor_auto_report(const moep_predictor *predictor, moep_auto_report *report)
{
    MP_BORDER
    if (!predictor)
        return mp_fail_null("predictor");
    if (predictor->config.method != MOEP_AUTO)
        return mp_fail(MOEP_ERROR_UNSUPPORTED, "the method is %s, not auto", predictor->method->name);
    moep_auto_report ours = {0};
    moep_status status = mp_struct_read(&ours, sizeof ours, report, "moep_auto_report");
    if (status != MOEP_OK)
        return status;
    struct task task = mp_predictor_task(predictor);
    return mp_auto_report(&task, predictor->model, &ours);
}
