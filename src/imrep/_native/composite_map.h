/* Fields of joints and edges, and the map of pixels (CifHr) that the decoder in composite.c reads:
 * confidences of joints as discs, in tiles of which only those that a disc reaches are stored. */
#ifndef IMREP_COMPOSITE_MAP_H
#define IMREP_COMPOSITE_MAP_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "imrep.h"

#define NEIGHBOURS 16
#define OCCUPANCY 2
#define MIN_OCCUPIED 4.0
#define SUPPRESSED 1e-5
#define COMPLETION_CONFIDENCE 0.001
#define COMPLETION_WINDOW 2.0
#define FLOODED 1e-5
#define TILE 16 /* pixels along either side */

/* In the order of Thresholds in thresholds.py. */
typedef struct {
    double intensity, seed, association, joint, relative, pose, window, reverse_match, complete;
} thresholds;

typedef struct {
    double v, x, y, s;
} joint;

typedef struct {
    double score, x, y, s, to_x, to_y, to_s;
    int64_t cell;
} candidate;

typedef struct {
    joint own;
    int64_t which, order;
} seed;

typedef struct {
    double priority;
    int64_t order, edge, forward, connected;
    joint end;
} entry;

typedef struct {
    const float *cif, *caf;
    const int64_t *edges;
    int64_t joints, count, rows, columns, stride; /* count of edges */
    int64_t height, width;                        /* of the map in pixels */
    /* The map of pixels in tiles: only those that a disc reaches are stored. */
    int64_t tile_rows, tile_columns;
    int32_t *tiles; /* (joints, tile_rows, tile_columns): number of a tile, from 1; 0 for none */
    float *values;  /* (tiles, TILE, TILE) */
} fields;

typedef struct {
    candidate *all;
    int64_t *starts; /* of each row of each direction: (2 count, rows + 1) */
} candidates;

typedef struct {
    entry *entries;
    int64_t size, order;
} heap;

typedef struct {
    uint8_t *cells;
    int64_t rows, columns;
} occupancy;

static double at_most(double x, double high) { return x < high ? x : high; }
static double at_least(double x, double low) { return x > low ? x : low; }
static int64_t within(double x, int64_t count) /* floor, in 0 … count */
{
    return (int64_t)at_most(at_least(floor(x), 0), (double)count);
}

/* What a cell of a joint adds to the map: a disc, and the pixels that it reaches. */
typedef struct {
    double weight, x, y, sigma;
    int64_t left, right, top, bottom;
} disc;

static disc read_disc(const fields *f, const float *c)
{
    const int64_t cells = f->rows * f->columns;
    const double k = (double)f->stride;
    disc d = {(double)c[0] / NEIGHBOURS,
              c[cells] * k,
              c[2 * cells] * k,
              at_least(0.5 * c[3 * cells] * k, 1),
              0,
              0,
              0,
              0};
    d.left = within(ceil(d.x - d.sigma), f->width), d.right = within(d.x + d.sigma + 1, f->width);
    d.top = within(ceil(d.y - d.sigma), f->height);
    d.bottom = within(d.y + d.sigma + 1, f->height);
    return d;
}

/* A row of a disc within a tile: (1 - d^2 / (16 sigma^2))^8 within sigma, from pixel `left`. */
IMREP_FAST static void add_row(float *restrict to, int64_t count, float dx, float dy2, float sigma2,
                               float weight)
{
    const float factor = 1 / (16 * sigma2);
    for (int64_t i = 0; i < count; i++) {
        const float x = (float)i + dx, d2 = x * x + dy2;
        float g = 1 - d2 * factor;
        g *= g, g *= g, g *= g;
        to[i] += d2 <= sigma2 ? weight * g : 0.0f;
    }
}

/* The part of a disc in one tile; the pixel at its centre gets the full weight. */
static void add_tile(float *tile, const disc *d, int64_t tile_row, int64_t tile_column)
{
    const int64_t y0 = tile_row * TILE, x0 = tile_column * TILE;
    const int64_t top = d->top > y0 ? d->top : y0, left = d->left > x0 ? d->left : x0;
    const int64_t bottom = d->bottom < y0 + TILE ? d->bottom : y0 + TILE;
    const int64_t right = d->right < x0 + TILE ? d->right : x0 + TILE;
    const double column = floor(d->x + 0.5);
    const int has_centre =
        column >= (double)left && column < (double)right && fabs(column - d->x) < 0.5;
    for (int64_t row = top; row < bottom; row++) {
        const double dy = (double)row - d->y;
        float *to = tile + (row - y0) * TILE - x0;
        const int at_centre = has_centre && fabs(dy) < 0.5;
        const float before = at_centre ? to[(int64_t)column] : 0;
        add_row(to + left, right - left, (float)((double)left - d->x), (float)(dy * dy),
                (float)(d->sigma * d->sigma), (float)d->weight);
        if (at_centre) to[(int64_t)column] = before + (float)d->weight;
    }
}

/* The tiles of every disc: numbered where there are no values yet, else added to. */
static int32_t each_disc(fields *f, const thresholds *t)
{
    const int64_t cells = f->rows * f->columns;
    int32_t count = 0;
    for (int64_t j = 0; j < f->joints; j++) {
        const float *c = f->cif + j * 4 * cells;
        int32_t *tiles = f->tiles + j * f->tile_rows * f->tile_columns;
        for (int64_t i = 0; i < cells; i++) {
            if (!((double)c[i] >= t->intensity)) continue;
            const disc d = read_disc(f, c + i);
            if (d.top >= d.bottom || d.left >= d.right) continue;
            for (int64_t row = d.top / TILE; row <= (d.bottom - 1) / TILE; row++)
                for (int64_t column = d.left / TILE; column <= (d.right - 1) / TILE; column++) {
                    int32_t *number = tiles + row * f->tile_columns + column;
                    if (f->values)
                        add_tile(f->values + (int64_t)(*number - 1) * TILE * TILE, &d, row, column);
                    else if (!*number)
                        *number = ++count;
                }
        }
    }
    return count;
}

IMREP_FAST static void clip(float *restrict values, int64_t size)
{
    for (int64_t i = 0; i < size; i++) values[i] = values[i] < 1 ? values[i] : 1;
}

/* CifHr; 0 without memory. */
static int high_resolution(fields *f, const thresholds *t)
{
    f->tile_rows = (f->height + TILE - 1) / TILE, f->tile_columns = (f->width + TILE - 1) / TILE;
    const int64_t tiles = f->joints * f->tile_rows * f->tile_columns;
    f->tiles = tiles < INT32_MAX ? calloc((size_t)tiles, sizeof *f->tiles) : NULL;
    if (!f->tiles) return 0;
    const int64_t count = each_disc(f, t);
    f->values = calloc((size_t)(count + 1) * TILE * TILE, sizeof *f->values);
    if (!f->values) return 0;
    each_disc(f, t);
    clip(f->values, count * TILE * TILE);
    return 1;
}

static double intensity_at(const fields *f, int64_t j, double x, double y)
{
    const double column = floor(x + 0.5), row = floor(y + 0.5);
    if (!(row >= 0 && row < (double)f->height && column >= 0 && column < (double)f->width))
        return 0;
    const int64_t r = (int64_t)row, c = (int64_t)column;
    const int64_t number = f->tiles[(j * f->tile_rows + r / TILE) * f->tile_columns + c / TILE];
    return number ? f->values[((number - 1) * TILE + r % TILE) * TILE + c % TILE] : 0;
}

#endif
