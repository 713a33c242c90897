/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/vote.h"

enum { SIDE = MP_ARIMA_ORDER + 1 };

/* Constant series have no candidates, and no vote unless all are. */
struct arima_order mp_arima_vote(const struct arima_choice *choices, size_t count)
{
    size_t by_d[3] = {0}, votes[SIDE][SIDE] = {{0}}, most = 0, voters = 0;
    struct arima_order winner = {0};
    for (size_t i = 0; i < count; i++)
        voters += choices[i].candidates > 0;
    for (size_t i = 0; i < count; i++)
        by_d[choices[i].order.d] += voters == 0 || choices[i].candidates > 0;
    for (unsigned d = 1; d < 3; d++)
        winner.d = by_d[d] > by_d[winner.d] ? d : winner.d;
    for (size_t i = 0; i < count; i++)
        if (choices[i].order.d == winner.d && (voters == 0 || choices[i].candidates > 0)) {
            votes[choices[i].order.p][choices[i].order.q]++;
            winner.mean |= choices[i].order.mean;
        }
    for (unsigned total = 0; total <= 2 * MP_ARIMA_ORDER; total++)
        for (unsigned p = 0; p <= total && p < SIDE; p++)
            if (total - p < SIDE && votes[p][total - p] > most) {
                most = votes[p][total - p];
                winner.p = p;
                winner.q = total - p;
            }
    return winner;
}
