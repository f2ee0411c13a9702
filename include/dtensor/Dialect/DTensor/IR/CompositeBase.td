//===- CompositeBase.td - classes of composite ops -----------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_COMPOSITEBASE_TD
#define DTENSOR_DIALECT_DTENSOR_IR_COMPOSITEBASE_TD

include "dtensor/Dialect/DTensor/IR/DTensorOpBase.td"
include "dtensor/Interfaces/NormalizeOpInterface.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

// A core op that also says what its extents are on plain tensors.
defvar MovementTraits = !listconcat(ShardedOp,
    [DeclareOpInterfaceMethods<NormalizeOpInterface>]);

def DTensor_Scalar : AnyTypeOf<[AnyFloat, AnySignlessInteger, Index],
                               "float, signless integer or index">;
def DTensor_Tensor : RankedTensorOf<[AnyFloat, AnySignlessInteger, Index]>;
def DTensor_TensorOrScalar : AnyTypeOf<[DTensor_Tensor, AnyFloat,
                                        AnySignlessInteger, Index],
                                       "ranked tensor or scalar">;

// A composite op whose methods are shared by its group: `group` names the
// functions infer<group>, decompose<group> and verify<group>, which take the
// op as an Operation.
class DTensor_CompositeOp<string mnemonic, string group, list<Trait> traits = []>
    : DTensor_Op<mnemonic, !listconcat(CompositeOp, traits)> {
  let results = (outs DTensor_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferExtents(
        ::llvm::ArrayRef<::llvm::SmallVector<::dtensor::Expr>> operands,
        const ::dtensor::Facts &facts,
        ::llvm::SmallVectorImpl<::llvm::SmallVector<::dtensor::Expr>> &results) {
      if (failed(infer}] # group # [{(*this, operands, facts, results)))
        return ::mlir::failure();
      return checkOverflow(*this, results.back());
    }
    ::llvm::LogicalResult $cppClass::decompose(
        ::mlir::OpBuilder &builder, ::mlir::ValueRange operands,
        ::mlir::TypeRange resultTypes,
        ::llvm::SmallVectorImpl<::mlir::Value> &results) {
      return decompose}] # group # [{(*this, builder, operands, resultTypes, results);
    }
    ::llvm::LogicalResult $cppClass::verify() {
      return verify}] # group # [{(*this);
    }
  }];
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_COMPOSITEBASE_TD
