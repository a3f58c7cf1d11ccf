/* DCT shrinkage of overlapping 8 x 8 blocks, for planes of float32: the same numbers as
 * imrep.edit.operations.denoise.shrinkage, which describes the method.
 *
 * Blocks stand at every (x, y) whose sum is a multiple of `stride`, mirrored at the borders. A
 * plane is worked on in tiles, block row after block row. Of a tile's row, pixels `stride` apart
 * lie side by side (its phases, one after the other), so that LANES neighbouring blocks are a
 * vector. Columns are transformed once per block row, for all blocks that share them; back as well.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "imrep.h"

#define SIDE 8
#define LANES 32
#define TILE 512               /* pixels across that the blocks of a tile begin in */
#define LINE (TILE + 4 * SIDE) /* numbers in a tile's row, at most */
#define LARGE 2.7f             /* deviations of noise */
#define TINY 1e-30f            /* keeps 0 / 0 at 0 */

/* cos(k pi / 16) / 2, but the mean's and the fourth wave's */
#define C1 0.49039264020161522f
#define C2 0.46193976625564337f
#define C3 0.41573480615127262f
#define C4 0.35355339059327376f
#define C5 0.27778511650980111f
#define C6 0.19134171618254489f
#define C7 0.09754516100806413f

typedef float lines[SIDE][LINE];
typedef float blocks[SIDE * SIDE][LANES];

typedef struct {
    const float *noisy, *guess;
    float *out;
    int64_t height, width, stride;
    float level;
} job;

/* The orthonormal DCT-II of eight numbers, by even and odd halves. */
#define FORWARD(x, X)                                                                              \
    do {                                                                                           \
        const float e0 = (x)[0] + (x)[7], e1 = (x)[1] + (x)[6];                                    \
        const float e2 = (x)[2] + (x)[5], e3 = (x)[3] + (x)[4];                                    \
        const float o0 = (x)[0] - (x)[7], o1 = (x)[1] - (x)[6];                                    \
        const float o2 = (x)[2] - (x)[5], o3 = (x)[3] - (x)[4];                                    \
        const float s0 = e0 + e3, s1 = e1 + e2, d0 = e0 - e3, d1 = e1 - e2;                        \
        (X)[0] = C4 * (s0 + s1);                                                                   \
        (X)[4] = C4 * (s0 - s1);                                                                   \
        (X)[2] = C2 * d0 + C6 * d1;                                                                \
        (X)[6] = C6 * d0 - C2 * d1;                                                                \
        (X)[1] = C1 * o0 + C3 * o1 + C5 * o2 + C7 * o3;                                            \
        (X)[3] = C3 * o0 - C7 * o1 - C1 * o2 - C5 * o3;                                            \
        (X)[5] = C5 * o0 - C1 * o1 + C7 * o2 + C3 * o3;                                            \
        (X)[7] = C7 * o0 - C5 * o1 + C3 * o2 - C1 * o3;                                            \
    } while (0)

/* Its transpose, and inverse. */
#define BACKWARD(X, x)                                                                             \
    do {                                                                                           \
        const float s0 = C4 * ((X)[0] + (X)[4]), s1 = C4 * ((X)[0] - (X)[4]);                      \
        const float d0 = C2 * (X)[2] + C6 * (X)[6], d1 = C6 * (X)[2] - C2 * (X)[6];                \
        const float e0 = s0 + d0, e1 = s1 + d1, e2 = s1 - d1, e3 = s0 - d0;                        \
        const float o0 = C1 * (X)[1] + C3 * (X)[3] + C5 * (X)[5] + C7 * (X)[7];                    \
        const float o1 = C3 * (X)[1] - C7 * (X)[3] - C1 * (X)[5] - C5 * (X)[7];                    \
        const float o2 = C5 * (X)[1] - C1 * (X)[3] + C7 * (X)[5] + C3 * (X)[7];                    \
        const float o3 = C7 * (X)[1] - C5 * (X)[3] + C3 * (X)[5] - C1 * (X)[7];                    \
        (x)[0] = e0 + o0, (x)[1] = e1 + o1, (x)[2] = e2 + o2, (x)[3] = e3 + o3;                    \
        (x)[7] = e0 - o0, (x)[6] = e1 - o1, (x)[5] = e2 - o2, (x)[4] = e3 - o3;                    \
    } while (0)

static int64_t mirrored(int64_t i, int64_t n)
{
    while (i < 0 || i >= n) i = i < 0 ? -i : 2 * n - 2 - i;
    return i;
}

/* Columns of eight rows, of which row y is rows[y % 8], to their waves. */
IMREP_FAST static void columns_forward(const lines rows, int64_t y, lines waves, int64_t size)
{
    const float *restrict a = rows[y & 7], *restrict b = rows[(y + 1) & 7];
    const float *restrict c = rows[(y + 2) & 7], *restrict d = rows[(y + 3) & 7];
    const float *restrict e = rows[(y + 4) & 7], *restrict f = rows[(y + 5) & 7];
    const float *restrict g = rows[(y + 6) & 7], *restrict h = rows[(y + 7) & 7];
    float (*restrict to)[LINE] = waves;
    for (int64_t i = 0; i < size; i++) {
        const float x[SIDE] = {a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]};
        float X[SIDE];
        FORWARD(x, X);
        for (int k = 0; k < SIDE; k++) to[k][i] = X[k];
    }
}

/* Columns of waves back, in their place, and added to eight rows. */
IMREP_FAST static void columns_backward(lines waves, lines rows, int64_t y, int64_t size)
{
    float (*restrict here)[LINE] = waves;
    for (int64_t i = 0; i < size; i++) {
        float X[SIDE], x[SIDE];
        for (int k = 0; k < SIDE; k++) X[k] = here[k][i];
        BACKWARD(X, x);
        for (int k = 0; k < SIDE; k++) here[k][i] = x[k];
    }
    for (int k = 0; k < SIDE; k++) {
        float *restrict to = rows[(y + k) & 7];
        for (int64_t i = 0; i < size; i++) to[i] += here[k][i];
    }
}

/* Rows of waves, from place `first`, to coefficients of LANES blocks whose pixel k is `at[k]` on.
 */
IMREP_FAST static void rows_forward(const lines waves, int64_t first, const int64_t at[SIDE],
                                    blocks made)
{
    for (int u = 0; u < SIDE; u++) {
        const float *line = waves[u] + first;
        const float *a = line + at[0], *b = line + at[1], *c = line + at[2], *d = line + at[3];
        const float *e = line + at[4], *f = line + at[5], *g = line + at[6], *h = line + at[7];
        float (*restrict to)[LANES] = made + u * SIDE;
        for (int i = 0; i < LANES; i++) {
            const float x[SIDE] = {a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]};
            float X[SIDE];
            FORWARD(x, X);
            for (int k = 0; k < SIDE; k++) to[k][i] = X[k];
        }
    }
}

/* Weighted coefficients back to rows of waves, added where they overlap. */
IMREP_FAST static void rows_backward(const blocks some, const float *restrict weight, lines waves,
                                     int64_t first, const int64_t at[SIDE])
{
    float taps[SIDE][LANES];
    for (int u = 0; u < SIDE; u++) {
        const float (*restrict from)[LANES] = some + u * SIDE;
        for (int i = 0; i < LANES; i++) {
            float X[SIDE], x[SIDE];
            for (int k = 0; k < SIDE; k++) X[k] = from[k][i];
            BACKWARD(X, x);
            for (int k = 0; k < SIDE; k++) taps[k][i] = weight[i] * x[k];
        }
        for (int k = 0; k < SIDE; k++) {
            float *restrict to = waves[u] + first + at[k];
            for (int i = 0; i < LANES; i++) to[i] += taps[k][i];
        }
    }
}

/* What noise hardly reaches stays; the weight is one over the noise that stays with it. */
IMREP_FAST static void keep_large(blocks some, float level, float *restrict weight)
{
    float count[LANES];
    for (int i = 0; i < LANES; i++) count[i] = 1;
    for (int k = 1; k < SIDE * SIDE; k++) {
        float *restrict x = some[k];
        for (int i = 0; i < LANES; i++) {
            const float keep = fabsf(x[i]) > LARGE * level ? 1.0f : 0.0f;
            count[i] += keep;
            x[i] *= keep;
        }
    }
    for (int i = 0; i < LANES; i++) weight[i] = 1 / count[i];
}

/* Of each coefficient the share that the guess says is signal (Wiener). */
IMREP_FAST static void keep_likely(blocks some, const blocks guess, float level,
                                   float *restrict weight)
{
    const float noise = level * level + TINY;
    float count[LANES];
    for (int i = 0; i < LANES; i++) count[i] = 1;
    for (int k = 1; k < SIDE * SIDE; k++) {
        float *restrict x = some[k];
        const float *restrict like = guess[k];
        for (int i = 0; i < LANES; i++) {
            const float signal = like[i] * like[i], share = signal / (signal + noise);
            count[i] += share * share;
            x[i] *= share;
        }
    }
    for (int i = 0; i < LANES; i++) weight[i] = 1 / count[i];
}

/* The weights of LANES blocks at their columns. */
IMREP_FAST static void spread(const float *restrict weight, float *restrict cover,
                              const int64_t at[SIDE])
{
    for (int k = 0; k < SIDE; k++) {
        float *restrict to = cover + at[k];
        for (int i = 0; i < LANES; i++) to[i] += weight[i];
    }
}

IMREP_FAST static void add_to_each(lines rows, const float *restrict line, int64_t size)
{
    for (int k = 0; k < SIDE; k++) {
        float *restrict to = rows[k];
        for (int64_t i = 0; i < size; i++) to[i] += line[i];
    }
}

/* Sums over their weights; both begin anew. */
IMREP_FAST static void mean(float *restrict sum, float *restrict all, float *restrict line,
                            int64_t size)
{
    for (int64_t i = 0; i < size; i++) {
        line[i] = sum[i] / all[i];
        sum[i] = all[i] = 0;
    }
}

IMREP_FAST static void load(const float *restrict row, const int32_t *restrict place,
                            float *restrict line, int64_t size)
{
    for (int64_t i = 0; i < size; i++) line[i] = row[place[i]];
}

/* Blocks that begin left of a tile and reach into it. */
static int64_t blocks_before(int64_t stride) { return (SIDE - 2 + stride) / stride; }

/* Columns of a tile: as many as make the blocks that reach into it fill whole vectors. */
static int64_t columns_of(int64_t stride)
{
    return (TILE / (stride * LANES) * LANES - blocks_before(stride)) * stride;
}

/* The columns of a tile from `left` on, in the rows from `top` to `end`. */
static void tile(const job *by, int64_t top, int64_t end, int64_t left)
{
    lines noisy, guess, noisy_waves, guess_waves, waves, total, covered;
    blocks some, like;
    float weight[LANES], cover[LINE], line[LINE];
    int32_t place[LINE];
    const int64_t s = by->stride, before = blocks_before(s), most = columns_of(s);
    const int64_t columns = by->width - left < most ? by->width - left : most;
    const int64_t groups = (before + (columns + s - 1) / s + LANES - 1) / LANES;
    const int64_t phase = groups * LANES + (SIDE - 2) / s + 2, size = s * phase;
    for (int64_t i = 0; i < size; i++) {
        const int64_t x = left + (i % phase - before) * s + i / phase;
        place[i] = (int32_t)mirrored(x, by->width);
    }
    memset(total, 0, sizeof total);
    memset(covered, 0, sizeof covered);
    int64_t loaded = top - SIDE + 1;
    for (int64_t y = top - SIDE + 1; y < end; y++) {
        for (; loaded < y + SIDE; loaded++) {
            const int64_t start = mirrored(loaded, by->height) * by->width;
            load(by->noisy + start, place, noisy[loaded & 7], size);
            if (by->guess) load(by->guess + start, place, guess[loaded & 7], size);
        }
        int64_t at[SIDE];
        for (int64_t k = 0; k < SIDE; k++) {
            const int64_t x = (s - y % s) % s + k;
            at[k] = x % s * phase + x / s;
        }
        columns_forward(noisy, y, noisy_waves, size);
        if (by->guess) columns_forward(guess, y, guess_waves, size);
        memset(waves, 0, sizeof waves);
        memset(cover, 0, sizeof cover);
        for (int64_t first = 0; first < groups * LANES; first += LANES) {
            rows_forward(noisy_waves, first, at, some);
            if (by->guess) {
                rows_forward(guess_waves, first, at, like);
                keep_likely(some, like, by->level, weight);
            } else {
                keep_large(some, by->level, weight);
            }
            rows_backward(some, weight, waves, first, at);
            spread(weight, cover + first, at);
        }
        columns_backward(waves, total, y, size);
        add_to_each(covered, cover, size);
        mean(total[y & 7], covered[y & 7], line, size); /* no block below reaches this row */
        for (int64_t p = 0; p < s && y >= top; p++) {
            float *to = by->out + y * by->width + left;
            const float *from = line + p * phase + before;
            for (int64_t x = p; x < columns; x += s) to[x] = *from++;
        }
    }
}

/* Rows of `out` from `top` to `end`: of `noisy` what is large, or, given a guess, what it makes
 * likely. All planes are (height, width), stride is 1 to 8; rows may be made at the same time. */
IMREP_EXPORT void imrep_shrink_f32(const float *noisy, const float *guess, float *out,
                                   int64_t height, int64_t width, int64_t stride, double level,
                                   int64_t top, int64_t end)
{
    const job by = {noisy, guess, out, height, width, stride, (float)level};
    for (int64_t left = 0; left < width; left += columns_of(stride)) tile(&by, top, end, left);
}
