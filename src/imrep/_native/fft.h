/* Inverse FFT of many neighbouring sequences at once, mixed radix, in Stockham's order (no bit
 * reversal; C. Van Loan, "Computational frameworks for the fast Fourier transform", 1992, 1.7).
 *
 * Sequences ("lanes") are innermost: element k of all sequences is one run of `lanes` floats, so
 * that every loop is a vector loop over independent neighbours and nothing is transposed. Real and
 * imaginary parts are in separate planes.
 */
#ifndef IMREP_FFT_H
#define IMREP_FFT_H

#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define IVDEP _Pragma("clang loop vectorize(assume_safety)") /* iterations are independent */
#else
#define IVDEP _Pragma("GCC ivdep")
#endif
#define MAX_FACTORS 32
#define ANY_RUN 16 /* floats that pass_any holds in registers */

typedef struct { /* one length; mirrored in represent/multiscale/scattering/native.py */
    int64_t n, count;
    int64_t factors[MAX_FACTORS];
    const float *roots;     /* of each pass: exp(2 pi i p j / length) for p, then 0 < j < factor */
    const float *rotations; /* of each factor f over 5: exp(2 pi i k / f) for 0 <= k < f */
} axis;

/* A pass splits sequences of length f m into f of length m (decimation in frequency). It takes
 * `run` floats as one element: the lanes times the factors of the passes before. Input k of
 * butterfly p is element p + k m, output j is element p f + j, times root (p, j). */

INLINE void pass2(const float *restrict xr, const float *restrict xi, float *restrict yr,
                  float *restrict yi, int64_t m, int64_t run, const float *restrict w)
{
    for (int64_t p = 0; p < m; p++, w += 2) {
        const float *restrict ar = xr + p * run, *restrict ai = xi + p * run;
        const float *restrict br = ar + m * run, *restrict bi = ai + m * run;
        float *restrict r0 = yr + 2 * p * run, *restrict i0 = yi + 2 * p * run;
        float *restrict r1 = r0 + run, *restrict i1 = i0 + run;
        const float c = w[0], s = w[1];
        IVDEP
        for (int64_t i = 0; i < run; i++) {
            const float dr = ar[i] - br[i], di = ai[i] - bi[i];
            r0[i] = ar[i] + br[i];
            i0[i] = ai[i] + bi[i];
            r1[i] = dr * c - di * s;
            i1[i] = dr * s + di * c;
        }
    }
}

INLINE void pass3(const float *restrict xr, const float *restrict xi, float *restrict yr,
                  float *restrict yi, int64_t m, int64_t run, const float *restrict w)
{
    const float half = -0.5f, high = 0.86602540378443864676f; /* cos, sin of 2 pi / 3 */
    for (int64_t p = 0; p < m; p++, w += 4) {
        const float *restrict ar = xr + p * run, *restrict ai = xi + p * run;
        const float *restrict br = ar + m * run, *restrict bi = ai + m * run;
        const float *restrict cr = br + m * run, *restrict ci = bi + m * run;
        float *restrict r0 = yr + 3 * p * run, *restrict i0 = yi + 3 * p * run;
        float *restrict r1 = r0 + run, *restrict i1 = i0 + run;
        float *restrict r2 = r1 + run, *restrict i2 = i1 + run;
        const float c1 = w[0], s1 = w[1], c2 = w[2], s2 = w[3];
        IVDEP
        for (int64_t i = 0; i < run; i++) {
            const float sr = br[i] + cr[i], si = bi[i] + ci[i];
            const float dr = high * (br[i] - cr[i]), di = high * (bi[i] - ci[i]);
            const float mr = ar[i] + half * sr, mi = ai[i] + half * si;
            const float ur = mr - di, ui = mi + dr, vr = mr + di, vi = mi - dr;
            r0[i] = ar[i] + sr;
            i0[i] = ai[i] + si;
            r1[i] = ur * c1 - ui * s1;
            i1[i] = ur * s1 + ui * c1;
            r2[i] = vr * c2 - vi * s2;
            i2[i] = vr * s2 + vi * c2;
        }
    }
}

INLINE void pass4(const float *restrict xr, const float *restrict xi, float *restrict yr,
                  float *restrict yi, int64_t m, int64_t run, const float *restrict w)
{
    for (int64_t p = 0; p < m; p++, w += 6) {
        const float *restrict ar = xr + p * run, *restrict ai = xi + p * run;
        const float *restrict br = ar + m * run, *restrict bi = ai + m * run;
        const float *restrict cr = br + m * run, *restrict ci = bi + m * run;
        const float *restrict dr = cr + m * run, *restrict di = ci + m * run;
        float *restrict r0 = yr + 4 * p * run, *restrict i0 = yi + 4 * p * run;
        float *restrict r1 = r0 + run, *restrict i1 = i0 + run;
        float *restrict r2 = r1 + run, *restrict i2 = i1 + run;
        float *restrict r3 = r2 + run, *restrict i3 = i2 + run;
        const float c1 = w[0], s1 = w[1], c2 = w[2], s2 = w[3], c3 = w[4], s3 = w[5];
        IVDEP
        for (int64_t i = 0; i < run; i++) {
            const float er = ar[i] + cr[i], ei = ai[i] + ci[i];
            const float fr = ar[i] - cr[i], fi = ai[i] - ci[i];
            const float gr = br[i] + dr[i], gi = bi[i] + di[i];
            const float hr = di[i] - bi[i], hi = br[i] - dr[i]; /* i (b - d) */
            const float ur = fr + hr, ui = fi + hi, vr = er - gr, vi = ei - gi;
            const float tr = fr - hr, ti = fi - hi;
            r0[i] = er + gr;
            i0[i] = ei + gi;
            r1[i] = ur * c1 - ui * s1;
            i1[i] = ur * s1 + ui * c1;
            r2[i] = vr * c2 - vi * s2;
            i2[i] = vr * s2 + vi * c2;
            r3[i] = tr * c3 - ti * s3;
            i3[i] = tr * s3 + ti * c3;
        }
    }
}

INLINE void pass5(const float *restrict xr, const float *restrict xi, float *restrict yr,
                  float *restrict yi, int64_t m, int64_t run, const float *restrict w)
{
    /* Cosines and sines of 2 pi / 5 and 4 pi / 5. Outputs 1 and 4, 2 and 3 are k + g and k - g:
     * the cosine part k from the sums of inputs j and 5 - j, the sine part g from differences. */
    const float ca = 0.30901699437494742410f, cb = -0.80901699437494742410f;
    const float sa = 0.95105651629515357212f, sb = 0.58778525229247312917f;
    for (int64_t p = 0; p < m; p++, w += 8) {
        const float *restrict ar = xr + p * run, *restrict ai = xi + p * run;
        const float *restrict br = ar + m * run, *restrict bi = ai + m * run;
        const float *restrict cr = br + m * run, *restrict ci = bi + m * run;
        const float *restrict dr = cr + m * run, *restrict di = ci + m * run;
        const float *restrict er = dr + m * run, *restrict ei = di + m * run;
        float *restrict yr0 = yr + 5 * p * run, *restrict yi0 = yi + 5 * p * run;
        IVDEP
        for (int64_t i = 0; i < run; i++) {
            const float pr = br[i] + er[i], pi = bi[i] + ei[i];
            const float qr = cr[i] + dr[i], qi = ci[i] + di[i];
            const float tr = br[i] - er[i], ti = bi[i] - ei[i];
            const float ur = cr[i] - dr[i], ui = ci[i] - di[i];
            const float kr = ar[i] + ca * pr + cb * qr, ki = ai[i] + ca * pi + cb * qi;
            const float lr = ar[i] + cb * pr + ca * qr, li = ai[i] + cb * pi + ca * qi;
            const float gr = -(sa * ti + sb * ui), gi = sa * tr + sb * ur;
            const float hr = -(sb * ti - sa * ui), hi = sb * tr - sa * ur;
            const float z1r = kr + gr, z1i = ki + gi, z4r = kr - gr, z4i = ki - gi;
            const float z2r = lr + hr, z2i = li + hi, z3r = lr - hr, z3i = li - hi;
            yr0[i] = ar[i] + pr + qr;
            yi0[i] = ai[i] + pi + qi;
            yr0[run + i] = z1r * w[0] - z1i * w[1];
            yi0[run + i] = z1r * w[1] + z1i * w[0];
            yr0[2 * run + i] = z2r * w[2] - z2i * w[3];
            yi0[2 * run + i] = z2r * w[3] + z2i * w[2];
            yr0[3 * run + i] = z3r * w[4] - z3i * w[5];
            yi0[3 * run + i] = z3r * w[5] + z3i * w[4];
            yr0[4 * run + i] = z4r * w[6] - z4i * w[7];
            yi0[4 * run + i] = z4r * w[7] + z4i * w[6];
        }
    }
}

/* Any odd factor: two outputs, j and f - j, from sums and differences of inputs k and f - k. */
INLINE void pass_any(const float *restrict xr, const float *restrict xi, float *restrict yr,
                     float *restrict yi, int64_t f, int64_t m, int64_t run, const float *restrict w,
                     const float *restrict rotations)
{
    for (int64_t p = 0; p < m; p++, w += 2 * (f - 1)) {
        for (int64_t i = 0; i < run; i++) {
            const float *ar = xr + p * run + i, *ai = xi + p * run + i;
            float *zr = yr + f * p * run + i, *zi = yi + f * p * run + i;
            float sum_r = ar[0], sum_i = ai[0];
            for (int64_t k = 1; k < f; k++) {
                sum_r += ar[k * m * run];
                sum_i += ai[k * m * run];
            }
            zr[0] = sum_r;
            zi[0] = sum_i;
        }
        for (int64_t j = 1; 2 * j < f; j++) {
            const float c = w[2 * j - 2], s = w[2 * j - 1];
            const float d = w[2 * (f - j) - 2], t = w[2 * (f - j) - 1];
            for (int64_t start = 0; start < run; start += ANY_RUN) {
                const int64_t length = run - start < ANY_RUN ? run - start : ANY_RUN;
                const float *ar = xr + p * run + start, *ai = xi + p * run + start;
                /* Inputs k and f - k have conjugate roots: their sum takes the cosine, their
                 * difference the sine, and outputs j and f - j share both. */
                float even_r[ANY_RUN] = {0}, even_i[ANY_RUN] = {0}, odd_r[ANY_RUN] = {0},
                      odd_i[ANY_RUN] = {0};
                memcpy(even_r, ar, length * sizeof *even_r);
                memcpy(even_i, ai, length * sizeof *even_i);
                for (int64_t k = 1; 2 * k < f; k++) {
                    const float cosine = rotations[2 * (j * k % f)],
                                sine = rotations[2 * (j * k % f) + 1];
                    const float *br = ar + k * m * run, *bi = ai + k * m * run;
                    const float *cr = ar + (f - k) * m * run, *ci = ai + (f - k) * m * run;
                    if (length == ANY_RUN) IVDEP
                    for (int64_t i = 0; i < ANY_RUN; i++) {
                        even_r[i] += cosine * (br[i] + cr[i]);
                        even_i[i] += cosine * (bi[i] + ci[i]);
                        odd_r[i] += sine * (br[i] - cr[i]);
                        odd_i[i] += sine * (bi[i] - ci[i]);
                    }
                    else IVDEP
                    for (int64_t i = 0; i < length; i++) {
                        even_r[i] += cosine * (br[i] + cr[i]);
                        even_i[i] += cosine * (bi[i] + ci[i]);
                        odd_r[i] += sine * (br[i] - cr[i]);
                        odd_i[i] += sine * (bi[i] - ci[i]);
                    }
                }
                float *ur = yr + (f * p + j) * run + start, *ui = yi + (f * p + j) * run + start;
                float *vr = yr + (f * p + f - j) * run + start;
                float *vi = yi + (f * p + f - j) * run + start;
                IVDEP
                for (int64_t i = 0; i < length; i++) {
                    const float gr = even_r[i] - odd_i[i], gi = even_i[i] + odd_r[i];
                    const float hr = even_r[i] + odd_i[i], hi = even_i[i] - odd_r[i];
                    ur[i] = gr * c - gi * s;
                    ui[i] = gr * s + gi * c;
                    vr[i] = hr * d - hi * t;
                    vi[i] = hr * t + hi * d;
                }
            }
        }
    }
}

/* Inverse transforms of `lanes` neighbours, not divided by n. A part (real or imaginary) has n *
 * lanes floats, the imaginary one follows the real one. The passes alternate between the two
 * buffers; returns the one with the result. */
INLINE float *inverse_fft(float *x, float *y, const axis *a, int64_t lanes)
{
    const int64_t part = a->n * lanes;
    const float *w = a->roots, *rotations = a->rotations;
    int64_t length = a->n, run = lanes;
    for (int64_t i = 0; i < a->count; i++) {
        const int64_t f = a->factors[i], m = length / f;
        if (f == 4 && run == 8) /* a constant length unrolls the inner loop */
            pass4(x, x + part, y, y + part, m, 8, w);
        else if (f == 4)
            pass4(x, x + part, y, y + part, m, run, w);
        else if (f == 2)
            pass2(x, x + part, y, y + part, m, run, w);
        else if (f == 3)
            pass3(x, x + part, y, y + part, m, run, w);
        else if (f == 5)
            pass5(x, x + part, y, y + part, m, run, w);
        else {
            pass_any(x, x + part, y, y + part, f, m, run, w, rotations);
            rotations += 2 * f;
        }
        w += 2 * m * (f - 1);
        length = m;
        run *= f;
        float *swapped = x;
        x = y;
        y = swapped;
    }
    return x;
}

#endif
