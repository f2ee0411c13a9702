//===- Manifest.cpp - what a bundle says about itself -----------*- C++ -*-===//

#include "Manifest.h"

#include "Error.h"

#include "dtensor-rt/Bundle.h"

#include <nlohmann/json.hpp>

#include <functional>

using namespace dtensor::rt;
using Json = nlohmann::json;

namespace {

template <typename... Ts>
[[noreturn]] void fail(const std::string &where, const Ts &...parts) {
  raise(DTENSOR_RT_BAD_BUNDLE, "manifest, ", where, ": ", concat(parts...));
}

/// A JSON value and where it stands, for messages.
struct Node {
  const Json &json;
  std::string where;

  bool has(const char *key) const {
    return json.is_object() && json.contains(key) && !json[key].is_null();
  }
  Node at(const char *key) const {
    if (!json.is_object() || !json.contains(key))
      fail(where, "no ", dtensor::rt::quoted(key));
    return {json[key], where + "." + key};
  }
  std::string string() const {
    if (!json.is_string())
      fail(where, "is not a string");
    return json.get<std::string>();
  }
  int64_t integer() const {
    if (!json.is_number_integer())
      fail(where, "is not an integer");
    return json.get<int64_t>();
  }
  int64_t integerAtLeast(int64_t least) const {
    int64_t value = integer();
    if (value < least)
      fail(where, "is ", value, ", at least ", least, " is expected");
    return value;
  }
  void forEach(const std::function<void(const Node &)> &fn) const {
    if (!json.is_array())
      fail(where, "is not a list");
    for (size_t i = 0; i < json.size(); ++i)
      fn({json[i], concat(where, "[", i, "]")});
  }
};

std::optional<int64_t> optionalInteger(const Node &node, const char *key) {
  if (!node.has(key))
    return std::nullopt;
  return node.at(key).integerAtLeast(1);
}

std::vector<std::string> strings(const Node &node) {
  std::vector<std::string> result;
  node.forEach([&](const Node &item) { result.push_back(item.string()); });
  return result;
}

AxisDecl parseAxis(const Node &node) {
  AxisDecl axis;
  axis.name = node.at("name").string();
  axis.size = optionalInteger(node, "size");
  axis.max = optionalInteger(node, "max");
  axis.divides = optionalInteger(node, "divides");
  axis.min = optionalInteger(node, "min").value_or(1);
  axis.multipleOf = optionalInteger(node, "multiple_of").value_or(1);
  axis.hint = optionalInteger(node, "hint").value_or(axis.size.value_or(8));
  return axis;
}

int32_t parseDType(const Node &node) {
  std::string name = node.string();
#define DTENSOR_RT_DTYPE(CODE, NAME, BYTES)                                    \
  if (name == #NAME)                                                           \
    return CODE;
  DTENSOR_RT_FOR_EACH_DTYPE(DTENSOR_RT_DTYPE)
#undef DTENSOR_RT_DTYPE
  fail(node.where, "unknown element type ", dtensor::rt::quoted(name));
}

void parseReduce(const Node &node, PlacementDecl &placement) {
  std::string name = node.string();
  placement.isAverage = name == "avg";
  if (name == "sum" || name == "avg")
    placement.reduce = Reduce::Sum;
  else if (name == "max")
    placement.reduce = Reduce::Max;
  else if (name == "min")
    placement.reduce = Reduce::Min;
  else if (name == "product")
    placement.reduce = Reduce::Product;
  else
    fail(node.where, "unknown reduction ", dtensor::rt::quoted(name));
}

PlacementDecl parsePlacement(const Node &node, int64_t rank) {
  PlacementDecl placement;
  std::string kind = node.at("kind").string();
  if (kind == "replicate")
    return placement;
  if (kind == "partial") {
    placement.kind = PlacementDecl::Partial;
    parseReduce(node.at("reduce"), placement);
    return placement;
  }
  if (kind != "shard")
    fail(node.where, "unknown placement ", dtensor::rt::quoted(kind));
  placement.kind = PlacementDecl::Shard;
  placement.dim = node.at("dim").integerAtLeast(0);
  if (placement.dim >= rank)
    fail(node.where, "shards dimension ", placement.dim, " of a ", rank,
         "-d tensor");
  if (node.has("unit"))
    placement.unit = node.at("unit").string();
  return placement;
}

/// Kinds of pending reduction do not mix on one tensor.
void checkPartials(const Node &node, const ValueDecl &value) {
  const PlacementDecl *first = nullptr;
  for (const PlacementDecl &placement : value.placements) {
    if (placement.kind != PlacementDecl::Partial)
      continue;
    if (first && (first->reduce != placement.reduce ||
                  first->isAverage != placement.isAverage))
      fail(node.where, "mixes kinds of partial");
    first = &placement;
  }
}

ValueDecl parseValue(const Node &node, size_t numAxes) {
  ValueDecl value;
  value.name = node.at("name").string();
  value.dtype = parseDType(node.at("dtype"));
  std::string kind =
      node.has("kind") ? node.at("kind").string() : std::string("tensor");
  value.isScalar = kind == "scalar";
  if (value.isScalar)
    return value;
  if (kind != "tensor")
    fail(node.where, "unknown kind ", dtensor::rt::quoted(kind));
  if (value.dtype == DTENSOR_RT_index)
    fail(node.where, "a tensor has no elements of type index");
  node.at("shape").forEach([&](const Node &size) {
    value.shape.push_back(size.json.is_null() ? -1 : size.integerAtLeast(0));
  });
  if (value.rank() > kMaxRank)
    fail(node.where, "has ", value.rank(), " dimensions, at most ", kMaxRank,
         " are supported");
  value.extents = strings(node.at("extents"));
  if (value.extents.size() != value.shape.size())
    fail(node.where, value.extents.size(), " extents for ", value.shape.size(),
         " dimensions");
  node.at("placements").forEach([&](const Node &placement) {
    value.placements.push_back(parsePlacement(placement, value.rank()));
  });
  if (value.placements.size() != numAxes)
    fail(node.where, value.placements.size(), " placements for ", numAxes,
         " mesh axes");
  checkPartials(node, value);
  if (node.has("donated"))
    value.donated = node.at("donated").json == true;
  return value;
}

std::vector<ValueDecl> parseValues(const Node &node, size_t numAxes) {
  std::vector<ValueDecl> values;
  node.forEach([&](const Node &item) {
    values.push_back(parseValue(item, numAxes));
    for (size_t i = 0; i + 1 < values.size(); ++i)
      if (values[i].name == values.back().name)
        fail(item.where, "second value named ",
             dtensor::rt::quoted(values[i].name));
  });
  return values;
}

EntryDecl parseEntry(const Node &node, size_t numAxes) {
  EntryDecl entry;
  entry.name = node.at("name").string();
  entry.bind = node.at("bind").string();
  entry.layout = node.at("layout").string();
  entry.run = node.at("run").string();
  entry.symbols = strings(node.at("symbols"));
  entry.args = parseValues(node.at("args"), numAxes);
  entry.results = parseValues(node.at("results"), numAxes);
  entry.checks = strings(node.at("checks"));
  for (const ValueDecl &result : entry.results)
    if (result.isScalar)
      fail(node.where, "result ", dtensor::rt::quoted(result.name),
           " is a scalar");
  return entry;
}

std::string join(const std::vector<std::string> &parts) {
  std::string text;
  for (const std::string &part : parts)
    text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string reduceName(const PlacementDecl &placement) {
  if (placement.isAverage)
    return "avg";
  static const char *const names[] = {"sum", "max", "min", "product"};
  return names[static_cast<int32_t>(placement.reduce)];
}

} // namespace

std::string ValueDecl::extentsString() const { return join(extents); }

std::string ValueDecl::placementsString() const {
  std::vector<std::string> parts;
  for (const PlacementDecl &placement : placements) {
    if (placement.kind == PlacementDecl::Replicate)
      parts.push_back("replicate");
    else if (placement.kind == PlacementDecl::Partial)
      parts.push_back("partial(" + reduceName(placement) + ")");
    else
      parts.push_back(concat(
          "shard(", placement.dim,
          placement.unit.empty() ? "" : ", unit = ", placement.unit, ")"));
  }
  return join(parts);
}

const ValueDecl &EntryDecl::value(size_t ordinal) const {
  return ordinal < args.size() ? args[ordinal] : results[ordinal - args.size()];
}

Manifest dtensor::rt::parseManifest(const std::string &text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    raise(DTENSOR_RT_BAD_BUNDLE, "manifest is not a JSON object");
  Node root = {json, "top level"};
  int64_t abi = root.at("abi").integer();
  if (abi != kAbiVersion)
    fail(root.where, "ABI version ", abi, ", this runtime has version ",
         kAbiVersion);
  Manifest manifest;
  manifest.target = root.at("target").string();
  root.at("mesh").at("axes").forEach(
      [&](const Node &axis) { manifest.axes.push_back(parseAxis(axis)); });
  if (manifest.axes.size() > 15)
    fail(root.where, manifest.axes.size(),
         " mesh axes, at most 15 are "
         "supported");
  root.at("entries").forEach([&](const Node &entry) {
    manifest.entries.push_back(parseEntry(entry, manifest.axes.size()));
  });
  if (root.has("kernels"))
    manifest.kernels = strings(root.at("kernels"));
  if (root.has("products"))
    manifest.products = strings(root.at("products"));
  return manifest;
}
