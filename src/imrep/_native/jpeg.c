/* DCT coefficients straight from the bytes of a JPEG, by libjpeg-turbo's entropy decoders.
 *
 * The caller opens the bytes, reads the facts, makes buffers and has them filled, as blocks of
 * int16 or as dequantised planes of float, one for each frequency. libjpeg's virtual arrays of
 * coefficients are the caller's own buffers, so that nothing is copied.
 *
 * No error leaves by exit(): libjpeg's handlers jump back to the function that was called. The
 * first damage ends the decoding, since what follows is invented: blocks before it are whole, all
 * others are zero. Damage that still makes sense as a code is seen by nobody.
 */
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "imrep.h"

#ifndef LIBJPEG_TURBO_VERSION_NUMBER
#error "needs the headers of libjpeg-turbo, found those of another libjpeg"
#endif

enum { PLANES = 4 };
enum { FREE_SCANS = 16 };                         /* as many as honest files have */
static const int64_t SCANNED_PIXELS = 1000000000; /* scans x pixels of files that have more */

static const int64_t DRY_BLOCKS = 300000; /* decoded of nothing but the zeros after the data */

typedef struct { /* mirrored in imrep/jpeg.py */
    int32_t width, height, planes, space, adobe, progressive, arithmetic, precision;
    int32_t across[PLANES], down[PLANES];    /* sampling factors */
    int32_t columns[PLANES], rows[PLANES];   /* blocks of the image */
    int32_t stride[PLANES], padded[PLANES];  /* columns and rows with those that fill up an MCU */
    int32_t whole[PLANES];                   /* rows of blocks read before any damage */
    int32_t written[PLANES];                 /* rows of the caller's buffer that were written */
    int32_t scans, ended, damaged, warnings; /* scans: complete ones; ended: bytes ran out */
    uint16_t tables[PLANES][DCTSIZE2];       /* quantisation, in natural order */
    char message[JMSG_LENGTH_MAX];           /* of the first warning, or of the error */
} facts;

typedef struct {
    JBLOCKROW *rows; /* of the whole plane, or of one band */
    int band;        /* the one held where planes are streamed, -1 before the first */
    int touched;     /* rows that libjpeg has asked for, and that were zeroed then */
} store;

typedef struct {
    struct jpeg_decompress_struct jpeg; /* first, so that libjpeg's pointer is ours */
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf out;
    const uint8_t *data;
    size_t size;
    facts *found;
    store stores[PLANES];
    int16_t *blocks[PLANES]; /* where coefficients go, */
    float *planes[PLANES];   /* or where they go a band at a time, dequantised */
    int16_t *own[PLANES];    /* our own blocks, to be freed */
    int streamed, created, reading, requested;
    int plain; /* libjpeg keeps its own arrays */
    int last_scan, started, completed;
    int64_t dry_blocks; /* decoded after the data of their scan had ended */
} reader;

enum { FINISHED = 0, FAILED = 1, DAMAGED = 2, ENOUGH = 3 }; /* why decoding ended */

static const uint8_t END[2] = {0xFF, JPEG_EOI};

/* -- What libjpeg calls ------------------------------------------------------------------------ */

static void on_error(j_common_ptr jpeg)
{
    reader *r = (reader *)jpeg;
    if (!r->found->message[0]) jpeg->err->format_message(jpeg, r->found->message);
    longjmp(r->out, r->reading ? DAMAGED : FAILED);
}

static int inside_scan(const reader *r)
{
    return r->started == r->jpeg.input_scan_number && r->started > r->completed;
}

static void on_message(j_common_ptr jpeg, int level)
{
    reader *r = (reader *)jpeg;
    if (level >= 0) return;
    r->found->warnings++;
    if (!r->found->message[0]) jpeg->err->format_message(jpeg, r->found->message);
    if (r->reading && inside_scan(r)) longjmp(r->out, DAMAGED);
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static void nothing(j_decompress_ptr jpeg) { (void)jpeg; }

/* The bytes have run out. Huffman codes read ahead and know themselves when bits are missing;
 * arithmetic ones go on with zeros for ever. */
static boolean on_empty(j_decompress_ptr jpeg)
{
    reader *r = (reader *)jpeg;
    r->found->ended = 1;
    if (jpeg->arith_code && r->reading && inside_scan(r)) longjmp(r->out, DAMAGED);
    r->source.next_input_byte = END;
    r->source.bytes_in_buffer = sizeof END;
    return TRUE;
}

static void on_skip(j_decompress_ptr jpeg, long count)
{
    reader *r = (reader *)jpeg;
    if (count <= 0) return;
    if ((size_t)count > r->source.bytes_in_buffer) {
        on_empty(jpeg);
        return;
    }
    r->source.next_input_byte += count;
    r->source.bytes_in_buffer -= (size_t)count;
}

/* Arithmetic codes may end before the image, since zeros at their end are left out. Few rows need
 * that; a small file that promises a huge image would be decoded for seconds. */
static void watch_dry(reader *r)
{
    j_decompress_ptr jpeg = &r->jpeg;
    int marker = jpeg->unread_marker;
    if (!jpeg->arith_code || !marker || (marker >= JPEG_RST0 && marker <= JPEG_RST0 + 7)) return;
    for (int i = 0; i < jpeg->comps_in_scan; i++) {
        const jpeg_component_info *info = jpeg->cur_comp_info[i];
        r->dry_blocks += (int64_t)info->width_in_blocks * info->v_samp_factor;
    }
    if (r->dry_blocks <= DRY_BLOCKS) return;
    snprintf(r->found->message, sizeof r->found->message,
             "data for a small part of the image only");
    longjmp(r->out, FAILED);
}

/* Called before each marker and each row of MCUs. */
static void on_progress(j_common_ptr common)
{
    reader *r = (reader *)common;
    j_decompress_ptr jpeg = &r->jpeg;
    int scan = jpeg->input_scan_number;
    if (scan > r->last_scan) longjmp(r->out, ENOUGH);
    if (scan > FREE_SCANS &&
        (int64_t)scan * jpeg->image_width * jpeg->image_height > SCANNED_PIXELS) {
        snprintf(r->found->message, sizeof r->found->message, "more than %d scans", scan - 1);
        longjmp(r->out, FAILED);
    }
    if (jpeg->input_iMCU_row < jpeg->total_iMCU_rows) {
        r->started = scan;
        watch_dry(r);
    } else if (r->completed < scan) {
        r->completed = scan;
        for (int i = 0; i < jpeg->comps_in_scan; i++) {
            int c = jpeg->cur_comp_info[i]->component_index;
            if (r->found->whole[c] < 0) r->found->whole[c] = r->found->rows[c];
        }
        if (r->last_scan == 1) longjmp(r->out, ENOUGH); /* what follows is none of the image's */
    }
}

/* -- Dequantised planes ------------------------------------------------------------------------ */

#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
typedef int16_t eight __attribute__((vector_size(16), aligned(2), may_alias));
typedef float floats __attribute__((vector_size(32), aligned(4), may_alias));

#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)

/* One row of eight coefficients of each of eight blocks, turned: out[u] holds frequency u of all.
 */
static inline void turned(const int16_t *in, eight out[DCTSIZE])
{
    eight a[DCTSIZE], b[DCTSIZE];
    for (int i = 0; i < DCTSIZE; i++) a[i] = *(const eight *)(in + i * DCTSIZE2);
    for (int i = 0; i < 4; i++) { /* thrice the perfect shuffle of rows i and i + 4 */
        b[2 * i] = LOW(a[i], a[i + 4]);
        b[2 * i + 1] = HIGH(a[i], a[i + 4]);
    }
    for (int i = 0; i < 4; i++) {
        a[2 * i] = LOW(b[i], b[i + 4]);
        a[2 * i + 1] = HIGH(b[i], b[i + 4]);
    }
    for (int i = 0; i < 4; i++) {
        out[2 * i] = LOW(a[i], a[i + 4]);
        out[2 * i + 1] = HIGH(a[i], a[i + 4]);
    }
}
#define TURNS 1
#endif

/* A row of blocks, multiplied by its table, to 64 rows of floats that lie `apart`. */
IMREP_FAST static void spread(const int16_t *in, int count, const uint16_t *table, float *out,
                              size_t apart)
{
    for (int v = 0; v < DCTSIZE; v++) {
        int column = 0;
#ifdef TURNS
        for (; column + DCTSIZE <= count; column += DCTSIZE) {
            eight rows[DCTSIZE];
            turned(in + (size_t)column * DCTSIZE2 + v * DCTSIZE, rows);
            for (int u = 0; u < DCTSIZE; u++) {
                int k = v * DCTSIZE + u;
                *(floats *)(out + k * apart + column) =
                    __builtin_convertvector(rows[u], floats) * (float)table[k];
            }
        }
#endif
        for (; column < count; column++) {
            const int16_t *block = in + (size_t)column * DCTSIZE2;
            for (int k = v * DCTSIZE; k < (v + 1) * DCTSIZE; k++)
                out[k * apart + column] = (float)block[k] * (float)table[k];
        }
    }
}

static void spread_row(reader *r, int c, int row, const int16_t *blocks)
{
    const facts *f = r->found;
    const JQUANT_TBL *table = r->jpeg.comp_info[c].quant_table;
    if (row >= f->rows[c] || !table) return;
    spread(blocks, f->columns[c], table->quantval, r->planes[c] + (size_t)row * f->columns[c],
           (size_t)f->rows[c] * f->columns[c]);
}

/* What the band holds is complete: the next one has been asked for, or the scan has ended. */
static void flush(reader *r, int c)
{
    store *s = &r->stores[c];
    int high = r->found->down[c];
    for (int i = 0; s->band >= 0 && i < high; i++)
        spread_row(r, c, s->band * high + i, (const int16_t *)s->rows[i]);
}

/* -- Virtual arrays that are the caller's buffers ---------------------------------------------- */

static jvirt_barray_ptr on_request(j_common_ptr jpeg, int pool, boolean zero, JDIMENSION columns,
                                   JDIMENSION rows, JDIMENSION most)
{
    reader *r = (reader *)jpeg;
    const facts *f = r->found;
    int c = r->requested++;
    (void)zero; /* as rows are asked for, while they are in the cache */
    (void)most;
    if (c >= f->planes || columns != (JDIMENSION)f->stride[c] || rows != (JDIMENSION)f->padded[c])
        ERREXIT(jpeg, JERR_BAD_VIRTUAL_ACCESS);
    store *s = &r->stores[c];
    s->touched = 0;
    size_t held = r->streamed ? (size_t)f->down[c] : rows;
    s->rows = jpeg->mem->alloc_large(jpeg, pool, held * sizeof(JBLOCKROW));
    for (size_t i = 0; i < held; i++) s->rows[i] = (JBLOCKROW)r->blocks[c] + i * columns;
    s->band = -1;
    return (jvirt_barray_ptr)s;
}

static JBLOCKARRAY on_access(j_common_ptr jpeg, jvirt_barray_ptr array, JDIMENSION first,
                             JDIMENSION count, boolean writable)
{
    reader *r = (reader *)jpeg;
    store *s = (store *)array;
    int c = (int)(s - r->stores), high = r->found->down[c], end = (int)(first + count);
    size_t row = (size_t)r->found->stride[c] * sizeof(JBLOCK);
    (void)writable;
    if (first + count > (JDIMENSION)r->found->padded[c] ||
        (r->streamed && count > (JDIMENSION)high))
        ERREXIT(jpeg, JERR_BAD_VIRTUAL_ACCESS);
    int fresh = end - s->touched;
    if (fresh > 0) s->touched = end;
    if (!r->streamed) {
        if (fresh > 0) memset(s->rows[end - fresh], 0, (size_t)fresh * row);
        return s->rows + first;
    }
    flush(r, c);
    memset(r->blocks[c], 0, (size_t)high * row);
    s->band = (int)first / high;
    return s->rows;
}

/* -- Opening ----------------------------------------------------------------------------------- */

static int rounded(int n, int unit) { return (n + unit - 1) / unit * unit; }

/* To the first scan. Jumps to `out` where the header will not do. */
static void begin(reader *r)
{
    j_decompress_ptr jpeg = &r->jpeg;
    if (r->created) jpeg_destroy_decompress(jpeg);
    r->created = r->reading = r->requested = r->started = r->completed = 0;
    r->dry_blocks = 0;
    jpeg->err = jpeg_std_error(&r->errors);
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->errors.output_message = on_output;
    jpeg_create_decompress(jpeg);
    r->created = 1;
    r->source = (struct jpeg_source_mgr){
        r->data, r->size, nothing, on_empty, on_skip, jpeg_resync_to_restart, nothing};
    jpeg->src = &r->source;
    if (!r->plain) {
        jpeg->mem->request_virt_barray = on_request;
        jpeg->mem->access_virt_barray = on_access;
    }
    jpeg_read_header(jpeg, TRUE);
}

static int begun(reader *r)
{
    if (setjmp(r->out)) return 0;
    begin(r);
    return 1;
}

static int described(reader *r, int64_t max_pixels)
{
    j_decompress_ptr jpeg = &r->jpeg;
    facts *f = r->found;
    f->width = (int32_t)jpeg->image_width;
    f->height = (int32_t)jpeg->image_height;
    f->planes = jpeg->num_components;
    f->space = jpeg->jpeg_color_space;
    f->adobe = jpeg->saw_Adobe_marker ? jpeg->Adobe_transform : -1;
    f->progressive = jpeg->progressive_mode;
    f->arithmetic = jpeg->arith_code;
    f->precision = jpeg->data_precision;
    if ((int64_t)f->width * f->height > max_pixels) {
        snprintf(f->message, sizeof f->message, "too many pixels");
        return 0;
    }
    if (f->planes > PLANES || f->precision != 8) {
        snprintf(f->message, sizeof f->message, "%d planes of %d bits", f->planes, f->precision);
        return 0;
    }
    for (int c = 0; c < f->planes; c++) {
        const jpeg_component_info *info = &jpeg->comp_info[c];
        f->across[c] = info->h_samp_factor;
        f->down[c] = info->v_samp_factor;
        f->columns[c] = (int32_t)info->width_in_blocks;
        f->rows[c] = (int32_t)info->height_in_blocks;
        f->stride[c] = rounded(f->columns[c], f->across[c]);
        f->padded[c] = rounded(f->rows[c], f->down[c]);
        f->whole[c] = -1;
    }
    r->last_scan = jpeg_has_multiple_scans(jpeg) ? INT32_MAX : 1;
    return 1;
}

IMREP_EXPORT void imrep_jpeg_close(void *handle)
{
    reader *r = handle;
    if (!r) return;
    if (r->created) jpeg_destroy_decompress(&r->jpeg);
    for (int c = 0; c < PLANES; c++) free(r->own[c]);
    free(r);
}

/* A handle for `data`, which must outlive it, or NULL with the reason in `found`. */
IMREP_EXPORT void *imrep_jpeg_open(const uint8_t *data, size_t size, int64_t max_pixels,
                                   facts *found)
{
    reader *r = calloc(1, sizeof(reader));
    memset(found, 0, sizeof *found);
    if (!r) {
        snprintf(found->message, sizeof found->message, "out of memory");
        return NULL;
    }
    r->data = data;
    r->size = size;
    r->found = found;
    if (begun(r) && described(r, max_pixels)) return r;
    imrep_jpeg_close(r);
    return NULL;
}

/* -- Reading ----------------------------------------------------------------------------------- */

static int all_read(reader *r)
{
    if (setjmp(r->out)) return 0;
    jpeg_read_coefficients(&r->jpeg);
    return 1;
}

static int decoded(reader *r)
{
    r->jpeg.progress = &r->progress;
    r->progress.progress_monitor = on_progress;
    switch (setjmp(r->out)) {
    case 0:
        r->reading = 1;
        jpeg_read_coefficients(&r->jpeg);
        return FINISHED;
    case FAILED:
        return FAILED;
    case DAMAGED:
        return DAMAGED;
    default:
        return ENOUGH;
    }
}

/* The complete scans only, once more: the one that was cut short has left its traces. */
static int decoded_again(reader *r)
{
    r->last_scan = r->completed;
    return begun(r) ? decoded(r) : FAILED;
}

/* Whether a progressive file still owed bits of this plane. */
static int unfinished(const reader *r, int c)
{
    for (int k = 0; k < DCTSIZE2; k++)
        if (r->jpeg.coef_bits[c][k]) return 1;
    return 0;
}

/* Settles how many rows of each plane are whole. */
static void settle(reader *r, int outcome)
{
    j_decompress_ptr jpeg = &r->jpeg;
    facts *f = r->found;
    f->scans = r->completed;
    f->damaged = outcome == DAMAGED;
    if (outcome == DAMAGED && jpeg->input_scan_number > r->completed) {
        int rows = inside_scan(r) && !f->progressive ? (int)jpeg->input_iMCU_row : 0;
        for (int i = 0; i < jpeg->comps_in_scan; i++) {
            int c = jpeg->cur_comp_info[i]->component_index;
            int reached = rows * f->down[c];
            if (f->whole[c] < 0 || reached < f->whole[c]) f->whole[c] = reached;
        }
    }
    for (int c = 0; c < f->planes; c++) {
        const JQUANT_TBL *table = jpeg->comp_info[c].quant_table;
        if (f->whole[c] > f->rows[c]) f->whole[c] = f->rows[c];
        if (f->whole[c] < 0 || !table) f->whole[c] = 0;
        if (f->progressive && (f->ended || f->damaged) && unfinished(r, c)) f->whole[c] = 0;
        for (int k = 0; table && k < DCTSIZE2; k++) f->tables[c][k] = table->quantval[k];
    }
}

/* Rows that are not whole are zero: MCUs at and after the cut are invented. */
static void clear_rest(reader *r)
{
    const facts *f = r->found;
    for (int c = 0; c < f->planes; c++) {
        int first = f->whole[c], beyond = r->stores[c].touched;
        size_t row = (size_t)f->stride[c] * sizeof(JBLOCK);
        if (first < f->rows[c] && first < beyond)
            memset((char *)r->blocks[c] + first * row, 0, (beyond - first) * row);
    }
}

static int fill_blocks(reader *r)
{
    int outcome = decoded(r), cut;
    if (outcome == FAILED) return 0;
    settle(r, outcome);
    cut = outcome == DAMAGED && r->started > r->completed;
    if (!r->found->progressive) clear_rest(r);
    if (r->found->progressive && cut && r->completed) return decoded_again(r) != FAILED;
    return 1;
}

/* Fill the `written` first rows of planes of `padded` x `stride` blocks; in the others all are
 * zero. Returns 0 where nothing can be said of them. */
IMREP_EXPORT int imrep_jpeg_blocks(void *handle, int16_t **blocks)
{
    reader *r = handle;
    for (int c = 0; c < r->found->planes; c++) r->blocks[c] = blocks[c];
    int well = fill_blocks(r);
    for (int c = 0; c < r->found->planes; c++) r->found->written[c] = r->stores[c].touched;
    return well;
}

static int16_t *owned(reader *r, int c, int rows)
{
    r->own[c] = malloc((size_t)rows * r->found->stride[c] * sizeof(JBLOCK));
    return r->blocks[c] = r->own[c];
}

static void spread_all(reader *r)
{
    facts *f = r->found;
    for (int c = 0; c < f->planes; c++) {
        int reached = r->stores[c].touched < f->rows[c] ? r->stores[c].touched : f->rows[c];
        for (int row = 0; row < reached; row++)
            spread_row(r, c, row, r->blocks[c] + (size_t)row * f->stride[c] * DCTSIZE2);
        f->written[c] = r->jpeg.comp_info[c].quant_table ? reached : 0;
    }
}

/* Fill the `written` first rows of planes of 64 x `rows` x `columns` dequantised coefficients; in
 * the others all are zero. Those of a single scan become floats band by band, still in the cache.
 */
IMREP_EXPORT int imrep_jpeg_planes(void *handle, float **planes)
{
    reader *r = handle;
    facts *f = r->found;
    r->streamed = r->last_scan == 1;
    for (int c = 0; c < f->planes; c++) {
        r->planes[c] = planes[c];
        if (!owned(r, c, r->streamed ? f->down[c] : f->padded[c])) {
            snprintf(f->message, sizeof f->message, "out of memory");
            return 0;
        }
    }
    if (!r->streamed) {
        if (!fill_blocks(r)) return 0;
        spread_all(r);
        return 1;
    }
    int outcome = decoded(r);
    if (outcome == FAILED) return 0;
    settle(r, outcome);
    for (int c = 0; c < f->planes; c++) {
        if (outcome != DAMAGED) flush(r, c);
        f->written[c] = f->whole[c];
    }
    return 1;
}

/* libjpeg's own entropy decoding into its own arrays, what benchmarks compare with; 1 if it went.
 */
IMREP_EXPORT int imrep_jpeg_entropy(const uint8_t *data, size_t size)
{
    facts found = {0};
    reader *r = calloc(1, sizeof(reader));
    if (!r) return 0;
    r->found = &found;
    r->data = data;
    r->size = size;
    r->plain = 1;
    int well = begun(r) && all_read(r);
    imrep_jpeg_close(r);
    return well;
}
