//===- DTensorSpec.cpp - Layouts in the words of PyTorch ------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dtensor/Sharding/DTensorSpec.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace dtensor;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;
namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static json::Object printFacts(const AxisFacts &facts) {
  json::Object result;
  if (facts.min != AxisFacts().min)
    result["min"] = facts.min;
  if (facts.max)
    result["max"] = *facts.max;
  if (facts.divides)
    result["divides"] = *facts.divides;
  if (facts.multipleOf != AxisFacts().multipleOf)
    result["multiple_of"] = facts.multipleOf;
  if (facts.hint != AxisFacts().hint)
    result["hint"] = facts.hint;
  return result;
}

static json::Object printMesh(const Mesh &mesh) {
  json::Array names, shape, facts;
  bool hasFacts = false;
  for (const MeshAxis &axis : mesh.getAxes()) {
    names.push_back(json::fixUTF8(axis.name));
    if (axis.facts.size)
      shape.push_back(*axis.facts.size);
    else
      shape.push_back(nullptr);
    json::Object known = printFacts(axis.facts);
    hasFacts |= !known.empty();
    facts.push_back(std::move(known));
  }
  json::Object result{{"dim_names", std::move(names)},
                      {"shape", std::move(shape)}};
  if (hasFacts)
    result["facts"] = std::move(facts);
  return result;
}

static json::Object printPlacement(const DTensorPlacement &it) {
  if (it.placement.isReplicate())
    return json::Object{{"type", "replicate"}};
  if (it.placement.isPartial())
    return json::Object{{"type", "partial"},
                        {"reduce_op", stringify(it.placement.reduce)}};
  json::Object result{{"type", "shard"}, {"dim", it.placement.dim}};
  if (it.splitFactor != 1) {
    result["type"] = "strided_shard";
    result["split_factor"] = it.splitFactor;
  }
  return result;
}

std::optional<std::string> dtensor::printDTensorSpec(const Layout &layout,
                                                     const Mesh &mesh,
                                                     EmitError emitError) {
  auto placements = toDTensorPlacements(layout, mesh, emitError);
  if (!placements)
    return std::nullopt;
  json::Array printed, shape;
  for (const DTensorPlacement &it : *placements)
    printed.push_back(printPlacement(it));
  for (Expr extent : layout.extents) {
    if (std::optional<int64_t> number = extent.getConstant())
      shape.push_back(*number);
    else
      shape.push_back(extent.str());
  }
  json::Value result = json::Object{{"mesh", printMesh(mesh)},
                                    {"placements", std::move(printed)},
                                    {"shape", std::move(shape)}};
  return llvm::formatv("{0}", result).str();
}

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

namespace {
/// Reads values; the first thing that is not as expected ends it. Places are
/// written as one reaches them: `placements[1].dim`.
class Reader {
public:
  Reader(ExprContext &context, EmitError emitError)
      : context(context), emitError(emitError) {}

  std::optional<std::pair<Mesh, Layout>> read(const json::Value &value);

private:
  bool fail(const Twine &place, const Twine &message) {
    emitError(place + ": " + message);
    return false;
  }

  /// An object without other keys than these.
  const json::Object *object(const json::Value *value, const Twine &place,
                             llvm::ArrayRef<StringRef> keys);
  const json::Array *array(const json::Object &parent, StringRef key,
                           const Twine &place);
  /// The number at `key`, at least `least`; leaves `result` where there is
  /// none and `isOptional`.
  template <class T>
  bool number(const json::Object &parent, StringRef key, const Twine &place,
              int64_t least, bool isOptional, T &result);

  bool axis(const json::Array &names, const json::Array &shape,
            const json::Array *facts, size_t index);
  bool facts(const json::Value &value, const Twine &place, AxisFacts &result);
  bool mesh(const json::Value *value);
  bool placement(const json::Value &value, const Twine &place);
  bool extent(const json::Value &value, const Twine &place);

  ExprContext &context;
  EmitError emitError;
  SmallVector<MeshAxis> axes;
  SmallVector<DTensorPlacement> placements;
  SmallVector<Expr> extents;
};
} // namespace

const json::Object *Reader::object(const json::Value *value, const Twine &place,
                                   llvm::ArrayRef<StringRef> keys) {
  const json::Object *object = value ? value->getAsObject() : nullptr;
  if (!object) {
    fail(place, value ? "expected an object" : "missing");
    return nullptr;
  }
  for (const auto &field : *object)
    if (!llvm::is_contained(keys, StringRef(field.first))) {
      fail(place, "unknown key \"" + StringRef(field.first) +
                      "\", expected one of " + llvm::join(keys, ", "));
      return nullptr;
    }
  return object;
}

const json::Array *Reader::array(const json::Object &parent, StringRef key,
                                 const Twine &place) {
  const json::Value *value = parent.get(key);
  const json::Array *array = value ? value->getAsArray() : nullptr;
  if (!array)
    fail(place, value ? "expected a list" : "missing");
  return array;
}

template <class T>
bool Reader::number(const json::Object &parent, StringRef key,
                    const Twine &place, int64_t least, bool isOptional,
                    T &result) {
  const json::Value *value = parent.get(key);
  if (!value && isOptional)
    return true;
  std::optional<int64_t> found = value ? value->getAsInteger() : std::nullopt;
  if (!found || *found < least || *found > std::numeric_limits<int32_t>::max())
    return fail(place + "." + key,
                value ? "expected a number from " + Twine(least) + " to " +
                            Twine(std::numeric_limits<int32_t>::max())
                      : Twine("missing"));
  result = static_cast<T>(*found);
  return true;
}

bool Reader::facts(const json::Value &value, const Twine &place,
                   AxisFacts &result) {
  const json::Object *known =
      object(&value, place, {"min", "max", "divides", "multiple_of", "hint"});
  return known && number(*known, "min", place, 1, true, result.min) &&
         number(*known, "max", place, 1, true, result.max) &&
         number(*known, "divides", place, 1, true, result.divides) &&
         number(*known, "multiple_of", place, 1, true, result.multipleOf) &&
         number(*known, "hint", place, 1, true, result.hint);
}

bool Reader::axis(const json::Array &names, const json::Array &shape,
                  const json::Array *known, size_t index) {
  std::string at = "[" + std::to_string(index) + "]";
  std::optional<StringRef> name = names[index].getAsString();
  if (!name)
    return fail("mesh.dim_names" + at, "expected a string");
  MeshAxis &axis = axes.emplace_back();
  axis.name = name->str();
  const json::Value &size = shape[index];
  if (!size.getAsNull()) {
    axis.facts.size = size.getAsInteger();
    if (!axis.facts.size || *axis.facts.size < 1 ||
        *axis.facts.size > std::numeric_limits<int32_t>::max())
      return fail("mesh.shape" + at, "expected a size of at least 1, or null");
  }
  return !known || facts((*known)[index], "mesh.facts" + at, axis.facts);
}

bool Reader::mesh(const json::Value *value) {
  const json::Object *mesh =
      object(value, "mesh", {"dim_names", "shape", "facts"});
  if (!mesh)
    return false;
  const json::Array *names = array(*mesh, "dim_names", "mesh.dim_names");
  const json::Array *shape =
      names ? array(*mesh, "shape", "mesh.shape") : nullptr;
  if (!shape)
    return false;
  const json::Array *known = nullptr;
  if (mesh->get("facts") && !(known = array(*mesh, "facts", "mesh.facts")))
    return false;
  if (names->size() != shape->size() ||
      (known && known->size() != shape->size()))
    return fail("mesh",
                Twine(names->size()) + " names" +
                    (known ? ", " + Twine(known->size()) + " facts" : Twine()) +
                    " for " + Twine(shape->size()) + " sizes");
  for (size_t index = 0; index < shape->size(); ++index)
    if (!axis(*names, *shape, known, index))
      return false;
  return Mesh(axes).verify(
      [&](const Twine &message) { fail("mesh", message); });
}

bool Reader::placement(const json::Value &value, const Twine &place) {
  DTensorPlacement &made = placements.emplace_back();
  const json::Object *it =
      object(&value, place, {"type", "dim", "split_factor", "reduce_op"});
  if (!it)
    return false;
  StringRef type = it->getString("type").value_or("");
  auto keys = [&](llvm::ArrayRef<StringRef> names) {
    return object(&value, place, names) != nullptr;
  };
  if (type == "replicate") {
    made.placement = Placement::replicate();
    return keys({"type"});
  }
  if (type == "partial") {
    auto kind = parseReduceKind(it->getString("reduce_op").value_or(""));
    if (!kind)
      return fail(place + ".reduce_op",
                  "expected sum, avg, max, min or product");
    made.placement = Placement::partial(*kind);
    return keys({"type", "reduce_op"});
  }
  bool isStrided = type == "strided_shard";
  if (!isStrided && type != "shard")
    return fail(place + ".type",
                "expected replicate, shard, strided_shard or partial");
  unsigned dim = 0;
  if (!number(*it, "dim", place, 0, false, dim))
    return false;
  if (dim >= extents.size())
    return fail(place + ".dim", Twine(dim) + ", the tensor has " +
                                    Twine(extents.size()) + " dimensions");
  made.placement = Placement::shard(dim);
  if (!isStrided)
    return keys({"type", "dim"});
  return number(*it, "split_factor", place, 1, false, made.splitFactor) &&
         keys({"type", "dim", "split_factor"});
}

bool Reader::extent(const json::Value &value, const Twine &place) {
  std::optional<int64_t> size = value.getAsInteger();
  if (size && *size >= 0) {
    extents.push_back(Expr::constant(context, *size));
    return true;
  }
  std::optional<StringRef> text = value.getAsString();
  if (!text)
    return fail(place, "expected a size of at least 0, or an expression");
  std::string error;
  std::optional<Expr> parsed = parseExpr(*text, context, &error);
  if (!parsed)
    return fail(place, "\"" + *text + "\": " + error);
  extents.push_back(*parsed);
  return true;
}

std::optional<std::pair<Mesh, Layout>> Reader::read(const json::Value &value) {
  const json::Object *spec =
      object(&value, "the text", {"mesh", "placements", "shape"});
  if (!spec || !mesh(spec->get("mesh")))
    return std::nullopt;
  const json::Array *shape = array(*spec, "shape", "shape");
  const json::Array *list =
      shape ? array(*spec, "placements", "placements") : nullptr;
  if (!list)
    return std::nullopt;
  for (auto [i, it] : llvm::enumerate(*shape))
    if (!extent(it, "shape[" + Twine(i) + "]"))
      return std::nullopt;
  for (auto [i, it] : llvm::enumerate(*list))
    if (!placement(it, "placements[" + Twine(i) + "]"))
      return std::nullopt;
  Mesh mesh(axes);
  auto layout = fromDTensorPlacements(
      placements, mesh, extents,
      [&](const Twine &message) { fail("placements", message); });
  if (!layout)
    return std::nullopt;
  return std::pair(mesh, *layout);
}

/// The parser of LLVM calls itself for every list: no text needs many.
static bool isDeep(StringRef text) {
  int depth = 0;
  for (char c : text) {
    depth += c == '[' || c == '{';
    depth -= c == ']' || c == '}';
    if (depth > 64)
      return true;
  }
  return false;
}

std::optional<std::pair<Mesh, Layout>>
dtensor::parseDTensorSpec(StringRef text, ExprContext &context,
                          EmitError emitError) {
  if (isDeep(text)) {
    emitError("the text nests deeper than 64 levels");
    return std::nullopt;
  }
  llvm::Expected<json::Value> value = json::parse(text);
  if (!value) {
    emitError(llvm::toString(value.takeError()));
    return std::nullopt;
  }
  return Reader(context, emitError).read(*value);
}
