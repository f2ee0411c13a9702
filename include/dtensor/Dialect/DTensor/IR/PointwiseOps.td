//===- PointwiseOps.td - one scalar at a time --------------*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_POINTWISEOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_POINTWISEOPS_TD

include "dtensor/Dialect/DTensor/IR/PointwiseBase.td"

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

//===----------------------------------------------------------------------===//
// Exponentials, angles, rounding
//===----------------------------------------------------------------------===//

def DTensor_Exp2Op : DTensor_UnaryOp<"exp2", "2 to the power of x">;
def DTensor_Log2Op : DTensor_UnaryOp<"log2", "the logarithm to base 2">;
def DTensor_Log10Op : DTensor_UnaryOp<"log10", "the logarithm to base 10">;
def DTensor_TanOp : DTensor_UnaryOp<"tan", "the tangent of radians">;
def DTensor_AsinOp : DTensor_UnaryOp<"asin", "the inverse sine in radians">;
def DTensor_AcosOp : DTensor_UnaryOp<"acos", "the inverse cosine in radians">;
def DTensor_AtanOp : DTensor_UnaryOp<"atan", "the inverse tangent in radians">;
def DTensor_SinhOp : DTensor_UnaryOp<"sinh", "the hyperbolic sine">;
def DTensor_CoshOp : DTensor_UnaryOp<"cosh", "the hyperbolic cosine">;
def DTensor_AsinhOp : DTensor_UnaryOp<"asinh", "the inverse hyperbolic sine">;
def DTensor_AcoshOp : DTensor_UnaryOp<"acosh", "the inverse hyperbolic cosine">;
def DTensor_AtanhOp : DTensor_UnaryOp<"atanh", "the inverse hyperbolic tangent">;
def DTensor_ErfcOp : DTensor_UnaryOp<"erfc", "1 - erf(x), exact where erf is near 1">;
def DTensor_TruncOp : DTensor_UnaryOp<"trunc", "rounds toward zero">;
def DTensor_FracOp : DTensor_UnaryOp<"frac", "x - trunc(x)">;
def DTensor_Deg2RadOp : DTensor_UnaryOp<"deg2rad", "degrees to radians">;
def DTensor_Rad2DegOp : DTensor_UnaryOp<"rad2deg", "radians to degrees">;
def DTensor_SquareOp : DTensor_UnaryOp<"square", "x * x", "Floats and integers.">;
def DTensor_BitwiseNotOp : DTensor_PointwiseOp<"bitwise_not", "every bit flipped",
    "Integers and i1.",
    "%y = dtensor.bitwise_not %x : (tensor<?xi32>) -> tensor<?xi32>"> {
  let arguments = (ins DTensor_Tensor:$input);
}

//===----------------------------------------------------------------------===//
// Questions about one number
//===----------------------------------------------------------------------===//

class DTensor_QuestionOp<string mnemonic, string what>
    : DTensor_PointwiseOp<mnemonic, what, "Floats only; the result's elements are i1.",
        "%y = dtensor." # mnemonic # " %x : (tensor<?xf32>) -> tensor<?xi1>"> {
  let arguments = (ins DTensor_Tensor:$input);
}
def DTensor_IsNanOp : DTensor_QuestionOp<"isnan", "is it NaN?">;
def DTensor_IsInfOp : DTensor_QuestionOp<"isinf", "is it inf or -inf?">;
def DTensor_IsFiniteOp : DTensor_QuestionOp<"isfinite", "is it neither NaN nor infinite?">;
def DTensor_SignbitOp : DTensor_QuestionOp<"signbit", "is its sign bit set? -0.0 has it">;

def DTensor_NanToNumOp : DTensor_PointwiseOp<"nan_to_num", "replaces NaN and infinities", [{
    Floats only. NaN becomes `nan`, inf `posinf`, -inf `neginf`; without them the
    largest and lowest finite number of the element type.}],
    "%y = dtensor.nan_to_num %x {posinf = 1.0e4} : (tensor<?x4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, DefaultValuedAttr<F64Attr, "0.0">:$nan,
                       OptionalAttr<F64Attr>:$posinf, OptionalAttr<F64Attr>:$neginf);
}

//===----------------------------------------------------------------------===//
// Two numbers
//===----------------------------------------------------------------------===//

def DTensor_FmodOp : DTensor_BinaryOp<"fmod", "a - b * trunc(a / b)",
    "Floats and integers; the sign is the dividend's. An integer modulo 0 is 0.">;
def DTensor_FloorDivideOp : DTensor_BinaryOp<"floor_divide", "a / b rounded down",
    "Floats and integers; an integer divided by 0 is 0.">;
def DTensor_FmaxOp : DTensor_BinaryOp<"fmax", "the larger one, and never NaN for a number",
    "Floats only; NaN if both are NaN.">;
def DTensor_FminOp : DTensor_BinaryOp<"fmin", "the smaller one, and never NaN for a number",
    "Floats only; NaN if both are NaN.">;
def DTensor_CopysignOp : DTensor_BinaryOp<"copysign", "|a| with the sign of b", "Floats only.">;
def DTensor_HypotOp : DTensor_BinaryOp<"hypot", "sqrt(a^2 + b^2) without overflow",
    "Floats only.">;
def DTensor_LogAddExpOp : DTensor_BinaryOp<"logaddexp", "log(exp(a) + exp(b)) without overflow",
    "Floats only.">;
def DTensor_LogAddExp2Op : DTensor_BinaryOp<"logaddexp2", "log2(2^a + 2^b) without overflow",
    "Floats only.">;
def DTensor_XlogyOp : DTensor_BinaryOp<"xlogy", "a * log(b), which is 0 where a is 0",
    "Floats only; NaN where b is NaN.">;
def DTensor_HeavisideOp : DTensor_BinaryOp<"heaviside", "0 below 0, 1 above 0, b at 0",
    "Floats and integers.">;

class DTensor_BitwiseOp<string mnemonic, string what, string text>
    : DTensor_PointwiseOp<mnemonic, what, text,
        "%y = dtensor." # mnemonic # " %a, %b : (tensor<?xi32>, tensor<?xi32>) -> tensor<?xi32>"> {
  let arguments = (ins DTensor_TensorOrScalar:$lhs, DTensor_TensorOrScalar:$rhs);
}
def DTensor_BitwiseAndOp : DTensor_BitwiseOp<"bitwise_and", "bits that both have",
    "Integers and i1.">;
def DTensor_BitwiseOrOp : DTensor_BitwiseOp<"bitwise_or", "bits that one has",
    "Integers and i1.">;
def DTensor_BitwiseXorOp : DTensor_BitwiseOp<"bitwise_xor", "bits that exactly one has",
    "Integers and i1.">;
def DTensor_ShiftLeftOp : DTensor_BitwiseOp<"shift_left", "a * 2^b, cut to the width",
    "Integers. A shift by less than 0 or by the width and more gives 0.">;
def DTensor_ShiftRightOp : DTensor_BitwiseOp<"shift_right", "a / 2^b, rounded down",
    "Integers. A shift by less than 0 or by the width and more gives the sign: 0 or -1.">;

//===----------------------------------------------------------------------===//
// Three numbers
//===----------------------------------------------------------------------===//

class DTensor_TernaryOp<string mnemonic, string what, string text>
    : DTensor_PointwiseOp<mnemonic, what, text,
        "%y = dtensor." # mnemonic # " %x, %a, %b : (tensor<?x4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, DTensor_TensorOrScalar:$lhs,
                       DTensor_TensorOrScalar:$rhs);
}
def DTensor_ClampOp : DTensor_TernaryOp<"clamp", "min(max(x, a), b)",
    "Floats and integers; NaN if one is NaN, and b where a is above b.">;
def DTensor_LerpOp : DTensor_TernaryOp<"lerp", "x + b * (a - x)",
    "Floats only; exactly a where the weight b is 1.">;
def DTensor_AddcmulOp : DTensor_TernaryOp<"addcmul", "x + value * a * b",
    "Floats and integers."> {
  let arguments = (ins DTensor_Tensor:$input, DTensor_TensorOrScalar:$lhs,
                       DTensor_TensorOrScalar:$rhs,
                       DefaultValuedAttr<F64Attr, "1.0">:$value);
}
def DTensor_AddcdivOp : DTensor_TernaryOp<"addcdiv", "x + value * a / b", "Floats only."> {
  let arguments = (ins DTensor_Tensor:$input, DTensor_TensorOrScalar:$lhs,
                       DTensor_TensorOrScalar:$rhs,
                       DefaultValuedAttr<F64Attr, "1.0">:$value);
}
def DTensor_MaskedFillOp : DTensor_PointwiseOp<"masked_fill", "another value under a mask",
    "`value` where the mask (i1) holds, else the operand's element.",
    "%y = dtensor.masked_fill %x, %mask, %v : (tensor<?x4xf32>, tensor<?x1xi1>, f32) -> tensor<?x4xf32>"> {
  let arguments = (ins DTensor_Tensor:$input, DTensor_TensorOrScalar:$mask,
                       DTensor_TensorOrScalar:$value);
}

#endif // DTENSOR_DIALECT_DTENSOR_IR_POINTWISEOPS_TD
