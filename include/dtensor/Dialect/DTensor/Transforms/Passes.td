//===- Passes.td - from a global program to a local one -------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_TRANSFORMS_PASSES_TD
#define DTENSOR_DIALECT_DTENSOR_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def Normalize : Pass<"dtensor-normalize", "::mlir::ModuleOp"> {
  let summary = "rewrite every tensor op into core ops with known extents";
  let description = [{
    Every function that has a mesh is rebuilt: ops of `arith`, `math`, `linalg`
    and `tensor` on tensors, and the named ops that are made of others, become
    core ops; every tensor gets a layout whose extents are expressions over the
    function's symbols; symbols that an op equates become one. Placements that
    nobody stated are `?`.

    Before:
    ```mlir
    #rows = #dtensor.layout<#mesh, [shard(0)], (B)>
    func.func @f(%x: tensor<?xf32> {dtensor.layout = #rows}) -> tensor<?xf32> {
      %y = math.tanh %x : tensor<?xf32>
      return %y : tensor<?xf32>
    }
    ```
    After:
    ```mlir
    #id = affine_map<(d0) -> (d0)>
    #open = #dtensor.layout<#mesh, [?], (B)>
    func.func @f(%x: tensor<?xf32, #rows>) -> tensor<?xf32, #open> ... {
      %y = dtensor.generic "tanh" maps = [#id, #id] iterators = [parallel] ins(%x : tensor<?xf32, #rows>) {
      ^bb0(%a: f32):
        %t = math.tanh %a : f32
        dtensor.yield %t : f32
      } -> tensor<?xf32, #open>
      return %y : tensor<?xf32, #open>
    ```

    Errors: an op that has no sharding rule; extents that are provably
    different; a symbol that nothing binds.
  }];
  let dependentDialects = ["::dtensor::DTensorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect"];
}

def Propagate : Pass<"dtensor-propagate", "::mlir::ModuleOp"> {
  let summary = "decide every open placement and make movement visible";
  let description = [{
    Chooses, one mesh axis after another, how each op runs (replicated, along
    one of its factors, or on partial values) so that the estimated time of
    redistributions and compute at the hints is least: a forward sweep computes
    the cheapest way to have each value in each placement, a backward sweep
    decides. Exact on chains and on trees whose values have one user. Then
    writes the placements into the types and puts a `redistribute` wherever an
    op wants an operand in another layout than it is in.

    A placement that is written (argument, result, op result, `constraint`) is
    kept. A function's open results are never left partial. The options weigh
    the three things that cost: with `memory=20`, weights of which nothing is
    said are sharded even where that takes more movement.

    Before:
    ```mlir
    #id = affine_map<(d0) -> (d0)>
    #rows = #dtensor.layout<#mesh, [shard(0)], (B)>
    #open = #dtensor.layout<#mesh, [?], (B)>
    #all = #dtensor.layout<#mesh, [replicate], (B)>
    func.func @f(%x: tensor<?xf32, #rows>) -> tensor<?xf32, #all> {
      %y = dtensor.generic "tanh" maps = [#id, #id] iterators = [parallel] ins(%x : tensor<?xf32, #rows>) {
      ^bb0(%a: f32):
        %t = math.tanh %a : f32
        dtensor.yield %t : f32
      } -> tensor<?xf32, #open>
      %z = dtensor.redistribute %y : tensor<?xf32, #open> to tensor<?xf32, #all>
      return %z : tensor<?xf32, #all>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: tensor<?xf32, #rows>) -> tensor<?xf32, #all> {
      %y = dtensor.generic "tanh" ... ins(%x : tensor<?xf32, #rows>) {
      } -> tensor<?xf32, #rows>
      %z = dtensor.redistribute %y : tensor<?xf32, #rows> to tensor<?xf32, #all>
    ```
  }];
  let dependentDialects = ["::dtensor::DTensorDialect"];
  let options = [
    Option<"communication", "communication", "double", /*default=*/"1.0",
           "what a microsecond of movement counts">,
    Option<"compute", "compute", "double", /*default=*/"1.0",
           "what a microsecond of an op on one rank counts">,
    Option<"memory", "memory", "double", /*default=*/"1.0",
           "what memory counts that a rank holds of arguments which are free">
  ];
}

def Expand : Pass<"dtensor-expand", "::mlir::func::FuncOp"> {
  let summary = "replace ops whose pieces depend on placements";
  let description = [{
    Ops that answer `ExpandOpInterface` are replaced by what they are at the
    placements that propagation decided. The program computes the same.

    Before:
    ```mlir
    #sharded = #dtensor.layout<#mesh, [shard(0)], (N)>
    func.func @f(%x: tensor<?xf32, #sharded>) -> tensor<?xf32, #sharded> {
      %y = dtensor.scan %x {dim = 0, kind = "sum"} : (tensor<?xf32, #sharded>) -> tensor<?xf32, #sharded>
      return %y : tensor<?xf32, #sharded>
    }
    ```
    After:
    ```mlir
    #one_row_each = #dtensor.layout<#mesh, [shard(0)], (size(tp), N ceildiv size(tp))>
    #one_each = #dtensor.layout<#mesh, [shard(0)], (size(tp))>
    #all = #dtensor.layout<#mesh, [replicate], (size(tp))>
    %s = dtensor.stack_shards %x {dim = 0 ...} : ... -> tensor<?x?xf32, #one_row_each>
    %t = dtensor.generic "scan_total" ... reduce = [sum] ins(%s : ...
    %g = dtensor.redistribute %t : tensor<?xf32, #one_each> to tensor<?xf32, #all>
    %r = dtensor.scan %s {dim = 1 ...
    %b = dtensor.generic "scan_prefix" ... ins(%g : ...
    %j = dtensor.generic "scan_join" ... ins(%b, %r : ...
    %y = dtensor.unstack_shards %j {dim = 0 ...
    ```
  }];
  let dependentDialects = ["::dtensor::DTensorDialect", "::mlir::arith::ArithDialect"];
}

def Elide : Pass<"dtensor-elide", "::mlir::func::FuncOp"> {
  let summary = "remove redistributions that are not needed";
  let description = [{
    A chain of redistributions becomes one (gather then slice is nothing,
    reduce then slice is a reduce-scatter), equal ones are shared, one is made
    from another where that is cheaper, dead ones go, one beside a cast moves to
    the side of fewer bytes, and those of loop-invariant values leave their
    loops. The program computes the same; only movement is less.

    Before:
    ```mlir
    #partial = #dtensor.layout<#mesh, [partial(sum)], (N)>
    #replicated = #dtensor.layout<#mesh, [replicate], (N)>
    #sharded = #dtensor.layout<#mesh, [shard(0)], (N)>
    func.func @f(%x: tensor<?xf32, #partial>) -> tensor<?xf32, #sharded> {
      %r = dtensor.redistribute %x : tensor<?xf32, #partial> to tensor<?xf32, #replicated>
      %s = dtensor.redistribute %r : tensor<?xf32, #replicated> to tensor<?xf32, #sharded>
      return %s : tensor<?xf32, #sharded>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: ...
      %s = dtensor.redistribute %x : tensor<?xf32, #partial> to tensor<?xf32, #sharded>
      return %s : ...
    ```
  }];
}

def Regather : Pass<"dtensor-regather", "::mlir::func::FuncOp"> {
  let summary = "gather again instead of keeping";
  let description = [{
    What is gathered for several users is not kept from the first to the last,
    but gathered again where more than `keep` bytes would be held: weights that
    a forward pass gathers and a backward pass needs once more. A value is only
    given up for another one that is gathered in between; the one whose next
    user is farthest away goes first. Nothing is gathered twice in a row.

    Before:
    ```mlir
    #sharded = #dtensor.layout<#mesh, [shard(0)], (N, 4)>
    #replicated = #dtensor.layout<#mesh, [replicate], (N, 4)>
    func.func private @use(tensor<?x4xf32, #replicated>)
    func.func @f(%a: tensor<?x4xf32, #sharded>, %b: tensor<?x4xf32, #sharded>) {
      %w = dtensor.redistribute %a : tensor<?x4xf32, #sharded> to tensor<?x4xf32, #replicated>
      %v = dtensor.redistribute %b : tensor<?x4xf32, #sharded> to tensor<?x4xf32, #replicated>
      dtensor.call @use(%w) {N = #dtensor.expr<N>} : (tensor<?x4xf32, #replicated>) -> ()
      dtensor.call @use(%v) {N = #dtensor.expr<N>} : (tensor<?x4xf32, #replicated>) -> ()
      dtensor.call @use(%v) {N = #dtensor.expr<N>} : (tensor<?x4xf32, #replicated>) -> ()
      dtensor.call @use(%w) {N = #dtensor.expr<N>} : (tensor<?x4xf32, #replicated>) -> ()
      return
    }
    ```
    After, with `keep=0`:
    ```mlir
    func.func @f(%a: ..., %b: ...
      %w = dtensor.redistribute %a : tensor<?x4xf32, #sharded> to tensor<?x4xf32, #replicated>
      %v = dtensor.redistribute %b : tensor<?x4xf32, #sharded> to tensor<?x4xf32, #replicated>
      dtensor.call @use(%w) ...
      dtensor.call @use(%v) ...
      dtensor.call @use(%v) ...
      %0 = dtensor.redistribute %a {dtensor.again = 1 : i64} : tensor<?x4xf32, #sharded> to tensor<?x4xf32, #replicated>
      dtensor.call @use(%0) ...
    ```
  }];
  let options = [
    Option<"keep", "keep", "int64_t", /*default=*/"-1",
           "bytes of gathered values to keep on one rank, at the hints; all if negative">
  ];
}

def Plan : Pass<"dtensor-plan", "::mlir::func::FuncOp"> {
  let summary = "choose the collective steps of every redistribute";
  let description = [{
    Attaches to each `redistribute` the cheapest sequence of steps between its
    two layouts (see `Sharding/Redistribution.h`), with its cost in bytes as an
    expression. Types stay global.

    Before:
    ```mlir
    #partial = #dtensor.layout<#mesh, [partial(sum)], (B)>
    #replicated = #dtensor.layout<#mesh, [replicate], (B)>
    func.func @f(%x: tensor<?xf32, #partial>) -> tensor<?xf32, #replicated> {
      %y = dtensor.redistribute %x : tensor<?xf32, #partial> to tensor<?xf32, #replicated>
      return %y : tensor<?xf32, #replicated>
    }
    ```
    After:
    ```mlir
    %y = dtensor.redistribute %x plan <#mesh, (B), [all_reduce ["tp"] sum to [replicate] bytes 8*size(tp)*(B ceildiv size(tp)) - 8*(B ceildiv size(tp))]> : ...
    ```

    Errors: a redistribution that is forbidden.
  }];
}

def Bucket : Pass<"dtensor-bucket", "::mlir::func::FuncOp"> {
  let summary = "bring small reductions together that can be one";
  let description = [{
    Redistributions that are one all-reduce each, over the same group, of the
    same kind and element type, and none of which needs the result of another,
    are put side by side and get the same number. Only where starting a
    collective takes longer than packing what it reduces, both at the hints.

    Before:
    ```mlir
    #mesh = #dtensor.mesh<"dp" = ?>
    #p4 = #dtensor.layout<#mesh, [partial(sum)], (4)>
    #r4 = #dtensor.layout<#mesh, [replicate], (4)>
    #p8 = #dtensor.layout<#mesh, [partial(sum)], (8)>
    #r8 = #dtensor.layout<#mesh, [replicate], (8)>
    func.func @f(%a: tensor<4xf32, #p4>, %b: tensor<8xf32, #p8>) -> (tensor<4xf32, #r4>, tensor<8xf32, #r8>) {
      %x = dtensor.redistribute %a plan <#mesh, (4), [all_reduce ["dp"] sum to [replicate] bytes 32]> : tensor<4xf32, #p4> to tensor<4xf32, #r4>
      %y = dtensor.redistribute %b plan <#mesh, (8), [all_reduce ["dp"] sum to [replicate] bytes 64]> : tensor<8xf32, #p8> to tensor<8xf32, #r8>
      return %x, %y : tensor<4xf32, #r4>, tensor<8xf32, #r8>
    }
    ```
    After:
    ```mlir
    %x = dtensor.redistribute %a plan ... {dtensor.bucket = 0 : i64} : ...
    %y = dtensor.redistribute %b plan ... {dtensor.bucket = 0 : i64} : ...
    ```
  }];
  let options = [
    Option<"limit", "limit", "int64_t", /*default=*/"67108864",
           "bytes on one rank at the hints; what is larger travels alone">
  ];
}

def Pack : Pass<"dtensor-pack", "::mlir::func::FuncOp"> {
  let summary = "reduce what is in one bucket in one buffer";
  let description = [{
    In the local view, all-reduces with the same `dtensor.bucket` become one.

    Before:
    ```mlir
    func.func @f(%a: tensor<4xf32>, %b: tensor<8xf32>) -> (tensor<4xf32>, tensor<8xf32>) {
      %x = dtensor.all_reduce sum %a on #mesh axes [0] {dtensor.bucket = 0 : i64} : tensor<4xf32>
      %y = dtensor.all_reduce sum %b on #mesh axes [0] {dtensor.bucket = 0 : i64} : tensor<8xf32>
      return %x, %y : tensor<4xf32>, tensor<8xf32>
    }
    ```
    After:
    ```mlir
    %e = tensor.empty() : tensor<12xf32>
    %0 = tensor.insert_slice %a into %e[0] [4] [1] : tensor<4xf32> into tensor<12xf32>
    %1 = tensor.insert_slice %b into %0[4] [8] [1] : tensor<8xf32> into tensor<12xf32>
    %2 = dtensor.all_reduce sum %1 on #mesh axes [0] : tensor<12xf32>
    %x = tensor.extract_slice %2[0] [4] [1] : tensor<12xf32> to tensor<4xf32>
    %y = tensor.extract_slice %2[4] [8] [1] : tensor<12xf32> to tensor<8xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def Partition : Pass<"dtensor-partition", "::mlir::ModuleOp"> {
  let summary = "rewrite the global program into what one rank runs";
  let description = [{
    Every function with a mesh is replaced by its local form: tensors are the
    shards that one rank holds, without layouts. After its own arguments it
    takes one `index` per symbol, per mesh-axis size and per coordinate of the
    rank, named by argument attributes; calls forward them. Local sizes and
    offsets are computed once, at entry.

    Before:
    ```mlir
    #rows = #dtensor.layout<#mesh, [shard(0)], (B, 4)>
    func.func @f(%x: tensor<?x4xf32, #rows>) -> tensor<?x4xf32, #rows> {
      return %x : tensor<?x4xf32, #rows>
    }
    ```
    After:
    ```mlir
    func.func @f(%x: tensor<?x4xf32>, %B: index {dtensor.symbol = "B"}, %n: index {dtensor.axis_size = "tp"}, %r: index {dtensor.axis_index = "tp"}) -> tensor<?x4xf32> ... {
      return %x : tensor<?x4xf32>
    ```

    Errors: an op that cannot be partitioned; a collective under a condition
    that is not the same on every rank.
  }];
  let dependentDialects = ["::dtensor::DTensorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def VerifyPhase : Pass<"dtensor-verify-phase", "::mlir::ModuleOp"> {
  let summary = "check what a phase promises";
  let description = [{
    After `normalize`: no foreign op carries a layout, every op on layouts
    answers the rule interface. After `propagate`: no open placement, every
    op's operands and results are accepted by its own rule, no pending partial
    is dropped. After `plan`: every `redistribute` has a plan. After
    `partition`: no layout is left. A failure names the phase.

    Before:
    ```mlir
    #open = #dtensor.layout<#mesh, [?], (B)>
    #rows = #dtensor.layout<#mesh, [shard(0)], (B)>
    func.func @f(%x: tensor<?xf32, #rows>) -> tensor<?xf32, #open> {
      %y = dtensor.redistribute %x : tensor<?xf32, #rows> to tensor<?xf32, #open>
      return %y : tensor<?xf32, #open>
    }
    ```
    The diagnostics, with `phase=propagate`:
    ```
    error: 'dtensor.redistribute' op breaks what propagate promises: an open placement is left in ...
    ```
  }];
  let options = [
    Option<"phase", "phase", "std::string", /*default=*/"\"normalize\"",
           "the phase that has just run: normalize, propagate, plan or partition">
  ];
}

#endif // DTENSOR_DIALECT_DTENSOR_TRANSFORMS_PASSES_TD
