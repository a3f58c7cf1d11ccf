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

#include "composite_map.h"
#include "imrep.h"

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
