//===- DTensorBase.td - the dtensor dialect -------------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_DTENSORBASE_TD
#define DTENSOR_DIALECT_DTENSOR_IR_DTENSORBASE_TD

include "mlir/IR/OpBase.td"

def DTensor_Dialect : Dialect {
  let name = "dtensor";
  let cppNamespace = "::dtensor";
  let summary = "global tensor programs with placements on a device mesh";
  let description = [{
    One global tensor program, a mesh of devices and, in the type of every
    tensor, a layout: for each mesh axis whether the tensor is replicated,
    sharded along a dimension, or a partial value awaiting a reduction.
    Dimensions and mesh sizes may be symbolic.

    Ops come in two views. *Global-view* ops take and return tensors whose
    encoding is a `#dtensor.layout`; the number of devices does not appear in
    them. *Local-view* ops are what one rank runs: collectives on tensors
    without an encoding. `dtensor.redistribute` is the only op that changes a
    layout and, but for the edges that `dtensor.unfold` exchanges, the only
    source of collectives.

    Symbols are scoped to their function. Each is declared, if there is anything
    to say about it, in the function attribute `dtensor.symbols`:

    ```mlir
    func.func private @f(tensor<?x256xf32, #dtensor.layout<#mesh, [shard(0)], (B, 256)>>)
        attributes {dtensor.symbols = {B = {hint = 64, max = 4096, multiple_of = 8}}}
    ```

    keys: `min` (default 0), `max`, `multiple_of` (a number, or the name of a
    mesh axis whose size divides the symbol), `hint` (default 128). A symbol is
    bound by an argument's extent that names it bare, or by an `index` argument
    with the attribute `dtensor.symbol = "B"`.
  }];
  // What partitioning and decomposition build.
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = [{
    /// Owns every symbolic expression of the context.
    ::dtensor::ExprContext &getExprContext() { return *exprContext; }

    /// Function attribute: declared symbols.
    static constexpr ::llvm::StringLiteral kSymbolsAttr = "dtensor.symbols";
    /// Module or function attribute: the mesh of a function none of whose
    /// types names one.
    static constexpr ::llvm::StringLiteral kMeshAttr = "dtensor.mesh";
    /// Argument and result attribute: the layout of a plain tensor.
    static constexpr ::llvm::StringLiteral kLayoutAttr = "dtensor.layout";
    /// On redistributions, and on the all-reduces that they become: those of
    /// one block with the same number are one collective.
    static constexpr ::llvm::StringLiteral kBucketAttr = "dtensor.bucket";
    /// Argument attribute on an index: the symbol that it binds.
    static constexpr ::llvm::StringLiteral kSymbolAttr = "dtensor.symbol";
    /// Argument attribute: the callee may overwrite this buffer.
    static constexpr ::llvm::StringLiteral kDonatedAttr = "dtensor.donated";
    /// Result attribute, the number of a donated argument: this is what becomes
    /// of it. The result is written there and does not leave otherwise.
    static constexpr ::llvm::StringLiteral kUpdatesAttr = "dtensor.updates";
    /// Argument and result attribute: the name in the bundle's manifest.
    static constexpr ::llvm::StringLiteral kNameAttr = "dtensor.name";
    /// Local function argument attributes: the mesh axis whose size, or whose
    /// coordinate of this rank, the argument is.
    static constexpr ::llvm::StringLiteral kAxisSizeAttr = "dtensor.axis_size";
    static constexpr ::llvm::StringLiteral kAxisIndexAttr = "dtensor.axis_index";
    /// Local function attribute: the global signature it came from.
    static constexpr ::llvm::StringLiteral kGlobalTypeAttr = "dtensor.global_type";
    /// Attribute of a local op: the label of the generic it came from.
    static constexpr ::llvm::StringLiteral kLabelAttr = "dtensor.label";

  private:
    std::unique_ptr<::dtensor::ExprContext> exprContext =
        std::make_unique<::dtensor::ExprContext>();
    void registerAttributes();
    void registerCoreOps();
    void registerLocalOps();
    void registerPointwiseOps();
    void registerReductionOps();
    void registerMatrixOps();
    void registerViewOps();
    void registerIndexingOps();
    void registerNNOps();
    void registerActivationOps();
    void registerStatisticsOps();
    void registerLossOps();
    void registerShapingOps();
    void registerScatterOps();
    void registerRandomOps();
    void registerBackwardOps();
    void registerLossBackwardOps();
    void registerOptimizerOps();
    void registerWindowOps();
    void registerRoutingOps();

  public:
  }];
}

class DTensor_Op<string mnemonic, list<Trait> traits = []>
    : Op<DTensor_Dialect, mnemonic, traits>;

#endif // DTENSOR_DIALECT_DTENSOR_IR_DTENSORBASE_TD
