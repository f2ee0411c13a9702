//===- OptionsTest.cpp - the command line of dtensor-run --------*- C++ -*-===//

#include "Options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace dtensor::run;
using testing::HasSubstr;

namespace {

bool parse(std::vector<const char *> arguments, Options &options,
           std::string &error) {
  arguments.insert(arguments.begin(), "dtensor-run");
  return parseOptions(static_cast<int>(arguments.size()), arguments.data(),
                      options, error);
}

std::string errorOf(const std::vector<const char *> &arguments) {
  Options options;
  std::string error;
  EXPECT_FALSE(parse(arguments, options, error));
  return error;
}

TEST(Options, ValuesFollowASpaceOrAnEqualsSign) {
  Options options;
  std::string error;
  ASSERT_TRUE(parse({"p.so", "--mesh", "tp=4,dp=2", "--entry=f", "--input",
                     "x=a=b.npy", "--random", "--dim=B=2", "--range=x=-1:3",
                     "--rtol=1e-3", "--stats", "--seed=7"},
                    options, error))
      << error;
  EXPECT_EQ(options.program, "p.so");
  EXPECT_EQ(options.mesh, (NamedInts{{"tp", 4}, {"dp", 2}}));
  EXPECT_EQ(options.entry, "f");
  EXPECT_EQ(options.inputs, (Named{{"x", "a=b.npy"}}));
  EXPECT_EQ(options.dims, (NamedInts{{"B", 2}}));
  EXPECT_EQ(options.ranges[0].high, 3);
  EXPECT_EQ(*options.rtol, 1e-3);
  EXPECT_EQ(options.stats, StatsFormat::Text);
  EXPECT_EQ(options.seed, 7u);
}

TEST(Options, NonsenseIsRefused) {
  EXPECT_THAT(errorOf({}), HasSubstr("no program given"));
  EXPECT_THAT(errorOf({"a", "b"}), HasSubstr("a second program, \"b\""));
  EXPECT_THAT(errorOf({"a", "--frobnicate"}), HasSubstr("unknown option"));
  EXPECT_THAT(errorOf({"a", "--mesh"}), HasSubstr("needs a value"));
  EXPECT_THAT(errorOf({"a", "--mesh=tp"}), HasSubstr("\"tp\""));
  EXPECT_THAT(errorOf({"a", "--mesh=tp=4x"}), HasSubstr("cannot understand"));
  EXPECT_THAT(errorOf({"a", "--mesh=tp=2,tp=3"}), HasSubstr("twice"));
  EXPECT_THAT(errorOf({"a", "--list=yes"}), HasSubstr("takes no value"));
  EXPECT_THAT(errorOf({"a", "--bench=0"}), HasSubstr("cannot understand"));
  EXPECT_THAT(errorOf({"a", "--stats=xml"}), HasSubstr("cannot understand"));
  EXPECT_THAT(errorOf({"a", "--rtol=-1"}), HasSubstr("cannot understand"));
  EXPECT_THAT(errorOf({"a", "--dim=B=2"}), HasSubstr("needs --random"));
  EXPECT_THAT(errorOf({"a", "--range=x=3:1"}), HasSubstr("cannot understand"));
}

} // namespace
