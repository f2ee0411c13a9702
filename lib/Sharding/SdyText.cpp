//===- SdyText.cpp - The texts of Shardy's meshes and shardings -----------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   sharding  ::= '<' mesh-ref ',' '[' dimensions ']' lists '>'
//   mesh-ref  ::= '@' name | 'mesh' mesh
//   dimension ::= '{' axes (','? '?')? '}' ('p' number)?
//   axis      ::= string (':' '(' number ')' number)?
//   lists     ::= (',' 'replicated' '=' '{' axes '}')?
//                 (',' 'unreduced' '='? kind? '{' axes '}')?
//   mesh      ::= '<' '[' (string '=' number),* ']' (',' 'device_ids' '='
//                 '[' numbers ']')? '>'
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/SdySharding.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace dtensor;
using llvm::ArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace {

class Parser {
public:
  Parser(StringRef text, EmitError emitError)
      : whole(text), rest(text), emitError(emitError) {}

  bool sharding(SdySharding &result) {
    return expect("<") && meshReference(result) && expect(",") && expect("[") &&
           dimensions(result) && lists(result) && expect(">");
  }

  bool mesh(SdyMesh &result) {
    if (!expect("<") || !expect("["))
      return false;
    while (!take("]")) {
      if (!result.axes.empty() && !expect(","))
        return false;
      SdyMesh::Axis axis;
      if (!quoted(axis.name) || !expect("=") || !number(axis.size))
        return false;
      result.axes.push_back(axis);
    }
    if (take(",") &&
        !(expect("device_ids") && expect("=") && numbers(result.devices)))
      return false;
    return expect(">");
  }

  bool end() { return rest.trim().empty() || fail("the end"); }

private:
  bool fail(const llvm::Twine &expected) {
    emitError("\"" + whole + "\": expected " + expected + " at column " +
              llvm::Twine(whole.size() - rest.size() + 1));
    return false;
  }

  bool take(StringRef word) {
    rest = rest.ltrim();
    return rest.consume_front(word);
  }

  bool expect(StringRef word) { return take(word) || fail("'" + word + "'"); }

  bool number(int64_t &result) {
    rest = rest.ltrim();
    uint64_t value;
    StringRef before = rest;
    if (rest.consumeInteger(10, value) || value > uint64_t(INT32_MAX)) {
      rest = before;
      return fail("a number below 2^31");
    }
    result = static_cast<int64_t>(value);
    return true;
  }

  bool numbers(llvm::SmallVectorImpl<int64_t> &result) {
    if (!expect("["))
      return false;
    while (!take("]")) {
      if (!result.empty() && !expect(","))
        return false;
      result.emplace_back();
      if (!number(result.back()))
        return false;
    }
    return true;
  }

  /// A backslash and two digits are a character, as LLVM prints it.
  bool quoted(std::string &result) {
    if (!take("\""))
      return fail("a name in quotes");
    while (!rest.empty() && rest.front() != '"') {
      char c = rest.front();
      rest = rest.drop_front();
      if (c == '\\' && rest.consume_front("\\")) {
        result += '\\';
      } else if (c == '\\' && rest.size() >= 2 && llvm::isHexDigit(rest[0]) &&
                 llvm::isHexDigit(rest[1])) {
        result += static_cast<char>(llvm::hexFromNibbles(rest[0], rest[1]));
        rest = rest.drop_front(2);
      } else {
        result += c;
      }
    }
    return expect("\"");
  }

  bool meshReference(SdySharding &result) {
    if (!take("@"))
      return take("mesh") ? mesh(result.inlineMesh)
                          : fail("'@' and the name of a mesh");
    if (rest.starts_with("\""))
      return quoted(result.meshName);
    StringRef name = rest.take_while([](char c) {
      return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.' || c == '-';
    });
    rest = rest.drop_front(name.size());
    result.meshName = name.str();
    return !name.empty() || fail("the name of a mesh");
  }

  bool axis(SdyAxis &result) {
    if (!quoted(result.name))
      return false;
    if (!take(":"))
      return true;
    if (!expect("(") || !number(result.before) || !expect(")") ||
        !number(result.size))
      return false;
    return result.size > 0 || fail("a part of at least 1");
  }

  /// After the brace that opens; `open` where `?` may stand.
  bool axes(SdyAxes &result, bool *open) {
    while (!take("}")) {
      if (!result.empty() && !expect(","))
        return false;
      if (open && take("?")) {
        *open = true;
        return expect("}");
      }
      if (!axis(result.emplace_back()))
        return false;
    }
    return true;
  }

  bool dimensions(SdySharding &result) {
    while (!take("]")) {
      if (!result.dims.empty() && !expect(","))
        return false;
      SdyDimension &dim = result.dims.emplace_back();
      if (!expect("{") || !axes(dim.axes, &dim.isOpen))
        return false;
      if (take("p") && !number(dim.priority.emplace()))
        return false;
    }
    return true;
  }

  bool lists(SdySharding &result) {
    while (take(",")) {
      if (result.replicated.empty() && take("replicated")) {
        if (!expect("=") || !expect("{") || !axes(result.replicated, nullptr))
          return false;
      } else if (result.unreduced.empty() && take("unreduced")) {
        take("=");
        if (!kind(result.reduce) || !expect("{") ||
            !axes(result.unreduced, nullptr))
          return false;
      } else {
        return fail("'replicated' or 'unreduced', each once");
      }
    }
    return true;
  }

  bool kind(ReduceKind &result) {
    if (take("max"))
      result = ReduceKind::Max;
    else if (take("min"))
      result = ReduceKind::Min;
    else
      take("sum");
    return true;
  }

  StringRef whole, rest;
  EmitError emitError;
};

} // namespace

static void dropRowMajor(SdyMesh &mesh) {
  bool isRowMajor = !mesh.axes.empty();
  for (auto [rank, device] : llvm::enumerate(mesh.devices))
    isRowMajor &= device == static_cast<int64_t>(rank);
  if (isRowMajor)
    mesh.devices.clear();
}

static bool verifyMesh(const SdyMesh &mesh, EmitError emitError) {
  llvm::SmallVector<StringRef> names;
  int64_t ranks = 1;
  for (const SdyMesh::Axis &axis : mesh.axes) {
    if (axis.name.empty() || llvm::is_contained(names, axis.name)) {
      emitError("mesh " + mesh.str() + " has two axes named \"" + axis.name +
                "\", or one without a name");
      return false;
    }
    names.push_back(axis.name);
    if (axis.size < 1 || axis.size > INT32_MAX / ranks) {
      emitError("mesh axis \"" + axis.name + "\" has size " +
                llvm::Twine(axis.size) +
                ", expected at least 1 and below 2^31 ranks in all");
      return false;
    }
    ranks *= axis.size;
  }
  bool one = mesh.axes.empty() && mesh.devices.size() == 1;
  if (mesh.devices.empty() || one)
    return true;
  llvm::SmallVector<int64_t> sorted(mesh.devices);
  llvm::sort(sorted);
  for (auto [rank, device] : llvm::enumerate(sorted))
    if (device != static_cast<int64_t>(rank) ||
        static_cast<int64_t>(sorted.size()) != ranks) {
      emitError("device_ids are not a permutation of the " +
                llvm::Twine(ranks) + " ranks of the mesh");
      return false;
    }
  return true;
}

std::optional<SdyMesh> SdyMesh::parse(StringRef text, EmitError emitError) {
  Parser parser(text, emitError);
  SdyMesh result;
  if (!parser.mesh(result) || !parser.end() || !verifyMesh(result, emitError))
    return std::nullopt;
  dropRowMajor(result);
  return result;
}

std::optional<SdySharding> SdySharding::parse(StringRef text,
                                              EmitError emitError) {
  Parser parser(text, emitError);
  SdySharding result;
  if (!parser.sharding(result) || !parser.end() ||
      !verifyMesh(result.inlineMesh, emitError))
    return std::nullopt;
  dropRowMajor(result.inlineMesh);
  return result;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static void printQuoted(StringRef text, llvm::raw_ostream &os) {
  os << '"';
  llvm::printEscapedString(text, os);
  os << '"';
}

std::string SdyAxis::str() const {
  if (!isPart())
    return name;
  return (name + ":(" + llvm::Twine(before) + ")" + llvm::Twine(size)).str();
}

void SdyAxis::print(llvm::raw_ostream &os) const {
  printQuoted(name, os);
  if (isPart())
    os << ":(" << before << ')' << size;
}

static void printAxes(ArrayRef<SdyAxis> axes, bool isOpen,
                      llvm::raw_ostream &os) {
  os << '{';
  llvm::interleaveComma(axes, os, [&](const SdyAxis &axis) { axis.print(os); });
  if (isOpen)
    os << (axes.empty() ? "?" : ", ?");
  os << '}';
}

void SdyMesh::print(llvm::raw_ostream &os) const {
  os << "<[";
  llvm::interleaveComma(axes, os, [&](const Axis &axis) {
    printQuoted(axis.name, os);
    os << '=' << axis.size;
  });
  os << ']';
  if (!devices.empty()) {
    os << ", device_ids=[";
    llvm::interleaveComma(devices, os);
    os << ']';
  }
  os << '>';
}

static void printMeshReference(const SdySharding &sharding,
                               llvm::raw_ostream &os) {
  StringRef name = sharding.meshName;
  if (name.empty()) {
    os << "mesh";
    sharding.inlineMesh.print(os);
    return;
  }
  os << '@';
  bool isBare = !llvm::isDigit(name.front()) && llvm::all_of(name, [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.';
  });
  if (isBare)
    os << name;
  else
    printQuoted(name, os);
}

void SdySharding::print(llvm::raw_ostream &os) const {
  os << '<';
  printMeshReference(*this, os);
  os << ", [";
  llvm::interleaveComma(dims, os, [&](const SdyDimension &dim) {
    printAxes(dim.axes, dim.isOpen, os);
    if (dim.priority)
      os << 'p' << *dim.priority;
  });
  os << ']';
  if (!replicated.empty()) {
    os << ", replicated=";
    printAxes(replicated, /*isOpen=*/false, os);
  }
  if (!unreduced.empty()) {
    os << ", unreduced=";
    if (reduce != ReduceKind::Sum)
      os << stringify(reduce);
    printAxes(unreduced, /*isOpen=*/false, os);
  }
  os << '>';
}

std::string SdyMesh::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

std::string SdySharding::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

bool SdySharding::operator==(const SdySharding &other) const {
  return str() == other.str();
}

llvm::hash_code dtensor::hash_value(const SdyMesh &mesh) {
  return llvm::hash_value(mesh.str());
}

llvm::hash_code dtensor::hash_value(const SdySharding &sharding) {
  return llvm::hash_value(sharding.str());
}
