#ifndef TOY_H
#define TOY_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/Pass.h"

#include "ToyDialect.h.inc"

#define GET_OP_CLASSES
#include "Toy.h.inc"

namespace toy {
/// How the ops of this dialect are sharded.
void registerSharding(mlir::DialectRegistry &registry);
/// Ops on local tensors into linalg.
std::unique_ptr<mlir::Pass> createLowerToy();
} // namespace toy

#endif // TOY_H
