//===- DTensorAttrs.td - mesh, layout, expression, plan -------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_DTENSORATTRS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_DTENSORATTRS_TD

include "dtensor/Dialect/DTensor/IR/DTensorBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/TensorEncoding.td"

class DTensor_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<DTensor_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

// Values of lib/Sharding own memory: accessors give references.
class DTensor_ValueParameter<string type>
    : AttrParameter<type, "a value of the sharding library"> {
  let cppAccessorType = "const " # type # " &";
}

def DTensor_MeshAttr : DTensor_Attr<"Mesh", "mesh"> {
  let summary = "a device mesh with named axes";
  let description = [{
    An n-dimensional grid of devices. Each axis has a name and a size, known
    (`4`) or to be given at launch (`?`), and, when unknown, facts about it:
    `divides N`, `multiple_of N`, `min N`, `max N`, and the size to plan
    for: `hint N` (default 8).

    A mesh is an attribute, not a symbol: types name it, and a type cannot look
    a symbol up.

    ```mlir
    #mesh = #dtensor.mesh<"dp" = 2, "tp" = ? {divides 64, hint 4}>
    ```

    **Constraints:**
    - at least one and at most 15 axes, with unique names
    - sizes, bounds and hints are at least 1; facts do not contradict each other
  }];
  let parameters = (ins DTensor_ValueParameter<"::dtensor::Mesh">:$mesh);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def DTensor_LayoutAttr : DTensor_Attr<"Layout", "layout", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "where the elements of a tensor live, and its global extents";
  let description = [{
    The encoding of a tensor in the global view: a mesh, one placement per mesh
    axis, and the global extent of every dimension as an expression over the
    function's symbols. With `N` elements, `n` ranks and unit `U` a shard has

        c = U * ceildiv(ceildiv(N, U), n)
        size(r) = clamp(N - r*c, 0, c)        offset(r) = min(N, r*c)

    as `torch.chunk` has it. Placements: `replicate`; `shard(d)`;
    `shard(d, unit = U)`, which never splits a unit; `partial(sum)`,
    also `avg`, `max`, `min`, `product`; `?`, to be decided by propagation. Axes
    that shard one dimension nest in mesh order, or in the stated
    `order = ["tp", "dp"]` (a permutation of all axes, major first).

    A static dimension whose extent is symbolic states that they are equal.

    ```mlir
    tensor<?x256xf32, #dtensor.layout<#mesh, [shard(0)], (B*S, 256)>>
    ```

    **Constraints:**
    - one placement per mesh axis
    - the dimension of a shard is below the rank
    - partial placements are all of one kind
    - axes that shard one dimension agree in their unit
    - one extent per dimension; a constant extent equals a static dimension, and
      a dynamic dimension has no constant extent
  }];
  let parameters = (ins "::dtensor::MeshAttr":$mesh,
      DTensor_ValueParameter<"::dtensor::Layout">:$layout);
  let builders = [AttrBuilderWithInferredContext<
      (ins "::dtensor::MeshAttr":$mesh, "::dtensor::Layout":$layout), [{
      layout.canonicalizeOrder();
      return $_get(mesh.getContext(), mesh, layout);
    }]>];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::dtensor::Expr> getExtents() const { return getLayout().extents; }
    ::llvm::ArrayRef<::dtensor::Placement> getPlacements() const { return getLayout().placements; }
    /// The same mesh, extents and nesting order with other placements.
    LayoutAttr withPlacements(::llvm::ArrayRef<::dtensor::Placement> placements) const;
    /// The same mesh and placements with other extents.
    LayoutAttr withExtents(::llvm::ArrayRef<::dtensor::Expr> extents) const;
    /// `change` of every extent and unit.
    LayoutAttr mapExprs(::llvm::function_ref<::dtensor::Expr(::dtensor::Expr)> change) const;
  }];
}

def DTensor_ExprAttr : DTensor_Attr<"Expr", "expr"> {
  let summary = "an integer expression over the function's symbols";
  let description = [{
    A canonical polynomial over symbols, axis sizes `size(tp)`, axis indices
    `index(tp)` and the atoms `floordiv`, `ceildiv`, `mod`, `min`, `max`.
    Equal expressions are one attribute: `B*S` is `S*B`.

    ```mlir
    #dtensor.expr<2*B*S + 1>
    ```
  }];
  let parameters = (ins "::dtensor::Expr":$expr);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def DTensor_PlanAttr : DTensor_Attr<"Plan", "plan"> {
  let summary = "the steps of a redistribution";
  let description = [{
    What `plan` chose for one `redistribute` of a tensor with these global
    extents: its steps in order, each with the mesh axes of its group (major
    first), the placements after it, and the bytes that a rank sends (as many
    as it receives) as an expression. Every rank takes the same steps. Times
    are not kept; the bytes of the plan are the sum over its steps.

    | step | says |
    |---|---|
    | `all_gather ["tp"] dim 0` | dimension 0 becomes whole |
    | `all_reduce ["tp"] sum` | the pending sum is taken |
    | `reduce_scatter ["tp"] sum dim 0` | the same, keeping this rank's shard |
    | `all_to_all ["tp"] dim 1 from 0` | dimension 1 is sharded instead of 0 |
    | `shard_slice ["tp"] dim 0` | keeps this rank's shard, no data moved |
    | `init_partial ["tp"] sum` | one rank keeps the value, no data moved |
    | `regroup ["tp"] dim 0` | other unit or order of the same axes |

    ```mlir
    #dtensor.plan<#mesh, (B, 256), [all_gather ["tp"] dim 0 to [replicate] bytes 512*B]>
    ```

    **Constraints:**
    - every step names at least one axis, each of the mesh and once
    - dimensions are below the rank
    - the placements after a step form a layout of the mesh
  }];
  let parameters = (ins "::dtensor::MeshAttr":$mesh,
      DTensor_ValueParameter<"::dtensor::Plan">:$plan,
      ArrayRefParameter<"::dtensor::Expr">:$extents);
  let builders = [AttrBuilderWithInferredContext<
      (ins "::dtensor::MeshAttr":$mesh, "const ::dtensor::Plan &":$plan,
           "::llvm::ArrayRef<::dtensor::Expr>":$extents), [{
      return $_get(mesh.getContext(), mesh,
                   canonicalizePlan(plan, mesh.getContext(), extents), extents);
    }]>];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::dtensor::Step> getSteps() const { return getPlan().steps; }
    ::dtensor::Expr getBytes() const { return getPlan().bytes; }
  }];
}

def DTensor_ReduceKindAttr : DTensor_Attr<"ReduceKind", "reduce_kind"> {
  let summary = "how values are combined: sum, avg, max, min or product";
  let description = [{
    ```mlir
    #dtensor.reduce_kind<sum>
    ```
  }];
  let parameters = (ins "::dtensor::ReduceKind":$value);
  let hasCustomAssemblyFormat = 1;
  let returnType = "::dtensor::ReduceKind";
  let convertFromStorage = "$_self.getValue()";
  let constBuilderCall =
      "::dtensor::ReduceKindAttr::get($_builder.getContext(), $0)";
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_DTENSORATTRS_TD
