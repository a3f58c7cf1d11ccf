/* The steps of Burt and Adelson's pyramids (doi:10.1109/TCOM.1983.1095851), for planes of float32
 * and of uint8, with the numbers of imrep.ops.pyramid.laplacian: there the borders and the rounding are told.
 *
 * Weights are times four, so that the near neighbours' is one: {1 - 2a, 1, 4a, 1, 1 - 2a}. The
 * float sums run in the order of the torch twin. Of bytes, times sixteen: {1, 4, 6, 4, 1}, and sums
 * fit in sixteen bits up to the rounding: 16 * 16 * 255 + 128 = 65408.
 */
#include <stddef.h>
#include <stdint.h>

#include "imrep.h"

#define MOST_LEVELS 62 /* halvings of the longest side there is */

typedef enum { EXPAND, SPLIT, JOIN } step;

typedef struct {
    float here, side;
} weights;

static weights weigh(double a) { return (weights){(float)(4 * a), (float)(1 - 2 * a)}; }

static int64_t halved(int64_t n) { return (n + 1) / 2; }

/* The place inside 0 … n - 1 that a mirror at each end, on the edge sample, shows at i. */
static int64_t mirrored(int64_t i, int64_t n)
{
    if (n == 1) return 0;
    while (i < 0 || i >= n) i = i < 0 ? -i : 2 * n - 2 - i;
    return i;
}

/* float32 */

IMREP_FAST static void blur_f32(const float *const rows[5], float *restrict line, int64_t width,
                                weights by)
{
    const float *restrict a = rows[0], *restrict b = rows[1], *restrict c = rows[2];
    const float *restrict d = rows[3], *restrict e = rows[4];
    for (int64_t x = 0; x < width; x++)
        line[x] = b[x] + d[x] + by.here * c[x] + by.side * (a[x] + e[x]);
}

IMREP_FAST static void halve_f32(const float *restrict line, float *restrict out, int64_t columns,
                                 weights by)
{
    for (int64_t j = 0; j < columns; j++) {
        const float *at = line + 2 * j;
        const float sum = at[-1] + at[1] + by.here * at[0] + by.side * (at[-2] + at[2]);
        out[j] = sum * (1 / 16.0f);
    }
}

IMREP_FAST static void widen_f32(const float *restrict low, float *restrict line, int64_t columns,
                                 weights by)
{
    const int64_t last = columns - 1;
    for (int64_t j = 1; j < last; j++) {
        line[2 * j] = by.here * low[j] + by.side * (low[j - 1] + low[j + 1]);
        line[2 * j + 1] = low[j] + low[j + 1];
    }
    for (int64_t j = 0; j <= last; j += last ? last : 1) {
        const float before = low[j ? j - 1 : last > 0], after = low[j < last ? j + 1 : last];
        line[2 * j] = by.here * low[j] + by.side * (before + after);
        line[2 * j + 1] = low[j] + after;
    }
}

IMREP_FAST static void even_f32(const float *restrict up, const float *restrict here,
                                const float *restrict down, float *restrict row, int64_t width,
                                weights by)
{
    for (int64_t x = 0; x < width; x++)
        row[x] = 0.25f * (by.here * here[x] + by.side * (up[x] + down[x]));
}

IMREP_FAST static void odd_f32(const float *restrict here, const float *restrict down,
                               float *restrict row, int64_t width)
{
    for (int64_t x = 0; x < width; x++) row[x] = 0.25f * (here[x] + down[x]);
}

IMREP_FAST static void lost_f32(const float *restrict x, const float *restrict row,
                                float *restrict band, int64_t width)
{
    for (int64_t i = 0; i < width; i++) band[i] = x[i] - row[i];
}

IMREP_FAST static void regained_f32(const float *restrict band, const float *restrict row,
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

/* uint8; the weights are fixed */

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

IMREP_FAST static void even_u8(const uint16_t *restrict up, const uint16_t *restrict here,
                               const uint16_t *restrict down, uint8_t *restrict row, int64_t width,
                               weights by)
{
    (void)by;
    for (int64_t x = 0; x < width; x++)
        row[x] = (uint8_t)((uint16_t)(up[x] + 6 * here[x] + down[x] + 32) >> 6);
}

IMREP_FAST static void odd_u8(const uint16_t *restrict here, const uint16_t *restrict down,
                              uint8_t *restrict row, int64_t width)
{
    for (int64_t x = 0; x < width; x++)
        row[x] = (uint8_t)((uint16_t)(4 * (here[x] + down[x]) + 32) >> 6);
}

IMREP_FAST static void lost_u8(const uint8_t *restrict x, const uint8_t *restrict row,
                               int16_t *restrict band, int64_t width)
{
    for (int64_t i = 0; i < width; i++) band[i] = (int16_t)(x[i] - row[i]);
}

/* Saturated: a band that was made coarser may point beyond white or black. */
IMREP_FAST static void regained_u8(const int16_t *restrict band, const uint8_t *restrict row,
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
