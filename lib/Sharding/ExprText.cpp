//===- ExprText.cpp - Printing and parsing of expressions -------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   sum     ::= ['-'] product (('+' | '-') product)*
//   product ::= factor (('*' | 'floordiv' | 'ceildiv' | 'mod') factor)*
//   factor  ::= '-' factor | integer | '(' sum ')' | name
//             | ('min' | 'max') '(' sum (',' sum)* ')'
//             | ('size' | 'index') '(' name ')'
//   name    ::= [A-Za-z_][A-Za-z0-9_$.]* | '"' characters '"'
//
// A word is a function only when '(' follows, and an operator only between
// factors, so every word is also a name.
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/Expr.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace dtensor;
using llvm::StringRef;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static bool isNameStart(char c) { return llvm::isAlpha(c) || c == '_'; }

static bool isNamePart(char c) {
  return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.';
}

static void printName(llvm::raw_ostream &os, StringRef name) {
  if (!name.empty() && isNameStart(name.front()) &&
      llvm::all_of(name, isNamePart)) {
    os << name;
    return;
  }
  os << '"';
  llvm::printEscapedString(name, os);
  os << '"';
}

static StringRef spell(BinaryKind kind) {
  switch (kind) {
  case BinaryKind::FloorDiv:
    return "floordiv";
  case BinaryKind::CeilDiv:
    return "ceildiv";
  case BinaryKind::Mod:
    return "mod";
  case BinaryKind::Min:
    return "min";
  case BinaryKind::Max:
    return "max";
  }
  llvm_unreachable("all kinds are handled");
}

static void printSymbol(llvm::raw_ostream &os, ExprAtom atom) {
  if (atom.getSymbolKind() == SymbolKind::Extent)
    return printName(os, atom.getName());
  os << (atom.getSymbolKind() == SymbolKind::AxisSize ? "size(" : "index(");
  printName(os, atom.getName());
  os << ')';
}

static bool isInfix(ExprAtom atom) {
  return !atom.isSymbol() && atom.getKind() != BinaryKind::Min &&
         atom.getKind() != BinaryKind::Max;
}

/// An operand of an infix operator; bare only if nothing can be misread.
static void printOperand(llvm::raw_ostream &os, Expr expr) {
  std::optional<ExprAtom> atom = expr.getAtom();
  std::optional<int64_t> constant = expr.getConstant();
  if ((atom && !isInfix(*atom)) || (constant && *constant >= 0))
    os << expr;
  else
    os << '(' << expr << ')';
}

static void printAtom(llvm::raw_ostream &os, ExprAtom atom) {
  if (atom.isSymbol())
    return printSymbol(os, atom);
  if (isInfix(atom)) {
    printOperand(os, atom.getOperands()[0]);
    os << ' ' << spell(atom.getKind()) << ' ';
    return printOperand(os, atom.getOperands()[1]);
  }
  os << spell(atom.getKind()) << '(';
  llvm::interleaveComma(atom.getOperands(), os);
  os << ')';
}

/// The term without its sign; `magnitude` is |coefficient|.
static void printTerm(llvm::raw_ostream &os, const ExprTerm &term,
                      uint64_t magnitude, bool negated) {
  if (term.factors.empty()) {
    os << magnitude;
    return;
  }
  if (magnitude != 1)
    os << magnitude << '*';
  bool alone = magnitude == 1 && term.factors.size() == 1 && !negated;
  llvm::interleave(
      term.factors, os,
      [&](ExprAtom atom) {
        bool parenthesize = isInfix(atom) && !alone;
        os << (parenthesize ? "(" : "");
        printAtom(os, atom);
        os << (parenthesize ? ")" : "");
      },
      "*");
}

void Expr::print(llvm::raw_ostream &os) const {
  if (!impl) {
    os << "<null>";
    return;
  }
  if (isOverflow()) {
    os << "<overflow>";
    return;
  }
  if (getTerms().empty())
    os << '0';
  bool first = true;
  for (const ExprTerm &term : getTerms()) {
    bool negative = term.coefficient < 0;
    // The magnitude of the least int64 reads back only behind its own sign.
    bool least = term.coefficient == INT64_MIN;
    if (first)
      os << (negative ? "-" : "");
    else
      os << (least ? " + -" : negative ? " - " : " + ");
    auto bits = static_cast<uint64_t>(term.coefficient);
    printTerm(os, term, negative ? 0 - bits : bits, first && negative);
    first = false;
  }
}

std::string Expr::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

llvm::raw_ostream &dtensor::operator<<(llvm::raw_ostream &os, Expr expr) {
  expr.print(os);
  return os;
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

ExprTokens::~ExprTokens() = default;

namespace {

/// Recursive descent; a null Expr means that `error` is set.
class Parser {
public:
  Parser(ExprTokens &tokens, ExprContext &context)
      : tokens(tokens), context(context) {}

  Expr parseSum();
  std::string error;

private:
  Expr parseProduct();
  Expr parseFactor();
  Expr parseInteger(bool negate, bool &isInteger);
  Expr parseCall(BinaryKind kind);
  Expr parseAxis(SymbolKind kind);
  Expr parseWord();
  Expr fail(const Twine &message) {
    if (error.empty())
      error = message.str();
    return {};
  }
  /// Poison from a sound operation, told where it arises.
  Expr check(Expr expr) {
    return expr.isOverflow() ? fail("expression leaves the 64-bit range, "
                                    "divides by a constant below 1, or is "
                                    "too large")
                             : expr;
  }

  ExprTokens &tokens;
  ExprContext &context;
  unsigned depth = 0;
};

} // namespace

Expr Parser::parseSum() {
  constexpr unsigned maxNesting = 200;
  if (depth == maxNesting)
    return fail("expression nests deeper than 200 levels");
  ++depth;
  Expr sum = parseProduct();
  while (sum) {
    bool plus = tokens.eatPunctuation('+');
    if (!plus && !tokens.eatPunctuation('-'))
      break;
    Expr product = parseProduct();
    sum = product ? check(plus ? sum + product : sum - product) : product;
  }
  --depth;
  return sum;
}

Expr Parser::parseProduct() {
  Expr product = parseFactor();
  while (product) {
    std::optional<BinaryKind> kind;
    if (tokens.eatKeyword("floordiv"))
      kind = BinaryKind::FloorDiv;
    else if (tokens.eatKeyword("ceildiv"))
      kind = BinaryKind::CeilDiv;
    else if (tokens.eatKeyword("mod"))
      kind = BinaryKind::Mod;
    else if (!tokens.eatPunctuation('*'))
      break;
    Expr factor = parseFactor();
    if (!factor)
      return factor;
    product = check(kind ? binary(*kind, product, factor) : product * factor);
  }
  return product;
}

Expr Parser::parseInteger(bool negate, bool &isInteger) {
  bool tooLarge = false;
  std::optional<uint64_t> value = tokens.eatInteger(tooLarge);
  isInteger = value.has_value();
  if (!value)
    return {};
  // The magnitude of the least int64 is one more than that of the greatest.
  if (tooLarge || *value > uint64_t(INT64_MAX) + (negate ? 1 : 0))
    return fail("integer does not fit 64 bits");
  return Expr::constant(context,
                        static_cast<int64_t>(negate ? 0 - *value : *value));
}

Expr Parser::parseFactor() {
  bool negate = false;
  while (tokens.eatPunctuation('-'))
    negate = !negate;
  bool isInteger = false;
  Expr integer = parseInteger(negate, isInteger);
  if (isInteger)
    return integer;
  Expr factor;
  if (tokens.eatPunctuation('(')) {
    factor = parseSum();
    if (factor && !tokens.eatPunctuation(')'))
      return fail("expected ')'");
  } else {
    factor = parseWord();
  }
  return factor && negate ? check(-factor) : factor;
}

Expr Parser::parseCall(BinaryKind kind) {
  Expr result;
  do {
    Expr operand = parseSum();
    if (!operand)
      return operand;
    result = result ? check(binary(kind, result, operand)) : operand;
  } while (result && tokens.eatPunctuation(','));
  if (result && !tokens.eatPunctuation(')'))
    return fail("expected ',' or ')'");
  return result;
}

Expr Parser::parseAxis(SymbolKind kind) {
  std::optional<std::string> name = tokens.eatName();
  if (!name)
    return fail("expected the name of a mesh axis");
  if (!tokens.eatPunctuation(')'))
    return fail("expected ')'");
  return Expr::symbol(context, *name, kind);
}

Expr Parser::parseWord() {
  std::optional<std::string> name = tokens.eatName();
  if (!name)
    return fail("expected an integer, a name or '('");
  if (!tokens.eatPunctuation('('))
    return Expr::symbol(context, *name);
  if (*name == "min")
    return parseCall(BinaryKind::Min);
  if (*name == "max")
    return parseCall(BinaryKind::Max);
  if (*name == "size")
    return parseAxis(SymbolKind::AxisSize);
  if (*name == "index")
    return parseAxis(SymbolKind::AxisIndex);
  return fail("unknown function '" + *name +
              "': expected min, max, size or index");
}

std::optional<Expr> dtensor::parseExpr(ExprTokens &tokens, ExprContext &context,
                                       std::string *error) {
  Parser parser(tokens, context);
  Expr expr = parser.parseSum();
  if (expr)
    return expr;
  if (error)
    *error = parser.error;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Tokens of plain text
//===----------------------------------------------------------------------===//

namespace {

class TextTokens final : public ExprTokens {
public:
  explicit TextTokens(StringRef text) : text(text), rest(text.ltrim()) {}

  size_t getOffset() const { return text.size() - rest.size(); }
  bool atEnd() const { return rest.empty(); }

  bool eatPunctuation(char which) override {
    if (!rest.starts_with(StringRef(&which, 1)))
      return false;
    advance(1);
    return true;
  }

  bool eatKeyword(StringRef word) override {
    if (peekWord() != word)
      return false;
    advance(word.size());
    return true;
  }

  std::optional<std::string> eatName() override {
    if (rest.starts_with("\""))
      return eatQuoted();
    StringRef word = peekWord();
    if (word.empty())
      return std::nullopt;
    std::string name = word.str();
    advance(word.size());
    return name;
  }

  std::optional<uint64_t> eatInteger(bool &tooLarge) override {
    StringRef digits = rest.take_while(llvm::isDigit);
    if (digits.empty())
      return std::nullopt;
    uint64_t value = 0;
    tooLarge = digits.getAsInteger(10, value);
    advance(digits.size());
    return value;
  }

private:
  void advance(size_t count) { rest = rest.drop_front(count).ltrim(); }

  StringRef peekWord() const {
    if (rest.empty() || !isNameStart(rest.front()))
      return {};
    return rest.take_while(isNamePart);
  }

  /// Reads what printEscapedString writes: `\\` and two hex digits. Gives
  /// nothing, and eats nothing, if the quotes do not match.
  std::optional<std::string> eatQuoted() {
    std::string name;
    for (size_t i = 1; i < rest.size(); ++i) {
      if (rest[i] == '"') {
        advance(i + 1);
        return name;
      }
      if (rest[i] != '\\') {
        name.push_back(rest[i]);
        continue;
      }
      StringRef escape = rest.substr(i + 1, 2);
      if (escape.starts_with("\\")) {
        name.push_back('\\');
        i += 1;
        continue;
      }
      if (escape.size() != 2 || !llvm::all_of(escape, llvm::isHexDigit))
        return std::nullopt;
      name.push_back(
          static_cast<char>(llvm::hexFromNibbles(escape[0], escape[1])));
      i += 2;
    }
    return std::nullopt;
  }

  StringRef text, rest;
};

} // namespace

std::optional<Expr> dtensor::parseExpr(StringRef text, ExprContext &context,
                                       std::string *error) {
  TextTokens tokens(text);
  std::optional<Expr> expr =
      parseExpr(static_cast<ExprTokens &>(tokens), context, error);
  if (expr && !tokens.atEnd()) {
    expr.reset();
    if (error)
      *error = "expected the end of the expression";
  }
  if (!expr && error)
    *error += " at offset " + std::to_string(tokens.getOffset());
  return expr;
}
