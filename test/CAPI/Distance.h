/* "host.distance" of Inputs/distances.mlir, as a host without MLIR has it. */

#ifndef DTENSOR_TEST_CAPI_DISTANCE_H
#define DTENSOR_TEST_CAPI_DISTANCE_H

#include "dtensor-c/dtensor_custom_op.h"

#include <string.h>

/* (m k), (n k) -> (m n), summed over k. */
static int distanceRule(void *user, const dtensor_compiler_op *op,
                        dtensor_compiler_rule *rule) {
  (void)user;
  if (op->num_operands != 2 || op->operands[0]->rank != 2 ||
      op->operands[1]->rank != 2)
    return dtensor_compiler_rule_fail(rule, "distance takes two matrices");
  const char *const *a = op->operands[0]->extents;
  uint32_t m = dtensor_compiler_rule_factor(
      rule, DTENSOR_COMPILER_FACTOR_PARALLEL, 0, a[0]);
  uint32_t n = dtensor_compiler_rule_factor(
      rule, DTENSOR_COMPILER_FACTOR_PARALLEL, 0, op->operands[1]->extents[0]);
  uint32_t k = dtensor_compiler_rule_factor(
      rule, DTENSOR_COMPILER_FACTOR_REDUCTION, DTENSOR_COMPILER_SUM, a[1]);
  dtensor_compiler_rule_operand(rule, 0, 0, &m, 1);
  dtensor_compiler_rule_operand(rule, 0, 1, &k, 1);
  dtensor_compiler_rule_operand(rule, 1, 0, &n, 1);
  dtensor_compiler_rule_operand(rule, 1, 1, &k, 1);
  dtensor_compiler_rule_result(rule, 0, 0, &m, 1);
  dtensor_compiler_rule_result(rule, 0, 1, &n, 1);
  return 0;
}

static int distanceLowering(void *user, const dtensor_compiler_op *op,
                            dtensor_compiler_text *text) {
  (void)user;
  if (!strstr(op->attributes, "power = 2 : i64"))
    return 1;
  dtensor_compiler_text_append(
      text,
      "func.func @distance(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>)\n"
      "    -> tensor<?x?xf32> {\n"
      "  %c0 = arith.constant 0 : index\n"
      "  %zero = arith.constant 0.0 : f32\n"
      "  %m = tensor.dim %a, %c0 : tensor<?x?xf32>\n"
      "  %n = tensor.dim %b, %c0 : tensor<?x?xf32>\n"
      "  %empty = tensor.empty(%m, %n) : tensor<?x?xf32>\n"
      "  %none = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?xf32>)\n"
      "    -> tensor<?x?xf32>\n"
      "  %sum = linalg.generic {indexing_maps = [\n"
      "      affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, "
      "k)>,\n"
      "      affine_map<(m, n, k) -> (m, n)>],\n"
      "      iterator_types = [\"parallel\", \"parallel\", \"reduction\"]}\n"
      "      ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>)\n"
      "      outs(%none : tensor<?x?xf32>) {\n"
      "    ^bb0(%x: f32, %y: f32, %so_far: f32):\n"
      "      %apart = arith.subf %x, %y : f32\n"
      "      %square = arith.mulf %apart, %apart : f32\n"
      "      %more = arith.addf %so_far, %square : f32\n"
      "      linalg.yield %more : f32\n"
      "    } -> tensor<?x?xf32>\n"
      "  return %sum : tensor<?x?xf32>\n"
      "}\n");
  return 0;
}

#endif /* DTENSOR_TEST_CAPI_DISTANCE_H */
