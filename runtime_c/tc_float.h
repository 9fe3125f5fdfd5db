/* tc_float.h - limits of float32 values, as TFLite's fused activations compute them. */
#ifndef TC_FLOAT_H
#define TC_FLOAT_H

#include "tc_types.h"

/* The greater of value and low. */
static inline float tc_max_f32(float value, float low)
{
    return value < low ? low : value;
}

/* The lesser of value and high. */
static inline float tc_min_f32(float value, float high)
{
    return value > high ? high : value;
}

/* value limited to low..high. */
static inline float tc_clamp_f32(float value, float low, float high)
{
    return tc_min_f32(tc_max_f32(value, low), high);
}

#endif /* TC_FLOAT_H */
