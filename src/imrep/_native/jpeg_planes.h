/* Dequantised planes: rows of 8 x 8 blocks to 64 rows of floats, one for each frequency. */
#ifndef IMREP_JPEG_PLANES_H
#define IMREP_JPEG_PLANES_H

#include "imrep.h"
#include "jpeg_reader.h"

#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
typedef int16_t int16x8 __attribute__((vector_size(16), aligned(2), may_alias));
typedef float float8 __attribute__((vector_size(32), aligned(4), may_alias));

#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)

/* One row of eight coefficients of each of eight blocks, transposed: out[u] holds frequency u of
 * all eight. A transpose is three perfect shuffles of rows i and i + 4. */
static inline void transpose(const int16_t *in, int16x8 out[DCTSIZE])
{
    int16x8 a[DCTSIZE], b[DCTSIZE];
    for (int i = 0; i < DCTSIZE; i++) a[i] = *(const int16x8 *)(in + i * DCTSIZE2);
    for (int i = 0; i < 4; i++) {
        b[2 * i] = INTERLEAVE_LOW(a[i], a[i + 4]);
        b[2 * i + 1] = INTERLEAVE_HIGH(a[i], a[i + 4]);
    }
    for (int i = 0; i < 4; i++) {
        a[2 * i] = INTERLEAVE_LOW(b[i], b[i + 4]);
        a[2 * i + 1] = INTERLEAVE_HIGH(b[i], b[i + 4]);
    }
    for (int i = 0; i < 4; i++) {
        out[2 * i] = INTERLEAVE_LOW(a[i], a[i + 4]);
        out[2 * i + 1] = INTERLEAVE_HIGH(a[i], a[i + 4]);
    }
}
#define TRANSPOSE 1
#endif

/* A row of `count` blocks times its table, to 64 rows of floats at distance `stride`. */
IMREP_FAST static void dequantise(const int16_t *in, int count, const uint16_t *table, float *out,
                                  size_t stride)
{
    for (int v = 0; v < DCTSIZE; v++) {
        int column = 0;
#ifdef TRANSPOSE
        for (; column + DCTSIZE <= count; column += DCTSIZE) {
            int16x8 rows[DCTSIZE];
            transpose(in + (size_t)column * DCTSIZE2 + v * DCTSIZE, rows);
            for (int u = 0; u < DCTSIZE; u++) {
                int k = v * DCTSIZE + u;
                *(float8 *)(out + k * stride + column) =
                    __builtin_convertvector(rows[u], float8) * (float)table[k];
            }
        }
#endif
        for (; column < count; column++) {
            const int16_t *block = in + (size_t)column * DCTSIZE2;
            for (int k = v * DCTSIZE; k < (v + 1) * DCTSIZE; k++)
                out[k * stride + column] = (float)block[k] * (float)table[k];
        }
    }
}

static void dequantise_row(reader *r, int c, int row, const int16_t *blocks)
{
    const facts *f = r->facts;
    const JQUANT_TBL *table = r->jpeg.comp_info[c].quant_table;
    if (row >= f->rows[c] || !table) return;
    dequantise(blocks, f->columns[c], table->quantval, r->planes[c] + (size_t)row * f->columns[c],
               (size_t)f->rows[c] * f->columns[c]);
}

/* Dequantises the band in the buffer: the next one was requested, or the scan has ended. */
static void flush_band(reader *r, int c)
{
    array *s = &r->arrays[c];
    int band_rows = r->facts->down[c];
    for (int i = 0; s->band >= 0 && i < band_rows; i++)
        dequantise_row(r, c, s->band * band_rows + i, (const int16_t *)s->rows[i]);
}

#endif
