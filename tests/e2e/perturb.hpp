// A retrained model for tests: the weights of another one, disturbed.
#pragma once

#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include <onnx/onnx_pb.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <random>

#include "support.hpp"

namespace bitloom::test {

/// Writes `from` to `to` with noise on the weights, which change sign or level, and on the means of batch norms, which move the thresholds.
/// Scales and zero points are kept, and so is the shape.
inline void perturb_model(const fs::path& from, const fs::path& to, unsigned seed) {
  onnx::ModelProto model;
  std::ifstream in(from, std::ios::binary);
  if (!model.ParseFromIstream(&in)) throw Error(from.string(), "is no ONNX model");
  std::mt19937 random(seed);
  for (onnx::TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.data_type() != onnx::TensorProto::FLOAT || (tensor.dims_size() < 2 && tensor.name().find("_mean") == std::string::npos))
      continue;
    std::vector<float> values(tensor.float_data().begin(), tensor.float_data().end());
    if (tensor.has_raw_data()) {
      values.resize(tensor.raw_data().size() / sizeof(float));
      std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
    }
    if (values.size() < 16) continue;
    double square = 0;
    for (const float value : values) square += static_cast<double>(value) * value;
    std::normal_distribution<float> noise(0.0F, 0.5F * static_cast<float>(std::sqrt(square / static_cast<double>(values.size()))));
    for (float& value : values) value += noise(random);
    tensor.clear_float_data();
    tensor.set_raw_data(std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  }
  std::ofstream out(to, std::ios::binary);
  if (!model.SerializeToOstream(&out)) throw Error(to.string(), "cannot be written");
}

}  // namespace bitloom::test
