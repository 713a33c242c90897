/* SPDX-License-Identifier: BSD-3-Clause */
/* Seasons of synthetic spectra. */
#include "support.h"

#include "methods/arima/season.h"

enum { N = 256, BACKGROUND = 2 };

/* A flat spectrum, to which a test adds a peak, and values with a pulse in every period. */
struct spectrum {
    double power[N / 2], values[N];
};

static struct spectrum flat(size_t period)
{
    struct spectrum spectrum;
    for (size_t k = 0; k < N / 2; k++)
        spectrum.power[k] = BACKGROUND;
    for (size_t t = 0; t < N; t++)
        spectrum.values[t] = t % period == 0 ? 6 : 5;
    return spectrum;
}

static unsigned period_of(const struct spectrum *spectrum)
{
    return mp_arima_period(spectrum->values, N, spectrum->power, N, 1);
}

static unsigned period_with_peak(size_t period, size_t at, double times)
{
    struct spectrum spectrum = flat(period);
    spectrum.power[at] = times * BACKGROUND;
    return period_of(&spectrum);
}

/* The threshold is what the highest of N / 2 ordinates exceeds by chance in 1 of 1,000 series. */
static void a_peak_must_stand_out(void **state)
{
    (void)state;
    const double enough = log(0.5 * N / 0.001);
    for (size_t at = 8; at < 40; at++) {
        size_t period = (size_t)lround((double)N / (double)at);
        assert_int_equal(period_with_peak(period, at, 1.001 * enough), period);
        assert_int_equal(period_with_peak(period, at, 0.999 * enough), 0);
    }
}

/* Three ordinates on either side belong to the peak. Those beyond 12 do not count, nor does the one at 0, which is the
 * mean's. */
static void a_peak_is_compared_with_what_is_around_it(void **state)
{
    (void)state;
    const double peak = 1.5 * log(0.5 * N / 0.001) * BACKGROUND;
    for (size_t at = 16; at <= 32; at += 16)
        for (size_t away = 1; away < 16; away++)
            for (int side = -1; side <= 1; side += 2) {
                struct spectrum spectrum = flat(N / at);
                spectrum.power[at] = peak;
                spectrum.power[at + (size_t)(side * (int)away)] = 0.9 * peak;
                bool near = away > 3 && away <= 12; /* of 18 around it: nearly twice as much in the mean */
                assert_int_equal(period_of(&spectrum), near ? 0 : N / at);
            }
    struct spectrum spectrum = flat(32);
    spectrum.power[8] = peak;
    spectrum.power[0] = 1000 * peak;
    assert_int_equal(period_of(&spectrum), 32);
}

static void a_season_is_seen_three_times_at_least(void **state)
{
    (void)state;
    assert_int_equal(period_with_peak(N / 3, 3, 50), N / 3);
    assert_int_equal(period_with_peak(N / 3 + 1, 3, 50), 0);
    struct spectrum trend = flat(16); /* slow changes do not hide a season */
    trend.power[1] = trend.power[2] = 1000;
    trend.power[16] = 100;
    assert_int_equal(period_of(&trend), 16);
    struct spectrum spectrum = flat(8);
    spectrum.power[4] = 100; /* of 32, a period of 8 */
    assert_int_equal(mp_arima_period(spectrum.values, 32, spectrum.power, 32, 1), 8);
    assert_int_equal(mp_arima_period(spectrum.values, 24, spectrum.power, 32, 1), 8);
    assert_int_equal(mp_arima_period(spectrum.values, 23, spectrum.power, 32, 1), 0);
}

/* Ordinates lie far apart in periods: of the lags around a peak's period the one with the largest autocorrelation
 * wins. */
static void a_period_is_the_lag_of_the_highest_correlation(void **state)
{
    (void)state;
    for (size_t at = 8; at < 20; at++) {
        size_t around = (size_t)lround((double)N / (double)at);
        for (size_t period = around - 2; period <= around + 2; period++)
            assert_int_equal(period_with_peak(period, at, 50),
                             period >= around - 1 && period <= around + 1 ? period : 0);
    }
}

static void noise_is_no_season_whatever_its_spectrum(void **state)
{
    (void)state;
    struct spectrum spectrum = flat(21);
    uint64_t seed = 6;
    for (size_t t = 0; t < N; t++)
        spectrum.values[t] = (double)(random_number(&seed) >> 11) * 0x1p-53;
    spectrum.power[12] = 100;
    assert_int_equal(period_of(&spectrum), 0);
}

int main(void)
{
    const struct CMUnitTest arima_season[] = {
        cmocka_unit_test(a_peak_must_stand_out),
        cmocka_unit_test(a_peak_is_compared_with_what_is_around_it),
        cmocka_unit_test(a_season_is_seen_three_times_at_least),
        cmocka_unit_test(a_period_is_the_lag_of_the_highest_correlation),
        cmocka_unit_test(noise_is_no_season_whatever_its_spectrum),
    };
    return cmocka_run_group_tests(arima_season, NULL, NULL);
}
