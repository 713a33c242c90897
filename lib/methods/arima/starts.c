/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/starts.h"

#include "methods/arima/roots.h"

#include <string.h>

/* Inside, with something to spare. */
static void draw_inside(double *a, unsigned n)
{
    for (int i = 0; i < 200; i++) {
        double wider[MP_ARIMA_ORDER];
        memcpy(wider, a, n * sizeof *a);
        mp_arima_shrink(wider, n, 1.005);
        if (mp_arima_roots_inside(wider, n))
            return;
        mp_arima_shrink(a, n, 0.95);
    }
    memset(a, 0, n * sizeof *a);
}

static void draw_coefficients_inside(struct arima_coefficients *c)
{
    for (int i = 0; i < MP_ARIMA_ORDER; i++)
        c->phi[i] = -c->phi[i];
    draw_inside(c->phi, MP_ARIMA_ORDER);
    for (int i = 0; i < MP_ARIMA_ORDER; i++)
        c->phi[i] = -c->phi[i];
    draw_inside(c->theta, MP_ARIMA_ORDER);
}

struct arima_coefficients mp_arima_damped(struct arima_coefficients c)
{
    for (int i = 0; i < MP_ARIMA_ORDER; i++) {
        c.phi[i] *= 0.7;
        c.theta[i] *= 0.7;
    }
    draw_coefficients_inside(&c);
    return c;
}

/* What a start is made of. Structured: two peaks, the modulus of the inverse roots of phi and theta there; drawn: the
 * seed. In the order in which, added one by one to those before, they gained most likelihood over 704 series of
 * ARIMA(5, 1, 5): simulated walks and autoregressions with noise, and the shares of two training runs. */
enum kind { DAMPED, STRUCTURED, DRAWN, REGRESSED };

static const struct recipe {
    enum kind kind;
    unsigned char peaks[2];
    double phi_root, theta_root;
    uint64_t seed;
} large_recipes[] = {
    {.kind = DAMPED},
    {.kind = STRUCTURED, .peaks = {0, 1}, .phi_root = 0.985, .theta_root = 0.97},
    {.kind = DRAWN, .seed = 90},
    {.kind = DRAWN, .seed = 57},
    {.kind = STRUCTURED, .peaks = {0, 2}, .phi_root = 0.95, .theta_root = 0.999},
    {.kind = REGRESSED},
    {.kind = DRAWN, .seed = 49},
    {.kind = STRUCTURED, .peaks = {1, 3}, .phi_root = 0.95, .theta_root = 0.999},
    {.kind = DRAWN, .seed = 80},
    {.kind = DRAWN, .seed = 82},
    {.kind = STRUCTURED, .peaks = {0, 1}, .phi_root = 0.95, .theta_root = 0.999},
    {.kind = DRAWN, .seed = 83},
    {.kind = DRAWN, .seed = 45},
    {.kind = STRUCTURED, .peaks = {0, 3}, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = DRAWN, .seed = 37},
    {.kind = STRUCTURED, .peaks = {1, 2}, .phi_root = 0.997, .theta_root = 0.97},
};

/* Where p or q is below 5, and peaks are taken one by one. */
static const struct recipe small_recipes[] = {
    {.kind = DAMPED},
    {.kind = STRUCTURED, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = STRUCTURED, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = REGRESSED},
    {.kind = STRUCTURED, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = STRUCTURED, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = DRAWN, .seed = 90},
    {.kind = STRUCTURED, .phi_root = 0.985, .theta_root = 0.97},
    {.kind = STRUCTURED, .phi_root = 0.985, .theta_root = 0.97},
};
enum { LARGE = sizeof large_recipes / sizeof *large_recipes, SMALL = sizeof small_recipes / sizeof *small_recipes };

/* From partial autocorrelations drawn evenly from a range: anywhere in what is admissible. */
static void draw(double *a, unsigned n, uint64_t *seed)
{
    for (unsigned k = 0; k < n; k++) {
        double before[MP_ARIMA_ORDER];
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double r = 1.96 * ((double)(*seed >> 11) / 9007199254740992.0) - 0.98;
        memcpy(before, a, k * sizeof *a);
        for (unsigned i = 0; i < k; i++)
            a[i] = before[i] + r * before[k - 1 - i];
        a[k] = r;
    }
}

static struct arima_coefficients drawn(unsigned p, unsigned q, uint64_t seed)
{
    struct arima_coefficients c = {{0}, {0}};
    draw(c.phi, p, &seed);
    draw(c.theta, q, &seed);
    for (int i = 0; i < MP_ARIMA_ORDER; i++)
        c.phi[i] = -c.phi[i];
    draw_coefficients_inside(&c);
    return c;
}

/* a(B) x (1 + b B + c B^2), a having *degree terms before. */
static void multiply_in(double *a, unsigned *degree, double b, double c)
{
    unsigned more = c != 0 ? 2 : 1;
    for (unsigned i = *degree + more; i > 0; i--) {
        double own = i <= *degree ? a[i - 1] : 0;
        double one = i == 1 ? 1 : i - 1 <= *degree ? a[i - 2] : 0;
        double two = i == 2 ? 1 : i > 2 && i - 2 <= *degree ? a[i - 3] : 0;
        a[i - 1] = own + b * one + c * two;
    }
    *degree += more;
}

/* For ARMA(1, 1). A stationary series that is differenced has a theta next to -1, which is not seen from far away. */
static const struct arima_coefficients cancelling[] = {
    {{0.85}, {-0.99}},
    {{0.97}, {-0.985}},
    {{-0.9}, {0.97}},
};
enum { CANCELLING = sizeof cancelling / sizeof *cancelling };

static const double lone_ar = 0.6, lone_ma = 0.9;

/* The base times pairs of factors at peaks, then a real factor of both, then real ones of what phi or theta has more.
 * The number tells starts apart that have no use for the peaks. */
static struct arima_coefficients structured(unsigned p, unsigned q, struct arima_coefficients base, const double *peaks,
                                            const struct recipe *recipe, unsigned number)
{
    unsigned least = p < q ? p : q, ar = p > 0, ma = q > 0;
    double phi_root = recipe->phi_root, theta_root = recipe->theta_root, sign = number % 2 == 0 ? 1 : -1;
    if (p == 1 && q == 1 && number < CANCELLING)
        return cancelling[number];
    if (number >= 2 && (p == 0 || (p == 1 && q == 1)))
        return drawn(p, q, number);
    if (p == 0 && base.theta[0] > 0)
        sign = -sign;                                /* all roots on one side, then one on the other */
    if (least == 1 && p + q > 2 && number % 4 > 1) { /* the only pair of factors, not taken for the base */
        base.phi[0] = p > q ? base.phi[0] : 0;
        base.theta[0] = p > q ? 0 : base.theta[0];
        ar = p > q;
        ma = q > p;
    }
    for (int i = 0; i < MP_ARIMA_ORDER; i++)
        base.phi[i] = -base.phi[i];
    for (unsigned pair = 0; ar + 2 <= least && pair < 2; pair++) {
        double cosine = peaks[least < 5 ? number % MP_ARIMA_PEAKS : recipe->peaks[pair]];
        multiply_in(base.phi, &ar, -2 * phi_root * cosine, phi_root * phi_root);
        multiply_in(base.theta, &ma, -2 * theta_root * cosine, theta_root * theta_root);
    }
    if (least > 0 && (ar < least || ma < least)) {
        multiply_in(base.phi, &ar, -sign * phi_root, 0);
        multiply_in(base.theta, &ma, -sign * theta_root, 0);
    }
    for (; ar < p && ar < least + 2; sign = number / 2 % 2 == 0 ? sign : -sign)
        multiply_in(base.phi, &ar, -sign * lone_ar, 0);
    for (; ma < q && ma < least + 2; sign = number / 2 % 2 == 0 ? sign : -sign)
        multiply_in(base.theta, &ma, -sign * lone_ma, 0);
    for (int i = 0; i < MP_ARIMA_ORDER; i++)
        base.phi[i] = -base.phi[i];
    draw_coefficients_inside(&base);
    return base;
}

static unsigned structured_before(const struct recipe *recipes, unsigned k)
{
    unsigned number = 0;
    for (unsigned i = 0; i < k; i++)
        number += recipes[i].kind == STRUCTURED;
    return number;
}

/* Beyond the list all are drawn. */
struct arima_coefficients mp_arima_start(unsigned k, unsigned p, unsigned q, struct arima_coefficients regressed,
                                         struct arima_coefficients base, const double *peaks)
{
    bool large = p >= 5 && q >= 5;
    const struct recipe *recipes = large ? large_recipes : small_recipes;
    if (k >= (large ? LARGE : SMALL))
        return drawn(p, q, k);
    switch (recipes[k].kind) {
    case DAMPED: return mp_arima_damped(regressed);
    case REGRESSED: draw_coefficients_inside(&regressed); return regressed;
    case STRUCTURED: return structured(p, q, base, peaks, &recipes[k], structured_before(recipes, k));
    case DRAWN: break;
    }
    return drawn(p, q, recipes[k].seed);
}
