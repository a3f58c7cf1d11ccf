/* Decoder of composite fields: poses from intensities of joints and associations along edges.
 * Equal to represent/spatial/composite/reference.py, which documents each step.
 *
 * Fields are float32, positions in cells; everything behind them is double and in pixels.
 * Candidates of an edge's direction are sorted by the row that they start in, so that those around
 * a joint are a short range. Of equal scores, the one of the earlier cell wins everywhere.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static int surer(const void *a, const void *b)
{
    const seed *p = a, *q = b;
    if (p->own.v != q->own.v) return p->own.v > q->own.v ? -1 : 1;
    return p->order < q->order ? -1 : 1;
}

/* Seeds, the surest first; NULL without memory. */
static seed *sorted_seeds(const fields *f, const thresholds *t, int64_t *count)
{
    const int64_t cells = f->rows * f->columns;
    int64_t capacity = 1, n = 0;
    for (int64_t j = 0; j < f->joints; j++)
        for (int64_t i = 0; i < cells; i++)
            capacity += (double)f->cif[j * 4 * cells + i] >= t->seed;
    seed *seeds = malloc((size_t)capacity * sizeof *seeds);
    if (!seeds) return NULL;
    for (int64_t j = 0; j < f->joints; j++) {
        const float *c = f->cif + j * 4 * cells;
        for (int64_t i = 0; i < cells; i++) {
            if (!((double)c[i] >= t->seed)) continue;
            const double k = (double)f->stride;
            joint own = {0, c[i + cells] * k, c[i + 2 * cells] * k, c[i + 3 * cells] * k};
            own.v = 0.9 * intensity_at(f, j, own.x, own.y) + 0.1 * (double)c[i];
            if (own.v >= t->seed) seeds[n] = (seed){own, j, n}, n++;
        }
    }
    qsort(seeds, (size_t)n, sizeof *seeds, surer);
    *count = n;
    return seeds;
}

/* A cell of an edge as a candidate of a direction; its score is 0 where it is none. */
static candidate read_candidate(const fields *f, int64_t edge, int64_t backward, int64_t i,
                                double least)
{
    const int64_t cells = f->rows * f->columns;
    const float *c = f->caf + edge * 7 * cells + i;
    const double k = (double)f->stride;
    candidate own = {c[0],
                     c[(backward ? 3 : 1) * cells] * k,
                     c[(backward ? 4 : 2) * cells] * k,
                     c[(backward ? 6 : 5) * cells] * k,
                     c[(backward ? 1 : 3) * cells] * k,
                     c[(backward ? 2 : 4) * cells] * k,
                     c[(backward ? 5 : 6) * cells] * k,
                     i};
    const int64_t end = f->edges[2 * edge + !backward];
    own.score *= 0.1 + 0.9 * intensity_at(f, end, own.to_x, own.to_y);
    if (!(own.score > least)) own.score = 0;
    return own;
}

static int64_t bucket(const fields *f, double y)
{
    return within(y / (double)f->stride, f->rows - 1);
}

/* All candidates by direction and row, in two passes over the fields; 0 without memory. */
static int collect(const fields *f, double least, candidates *to)
{
    const int64_t cells = f->rows * f->columns, lines = f->rows + 1, directions = 2 * f->count;
    int64_t total = 0;
    for (int64_t e = 0; e < f->count; e++)
        for (int64_t i = 0; i < cells; i++)
            total += 2 * ((double)f->caf[e * 7 * cells + i] >= least);
    to->all = malloc((size_t)(total + 1) * sizeof *to->all);
    to->starts = calloc((size_t)(directions * lines + 1), sizeof *to->starts);
    candidate *unsorted = malloc((size_t)(total + 1) * sizeof *unsorted);
    if (!to->all || !to->starts || !unsorted) return free(unsorted), 0;
    int64_t offset = 0;
    for (int64_t d = 0; d < directions; d++) {
        const float *c = f->caf + d / 2 * 7 * cells;
        int64_t *starts = to->starts + d * lines, n = 0;
        for (int64_t i = 0; i < cells; i++) {
            if (!((double)c[i] >= least)) continue;
            const candidate own = read_candidate(f, d / 2, d % 2, i, least);
            if (own.score > 0) unsorted[n++] = own, starts[bucket(f, own.y) + 1]++;
        }
        starts[0] = offset;
        for (int64_t row = 0; row < f->rows; row++) starts[row + 1] += starts[row];
        for (int64_t i = 0; i < n; i++) to->all[starts[bucket(f, unsorted[i].y)]++] = unsorted[i];
        for (int64_t row = f->rows; row > 0; row--) starts[row] = starts[row - 1];
        starts[0] = offset, offset += n;
    }
    free(unsorted);
    return 1;
}

/* The best two candidates around a joint, with weighted scores; score 0 where there is none. */
static void best_two(const fields *f, const candidates *from, int64_t direction, joint own,
                     double window, candidate best[2])
{
    const int64_t *starts = from->starts + direction * (f->rows + 1);
    const double reach = window * own.s, spread = 0.25 * own.s * own.s + 1e-12;
    const int64_t first = starts[bucket(f, own.y - reach)];
    const int64_t last = starts[bucket(f, own.y + reach) + 1];
    best[0].score = best[1].score = 0;
    best[0].cell = best[1].cell = -1;
    for (int64_t i = first; i < last; i++) {
        const candidate *c = from->all + i;
        const double dx = c->x - own.x, dy = c->y - own.y;
        if (!(fabs(dx) <= reach && fabs(dy) <= reach)) continue;
        const double score = c->score * exp(-0.5 * (dx * dx + dy * dy) / spread);
        const int k =
            score > best[0].score || (score == best[0].score && c->cell < best[0].cell) ? 0 : 1;
        if (k == 0) best[1] = best[0];
        if (k == 0 || score > best[1].score || (score == best[1].score && c->cell < best[1].cell)) {
            best[k] = *c;
            best[k].score = score;
        }
    }
}

static joint connection(const candidate best[2])
{
    const candidate a = best[0], b = best[1];
    if (!(a.score > 0)) return (joint){0, 0, 0, 0};
    if (b.score > 0 && b.score >= at_least(0.01, 0.5 * a.score) &&
        hypot(a.to_x - b.to_x, a.to_y - b.to_y) <= 0.5 * a.to_s) {
        const double total = a.score + b.score;
        return (joint){0.5 * total, (a.score * a.to_x + b.score * b.to_x) / total,
                       (a.score * a.to_y + b.score * b.to_y) / total,
                       (a.score * a.to_s + b.score * b.to_s) / total};
    }
    return (joint){0.5 * a.score, a.to_x, a.to_y, a.to_s};
}

static int before(const entry *a, const entry *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->order < b->order;
}

static void push(heap *h, entry own)
{
    int64_t i = h->size++;
    own.order = h->order++;
    for (; i > 0 && before(&own, h->entries + (i - 1) / 2); i = (i - 1) / 2)
        h->entries[i] = h->entries[(i - 1) / 2];
    h->entries[i] = own;
}

static entry pop(heap *h)
{
    const entry top = h->entries[0], last = h->entries[--h->size];
    int64_t i = 0;
    for (int64_t child = 1; child < h->size; i = child, child = 2 * i + 1) {
        if (child + 1 < h->size && before(h->entries + child + 1, h->entries + child)) child++;
        if (!before(h->entries + child, &last)) break;
        h->entries[i] = h->entries[child];
    }
    h->entries[i] = last;
    return top;
}

static void push_edges(const fields *f, heap *h, const joint *pose, int64_t from)
{
    for (int64_t e = 0; e < f->count; e++)
        for (int64_t backward = 0; backward < 2; backward++) {
            const int64_t start = f->edges[2 * e + backward], end = f->edges[2 * e + !backward];
            if (start == from && !(pose[end].v > 0))
                push(h, (entry){sqrt(pose[from].v), 0, e, !backward, 0, {0, 0, 0, 0}});
        }
}

static void grow(const fields *f, const candidates *from, heap *h, joint *pose, double least,
                 double relative, double window, int reverse)
{
    candidate best[2];
    h->size = h->order = 0;
    for (int64_t j = 0; j < f->joints; j++)
        if (pose[j].v > 0) push_edges(f, h, pose, j);
    while (h->size > 0) {
        entry own = pop(h);
        const int64_t a = f->edges[2 * own.edge], b = f->edges[2 * own.edge + 1];
        const int64_t start = own.forward ? a : b, end = own.forward ? b : a;
        if (pose[end].v > 0) continue;
        if (own.connected) {
            pose[end] = own.end;
            push_edges(f, h, pose, end);
            continue;
        }
        best_two(f, from, 2 * own.edge + !own.forward, pose[start], window, best);
        joint to = connection(best);
        const double score = to.v;
        to.v = sqrt(score * pose[start].v);
        if (!(score > 0) || to.v < least || to.v < relative * pose[start].v) continue;
        if (reverse) {
            best_two(f, from, 2 * own.edge + own.forward, to, window, best);
            const double distance =
                fabs(best[0].to_x - pose[start].x) + fabs(best[0].to_y - pose[start].y);
            if (!(best[0].score > 0) || !(distance <= pose[start].s)) continue;
        }
        own.priority = to.v, own.connected = 1, own.end = to;
        push(h, own);
    }
}

static int holds(const occupancy *o, int64_t j, joint own)
{
    const int64_t row = within(own.y / OCCUPANCY, o->rows - 1);
    return o->cells[(j * o->rows + row) * o->columns + within(own.x / OCCUPANCY, o->columns - 1)];
}

static void mark(occupancy *o, int64_t j, joint own)
{
    const double half = at_least(own.s, MIN_OCCUPIED);
    const int64_t top = within((own.y - half) / OCCUPANCY, o->rows);
    const int64_t bottom = within((own.y + half) / OCCUPANCY + 1, o->rows);
    const int64_t left = within((own.x - half) / OCCUPANCY, o->columns);
    const int64_t right = within((own.x + half) / OCCUPANCY + 1, o->columns);
    for (int64_t row = top; row < bottom && left < right; row++)
        memset(o->cells + (j * o->rows + row) * o->columns + left, 1, (size_t)(right - left));
}

static double mean(const joint *pose, int64_t joints)
{
    double sum = 0;
    for (int64_t j = 0; j < joints; j++) sum += pose[j].v;
    return sum / (double)joints;
}

/* Sorts poses by their means, the greatest first and equals in their order; 0 without memory. */
static int sort_poses(joint *poses, int64_t count, int64_t joints)
{
    seed *keys = malloc((size_t)(count + 1) * sizeof *keys);
    joint *copy = malloc((size_t)(count * joints + 1) * sizeof *copy);
    if (keys && copy) {
        for (int64_t i = 0; i < count; i++)
            keys[i] = (seed){{mean(poses + i * joints, joints), 0, 0, 0}, i, i};
        qsort(keys, (size_t)count, sizeof *keys, surer);
        memcpy(copy, poses, (size_t)(count * joints) * sizeof *copy);
        for (int64_t i = 0; i < count; i++)
            memcpy(poses + i * joints, copy + keys[i].which * joints,
                   (size_t)joints * sizeof *copy);
    }
    const int done = keys && copy;
    free(keys), free(copy);
    return done;
}

/* Soft non-maximum suppression in place; the number of poses that remain, -1 without memory. */
static int64_t suppress(joint *poses, int64_t count, int64_t joints, const thresholds *t,
                        occupancy *o)
{
    if (!sort_poses(poses, count, joints)) return -1;
    memset(o->cells, 0, (size_t)(joints * o->rows * o->columns));
    int64_t remaining = 0;
    for (int64_t i = 0; i < count; i++) {
        joint *pose = poses + i * joints;
        for (int64_t j = 0; j < joints; j++) {
            if (!(pose[j].v > 0)) continue;
            if (holds(o, j, pose[j]))
                pose[j].v *= SUPPRESSED;
            else
                mark(o, j, pose[j]);
        }
        for (int64_t j = 0; j < joints; j++)
            if (!(pose[j].v > t->joint)) pose[j] = (joint){0, 0, 0, 0};
        if (mean(pose, joints) >= t->pose)
            memmove(poses + remaining++ * joints, pose, (size_t)joints * sizeof *pose);
    }
    return sort_poses(poses, remaining, joints) ? remaining : -1;
}

/* Missing joints at the position of the surest neighbour. */
static void flood(const fields *f, joint *pose)
{
    for (;;) {
        int64_t start = -1, end = -1;
        for (int64_t k = 0; k < 2 * f->count; k++) {
            const int64_t a = f->edges[k], b = f->edges[k ^ 1];
            if (pose[a].v > 0 && !(pose[b].v > 0) && (start < 0 || pose[a].v > pose[start].v))
                start = a, end = b;
        }
        if (start < 0) return;
        pose[end] = pose[start];
        pose[end].v = FLOODED;
    }
}

/* Poses of one image into `poses`, (limit, joints, 4) of v, x, y, s in pixels; their number, or -1
 * without memory. `cif` is (joints, 4, rows, columns) of confidence, x, y, scale; `caf` (edges, 7,
 * rows, columns) of confidence, x1, y1, x2, y2, scale 1, scale 2; `sizes` joints, edges, rows,
 * columns, stride, limit. */
IMREP_EXPORT int64_t imrep_composite_decode(const float *cif, const float *caf,
                                            const int64_t *edges, const int64_t *sizes,
                                            const thresholds *t, double *poses)
{
    fields f = {.cif = cif,
                .caf = caf,
                .edges = edges,
                .joints = sizes[0],
                .count = sizes[1],
                .rows = sizes[2],
                .columns = sizes[3],
                .stride = sizes[4],
                .height = (sizes[2] - 1) * sizes[4] + 1,
                .width = (sizes[3] - 1) * sizes[4] + 1};
    const int64_t limit = sizes[5];
    joint *own = (joint *)poses;
    occupancy o = {NULL, (f.height + OCCUPANCY - 1) / OCCUPANCY,
                   (f.width + OCCUPANCY - 1) / OCCUPANCY};
    candidates from = {NULL, NULL}, weak = {NULL, NULL};
    heap h = {malloc((size_t)(2 * f.count + 1) * sizeof(entry)), 0, 0};
    o.cells = calloc((size_t)(f.joints * o.rows * o.columns), 1);
    int64_t seed_count = 0, count = -1;
    seed *seeds = NULL;
    if (h.entries && o.cells && high_resolution(&f, t) &&
        (seeds = sorted_seeds(&f, t, &seed_count)) && collect(&f, t->association, &from))
        count = 0;
    for (int64_t i = 0; i < seed_count && count >= 0 && count < limit; i++) {
        if (holds(&o, seeds[i].which, seeds[i].own)) continue;
        joint *pose = own + count++ * f.joints;
        memset(pose, 0, (size_t)f.joints * sizeof *pose);
        pose[seeds[i].which] = seeds[i].own;
        grow(&f, &from, &h, pose, t->joint, t->relative, t->window, t->reverse_match > 0);
        for (int64_t j = 0; j < f.joints; j++)
            if (pose[j].v > 0) mark(&o, j, pose[j]);
    }
    if (count > 0) count = suppress(own, count, f.joints, t, &o);
    if (count > 0 && t->complete > 0) {
        if (!collect(&f, COMPLETION_CONFIDENCE, &weak)) count = -1;
        for (int64_t i = 0; i < count; i++) {
            grow(&f, &weak, &h, own + i * f.joints, 0, 0, COMPLETION_WINDOW, 0);
            flood(&f, own + i * f.joints);
        }
    }
    free(h.entries), free(o.cells), free(seeds), free(f.tiles), free(f.values);
    free(from.all), free(from.starts), free(weak.all), free(weak.starts);
    return count;
}
