//===- ActivationOps.td - nonlinear functions of models --*- tablegen -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_DIALECT_DTENSOR_IR_ACTIVATIONOPS_TD
#define DTENSOR_DIALECT_DTENSOR_IR_ACTIVATIONOPS_TD

include "dtensor/Dialect/DTensor/IR/PointwiseBase.td"

// Floats only; f16 and bf16 are computed in f32.
class DTensor_ActivationOp<string mnemonic, string what, string text,
                           dag parameters = (ins), string example = "">
    : DTensor_PointwiseOp<mnemonic, what, text # " Floats only.",
        "%y = dtensor." # mnemonic # " %x" # example # " : (tensor<?x4xf32>) -> tensor<?x4xf32>"> {
  let arguments = !con((ins DTensor_Tensor:$input), parameters);
}
class DTensor_Number<string value> : DefaultValuedAttr<F64Attr, value>;

def DTensor_EluOp : DTensor_ActivationOp<"elu", "the exponential linear unit",
    "x above 0, else alpha * (exp(x) - 1).",
    (ins DTensor_Number<"1.0">:$alpha), " {alpha = 0.5}">;
def DTensor_CeluOp : DTensor_ActivationOp<"celu", "the continuous exponential linear unit",
    "x above 0, else alpha * (exp(x / alpha) - 1).",
    (ins DTensor_Number<"1.0">:$alpha), " {alpha = 0.5}">;
def DTensor_SeluOp : DTensor_ActivationOp<"selu", "the self-normalizing linear unit",
    "1.0507 * (x above 0, else 1.6733 * (exp(x) - 1)).">;
def DTensor_LeakyReluOp : DTensor_ActivationOp<"leaky_relu", "a small slope below 0",
    "x above 0, else `slope` * x.",
    (ins DTensor_Number<"0.01">:$slope), " {slope = 0.2}">;
def DTensor_Relu6Op : DTensor_ActivationOp<"relu6", "min(max(x, 0), 6)", "NaN stays NaN.">;
def DTensor_HardtanhOp : DTensor_ActivationOp<"hardtanh", "min(max(x, low), high)",
    "NaN stays NaN.",
    (ins DTensor_Number<"-1.0">:$low, DTensor_Number<"1.0">:$high), " {high = 2.0}">;
def DTensor_HardsigmoidOp : DTensor_ActivationOp<"hardsigmoid", "a sigmoid of three lines",
    "min(max(x + 3, 0), 6) / 6.">;
def DTensor_HardswishOp : DTensor_ActivationOp<"hardswish", "x * hardsigmoid(x)",
    "x * min(max(x + 3, 0), 6) / 6.">;
def DTensor_SoftplusOp : DTensor_ActivationOp<"softplus", "a smooth relu",
    "log(1 + exp(beta * x)) / beta, and x where beta * x is above `threshold`.",
    (ins DTensor_Number<"1.0">:$beta, DTensor_Number<"20.0">:$threshold), " {beta = 2.0}">;
def DTensor_MishOp : DTensor_ActivationOp<"mish", "x * tanh(softplus(x))",
    "x * tanh(log(1 + exp(x))).">;
def DTensor_LogSigmoidOp : DTensor_ActivationOp<"log_sigmoid", "the logarithm of sigmoid",
    "min(x, 0) - log(1 + exp(-|x|)).">;
def DTensor_SoftsignOp : DTensor_ActivationOp<"softsign", "x / (1 + |x|)", "In (-1, 1).">;
def DTensor_TanhshrinkOp : DTensor_ActivationOp<"tanhshrink", "x - tanh(x)", "Cubic near 0.">;
def DTensor_HardshrinkOp : DTensor_ActivationOp<"hardshrink", "0 near 0",
    "0 where |x| <= `lambda`, else x.",
    (ins DTensor_Number<"0.5">:$lambda), " {lambda = 1.0}">;
def DTensor_SoftshrinkOp : DTensor_ActivationOp<"softshrink", "moves x toward 0",
    "x - lambda above `lambda`, x + lambda below -`lambda`, else 0; NaN stays NaN.",
    (ins DTensor_Number<"0.5">:$lambda), " {lambda = 1.0}">;
def DTensor_ThresholdOp : DTensor_ActivationOp<"threshold", "a constant at and below a bound",
    "`value` where x <= `threshold`, else x.",
    (ins F64Attr:$threshold, F64Attr:$value), " {threshold = 0.1, value = 0.0}">;
def DTensor_LogitOp : DTensor_ActivationOp<"logit", "log(x / (1 - x))",
    "With `eps`, x is first brought into [eps, 1 - eps].",
    (ins OptionalAttr<F64Attr>:$eps), " {eps = 1.0e-6}">;
def DTensor_PreluOp : DTensor_BinaryOp<"prelu", "a slope below 0 that is learned",
    "a above 0, else a * b. Floats only. The slopes b broadcast at the right.">;

#endif // DTENSOR_DIALECT_DTENSOR_IR_ACTIVATIONOPS_TD
