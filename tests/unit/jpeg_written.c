/* Writes JPEGs of every kind through libjpeg-turbo: Pillow writes few of them.
 *
 * Samples are interleaved, 8 bits; `space` and `stored` are libjpeg's numbers of the colour space
 * given and written; `factors` hold each plane's horizontal and vertical sampling factor, `tables`
 * 64 quantisers in natural order per plane. Returns the bytes written, or 0.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { ARITHMETIC = 1, PROGRESSIVE = 2, SEPARATE = 4, RESTARTS = 8 };

__attribute__((visibility("default"))) size_t written(const uint8_t *samples, int width, int height,
                                                      int planes, int space, int stored,
                                                      const int *factors, const unsigned *tables,
                                                      int how, uint8_t *out, size_t room)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long count = 0;
    jpeg_scan_info scans[4];
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &count);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = planes;
    jpeg.in_color_space = (J_COLOR_SPACE)space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, (J_COLOR_SPACE)stored);
    for (int c = 0; c < planes; c++) {
        jpeg_add_quant_table(&jpeg, c, tables + c * DCTSIZE2, 100, FALSE);
        jpeg.comp_info[c].quant_tbl_no = c;
        jpeg.comp_info[c].h_samp_factor = factors[2 * c];
        jpeg.comp_info[c].v_samp_factor = factors[2 * c + 1];
    }
    jpeg.arith_code = (how & ARITHMETIC) != 0;
    jpeg.optimize_coding = !jpeg.arith_code;
    if (how & PROGRESSIVE) jpeg_simple_progression(&jpeg);
    if (how & SEPARATE) {
        for (int c = 0; c < planes; c++) scans[c] = (jpeg_scan_info){1, {c}, 0, DCTSIZE2 - 1, 0, 0};
        jpeg.scan_info = scans;
        jpeg.num_scans = planes;
    }
    if (how & RESTARTS) jpeg.restart_interval = 3;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = (JSAMPROW)(samples + (size_t)jpeg.next_scanline * width * planes);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    if (count > room) count = 0;
    memcpy(out, bytes, count);
    free(bytes);
    return count;
}
