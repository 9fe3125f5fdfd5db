/* tc_math.h - the functions of <math.h> that kernels of float tensors call. */
#ifndef TC_MATH_H
#define TC_MATH_H

#include "tc_types.h"

#include <math.h>

#endif /* TC_MATH_H */
