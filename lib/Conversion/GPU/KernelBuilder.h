//===- KernelBuilder.h - One kernel for a cluster ---------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reductions cut the work on a row into passes: pass p computes what needs p
// reductions before it. A kernel either keeps its part of the row in registers
// (`resident`, a fixed number of chunks per thread) or walks over the row once
// per pass and computes again what it needs.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_KERNELBUILDER_H
#define DTENSOR_LIB_CONVERSION_GPU_KERNELBUILDER_H

#include "ClusterMessages.h"
#include "Space.h"

namespace dtensor {

struct Schedule {
  Geometry geometry = Geometry::Chunks;
  /// Keep the row in registers, `chunks` accesses per thread.
  bool resident = true;
  unsigned chunks = 1;

  /// Threads of a block at most. A walk over a long row needs fewer: its
  /// registers are few, and blocks of other rows fill the gaps.
  int64_t getMaxThreads() const {
    if (geometry == Geometry::Chunks || geometry == Geometry::Columns)
      return kBlock;
    if (geometry == Geometry::Cluster || !resident)
      return kClusterThreads;
    return kRowThreads;
  }
};

/// Writes a kernel `name` into `module`.
Variant buildKernel(mlir::gpu::GPUModuleOp module, llvm::StringRef name,
                    const Cluster &cluster, const KernelIO &io,
                    const Space &space, const Schedule &schedule);

/// A kernel for a single op of any form: one thread per element of the output,
/// which does the reduction in order.
Variant buildSerialKernel(mlir::gpu::GPUModuleOp module, llvm::StringRef name,
                          const Cluster &cluster, const KernelIO &io);

/// A kernel that writes a literal to `dest`; its rows are the elements.
Variant buildConstantKernel(mlir::gpu::GPUModuleOp module, llvm::StringRef name,
                            mlir::DenseElementsAttr value, mlir::Value dest);

/// Combines the value of all threads that share a row.
class RowReduction {
public:
  RowReduction(KernelMemory &memory, mlir::gpu::GPUFuncOp kernel,
               Geometry geometry, mlir::Value threads)
      : memory(memory), builder(memory.getBuilder()), kernel(kernel),
        geometry(geometry), threads(threads), messages(memory, kernel) {}

  /// Of a cluster that walks over rows.
  ClusterMessages &getMessages() { return messages; }

  /// `threads` (i32) threads of a row hold one `value` each; gives the result
  /// of `combiner` over all of them to all of them.
  mlir::Value reduce(mlir::Operation *combiner, mlir::Value value);
  mlir::Value combine(mlir::Operation *combiner, mlir::Value lhs,
                      mlir::Value rhs);
  /// The value that changes nothing.
  mlir::Value neutral(mlir::Operation *combiner, mlir::Type type);

private:
  mlir::Value butterfly(mlir::Operation *combiner, mlir::Value value,
                        mlir::Value width);
  mlir::Value exchange(mlir::Value value, unsigned distance);
  mlir::Value acrossWarps(mlir::Operation *combiner, mlir::Value value);
  mlir::Value acrossAllWarps(mlir::Operation *combiner, mlir::Value value);
  mlir::Value acrossColumns(mlir::Operation *combiner, mlir::Value value);
  mlir::Value acrossBlocks(mlir::Operation *combiner, mlir::Value value);
  mlir::Value toWord(mlir::Value value);
  mlir::Value fromWord(mlir::Value word, mlir::Type type);
  mlir::Value shared(mlir::Type type, int64_t count);
  mlir::Value threadId();
  mlir::Value i32(int64_t value);
  mlir::Value index(mlir::Value value);

  KernelMemory &memory;
  mlir::OpBuilder &builder;
  mlir::gpu::GPUFuncOp kernel;
  Geometry geometry;
  mlir::Value threads;
  ClusterMessages messages;
};

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_KERNELBUILDER_H
