/* Burt and Adelson's pyramids (doi:10.1109/TCOM.1983.1095851) for planes of float32 and of uint8,
 * equal to ops/pyramid/laplacian.py, which documents borders and rounding.
 *
 * float32: the kernel is scaled by four, {1 - 2a, 1, 4a, 1, 1 - 2a}, so that two products vanish.
 * Sums run in the order of the torch reference.
 * uint8: the kernel is scaled by sixteen, {1, 4, 6, 4, 1}. A two-dimensional sum with its rounding
 * term fits in sixteen bits: 16 * 16 * 255 + 128 = 65408.
 */
#include <stddef.h>
#include <stdint.h>

#include "imrep.h"

#define MAX_LEVELS 62 /* halvings of a 63-bit length */

typedef enum { EXPAND, SPLIT, JOIN } step;

typedef struct {
    float centre, outer;
} weights;

static weights weigh(double a) { return (weights){(float)(4 * a), (float)(1 - 2 * a)}; }

static int64_t halved(int64_t n) { return (n + 1) / 2; }

/* Reflected index in 0 … n - 1; the edge sample is not repeated. */
static int64_t reflected(int64_t i, int64_t n)
{
    if (n == 1) return 0;
    while (i < 0 || i >= n) i = i < 0 ? -i : 2 * n - 2 - i;
    return i;
}

/* -- float32 ------------------------------------------------------------------------------------
 */

/* Vertical pass of reduce: five rows to one line of weighted sums. */
IMREP_FAST static void blur_f32(const float *const rows[5], float *restrict line, int64_t width,
                                weights by)
{
    const float *restrict a = rows[0], *restrict b = rows[1], *restrict c = rows[2];
    const float *restrict d = rows[3], *restrict e = rows[4];
    for (int64_t x = 0; x < width; x++)
        line[x] = b[x] + d[x] + by.centre * c[x] + by.outer * (a[x] + e[x]);
}

/* Horizontal pass of reduce: the kernel at every second sample. */
IMREP_FAST static void halve_f32(const float *restrict line, float *restrict out, int64_t columns,
                                 weights by)
{
    for (int64_t j = 0; j < columns; j++) {
        const float *at = line + 2 * j;
        const float sum = at[-1] + at[1] + by.centre * at[0] + by.outer * (at[-2] + at[2]);
        out[j] = sum * (1 / 16.0f);
    }
}

/* Horizontal pass of expand: an even sample from three small ones, an odd one from two. The first
 * and the last have reflected neighbours. */
IMREP_FAST static void widen_f32(const float *restrict low, float *restrict line, int64_t columns,
                                 weights by)
{
    const int64_t last = columns - 1;
    for (int64_t j = 1; j < last; j++) {
        line[2 * j] = by.centre * low[j] + by.outer * (low[j - 1] + low[j + 1]);
        line[2 * j + 1] = low[j] + low[j + 1];
    }
    for (int64_t j = 0; j <= last; j += last ? last : 1) {
        const float before = low[j ? j - 1 : last > 0], after = low[j < last ? j + 1 : last];
        line[2 * j] = by.centre * low[j] + by.outer * (before + after);
        line[2 * j + 1] = low[j] + after;
    }
}

/* Vertical pass of expand, for even and odd rows. */
IMREP_FAST static void even_row_f32(const float *restrict up, const float *restrict here,
                                    const float *restrict down, float *restrict row, int64_t width,
                                    weights by)
{
    for (int64_t x = 0; x < width; x++)
        row[x] = 0.25f * (by.centre * here[x] + by.outer * (up[x] + down[x]));
}

IMREP_FAST static void odd_row_f32(const float *restrict here, const float *restrict down,
                                   float *restrict row, int64_t width)
{
    for (int64_t x = 0; x < width; x++) row[x] = 0.25f * (here[x] + down[x]);
}

IMREP_FAST static void subtract_f32(const float *restrict x, const float *restrict row,
                                    float *restrict band, int64_t width)
{
    for (int64_t i = 0; i < width; i++) band[i] = x[i] - row[i];
}

IMREP_FAST static void add_f32(const float *restrict band, const float *restrict row,
                               float *restrict out, int64_t width)
{
    for (int64_t i = 0; i < width; i++) out[i] = band[i] + row[i];
}

#define NAME(x) x##_f32
#define PIXEL float
#define BAND float
#define LINE float
#include "pyramid_plane.h"
#undef NAME
#undef PIXEL
#undef BAND
#undef LINE

/* -- uint8: the weights are fixed ----------------------------------------------------------------
 */

IMREP_FAST static void blur_u8(const uint8_t *const rows[5], uint16_t *restrict line, int64_t width,
                               weights by)
{
    (void)by;
    const uint8_t *restrict a = rows[0], *restrict b = rows[1], *restrict c = rows[2];
    const uint8_t *restrict d = rows[3], *restrict e = rows[4];
    for (int64_t x = 0; x < width; x++)
        line[x] = (uint16_t)(a[x] + 4 * (b[x] + d[x]) + 6 * c[x] + e[x]);
}

IMREP_FAST static void halve_u8(const uint16_t *restrict line, uint8_t *restrict out,
                                int64_t columns, weights by)
{
    (void)by;
    for (int64_t j = 0; j < columns; j++) {
        const uint16_t *at = line + 2 * j;
        const uint16_t sum = (uint16_t)(at[-2] + 4 * (at[-1] + at[1]) + 6 * at[0] + at[2] + 128);
        out[j] = (uint8_t)(sum >> 8);
    }
}

IMREP_FAST static void widen_u8(const uint8_t *restrict low, uint16_t *restrict line,
                                int64_t columns, weights by)
{
    (void)by;
    const int64_t last = columns - 1;
    for (int64_t j = 1; j < last; j++) {
        line[2 * j] = (uint16_t)(low[j - 1] + 6 * low[j] + low[j + 1]);
        line[2 * j + 1] = (uint16_t)(4 * (low[j] + low[j + 1]));
    }
    for (int64_t j = 0; j <= last; j += last ? last : 1) {
        const uint8_t before = low[j ? j - 1 : last > 0], after = low[j < last ? j + 1 : last];
        line[2 * j] = (uint16_t)(before + 6 * low[j] + after);
        line[2 * j + 1] = (uint16_t)(4 * (low[j] + after));
    }
}

IMREP_FAST static void even_row_u8(const uint16_t *restrict up, const uint16_t *restrict here,
                                   const uint16_t *restrict down, uint8_t *restrict row,
                                   int64_t width, weights by)
{
    (void)by;
    for (int64_t x = 0; x < width; x++)
        row[x] = (uint8_t)((uint16_t)(up[x] + 6 * here[x] + down[x] + 32) >> 6);
}

IMREP_FAST static void odd_row_u8(const uint16_t *restrict here, const uint16_t *restrict down,
                                  uint8_t *restrict row, int64_t width)
{
    for (int64_t x = 0; x < width; x++)
        row[x] = (uint8_t)((uint16_t)(4 * (here[x] + down[x]) + 32) >> 6);
}

IMREP_FAST static void subtract_u8(const uint8_t *restrict x, const uint8_t *restrict row,
                                   int16_t *restrict band, int64_t width)
{
    for (int64_t i = 0; i < width; i++) band[i] = (int16_t)(x[i] - row[i]);
}

/* Saturating: a quantised band may lead beyond black or white. */
IMREP_FAST static void add_u8(const int16_t *restrict band, const uint8_t *restrict row,
                              uint8_t *restrict out, int64_t width)
{
    for (int64_t i = 0; i < width; i++) {
        const int32_t sum = band[i] + row[i];
        out[i] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}

#define NAME(x) x##_u8
#define PIXEL uint8_t
#define BAND int16_t
#define LINE uint16_t
#include "pyramid_plane.h"
