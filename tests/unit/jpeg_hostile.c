/* Runs jpeg.c over files and over mutations of them, for a build with sanitizers.
 *
 *     hostile SEED MUTATIONS MAX_PIXELS FILE...
 *
 * Each file is read unchanged, then MUTATIONS of random files. Every input is read as blocks and as
 * planes, into buffers followed by guards: both must agree, no guard may change, and no unwritten
 * row may count as complete. Prints the numbers of partial, complete and refused files, the slowest
 * in milliseconds, and a checksum of all coefficients.
 */
#include <math.h>
#include <time.h>

#include "../../src/imrep/_native/jpeg.c"

enum { GUARD = 64, CANARY = 0xA5, SMALL = 1 << 22 };
static const float NEVER = 12345.678f; /* no coefficient: they are integers */

static uint64_t state = 1, digest = 1469598103934665603u;
static long partial_files, complete_files, refused_files;
static double slowest;

static uint64_t random_below(uint64_t below)
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

/* Filled rows of planes against the same rows of blocks. */
static void compare(const facts *f, int c, const int16_t *blocks, const float *planes)
{
    size_t stride = (size_t)f->rows[c] * f->columns[c];
    for (int row = 0; row < f->filled[c]; row++)
        for (int column = 0; column < f->columns[c]; column++)
            for (int k = 0; k < DCTSIZE2; k++) {
                int16_t stored = blocks[((size_t)row * f->stride[c] + column) * DCTSIZE2 + k];
                float value = planes[k * stride + (size_t)row * f->columns[c] + column];
                if (value != (float)stored * (float)f->tables[c][k])
                    fail("planes are not the blocks");
            }
}

static void check_file(const uint8_t *data, size_t size, int64_t max_pixels)
{
    static facts first, second;
    int16_t *blocks[PLANES] = {0};
    float *planes[PLANES] = {0};
    double start = now(), took;
    void *handle = imrep_jpeg_open(data, size, max_pixels, &first);
    if (!handle) {
        if (!first.message[0]) fail("refused without a reason");
        refused_files++;
        return;
    }
    for (int c = 0; c < first.planes; c++) blocks[c] = (int16_t *)guarded(block_bytes(&first, c));
    int ok = imrep_jpeg_blocks(handle, blocks), rows[PLANES];
    memcpy(rows, first.filled, sizeof rows);
    imrep_jpeg_close(handle);
    took = now() - start;

    start = now();
    handle = imrep_jpeg_open(data, size, max_pixels, &second);
    if (!handle) fail("opened once only");
    for (int c = 0; c < second.planes; c++) {
        size_t bytes = plane_bytes(&second, c);
        planes[c] = (float *)guarded(bytes);
        if (bytes < SMALL)
            for (size_t i = 0; i < bytes / sizeof(float); i++) planes[c][i] = NEVER;
    }
    if (imrep_jpeg_planes(handle, planes) != ok) fail("read once only");
    imrep_jpeg_close(handle);
    took = fmax(took, now() - start);
    slowest = fmax(slowest, took);

    int complete_rows = 0, complete = 1;
    for (int c = 0; c < first.planes; c++) {
        if (ok && first.complete[c] != second.complete[c]) fail("complete rows differ");
        if (ok && (first.complete[c] < 0 || first.complete[c] > first.rows[c]))
            fail("more complete rows than rows");
        if (ok && block_bytes(&first, c) < SMALL) {
            if (second.filled[c] > rows[c]) fail("planes have rows that blocks have not");
            compare(&second, c, blocks[c], planes[c]);
            mix(blocks[c], block_bytes(&first, c) / first.padded[c] * rows[c]);
        }
        complete_rows += first.complete[c];
        complete &= first.complete[c] == first.rows[c];
        released((uint8_t *)blocks[c], block_bytes(&first, c));
        released((uint8_t *)planes[c], plane_bytes(&second, c));
    }
    mix(first.complete, sizeof first.complete);
    if (!ok || (!complete_rows && !first.scans))
        refused_files++;
    else if (complete)
        complete_files++;
    else
        partial_files++;
}

/* Up to four changes: flipped bits, a part removed or repeated, a marker, a part of another file,
 * or truncation. */
static size_t mutate(uint8_t *data, size_t size, const uint8_t *other, size_t other_size)
{
    for (int times = 1 + (int)random_below(4); times > 0 && size > 8; times--) {
        size_t at = random_below(2) ? random_below(size) : random_below(size < 700 ? size : 700),
               span;
        switch (random_below(7)) {
        case 0:
            data[at] ^= (uint8_t)(1 << random_below(8));
            break;
        case 1:
            data[at] = (uint8_t)random_below(256);
            break;
        case 2:
            size = at + 1;
            break;
        case 3:
            span = random_below(size - at < 200 ? size - at : 200);
            memmove(data + at, data + at + span, size - at - span);
            size -= span;
            break;
        case 4:
            span = random_below(size - at < 200 ? size - at : 200);
            memmove(data + at + span, data + at, size - at);
            size += span;
            break;
        case 5:
            data[at] = 0xFF;
            if (at + 1 < size) data[at + 1] = (uint8_t)(0xC0 + random_below(64));
            break;
        default:
            span = random_below(400);
            if (span > other_size) span = other_size;
            if (span > size - at) span = size - at;
            memcpy(data + at, other + random_below(other_size - span + 1), span);
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
        check_file(data[i], sizes[i], max_pixels);
    }
    uint8_t *scratch = malloc(longest + 1000);
    for (long n = 0; n < mutations; n++) {
        int i = (int)random_below(files), j = (int)random_below(files);
        memcpy(scratch, data[i], sizes[i]);
        size_t size = mutate(scratch, sizes[i], data[j], sizes[j]);
        uint8_t *exact = malloc(size); /* so that reading beyond is seen */
        memcpy(exact, scratch, size);
        check_file(exact, size, max_pixels);
        free(exact);
    }
    printf("%ld partly read, %ld complete, %ld refused, slowest %.0f ms, digest %016llx\n",
           partial_files, complete_files, refused_files, slowest, (unsigned long long)digest);
    for (int i = 0; i < files; i++) free(data[i]);
    free(data);
    free(sizes);
    free(scratch);
    return 0;
}
