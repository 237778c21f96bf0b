// The protobuf classes of ONNX as the distribution's library defines them. Included by files that read or write models only.
#pragma once

#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include <onnx/onnx_pb.h>

#include <string>

#include "core/graph.hpp"

namespace bitloom {

/// The tensor's values, widened to float or int64. Throws Error at `where` when its type is unsupported or its size does not match its
/// dimensions.
Tensor read_tensor(const ::onnx::TensorProto& proto, const std::string& where);

/// "float16" and so on, for messages; a number for a type unknown here.
std::string type_name(int data_type);
bool is_float_type(int data_type);
/// Whether read_tensor can hold the type.
bool is_supported_type(int data_type);

}  // namespace bitloom
