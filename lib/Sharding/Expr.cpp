//===- Expr.cpp - Interning and the ring operations -------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Expr.h"

#include "ExprStorage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace dtensor;
using namespace dtensor::detail;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

static int sign(int64_t lhs, int64_t rhs) {
  return lhs < rhs ? -1 : (lhs > rhs ? 1 : 0);
}

/// Symbols first, by kind; then operations, by kind.
static int rankOf(const AtomStorage *atom) {
  return atom->symbol ? static_cast<int>(atom->symbolKind)
                      : 3 + static_cast<int>(atom->kind);
}

int detail::compareAtoms(ExprAtom lhs, ExprAtom rhs) {
  const AtomStorage *a = ExprFactory::get(lhs), *b = ExprFactory::get(rhs);
  if (a == b)
    return 0;
  if (int order = sign(rankOf(a), rankOf(b)))
    return order;
  if (int order = a->name.compare(b->name))
    return order;
  if (int order = sign(a->operands.size(), b->operands.size()))
    return order;
  for (auto [x, y] : llvm::zip(a->operands, b->operands))
    if (int order = compare(x, y))
      return order;
  return 0;
}

int detail::compareMonomials(ArrayRef<ExprAtom> lhs, ArrayRef<ExprAtom> rhs) {
  if (int order = sign(rhs.size(), lhs.size()))
    return order;
  for (auto [x, y] : llvm::zip(lhs, rhs))
    if (int order = compareAtoms(x, y))
      return order;
  return 0;
}

int dtensor::compare(Expr lhs, Expr rhs) {
  if (lhs == rhs)
    return 0;
  if (!lhs || !rhs)
    return lhs ? 1 : -1;
  if (lhs.isOverflow() || rhs.isOverflow())
    return sign(rhs.isOverflow(), lhs.isOverflow());
  for (auto [x, y] : llvm::zip(lhs.getTerms(), rhs.getTerms())) {
    if (int order = compareMonomials(x.factors, y.factors))
      return order;
    if (int order = sign(x.coefficient, y.coefficient))
      return order;
  }
  return sign(rhs.getTerms().size(), lhs.getTerms().size());
}

std::optional<SmallVector<ExprAtom, 4>>
detail::divideMonomial(ArrayRef<ExprAtom> monomial,
                       ArrayRef<ExprAtom> divisor) {
  SmallVector<ExprAtom, 4> quotient;
  for (ExprAtom atom : monomial) {
    if (!divisor.empty() && divisor.front() == atom)
      divisor = divisor.drop_front();
    else
      quotient.push_back(atom);
  }
  if (!divisor.empty())
    return std::nullopt;
  return quotient;
}

//===----------------------------------------------------------------------===//
// Interning
//===----------------------------------------------------------------------===//

static void profileAtom(llvm::FoldingSetNodeID &id, int rank, StringRef name,
                        ArrayRef<Expr> operands) {
  id.AddInteger(rank);
  id.AddString(name);
  for (Expr operand : operands)
    id.AddPointer(operand.getAsOpaquePointer());
}

void AtomStorage::Profile(llvm::FoldingSetNodeID &id) const {
  profileAtom(id, rankOf(this), name, operands);
}

template <class Range>
static void profileTerms(llvm::FoldingSetNodeID &id, const Range &terms) {
  for (const auto &term : terms) {
    id.AddInteger(term.coefficient);
    id.AddInteger(term.factors.size());
    for (ExprAtom atom : term.factors)
      id.AddPointer(atom.getAsOpaquePointer());
  }
}

void ExprStorage::Profile(llvm::FoldingSetNodeID &id) const {
  profileTerms(id, terms);
}

template <class T>
static ArrayRef<T> copyInto(llvm::BumpPtrAllocator &allocator,
                            ArrayRef<T> values) {
  if (values.empty())
    return {};
  T *copy = allocator.Allocate<T>(values.size());
  std::uninitialized_copy(values.begin(), values.end(), copy);
  return ArrayRef<T>(copy, values.size());
}

Expr ExprFactory::internExpr(ExprContext &context, ArrayRef<TermBuilder> terms,
                             const NodeInfo &info) {
  llvm::FoldingSetNodeID id;
  profileTerms(id, terms);
  ExprContextImpl &impl = *context.impl;
  std::lock_guard<std::mutex> lock(impl.mutex);
  void *position = nullptr;
  if (ExprStorage *known = impl.exprs.FindNodeOrInsertPos(id, position))
    return Expr(known);
  SmallVector<ExprTerm, 8> copies;
  for (const TermBuilder &term : terms)
    copies.push_back(
        {term.coefficient, copyInto<ExprAtom>(impl.allocator, term.factors)});
  auto *node = new (impl.allocator.Allocate<ExprStorage>()) ExprStorage();
  node->context = &context;
  node->terms = copyInto<ExprTerm>(impl.allocator, copies);
  node->info = info;
  impl.exprs.InsertNode(node, position);
  return Expr(node);
}

Expr ExprFactory::makePoison(ExprContext &context) {
  return Expr(&context.impl->poison);
}

Expr ExprFactory::makeSymbol(ExprContext &context, StringRef name,
                             SymbolKind kind) {
  ExprContextImpl &impl = *context.impl;
  AtomStorage *node;
  {
    llvm::FoldingSetNodeID id;
    profileAtom(id, static_cast<int>(kind), name, {});
    std::lock_guard<std::mutex> lock(impl.mutex);
    void *position = nullptr;
    node = impl.atoms.FindNodeOrInsertPos(id, position);
    if (!node) {
      node = new (impl.allocator.Allocate<AtomStorage>()) AtomStorage();
      node->context = &context;
      node->symbol = true;
      node->symbolKind = kind;
      node->name = name.copy(impl.allocator);
      node->info.range.lower = kind == SymbolKind::AxisSize ? 1 : 0;
      impl.atoms.InsertNode(node, position);
    }
  }
  return ExprAtom(node).getExpr();
}

Expr ExprFactory::makeAtom(BinaryKind kind, ArrayRef<Expr> operands) {
  ExprContext &context = operands.front().getContext();
  NodeInfo info;
  SmallVector<Interval, 4> ranges;
  for (Expr operand : operands) {
    ranges.push_back(get(operand)->info.range);
    info.size += get(operand)->info.size;
    info.depth = std::max(info.depth, get(operand)->info.depth + 1);
  }
  if (info.size > maxSize || info.depth > maxDepth ||
      operands.size() > maxOperands)
    return makePoison(context);
  info.range = boundOperation(kind, ranges);
  ExprContextImpl &impl = *context.impl;
  AtomStorage *node;
  {
    llvm::FoldingSetNodeID id;
    profileAtom(id, 3 + static_cast<int>(kind), "", operands);
    std::lock_guard<std::mutex> lock(impl.mutex);
    void *position = nullptr;
    node = impl.atoms.FindNodeOrInsertPos(id, position);
    if (!node) {
      node = new (impl.allocator.Allocate<AtomStorage>()) AtomStorage();
      node->context = &context;
      node->symbol = false;
      node->kind = kind;
      node->operands = copyInto<Expr>(impl.allocator, operands);
      node->info = info;
      impl.atoms.InsertNode(node, position);
    }
  }
  return ExprAtom(node).getExpr();
}

ExprContext::ExprContext() : impl(std::make_unique<ExprContextImpl>()) {
  impl->poison.context = this;
  impl->poison.poison = true;
}

ExprContext::~ExprContext() = default;

//===----------------------------------------------------------------------===//
// Polynomials
//===----------------------------------------------------------------------===//

static NodeInfo describeTerm(const TermBuilder &term) {
  NodeInfo info;
  SmallVector<Interval, 4> factors;
  for (ExprAtom atom : term.factors) {
    const NodeInfo &factor = ExprFactory::get(atom)->info;
    info.size += factor.size;
    info.depth = std::max(info.depth, factor.depth);
    factors.push_back(factor.range);
  }
  info.range = boundTerm(term.coefficient, factors);
  return info;
}

/// False if a sum of coefficients leaves int64.
static bool sortAndMerge(Terms &terms) {
  for (TermBuilder &term : terms)
    llvm::sort(term.factors, [](ExprAtom lhs, ExprAtom rhs) {
      return compareAtoms(lhs, rhs) < 0;
    });
  llvm::sort(terms, [](const TermBuilder &lhs, const TermBuilder &rhs) {
    return compareMonomials(lhs.factors, rhs.factors) < 0;
  });
  Terms merged;
  // One group may pass int64 on the way and come back, so sum in 128 bits.
  for (size_t begin = 0, end = 0; begin < terms.size(); begin = end) {
    __int128 sum = 0;
    for (end = begin;
         end < terms.size() && terms[end].factors == terms[begin].factors;
         ++end)
      sum += terms[end].coefficient;
    auto coefficient = static_cast<int64_t>(sum);
    if (coefficient != sum)
      return false;
    if (coefficient != 0)
      merged.emplace_back(coefficient, terms[begin].factors);
  }
  terms = std::move(merged);
  return true;
}

Expr ExprFactory::makeExpr(ExprContext &context, Terms &terms) {
  if (!sortAndMerge(terms) || terms.size() > maxTerms)
    return makePoison(context);
  NodeInfo info;
  info.range = {0, 0};
  for (const TermBuilder &term : terms) {
    if (term.factors.size() > maxDegree)
      return makePoison(context);
    NodeInfo part = describeTerm(term);
    info.range = addIntervals(info.range, part.range);
    info.size += part.size;
    info.depth = std::max(info.depth, part.depth);
  }
  if (info.size > maxSize)
    return makePoison(context);
  return internExpr(context, terms, info);
}

static Terms copyTerms(Expr expr) {
  Terms terms;
  for (const ExprTerm &term : expr.getTerms())
    terms.emplace_back(term.coefficient, term.factors);
  return terms;
}

static bool isPoisoned(Expr lhs, Expr rhs) {
  assert(lhs && rhs && "null operand");
  assert(&lhs.getContext() == &rhs.getContext() && "operands of two contexts");
  return lhs.isOverflow() || rhs.isOverflow();
}

Expr dtensor::operator+(Expr lhs, Expr rhs) {
  if (isPoisoned(lhs, rhs))
    return Expr::overflow(lhs.getContext());
  Terms terms = copyTerms(lhs);
  terms.append(copyTerms(rhs));
  return ExprFactory::makeExpr(lhs.getContext(), terms);
}

Expr dtensor::operator*(Expr lhs, Expr rhs) {
  Expr poison = Expr::overflow(lhs.getContext());
  if (isPoisoned(lhs, rhs) ||
      lhs.getTerms().size() * rhs.getTerms().size() > 4 * maxTerms)
    return poison;
  Terms terms;
  for (const ExprTerm &x : lhs.getTerms()) {
    for (const ExprTerm &y : rhs.getTerms()) {
      int64_t coefficient;
      if (llvm::MulOverflow(x.coefficient, y.coefficient, coefficient))
        return poison;
      terms.emplace_back(coefficient, x.factors);
      terms.back().factors.append(y.factors.begin(), y.factors.end());
    }
  }
  return ExprFactory::makeExpr(lhs.getContext(), terms);
}

Expr dtensor::operator-(Expr lhs, Expr rhs) {
  if (isPoisoned(lhs, rhs))
    return Expr::overflow(lhs.getContext());
  Terms terms = copyTerms(lhs);
  for (const ExprTerm &term : rhs.getTerms()) {
    int64_t negated;
    if (llvm::SubOverflow(int64_t(0), term.coefficient, negated))
      return Expr::overflow(lhs.getContext());
    terms.emplace_back(negated, term.factors);
  }
  return ExprFactory::makeExpr(lhs.getContext(), terms);
}

Expr dtensor::operator-(Expr operand) {
  return Expr::constant(operand.getContext(), 0) - operand;
}

//===----------------------------------------------------------------------===//
// Constants on one side
//===----------------------------------------------------------------------===//

static Expr asExpr(Expr like, int64_t value) {
  return Expr::constant(like.getContext(), value);
}

Expr dtensor::operator+(Expr a, int64_t b) { return a + asExpr(a, b); }
Expr dtensor::operator-(Expr a, int64_t b) { return a - asExpr(a, b); }
Expr dtensor::operator*(Expr a, int64_t b) { return a * asExpr(a, b); }
Expr dtensor::operator+(int64_t a, Expr b) { return asExpr(b, a) + b; }
Expr dtensor::operator-(int64_t a, Expr b) { return asExpr(b, a) - b; }
Expr dtensor::operator*(int64_t a, Expr b) { return asExpr(b, a) * b; }
Expr dtensor::floordiv(Expr a, int64_t b) { return floordiv(a, asExpr(a, b)); }
Expr dtensor::ceildiv(Expr a, int64_t b) { return ceildiv(a, asExpr(a, b)); }
Expr dtensor::mod(Expr a, int64_t b) { return mod(a, asExpr(a, b)); }
Expr dtensor::min(Expr a, int64_t b) { return min(a, asExpr(a, b)); }
Expr dtensor::max(Expr a, int64_t b) { return max(a, asExpr(a, b)); }

//===----------------------------------------------------------------------===//
// Accessors
//===----------------------------------------------------------------------===//

bool ExprAtom::isSymbol() const { return impl->symbol; }

StringRef ExprAtom::getName() const {
  assert(isSymbol() && "only a symbol has a name");
  return impl->name;
}

SymbolKind ExprAtom::getSymbolKind() const {
  assert(isSymbol() && "only a symbol has a symbol kind");
  return impl->symbolKind;
}

BinaryKind ExprAtom::getKind() const {
  assert(!isSymbol() && "a symbol is not an operation");
  return impl->kind;
}

ArrayRef<Expr> ExprAtom::getOperands() const { return impl->operands; }

Expr ExprAtom::getExpr() const {
  Terms terms;
  terms.emplace_back(1, *this);
  return ExprFactory::makeExpr(*impl->context, terms);
}

Expr Expr::constant(ExprContext &context, int64_t value) {
  Terms terms;
  terms.emplace_back(value, ArrayRef<ExprAtom>());
  return ExprFactory::makeExpr(context, terms);
}

Expr Expr::symbol(ExprContext &context, StringRef name, SymbolKind kind) {
  return ExprFactory::makeSymbol(context, name, kind);
}

Expr Expr::overflow(ExprContext &context) {
  return ExprFactory::makePoison(context);
}

ExprContext &Expr::getContext() const { return *impl->context; }

std::optional<int64_t> Expr::getConstant() const {
  if (impl->poison || impl->terms.size() > 1)
    return std::nullopt;
  if (impl->terms.empty())
    return 0;
  if (!impl->terms.front().factors.empty())
    return std::nullopt;
  return impl->terms.front().coefficient;
}

bool Expr::isConstant(int64_t value) const {
  std::optional<int64_t> constant = getConstant();
  return constant && *constant == value;
}

std::optional<ExprAtom> Expr::getAtom() const {
  if (impl->terms.size() != 1 || impl->terms.front().coefficient != 1 ||
      impl->terms.front().factors.size() != 1)
    return std::nullopt;
  return impl->terms.front().factors.front();
}

std::optional<StringRef> Expr::getSymbolName() const {
  std::optional<ExprAtom> atom = getAtom();
  if (!atom || !atom->isSymbol() || atom->getSymbolKind() != SymbolKind::Extent)
    return std::nullopt;
  return atom->getName();
}

bool Expr::isOverflow() const { return impl->poison; }

ArrayRef<ExprTerm> Expr::getTerms() const {
  assert(!impl->poison && "poison has no terms");
  return impl->terms;
}

std::optional<int64_t> Expr::getLowerBound() const {
  return impl->info.range.lower;
}

std::optional<int64_t> Expr::getUpperBound() const {
  return impl->info.range.upper;
}

int64_t detail::getConstantTerm(Expr expr) {
  ArrayRef<ExprTerm> terms = expr.getTerms();
  return terms.empty() || !terms.back().factors.empty()
             ? 0
             : terms.back().coefficient;
}
