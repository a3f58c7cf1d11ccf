/* DCT coefficients straight from the bytes of a JPEG, by libjpeg-turbo's entropy decoders.
 *
 * The caller opens the bytes, reads the facts, allocates buffers and has them filled: blocks of
 * int16, or dequantised planes of float, one for each frequency. libjpeg's virtual arrays of
 * coefficients are the caller's own buffers, so that nothing is copied.
 *
 * The first damage ends the decoding, since libjpeg invents what follows: blocks before it are
 * complete, all others are zero. Damage that is still a valid code goes unnoticed.
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
#include "jpeg_planes.h"
#include "jpeg_reader.h"

/* -- Virtual arrays that are the caller's buffers ---------------------------------------------- */

static jvirt_barray_ptr on_request(j_common_ptr jpeg, int pool, boolean zero, JDIMENSION columns,
                                   JDIMENSION rows, JDIMENSION max_access)
{
    reader *r = (reader *)jpeg;
    const facts *f = r->facts;
    int c = r->requested++;
    (void)zero; /* on_access zeroes rows when they are requested, while they are in the cache */
    (void)max_access;
    if (c >= f->planes || columns != (JDIMENSION)f->stride[c] || rows != (JDIMENSION)f->padded[c])
        ERREXIT(jpeg, JERR_BAD_VIRTUAL_ACCESS);
    array *s = &r->arrays[c];
    s->zeroed_rows = 0;
    size_t buffered = r->streamed ? (size_t)f->down[c] : rows;
    s->rows = jpeg->mem->alloc_large(jpeg, pool, buffered * sizeof(JBLOCKROW));
    for (size_t i = 0; i < buffered; i++) s->rows[i] = (JBLOCKROW)r->blocks[c] + i * columns;
    s->band = -1;
    return (jvirt_barray_ptr)s;
}

/* libjpeg requests rows in order of need, several times each. Rows are zeroed at the first request.
 * In a streamed plane the previous band is complete by then, and its buffer is reused. */
static JBLOCKARRAY on_access(j_common_ptr jpeg, jvirt_barray_ptr virtual, JDIMENSION first,
                             JDIMENSION count, boolean writable)
{
    reader *r = (reader *)jpeg;
    array *s = (array *)virtual;
    int c = (int)(s - r->arrays), band_rows = r->facts->down[c], end = (int)(first + count);
    size_t row = (size_t)r->facts->stride[c] * sizeof(JBLOCK);
    (void)writable;
    if (first + count > (JDIMENSION)r->facts->padded[c] ||
        (r->streamed && count > (JDIMENSION)band_rows))
        ERREXIT(jpeg, JERR_BAD_VIRTUAL_ACCESS);
    int new_rows = end - s->zeroed_rows;
    if (new_rows > 0) s->zeroed_rows = end;
    if (!r->streamed) {
        if (new_rows > 0) memset(s->rows[end - new_rows], 0, (size_t)new_rows * row);
        return s->rows + first;
    }
    flush_band(r, c);
    memset(r->blocks[c], 0, (size_t)band_rows * row);
    s->band = (int)first / band_rows;
    return s->rows;
}

/* -- Opening ----------------------------------------------------------------------------------- */

static int rounded(int n, int unit) { return (n + unit - 1) / unit * unit; }

/* Reads the header, up to the first scan. Jumps to `jump` on an unsupported one. */
static void begin(reader *r)
{
    j_decompress_ptr jpeg = &r->jpeg;
    if (r->created) jpeg_destroy_decompress(jpeg);
    r->created = r->reading = r->requested = r->started_scan = r->completed_scan = 0;
    r->empty_blocks = 0;
    jpeg->err = jpeg_std_error(&r->errors);
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->errors.output_message = on_output;
    jpeg_create_decompress(jpeg);
    r->created = 1;
    r->source = (struct jpeg_source_mgr){
        r->data, r->size, no_operation, on_empty, on_skip, jpeg_resync_to_restart, no_operation};
    jpeg->src = &r->source;
    if (!r->native_arrays) {
        jpeg->mem->request_virt_barray = on_request;
        jpeg->mem->access_virt_barray = on_access;
    }
    jpeg_read_header(jpeg, TRUE);
}

static int try_begin(reader *r)
{
    if (setjmp(r->jump)) return 0;
    begin(r);
    return 1;
}

static int describe(reader *r, int64_t max_pixels)
{
    j_decompress_ptr jpeg = &r->jpeg;
    facts *f = r->facts;
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
        f->complete[c] = -1;
    }
    r->last_scan = jpeg_has_multiple_scans(jpeg) ? INT32_MAX : 1;
    return 1;
}

IMREP_EXPORT void imrep_jpeg_close(void *handle)
{
    reader *r = handle;
    if (!r) return;
    if (r->created) jpeg_destroy_decompress(&r->jpeg);
    for (int c = 0; c < PLANES; c++) free(r->buffers[c]);
    free(r);
}

/* A handle for `data`, which must outlive it, or NULL with the reason in `f->message`. */
IMREP_EXPORT void *imrep_jpeg_open(const uint8_t *data, size_t size, int64_t max_pixels, facts *f)
{
    reader *r = calloc(1, sizeof(reader));
    memset(f, 0, sizeof *f);
    if (!r) {
        snprintf(f->message, sizeof f->message, "out of memory");
        return NULL;
    }
    r->data = data;
    r->size = size;
    r->facts = f;
    if (try_begin(r) && describe(r, max_pixels)) return r;
    imrep_jpeg_close(r);
    return NULL;
}

/* -- Reading ----------------------------------------------------------------------------------- */

static int read_all(reader *r)
{
    if (setjmp(r->jump)) return 0;
    jpeg_read_coefficients(&r->jpeg);
    return 1;
}

/* Entropy decoding. Callbacks end it by longjmp, with the reason as the value of setjmp. */
static int decode(reader *r)
{
    r->jpeg.progress = &r->progress;
    r->progress.progress_monitor = on_progress;
    switch (setjmp(r->jump)) {
    case 0:
        r->reading = 1;
        jpeg_read_coefficients(&r->jpeg);
        return FINISHED;
    case FAILED:
        return FAILED;
    case DAMAGED:
        return DAMAGED;
    default:
        return STOPPED;
    }
}

/* Decodes the complete scans once more: the truncated one has changed some coefficients. */
static int decode_again(reader *r)
{
    r->last_scan = r->completed_scan;
    return try_begin(r) ? decode(r) : FAILED;
}

/* Whether a progressive file ended before all bits of this plane. */
static int lacks_bits(const reader *r, int c)
{
    for (int k = 0; k < DCTSIZE2; k++)
        if (r->jpeg.coef_bits[c][k]) return 1;
    return 0;
}

/* Counts the complete rows of each plane: those of all its scans, or up to the damaged MCU row. */
static void count_complete_rows(reader *r, int outcome)
{
    j_decompress_ptr jpeg = &r->jpeg;
    facts *f = r->facts;
    f->scans = r->completed_scan;
    f->damaged = outcome == DAMAGED;
    if (outcome == DAMAGED && jpeg->input_scan_number > r->completed_scan) {
        int rows = inside_scan(r) && !f->progressive ? (int)jpeg->input_iMCU_row : 0;
        for (int i = 0; i < jpeg->comps_in_scan; i++) {
            int c = jpeg->cur_comp_info[i]->component_index;
            int rows_done = rows * f->down[c];
            if (f->complete[c] < 0 || rows_done < f->complete[c]) f->complete[c] = rows_done;
        }
    }
    for (int c = 0; c < f->planes; c++) {
        const JQUANT_TBL *table = jpeg->comp_info[c].quant_table;
        if (f->complete[c] > f->rows[c]) f->complete[c] = f->rows[c];
        if (f->complete[c] < 0 || !table) f->complete[c] = 0;
        if (f->progressive && (f->ended || f->damaged) && lacks_bits(r, c)) f->complete[c] = 0;
        for (int k = 0; table && k < DCTSIZE2; k++) f->tables[c][k] = table->quantval[k];
    }
}

/* Zeroes incomplete rows: libjpeg invents MCUs at and after the damage. */
static void clear_incomplete(reader *r)
{
    const facts *f = r->facts;
    for (int c = 0; c < f->planes; c++) {
        int first = f->complete[c], end = r->arrays[c].zeroed_rows;
        size_t row = (size_t)f->stride[c] * sizeof(JBLOCK);
        if (first < f->rows[c] && first < end)
            memset((char *)r->blocks[c] + first * row, 0, (end - first) * row);
    }
}

static int fill_blocks(reader *r)
{
    int outcome = decode(r), cut;
    if (outcome == FAILED) return 0;
    count_complete_rows(r, outcome);
    cut = outcome == DAMAGED && r->started_scan > r->completed_scan;
    if (!r->facts->progressive) clear_incomplete(r);
    if (r->facts->progressive && cut && r->completed_scan) return decode_again(r) != FAILED;
    return 1;
}

/* Fills the first `filled` rows of planes of `padded` x `stride` blocks; the caller zeroes the
 * others. Returns 0 if nothing could be decoded. */
IMREP_EXPORT int imrep_jpeg_blocks(void *handle, int16_t **blocks)
{
    reader *r = handle;
    for (int c = 0; c < r->facts->planes; c++) r->blocks[c] = blocks[c];
    int ok = fill_blocks(r);
    for (int c = 0; c < r->facts->planes; c++) r->facts->filled[c] = r->arrays[c].zeroed_rows;
    return ok;
}

static int16_t *allocate(reader *r, int c, int rows)
{
    r->buffers[c] = malloc((size_t)rows * r->facts->stride[c] * sizeof(JBLOCK));
    return r->blocks[c] = r->buffers[c];
}

static void dequantise_all(reader *r)
{
    facts *f = r->facts;
    for (int c = 0; c < f->planes; c++) {
        int rows_done =
            r->arrays[c].zeroed_rows < f->rows[c] ? r->arrays[c].zeroed_rows : f->rows[c];
        for (int row = 0; row < rows_done; row++)
            dequantise_row(r, c, row, r->blocks[c] + (size_t)row * f->stride[c] * DCTSIZE2);
        f->filled[c] = r->jpeg.comp_info[c].quant_table ? rows_done : 0;
    }
}

/* Fills the first `filled` rows of planes of 64 x `rows` x `columns` dequantised coefficients; the
 * caller zeroes the others. A single scan is dequantised band by band, still in the cache. */
IMREP_EXPORT int imrep_jpeg_planes(void *handle, float **planes)
{
    reader *r = handle;
    facts *f = r->facts;
    r->streamed = r->last_scan == 1;
    for (int c = 0; c < f->planes; c++) {
        r->planes[c] = planes[c];
        if (!allocate(r, c, r->streamed ? f->down[c] : f->padded[c])) {
            snprintf(f->message, sizeof f->message, "out of memory");
            return 0;
        }
    }
    if (!r->streamed) {
        if (!fill_blocks(r)) return 0;
        dequantise_all(r);
        return 1;
    }
    int outcome = decode(r);
    if (outcome == FAILED) return 0;
    count_complete_rows(r, outcome);
    for (int c = 0; c < f->planes; c++) {
        if (outcome != DAMAGED) flush_band(r, c);
        f->filled[c] = f->complete[c];
    }
    return 1;
}

/* libjpeg's entropy decoding into its own arrays, the baseline of benchmarks; 1 on success. */
IMREP_EXPORT int imrep_jpeg_entropy(const uint8_t *data, size_t size)
{
    facts f = {0};
    reader *r = calloc(1, sizeof(reader));
    if (!r) return 0;
    r->facts = &f;
    r->data = data;
    r->size = size;
    r->native_arrays = 1;
    int ok = try_begin(r) && read_all(r);
    imrep_jpeg_close(r);
    return ok;
}
