//===- Passes.h - From the local view to LLVM -------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Passes over functions in the local view (one rank's program). What each one
// needs and leaves is told in Passes.td; their order is in Pipelines.h.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_CONVERSION_PASSES_H
#define DTENSOR_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
namespace LLVM {
class LLVMDialect;
} // namespace LLVM
namespace affine {
class AffineDialect;
} // namespace affine
namespace arith {
class ArithDialect;
} // namespace arith
namespace bufferization {
class BufferizationDialect;
} // namespace bufferization
namespace cf {
class ControlFlowDialect;
} // namespace cf
namespace func {
class FuncDialect;
} // namespace func
namespace linalg {
class LinalgDialect;
} // namespace linalg
namespace math {
class MathDialect;
} // namespace math
namespace memref {
class MemRefDialect;
} // namespace memref
namespace scf {
class SCFDialect;
} // namespace scf
namespace tensor {
class TensorDialect;
} // namespace tensor
namespace vector {
class VectorDialect;
} // namespace vector
} // namespace mlir

namespace dtensor {
namespace runtime {
class RuntimeDialect;
} // namespace runtime

/// LowerToLLVM puts this before the name of every function of the program, so
/// that none is taken for a function of the runtime or of libm.
inline constexpr llvm::StringLiteral kLocalPrefix = "local.";

#define GEN_PASS_DECL
#include "dtensor/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dtensor/Conversion/Passes.h.inc"

} // namespace dtensor

#endif // DTENSOR_CONVERSION_PASSES_H
