/* The state of one decoding, and the functions that libjpeg calls back.
 *
 * No error leaves by exit(): libjpeg's handlers jump back (longjmp) to the exported function.
 */
#ifndef IMREP_JPEG_READER_H
#define IMREP_JPEG_READER_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#ifndef LIBJPEG_TURBO_VERSION_NUMBER
#error "needs the headers of libjpeg-turbo, got those of another libjpeg"
#endif

enum { PLANES = 4 };
enum { FREE_SCANS = 16 };                             /* as many as usual files have */
static const int64_t MAX_SCANNED_PIXELS = 1000000000; /* scans x pixels of files with more scans */
static const int64_t MAX_EMPTY_BLOCKS = 300000;       /* decoded after the end of the data */

typedef struct { /* mirrored in imrep/jpeg/__init__.py */
    int32_t width, height, planes, space, adobe, progressive, arithmetic, precision;
    int32_t across[PLANES], down[PLANES];    /* sampling factors */
    int32_t columns[PLANES], rows[PLANES];   /* blocks of the image */
    int32_t stride[PLANES], padded[PLANES];  /* columns and rows with padding to complete MCUs */
    int32_t complete[PLANES];                /* rows of blocks decoded before any damage */
    int32_t filled[PLANES];                  /* rows of the caller's buffer that were written */
    int32_t scans, ended, damaged, warnings; /* scans: complete ones; ended: data ran out */
    uint16_t tables[PLANES][DCTSIZE2];       /* quantisation, in natural order */
    char message[JMSG_LENGTH_MAX];           /* of the first warning, or of the error */
} facts;

/* libjpeg's virtual array of one plane. Either it holds all rows of blocks (blocks, progressive
 * files), or one band: the rows of one MCU row, dequantised before the next one (streamed). */
typedef struct {
    JBLOCKROW *rows; /* pointers into the plane's buffer */
    int band;        /* the one in the buffer, -1 before the first */
    int zeroed_rows; /* rows that libjpeg has requested, which were zeroed then */
} array;

typedef struct {
    struct jpeg_decompress_struct jpeg; /* first, so that libjpeg's pointer is ours */
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    const uint8_t *data;
    size_t size;
    facts *facts;
    array arrays[PLANES];
    int16_t *blocks[PLANES];  /* quantised coefficients: the caller's buffers, or */
    float *planes[PLANES];    /* the caller's dequantised planes, from */
    int16_t *buffers[PLANES]; /* blocks of our own, freed at the end */
    int streamed, created, reading, requested; /* requested: virtual arrays so far */
    int native_arrays;                         /* libjpeg keeps its own arrays, for benchmarks */
    int last_scan, started_scan, completed_scan;
    int64_t empty_blocks; /* decoded after the data of their scan had ended */
} reader;

enum { FINISHED = 0, FAILED = 1, DAMAGED = 2, STOPPED = 3 }; /* why decoding ended */

static const uint8_t END[2] = {0xFF, JPEG_EOI};

static void on_error(j_common_ptr jpeg)
{
    reader *r = (reader *)jpeg;
    if (!r->facts->message[0]) jpeg->err->format_message(jpeg, r->facts->message);
    longjmp(r->jump, r->reading ? DAMAGED : FAILED);
}

static int inside_scan(const reader *r)
{
    return r->started_scan == r->jpeg.input_scan_number && r->started_scan > r->completed_scan;
}

static void on_message(j_common_ptr jpeg, int level)
{
    reader *r = (reader *)jpeg;
    if (level >= 0) return;
    r->facts->warnings++;
    if (!r->facts->message[0]) jpeg->err->format_message(jpeg, r->facts->message);
    if (r->reading && inside_scan(r)) longjmp(r->jump, DAMAGED);
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static void no_operation(j_decompress_ptr jpeg) { (void)jpeg; }

/* The data has ended: libjpeg gets an end marker. Huffman decoders notice missing bits themselves;
 * arithmetic ones would decode zeros for ever. */
static boolean on_empty(j_decompress_ptr jpeg)
{
    reader *r = (reader *)jpeg;
    r->facts->ended = 1;
    if (jpeg->arith_code && r->reading && inside_scan(r)) longjmp(r->jump, DAMAGED);
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

/* Arithmetic codes may legally end before the image, since trailing zeros are omitted, but few rows
 * do. Without a limit a small file that declares a huge image would be decoded for seconds. */
static void check_exhausted(reader *r)
{
    j_decompress_ptr jpeg = &r->jpeg;
    int marker = jpeg->unread_marker;
    if (!jpeg->arith_code || !marker || (marker >= JPEG_RST0 && marker <= JPEG_RST0 + 7)) return;
    for (int i = 0; i < jpeg->comps_in_scan; i++) {
        const jpeg_component_info *info = jpeg->cur_comp_info[i];
        r->empty_blocks += (int64_t)info->width_in_blocks * info->v_samp_factor;
    }
    if (r->empty_blocks <= MAX_EMPTY_BLOCKS) return;
    snprintf(r->facts->message, sizeof r->facts->message,
             "data for a small part of the image only");
    longjmp(r->jump, FAILED);
}

/* Called before each marker and each row of MCUs. */
static void on_progress(j_common_ptr common)
{
    reader *r = (reader *)common;
    j_decompress_ptr jpeg = &r->jpeg;
    int scan = jpeg->input_scan_number;
    if (scan > r->last_scan) longjmp(r->jump, STOPPED);
    if (scan > FREE_SCANS &&
        (int64_t)scan * jpeg->image_width * jpeg->image_height > MAX_SCANNED_PIXELS) {
        snprintf(r->facts->message, sizeof r->facts->message, "more than %d scans", scan - 1);
        longjmp(r->jump, FAILED);
    }
    if (jpeg->input_iMCU_row < jpeg->total_iMCU_rows) {
        r->started_scan = scan;
        check_exhausted(r);
    } else if (r->completed_scan < scan) {
        r->completed_scan = scan;
        for (int i = 0; i < jpeg->comps_in_scan; i++) {
            int c = jpeg->cur_comp_info[i]->component_index;
            if (r->facts->complete[c] < 0) r->facts->complete[c] = r->facts->rows[c];
        }
        if (r->last_scan == 1) longjmp(r->jump, STOPPED); /* later data is not the image's */
    }
}

#endif
