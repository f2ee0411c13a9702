/*===- Types.h - element types and visibility ---------------------*- C -*-===*\
|* Element type codes shared by the C ABI, compiled code and the manifest, and
*|
|* the marker of exported symbols.                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef DTENSOR_RT_TYPES_H
#define DTENSOR_RT_TYPES_H

#define DTENSOR_RT_EXPORT __attribute__((visibility("default")))

/* DTENSOR_RT_DTYPE(CODE, NAME, BYTES): the name is the manifest's spelling. */
#define DTENSOR_RT_FOR_EACH_DTYPE(DTENSOR_RT_DTYPE)                            \
  DTENSOR_RT_DTYPE(0, f64, 8)                                                  \
  DTENSOR_RT_DTYPE(1, f32, 4)                                                  \
  DTENSOR_RT_DTYPE(2, f16, 2)                                                  \
  DTENSOR_RT_DTYPE(3, bf16, 2)                                                 \
  DTENSOR_RT_DTYPE(4, i64, 8)                                                  \
  DTENSOR_RT_DTYPE(5, i32, 4)                                                  \
  DTENSOR_RT_DTYPE(6, i16, 2)                                                  \
  DTENSOR_RT_DTYPE(7, i8, 1)                                                   \
  DTENSOR_RT_DTYPE(8, i1, 1)                                                   \
  DTENSOR_RT_DTYPE(9, index, 8)

/* i1 takes one byte (0 or 1); index is a scalar argument of 64 bits. */
enum dtensor_rt_dtype {
#define DTENSOR_RT_DTYPE(CODE, NAME, BYTES) DTENSOR_RT_##NAME = CODE,
  DTENSOR_RT_FOR_EACH_DTYPE(DTENSOR_RT_DTYPE)
#undef DTENSOR_RT_DTYPE
};

#endif /* DTENSOR_RT_TYPES_H */
