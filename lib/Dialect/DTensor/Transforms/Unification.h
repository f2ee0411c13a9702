//===- Unification.h - one name for equal extents ---------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A triangular substitution over the symbols of one function:
//
//   { s1 := e1, s2 := e2, ... }   with   sk not in resolve(ek)
//
// unify(a, b) extends it so that resolve(a) == resolve(b), if one side is a
// bare symbol that may be replaced and does not occur in the other. Of two bare
// symbols the one of less weight is replaced. Nothing else is solved: whether
// 2*B equals S*K is left to a check when the program starts.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_LIB_TRANSFORMS_UNIFICATION_H
#define DTENSOR_LIB_TRANSFORMS_UNIFICATION_H

#include "dtensor/Sharding/Facts.h"
#include "llvm/ADT/StringMap.h"

namespace dtensor {

class Unification {
public:
  /// Who named a symbol: we did; a type that is not an argument's; the type of
  /// an argument; `dtensor.symbols`. Lighter ones are replaced first. What an
  /// `index` argument binds is pinned: it is never replaced.
  enum Weight { Unnamed, Stated, Named, Declared, Pinned };

  enum class Outcome { Equal, Different, Undecided };

  /// `facts` learns what is declared of a symbol when another replaces it.
  explicit Unification(Facts &facts) : facts(facts) {}

  void declare(llvm::StringRef name, Weight weight) { weights[name] = weight; }

  Outcome unify(Expr lhs, Expr rhs);

  /// `expr` without any replaced symbol.
  Expr resolve(Expr expr);

  /// True once `name` was replaced by something else.
  bool isReplaced(llvm::StringRef name) const {
    return replacements.count(name);
  }

private:
  Weight weightOf(llvm::StringRef name) const;
  bool replace(Expr symbol, Expr by);
  void mergeFacts(llvm::StringRef gone, llvm::StringRef kept);

  Facts &facts;
  llvm::StringMap<Weight> weights;
  llvm::StringMap<Expr> replacements;
};

} // namespace dtensor

#endif // DTENSOR_LIB_TRANSFORMS_UNIFICATION_H
