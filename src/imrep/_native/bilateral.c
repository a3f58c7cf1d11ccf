/* Splat and slice of the bilateral grid (S. Paris and F. Durand, doi:10.1007/s11263-007-0110-8),
 * equal to ops/bilateral/grid.py.
 *
 * A grid is (rows, planes, columns, depths); its last plane holds the weights. Depths are
 * innermost, since a pixel interpolates between two adjacent ones.
 */
#include <math.h>
#include <stdint.h>

#include "imrep.h"

/* The lower of the two depths around a guide value; `part` is the fraction of the way to the upper.
 */
static inline int64_t depth_of(float value, float low, float scale, int64_t depths, float *part)
{
    float z = (value - low) * scale;
    float under = floorf(z);
    float last = (float)(depths - 2);
    under = under < 0 ? 0 : under > last ? last : under;
    *part = z - under;
    return (int64_t)under;
}

/* Splat: adds the image rows first … last - 1, minus `middle`, and weights of one to `table`,
 * (rows, channels + 1, columns, depths), whose first row is row `begin` of the grid. Border pixels
 * have half the weight, since the image is mirrored there. `row_of` and `column_of` are the nearest
 * nodes of each pixel; image and guide are complete planes of height x width. */
IMREP_EXPORT void imrep_bilateral_splat_f32(const float *image, const float *guide,
                                            const int32_t *row_of, const int32_t *column_of,
                                            float *table, int64_t channels, int64_t height,
                                            int64_t width, int64_t columns, int64_t depths,
                                            int64_t first, int64_t last, int64_t begin, double low,
                                            double scale, double middle)
{
    int64_t plane = columns * depths, size = height * width;
    for (int64_t y = first; y < last; y++) {
        float *nodes = table + (row_of[y] - begin) * (channels + 1) * plane;
        float edge = y == 0 ? 0.5f : 1.0f;
        edge *= y == height - 1 ? 0.5f : 1.0f;
        for (int64_t x = 0; x < width; x++) {
            float part, weight = edge;
            weight *= x == 0 ? 0.5f : 1.0f;
            weight *= x == width - 1 ? 0.5f : 1.0f;
            const float *pixel = image + y * width + x;
            int64_t depth = depth_of(guide[y * width + x], (float)low, (float)scale, depths, &part);
            float *node = nodes + column_of[x] * depths + depth;
            for (int64_t c = 0; c < channels; c++, node += plane, pixel += size) {
                float value = (*pixel - (float)middle) * weight, upper = value * part;
                node[0] += value - upper;
                node[1] += upper;
            }
            float upper = weight * part;
            node[0] += weight - upper;
            node[1] += upper;
        }
    }
}

/* Linear interpolation between two rows of nodes. */
IMREP_FAST static void interpolate_rows(const float *upper, const float *lower, float part,
                                        int64_t count, float *row)
{
    for (int64_t i = 0; i < count; i++) row[i] = upper[i] + (lower[i] - upper[i]) * part;
}

static inline float bilinear(const float *node, int64_t depths, float deep, float across)
{
    float left = node[0] + (node[1] - node[0]) * deep;
    float right = node[depths] + (node[depths + 1] - node[depths]) * deep;
    return left + (right - left) * across;
}

/* Slice: reads image rows first … last - 1 at their guide values, divides by the weights, at least
 * `tiny`, and adds `middle`. For each pixel `rows` and `columns` hold the node before it, `down`
 * and `across` the fraction of the way to the next; there are at least two nodes per axis.
 * `scratch` holds one row of the grid. */
IMREP_EXPORT void imrep_bilateral_slice_f32(const float *grid, const float *guide,
                                            const int32_t *rows, const float *down,
                                            const int32_t *columns, const float *across,
                                            float *image, float *scratch, int64_t channels,
                                            int64_t height, int64_t width, int64_t grid_columns,
                                            int64_t depths, int64_t first, int64_t last, double low,
                                            double scale, double middle, double tiny)
{
    int64_t plane = grid_columns * depths, row = (channels + 1) * plane, size = height * width;
    for (int64_t y = first; y < last; y++) {
        const float *above = grid + rows[y] * row;
        interpolate_rows(above, above + row, down[y], row, scratch);
        for (int64_t x = 0; x < width; x++) {
            float deep;
            int64_t depth = depth_of(guide[y * width + x], (float)low, (float)scale, depths, &deep);
            deep = deep < 0 ? 0 : deep > 1 ? 1 : deep;
            const float *node = scratch + columns[x] * depths + depth;
            float weight = bilinear(node + channels * plane, depths, deep, across[x]);
            float share = 1 / (weight < (float)tiny ? (float)tiny : weight);
            float *pixel = image + y * width + x;
            for (int64_t c = 0; c < channels; c++, node += plane, pixel += size)
                *pixel = bilinear(node, depths, deep, across[x]) * share + (float)middle;
        }
    }
}
