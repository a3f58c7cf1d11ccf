/* One layer of the scattering transform (Bruna and Mallat, doi:10.1109/TPAMI.2012.230) in float32,
 * equal to represent/multiscale/scattering/transform.py: wavelets times a spectrum, subsampled by
 * folding the spectrum, inverse FFT, modulus.
 *
 * The orientations ("lanes") are innermost, see fft.h. Columns are transformed in strips that stay
 * in the L1 cache, then each row; a row's modulus is taken while the row is still in the cache.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fft.h"
#include "imrep.h"

#define MAX_LANES 64

typedef struct {            /* mirrored in represent/multiscale/scattering/native.py */
    axis rows, columns;     /* transforms along a column, along a row, of the result */
    int64_t factor;         /* of the subsampling */
    int64_t lanes;          /* orientations */
    int64_t strip_width;    /* columns of a strip; the last may be narrower */
    int64_t count;          /* of blocks: the parts of the spectrum where filters are not zero */
    const int64_t *corners; /* first row and column of each block */
    const float *filters;   /* strip by strip: (rows, its columns, count, lanes) */
} filter_bank;

typedef struct {                 /* mirrored in represent/multiscale/scattering/native.py */
    int64_t height, width;       /* of the averages */
    const float *rows, *columns; /* weights (height, rows of the moduli), (width, their columns) */
} low_pass;

/* Reads one column of a block, row by row. The spectrum of a real image is stored for columns 0 …
 * width / 2; entry (r, c) of the others is the conjugate of (height - r, width - c), so that such a
 * column is read upwards. */
typedef struct {
    const float *at; /* the next entry */
    int64_t step;    /* to the entry after it */
    float sign;      /* of the imaginary part */
} cursor;

typedef struct {
    float *spectra; /* strips after the transforms along columns: each (real, imaginary) parts of
                     * (rows, its columns, lanes) */
    float *spare;   /* the second buffer of a strip's FFT */
    float *row;     /* a row's two buffers, (real, imaginary) of (columns, lanes) each */
    cursor *cursors;
    float *moduli; /* of a row, (columns, lanes) */
    float *sums;   /* of a row times the low-pass's columns, (width, lanes) */
    float *total;  /* weighted sums over rows, (height, width, lanes) */
} workspace;

INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* A cursor for each column of a strip and each block, blocks innermost, at the block's first row.
 */
INLINE void place_cursors(const float *spectrum, const filter_bank *bank, int64_t first,
                          int64_t strip, cursor *cursors)
{
    const int64_t height = bank->rows.n * bank->factor, width = bank->columns.n * bank->factor;
    const int64_t row = 2 * (width / 2 + 1); /* floats of a stored row */
    for (int64_t c = first; c < first + strip; c++)
        for (int64_t b = 0; b < bank->count; b++) {
            const int64_t r = bank->corners[2 * b], column = bank->corners[2 * b + 1] + c;
            *cursors++ =
                2 * column < row
                    ? (cursor){spectrum + r * row + 2 * column, row, 1}
                    : (cursor){spectrum + (height - r) * row + 2 * (width - column), -row, -1};
        }
}

/* The entry at a cursor, which then advances. Row 0 is its own mirror image, but a reversed cursor
 * starts at row `height`: its first entry is read there instead. */
INLINE const float *advance(cursor *from, int row_zero, int64_t height)
{
    const float *x = from->at;
    from->at += from->step;
    return row_zero && from->step < 0 ? x + height * from->step : x;
}

#if defined(__GNUC__)
typedef float float8 __attribute__((vector_size(32), aligned(4), may_alias));
#endif

/* Spectrum times filters, folded: entries that the subsampling makes coincide are summed over the
 * blocks. Writes the (real, imaginary) parts of a strip, (rows, strip, lanes) each. */
INLINE void fold(const float *restrict spectrum, const filter_bank *bank, int64_t first,
                 int64_t strip, int64_t lanes, float *restrict out, cursor *cursors)
{
    const int64_t m = bank->rows.n, height = m * bank->factor, part = m * strip * lanes;
    const int64_t count = bank->count;
    const float *restrict psi = bank->filters + first * m * count * lanes;
    place_cursors(spectrum, bank, first, strip, cursors);
    for (int64_t r = 0; r < m; r++) {
        cursor *from = cursors;
        for (int64_t c = 0; c < strip; c++, out += lanes) {
#if defined(__GNUC__)
            if (lanes == 8) { /* sums stay in one register each */
                float8 re = {0}, im = {0};
                for (int64_t b = 0; b < count; b++, from++, psi += 8) {
                    const float *x = advance(from, !(bank->corners[2 * b] + r), height);
                    const float8 filter = *(const float8 *)psi;
                    re += x[0] * filter;
                    im += from->sign * x[1] * filter;
                }
                *(float8 *)out = re;
                *(float8 *)(out + part) = im;
                continue;
            }
#endif
            float re[MAX_LANES], im[MAX_LANES];
            for (int64_t t = 0; t < lanes; t++) re[t] = im[t] = 0;
            for (int64_t b = 0; b < count; b++, from++, psi += lanes) {
                const float *x = advance(from, !(bank->corners[2 * b] + r), height);
                const float a = x[0], z = from->sign * x[1];
                IVDEP
                for (int64_t t = 0; t < lanes; t++) {
                    re[t] += a * psi[t];
                    im[t] += z * psi[t];
                }
            }
            for (int64_t t = 0; t < lanes; t++) {
                out[t] = re[t];
                out[part + t] = im[t];
            }
        }
    }
}

/* Transforms along the columns, strip by strip, into `spectra`. */
INLINE void transform_columns(const float *spectrum, const filter_bank *bank, int64_t lanes,
                              const workspace *w)
{
    const int64_t m = bank->rows.n, n = bank->columns.n;
    for (int64_t first = 0; first < n; first += bank->strip_width) {
        const int64_t strip = smaller(bank->strip_width, n - first);
        float *result = w->spectra + 2 * m * first * lanes;
        /* The passes alternate between two buffers: an even number ends where it began. */
        const int even = bank->rows.count % 2 == 0;
        float *start = even ? result : w->spare, *second = even ? w->spare : result;
        fold(spectrum, bank, first, strip, lanes, start, w->cursors);
        inverse_fft(start, second, &bank->rows, strip * lanes);
    }
}

/* Moduli of one row, gathered from all strips and transformed, into (columns, lanes). */
INLINE void row_moduli(const filter_bank *bank, int64_t r, int64_t lanes, const workspace *w,
                       float *restrict out)
{
    const int64_t m = bank->rows.n, n = bank->columns.n;
    const float scale = 1.0f / ((float)m * (float)n);
    for (int64_t first = 0; first < n; first += bank->strip_width) {
        const int64_t run = smaller(bank->strip_width, n - first) * lanes;
        const float *real = w->spectra + 2 * m * first * lanes + r * run;
        const float *imaginary = real + m * run;
        memcpy(w->row + first * lanes, real, run * sizeof *real);
        memcpy(w->row + (n + first) * lanes, imaginary, run * sizeof *imaginary);
    }
    const float *restrict re = inverse_fft(w->row, w->row + 2 * n * lanes, &bank->columns, lanes);
    const float *restrict im = re + n * lanes;
    IVDEP
    for (int64_t i = 0; i < n * lanes; i++) out[i] = scale * sqrtf(re[i] * re[i] + im[i] * im[i]);
}

INLINE void moduli(const float *spectrum, const filter_bank *bank, int64_t lanes, float *out,
                   const workspace *w)
{
    transform_columns(spectrum, bank, lanes, w);
    for (int64_t r = 0; r < bank->rows.n; r++)
        row_moduli(bank, r, lanes, w, out + r * bank->columns.n * lanes);
}

IMREP_FAST static void plane_moduli(const float *spectrum, const filter_bank *bank, float *out,
                                    const workspace *w)
{
    if (bank->lanes == 8) /* the default: constant loop lengths */
        moduli(spectrum, bank, 8, out, w);
    else
        moduli(spectrum, bank, bank->lanes, out, w);
}

#if defined(__GNUC__)
/* Low-pass averages of eight orientations: rows (m', m) times the moduli times columns (n', n)
 * transposed, into (8, m', n'). Each row of moduli is consumed while it is in the L1 cache. The
 * moduli themselves go to `copy`, (8, m, n), unless it is NULL. */
IMREP_FAST static void averages8(const float *spectrum, const filter_bank *bank,
                                 const low_pass *low, float *restrict out, float *restrict copy,
                                 const workspace *w)
{
    const int64_t m = bank->rows.n, n = bank->columns.n, rows = low->height, columns = low->width;
    float8 *total = (float8 *)w->total, *sums = (float8 *)w->sums;
    memset(total, 0, (size_t)(rows * columns) * sizeof *total);
    transform_columns(spectrum, bank, 8, w);
    for (int64_t r = 0; r < m; r++) {
        row_moduli(bank, r, 8, w, w->moduli);
        const float8 *x = (const float8 *)w->moduli;
        for (int64_t t = 0; copy && t < 8; t++)
            for (int64_t i = 0; i < n; i++) copy[(t * m + r) * n + i] = w->moduli[8 * i + t];
        for (int64_t o = 0; o < columns; o += 4) { /* four sums in registers at a time */
            if (o > columns - 4) o = columns > 4 ? columns - 4 : 0; /* the last overlap others */
            const float *w0 = low->columns + o * n;
            const float *w1 = columns > 1 ? w0 + n : w0, *w2 = columns > 2 ? w1 + n : w0;
            const float *w3 = columns > 3 ? w2 + n : w0;
            float8 s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
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
            const float weight = low->rows[p * m + r];
            for (int64_t o = 0; o < columns; o++) total[p * columns + o] += weight * sums[o];
        }
    }
    for (int64_t i = 0; i < rows * columns; i++)
        for (int64_t t = 0; t < 8; t++) out[t * rows * columns + i] = total[i][t];
}
#endif

/* Floats for so many items, rounded up so that the next array starts a cache line of 64 bytes. */
static int64_t padded(int64_t count, int64_t bytes) { return (count * bytes + 63) / 64 * 16; }

/* Divides `memory`, unless it is NULL, into the arrays of a workspace; returns the floats needed.
 */
static int64_t divide(float *memory, const filter_bank *bank, const low_pass *low, workspace *w)
{
    const int64_t m = bank->rows.n, n = bank->columns.n, lanes = bank->lanes;
    const int64_t spectra = padded(2 * m * n * lanes, sizeof(float));
    const int64_t spare = padded(2 * m * bank->strip_width * lanes, sizeof(float));
    const int64_t row = padded(4 * n * lanes, sizeof(float));
    const int64_t cursors = padded(bank->strip_width * bank->count, sizeof(cursor));
    const int64_t moduli = padded(n * lanes, sizeof(float));
    const int64_t sums = padded((low->width + 4) * lanes, sizeof(float)); /* groups of four */
    const int64_t total = padded(low->height * low->width * lanes, sizeof(float));
    if (memory) {
        w->spectra = memory;
        w->spare = w->spectra + spectra;
        w->row = w->spare + spare;
        w->cursors = (cursor *)(w->row + row);
        w->moduli = (float *)w->cursors + cursors;
        w->sums = w->moduli + moduli;
        w->total = w->sums + sums;
    }
    return spectra + spare + row + cursors + moduli + sums + total;
}

/* Floats of scratch memory for the two functions below; the sides of an absent low-pass are zero.
 */
IMREP_EXPORT int64_t imrep_scatter_scratch(const filter_bank *bank, const low_pass *low)
{
    return divide(NULL, bank, low, NULL);
}

/* |x * psi| of `planes` half spectra (rows, columns / 2 + 1), complex, into (rows, columns, lanes)
 * each. */
IMREP_EXPORT void imrep_scatter_moduli(const float *spectra, int64_t planes,
                                       const filter_bank *bank, const low_pass *low, float *out,
                                       float *scratch)
{
    const int64_t m = bank->rows.n, n = bank->columns.n, k = bank->factor;
    workspace w;
    divide(scratch, bank, low, &w);
    for (int64_t i = 0; i < planes; i++)
        plane_moduli(spectra + i * 2 * (m * k) * (n * k / 2 + 1), bank,
                     out + i * m * n * bank->lanes, &w);
}

/* Their averages, into (8, height, width) each, and the moduli, into (8, rows, columns) of `copy`
 * each unless it is NULL. Returns 0 unless there are eight orientations. */
IMREP_EXPORT int imrep_scatter_averages(const float *spectra, int64_t planes,
                                        const filter_bank *bank, const low_pass *low, float *out,
                                        float *copy, float *scratch)
{
#if defined(__GNUC__)
    const int64_t m = bank->rows.n, n = bank->columns.n, k = bank->factor;
    workspace w;
    if (bank->lanes != 8) return 0;
    divide(scratch, bank, low, &w);
    for (int64_t i = 0; i < planes; i++)
        averages8(spectra + i * 2 * (m * k) * (n * k / 2 + 1), bank, low,
                  out + i * 8 * low->height * low->width, copy ? copy + i * 8 * m * n : NULL, &w);
    return 1;
#else
    (void)spectra, (void)planes, (void)bank, (void)low, (void)out, (void)copy, (void)scratch;
    return 0;
#endif
}
