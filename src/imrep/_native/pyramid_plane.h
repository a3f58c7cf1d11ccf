/* The pyramid's walk over one plane, for one type of pixel; pyramid.c includes it once for each.
 *
 * Before: PIXEL, BAND and LINE are the types of a pixel, of a band's sample and of a sample between
 * the two passes; NAME(x) gives names of their own; blur, halve, widen, even, odd, lost and
 * regained exist for single rows. Everything runs row by row over a few lines that stay in the
 * nearest cache.
 */

/* What a plane needs while it is walked: lines first, since they are wider than pixels. */
typedef struct {
    LINE *blurred;  /* two samples before the first and after the last are its mirror image */
    LINE *widened;  /* three rows of the small plane at full width, row i in place i % 3 */
    PIXEL *row;     /* one enlarged row */
    PIXEL *lows;    /* the planes between the levels */
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

static NAME(scratch) NAME(divided)(void *memory, int64_t width)
{
    NAME(scratch) s;
    s.stride = width + 1; /* an odd width is widened to the even one above it */
    s.blurred = (LINE *)memory + 2;
    s.widened = s.blurred + width + 2;
    s.row = (PIXEL *)(s.widened + 3 * s.stride);
    s.lows = s.row + width;
    return s;
}

/* Row i of the small plane, from rows 2i - 2 … 2i + 2 of the large one. */
static void NAME(shrink)(const PIXEL *x, int64_t height, int64_t width, int64_t i, PIXEL *out,
                         LINE *line, weights by)
{
    const PIXEL *rows[5];
    for (int t = 0; t < 5; t++) rows[t] = x + width * mirrored(2 * i + t - 2, height);
    NAME(blur)(rows, line, width, by);
    const LINE ends[4] = {line[mirrored(-2, width)], line[mirrored(-1, width)],
                          line[mirrored(width, width)], line[mirrored(width + 1, width)]};
    line[-2] = ends[0], line[-1] = ends[1], line[width] = ends[2], line[width + 1] = ends[3];
    NAME(halve)(line, out, halved(width), by);
}

/* One level of one plane: enlarges `low`; also halves `x` into it first (SPLIT), and writes what
 * the enlargement lacks of `x` (SPLIT) or adds `band` to it (JOIN). Row 2j and 2j + 1 need rows
 * j - 1, j and j + 1 of `low`, so they come one small row later. */
static void NAME(walk)(step step, const PIXEL *x, PIXEL *low, BAND *band, PIXEL *out,
                       int64_t height, int64_t width, const NAME(scratch) * s, weights by)
{
    const int64_t rows = halved(height), columns = halved(width);
    for (int64_t i = 0; i <= rows; i++) {
        if (i < rows) {
            if (step == SPLIT) NAME(shrink)(x, height, width, i, low + i * columns, s->blurred, by);
            NAME(widen)(low + i * columns, s->widened + i % 3 * s->stride, columns, by);
        }
        const int64_t j = i - 1;
        for (int64_t r = 2 * j; r >= 0 && r < 2 * j + 2 && r < height; r++) {
            const LINE *up = s->widened + (j ? j - 1 : rows > 1) % 3 * s->stride;
            const LINE *here = s->widened + j % 3 * s->stride;
            const LINE *down = s->widened + (j + 1 < rows ? j + 1 : j) % 3 * s->stride;
            PIXEL *row = step == EXPAND ? out + r * width : s->row;
            if (r % 2)
                NAME(odd)(here, down, row, width);
            else
                NAME(even)(up, here, down, row, width, by);
            if (step == SPLIT)
                NAME(lost)(x + r * width, row, band + r * width, width);
            else if (step == JOIN)
                NAME(regained)(band + r * width, row, out + r * width, width);
        }
    }
}

IMREP_EXPORT void NAME(imrep_pyramid_reduce)(const PIXEL *x, PIXEL *out, int64_t planes,
                                             int64_t height, int64_t width, double a, void *memory)
{
    const NAME(scratch) s = NAME(divided)(memory, width);
    const int64_t rows = halved(height), columns = halved(width);
    for (int64_t p = 0; p < planes; p++, x += height * width, out += rows * columns)
        for (int64_t i = 0; i < rows; i++)
            NAME(shrink)(x, height, width, i, out + i * columns, s.blurred, weigh(a));
}

IMREP_EXPORT void NAME(imrep_pyramid_expand)(PIXEL *low, PIXEL *out, int64_t planes, int64_t height,
                                             int64_t width, double a, void *memory)
{
    const NAME(scratch) s = NAME(divided)(memory, width);
    for (int64_t p = 0; p < planes; p++, out += height * width) {
        NAME(walk)(EXPAND, NULL, low, NULL, out, height, width, &s, weigh(a));
        low += halved(height) * halved(width);
    }
}

/* All levels of each plane before the next plane: what lies between two levels is soon read again.
 */
IMREP_EXPORT void NAME(imrep_pyramid_build)(const PIXEL *x, BAND **bands, PIXEL *rest,
                                            int64_t planes, int64_t height, int64_t width,
                                            int64_t levels, double a, void *memory)
{
    const NAME(scratch) s = NAME(divided)(memory, width);
    for (int64_t p = 0; p < planes; p++) {
        const PIXEL *high = x + p * height * width;
        PIXEL *free = s.lows;
        int64_t h = height, w = width;
        for (int64_t level = 0; level < levels; level++) {
            const int64_t area = halved(h) * halved(w);
            PIXEL *low = level + 1 < levels ? free : rest + p * area;
            NAME(walk)(SPLIT, high, low, bands[level] + p * h * w, NULL, h, w, &s, weigh(a));
            high = low, free += area;
            h = halved(h), w = halved(w);
        }
    }
}

IMREP_EXPORT void NAME(imrep_pyramid_collapse)(BAND **bands, PIXEL *rest, PIXEL *out,
                                               int64_t planes, int64_t height, int64_t width,
                                               int64_t levels, double a, void *memory)
{
    const NAME(scratch) s = NAME(divided)(memory, width);
    int64_t heights[MOST_LEVELS + 1] = {height}, widths[MOST_LEVELS + 1] = {width};
    for (int64_t level = 0; level < levels; level++)
        heights[level + 1] = halved(heights[level]), widths[level + 1] = halved(widths[level]);
    for (int64_t p = 0; p < planes; p++) {
        PIXEL *low = rest + p * heights[levels] * widths[levels], *free = s.lows;
        for (int64_t level = levels - 1; level >= 0; level--) {
            const int64_t h = heights[level], w = widths[level];
            PIXEL *high = level ? free : out + p * h * w;
            NAME(walk)(JOIN, NULL, low, bands[level] + p * h * w, high, h, w, &s, weigh(a));
            low = high, free += h * w;
        }
    }
}
