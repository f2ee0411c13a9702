//===- PointwiseOps.td - one scalar at a time --------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_POINTWISEOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_POINTWISEOPS_TD

include "dtensor/Dialect/DTensor/IR/CompositeBase.td"

// Operands broadcast as in NumPy: shapes are aligned at the right, and only an
// extent that is the literal 1 is stretched; a symbol never is. A scalar stands
// for every element. Operands and result have one element type unless the op
// says otherwise. f16 and bf16 are computed in f32 where that matters.
class DTensor_PointwiseOp<string mnemonic, string what, string text,
                          string example>
    : DTensor_CompositeOp<mnemonic, "Pointwise"> {
  let summary = what;
  let description = text # "\n\n```mlir\n" # example # "\n```\n";
}

class DTensor_BinaryOp<string mnemonic, string what, string text>
    : DTensor_PointwiseOp<mnemonic, what, text,
        "%y = dtensor." # mnemonic # " %a, %b : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_TensorOrScalar:$lhs, DTensor_TensorOrScalar:$rhs);
}

class DTensor_UnaryOp<string mnemonic, string what, string text = "Floats only.">
    : DTensor_PointwiseOp<mnemonic, what, text,
        "%y = dtensor." # mnemonic # " %x : (tensor<?x4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input);
}

class DTensor_LogicalOp<string mnemonic, string what>
    : DTensor_PointwiseOp<mnemonic, what, "On i1 only.",
        "%y = dtensor." # mnemonic # " %a, %b : (tensor<?xi1>, tensor<?xi1>) -> tensor<?xi1>"> {
  let arguments = (ins DTensor_TensorOrScalar:$lhs, DTensor_TensorOrScalar:$rhs);
}

def DTensor_AddOp : DTensor_BinaryOp<"add", "a + b", "Floats and integers.">;
def DTensor_SubOp : DTensor_BinaryOp<"sub", "a - b", "Floats and integers.">;
def DTensor_MulOp : DTensor_BinaryOp<"mul", "a * b", "Floats and integers.">;
def DTensor_DivOp : DTensor_BinaryOp<"div", "a / b",
    "Floats and integers; integers round toward zero, and x / 0 is 0.">;
def DTensor_PowOp : DTensor_BinaryOp<"pow", "a to the power of b",
    "Floats and integers.">;
def DTensor_MaximumOp : DTensor_BinaryOp<"maximum", "the larger one",
    "Floats and integers; NaN if one is NaN. On i1 it is `or`.">;
def DTensor_MinimumOp : DTensor_BinaryOp<"minimum", "the smaller one",
    "Floats and integers; NaN if one is NaN. On i1 it is `and`.">;
def DTensor_Atan2Op : DTensor_BinaryOp<"atan2", "the angle of (b, a)",
    "Floats only.">;
def DTensor_RemainderOp : DTensor_BinaryOp<"remainder", "a - b * floor(a / b)",
    "Floats and integers; the sign is the divisor's. An integer modulo 0 is 0.">;

def DTensor_NegOp : DTensor_UnaryOp<"neg", "-x", "Floats and integers.">;
def DTensor_AbsOp : DTensor_UnaryOp<"abs", "|x|", "Floats and integers.">;
def DTensor_SignOp : DTensor_UnaryOp<"sign", "-1, 0 or 1",
    "Floats and integers; the sign of NaN is 0.">;
def DTensor_ReluOp : DTensor_UnaryOp<"relu", "max(x, 0)",
    "Floats and integers; NaN stays NaN.">;
def DTensor_ExpOp : DTensor_UnaryOp<"exp", "e to the power of x">;
def DTensor_LogOp : DTensor_UnaryOp<"log", "the natural logarithm">;
def DTensor_Log1pOp : DTensor_UnaryOp<"log1p", "log(1 + x), exact near 0">;
def DTensor_Expm1Op : DTensor_UnaryOp<"expm1", "exp(x) - 1, exact near 0">;
def DTensor_SqrtOp : DTensor_UnaryOp<"sqrt", "the square root">;
def DTensor_RsqrtOp : DTensor_UnaryOp<"rsqrt", "1 / sqrt(x)">;
def DTensor_ReciprocalOp : DTensor_UnaryOp<"reciprocal", "1 / x">;
def DTensor_SinOp : DTensor_UnaryOp<"sin", "the sine of radians">;
def DTensor_CosOp : DTensor_UnaryOp<"cos", "the cosine of radians">;
def DTensor_TanhOp : DTensor_UnaryOp<"tanh", "the hyperbolic tangent">;
def DTensor_ErfOp : DTensor_UnaryOp<"erf", "the error function">;
def DTensor_SigmoidOp : DTensor_UnaryOp<"sigmoid", "1 / (1 + exp(-x))">;
def DTensor_SiluOp : DTensor_UnaryOp<"silu", "x * sigmoid(x)">;
def DTensor_FloorOp : DTensor_UnaryOp<"floor", "rounds down">;
def DTensor_CeilOp : DTensor_UnaryOp<"ceil", "rounds up">;
def DTensor_RoundOp : DTensor_UnaryOp<"round", "rounds to nearest, ties to even">;

def DTensor_GeluOp : DTensor_PointwiseOp<"gelu", "the Gaussian error linear unit", [{
    Floats only. `approximate` is `"none"`: x * Phi(x), or `"tanh"`:
    x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).}],
    "%y = dtensor.gelu %x {approximate = \"tanh\"} : (tensor<?x4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input,
                       DefaultValuedStrAttr<StrAttr, "none">:$approximate);
}

def DTensor_LogicalAndOp : DTensor_LogicalOp<"logical_and", "a and b">;
def DTensor_LogicalOrOp : DTensor_LogicalOp<"logical_or", "a or b">;
def DTensor_LogicalXorOp : DTensor_LogicalOp<"logical_xor", "exactly one of a and b">;
def DTensor_LogicalNotOp : DTensor_PointwiseOp<"logical_not", "not x", "On i1 only.",
    "%y = dtensor.logical_not %x : (tensor<?xi1>) -> tensor<?xi1>"> {
  let arguments = (ins DTensor_Tensor:$input);
}

def DTensor_CompareOp : DTensor_PointwiseOp<"compare", "compares element by element", [{
    `predicate` is `"eq"`, `"ne"`, `"lt"`, `"le"`, `"gt"` or `"ge"`. The
    result's elements are i1. NaN is unequal to everything; integers are signed.}],
    "%y = dtensor.compare %a, %b {predicate = \"lt\"} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xi1>"> {
  let arguments = (ins DTensor_TensorOrScalar:$lhs, DTensor_TensorOrScalar:$rhs,
                       StrAttr:$predicate);
}

def DTensor_WhereOp : DTensor_PointwiseOp<"where", "chooses element by element", [{
    `lhs` where the condition (i1) holds, else `rhs`.}],
    "%y = dtensor.where %c, %a, %b : (tensor<?xi1>, tensor<?xf32>, f32) -> tensor<?xf32>"> {
  let arguments = (ins DTensor_TensorOrScalar:$condition,
                       DTensor_TensorOrScalar:$lhs, DTensor_TensorOrScalar:$rhs);
}

def DTensor_CastOp : DTensor_PointwiseOp<"cast", "converts to another element type", [{
    Floats round to nearest even; floats to integers toward zero; integers are
    signed, i1 is 0 or 1; to i1 it is `x != 0`.}],
    "%y = dtensor.cast %x : (tensor<?xi32>) -> tensor<?xf32>"> {
  let arguments = (ins DTensor_Tensor:$input);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_POINTWISEOPS_TD
