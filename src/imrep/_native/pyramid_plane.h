/* Reduce, expand, build and collapse for one type of pixel; pyramid.c includes this once per type.
 *
 * The including file defines PIXEL, BAND and LINE, the types of a pixel, of a band's sample and of
 * a sample between the two passes; NAME(x), which makes names unique; and the row functions blur,
 * halve, widen, even_row, odd_row, subtract and add. All passes run row by row over a few lines
 * that stay in the L1 cache.
 */

/* Scratch memory of one plane. Lines come first: their type has the stricter alignment. */
typedef struct {
    LINE *blurred;  /* with two reflected samples before the first and after the last */
    LINE *widened;  /* ring of three rows of the small plane at full width, row i at i % 3 */
    PIXEL *row;     /* one enlarged row */
    PIXEL *lows;    /* the planes between levels */
    int64_t stride; /* of `widened` */
} NAME(scratch);

IMREP_EXPORT int64_t NAME(imrep_pyramid_scratch)(int64_t height, int64_t width, int64_t levels)
{
    int64_t bytes = 4 * (width + 6) * (int64_t)sizeof(LINE) + width * (int64_t)sizeof(PIXEL);
    for (int64_t level = 1; level < levels; level++) {
        height = halved(height), width = halved(width);
        bytes += height * width * (int64_t)sizeof(PIXEL);
    }
    return bytes;
}

static NAME(scratch) NAME(divide)(void *memory, int64_t width)
{
    NAME(scratch) s;
    s.stride = width + 1; /* an odd width is widened to the next even one */
    s.blurred = (LINE *)memory + 2;
    s.widened = s.blurred + width + 2;
    s.row = (PIXEL *)(s.widened + 3 * s.stride);
    s.lows = s.row + width;
    return s;
}

/* Row i of the small plane, from rows 2i - 2 … 2i + 2 of the large one. */
static void NAME(reduce_row)(const PIXEL *x, int64_t height, int64_t width, int64_t i, PIXEL *out,
                             LINE *line, weights by)
{
    const PIXEL *rows[5];
    for (int t = 0; t < 5; t++) rows[t] = x + width * reflected(2 * i + t - 2, height);
    NAME(blur)(rows, line, width, by);
    const LINE ends[4] = {line[reflected(-2, width)], line[reflected(-1, width)],
                          line[reflected(width, width)], line[reflected(width + 1, width)]};
    line[-2] = ends[0], line[-1] = ends[1], line[width] = ends[2], line[width + 1] = ends[3];
    NAME(halve)(line, out, halved(width), by);
}

/* One level of one plane. EXPAND enlarges `low` into `out`. SPLIT reduces `x` into `low` first and
 * writes x minus the enlargement to `band`. JOIN adds `band` to the enlargement, into `out`. Rows
 * 2j and 2j + 1 need rows j - 1, j and j + 1 of `low`, so they follow one small row behind. */
static void NAME(level)(step step, const PIXEL *x, PIXEL *low, BAND *band, PIXEL *out,
                        int64_t height, int64_t width, const NAME(scratch) * s, weights by)
{
    const int64_t rows = halved(height), columns = halved(width);
    for (int64_t i = 0; i <= rows; i++) {
        if (i < rows) {
            if (step == SPLIT)
                NAME(reduce_row)(x, height, width, i, low + i * columns, s->blurred, by);
            NAME(widen)(low + i * columns, s->widened + i % 3 * s->stride, columns, by);
        }
        const int64_t j = i - 1;
        for (int64_t r = 2 * j; r >= 0 && r < 2 * j + 2 && r < height; r++) {
            const LINE *up = s->widened + (j ? j - 1 : rows > 1) % 3 * s->stride;
            const LINE *here = s->widened + j % 3 * s->stride;
            const LINE *down = s->widened + (j + 1 < rows ? j + 1 : j) % 3 * s->stride;
            PIXEL *row = step == EXPAND ? out + r * width : s->row;
            if (r % 2)
                NAME(odd_row)(here, down, row, width);
            else
                NAME(even_row)(up, here, down, row, width, by);
            if (step == SPLIT)
                NAME(subtract)(x + r * width, row, band + r * width, width);
            else if (step == JOIN)
                NAME(add)(band + r * width, row, out + r * width, width);
        }
    }
}

IMREP_EXPORT void NAME(imrep_pyramid_reduce)(const PIXEL *x, PIXEL *out, int64_t planes,
                                             int64_t height, int64_t width, double a, void *memory)
{
    const NAME(scratch) s = NAME(divide)(memory, width);
    const int64_t rows = halved(height), columns = halved(width);
    for (int64_t p = 0; p < planes; p++, x += height * width, out += rows * columns)
        for (int64_t i = 0; i < rows; i++)
            NAME(reduce_row)(x, height, width, i, out + i * columns, s.blurred, weigh(a));
}

IMREP_EXPORT void NAME(imrep_pyramid_expand)(PIXEL *low, PIXEL *out, int64_t planes, int64_t height,
                                             int64_t width, double a, void *memory)
{
    const NAME(scratch) s = NAME(divide)(memory, width);
    for (int64_t p = 0; p < planes; p++, out += height * width) {
        NAME(level)(EXPAND, NULL, low, NULL, out, height, width, &s, weigh(a));
        low += halved(height) * halved(width);
    }
}

/* All levels of a plane before the next plane, so that the planes between levels stay in the cache.
 */
IMREP_EXPORT void NAME(imrep_pyramid_build)(const PIXEL *x, BAND **bands, PIXEL *top,
                                            int64_t planes, int64_t height, int64_t width,
                                            int64_t levels, double a, void *memory)
{
    const NAME(scratch) s = NAME(divide)(memory, width);
    for (int64_t p = 0; p < planes; p++) {
        const PIXEL *high = x + p * height * width;
        PIXEL *unused = s.lows;
        int64_t h = height, w = width;
        for (int64_t level = 0; level < levels; level++) {
            const int64_t area = halved(h) * halved(w);
            PIXEL *low = level + 1 < levels ? unused : top + p * area;
            NAME(level)(SPLIT, high, low, bands[level] + p * h * w, NULL, h, w, &s, weigh(a));
            high = low, unused += area;
            h = halved(h), w = halved(w);
        }
    }
}

IMREP_EXPORT void NAME(imrep_pyramid_collapse)(BAND **bands, PIXEL *top, PIXEL *out, int64_t planes,
                                               int64_t height, int64_t width, int64_t levels,
                                               double a, void *memory)
{
    const NAME(scratch) s = NAME(divide)(memory, width);
    int64_t heights[MAX_LEVELS + 1] = {height}, widths[MAX_LEVELS + 1] = {width};
    for (int64_t level = 0; level < levels; level++)
        heights[level + 1] = halved(heights[level]), widths[level + 1] = halved(widths[level]);
    for (int64_t p = 0; p < planes; p++) {
        PIXEL *low = top + p * heights[levels] * widths[levels], *unused = s.lows;
        for (int64_t level = levels - 1; level >= 0; level--) {
            const int64_t h = heights[level], w = widths[level];
            PIXEL *high = level ? unused : out + p * h * w;
            NAME(level)(JOIN, NULL, low, bands[level] + p * h * w, high, h, w, &s, weigh(a));
            low = high, unused += h * w;
        }
    }
}
