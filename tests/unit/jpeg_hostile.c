/* Runs jpeg.c over files and over mutations of them, for a build with sanitizers.
 *
 *     hostile SEED MUTATIONS MAX_PIXELS FILE...
 *
 * Each file is read as it is, then MUTATIONS are drawn among the files. Every input is read as
 * blocks and as planes, into buffers with guards behind them; both must agree, nothing may be
 * written beyond, and nothing that was never written may be called whole. Prints how many were
 * read, complete and refused, the slowest in milliseconds, and a checksum of all that came out.
 */
#include <math.h>
#include <time.h>

#include "../../src/imrep/_native/jpeg.c"

enum { GUARD = 64, CANARY = 0xA5, SMALL = 1 << 22 };
static const float NEVER = 12345.678f; /* what no coefficient is: not a whole number */

static uint64_t state = 1, digest = 1469598103934665603u;
static long read_ones, complete_ones, refused_ones;
static double slowest;

static uint64_t drawn(uint64_t below)
{ /* xorshift, Marsaglia 2003 */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? state % below : 0;
}

static void fail(const char *why)
{
    fprintf(stderr, "hostile: %s\n", why);
    abort();
}

static void mix(const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        digest = (digest ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

static uint8_t *guarded(size_t bytes)
{
    uint8_t *buffer = malloc(bytes + GUARD);
    if (!buffer) fail("no memory");
    memset(buffer + bytes, CANARY, GUARD);
    return buffer;
}

static void released(uint8_t *buffer, size_t bytes)
{
    for (int i = 0; i < GUARD; i++)
        if (buffer[bytes + i] != CANARY) fail("written beyond a buffer");
    free(buffer);
}

static size_t block_bytes(const facts *f, int c)
{
    return (size_t)f->padded[c] * f->stride[c] * sizeof(JBLOCK);
}

static size_t plane_bytes(const facts *f, int c)
{
    return (size_t)f->rows[c] * f->columns[c] * DCTSIZE2 * sizeof(float);
}

/* Whole rows as blocks against the same as planes. */
static void compare(const facts *f, int c, const int16_t *blocks, const float *planes)
{
    size_t apart = (size_t)f->rows[c] * f->columns[c];
    for (int row = 0; row < f->filled[c]; row++)
        for (int column = 0; column < f->columns[c]; column++)
            for (int k = 0; k < DCTSIZE2; k++) {
                int16_t stored = blocks[((size_t)row * f->stride[c] + column) * DCTSIZE2 + k];
                float got = planes[k * apart + (size_t)row * f->columns[c] + column];
                if (got != (float)stored * (float)f->tables[c][k])
                    fail("planes are not the blocks");
            }
}

static void one(const uint8_t *data, size_t size, int64_t max_pixels)
{
    static facts first, second;
    int16_t *blocks[PLANES] = {0};
    float *planes[PLANES] = {0};
    double begun_at = now(), took;
    void *handle = imrep_jpeg_open(data, size, max_pixels, &first);
    if (!handle) {
        if (!first.message[0]) fail("refused without a reason");
        refused_ones++;
        return;
    }
    for (int c = 0; c < first.planes; c++) blocks[c] = (int16_t *)guarded(block_bytes(&first, c));
    int well = imrep_jpeg_blocks(handle, blocks), rows[PLANES];
    memcpy(rows, first.filled, sizeof rows);
    imrep_jpeg_close(handle);
    took = now() - begun_at;

    begun_at = now();
    handle = imrep_jpeg_open(data, size, max_pixels, &second);
    if (!handle) fail("opened once only");
    for (int c = 0; c < second.planes; c++) {
        size_t bytes = plane_bytes(&second, c);
        planes[c] = (float *)guarded(bytes);
        if (bytes < SMALL)
            for (size_t i = 0; i < bytes / sizeof(float); i++) planes[c][i] = NEVER;
    }
    if (imrep_jpeg_planes(handle, planes) != well) fail("read once only");
    imrep_jpeg_close(handle);
    took = fmax(took, now() - begun_at);
    slowest = fmax(slowest, took);

    int whole = 0, complete = 1;
    for (int c = 0; c < first.planes; c++) {
        if (well && first.complete[c] != second.complete[c]) fail("whole differs");
        if (well && (first.complete[c] < 0 || first.complete[c] > first.rows[c]))
            fail("whole is beyond");
        if (well && block_bytes(&first, c) < SMALL) {
            if (second.filled[c] > rows[c]) fail("planes have rows that blocks have not");
            compare(&second, c, blocks[c], planes[c]);
            mix(blocks[c], block_bytes(&first, c) / first.padded[c] * rows[c]);
        }
        whole += first.complete[c];
        complete &= first.complete[c] == first.rows[c];
        released((uint8_t *)blocks[c], block_bytes(&first, c));
        released((uint8_t *)planes[c], plane_bytes(&second, c));
    }
    mix(first.complete, sizeof first.complete);
    if (!well || (!whole && !first.scans))
        refused_ones++;
    else if (complete)
        complete_ones++;
    else
        read_ones++;
}

/* Some flips, a piece cut out or doubled, a marker, a piece of another file, or an early end. */
static size_t mutated(uint8_t *data, size_t size, const uint8_t *other, size_t other_size)
{
    for (int times = 1 + (int)drawn(4); times > 0 && size > 8; times--) {
        size_t at = drawn(2) ? drawn(size) : drawn(size < 700 ? size : 700), span;
        switch (drawn(7)) {
        case 0:
            data[at] ^= (uint8_t)(1 << drawn(8));
            break;
        case 1:
            data[at] = (uint8_t)drawn(256);
            break;
        case 2:
            size = at + 1;
            break;
        case 3:
            span = drawn(size - at < 200 ? size - at : 200);
            memmove(data + at, data + at + span, size - at - span);
            size -= span;
            break;
        case 4:
            span = drawn(size - at < 200 ? size - at : 200);
            memmove(data + at + span, data + at, size - at);
            size += span;
            break;
        case 5:
            data[at] = 0xFF;
            if (at + 1 < size) data[at + 1] = (uint8_t)(0xC0 + drawn(64));
            break;
        default:
            span = drawn(400);
            if (span > other_size) span = other_size;
            if (span > size - at) span = size - at;
            memcpy(data + at, other + drawn(other_size - span + 1), span);
        }
    }
    return size;
}

int main(int count, char **arguments)
{
    int files = count - 4;
    if (files < 1) return 2;
    state += strtoull(arguments[1], NULL, 10) * 0x9E3779B97F4A7C15u;
    long mutations = atol(arguments[2]);
    int64_t max_pixels = atoll(arguments[3]);
    uint8_t **data = calloc(files, sizeof *data);
    size_t *sizes = calloc(files, sizeof *sizes), longest = 0;
    for (int i = 0; i < files; i++) {
        FILE *file = fopen(arguments[i + 4], "rb");
        if (!file) return 2;
        fseek(file, 0, SEEK_END);
        sizes[i] = (size_t)ftell(file);
        rewind(file);
        data[i] = malloc(sizes[i] + 1);
        if (fread(data[i], 1, sizes[i], file) != sizes[i]) return 2;
        fclose(file);
        if (sizes[i] > longest) longest = sizes[i];
        one(data[i], sizes[i], max_pixels);
    }
    uint8_t *scratch = malloc(longest + 1000);
    for (long n = 0; n < mutations; n++) {
        int i = (int)drawn(files), j = (int)drawn(files);
        memcpy(scratch, data[i], sizes[i]);
        size_t size = mutated(scratch, sizes[i], data[j], sizes[j]);
        uint8_t *exact = malloc(size); /* so that reading beyond is seen */
        memcpy(exact, scratch, size);
        one(exact, size, max_pixels);
        free(exact);
    }
    printf("%ld partly read, %ld complete, %ld refused, slowest %.0f ms, digest %016llx\n",
           read_ones, complete_ones, refused_ones, slowest, (unsigned long long)digest);
    for (int i = 0; i < files; i++) free(data[i]);
    free(data);
    free(sizes);
    free(scratch);
    return 0;
}
