/* tc_harness_trace.h - named by TC_TRACE_HEADER: what a generated model calls after each row (TC_TRACE_ROWS) and each
 * layer. */
#ifndef TC_HARNESS_TRACE_INCLUDED
#define TC_HARNESS_TRACE_INCLUDED

#include <stdint.h>

void tc_trace_row(uint32_t layer, uint32_t output, uint32_t row, const void *data, uint32_t bytes);
void tc_trace_layer(uint32_t layer);

/* Starts and ends recording rows into a file that is open. */
void trace_begin(int handle);
void trace_end(void);

#if defined(TC_TRACE_ROWS)
#define TC_TRACE_ROW(layer, output, row, data, bytes)                                                        \
    tc_trace_row((uint32_t)(layer), (uint32_t)(output), (uint32_t)(row), (data), (uint32_t)(bytes))
#else
/* What ran since the last mark belongs to this layer; marks by row, because fused layers take turns. */
#define TC_TRACE_ROW(layer, output, row, data, bytes) ((void)(data), tc_trace_layer((uint32_t)(layer)))
#endif
#define TC_TRACE_LAYER(layer) ((void)0)

#endif /* TC_HARNESS_TRACE_INCLUDED */
