//===- Programs.cpp - Programs that the benchmarks compile ----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Programs.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/FormatVariadic.h"

using namespace dtensor::bench;
using llvm::formatv;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Chain
//===----------------------------------------------------------------------===//

static const char *const kRows = "tensor<?x64xf32>";
static const char *const kWeight = "tensor<64x64xf32>";

static std::string ourStep(unsigned i, const std::string &in) {
  if (i % 2 == 0)
    return formatv("  %v{0} = dtensor.matmul {1}, %w{2} : ({3}, {4}) -> {3}\n",
                   i, in, i / 2, kRows, kWeight);
  return formatv("  %v{0} = dtensor.tanh {1} : ({2}) -> {2}\n", i, in, kRows);
}

static std::string linalgStep(unsigned i, const std::string &in) {
  std::string text = formatv("  %e{0} = tensor.empty(%b) : {1}\n", i, kRows);
  if (i % 2 == 1)
    return text + formatv("  %v{0} = linalg.tanh ins({1} : {2}) outs(%e{0} : "
                          "{2}) -> {2}\n",
                          i, in, kRows)
                      .str();
  text += formatv("  %z{0} = linalg.fill ins(%zero : f32) outs(%e{0} : {1}) -> "
                  "{1}\n",
                  i, kRows);
  text += formatv("  %v{0} = linalg.matmul ins({1}, %w{2} : {3}, {4}) "
                  "outs(%z{0} : {3}) -> {3}\n",
                  i, in, i / 2, kRows, kWeight);
  return text;
}

std::string dtensor::bench::makeChain(unsigned count, Ops ops,
                                      const std::string &mesh) {
  std::string text = formatv(
      "#rows = #dtensor.layout<#dtensor.mesh<{0}>, [shard(0)], (B, 64)>\n"
      "func.func @chain(%x: {1} {{dtensor.layout = #rows}",
      mesh, kRows);
  for (unsigned i = 0; i < (count + 1) / 2; ++i)
    text += formatv(", %w{0}: {1}", i, kWeight);
  text += formatv(") -> {0} {{\n", kRows);
  if (ops == Ops::Linalg)
    text += formatv("  %zero = arith.constant 0.0 : f32\n"
                    "  %c0 = arith.constant 0 : index\n"
                    "  %b = tensor.dim %x, %c0 : {0}\n",
                    kRows);
  std::string value = "%x";
  for (unsigned i = 0; i < count; ++i) {
    text += ops == Ops::Ours ? ourStep(i, value) : linalgStep(i, value);
    value = ("%v" + Twine(i)).str();
  }
  return text + formatv("  return {0} : {1}\n}\n", value, kRows).str();
}

//===----------------------------------------------------------------------===//
// Fan-in
//===----------------------------------------------------------------------===//

std::string dtensor::bench::makeFanIn(unsigned count) {
  std::string params, operands, types, maps, scalars, sums;
  for (unsigned i = 0; i < count; ++i) {
    const char *comma = i ? ", " : "";
    const char *side = i % 2 ? "#columns" : "#rows";
    params += formatv("{0}%a{1}: tensor<?x?xf32> {{dtensor.layout = {2}}",
                      comma, i, side);
    operands += formatv("{0}%a{1}", comma, i);
    types += formatv("{0}tensor<?x?xf32>", comma);
    maps += "#id, ";
    scalars += formatv("{0}%x{1}: f32", comma, i);
    if (i)
      sums += formatv("    %s{0} = arith.addf {1}{2}, %x{0} : f32\n", i,
                      i == 1 ? "%x" : "%s", i - 1);
  }
  return formatv(
      "#mesh = #dtensor.mesh<\"tp\" = ?>\n"
      "#rows = #dtensor.layout<#mesh, [shard(0)], (M, N)>\n"
      "#columns = #dtensor.layout<#mesh, [shard(1)], (M, N)>\n"
      "#id = affine_map<(d0, d1) -> (d0, d1)>\n"
      "func.func @fan_in({0}) -> tensor<?x?xf32> {{\n"
      "  %c0 = arith.constant 0 : index\n  %c1 = arith.constant 1 : index\n"
      "  %m = tensor.dim %a0, %c0 : tensor<?x?xf32>\n"
      "  %n = tensor.dim %a0, %c1 : tensor<?x?xf32>\n"
      "  %e = tensor.empty(%m, %n) : tensor<?x?xf32>\n"
      "  %r = linalg.generic {{indexing_maps = [{1}#id], iterator_types = "
      "[\"parallel\", \"parallel\"]} ins({2} : {3}) outs(%e : "
      "tensor<?x?xf32>) {{\n  ^bb0({4}, %o: f32):\n{5}"
      "    linalg.yield %s{6} : f32\n  } -> tensor<?x?xf32>\n"
      "  return %r : tensor<?x?xf32>\n}\n",
      params, maps, operands, types, scalars, sums, count - 1);
}

//===----------------------------------------------------------------------===//
// Llama
//===----------------------------------------------------------------------===//

// One layer; $n is the layer's number, $p the number of the layer before.
static const char *const kLayer = R"(
  %n1_$n = dtensor.rms_norm %y_$p, %norm1_$n {eps = 1.0e-5} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %q0_$n = dtensor.linear %n1_$n, %wq_$n : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %q1_$n = dtensor.unflatten %q0_$n {dim = 1, sizes = [8, 8]} : (tensor<?x64xf32>) -> tensor<?x8x8xf32>
  %q2_$n = dtensor.permute %q1_$n {permutation = [1, 0, 2]} : (tensor<?x8x8xf32>) -> tensor<8x?x8xf32>
  %k0_$n = dtensor.linear %n1_$n, %wk_$n : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  %k1_$n = dtensor.unflatten %k0_$n {dim = 1, sizes = [4, 8]} : (tensor<?x32xf32>) -> tensor<?x4x8xf32>
  %k2_$n = dtensor.permute %k1_$n {permutation = [1, 0, 2]} : (tensor<?x4x8xf32>) -> tensor<4x?x8xf32>
  %v0_$n = dtensor.linear %n1_$n, %wv_$n : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
  %v1_$n = dtensor.unflatten %v0_$n {dim = 1, sizes = [4, 8]} : (tensor<?x32xf32>) -> tensor<?x4x8xf32>
  %v2_$n = dtensor.permute %v1_$n {permutation = [1, 0, 2]} : (tensor<?x4x8xf32>) -> tensor<4x?x8xf32>
  %qa_$n = dtensor.slice %q2_$n [0, 0, 0] [8, T, 4] [1, 1, 1] : (tensor<8x?x8xf32>) -> tensor<8x?x4xf32>
  %qb_$n = dtensor.slice %q2_$n [0, 0, 4] [8, T, 4] [1, 1, 1] : (tensor<8x?x8xf32>) -> tensor<8x?x4xf32>
  %qac_$n = dtensor.mul %qa_$n, %cos : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qbs_$n = dtensor.mul %qb_$n, %sin : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qas_$n = dtensor.mul %qa_$n, %sin : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qbc_$n = dtensor.mul %qb_$n, %cos : (tensor<8x?x4xf32>, tensor<?x4xf32>) -> tensor<8x?x4xf32>
  %qc_$n = dtensor.sub %qac_$n, %qbs_$n : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x4xf32>
  %qd_$n = dtensor.add %qas_$n, %qbc_$n : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x4xf32>
  %q_$n = dtensor.concat %qc_$n, %qd_$n {dim = 2} : (tensor<8x?x4xf32>, tensor<8x?x4xf32>) -> tensor<8x?x8xf32>
  %ka_$n = dtensor.slice %k2_$n [0, 0, 0] [4, T, 4] [1, 1, 1] : (tensor<4x?x8xf32>) -> tensor<4x?x4xf32>
  %kb_$n = dtensor.slice %k2_$n [0, 0, 4] [4, T, 4] [1, 1, 1] : (tensor<4x?x8xf32>) -> tensor<4x?x4xf32>
  %kac_$n = dtensor.mul %ka_$n, %cos : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kbs_$n = dtensor.mul %kb_$n, %sin : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kas_$n = dtensor.mul %ka_$n, %sin : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kbc_$n = dtensor.mul %kb_$n, %cos : (tensor<4x?x4xf32>, tensor<?x4xf32>) -> tensor<4x?x4xf32>
  %kc_$n = dtensor.sub %kac_$n, %kbs_$n : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x4xf32>
  %kd_$n = dtensor.add %kas_$n, %kbc_$n : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x4xf32>
  %k_$n = dtensor.concat %kc_$n, %kd_$n {dim = 2} : (tensor<4x?x4xf32>, tensor<4x?x4xf32>) -> tensor<4x?x8xf32>
  %a0_$n = dtensor.attention %q_$n, %k_$n, %v2_$n {causal} : (tensor<8x?x8xf32>, tensor<4x?x8xf32>, tensor<4x?x8xf32>) -> tensor<8x?x8xf32>
  %a1_$n = dtensor.permute %a0_$n {permutation = [1, 0, 2]} : (tensor<8x?x8xf32>) -> tensor<?x8x8xf32>
  %a2_$n = dtensor.flatten %a1_$n {start = 1, end = 2} : (tensor<?x8x8xf32>) -> tensor<?x64xf32>
  %a3_$n = dtensor.linear %a2_$n, %wo_$n : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %r_$n = dtensor.add %y_$p, %a3_$n : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %n2_$n = dtensor.rms_norm %r_$n, %norm2_$n {eps = 1.0e-5} : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %g0_$n = dtensor.linear %n2_$n, %wgate_$n : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  %g1_$n = dtensor.silu %g0_$n : (tensor<?x96xf32>) -> tensor<?x96xf32>
  %u_$n = dtensor.linear %n2_$n, %wup_$n : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  %h_$n = dtensor.mul %g1_$n, %u_$n : (tensor<?x96xf32>, tensor<?x96xf32>) -> tensor<?x96xf32>
  %d_$n = dtensor.linear %h_$n, %wdown_$n : (tensor<?x96xf32>, tensor<64x96xf32>) -> tensor<?x64xf32>
  %y_$n = dtensor.add %r_$n, %d_$n : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
)";

static const char *const kLayerArguments =
    R"(, %norm1_$n: tensor<64xf32> {dtensor.layout = #norm}
    , %wq_$n: tensor<64x64xf32> {dtensor.layout = #wq}
    , %wk_$n: tensor<32x64xf32> {dtensor.layout = #wkv}
    , %wv_$n: tensor<32x64xf32> {dtensor.layout = #wkv}
    , %wo_$n: tensor<64x64xf32> {dtensor.layout = #wo}
    , %norm2_$n: tensor<64xf32> {dtensor.layout = #norm}
    , %wgate_$n: tensor<96x64xf32> {dtensor.layout = #wup}
    , %wup_$n: tensor<96x64xf32> {dtensor.layout = #wup}
    , %wdown_$n: tensor<64x96xf32> {dtensor.layout = #wdown}
)";

static const char *const kLlamaHeader = R"(
#world = #dtensor.mesh<"tp" = ? {divides 4}>
#tokens = #dtensor.layout<#world, [replicate], (T, 64)>
#norm = #dtensor.layout<#world, [replicate], (64)>
#frequencies = #dtensor.layout<#world, [replicate], (4)>
#wq = #dtensor.layout<#world, [shard(0)], (64, 64)>
#wkv = #dtensor.layout<#world, [shard(0)], (32, 64)>
#wo = #dtensor.layout<#world, [shard(1)], (64, 64)>
#wup = #dtensor.layout<#world, [shard(0)], (96, 64)>
#wdown = #dtensor.layout<#world, [shard(1)], (64, 96)>
func.func @llama(%y_: tensor<?x64xf32> {dtensor.layout = #tokens},
    %frequencies: tensor<4xf32> {dtensor.layout = #frequencies}
)";

static const char *const kLlamaPositions = R"()
    -> (tensor<?x64xf32> {dtensor.layout = #tokens})
    attributes {dtensor.symbols = {T = {hint = 2048}}} {
  %position = dtensor.iota {dim = 0, sizes = [#dtensor.expr<T>, 4]} : () -> tensor<?x4xf32>
  %angle = dtensor.mul %position, %frequencies : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %cos = dtensor.cos %angle : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %sin = dtensor.sin %angle : (tensor<?x4xf32>) -> tensor<?x4xf32>
)";

static std::string fillIn(llvm::StringRef text, unsigned layer) {
  std::string before = layer ? std::to_string(layer - 1) : "";
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      result += text[i];
      continue;
    }
    result += text[++i] == 'n' ? std::to_string(layer) : before;
  }
  return result;
}

std::string dtensor::bench::makeLlama(unsigned count) {
  std::string text = kLlamaHeader;
  for (unsigned i = 0; i < count; ++i)
    text += fillIn(kLayerArguments, i);
  text += kLlamaPositions;
  for (unsigned i = 0; i < count; ++i)
    text += fillIn(kLayer, i);
  return text +
         formatv("  return %y_{0} : tensor<?x64xf32>\n}\n", count - 1).str();
}
