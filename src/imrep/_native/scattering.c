/* One layer of the scattering transform (Bruna and Mallat, doi:10.1109/TPAMI.2012.230) in float32,
 * with the numbers of imrep.represent.multiscale.scattering.transform: wavelets times a spectrum, folded, transformed back, and
 * the modulus of it.
 *
 * The orientations lie innermost, so that each step of a transform does the same to a run of
 * neighbours: whatever the length, loops are long and nothing is turned about. Real and imaginary
 * parts are in planes of their own. Columns are transformed in strips that stay in the nearest
 * cache, then each row; a row's modulus is taken while it is still there.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "imrep.h"

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define APART _Pragma("clang loop vectorize(assume_safety)") /* no two runs of a loop overlap */
#else
#define APART _Pragma("GCC ivdep")
#endif
#define MOST_FACTORS 32
#define LARGEST 31 /* prime factor; mirrored in imrep/ops/scatter_native.py */
#define MOST_LANES 64

typedef struct { /* mirrored in imrep/ops/scatter_native.py */
    int64_t n, count;
    int64_t factors[MOST_FACTORS];
    const float *roots; /* of each pass: exp(2 pi i p j / length) for p, then 0 < j < factor */
    const float *turns; /* of each factor f over 5: exp(2 pi i k / f) for 0 <= k < f */
} line;

/* The passes take s runs of `lanes` numbers as one run of length `run`. Input k of butterfly p is
 * run p + k m, output j is run p f + j, turned by root (p, j). */

INLINE void pass2(const float *restrict xr, const float *restrict xi, float *restrict yr,
                  float *restrict yi, int64_t m, int64_t run, const float *restrict w)
{
    for (int64_t p = 0; p < m; p++, w += 2) {
        const float *restrict ar = xr + p * run, *restrict ai = xi + p * run;
        const float *restrict br = ar + m * run, *restrict bi = ai + m * run;
        float *restrict r0 = yr + 2 * p * run, *restrict i0 = yi + 2 * p * run;
        float *restrict r1 = r0 + run, *restrict i1 = i0 + run;
        const float c = w[0], s = w[1];
        APART
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
    const float half = -0.5f, high = 0.86602540378443864676f;
    for (int64_t p = 0; p < m; p++, w += 4) {
        const float *restrict ar = xr + p * run, *restrict ai = xi + p * run;
        const float *restrict br = ar + m * run, *restrict bi = ai + m * run;
        const float *restrict cr = br + m * run, *restrict ci = bi + m * run;
        float *restrict r0 = yr + 3 * p * run, *restrict i0 = yi + 3 * p * run;
        float *restrict r1 = r0 + run, *restrict i1 = i0 + run;
        float *restrict r2 = r1 + run, *restrict i2 = i1 + run;
        const float c1 = w[0], s1 = w[1], c2 = w[2], s2 = w[3];
        APART
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
        APART
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
    const float ca = 0.30901699437494742410f, cb = -0.80901699437494742410f;
    const float sa = 0.95105651629515357212f, sb = 0.58778525229247312917f;
    for (int64_t p = 0; p < m; p++, w += 8) {
        const float *restrict ar = xr + p * run, *restrict ai = xi + p * run;
        const float *restrict br = ar + m * run, *restrict bi = ai + m * run;
        const float *restrict cr = br + m * run, *restrict ci = bi + m * run;
        const float *restrict dr = cr + m * run, *restrict di = ci + m * run;
        const float *restrict er = dr + m * run, *restrict ei = di + m * run;
        float *restrict yr0 = yr + 5 * p * run, *restrict yi0 = yi + 5 * p * run;
        APART
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

/* Any factor: two outputs, j and f - j, from sums and differences of inputs k and f - k. */
INLINE void pass_any(const float *restrict xr, const float *restrict xi, float *restrict yr,
                     float *restrict yi, int64_t f, int64_t m, int64_t run, const float *restrict w,
                     const float *restrict turn)
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
            for (int64_t from = 0; from < run; from += 16) {
                const int64_t some = run - from < 16 ? run - from : 16;
                const float *ar = xr + p * run + from, *ai = xi + p * run + from;
                /* Inputs k and f - k meet conjugate roots: their sum goes with the cosines, their
                 * difference with the sines, and outputs j and f - j share both. */
                float even_r[16] = {0}, even_i[16] = {0}, odd_r[16] = {0}, odd_i[16] = {0};
                memcpy(even_r, ar, some * sizeof *even_r);
                memcpy(even_i, ai, some * sizeof *even_i);
                for (int64_t k = 1; 2 * k < f; k++) {
                    const float cosine = turn[2 * (j * k % f)], sine = turn[2 * (j * k % f) + 1];
                    const float *br = ar + k * m * run, *bi = ai + k * m * run;
                    const float *cr = ar + (f - k) * m * run, *ci = ai + (f - k) * m * run;
                    if (some == 16) APART
                    for (int64_t i = 0; i < 16; i++) {
                        even_r[i] += cosine * (br[i] + cr[i]);
                        even_i[i] += cosine * (bi[i] + ci[i]);
                        odd_r[i] += sine * (br[i] - cr[i]);
                        odd_i[i] += sine * (bi[i] - ci[i]);
                    }
                    else APART
                    for (int64_t i = 0; i < some; i++) {
                        even_r[i] += cosine * (br[i] + cr[i]);
                        even_i[i] += cosine * (bi[i] + ci[i]);
                        odd_r[i] += sine * (br[i] - cr[i]);
                        odd_i[i] += sine * (bi[i] - ci[i]);
                    }
                }
                float *ur = yr + (f * p + j) * run + from, *ui = yi + (f * p + j) * run + from;
                float *vr = yr + (f * p + f - j) * run + from;
                float *vi = yi + (f * p + f - j) * run + from;
                APART
                for (int64_t i = 0; i < some; i++) {
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

/* Inverse transform, without 1/n, of `lanes` neighbours at once (Stockham's order: no reversal).
 * Parts are n * lanes apart. Gives whichever of the two buffers the result is in. */
INLINE float *back(float *x, float *y, const line *by, int64_t lanes)
{
    const int64_t apart = by->n * lanes;
    const float *w = by->roots, *turn = by->turns;
    int64_t left = by->n, s = lanes;
    for (int64_t i = 0; i < by->count; i++) {
        const int64_t f = by->factors[i], m = left / f;
        if (f == 4 && s == 8) /* a run known in advance needs no loop */
            pass4(x, x + apart, y, y + apart, m, 8, w);
        else if (f == 4)
            pass4(x, x + apart, y, y + apart, m, s, w);
        else if (f == 2)
            pass2(x, x + apart, y, y + apart, m, s, w);
        else if (f == 3)
            pass3(x, x + apart, y, y + apart, m, s, w);
        else if (f == 5)
            pass5(x, x + apart, y, y + apart, m, s, w);
        else {
            pass_any(x, x + apart, y, y + apart, f, m, s, w, turn);
            turn += 2 * f;
        }
        w += 2 * m * (f - 1);
        left = m;
        s *= f;
        float *other = x;
        x = y;
        y = other;
    }
    return x;
}

typedef struct {          /* mirrored in imrep/ops/scatter_native.py */
    line rows, columns;   /* of the result: transforms along a column, along a row */
    int64_t times, lanes; /* of subsampling; orientations */
    int64_t wide;         /* columns of a strip, but for the last */
    int64_t count;        /* of kept blocks */
    const int64_t *kept;  /* first row and column of each */
    const float *filters; /* strip by strip: (rows, its columns, count, lanes) */
} bank;

/* Where a column of a block is read in a spectrum of which half is known; the other half is its
 * conjugate in reverse. */
typedef struct {
    const float *at; /* in the row that comes next */
    int64_t step;    /* from row to row */
    float sign;      /* of the imaginary part */
} place;

INLINE void find_places(const float *spectrum, const bank *by, int64_t first, int64_t some,
                        place *places)
{
    const int64_t height = by->rows.n * by->times, width = by->columns.n * by->times;
    const int64_t row = 2 * (width / 2 + 1); /* floats of a known row */
    for (int64_t c = first; c < first + some; c++)
        for (int64_t b = 0; b < by->count; b++) {
            const int64_t r = by->kept[2 * b], column = by->kept[2 * b + 1] + c;
            *places++ =
                2 * column < row
                    ? (place){spectrum + r * row + 2 * column, row, 1}
                    : (place){spectrum + (height - r) * row + 2 * (width - column), -row, -1};
        }
}

typedef struct {                 /* mirrored in imrep/ops/scatter_native.py */
    int64_t height, width;       /* samples that are kept */
    const float *rows, *columns; /* (height, rows of the moduli), (width, their columns) */
} low;

typedef struct { /* at work */
    float *whole, *spare, *row, *moduli, *sums, *total;
    place *places;
} work;

/* What is read at a place, which then moves on. Row 0, in reverse row `height`, is not moved. */
INLINE const float *next(place *from, int first_of_all, int64_t height)
{
    const float *x = from->at;
    from->at += from->step;
    return first_of_all && from->step < 0 ? x + height * from->step : x;
}

#if defined(__GNUC__)
typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));
#endif

/* Sums of products of blocks, for some columns, into planes (rows, some * lanes) of both parts. */
INLINE void fold(const float *restrict spectrum, const bank *by, int64_t first, int64_t some,
                 int64_t lanes, float *restrict out, place *places)
{
    const int64_t m = by->rows.n, height = m * by->times, apart = m * some * lanes;
    const int64_t count = by->count;
    const float *restrict psi = by->filters + first * m * count * lanes;
    find_places(spectrum, by, first, some, places);
    for (int64_t r = 0; r < m; r++) {
        place *from = places;
        for (int64_t c = 0; c < some; c++, out += lanes) {
#if defined(__GNUC__)
            if (lanes == 8) { /* sums in registers */
                eight re = {0}, im = {0};
                for (int64_t b = 0; b < count; b++, from++, psi += 8) {
                    const float *x = next(from, !(by->kept[2 * b] + r), height);
                    const eight filter = *(const eight *)psi;
                    re += x[0] * filter;
                    im += from->sign * x[1] * filter;
                }
                *(eight *)out = re;
                *(eight *)(out + apart) = im;
                continue;
            }
#endif
            float re[MOST_LANES], im[MOST_LANES];
            for (int64_t t = 0; t < lanes; t++) re[t] = im[t] = 0;
            for (int64_t b = 0; b < count; b++, from++, psi += lanes) {
                const float *x = next(from, !(by->kept[2 * b] + r), height);
                const float a = x[0], z = from->sign * x[1];
                APART
                for (int64_t t = 0; t < lanes; t++) {
                    re[t] += a * psi[t];
                    im[t] += z * psi[t];
                }
            }
            for (int64_t t = 0; t < lanes; t++) {
                out[t] = re[t];
                out[apart + t] = im[t];
            }
        }
    }
}

/* Transforms along the columns. Strips lie whole one after the other. */
INLINE void columns_back(const float *spectrum, const bank *by, int64_t lanes, const work *in)
{
    const int64_t m = by->rows.n, n = by->columns.n, wide = by->wide;
    for (int64_t first = 0; first < n; first += wide) {
        const int64_t some = n - first < wide ? n - first : wide;
        float *strip = in->whole + 2 * m * first * lanes;
        const int even = by->rows.count % 2 == 0; /* so many passes end where they began */
        fold(spectrum, by, first, some, lanes, even ? strip : in->spare, in->places);
        back(even ? strip : in->spare, even ? in->spare : strip, &by->rows, some * lanes);
    }
}

/* Moduli of one row, gathered from all strips and transformed, into (columns, lanes). */
INLINE void row_moduli(const bank *by, int64_t r, int64_t lanes, const work *in,
                       float *restrict out)
{
    const int64_t m = by->rows.n, n = by->columns.n, wide = by->wide;
    const float scale = 1.0f / ((float)m * (float)n);
    for (int64_t first = 0; first < n; first += wide) {
        const int64_t run = (n - first < wide ? n - first : wide) * lanes;
        const float *from = in->whole + 2 * m * first * lanes + r * run;
        memcpy(in->row + first * lanes, from, run * sizeof *from);
        memcpy(in->row + (n + first) * lanes, from + m * run, run * sizeof *from);
    }
    const float *restrict re = back(in->row, in->row + 2 * n * lanes, &by->columns, lanes);
    const float *restrict im = re + n * lanes;
    APART
    for (int64_t i = 0; i < n * lanes; i++) out[i] = scale * sqrtf(re[i] * re[i] + im[i] * im[i]);
}

INLINE void moduli(const float *spectrum, const bank *by, int64_t lanes, float *out, const work *in)
{
    columns_back(spectrum, by, lanes, in);
    for (int64_t r = 0; r < by->rows.n; r++)
        row_moduli(by, r, lanes, in, out + r * by->columns.n * lanes);
}

IMREP_FAST static void some_moduli(const float *spectrum, const bank *by, float *out,
                                   const work *in)
{
    if (by->lanes == 8) /* the usual number, worth its own loops */
        moduli(spectrum, by, 8, out, in);
    else
        moduli(spectrum, by, by->lanes, out, in);
}

#if defined(__GNUC__)
/* rows (m', m) times the moduli of eight orientations times columns (n', n) transposed, into
 * (8, m', n'). The moduli are used up row by row, while they are in the nearest cache; they are
 * kept, (8, m, n), where there is a place for them. */
IMREP_FAST static void eight_averages(const float *spectrum, const bank *by, const low *to,
                                      float *restrict out, float *restrict kept, const work *in)
{
    const int64_t m = by->rows.n, n = by->columns.n, rows = to->height, columns = to->width;
    eight *total = (eight *)in->total, *sums = (eight *)in->sums;
    memset(total, 0, (size_t)(rows * columns) * sizeof *total);
    columns_back(spectrum, by, 8, in);
    for (int64_t r = 0; r < m; r++) {
        row_moduli(by, r, 8, in, in->moduli);
        const eight *x = (const eight *)in->moduli;
        for (int64_t t = 0; kept && t < 8; t++)
            for (int64_t i = 0; i < n; i++) kept[(t * m + r) * n + i] = in->moduli[8 * i + t];
        for (int64_t o = 0; o < columns; o += 4) { /* the last four may overlap those before */
            if (o > columns - 4) o = columns > 4 ? columns - 4 : 0;
            const float *w0 = to->columns + o * n;
            const float *w1 = columns > 1 ? w0 + n : w0, *w2 = columns > 2 ? w1 + n : w0;
            const float *w3 = columns > 3 ? w2 + n : w0;
            eight s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
            for (int64_t i = 0; i < n; i++) {
                s0 += w0[i] * x[i];
                s1 += w1[i] * x[i];
                s2 += w2[i] * x[i];
                s3 += w3[i] * x[i];
            }
            sums[o] = s0;
            sums[o + 1] = s1;
            sums[o + 2] = s2;
            sums[o + 3] = s3;
        }
        for (int64_t p = 0; p < rows; p++) {
            const float weight = to->rows[p * m + r];
            for (int64_t o = 0; o < columns; o++) total[p * columns + o] += weight * sums[o];
        }
    }
    for (int64_t i = 0; i < rows * columns; i++)
        for (int64_t t = 0; t < 8; t++) out[t * rows * columns + i] = total[i][t];
}
#endif

static int64_t floats(int64_t count, int64_t size)
{
    return (count * size + 63) / 64 * 16; /* so that the next one starts a line of the cache */
}

/* The parts of some scratch; gives how many floats they take. */
static int64_t arrange(float *scratch, const bank *by, const low *to, work *in)
{
    const int64_t m = by->rows.n, n = by->columns.n, one = sizeof(float);
    const int64_t whole = floats(2 * m * n * by->lanes, one);
    const int64_t spare = floats(2 * m * by->wide * by->lanes, one);
    const int64_t row = floats(4 * n * by->lanes, one),
                  places = floats(by->wide * by->count, sizeof(place));
    const int64_t line = floats(n * by->lanes, one);
    const int64_t sums = floats((to->width + 4) * by->lanes, one);
    const int64_t total = floats(to->height * to->width * by->lanes, one);
    if (scratch) {
        in->whole = scratch;
        in->spare = in->whole + whole;
        in->row = in->spare + spare;
        in->places = (place *)(in->row + row);
        in->moduli = (float *)in->places + places;
        in->sums = in->moduli + line;
        in->total = in->sums + sums;
    }
    return whole + spare + row + places + line + sums + total;
}

/* Floats of scratch for the two below; without a low-pass its sides are zero. */
IMREP_EXPORT int64_t imrep_scatter_scratch(const bank *by, const low *to)
{
    return arrange(NULL, by, to, NULL);
}

/* |x * psi| of `planes` half spectra (rows, columns / 2 + 1), complex, into (rows, columns, lanes)
 * each. */
IMREP_EXPORT void imrep_scatter_moduli(const float *spectra, int64_t planes, const bank *by,
                                       const low *to, float *out, float *scratch)
{
    const int64_t m = by->rows.n, n = by->columns.n, k = by->times;
    work in;
    arrange(scratch, by, to, &in);
    for (int64_t i = 0; i < planes; i++)
        some_moduli(spectra + i * 2 * (m * k) * (n * k / 2 + 1), by, out + i * m * n * by->lanes,
                    &in);
}

/* Their averages, into (8, height, width) each, and where `kept` is a place themselves, (8, rows,
 * columns) each; 0 where there are not eight orientations. */
IMREP_EXPORT int imrep_scatter_averages(const float *spectra, int64_t planes, const bank *by,
                                        const low *to, float *out, float *kept, float *scratch)
{
#if defined(__GNUC__)
    const int64_t m = by->rows.n, n = by->columns.n, k = by->times;
    work in;
    if (by->lanes != 8) return 0;
    arrange(scratch, by, to, &in);
    for (int64_t i = 0; i < planes; i++)
        eight_averages(spectra + i * 2 * (m * k) * (n * k / 2 + 1), by, to,
                       out + i * 8 * to->height * to->width, kept ? kept + i * 8 * m * n : NULL,
                       &in);
    return 1;
#else
    (void)spectra, (void)planes, (void)by, (void)to, (void)out, (void)kept, (void)scratch;
    return 0;
#endif
}
