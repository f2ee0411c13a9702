//===- KernelMemory.h - Parameters and memory of a kernel -------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel computes a few neighbouring elements of a row at once, its lanes. A
// value is one SSA value per lane, or a single one if it is the same in all.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_CONVERSION_GPU_KERNELMEMORY_H
#define DTENSOR_LIB_CONVERSION_GPU_KERNELMEMORY_H

#include "Cluster.h"
#include "Variant.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"

namespace dtensor {

struct Lanes {
  llvm::SmallVector<mlir::Value> values;
  /// Lane i is lane 0 plus i.
  bool iota = false;

  Lanes() = default;
  Lanes(mlir::Value value) : values{value} {}
  bool isUniform() const { return values.size() == 1 && !iota; }
  mlir::Value get(unsigned lane) const {
    return values[values.size() == 1 ? 0 : lane];
  }
};

/// What a kernel reads and writes beyond its own values.
struct KernelIO {
  /// Inputs, then the tensors that outputs are written to.
  llvm::SmallVector<mlir::Value> operands;
  unsigned numInputs = 0;
  /// Results of ops that are outputs, in the order of their operands.
  llvm::SmallVector<mlir::OpResult> outputs;
  llvm::SmallVector<mlir::Value> scalars;

  std::optional<unsigned> findInput(mlir::Value tensor) const;
};

/// Parameters, addresses, loads and stores of one kernel under construction.
class KernelMemory {
public:
  KernelMemory(mlir::OpBuilder &builder, mlir::gpu::GPUFuncOp kernel,
               const KernelIO &io, Variant &variant, unsigned lanes)
      : builder(builder), kernel(kernel), io(io), variant(variant),
        lanes(lanes) {}

  unsigned getNumLanes() const { return lanes; }
  std::optional<unsigned> findInput(mlir::Value tensor) const {
    return io.findInput(tensor);
  }
  /// True if neighbouring elements of the last dimension may be read at once:
  /// the variant demands that they are neighbours in memory.
  bool mayReadWide(unsigned operand) const {
    return lanes == 1 ||
           llvm::any_of(variant.conditions, [&](const Condition &c) {
             return c.kind == ConditionKind::UnitStride && c.a == operand;
           });
  }

  /// The value of a parameter; adds it to kernel and variant when new. An
  /// integer that is not a scalar comes as `index`.
  mlir::Value getParam(Param param);
  /// A value of the host as the kernel sees it: constants are repeated.
  mlir::Value getScalar(mlir::Value value);

  /// Element of `operand` at `indices`; with lanes, where the last index is
  /// iota and the memory is known to be contiguous, one wide access.
  Lanes load(unsigned operand, llvm::ArrayRef<Lanes> indices);
  /// True if `load` would be a single access at `indices`.
  bool isOneAccess(llvm::ArrayRef<Lanes> indices) const;
  /// What that access gives; `unpack` makes of it what `load` would give.
  mlir::Value loadRaw(unsigned operand, llvm::ArrayRef<Lanes> indices);
  Lanes unpack(mlir::Value raw, mlir::Type element);
  /// Stores where `predicate`, if there is one, holds.
  void store(unsigned operand, llvm::ArrayRef<Lanes> indices,
             const Lanes &value, mlir::Value predicate);
  /// Stores one value that has the memory's type already.
  void storeRaw(unsigned operand, llvm::ArrayRef<Lanes> indices,
                mlir::Value value);

  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs);
  mlir::Value both(mlir::Value lhs, mlir::Value rhs);

  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() { return kernel.getLoc(); }

private:
  struct Address {
    mlir::Value pointer;
    /// Between lanes, in elements; null: all lanes are at `pointer`.
    mlir::Value step;
    bool wide = false;
  };
  mlir::Value stride(unsigned operand, unsigned dim);
  Address locate(unsigned operand, llvm::ArrayRef<Lanes> indices);
  mlir::Value advance(const Address &address, mlir::Type memory, unsigned lane);
  mlir::Value toMemory(mlir::Value value);
  mlir::Value fromMemory(mlir::Value value, mlir::Type element);

  mlir::OpBuilder &builder;
  mlir::gpu::GPUFuncOp kernel;
  const KernelIO &io;
  Variant &variant;
  unsigned lanes;
  llvm::SmallVector<mlir::Value> paramValues;
  llvm::DenseMap<mlir::Value, mlir::Value> constants;
};

/// How an element lies in memory: i1 takes a byte, an index 64 bits.
mlir::Type getMemoryType(mlir::Type element);

} // namespace dtensor

#endif // DTENSOR_LIB_CONVERSION_GPU_KERNELMEMORY_H
