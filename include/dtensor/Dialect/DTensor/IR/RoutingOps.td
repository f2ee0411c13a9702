//===- RoutingOps.td - mixtures of experts --------------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_ROUTINGOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_ROUTINGOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// Tokens are [group..., S]. Each group fills buffers of its own: one for each
// of E experts, with C slots. Where groups are sharded, and experts are on the
// other side of these buffers, what moves is one all-to-all there and one back.

class DTensor_RoutingOp<string mnemonic, string what, string text, string example>
    : DTensor_CompositeOp<mnemonic, "Routing"> {
  let summary = what;
  let description = text # "\n\n```mlir\n" # example # "\n```\n";
}

def DTensor_RouteSlotsOp : DTensor_RoutingOp<"route_slots",
    "the slot of each token at each of its experts",
    "`experts` is [group..., S, K]: each token has K experts below `count`. The "
    "tokens of a group take the slots of an expert in their order; the result is "
    "expert * capacity + slot, or -1 where the expert has no slot left (or there "
    "is no such expert). `capacity` is a number or an expression.",
    "%s = dtensor.route_slots %e {count = 8, capacity = #dtensor.expr<C>} : (tensor<?x?x2xi64>) -> tensor<?x?x2xi64>"> {
  let arguments = (ins DTensor_Tensor:$experts, I64Attr:$count, AnyAttr:$capacity);
}

def DTensor_DispatchOp : DTensor_RoutingOp<"dispatch",
    "tokens to the slots of their experts",
    "`tokens` is [group..., S, D], `slots` the result of `route_slots`; the result "
    "is [group..., count, capacity, D]. Slots that no token has are 0.",
    "%b = dtensor.dispatch %x, %s {count = 8, capacity = #dtensor.expr<C>} : (tensor<?x?x16xf32>, tensor<?x?x2xi64>) -> tensor<?x8x?x16xf32>"> {
  let arguments = (ins DTensor_Tensor:$tokens, DTensor_Tensor:$slots,
                       I64Attr:$count, AnyAttr:$capacity);
}

def DTensor_CombineOp : DTensor_RoutingOp<"combine",
    "what the experts made of each token, weighted",
    "The sum over k of `weights`[..., s, k] times the row of `buffers`, [group..., "
    "E, C, D], in the slot `slots`[..., s, k]; a token without a slot adds "
    "nothing. f16 and bf16 are summed in f32.",
    "%y = dtensor.combine %b, %s, %w : (tensor<?x8x?x16xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32>) -> tensor<?x?x16xf32>"> {
  let arguments = (ins DTensor_Tensor:$buffers, DTensor_Tensor:$slots,
                       DTensor_Tensor:$weights);
}

def DTensor_GroupedMatmulOp : DTensor_RoutingOp<"grouped_matmul",
    "one matrix product for each expert",
    "`lhs` is [group..., E, C, D], `rhs` [E, D, F], the result [group..., E, C, F]. "
    "f16 and bf16 are summed in f32.",
    "%h = dtensor.grouped_matmul %b, %w : (tensor<?x8x?x16xf32>, tensor<8x16x?xf32>) -> tensor<?x8x?x?xf32>"> {
  let arguments = (ins DTensor_Tensor:$lhs, DTensor_Tensor:$rhs);
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

class DTensor_RoutingBackwardOp<string mnemonic, string what, string text, string example>
    : DTensor_CompositeOp<mnemonic, "RoutingBackward"> {
  let summary = what;
  let description = text # " Floats only; f16 and bf16 are summed in f32.\n\n```mlir\n" #
                    example # "\n```\n";
}

def DTensor_DispatchBackwardOp : DTensor_RoutingBackwardOp<"dispatch_backward",
    "the gradient of `dispatch` by its tokens",
    "The sum over k of the row of `grad`, [group..., E, C, D], in the slot "
    "`slots`[..., s, k].",
    "%dx = dtensor.dispatch_backward %g, %s : (tensor<?x8x?x16xf32>, tensor<?x?x2xi64>) -> tensor<?x?x16xf32>"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$slots);
}

def DTensor_CombineBackwardOp : DTensor_RoutingBackwardOp<"combine_backward",
    "the gradients of `combine` by buffers and weights",
    "`grad` is [group..., S, D]. The slot `slots`[..., s, k] gets "
    "`weights`[..., s, k] times the row s of `grad`, a slot that no token has 0; "
    "the gradient of a weight is the sum over D of that row times the slot's. No "
    "two tokens have one slot, as `route_slots` makes them.",
    "%db, %dw = dtensor.combine_backward %g, %b, %s, %w : (tensor<?x?x16xf32>, tensor<?x8x?x16xf32>, tensor<?x?x2xi64>, tensor<?x?x2xf32>) -> (tensor<?x8x?x16xf32>, tensor<?x?x2xf32>)"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$buffers,
                       DTensor_Tensor:$slots, DTensor_Tensor:$weights);
  let results = (outs DTensor_Tensor:$grad_buffers, DTensor_Tensor:$grad_weights);
}

def DTensor_GroupedMatmulBackwardOp : DTensor_RoutingBackwardOp<"grouped_matmul_backward",
    "the gradients of `grouped_matmul`",
    "`grad` is [group..., E, C, F]; the results are `grad` times the transposed "
    "`rhs`, and the sum over groups and C of `lhs` times `grad`.",
    "%dl, %dr = dtensor.grouped_matmul_backward %g, %b, %w : (tensor<?x8x?x?xf32>, tensor<?x8x?x16xf32>, tensor<8x16x?xf32>) -> (tensor<?x8x?x16xf32>, tensor<8x16x?xf32>)"> {
  let arguments = (ins DTensor_Tensor:$grad, DTensor_Tensor:$lhs, DTensor_Tensor:$rhs);
  let results = (outs DTensor_Tensor:$grad_lhs, DTensor_Tensor:$grad_rhs);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_ROUTINGOPS_TD
