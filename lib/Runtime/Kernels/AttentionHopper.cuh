//===- AttentionHopper.cuh - sm_90 instructions -----------------*- C++ -*-===//
//
// Barriers of shared memory, tensor copies and warpgroup products. Tiles are
// stored as columns of 64 elements: [Depth / 64][rows][64] with the 128-byte
// swizzle, which repeats every 8 rows = 1024 bytes; tiles are aligned to that.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ATTENTION_HOPPER_CUH
#define DTENSOR_ATTENTION_HOPPER_CUH

#include "AttentionCommon.cuh"

namespace dtensor::rt::cuda::attention {

__device__ inline void barrierInit(uint32_t barrier, uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier),
               "r"(arrivals)
               : "memory");
}

/// Makes initialised barriers visible to the copy engine.
__device__ inline void barrierFence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

__device__ inline void barrierExpect(uint32_t barrier, uint32_t bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
      "r"(bytes)
      : "memory");
}

__device__ inline void barrierArrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier)
               : "memory");
}

/// Returns once the phase of the given parity has completed.
__device__ inline void barrierWait(uint32_t barrier, uint32_t parity) {
  uint32_t done = 0;
  while (!done)
    asm volatile("{\n"
                 ".reg .pred p;\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
                 "selp.u32 %0, 1, 0, p;\n"
                 "}\n"
                 : "=r"(done)
                 : "r"(barrier), "r"(parity)
                 : "memory");
}

/// Box at (column, row, head, batch) of a tensor map into shared memory;
/// counts its bytes, also those beyond the extents, at `barrier`.
__device__ inline void copyBox(uint32_t to, const AttentionTensorMap &map,
                               uint32_t barrier, int column, int row, int head,
                               int batch) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier"
      "::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(to),
      "l"(reinterpret_cast<uint64_t>(&map)), "r"(barrier), "r"(column),
      "r"(row), "r"(head), "r"(batch)
      : "memory");
}

__device__ inline void namedBarrierSync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

__device__ inline void namedBarrierArrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

template <int Registers>
__device__ inline void raiseRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers));
}

template <int Registers>
__device__ inline void dropRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers));
}

__device__ inline void productFence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

__device__ inline void productCommit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int Pending>
__device__ inline void productWait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}

/// Keeps the compiler from moving accesses of registers that a product in
/// flight uses.
template <int Count>
__device__ inline void pin(float (&registers)[Count]) {
#pragma unroll
  for (int i = 0; i < Count; ++i)
    asm volatile("" : "+f"(registers[i])::"memory");
}

/// Descriptor of a swizzled operand; `columnBytes` apart lie its columns of 64
/// elements where they run along the product's free dimension.
__device__ inline uint64_t tileDescriptor(uint32_t address,
                                          uint32_t columnBytes) {
  constexpr uint64_t groupBytes = 1024, swizzle128 = uint64_t(1) << 62;
  return swizzle128 | (groupBytes >> 4) << 32 |
         uint64_t(columnBytes >> 4) << 16 | (address & 0x3ffff) >> 4;
}

// Operands of the products: the accumulators of 8 columns are 4 registers.
#define DTENSOR_REGISTERS_64                                                   \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, "         \
  "%15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, "          \
  "%28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, "          \
  "%41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, "          \
  "%54, %55, %56, %57, %58, %59, %60, %61, %62, %63} "
#define DTENSOR_ACCUMULATORS_64                                                \
  "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]),      \
      "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]),             \
      "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),         \
      "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]),         \
      "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]), "+f"(d[25]),         \
      "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]),         \
      "+f"(d[31]), "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]),         \
      "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]), "+f"(d[40]),         \
      "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]),         \
      "+f"(d[46]), "+f"(d[47]), "+f"(d[48]), "+f"(d[49]), "+f"(d[50]),         \
      "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]),         \
      "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]),         \
      "+f"(d[61]), "+f"(d[62]), "+f"(d[63])

#define DTENSOR_REGISTERS_32                                                   \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, "         \
  "%15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, "          \
  "%28, %29, %30, %31} "
#define DTENSOR_ACCUMULATORS_32                                                \
  "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]),      \
      "+f"(d[6]), "+f"(d[7]), "+f"(d[8]), "+f"(d[9]), "+f"(d[10]),             \
      "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),         \
      "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]),         \
      "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]), "+f"(d[25]),         \
      "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]),         \
      "+f"(d[31])

#define DTENSOR_PRODUCT_SHARED(TYPE, N, COUNT, P, A, B)                        \
  asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" P ", 0;\n"                 \
               "wgmma.mma_async.sync.aligned.m64n" N "k16.f32." TYPE "." TYPE  \
               " " DTENSOR_REGISTERS_##COUNT ", %" A ", %" B                   \
                                             ", p, 1, 1, 0, 0;\n}\n"           \
               : DTENSOR_ACCUMULATORS_##COUNT                                  \
               : "l"(a), "l"(b), "r"(int(accumulate)))

#define DTENSOR_PRODUCT_REGISTERS(TYPE, N, COUNT, A0, A1, A2, A3, B)           \
  asm volatile("wgmma.mma_async.sync.aligned.m64n" N "k16.f32." TYPE "." TYPE  \
               " " DTENSOR_REGISTERS_##COUNT                                   \
               ", {%" A0 ", %" A1 ", %" A2 ", %" A3 "}, %" B ", 1, 1, 1, 1;\n" \
               : DTENSOR_ACCUMULATORS_##COUNT                                  \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b))

/// d[64 x 128] = a[64 x 16] b[128 x 16]^T, added to d where `accumulate`.
template <typename Element>
__device__ inline void productShared(float (&d)[64], uint64_t a, uint64_t b,
                                     bool accumulate) {
  if constexpr (__is_same(Element, __nv_bfloat16))
    DTENSOR_PRODUCT_SHARED("bf16", "128", 64, "66", "64", "65");
  else
    DTENSOR_PRODUCT_SHARED("f16", "128", 64, "66", "64", "65");
}

/// d[64 x 64] = a[64 x 16] b[64 x 16]^T, added to d where `accumulate`.
template <typename Element>
__device__ inline void productShared(float (&d)[32], uint64_t a, uint64_t b,
                                     bool accumulate) {
  if constexpr (__is_same(Element, __nv_bfloat16))
    DTENSOR_PRODUCT_SHARED("bf16", "64", 32, "34", "32", "33");
  else
    DTENSOR_PRODUCT_SHARED("f16", "64", 32, "34", "32", "33");
}

/// d[64 x 128] += a[64 x 16] b[16 x 128], a in registers.
template <typename Element>
__device__ inline void productRegisters(float (&d)[64], const uint32_t *a,
                                        uint64_t b) {
  if constexpr (__is_same(Element, __nv_bfloat16))
    DTENSOR_PRODUCT_REGISTERS("bf16", "128", 64, "64", "65", "66", "67", "68");
  else
    DTENSOR_PRODUCT_REGISTERS("f16", "128", 64, "64", "65", "66", "67", "68");
}

/// d[64 x 64] += a[64 x 16] b[16 x 64], a in registers.
template <typename Element>
__device__ inline void productRegisters(float (&d)[32], const uint32_t *a,
                                        uint64_t b) {
  if constexpr (__is_same(Element, __nv_bfloat16))
    DTENSOR_PRODUCT_REGISTERS("bf16", "64", 32, "32", "33", "34", "35", "36");
  else
    DTENSOR_PRODUCT_REGISTERS("f16", "64", 32, "32", "33", "34", "35", "36");
}

} // namespace dtensor::rt::cuda::attention

#endif // DTENSOR_ATTENTION_HOPPER_CUH
