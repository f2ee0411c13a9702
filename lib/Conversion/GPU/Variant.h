//===- Variant.h - Kernels and when they may run ----------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A variant is a kernel, the values of its parameters and the conditions under
// which it works, as functions of what the host knows at launch. Operands are
// numbered inputs first, then outputs; sets of dimensions are bit masks.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_VARIANT_H
#define DTENSOR_LIB_CONVERSION_GPU_VARIANT_H

#include "mlir/IR/BuiltinAttributes.h"

namespace dtensor {

enum class ParamKind : int64_t {
  Pointer,    // address of the first element of operand a
  Stride,     // of operand a along its dimension b, in elements
  Size,       // of operand a along its dimension b
  Extent,     // product of the extents in mask a
  Scalar,     // scalar a
  LogThreads, // log2 of the threads that share a row
  Chunks,     // blocks that share a row
};

struct Param {
  ParamKind kind;
  int64_t a = 0, b = 0;
  bool operator==(const Param &other) const {
    return kind == other.kind && a == other.a && b == other.b;
  }
};

enum class ConditionKind : int64_t {
  UnitStride,     // operand a has stride 1 along its dimension b
  Collapsible,    // stride(b) = size(b + 1) * stride(b + 1) in operand a
  Aligned,        // address of operand a is a multiple of b bytes
  StrideMultiple, // stride of operand a along b is a multiple of c
  ExtentMultiple, // product of extents in mask a is a multiple of b
  ExtentAtMost,   // product of extents in mask a is at most b
  ExtentAbove,    // product of extents in mask a is above b
};

struct Condition {
  ConditionKind kind;
  int64_t a = 0, b = 0, c = 0;
};

/// How blocks and threads are laid over rows x inner.
enum class Geometry : int64_t {
  Chunks,  // 2^k threads a row, several blocks a row if it is long
  Rows,    // 2^k threads a row, at most one block
  Columns, // 32 neighbouring rows a block; threads of a row are 32 apart
  Cluster, // a cluster of up to kClusterBlocks blocks walks over rows
};

inline constexpr int64_t kWarp = 32;
inline constexpr int64_t kBlock = 256;
inline constexpr int64_t kMaxBlock = 1024;
inline constexpr int64_t kColumnRows = 32;
inline constexpr int64_t kColumnThreads = kBlock / kColumnRows;
inline constexpr int64_t kClusterBlocks = 8;
/// With all registers of a processor: its row, and the next on its way.
inline constexpr int64_t kClusterThreads = 512;
/// Threads of a block that keeps its row in registers: up to 64 each.
inline constexpr int64_t kRowThreads = 1024;

struct Variant {
  mlir::SymbolRefAttr kernel;
  Geometry geometry = Geometry::Chunks;
  /// Masks of the dimensions of rows and within a row.
  int64_t rows = 0, inner = 0;
  /// Elements of a row that one thread takes per block.
  int64_t perThread = 1;
  /// Threads that may share a row; of a cluster, those of a block.
  int64_t maxThreads = kBlock;
  llvm::SmallVector<Param> params;
  llvm::SmallVector<Condition> conditions;

  mlir::DictionaryAttr toAttr() const;
  static Variant fromAttr(mlir::DictionaryAttr attr);
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_VARIANT_H
